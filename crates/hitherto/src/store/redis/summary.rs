//! A session's summary in its hash, and folding: the lease, the commit, and the end.
//!
//! The fields `summary` and `previous` are packed: a version, what scripts read, then the rest.
//! `docs/storage.md` has the layout.

use redis::Value;
use uuid::Uuid;

use super::RedisStore;
use super::keys::Keys;
use super::meta::{self, Folded, State, number};
use crate::store::{At, Begun, Commit, Committed, Lease, Result, StoreError, SummaryState};
use crate::summary::Summary;
use crate::time::Timestamp;

/// The version of a packed summary.
const FORMAT: u8 = 1;
/// Version, id, watermark, turns, bytes, tokens, time, whether it stands in, and the length of its maker's name.
const HEADER: usize = 1 + 16 + 5 * 6 + 1 + 2;

/// A summary as its field holds it.
fn pack(summary: &Summary) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + summary.by.len() + summary.text.len());
    out.push(FORMAT);
    out.extend_from_slice(summary.id.as_bytes());
    let made_at = number(summary.made_at.as_millis());
    for number in [summary.upto, summary.turns, summary.bytes, summary.tokens, made_at] {
        out.extend_from_slice(number.to_be_bytes().get(2..).unwrap_or_default());
    }
    out.push(summary.stand_in.into());
    let by = summary.by.as_bytes();
    let by = by.get(..usize::from(u16::MAX).min(by.len())).unwrap_or_default();
    out.extend_from_slice(&u16::try_from(by.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(by);
    out.extend_from_slice(summary.text.as_bytes());
    out
}

/// The summary that a field holds; `None` for none.
fn unpack(value: &Value, keys: &Keys) -> Result<Option<Summary>> {
    let Value::BulkString(packed) = value else {
        return Ok(None);
    };
    let what = || format!("the summary of {}", keys.shown());
    match packed.first() {
        Some(&FORMAT) => {}
        found => {
            let found = found.map_or(0, |found| u32::from(*found));
            return Err(StoreError::NewerFormat { what: what(), found, known: u32::from(FORMAT) });
        }
    }
    let read = || {
        let id = Uuid::from_slice(packed.get(1..17)?).ok()?;
        let number_at = |index: usize| -> Option<u64> {
            let bytes = packed.get(17 + index * 6..23 + index * 6)?;
            Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        };
        let by = usize::from(u16::from_be_bytes(*packed.get(48..HEADER)?.first_chunk()?));
        let (by, text) = packed.get(HEADER..)?.split_at_checked(by)?;
        Some(Summary {
            id,
            text: String::from_utf8_lossy(text).into_owned(),
            upto: number_at(0)?,
            turns: number_at(1)?,
            bytes: number_at(2)?,
            tokens: number_at(3)?,
            made_at: Timestamp::from_millis(i64::try_from(number_at(4)?).ok()?),
            stand_in: packed.get(47) == Some(&1),
            by: String::from_utf8_lossy(by).into_owned(),
        })
    };
    read().map(Some).ok_or_else(|| StoreError::Foreign { what: what(), reason: "it is damaged".to_owned() })
}

/// The fields of the hash besides the state that [`state`] reads, in order.
pub(super) const FIELDS: [&str; 3] = ["summary", "previous", "policy"];

/// What is known of the summary, from the state and the values of [`FIELDS`].
pub(super) fn state(state: &State, fields: &[Value], keys: &Keys) -> Result<SummaryState> {
    let field = |index| fields.get(index).unwrap_or(&Value::Nil);
    let Folded { turns, bytes, stale, .. } = state.folded;
    let mut current = unpack(field(0), keys)?;
    if let Some(summary) = &mut current {
        // What a maximum has removed since is no longer in the log.
        (summary.turns, summary.bytes) = (turns, bytes);
    }
    Ok(SummaryState {
        current,
        previous: unpack(field(1), keys)?,
        stale,
        policy: meta::policy(field(2)),
        turns: state.turns,
        bytes: state.bytes,
    })
}

/// How scripts are told which summary must stand there.
fn expected(id: Option<Uuid>) -> [u8; 16] {
    id.unwrap_or_default().into_bytes()
}

impl RedisStore {
    pub(super) async fn take_lease(&self, at: At<'_>, lease: &Lease, id: Option<Uuid>) -> Result<Begun> {
        let keys = Keys::new(at.key);
        let until = lease.until.as_millis().max(0);
        let reply = self
            .write(&self.scripts.begin, &keys, at.now, |command| {
                command.arg(lease.token.as_bytes()).arg(until).arg(lease.upto).arg(&expected(id));
            })
            .await?;
        match reply.word() {
            "yours" => Ok(Begun::Yours { failures: u32::try_from(reply.number(1)).unwrap_or(0) }),
            "busy" => Ok(Begun::Busy(Timestamp::from_millis(reply.number(1)))),
            "changed" => Ok(Begun::Changed),
            _ => Err(self.refusal(&keys, &reply)),
        }
    }

    pub(super) async fn commit(&self, at: At<'_>, commit: &Commit) -> Result<Committed> {
        let keys = Keys::new(at.key);
        let token = commit.lease.map(|token| token.as_bytes().to_vec()).unwrap_or_default();
        let flags = [u8::from(commit.stale), u8::try_from(commit.failures).unwrap_or(u8::MAX)];
        let summary = pack(&commit.summary);
        let previous = commit.previous.as_ref().map(pack).unwrap_or_default();
        let fill = |command: &mut redis::Cmd| {
            command.arg(2).arg(keys.log()).arg(keys.meta()).arg(&expected(commit.expected)).arg(&token);
            command.arg(&flags).arg(&summary).arg(&previous);
        };
        let reply = self.scripts.call(&self.link, &self.scripts.commit, super::Kind::Write, fill).await?;
        let reply = meta::Reply(self.link.array(reply)?);
        match reply.word() {
            "ok" => Ok(Committed::Done),
            "changed" => Ok(Committed::Changed),
            _ => Err(self.refusal(&keys, &reply)),
        }
    }

    pub(super) async fn give_lease_back(&self, at: At<'_>, token: Uuid, failed: bool) -> Result<()> {
        let keys = Keys::new(at.key);
        let fill = |command: &mut redis::Cmd| {
            command.arg(2).arg(keys.log()).arg(keys.meta()).arg(token.as_bytes()).arg(u8::from(failed));
        };
        self.scripts.call(&self.link, &self.scripts.finish, super::Kind::Write, fill).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Scope, SessionId};

    #[test]
    fn comes_back_as_it_went_in() {
        let keys = Keys::new(&Scope::default().session(&SessionId::parse("s").unwrap()));
        let summary = Summary {
            id: Uuid::now_v7(),
            text: "Zoë lives in Köln.\n日本".to_owned(),
            upto: 1 << 40,
            tokens: 12,
            by: "gpt-4o".to_owned(),
            stand_in: true,
            made_at: Timestamp::from_millis(1_763_805_600_123),
            turns: 7,
            bytes: 70_000,
        };
        let packed = pack(&summary);
        assert_eq!(unpack(&Value::BulkString(packed.clone()), &keys).unwrap(), Some(summary));
        assert_eq!(unpack(&Value::Nil, &keys).unwrap(), None);
        for length in 0..HEADER {
            assert!(unpack(&Value::BulkString(packed[..length].to_vec()), &keys).is_err(), "{length}");
        }
        let newer = Value::BulkString([&[2], &packed[1..]].concat());
        assert!(matches!(unpack(&newer, &keys), Err(StoreError::NewerFormat { found: 2, .. })));
    }
}
