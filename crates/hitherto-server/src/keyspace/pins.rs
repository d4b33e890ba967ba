//! Contexts that stay as they were first read, until something is said.
//!
//! There are chains that read a conversation before the model answers and again after it, and take what the second
//! read has beyond the length of the first for new: a fold in between would make them push old turns again.
//! Invariant: only which messages are given and which summary is remembered, never a message; and nothing is left out
//! that would be given without it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hitherto::{Budget, Context, Seq, SessionKey};
use tokio::time::Instant;

/// How long a read is remembered: longer than a model takes.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// How many are.
const MOST: usize = 4_096;

/// What a context gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin {
    /// The newest message then.
    last: Seq,
    /// The oldest message given.
    pub(super) first: Seq,
    /// The text of the summary, if one was given.
    pub(super) summary: Option<Arc<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<HashMap<(SessionKey, Budget), (Pin, Instant)>>);

impl Pins {
    /// What the first read of this context gave since something was last said; this one, if it is the first, or gives
    /// more.
    pub(super) fn first_read(&self, session: &SessionKey, budget: Budget, context: &Context) -> Option<Pin> {
        let (first, last) = (context.explain.first_seq?, context.explain.last_seq?);
        let now = Instant::now();
        let mut pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (session.clone(), budget);
        if let Some((pin, at)) = pins.get(&key)
            && pin.last == last
            && pin.first <= first
            && now.saturating_duration_since(*at) < REMEMBERED
        {
            return Some(pin.clone());
        }
        if pins.len() >= MOST {
            pins.retain(|_, (_, at)| now.saturating_duration_since(*at) < REMEMBERED);
            if pins.len() >= MOST {
                pins.clear();
            }
        }
        let summary = context.summary.as_ref().map(|summary| summary.text.as_str().into());
        let pin = Pin { last, first, summary };
        pins.insert(key, (pin.clone(), now));
        Some(pin)
    }
}
