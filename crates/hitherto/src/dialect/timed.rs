//! When a message was made, as clients write it.

use super::raw;
use crate::time::Timestamp;

/// A number of seconds since the epoch, with or without a fraction, in quotation marks or not.
pub(super) fn seconds(raw: &str) -> Option<Timestamp> {
    let seconds: f64 = raw::text(raw).trim().parse().ok()?;
    // Floats hold today's milliseconds exactly; what is out of range is clamped.
    seconds.is_finite().then(|| Timestamp::from_millis((seconds * 1000.0).floor() as i64))
}

/// A number of milliseconds since the epoch.
pub(super) fn millis(raw: &str) -> Option<Timestamp> {
    let millis: f64 = raw::text(raw).trim().parse().ok()?;
    millis.is_finite().then(|| Timestamp::from_millis(millis as i64))
}

/// A date and time.
pub(super) fn rfc3339(raw: &str) -> Option<Timestamp> {
    raw.starts_with('"').then(|| Timestamp::parse_rfc3339(&raw::text(raw))).flatten()
}
