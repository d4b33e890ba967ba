//! When a fold that failed is tried again: later each time, and not by all servers at once.

use std::time::Duration;

/// How long folding waits after failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BackOff {
    /// After the first failure.
    pub(crate) first: Duration,
    /// At most.
    pub(crate) most: Duration,
}

/// What a summariser that asks to be left alone is given at most.
const ASKED_MOST: Duration = Duration::from_secs(3600);

impl BackOff {
    /// How long to wait after so many failures in a row: twice as long each time, less up to a quarter by
    /// `jitter` (any number, a random one), and no less than what the summariser asked for.
    pub(crate) fn delay(&self, failures: u32, asked: Option<Duration>, jitter: u64) -> Duration {
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(20));
        let bounded = doubled.min(self.most);
        let quarter = u64::try_from(bounded.as_millis() / 4).unwrap_or(u64::MAX);
        let spread = Duration::from_millis(jitter.checked_rem(quarter.saturating_add(1)).unwrap_or(0));
        let waits = bounded.saturating_sub(spread);
        // Those who were asked to wait come back after it, not all at its end.
        asked.map_or(waits, |asked| waits.max(asked.min(ASKED_MOST) + spread))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_never_too_long() {
        let back_off = BackOff { first: Duration::from_secs(4), most: Duration::from_secs(100) };
        let check = |failures, asked: Option<u64>, jitter, expected_ms: u64| {
            let delay = back_off.delay(failures, asked.map(Duration::from_secs), jitter);
            assert_eq!(delay, Duration::from_millis(expected_ms), "{failures} {asked:?} {jitter}");
        };
        check(0, None, 0, 4_000);
        check(1, None, 0, 4_000);
        check(2, None, 0, 8_000);
        check(5, None, 0, 64_000);
        check(6, None, 0, 100_000);
        check(u32::MAX, None, 0, 100_000);
        check(1, None, 1_000, 3_000);
        check(1, None, 1_001, 4_000);
        check(1, Some(30), 0, 30_000);
        check(1, Some(30), 500, 30_500);
        check(6, Some(30), 0, 100_000);
        check(1, Some(1_000_000), 0, 3_600_000);
    }
}
