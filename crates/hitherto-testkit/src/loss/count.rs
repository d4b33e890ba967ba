//! What a run did, and what it found wrong.

use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counters that all tasks of a run share.
#[derive(Debug, Default)]
pub struct Count {
    /// Sessions that have lived, each life after a clear and each copy included.
    pub sessions: AtomicU64,
    /// Appends that were acknowledged.
    pub appends: AtomicU64,
    /// Messages in them.
    pub messages: AtomicU64,
    /// Calls of writers that were tried again.
    pub retries: AtomicU64,
    /// Edits, deletions and pops.
    pub changes: AtomicU64,
    /// Other calls: settings, copies, summaries by hand, folds that were waited for.
    pub others: AtomicU64,
    /// Reads that were checked.
    pub reads: AtomicU64,
    /// Pieces that the summariser answered well.
    pub answers: AtomicU64,
    /// Pieces that it did not.
    pub failures: AtomicU64,
    /// Pieces that the stand-in answered.
    pub stand_ins: AtomicU64,
    /// Servers that were killed.
    pub servers: AtomicU64,
    /// How often the store was.
    pub stores: AtomicU64,
    /// What is wrong.
    wrong: Mutex<Vec<String>>,
}

impl Count {
    /// Counters at zero.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Notes something that must not be.
    pub fn wrong(&self, what: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// All that must not be.
    pub fn all_wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One more.
pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let named = [
            ("sessions", &self.sessions),
            ("appends", &self.appends),
            ("messages", &self.messages),
            ("edits, deletions and pops", &self.changes),
            ("other calls", &self.others),
            ("calls tried again", &self.retries),
            ("reads checked", &self.reads),
            ("answers", &self.answers),
            ("failures", &self.failures),
            ("stand-ins", &self.stand_ins),
            ("servers killed", &self.servers),
            ("store killed", &self.stores),
        ];
        for (index, (name, counter)) in named.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} {name}", counter.load(Ordering::Relaxed))?;
        }
        Ok(())
    }
}
