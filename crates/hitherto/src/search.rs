//! Searching a session by words: which of its messages say what is asked for, the best first. Pure; the engine
//! reads the messages.
//!
//! Invariant: what is kept while a session goes by is bounded by how many messages are looked at, never by how long
//! they are; and the same messages and the same question give the same order.

mod language;
mod rank;
mod words;

pub(crate) use language::Language;
pub(crate) use rank::{Question, Tally};

use crate::memory::StoredMessage;

/// A message that was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The message.
    pub message: StoredMessage,
    /// How well it answers, by BM25: above 0, without an upper bound, and comparable within one search only.
    pub score: f64,
}
