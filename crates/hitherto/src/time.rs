//! Points in time: milliseconds since the Unix epoch, and where "now" comes from.
//!
//! The core never asks for the time; it is given it. A [`Clock`] is asked once per call, at the edge.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A point in time in whole milliseconds since 1970-01-01T00:00:00Z; negative before that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The range that RFC 3339 can write in every time zone: the years 0 to 9999 but for their last day.
const EARLIEST_MS: i64 = -62_167_219_200_000;
const LATEST_MS: i64 = 253_402_207_199_999;

impl Timestamp {
    /// From milliseconds since the epoch; outside the years 0 to 9999 it is clamped to them.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < EARLIEST_MS {
            Self(EARLIEST_MS)
        } else if millis > LATEST_MS {
            Self(LATEST_MS)
        } else {
            Self(millis)
        }
    }

    /// The system's time of day.
    pub fn now() -> Self {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(LATEST_MS),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(EARLIEST_MS, |ms| -ms),
        };
        Self::from_millis(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Parses an RFC 3339 date and time with an offset; what is finer than a millisecond is cut off.
    /// `None` for anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Some(Self::from_millis(parsed.as_millisecond()))
    }

    /// This time plus `millis`.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This time plus a length of time.
    pub(crate) fn plus(self, length: std::time::Duration) -> Self {
        self.plus_millis(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
    }

    /// Appends the time as RFC 3339 in UTC with milliseconds, `2026-11-22T10:00:00.123Z`, to `out`.
    ///
    /// Every message that is read carries one, so this does without the general formatter, which
    /// costs as much as the rest of a message's answer.
    pub fn write_rfc3339(self, out: &mut Vec<u8>) {
        let (days, in_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days);
        let (secs, millis) = (in_day / 1000, in_day % 1000);
        push_digits(out, year, 4);
        out.push(b'-');
        push_digits(out, month, 2);
        out.push(b'-');
        push_digits(out, day, 2);
        out.push(b'T');
        push_digits(out, secs / 3600, 2);
        out.push(b':');
        push_digits(out, secs / 60 % 60, 2);
        out.push(b':');
        push_digits(out, secs % 60, 2);
        out.push(b'.');
        push_digits(out, millis, 3);
        out.push(b'Z');
    }
}

/// The proleptic Gregorian date of a day count since 1970-01-01.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn push_digits(out: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(24);
        self.write_rfc3339(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where the time comes from: the system, or whatever a test gives.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now` each time.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::from_fn(Timestamp::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_general_formatter_writes() {
        for millis in [
            0,
            -1,
            1,
            951_782_400_000,
            1_763_805_600_123,
            EARLIEST_MS,
            LATEST_MS,
            -86_400_000,
            4_107_542_399_999,
        ] {
            let expected = jiff::Timestamp::from_millisecond(millis).unwrap();
            assert_eq!(Timestamp::from_millis(millis).to_string(), format!("{expected:.3}"), "{millis}");
        }
    }

    #[test]
    fn reads_offsets_and_refuses_the_rest() {
        let check = |text, expected: Option<i64>| {
            assert_eq!(Timestamp::parse_rfc3339(text).map(Timestamp::as_millis), expected, "{text}");
        };
        check("1970-01-01T00:00:01Z", Some(1000));
        check("1970-01-01T01:00:01.0019+01:00", Some(1001));
        check("1970-01-01T00:00:01", None);
        check("yesterday", None);
        check("", None);
    }
}
