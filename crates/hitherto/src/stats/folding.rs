//! What folding has done, and what it could not do.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Behind, Counter, Lag};
use crate::summary::SummariserError;
use crate::time::Timestamp;

/// Why a summariser can fail, as [`Folding::failures`] counts it.
pub const FAILURES: [&str; 8] =
    ["timed_out", "unreachable", "status", "refused", "empty", "too_long", "died", "not_text"];

/// The folding of one memory and its clones.
#[derive(Debug, Default)]
pub struct Folding {
    /// Summaries that were committed.
    pub commits: Counter,
    /// Messages that committed summaries have come to stand for.
    pub messages: Counter,
    /// Turns of these messages.
    pub turns: Counter,
    /// Failures of the summariser, in the order of [`FAILURES`].
    pub failures: [Counter; FAILURES.len()],
    /// Times that the stand-in made the summary because the summariser had failed too often.
    pub stand_ins: Counter,
    /// Folds that died by a defect.
    pub died: Counter,
    /// Whether a worker died by a defect.
    dead: AtomicBool,
    pub(crate) behind: Behind,
}

impl Folding {
    /// Whether a worker was started and has died. It is not started again by itself: it dies by a defect only.
    pub fn worker_is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// How far behind the sessions are that the worker of this process could not fold yet.
    pub fn lag(&self, now: Timestamp) -> Lag {
        self.behind.lag(now)
    }

    pub(crate) fn worker_died(&self) {
        self.dead.store(true, Ordering::Release);
    }

    pub(crate) fn failed(&self, error: &SummariserError) {
        let place = match error {
            SummariserError::TimedOut(_) => 0,
            SummariserError::Unreachable(_) => 1,
            SummariserError::Status { .. } => 2,
            SummariserError::Refused => 3,
            SummariserError::Empty => 4,
            SummariserError::TooLong { .. } => 5,
            SummariserError::Died => 6,
            SummariserError::NotText(_) => 7,
        };
        if let Some(counter) = self.failures.get(place) {
            counter.one();
        }
    }
}
