//! Removing sessions: at once where they are small, in pieces where they are large.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::session::{COLUMNS, SessionRow};
use super::{FileResult, user};
use crate::time::Timestamp;

/// A session of more places than this is unlinked at once and removed in pieces, so that the
/// writes of others do not wait for it.
const AT_ONCE: u64 = 10_000;
/// How many rows one piece is.
const PIECE: i64 = 2_000;
/// How many expired sessions one sweep looks at.
const SESSIONS: usize = 100;

/// Removes a session and all that belongs to it.
pub(super) fn remove(file: &Connection, row: &SessionRow) -> FileResult<()> {
    for table in [
        "DELETE FROM session WHERE id = ?1",
        "DELETE FROM summary WHERE session = ?1",
        "DELETE FROM lease WHERE session = ?1",
        "DELETE FROM due WHERE session = ?1",
    ] {
        file.prepare_cached(table)?.execute([row.id])?;
    }
    if row.last - row.base.min(row.last) <= AT_ONCE {
        file.prepare_cached("DELETE FROM message WHERE session = ?1")?.execute([row.id])?;
        file.prepare_cached("DELETE FROM once WHERE session = ?1")?.execute([row.id])?;
    } else {
        file.prepare_cached("INSERT INTO garbage (session) VALUES (?1)")?.execute([row.id])?;
    }
    user::note_removal(file, row)
}

/// Removes a piece of what has expired by `now`, and says whether there may be more.
pub(super) fn sweep(file: &Connection, now: Timestamp) -> FileResult<bool> {
    let sql = format!("SELECT {COLUMNS} FROM session WHERE expires_at <= ?1 LIMIT {SESSIONS}");
    let expired: Vec<SessionRow> = file
        .prepare_cached(&sql)?
        .query_map([now.as_millis()], SessionRow::from_row)?
        .collect::<rusqlite::Result<_>>()?;
    for row in &expired {
        remove(file, row)?;
    }
    let forgotten = file
        .prepare_cached("DELETE FROM once WHERE (session, key) IN (SELECT session, key FROM once WHERE expires_at <= ?1 LIMIT ?2)")?
        .execute(params![now.as_millis(), PIECE])?;
    let garbage = take_out(file)?;
    Ok(garbage || forgotten > 0 || expired.len() == SESSIONS)
}

/// Removes a piece of what is left of sessions that were too large to go at once, and says whether there was any.
pub(super) fn take_out(file: &Connection) -> FileResult<bool> {
    let garbage: Option<i64> = file
        .prepare_cached("SELECT session FROM garbage LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if let Some(session) = garbage {
        let gone = file
            .prepare_cached("DELETE FROM message WHERE session = ?1 AND seq IN (SELECT seq FROM message WHERE session = ?1 LIMIT ?2)")?
            .execute(params![session, PIECE])?;
        if gone == 0 {
            file.prepare_cached("DELETE FROM once WHERE session = ?1")?.execute([session])?;
            file.prepare_cached("DELETE FROM garbage WHERE session = ?1")?.execute([session])?;
        }
    }
    Ok(garbage.is_some())
}
