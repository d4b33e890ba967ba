//! A message's row: the record in columns, so that a person with a stock tool can read it.

use std::borrow::Cow;

use bytes::Bytes;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{Entry, FileResult, Seq, signed, unsigned};
use crate::dialect::Dialect;
use crate::message::{Flags, ListEnd, Message, Role};
use crate::record::{Record, Unreadable};
use crate::time::Timestamp;

/// The columns of a message, in the order in which [`entry`] reads them.
pub(super) const COLUMNS: &str = "seq, role, dialect, own, id, created_at, edited_at, json";

const OWN_ID: i64 = 1;
const OWN_TIME: i64 = 2;
const AT_HEAD: i64 = 4;
const AT_TAIL: i64 = 8;
/// In the column of dialects: bytes that are no text, as hexadecimal digits.
const OPAQUE_HEX: i64 = 256;

/// Writes a record to its place, over what stands there.
pub(super) fn put(file: &Connection, session: i64, seq: Seq, record: &Record) -> FileResult<()> {
    let message = record.message.as_ref();
    let flags = message.map(Message::flags).unwrap_or_default();
    let own = i64::from(flags.own_id) * OWN_ID
        + i64::from(flags.own_time) * OWN_TIME
        + i64::from(flags.pushed == Some(ListEnd::Head)) * AT_HEAD
        + i64::from(flags.pushed == Some(ListEnd::Tail)) * AT_TAIL;
    let (dialect, text) =
        match message.map(|message| (message.dialect(), std::str::from_utf8(message.payload()))) {
            None => (0, None),
            Some((dialect, Ok(text))) => (i64::from(dialect.code()), Some(Cow::Borrowed(text))),
            Some((_, Err(_))) => (OPAQUE_HEX, message.map(|message| Cow::Owned(hex(message.payload())))),
        };
    file.prepare_cached(
        "INSERT OR REPLACE INTO message (session, seq, role, dialect, own, id, created_at, edited_at, json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        session,
        signed(seq),
        record.role.as_str(),
        dialect,
        own,
        record.id.as_bytes(),
        record.created_at.as_millis(),
        record.edited_at.map(Timestamp::as_millis),
        text,
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
    let dialect: i64 = row.get(2).map_err(damaged)?;
    let role: String = row.get(1).map_err(damaged)?;
    let role = Role::parse(&role).ok_or(Unreadable::Damaged)?;
    let own: i64 = row.get(3).map_err(damaged)?;
    let id: [u8; 16] = row.get(4).map_err(damaged)?;
    let message = match row.get_ref(7).map_err(damaged)? {
        ValueRef::Null => None,
        ValueRef::Text(json) => Some(read_payload(json, role, dialect, own)?),
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
fn read_payload(text: &[u8], role: Role, dialect: i64, own: i64) -> Result<Message, Unreadable> {
    let flags = Flags {
        own_id: own & OWN_ID != 0,
        own_time: own & OWN_TIME != 0,
        pushed: if own & AT_HEAD != 0 {
            Some(ListEnd::Head)
        } else {
            (own & AT_TAIL != 0).then_some(ListEnd::Tail)
        },
    };
    if dialect == OPAQUE_HEX {
        let bytes = unhex(text).ok_or(Unreadable::Damaged)?;
        return Ok(Message::stored(role, Dialect::Opaque, bytes.into(), flags));
    }
    let dialect = u8::try_from(dialect).ok().and_then(Dialect::from_code).ok_or(Unreadable::Newer)?;
    let object = || text.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
    if dialect == Dialect::Hitherto && !object() {
        return Err(Unreadable::Damaged);
    }
    Ok(Message::stored(role, dialect, Bytes::copy_from_slice(text), flags))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let digits: Vec<u32> = text.chars().map(|char| char.to_digit(16)).collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
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
