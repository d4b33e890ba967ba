//! Times and numbers as a person tells them: "3 min ago", "1,119 messages".

use hitherto::Timestamp;

/// A length of time in its largest unit, rounded down.
pub(crate) fn length(millis: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let secs = millis.max(0) / 1000;
    UNITS
        .into_iter()
        .find(|(unit, _)| secs >= *unit)
        .map_or_else(|| "0 s".to_owned(), |(unit, name)| format!("{} {name}", secs / unit))
}

/// How long ago a time was.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    match now.as_millis().saturating_sub(then.as_millis()) {
        ..1000 => "now".to_owned(),
        millis => format!("{} ago", length(millis)),
    }
}

/// A count with its noun: `1 message`, `1,119 messages`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with a comma between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + 8);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_times() {
        let check = |millis, expected: &str| {
            assert_eq!(ago(Timestamp::from_millis(0), Timestamp::from_millis(millis)), expected);
        };
        check(-5000, "now");
        check(999, "now");
        check(1000, "1 s ago");
        check(119_000, "1 min ago");
        check(7_200_000, "2 h ago");
        check(172_800_000, "2 d ago");
        assert_eq!(length(0), "0 s");
    }

    #[test]
    fn counts() {
        assert_eq!(count(1, "message"), "1 message");
        assert_eq!(count(0, "message"), "0 messages");
        assert_eq!(count(1_234_567, "message"), "1,234,567 messages");
        assert_eq!(grouped(100), "100");
    }
}
