//! Tokens that the store did not know, so that one that is tried again and again costs one look.
//!
//! Invariant: bounded in number and in time, so that guessing fills no memory, and a token that is made later is known
//! soon.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hitherto::access::TokenHash;
use tokio::time::Instant;

/// How many are remembered, and for how long.
const MOST: usize = 10_000;
const REMEMBERED: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct UnknownTokens(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    at: HashMap<TokenHash, Instant>,
    order: VecDeque<(TokenHash, Instant)>,
}

impl UnknownTokens {
    /// Whether the store was asked for it a moment ago and did not know it.
    pub(super) fn has(&self, hash: &TokenHash) -> bool {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.at.get(hash).is_some_and(|at| at.elapsed() < REMEMBERED)
    }

    pub(super) fn note(&self, hash: TokenHash) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while let Some((oldest, at)) = noted.order.front().copied() {
            if now.saturating_duration_since(at) < REMEMBERED && noted.order.len() < MOST {
                break;
            }
            noted.order.pop_front();
            if noted.at.get(&oldest) == Some(&at) {
                noted.at.remove(&oldest);
            }
        }
        noted.at.insert(hash, now);
        noted.order.push_back((hash, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn guesses_are_bounded_and_forgotten() {
        let unknown = UnknownTokens::default();
        let guess = |number: usize| TokenHash::of(&number.to_be_bytes());
        for number in 0..3 * MOST {
            unknown.note(guess(number));
        }
        let noted = |unknown: &UnknownTokens| {
            let noted = unknown.0.lock().unwrap();
            (noted.at.len(), noted.order.len())
        };
        assert_eq!(noted(&unknown), (MOST, MOST));
        assert!(unknown.has(&guess(3 * MOST - 1)) && !unknown.has(&guess(0)));
        tokio::time::advance(REMEMBERED).await;
        assert!(!unknown.has(&guess(3 * MOST - 1)));
        unknown.note(guess(1));
        assert_eq!(noted(&unknown), (1, 1));
    }
}
