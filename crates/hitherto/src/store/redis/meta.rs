//! What stands in a session's hash, and in the answers of scripts.

use std::time::Duration;

use bytes::Bytes;
use redis::{Pipeline, Value};

use super::keys::Keys;
use super::link::{Kind, Link};
use crate::record::{FORMAT, Record};
use crate::store::{Description, Entry, Result, StoreError};
use crate::time::Timestamp;
use crate::ttl::{Restart, Ttl};

/// The fields of the hash that a description needs, in the order in which [`Fields`] reads them.
pub(crate) const FIELDS: [&str; 12] =
    ["v", "base", "last", "dead", "turns", "bytes", "made", "used", "ttl", "restart", "max", "metadata"];

/// A number that cannot be negative.
pub(super) fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// An answer's bytes as a number; 0 where there is none.
pub(super) fn integer(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        // Lua writes large numbers as floating-point ones.
        Value::BulkString(text) => std::str::from_utf8(text).ok().map_or(0, parse_integer),
        _ => 0,
    }
}

fn parse_integer(text: &str) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "counts and times are far below 2^53")]
    text.parse().unwrap_or_else(|_| text.parse::<f64>().map_or(0, |number| number as i64))
}

/// The answer of a script: a word, and what comes with it.
pub(super) struct Reply(pub(super) Vec<Value>);

impl Reply {
    pub(super) fn word(&self) -> &str {
        std::str::from_utf8(self.bytes(0)).unwrap_or_default()
    }

    pub(super) fn number(&self, index: usize) -> i64 {
        self.0.get(index).map_or(0, integer)
    }

    pub(super) fn bytes(&self, index: usize) -> &[u8] {
        match self.0.get(index) {
            Some(Value::BulkString(bytes)) => bytes,
            _ => &[],
        }
    }

    /// The places that follow the word, newest first in the answer, oldest first here.
    pub(super) fn entries(self) -> Vec<Entry> {
        let mut values = self.0.into_iter().skip(1);
        let mut entries = Vec::new();
        while let (Some(seq), Some(record)) = (values.next(), values.next()) {
            entries.push(Entry { seq: number(integer(&seq)), record: decode(record) });
        }
        entries.reverse();
        entries
    }
}

/// The record that an element of the list is.
pub(super) fn decode(value: Value) -> std::result::Result<Record, crate::record::Unreadable> {
    match value {
        Value::BulkString(bytes) => Record::decode(&Bytes::from(bytes)),
        _ => Err(crate::record::Unreadable::Foreign),
    }
}

/// The hash, in parts.
pub(super) struct Fields(Vec<Value>);

impl Fields {
    /// Reads an answer to `HMGET` of [`FIELDS`] or of its first fields; `None` if there is no session.
    pub(super) fn read(values: Vec<Value>, keys: &Keys) -> Result<Option<Self>> {
        let found = match values.first() {
            None | Some(Value::Nil) => return Ok(None),
            Some(version) => integer(version),
        };
        if found != i64::from(FORMAT) {
            return Err(StoreError::NewerFormat {
                what: format!("the session {}", keys.shown()),
                found: u32::try_from(found).unwrap_or(u32::MAX),
                known: u32::from(FORMAT),
            });
        }
        Ok(Some(Self(values)))
    }

    fn at(&self, index: usize) -> u64 {
        number(self.0.get(index).map_or(0, integer))
    }

    fn text(&self, index: usize) -> Option<String> {
        match self.0.get(index) {
            Some(Value::BulkString(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    fn time(&self, index: usize) -> Timestamp {
        Timestamp::from_millis(self.0.get(index).map_or(0, integer))
    }

    pub(super) fn base(&self) -> u64 {
        self.at(1)
    }

    pub(super) fn deleted(&self) -> u64 {
        self.at(3)
    }

    /// The time to live, of fields in the order of [`FIELDS`].
    fn ttl(&self) -> Option<Ttl> {
        let length = Ttl::new(Duration::from_millis(self.at(8))).ok()?;
        Some(length.restarted_by(Restart::parse(&self.text(9).unwrap_or_default())))
    }

    /// The description, with the length of the list and what is left of the time to live in ms.
    pub(super) fn describe(&self, length: u64, left_ms: i64, now: Timestamp) -> Description {
        let base = self.base();
        Description {
            messages: length.saturating_sub(self.deleted()),
            turns: self.at(4),
            deleted: self.deleted(),
            first_seq: base + 1,
            last_seq: base + length,
            bytes: self.at(5),
            created_at: self.time(6),
            updated_at: self.time(7),
            ttl: self.ttl(),
            expires_at: (left_ms >= 0).then(|| now.plus_millis(left_ms)),
            max_messages: self.text(10).map(|_| self.at(10)),
            metadata: self.text(11),
        }
    }
}

/// Adds to a pipeline what [`describe_answers`] reads.
pub(super) fn ask_description(pipeline: &mut Pipeline, keys: &Keys) {
    pipeline.cmd("HMGET").arg(keys.meta()).arg(&FIELDS[..]);
    pipeline.cmd("LLEN").arg(keys.log());
    pipeline.cmd("PTTL").arg(keys.meta());
}

/// The description in the three answers to [`ask_description`]; `None` if there is no session.
pub(super) fn describe_answers(
    link: &Link,
    keys: &Keys,
    now: Timestamp,
    answers: &mut impl Iterator<Item = Value>,
) -> Result<Option<Description>> {
    let mut next = || answers.next().unwrap_or(Value::Nil);
    let (fields, length, left) = (next(), next(), next());
    let fields = Fields::read(link.array(link.checked(fields)?)?, keys)?;
    let (length, left) = (integer(&link.checked(length)?), integer(&link.checked(left)?));
    Ok(fields.map(|fields| fields.describe(number(length), left, now)))
}

/// What is known of a session.
pub(super) async fn describe(link: &Link, keys: &Keys, now: Timestamp) -> Result<Option<Description>> {
    let mut pipeline = Pipeline::with_capacity(5);
    pipeline.atomic();
    ask_description(&mut pipeline, keys);
    let answers = link.transact(Kind::Repeatable, &pipeline).await?;
    describe_answers(link, keys, now, &mut answers.into_iter())
}
