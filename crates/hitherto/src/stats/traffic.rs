//! What is exchanged with a store: trips there and back, how long they took, and how they failed.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::time::Instant;

use tracing::Span;

use super::{Counter, Latency};
use crate::store::{Entry, Result, StoreError};

/// How a trip can fail, as [`Traffic::failures`] counts it.
pub const BROKEN: [&str; 4] = ["unreachable", "disconnected", "timed_out", "refused"];

/// What a trip to the store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trip {
    /// It reads, or does what may be done twice.
    Read,
    /// It writes.
    Write,
}

/// The traffic with one store since it was opened.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Trips that read.
    pub reads: Latency,
    /// Trips that wrote; in the embedded store, from the call to the end of the commit.
    pub writes: Latency,
    /// Trips that failed, in the order of [`BROKEN`]; a script's or a transaction's own answers are no failures.
    pub failures: [Counter; BROKEN.len()],
    /// Connections that were made: the first, and every one after a loss.
    pub connects: Counter,
    /// Attempts to connect that failed.
    pub refusals: Counter,
    /// Elements that could not be read and were passed over, each time that it happened.
    pub unreadable: Counter,
}

impl Traffic {
    /// Makes a trip, measures it, and shows it to whoever traces; `name` says what it asked the store for. The call
    /// comes pinned: taken by value, it would be kept twice, and whatever waits for the trip be so much larger.
    pub(crate) async fn trip<T>(
        &self,
        trip: Trip,
        name: impl FnOnce() -> String,
        mut call: Pin<&mut impl Future<Output = Result<T>>>,
    ) -> Result<T> {
        let span = span(name);
        let begun = Instant::now();
        // Entered at each look rather than wrapped around: a wrapper costs every trip a copy of what it waits for.
        let result = poll_fn(|context| {
            let _in = span.enter();
            call.as_mut().poll(context)
        })
        .await;
        let latency = match trip {
            Trip::Read => &self.reads,
            Trip::Write => &self.writes,
        };
        latency.note(begun.elapsed());
        if let Err(error) = &result
            && let Some(failed) = failure(error)
        {
            span.record("error", BROKEN.get(failed).copied().unwrap_or_default());
            if let Some(counter) = self.failures.get(failed) {
                counter.one();
            }
        }
        result
    }

    /// Notes what was passed over of what was read.
    pub(crate) fn read(&self, entries: &[Entry]) {
        let unreadable = entries.iter().filter(|entry| entry.is_unreadable()).count();
        if unreadable > 0 {
            self.unreadable.add(unreadable as u64);
        }
    }
}

/// The trip for who traces, as a part of what is traced already: what is done in the background is not.
fn span(name: impl FnOnce() -> String) -> Span {
    if !tracing::span_enabled!(target: "hitherto::trace", tracing::Level::DEBUG) || Span::current().is_none()
    {
        return Span::none();
    }
    tracing::debug_span!(
        target: "hitherto::trace",
        "store",
        otel.kind = "client",
        db.operation.name = name(),
        error = tracing::field::Empty,
    )
}

/// Which of [`BROKEN`] an error is; none for an answer that the store was right to give.
fn failure(error: &StoreError) -> Option<usize> {
    match error {
        StoreError::Unreachable { .. } => Some(0),
        StoreError::Disconnected { .. } => Some(1),
        StoreError::TimedOut { .. } => Some(2),
        StoreError::OnceMismatch
        | StoreError::NoSession
        | StoreError::SessionExists
        | StoreError::NoMessage(_) => None,
        _ => Some(3),
    }
}
