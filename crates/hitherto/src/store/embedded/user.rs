//! Whose a session is, and erasing all that a user has.
//!
//! Invariant: a session's user is set once, in the transaction of the append that names it. What was removed of a session
//! that has a user is noted in `unscrubbed` in the same transaction, and stands there until the file was written anew: so
//! an erasure that is cut off in the middle is known not to be whole.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::session::{COLUMNS, SessionRow};
use super::{FileError, FileResult, StoreError, sweep, unsigned};
use crate::session::{Tenant, UserId};
use crate::store::{Counted, Erased, Mark};
use crate::time::Timestamp;

/// How many sessions a piece of an erasure removes.
const SESSIONS: usize = 100;
/// After how many places a piece has enough.
const PLACES: u64 = 10_000;
/// How many sessions are counted at a time.
const COUNTED: usize = 1_000;

/// Gives a session its user, and says whether that is new.
pub(super) fn claim(row: &mut SessionRow, user: Option<&UserId>) -> FileResult<bool> {
    match (user, &row.user) {
        (Some(user), Some(of)) if user != of => Err(FileError::Store(StoreError::UserMismatch)),
        (Some(user), None) => {
            row.user = Some(user.clone());
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Writes a session's user, which a row is seldom given.
pub(super) fn save(file: &Connection, row: &SessionRow) -> FileResult<()> {
    let user = row.user.as_ref().map(UserId::as_str);
    file.prepare_cached("UPDATE session SET user = ?2 WHERE id = ?1")?.execute(params![row.id, user])?;
    Ok(())
}

/// Notes that something of a session was removed, of which parts may stay legible in unused places of the file.
pub(super) fn note_removal(file: &Connection, row: &SessionRow) -> FileResult<()> {
    if row.user.is_some() {
        file.prepare_cached("INSERT OR IGNORE INTO unscrubbed (file) VALUES (1)")?.execute([])?;
    }
    Ok(())
}

/// Removes a piece of what a user has, and what is left of large sessions that were removed before.
pub(super) fn erase(file: &Connection, tenant: &Tenant, user: &UserId, now: Timestamp) -> FileResult<Erased> {
    let sql = format!("SELECT {COLUMNS} FROM session WHERE tenant = ?1 AND user = ?2 LIMIT {SESSIONS}");
    let found: Vec<SessionRow> = file
        .prepare_cached(&sql)?
        .query_map([tenant.as_str(), user.as_str()], SessionRow::from_row)?
        .collect::<rusqlite::Result<_>>()?;
    let (mut erased, mut places) = (Erased::default(), 0);
    for row in &found {
        sweep::remove(file, row)?;
        // One that has ended is gone already for everybody; only its rows were still there.
        if row.expires_at.is_none_or(|end| end > now) {
            erased.sessions += 1;
            erased.messages += row.held();
            erased.bytes += row.bytes;
        }
        places += row.last - row.base.min(row.last);
        if places >= PLACES {
            break;
        }
    }
    let left: i64 = file
        .prepare_cached("SELECT count(*) FROM session WHERE tenant = ?1 AND user = ?2")?
        .query_row([tenant.as_str(), user.as_str()], |row| row.get(0))?;
    erased.left = unsigned(left);
    if !found.is_empty() || sweep::take_out(file)? {
        erased.next = Some(Mark::default());
    }
    Ok(erased)
}

/// Whether something that was removed may still be legible in the file.
pub(super) fn is_unscrubbed(file: &Connection) -> FileResult<bool> {
    Ok(file.query_row("SELECT EXISTS (SELECT 1 FROM unscrubbed)", [], |row| row.get(0))?)
}

/// Writes the file anew, so that nothing that was removed is left in it nor in the journal beside it: where rows were
/// moved between pages SQLite leaves copies behind, also with `secure_delete`. Says whether that is done; it is not while
/// somebody still reads what was there before.
pub(super) fn scrub(file: &Connection) -> FileResult<bool> {
    // In place of what is noted stands a note of its own: so what another process notes meanwhile stays noted.
    let notes = Transaction::new_unchecked(file, TransactionBehavior::Immediate)?;
    notes.execute("DELETE FROM unscrubbed", [])?;
    let sql = "INSERT INTO unscrubbed (file) VALUES (random()) RETURNING file";
    let note: i64 = notes.query_row(sql, [], |row| row.get(0))?;
    notes.commit()?;
    file.execute_batch("VACUUM")?;
    let waits: i64 = file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if waits != 0 {
        return Ok(false);
    }
    file.execute("DELETE FROM unscrubbed WHERE file = ?1", [note])?;
    Ok(true)
}

/// Counts a piece of a tenant's sessions, in the order of their names.
pub(super) fn count(file: &Connection, tenant: &Tenant, now: Timestamp, from: &Mark) -> FileResult<Counted> {
    let sql = format!(
        "SELECT {COLUMNS}, memory_key FROM session
         WHERE tenant = ?1 AND (memory_key, name) > (?2, ?3) ORDER BY memory_key, name LIMIT {COUNTED}"
    );
    let (memory_key, name) = place(&from.0).unwrap_or_default();
    let mut statement = file.prepare_cached(&sql)?;
    let mut rows = statement.query([tenant.as_str(), memory_key, name])?;
    let (mut counted, mut seen) = (Counted::default(), 0);
    while let Some(found) = rows.next()? {
        seen += 1;
        let row = SessionRow::from_row(found)?;
        if row.expires_at.is_none_or(|end| end > now) {
            counted.sessions += 1;
            counted.messages += row.held();
            counted.bytes += row.bytes;
        }
        if seen == COUNTED {
            let memory_key: String = found.get("memory_key")?;
            let name: String = found.get("name")?;
            counted.next = Some(Mark(format!("{}:{memory_key}{name}", memory_key.len())));
        }
    }
    Ok(counted)
}

/// The memory key and the session after which counting goes on.
fn place(mark: &str) -> Option<(&str, &str)> {
    let (length, names) = mark.split_once(':')?;
    names.split_at_checked(length.parse().ok()?)
}
