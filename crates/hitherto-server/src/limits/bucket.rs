//! How many requests a second: a bucket that holds one second's worth and fills evenly. Pure but for one number that all
//! threads share; the time is an argument.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How much a full bucket holds: what comes in within this.
const BURST: u64 = 1_000_000_000;

/// One tenant's requests, in this process.
///
/// The number is when the bucket will be full again, in nanoseconds: each request moves it on by its share of a second, and
/// one that would move it more than a second beyond now is refused. So there is no lock and nothing to refill.
#[derive(Debug)]
pub(super) struct Bucket {
    share: u64,
    full_at: AtomicU64,
}

impl Bucket {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self { share: (BURST / u64::from(per_second.get())).max(1), full_at: AtomicU64::new(0) }
    }

    /// Takes a request out.
    ///
    /// # Errors
    /// After what time there is one again.
    pub(super) fn take(&self, now: Duration) -> Result<(), Duration> {
        let now = nanos(now);
        let step = |full_at| after(full_at, now, self.share).ok();
        match self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step) {
            Ok(_) => Ok(()),
            Err(full_at) => Err(after(full_at, now, self.share).err().unwrap_or_default()),
        }
    }

    /// Takes more requests out, which were done already: what is not there is owed.
    pub(super) fn owe(&self, now: Duration, requests: u64) {
        let (now, owed) = (nanos(now), self.share.saturating_mul(requests));
        let step = |full_at: u64| Some(full_at.max(now).saturating_add(owed));
        // It always gives a number.
        let _ = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
    }
}

/// When the bucket is full after one more request, or how long that has to wait.
fn after(full_at: u64, now: u64, share: u64) -> Result<u64, Duration> {
    let next = full_at.max(now).saturating_add(share);
    match next.saturating_sub(now).saturating_sub(BURST) {
        0 => Ok(next),
        wait => Err(Duration::from_nanos(wait)),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `tries` requests are let through at a time.
    fn through(bucket: &Bucket, at_ms: u64, tries: u32) -> u32 {
        (0..tries).map(|_| u32::from(bucket.take(Duration::from_millis(at_ms)).is_ok())).sum()
    }

    #[test]
    fn a_second_is_let_through_at_once_and_then_as_many_as_come_in() {
        let check = |per_second: u32, steps: &[(u64, u32)]| {
            let bucket = Bucket::new(NonZeroU32::new(per_second).unwrap());
            for (at_ms, expected) in steps {
                assert_eq!(through(&bucket, *at_ms, per_second * 3), *expected, "{per_second} at {at_ms}");
            }
        };
        check(1, &[(5_000, 1), (5_500, 0), (6_000, 1), (6_999, 0), (9_000, 1)]);
        check(10, &[(0, 10), (0, 0), (100, 1), (250, 1), (300, 1), (5_000, 10), (5_001, 0)]);
        check(1_000, &[(7, 1_000), (8, 1), (107, 99), (2_000, 1_000)]);
    }

    #[test]
    fn it_says_how_long_to_wait() {
        let bucket = Bucket::new(NonZeroU32::new(4).unwrap());
        let now = Duration::from_secs(3);
        for _ in 0..4 {
            assert_eq!(bucket.take(now), Ok(()));
        }
        assert_eq!(bucket.take(now), Err(Duration::from_millis(250)));
        assert_eq!(bucket.take(now + Duration::from_millis(100)), Err(Duration::from_millis(150)));
        assert_eq!(bucket.take(now + Duration::from_millis(250)), Ok(()));
        bucket.owe(now + Duration::from_millis(250), 8);
        assert_eq!(bucket.take(now + Duration::from_millis(250)), Err(Duration::from_millis(2_250)));
    }

    #[test]
    fn many_threads_get_no_more_than_one() {
        let bucket = Bucket::new(NonZeroU32::new(500).unwrap());
        let bucket = &bucket;
        let got: u32 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| through(bucket, 1, 1_000))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(got, 500);
    }
}
