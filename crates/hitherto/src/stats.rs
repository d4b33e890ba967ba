//! What happened, as numbers: plain atomics that whoever watches reads when it likes.
//!
//! Invariants: counting costs an addition and no lock, so a program that never looks pays next to nothing; and
//! nothing here holds an id or a text, only how many, how long and which of a few kinds.

mod behind;
mod folding;
mod latency;
mod traffic;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use behind::Behind;
pub use behind::Lag;
pub use folding::{FAILURES, Folding};
pub use latency::{BOUNDS, Latency, Measured};
pub use traffic::{BROKEN, Traffic, Trip};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn one(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a memory and its clones have done since the memory was made. A clone shares them, and so does the worker.
#[derive(Debug, Default)]
pub struct Stats {
    /// Messages that appends have stored.
    pub appended: Counter,
    /// Appends that were repeats: they stored nothing, and got the first one's answer.
    pub repeated: Counter,
    /// What folding has done.
    pub folding: Arc<Folding>,
}
