//! When a certificate ends, and who is told of it in time.

use std::time::Duration;

use hitherto::{Finding, Severity, Timestamp};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// How long before its end a certificate is warned of: those of Let's Encrypt are renewed a month before theirs.
const NOTICE: Duration = Duration::from_secs(14 * DAY_SECS);
const DAY_SECS: u64 = 24 * 3600;

/// When a certificate begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    from: Timestamp,
    until: Timestamp,
}

impl Expiry {
    /// Of this certificate (DER).
    ///
    /// # Errors
    /// Says in words that it is none.
    pub(crate) fn of(certificate: &[u8]) -> Result<Self, String> {
        let (_, read) = X509Certificate::from_der(certificate).map_err(|_| "is no certificate".to_owned())?;
        let validity = read.validity();
        let point = |secs: i64| Timestamp::from_millis(secs.saturating_mul(1000));
        Ok(Self {
            from: point(validity.not_before.timestamp()),
            until: point(validity.not_after.timestamp()),
        })
    }

    /// The end, as it is written in log lines.
    pub(crate) fn until(self) -> String {
        text(self.until)
    }

    /// What there is to say of it at that time.
    pub(crate) fn finding(self, now: Timestamp) -> Finding {
        let left = self.until.as_millis().saturating_sub(now.as_millis());
        let notice = i64::try_from(NOTICE.as_millis()).unwrap_or(i64::MAX);
        let until = self.until();
        let days = left / (1000 * DAY_SECS as i64);
        let (severity, found) = if left <= 0 {
            (Severity::Failure, format!("ended at {until}; clients refuse it"))
        } else if now.as_millis() < self.from.as_millis() {
            (
                Severity::Failure,
                format!("is valid only from {} on; clients refuse it until then", text(self.from)),
            )
        } else if left <= notice {
            let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
            (Severity::Warning, format!("ends in {days}, at {until}"))
        } else {
            (Severity::Fine, format!("is valid until {until}"))
        };
        let advice = match severity {
            Severity::Fine => "",
            _ => "renew it and put the new one in the place of the old; the server takes it over by itself",
        };
        Finding { severity, subject: "certificate", found, advice: advice.to_owned() }
    }
}

fn text(time: Timestamp) -> String {
    let mut out = Vec::new();
    time.write_rfc3339(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use hitherto_testkit::Certificates;

    use super::*;

    #[test]
    fn is_said_in_time() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let expiry = Expiry { from: at("2026-01-01T00:00:00Z"), until: at("2026-04-01T00:00:00Z") };
        let check = |now: &str, severity: Severity, expected: &str| {
            let found = expiry.finding(at(now));
            assert_eq!((found.severity, found.found.as_str()), (severity, expected), "{now}");
            assert_eq!(found.advice.is_empty(), severity == Severity::Fine);
        };
        let end = "2026-04-01T00:00:00.000Z";
        check("2026-02-01T00:00:00Z", Severity::Fine, &format!("is valid until {end}"));
        check("2026-03-17T23:59:59Z", Severity::Fine, &format!("is valid until {end}"));
        check("2026-03-18T00:00:00Z", Severity::Warning, &format!("ends in 14 days, at {end}"));
        check("2026-03-30T12:00:00Z", Severity::Warning, &format!("ends in 1 day, at {end}"));
        check("2026-03-31T12:00:00Z", Severity::Warning, &format!("ends in 0 days, at {end}"));
        check("2026-04-01T00:00:00Z", Severity::Failure, &format!("ended at {end}; clients refuse it"));
        check(
            "2025-12-31T00:00:00Z",
            Severity::Failure,
            "is valid only from 2026-01-01T00:00:00.000Z on; clients refuse it until then",
        );
    }

    #[test]
    fn is_read_from_a_certificate() {
        let made = Certificates::valid_days(3);
        let pem = std::fs::read(made.server_cert()).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
        let found = Expiry::of(&pem.contents).unwrap().finding(Timestamp::now());
        assert_eq!(found.severity, Severity::Warning, "{found:?}");
        assert!(found.found.starts_with("ends in 2 days, at "), "{found:?}");
        assert_eq!(Expiry::of(b"nonsense"), Err("is no certificate".to_owned()));
    }
}
