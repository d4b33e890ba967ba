//! The lease of a session: who folds it, until when, and whether a message that is folded was changed.
//!
//! Invariant: the mark of a changed message is made in the transaction of the change, and stands as long as the
//! lease is the same one's.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::{Begun, FileResult, Lease, Seq, session, signed, summary};
use crate::session::SessionKey;
use crate::time::Timestamp;

/// Takes the lease, or lengthens it for who holds it.
pub(super) fn begin(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    lease: &Lease,
    expected: Option<Uuid>,
) -> FileResult<Begun> {
    let Some(row) = session::find(file, key, now)? else {
        return Ok(Begun::Changed);
    };
    if summary::current_id(file, row.id)? != expected {
        return Ok(Begun::Changed);
    }
    let held: Option<([u8; 16], i64)> = file
        .prepare_cached("SELECT token, until FROM lease WHERE session = ?1")?
        .query_row([row.id], |held| Ok((held.get(0)?, held.get(1)?)))
        .optional()?;
    let mine = held.is_some_and(|(token, _)| token == *lease.token.as_bytes());
    if let Some((_, until)) = held
        && !mine
        && until > now.as_millis()
    {
        return Ok(Begun::Busy(Timestamp::from_millis(until)));
    }
    let sql = if mine {
        "UPDATE lease SET until = ?3, upto = max(upto, ?4) WHERE session = ?1 AND token = ?2"
    } else {
        "INSERT OR REPLACE INTO lease (session, token, until, upto, changed) VALUES (?1, ?2, ?3, ?4, 0)"
    };
    file.prepare_cached(sql)?.execute(params![
        row.id,
        lease.token.as_bytes(),
        lease.until.as_millis(),
        signed(lease.upto)
    ])?;
    Ok(Begun::Yours { failures: row.folded.failures })
}

/// Whether that token holds the lease, and nothing that is folded was changed since it took it.
pub(super) fn is_good(file: &Connection, session: i64, token: Uuid) -> FileResult<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM lease WHERE session = ?1 AND token = ?2 AND changed = 0)";
    Ok(file.prepare_cached(sql)?.query_row(params![session, token.as_bytes()], |row| row.get(0))?)
}

/// Notes that the message `seq` was changed, and whether the summary covers it.
pub(super) fn note_change(file: &Connection, session: i64, seq: Seq, covered: bool) -> FileResult<()> {
    file.prepare_cached("UPDATE lease SET changed = 1 WHERE session = ?1 AND (?3 OR upto >= ?2)")?
        .execute(params![session, signed(seq), covered])?;
    Ok(())
}

/// Gives the lease back, if that token holds it, and counts a failure.
pub(super) fn end(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    token: Uuid,
    failed: bool,
) -> FileResult<()> {
    let Some(mut row) = session::find(file, key, now)? else {
        return Ok(());
    };
    let given = file
        .prepare_cached("DELETE FROM lease WHERE session = ?1 AND token = ?2")?
        .execute(params![row.id, token.as_bytes()])?;
    if given > 0 && failed {
        row.folded.failures = row.folded.failures.saturating_add(1);
        row.folded.save(file, row.id)?;
    }
    Ok(())
}
