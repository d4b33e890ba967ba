//! Sessions whose fold has failed, and until when they are left alone.
//!
//! An append marks its session as due at once, whatever a fold that failed has put it off to: without this, a model
//! that is down would be asked again at nearly every append.
//!
//! Invariant: it only delays. It is of this process, and another server may try a session that rests here: as often as
//! it fails there, it rests there, too.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::session::SessionKey;
use crate::time::Timestamp;

/// How many sessions can rest; what is beyond is tried again sooner.
const MOST: usize = 10_000;

/// Sessions that rest.
#[derive(Debug, Default)]
pub(crate) struct Resting(Mutex<HashMap<SessionKey, Timestamp>>);

impl Resting {
    /// Until when a session rests, if it does.
    pub(super) fn until(&self, key: &SessionKey, now: Timestamp) -> Option<Timestamp> {
        self.with(|resting| resting.get(key).copied()).filter(|until| *until > now)
    }

    /// Lets a session rest.
    pub(super) fn rest(&self, key: &SessionKey, now: Timestamp, until: Timestamp) {
        self.with(|resting| {
            if resting.len() >= MOST {
                resting.retain(|_, until| *until > now);
            }
            if resting.len() < MOST {
                resting.insert(key.clone(), until);
            }
        });
    }

    /// Ends a session's rest.
    pub(super) fn wake(&self, key: &SessionKey) {
        self.with(|resting| resting.remove(key));
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<SessionKey, Timestamp>) -> T) -> T {
        // Whoever died with the lock has left a whole map behind.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
