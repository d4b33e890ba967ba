//! The tokens that the store knows, as it answered last.
//!
//! Invariant: an answer is as old as the moment before the store was asked, and is given out only while it is younger
//! than it may be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use hitherto::Timestamp;
use hitherto::access::{Credential, TokenHash};
use tokio::time::Instant;

use super::{Grant, MOST_AGE, REFRESH_AGE, Refusal};

/// How many are remembered. Only tokens that were made are here, so nobody fills it by guessing.
const MOST: usize = 50_000;

/// One token. Connections that came in by it keep it, so that each command finds it without a search.
#[derive(Debug)]
pub(crate) struct Known {
    hash: TokenHash,
    answer: Mutex<Answer>,
    asked: AtomicBool,
}

#[derive(Debug)]
struct Answer {
    grant: Arc<Grant>,
    revoked_at: Option<Timestamp>,
    /// Whether the store has lost it since.
    gone: bool,
    at: Instant,
}

/// What is known right now.
pub(super) enum Look {
    /// This; and whether it is time to ask the store anew, which the caller has to do then.
    Fresh(Result<Arc<Grant>, Refusal>, bool),
    /// Nothing that is young enough.
    Stale,
}

impl Known {
    fn new(hash: TokenHash, credential: &Credential, at: Instant) -> Self {
        Self { hash, answer: Mutex::new(Answer::new(credential, at)), asked: AtomicBool::new(false) }
    }

    /// The hash by which the store finds it.
    pub(super) fn hash(&self) -> &TokenHash {
        &self.hash
    }

    fn lock(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look(&self, now: impl Fn() -> Timestamp) -> Look {
        let answer = self.lock();
        let age = Instant::now().saturating_duration_since(answer.at);
        if age >= MOST_AGE {
            return Look::Stale;
        }
        let ask = age >= REFRESH_AGE && !self.asked.swap(true, Ordering::AcqRel);
        Look::Fresh(answer.result(now), ask)
    }

    /// What is known right now, if it is young enough, for whoever is about to ask anyway.
    pub(super) fn fresh(&self, now: impl Fn() -> Timestamp) -> Option<Result<Arc<Grant>, Refusal>> {
        let answer = self.lock();
        (answer.at.elapsed() < MOST_AGE).then(|| answer.result(now))
    }

    /// Takes what the store answered when it was asked at that moment; nothing where it did not answer.
    pub(super) fn learn(&self, found: Option<Option<&Credential>>, at: Instant) {
        if let Some(found) = found {
            let mut answer = self.lock();
            if at >= answer.at {
                match found {
                    Some(credential) => *answer = Answer::new(credential, at),
                    None => (answer.gone, answer.at) = (true, at),
                }
            }
        }
        self.asked.store(false, Ordering::Release);
    }
}

impl Answer {
    fn new(credential: &Credential, at: Instant) -> Self {
        let grant = Arc::new(Grant::from(credential));
        Self { grant, revoked_at: credential.revoked_at, gone: false, at }
    }

    fn result(&self, now: impl Fn() -> Timestamp) -> Result<Arc<Grant>, Refusal> {
        match (self.gone, self.revoked_at, self.grant.expires_at) {
            (true, ..) => Err(Refusal::Unknown),
            (_, Some(at), _) => Err(Refusal::Revoked(at)),
            (_, _, Some(end)) if end <= now() => Err(Refusal::Expired(end)),
            _ => Ok(Arc::clone(&self.grant)),
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct KnownTokens(RwLock<HashMap<TokenHash, Arc<Known>>>);

impl KnownTokens {
    pub(super) fn get(&self, hash: &TokenHash) -> Option<Arc<Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Notes what the store said of a token when it was asked at that moment.
    pub(super) fn learn(&self, hash: TokenHash, credential: &Credential, at: Instant) -> Arc<Known> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&hash) {
            known.learn(Some(Some(credential)), at);
            return Arc::clone(known);
        }
        if all.len() >= MOST {
            all.retain(|_, known| known.lock().at.elapsed() < MOST_AGE);
            if all.len() >= MOST {
                // They are asked for again as they are used.
                all.clear();
            }
        }
        let known = Arc::new(Known::new(hash, credential, at));
        all.insert(hash, Arc::clone(&known));
        known
    }
}
