//! The hash that the OpenAI Agents SDK keeps beside its list: which session, when it began, when it was written to.
//!
//! Invariant: the session itself says it; nothing is stored twice, so what a client writes to the hash is taken for
//! said and changes nothing.

use bytes::Bytes;
use hitherto::Description;

use super::command::{Command, wrong_number};
use super::profile::Part;
use super::read::Outcome;
use super::table::Op;
use super::{Client, Keyspace, Reply, errors};

const FIELDS: [&str; 3] = ["session_id", "created_at", "updated_at"];

/// Whether a command that sets fields sets only those that are kept.
pub(super) fn is_known(command: &Command) -> bool {
    let pairs = command.rest(2);
    !pairs.is_empty()
        && pairs.len().is_multiple_of(2)
        && pairs.iter().step_by(2).all(|field| FIELDS.iter().any(|known| known.as_bytes() == &**field))
}

impl Keyspace {
    pub(super) async fn hash(&self, client: &Client, op: Op, command: &Command) -> Outcome {
        let place = self.place(client, command.word(1))?;
        let found = match place.part {
            Part::Nothing => None,
            Part::Fields => self.describe(&place.session).await?,
            Part::Messages => {
                let list = self.describe(&place.session).await?;
                if list.is_some() || matches!(op, Op::HSet | Op::HSetNx) {
                    return Err(errors::wrong_type());
                }
                None
            }
        };
        let session = place.session.as_str();
        let value = |field: &[u8]| found.as_ref().and_then(|found| value(session, found, field));
        let bulk = |value: Option<String>| value.map_or(Reply::Null, |value| Reply::Bulk(Bytes::from(value)));
        let there = found.is_some();
        let pairs = || FIELDS.iter().filter_map(|field| Some((*field, value(field.as_bytes())?)));
        Ok(match op {
            Op::HGet => bulk(value(command.word(2))),
            Op::HMGet => Reply::List(command.rest(2).iter().map(|field| bulk(value(field))).collect()),
            Op::HGetAll => Reply::Map(
                pairs().map(|(field, value)| (Reply::text(field), Reply::Bulk(Bytes::from(value)))).collect(),
            ),
            Op::HKeys => Reply::List(pairs().map(|(field, _)| Reply::text(field)).collect()),
            Op::HVals => Reply::List(pairs().map(|(_, value)| Reply::Bulk(Bytes::from(value))).collect()),
            Op::HLen => Reply::Int(if there { 3 } else { 0 }),
            Op::HExists => Reply::flag(value(command.word(2)).is_some()),
            Op::HSet if command.rest(2).len() % 2 == 1 => return Err(wrong_number("hset")),
            Op::HSet | Op::HSetNx if !is_known(command) => {
                return Err(Reply::error(
                    "ERR of this hash only session_id, created_at and updated_at are kept, as the session has them",
                ));
            }
            Op::HSet | Op::HSetNx if there => Reply::Int(0),
            Op::HSet | Op::HSetNx => Reply::count(command.rest(2).len() as u64 / 2),
            _ => {
                return Err(Reply::error(
                    "ERR the fields of this hash are the session's own; DEL removes the session",
                ));
            }
        })
    }
}

fn value(session: &str, found: &Description, field: &[u8]) -> Option<String> {
    let secs = |time: hitherto::Timestamp| time.as_millis().div_euclid(1000).to_string();
    match field {
        b"session_id" => Some(session.to_owned()),
        b"created_at" => Some(secs(found.created_at)),
        b"updated_at" => Some(secs(found.updated_at)),
        _ => None,
    }
}
