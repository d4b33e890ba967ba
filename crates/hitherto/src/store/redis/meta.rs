//! What stands in a session's hash, and in the answers of scripts.

use std::time::Duration;

use bytes::Bytes;
use redis::{Pipeline, Value};

use super::keys::Keys;
use super::link::{Kind, transaction};
use super::route::Route;
use crate::record::Record;
use crate::store::{Description, Result, Seq, StoreError};
use crate::summary::PolicyChange;
use crate::time::Timestamp;
use crate::ttl::{Restart, Ttl};

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
}

/// The record that an element of the list is.
pub(super) fn decode(value: Value) -> std::result::Result<Record, crate::record::Unreadable> {
    match value {
        Value::BulkString(bytes) => Record::decode(Bytes::from(bytes)),
        _ => Err(crate::record::Unreadable::Foreign),
    }
}

/// How a state names what restarts a session's clock.
pub(super) const fn restart_code(restart: Restart) -> u8 {
    match restart {
        Restart::Write => 1,
        Restart::Read => 2,
        Restart::Never => 3,
    }
}

/// The version of a session's state that the scripts write, and the newest that they read.
pub(super) const STATE_FORMAT: u8 = 2;

/// What the field `state` of the hash says; `docs/storage.md` has its layout, and the scripts write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) base: u64,
    pub(super) deleted: u64,
    pub(super) turns: u64,
    pub(super) bytes: u64,
    made: Timestamp,
    used: Timestamp,
    pub(super) ttl: Option<Ttl>,
    max: Option<u64>,
    pub(super) folded: Folded,
}

/// What a state says of the session's summary; all zeroes without one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) upto: Seq,
    pub(super) turns: u64,
    pub(super) bytes: u64,
    pub(super) stale: bool,
}

impl State {
    /// Reads the answer to `HGET meta state`; `None` if there is no session.
    pub(super) fn read(value: &Value, keys: &Keys) -> Result<Option<Self>> {
        let Value::BulkString(packed) = value else {
            return Ok(None);
        };
        let what = || format!("the session {}", keys.shown());
        match packed.first() {
            Some(1..=STATE_FORMAT) => {}
            found => {
                let found = found.map_or(0, |found| u32::from(*found));
                return Err(StoreError::NewerFormat { what: what(), found, known: u32::from(STATE_FORMAT) });
            }
        }
        Self::unpack(packed)
            .map(Some)
            .ok_or_else(|| StoreError::Foreign { what: what(), reason: "its state is damaged".to_owned() })
    }

    fn unpack(packed: &[u8]) -> Option<Self> {
        let restart = *packed.get(1)?;
        let number_at = |at: usize| {
            let bytes = packed.get(at..at + 6).unwrap_or_default();
            bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let numbers: [u64; 9] = std::array::from_fn(|index| number_at(2 + index * 6));
        // What is left out here only scripts read.
        let folded = match (packed.first(), packed.len()) {
            (Some(1), 60) => Folded::default(),
            (Some(2), 116) => Folded {
                upto: number_at(76),
                turns: number_at(82),
                bytes: number_at(88),
                stale: packed.get(94).is_some_and(|flags| flags % 2 == 1),
            },
            _ => return None,
        };
        let [base, _last, turns, deleted, bytes, made, used, ttl, max] = numbers;
        let time = |number| Timestamp::from_millis(i64::try_from(number).unwrap_or(i64::MAX));
        let restart = [Restart::Read, Restart::Never]
            .into_iter()
            .find(|by| restart_code(*by) == restart)
            .unwrap_or_default();
        Some(Self {
            base,
            deleted,
            turns,
            bytes,
            made: time(made),
            used: time(used),
            ttl: Ttl::new(Duration::from_millis(ttl)).ok().map(|ttl| ttl.restarted_by(restart)),
            max: (max > 0).then_some(max),
            folded,
        })
    }

    /// The description, with the length of the list and what is left of the time to live in ms.
    fn describe(&self, length: u64, left_ms: i64, texts: Texts, now: Timestamp) -> Description {
        Description {
            messages: length.saturating_sub(self.deleted),
            turns: self.turns,
            deleted: self.deleted,
            first_seq: self.base + 1,
            last_seq: self.base + length,
            bytes: self.bytes,
            created_at: self.made,
            updated_at: self.used,
            ttl: self.ttl,
            expires_at: (left_ms >= 0).then(|| now.plus_millis(left_ms)),
            max_messages: self.max,
            metadata: texts.metadata,
            policy: texts.policy,
            summary_upto: self.folded.upto,
            summary_stale: self.folded.stale,
        }
    }
}

/// The fields of the hash that a description reads besides the state.
struct Texts {
    metadata: Option<String>,
    policy: PolicyChange,
}

/// The policy that the field `policy` says; none of its own where there is none, or a newer one.
pub(super) fn policy(value: &Value) -> PolicyChange {
    match value {
        Value::BulkString(json) => serde_json::from_slice(json).unwrap_or_default(),
        _ => PolicyChange::default(),
    }
}

/// Adds to a pipeline what [`describe_answers`] reads.
pub(super) fn ask_description(pipeline: &mut Pipeline, keys: &Keys) {
    pipeline.cmd("HMGET").arg(keys.meta()).arg(&["state", "metadata", "policy"]);
    pipeline.cmd("LLEN").arg(keys.log());
    pipeline.cmd("PTTL").arg(keys.meta());
}

/// The description in the three answers to [`ask_description`]; `None` if there is no session.
pub(super) fn describe_answers(
    link: &Route,
    keys: &Keys,
    now: Timestamp,
    answers: &mut impl Iterator<Item = Value>,
) -> Result<Option<Description>> {
    let mut next = || answers.next().unwrap_or(Value::Nil);
    let (fields, length, left) = (next(), next(), next());
    let mut fields = link.array(link.checked(fields)?)?.into_iter();
    let state = State::read(&fields.next().unwrap_or(Value::Nil), keys)?;
    let metadata = match fields.next() {
        Some(Value::BulkString(text)) => String::from_utf8(text).ok(),
        _ => None,
    };
    let texts = Texts { metadata, policy: policy(&fields.next().unwrap_or(Value::Nil)) };
    let (length, left) = (integer(&link.checked(length)?), integer(&link.checked(left)?));
    Ok(state.map(|state| state.describe(number(length), left, texts, now)))
}

/// What is known of a session.
pub(super) async fn describe(link: &Route, keys: &Keys, now: Timestamp) -> Result<Option<Description>> {
    let mut pipeline = transaction();
    ask_description(&mut pipeline, keys);
    let answers = link.transact(Kind::Read, pipeline).await?;
    describe_answers(link, keys, now, &mut answers.into_iter())
}
