//! The due-list: sessions that somebody has to look at, in the order in which they are due.
//!
//! Invariant: while a session is claimed, it is given to nobody else, and is due when the claim ends; what marks
//! it meanwhile stands beside the claim, and becomes when it is due once the claim is settled.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Claim, Due, FileResult, session};
use crate::session::{MemoryKey, Scope, SessionId, SessionKey, Tenant};
use crate::time::Timestamp;

/// Puts a session on the list, or makes it due sooner. Nothing is written where it changes nothing.
pub(super) fn mark(file: &Connection, session: i64, due: Timestamp) -> FileResult<()> {
    file.prepare_cached(
        "INSERT INTO due (session, due_at) VALUES (?1, ?2)
         ON CONFLICT (session) DO UPDATE SET
            due_at = iif(claimed_until IS NULL, excluded.due_at, due_at),
            marked_at = iif(claimed_until IS NULL, NULL, excluded.due_at)
         WHERE excluded.due_at < iif(claimed_until IS NULL, due_at, coalesce(marked_at, excluded.due_at + 1))",
    )?
    .execute(params![session, due.as_millis()])?;
    Ok(())
}

/// Puts a session on the list if it exists: for one that does not, there is nothing to do.
pub(super) fn mark_key(file: &Connection, key: &SessionKey, due: Timestamp) -> FileResult<()> {
    match session::find_any(file, key)? {
        Some(row) => mark(file, row.id, due),
        None => Ok(()),
    }
}

/// Whether anything is due.
pub(super) fn any(file: &Connection, now: Timestamp) -> FileResult<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM due WHERE due_at <= ?1)";
    Ok(file.prepare_cached(sql)?.query_row([now.as_millis()], |row| row.get(0))?)
}

/// What is due by `now` and claimed by nobody.
pub(super) fn waiting(file: &Connection, now: Timestamp) -> FileResult<Due> {
    let sql = "SELECT count(*), min(due_at) FROM due WHERE due_at <= ?1 AND claimed_until IS NULL";
    let (sessions, oldest): (i64, Option<i64>) =
        file.prepare_cached(sql)?.query_row([now.as_millis()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Due { sessions: super::unsigned(sessions), oldest: oldest.map(Timestamp::from_millis) })
}

/// Takes what is due, longest due first.
pub(super) fn claim(
    file: &Connection,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> FileResult<Vec<Claim>> {
    let mut statement = file.prepare_cached(
        "SELECT due.session, tenant, memory_key, name FROM due JOIN session ON session.id = due.session
         WHERE due_at <= ?1 ORDER BY due_at, due.session LIMIT ?2",
    )?;
    let found = statement.query_map(params![now.as_millis(), limit], |row| {
        Ok((row.get::<_, i64>(0)?, [row.get::<_, String>(1)?, row.get(2)?, row.get(3)?]))
    })?;
    let found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
    let mut claims = Vec::with_capacity(found.len());
    for (session, names) in found {
        file.prepare_cached(
            "UPDATE due SET due_at = ?2, claimed_until = ?2, marked_at = NULL WHERE session = ?1",
        )?
        .execute(params![session, until.as_millis()])?;
        claims.extend(key(&names).map(|key| Claim { key, until }));
    }
    Ok(claims)
}

/// A session's names as they stand in its row.
fn key([tenant, memory_key, name]: &[String; 3]) -> Option<SessionKey> {
    let (tenant, memory_key) = (Tenant::parse(tenant).ok()?, MemoryKey::parse(memory_key).ok()?);
    Some(Scope { tenant, memory_key }.session(&SessionId::parse(name).ok()?))
}

/// Ends a claim, if it is still that one.
pub(super) fn settle(file: &Connection, claim: &Claim, again: Option<Timestamp>) -> FileResult<()> {
    let Some(row) = session::find_any(file, &claim.key)? else {
        return Ok(());
    };
    let marked: Option<Option<i64>> = file
        .prepare_cached("SELECT marked_at FROM due WHERE session = ?1 AND claimed_until = ?2")?
        .query_row(params![row.id, claim.until.as_millis()], |found| found.get(0))
        .optional()?;
    let Some(marked) = marked else {
        return Ok(());
    };
    match marked.or(again.map(Timestamp::as_millis)) {
        None => file.prepare_cached("DELETE FROM due WHERE session = ?1")?.execute([row.id])?,
        Some(due) => file
            .prepare_cached(
                "UPDATE due SET due_at = ?2, claimed_until = NULL, marked_at = NULL WHERE session = ?1",
            )?
            .execute(params![row.id, due])?,
    };
    Ok(())
}
