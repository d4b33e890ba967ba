//! How long something took, in buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the buckets, in microseconds; a last one has no end. From what a local file answers in to what
/// nobody waits for.
pub const BOUNDS: [u64; 15] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];

/// A histogram of times. Two additions a measurement; what is read meanwhile may lack the newest of them.
#[derive(Debug, Default)]
pub struct Latency {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// How many times fell into each bucket of [`BOUNDS`], and how many beyond the last.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// All of them together, in microseconds.
    pub micros: u64,
}

impl Latency {
    /// Notes that something took so long.
    pub fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// What it holds now.
    pub fn read(&self) -> Measured {
        let mut measured = Measured { micros: self.micros.load(Ordering::Relaxed), ..Measured::default() };
        for (to, from) in measured.buckets.iter_mut().zip(&self.buckets) {
            *to = from.load(Ordering::Relaxed);
        }
        measured
    }
}

impl Measured {
    /// How many were measured.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_falls_into_the_bucket_that_ends_with_it_or_after() {
        let check = |micros: u64, bucket: usize| {
            let latency = Latency::default();
            latency.note(Duration::from_micros(micros));
            let read = latency.read();
            assert_eq!((read.buckets[bucket], read.count(), read.micros), (1, 1, micros), "{micros}");
        };
        check(0, 0);
        check(100, 0);
        check(101, 1);
        check(1_000, 3);
        check(10_000_000, 14);
        check(10_000_001, 15);
    }
}
