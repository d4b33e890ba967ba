//! The list of sessions, newest activity first.

use rusqlite::{Connection, params};

use super::session::{COLUMNS, SessionRow};
use super::{FileResult, SessionPage, SessionQuery};
use crate::session::{Scope, SessionId};
use crate::store::{Listed, Place};
use crate::time::Timestamp;

/// A page of it.
pub(super) fn page(
    file: &Connection,
    scope: &Scope,
    now: Timestamp,
    query: &SessionQuery,
) -> FileResult<SessionPage> {
    // A statement of its own, so that each has the index that it needs.
    let of_user = if query.user.is_some() { "AND user = ?9" } else { "AND ?9 IS NULL" };
    // Prefixes are compared as bytes: text functions of SQLite stop at a NUL.
    let sql = format!(
        "SELECT {COLUMNS} FROM session
         WHERE tenant = ?1 AND memory_key = ?2
           AND (expires_at IS NULL OR expires_at > ?3)
           AND substr(CAST(name AS BLOB), 1, ?4) = ?5
           AND (?6 IS NULL OR (updated_at, name) < (?6, ?7)) {of_user}
         ORDER BY updated_at DESC, name DESC LIMIT ?8"
    );
    let after = query.after.as_ref();
    let mut statement = file.prepare_cached(&sql)?;
    let rows = statement.query_map(
        params![
            scope.tenant.as_str(),
            scope.memory_key.as_str(),
            now.as_millis(),
            super::signed(query.prefix.len() as u64),
            query.prefix.as_bytes(),
            after.map(|place| place.active_at.as_millis()),
            after.map(|place| place.session.as_str()),
            i64::from(query.limit) + 1,
            query.user.as_ref().map(|user| user.as_str()),
        ],
        |row| Ok((SessionRow::from_row(row)?, row.get::<_, String>("name")?)),
    )?;
    let mut page = SessionPage::default();
    for row in rows {
        let (row, name) = row?;
        let Ok(session) = SessionId::parse(&name) else {
            continue;
        };
        if page.sessions.len() >= query.limit as usize {
            page.next = page.sessions.last().map(|listed: &Listed| Place {
                active_at: listed.description.updated_at,
                session: listed.session.clone(),
            });
            break;
        }
        page.sessions.push(Listed { session, description: row.description() });
    }
    Ok(page)
}

/// How many there are.
pub(super) fn count(file: &Connection, scope: &Scope, now: Timestamp) -> FileResult<u64> {
    let sql = "SELECT count(*) FROM session
         WHERE tenant = ?1 AND memory_key = ?2 AND (expires_at IS NULL OR expires_at > ?3)";
    let count = file
        .prepare_cached(sql)?
        .query_row(params![scope.tenant.as_str(), scope.memory_key.as_str(), now.as_millis()], |row| {
            row.get(0)
        })?;
    Ok(super::unsigned(count))
}
