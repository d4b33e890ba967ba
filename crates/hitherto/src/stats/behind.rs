//! Sessions that have something to fold and were not folded yet, as far as the worker of this process knows.
//!
//! Invariant: bounded, and it forgets: a session that this worker has not looked at again although it was to is
//! folded by another one, or is gone.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::session::SessionKey;
use crate::time::Timestamp;

/// How many sessions are known of at most; of further ones nothing is counted.
const MOST: usize = 10_000;
/// How long after it should have been looked at again a session is forgotten.
const PATIENCE: Duration = Duration::from_secs(300);

/// How far behind summaries are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// How many sessions wait.
    pub sessions: u64,
    /// How many of their turns have left the window and are in no summary.
    pub turns: u64,
    /// For how long the first of them has waited.
    pub waited: Duration,
}

/// The sessions, by a hash of their names: no id is kept.
#[derive(Debug, Default)]
pub(crate) struct Behind(Mutex<HashMap<u64, Late>>);

#[derive(Debug, Clone, Copy)]
struct Late {
    turns: u64,
    since: Timestamp,
    /// When it is looked at again.
    again: Timestamp,
}

impl Behind {
    /// A session has so many turns to fold.
    pub(crate) fn found(&self, key: &SessionKey, turns: u64, now: Timestamp) {
        self.with(|behind| {
            if behind.len() >= MOST {
                forget(behind, now);
            }
            if let Some(late) = behind.get_mut(&name(key)) {
                (late.turns, late.again) = (turns, now);
            } else if behind.len() < MOST {
                behind.insert(name(key), Late { turns, since: now, again: now });
            }
        });
    }

    /// It was not folded, and is looked at again then.
    pub(crate) fn put_off(&self, key: &SessionKey, again: Timestamp) {
        self.with(|behind| {
            if let Some(late) = behind.get_mut(&name(key)) {
                late.again = again;
            }
        });
    }

    /// It has nothing to fold any more.
    pub(crate) fn caught_up(&self, key: &SessionKey) {
        self.with(|behind| behind.remove(&name(key)));
    }

    pub(super) fn lag(&self, now: Timestamp) -> Lag {
        self.with(|behind| {
            forget(behind, now);
            let since = behind.values().map(|late| late.since).min().unwrap_or(now);
            Lag {
                sessions: behind.len() as u64,
                turns: behind.values().map(|late| late.turns).sum(),
                waited: between(since, now),
            }
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<u64, Late>) -> T) -> T {
        // Whoever died with the lock has left a whole map behind.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn forget(behind: &mut HashMap<u64, Late>, now: Timestamp) {
    behind.retain(|_, late| between(late.again, now) <= PATIENCE);
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.as_millis().saturating_sub(from.as_millis())).unwrap_or(0))
}

fn name(key: &SessionKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Scope, SessionId};

    #[test]
    fn a_session_is_behind_until_it_is_folded_or_given_up() {
        let behind = Behind::default();
        let key = |id: &str| Scope::default().session(&SessionId::parse(id).unwrap());
        let at = |secs: i64| Timestamp::from_millis(secs * 1_000);
        let lag = |secs: i64| {
            let lag = behind.lag(at(secs));
            (lag.sessions, lag.turns, lag.waited.as_secs())
        };
        assert_eq!(lag(0), (0, 0, 0));
        behind.found(&key("a"), 3, at(10));
        behind.found(&key("b"), 5, at(20));
        assert_eq!(lag(30), (2, 8, 20));
        // The wait goes on from the first time that it was behind.
        behind.found(&key("a"), 4, at(40));
        behind.put_off(&key("a"), at(700));
        assert_eq!(lag(50), (2, 9, 40));
        behind.caught_up(&key("b"));
        assert_eq!(lag(900), (1, 4, 890));
        // Nobody has looked at it again: another worker has it.
        assert_eq!(lag(1_001), (0, 0, 0));
    }
}
