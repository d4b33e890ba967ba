//! Log lines that clients can cause, at most one in a while.
//!
//! Invariant: whoever connects ten thousand times a second fills no disk.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How often a line is written.
const WHILE: Duration = Duration::from_secs(1);

/// Lets one line through in a while, and counts the others.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    pub(super) const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// Whether a line may be written now; if so, how many were not since the last.
    pub(super) fn may(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.0 {
            Some(last) if now.duration_since(last) < WHILE => {
                state.1 += 1;
                None
            }
            _ => {
                state.0 = Some(now);
                Some(std::mem::take(&mut state.1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_it_holds_back() {
        let (seldom, start) = (Seldom::new(), Instant::now());
        let at = |millis| seldom.may(start + Duration::from_millis(millis));
        assert_eq!(
            [at(0), at(10), at(999), at(1000), at(1500), at(9000)],
            [Some(0), None, None, Some(2), None, Some(1)]
        );
    }
}
