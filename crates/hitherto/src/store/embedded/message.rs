//! A message's row: the record in columns, so that a person with a stock tool can read it.

use bytes::Bytes;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{Entry, FileResult, Seq, signed, unsigned};
use crate::message::{Message, Role};
use crate::record::{Record, Unreadable};
use crate::time::Timestamp;

/// The columns of a message, in the order in which [`entry`] reads them.
pub(super) const COLUMNS: &str = "seq, role, dialect, own, id, created_at, edited_at, json";

const OWN_ID: i64 = 1;
const OWN_TIME: i64 = 2;

/// Writes a record to its place, over what stands there.
pub(super) fn put(file: &Connection, session: i64, seq: Seq, record: &Record) -> FileResult<()> {
    let message = record.message.as_ref();
    let own = i64::from(message.is_some_and(Message::has_own_id)) * OWN_ID
        + i64::from(message.is_some_and(Message::has_own_time)) * OWN_TIME;
    file.prepare_cached(
        "INSERT OR REPLACE INTO message (session, seq, role, dialect, own, id, created_at, edited_at, json)
         VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        session,
        signed(seq),
        record.role.as_str(),
        own,
        record.id.as_bytes(),
        record.created_at.as_millis(),
        record.edited_at.map(Timestamp::as_millis),
        message.map(Message::json),
    ])?;
    Ok(())
}

/// One place of a session, whatever stands there.
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry { seq: unsigned(row.get(0)?), record: record(row) })
}

fn record(row: &Row<'_>) -> Result<Record, Unreadable> {
    fn damaged<T>(_: T) -> Unreadable {
        Unreadable::Damaged
    }
    if row.get::<_, i64>(2).map_err(damaged)? != 0 {
        return Err(Unreadable::Newer);
    }
    let role: String = row.get(1).map_err(damaged)?;
    let role = Role::parse(&role).ok_or(Unreadable::Damaged)?;
    let own: i64 = row.get(3).map_err(damaged)?;
    let id: [u8; 16] = row.get(4).map_err(damaged)?;
    let message = match row.get_ref(7).map_err(damaged)? {
        ValueRef::Null => None,
        ValueRef::Text(json) => Some(read_json(json, role, own)?),
        _ => return Err(Unreadable::Damaged),
    };
    Ok(Record {
        id: Uuid::from_bytes(id),
        created_at: Timestamp::from_millis(row.get(5).map_err(damaged)?),
        edited_at: row.get::<_, Option<i64>>(6).map_err(damaged)?.map(Timestamp::from_millis),
        role,
        message,
    })
}

/// The rows are open to every tool, so what stands in one is looked at before it is spliced into an answer.
fn read_json(json: &[u8], role: Role, own: i64) -> Result<Message, Unreadable> {
    let object = json.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok();
    if !object {
        return Err(Unreadable::Damaged);
    }
    Ok(Message::stored(role, Bytes::copy_from_slice(json), own & OWN_ID != 0, own & OWN_TIME != 0))
}

/// The places of a session, newest first.
pub(super) fn newest_first<T>(
    file: &Connection,
    session: i64,
    each: impl FnMut(rusqlite::Result<Entry>) -> Option<FileResult<T>>,
) -> FileResult<Vec<T>> {
    let sql = format!("SELECT {COLUMNS} FROM message WHERE session = ?1 ORDER BY seq DESC");
    let mut statement = file.prepare_cached(&sql)?;
    statement.query_map([session], entry)?.map_while(each).collect()
}
