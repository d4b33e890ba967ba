//! Noticing that the server has lost its memory: it was flushed, or started again without its data.
//!
//! What is lost cannot be asked for, so something has to be there that nothing removes: a *witness*, a hash with an id
//! of its own, one for each sixteenth of the sessions. As long as a process finds it with the id that it knows, the
//! server has kept its memory; a session that begins anew then was cleared or has ended. An id that is another one
//! says that everything is gone, and since when, to whoever runs `hitherto doctor` later as well.
//!
//! Invariant: looking is no part of any call's success, and costs a round trip a minute for a sixteenth of the
//! sessions; it is done at once where a session that this process has written to begins anew.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use redis::{Cmd, Pipeline, Value};
use uuid::Uuid;

use super::link::Kind;
use super::{RedisStore, keys};
use crate::session::SessionKey;
use crate::store::{Finding, Severity};
use crate::time::Timestamp;

/// How often a witness is looked at.
const EVERY_MS: i64 = 60_000;
/// How long a loss is a warning of `doctor`.
const REMEMBERED_MS: i64 = 7 * 24 * 3600 * 1000;

/// What this process knows of the witnesses.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    all: [Witness; keys::LISTS as usize],
    /// When a loss was told last; all witnesses tell of the same one.
    told: AtomicI64,
}

#[derive(Debug, Default)]
struct Witness {
    /// When it was looked at last.
    looked: AtomicI64,
    /// Its id, once it is known.
    id: Mutex<Option<Vec<u8>>>,
}

impl Witnesses {
    /// Whether it is time to look at a witness, and if so notes that it was looked at.
    fn is_time(&self, shard: u32, now: Timestamp) -> bool {
        let Some(witness) = self.all.get(shard as usize) else { return false };
        let looked = witness.looked.load(Ordering::Relaxed);
        // A clock that was set back looks again, too.
        let lately = (0..EVERY_MS).contains(&(now.as_millis() - looked));
        !lately && witness.looked.swap(now.as_millis(), Ordering::Relaxed) == looked
    }

    fn id(&self, shard: u32) -> Vec<u8> {
        let witness = self.all.get(shard as usize);
        let id = witness.map(|witness| witness.id.lock().unwrap_or_else(PoisonError::into_inner).clone());
        id.flatten().unwrap_or_default()
    }

    /// Notes the id that a witness has, and says whether that tells of a loss that nobody has been told of.
    fn heard(&self, shard: u32, id: Vec<u8>, now: Timestamp) -> bool {
        let Some(witness) = self.all.get(shard as usize) else { return false };
        let mut known = witness.id.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = known.as_ref().is_some_and(|known| *known != id);
        *known = Some(id);
        drop(known);
        if !lost {
            return false;
        }
        let told = self.told.swap(now.as_millis(), Ordering::Relaxed);
        !(0..EVERY_MS).contains(&(now.as_millis() - told))
    }
}

impl RedisStore {
    /// Looks whether the server still has its memory, if it is time; at once if a session that this process has written
    /// to has begun anew.
    pub(super) async fn look_for_loss(&self, key: &SessionKey, now: Timestamp, anew: bool) {
        let shard = keys::shard(key);
        if self.witnesses.is_time(shard, now) || anew {
            // Boxed, as it is seldom: whoever calls is no larger for it.
            Box::pin(self.look_at_witness(shard, now)).await;
        }
    }

    async fn look_at_witness(&self, shard: u32, now: Timestamp) {
        let known = self.witnesses.id(shard);
        let fill = |command: &mut Cmd| {
            command.arg(1).arg(keys::witness(shard));
            command.arg(Uuid::new_v4().as_bytes().as_slice()).arg(now.as_millis()).arg(&known);
        };
        match self.scripts.call(&self.link, &self.scripts.witness, Kind::Read, fill).await {
            Ok(Value::BulkString(id)) => {
                if self.witnesses.heard(shard, id, now) {
                    tracing::error!(
                        store = self.link.name(),
                        "the store has lost what it held: it was flushed, or started again without its data; sessions begin \
                         anew, and what was said before is gone"
                    );
                }
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "whether the store has lost anything is not known"),
        }
    }

    /// What the witnesses tell `doctor`; nothing where nobody has written yet, or they may not be read.
    pub(super) async fn memory_finding(&self, now: Timestamp) -> Option<Finding> {
        let mut all = Pipeline::with_capacity(keys::LISTS as usize);
        for shard in 0..keys::LISTS {
            all.cmd("HMGET").arg(keys::witness(shard)).arg("since").arg("lost");
        }
        let answers = self.link.send_all(Kind::Read, &all).await.ok()?;
        let told: Vec<[Option<i64>; 2]> = answers.into_iter().map(times).collect();
        let since = told.iter().filter_map(|[since, _]| *since).min()?;
        let lost = told.iter().filter_map(|[_, lost]| *lost).max();
        Some(finding(since, lost, now))
    }
}

/// The two times of a witness.
fn times(answer: Value) -> [Option<i64>; 2] {
    let Value::Array(values) = answer else { return [None, None] };
    let mut values = values.into_iter().map(|value| match value {
        Value::BulkString(text) => std::str::from_utf8(&text).ok()?.parse().ok(),
        _ => None,
    });
    [values.next().flatten(), values.next().flatten()]
}

fn finding(since: i64, lost: Option<i64>, now: Timestamp) -> Finding {
    const SUBJECT: &str = "memory";
    match lost.filter(|lost| now.as_millis() - lost < REMEMBERED_MS) {
        Some(lost) => Finding {
            severity: Severity::Warning,
            subject: SUBJECT,
            found: format!("lost what it held; noticed {}", Timestamp::from_millis(lost)),
            advice: "somebody flushed it, or it started again without its data: what was said before is gone. Set \
                     `appendonly yes`, and keep FLUSHALL and FLUSHDB from its users"
                .to_owned(),
        },
        None => Finding {
            severity: Severity::Fine,
            subject: SUBJECT,
            found: format!("kept since {}", Timestamp::from_millis(since)),
            advice: String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + secs * 1000)
    }

    #[test]
    fn is_looked_at_once_a_minute_and_again_when_the_clock_goes_back() {
        let witnesses = Witnesses::default();
        for (secs, expected) in [(0, true), (1, false), (59, false), (60, true), (61, false), (-3600, true)] {
            assert_eq!(witnesses.is_time(3, at(secs)), expected, "{secs}");
        }
        assert!(witnesses.is_time(4, at(1)) && !witnesses.is_time(99, at(1)));
    }

    #[test]
    fn another_id_is_a_loss_and_is_told_once() {
        let witnesses = Witnesses::default();
        let heard = |shard, id: &[u8], secs| witnesses.heard(shard, id.to_vec(), at(secs));
        assert!(!heard(1, b"a", 0) && !heard(1, b"a", 1) && !heard(2, b"b", 2));
        assert!(heard(1, b"c", 3), "a loss");
        assert!(!heard(2, b"d", 4), "the same one");
        assert!(!heard(1, b"c", 100) && heard(1, b"e", 101), "another one");
    }

    #[test]
    fn doctor_warns_of_a_loss_for_a_week() {
        let (since, now) = (at(0).as_millis(), at(100));
        assert_eq!(finding(since, None, now).severity, Severity::Fine);
        let warned = finding(since, Some(at(50).as_millis()), now);
        assert_eq!(warned.severity, Severity::Warning);
        assert!(warned.found.contains(&at(50).to_string()), "{warned:?}");
        let later = at(50).plus_millis(REMEMBERED_MS);
        assert_eq!(finding(since, Some(at(50).as_millis()), later).severity, Severity::Fine);
    }
}
