//! How long a sensible client waits before it tries again: longer each time, up to a cap, by chance, so that many
//! clients do not come at once, and not before the server said.

use std::time::Duration;

/// The longest first wait.
const FIRST: Duration = Duration::from_millis(20);
/// The longest wait of all, unless the server asks for a longer one.
const CAP: Duration = Duration::from_secs(1);

/// The wait after so many failures (the first is 0), by a chance from 0 to 1.
pub(crate) fn pause(failures: u32, retry_after: Option<Duration>, chance: f64) -> Duration {
    let longest = FIRST.saturating_mul(1 << failures.min(16)).min(CAP);
    let asked = retry_after.unwrap_or_default();
    // What the server asks for, and then some, or else all come at the moment that it named.
    asked + longest.mul_f64(chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_cap_and_are_never_shorter_than_asked() {
        let ms = Duration::from_millis;
        let check = |failures, asked: Option<u64>, chance, expected| {
            assert_eq!(pause(failures, asked.map(Duration::from_secs), chance), ms(expected));
        };
        check(0, None, 1.0, 20);
        check(0, None, 0.0, 0);
        check(1, None, 1.0, 40);
        check(3, None, 0.5, 80);
        check(10, None, 1.0, 1_000);
        check(u32::MAX, None, 1.0, 1_000);
        check(0, Some(1), 0.5, 1_010);
        check(20, Some(5), 1.0, 6_000);
    }
}
