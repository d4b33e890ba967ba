//! What is weak on the way to the servers, as far as the address says.

use redis::{ConnectionAddr, ConnectionInfo};

use crate::store::{Finding, Severity};

/// How the servers are reached.
#[derive(Debug, Clone, Default)]
pub(super) struct Safety {
    pub(super) is_encrypted: bool,
    /// Whether nothing leaves this machine.
    pub(super) is_local: bool,
    pub(super) has_password: bool,
    /// Whether it is a user made for this.
    pub(super) has_user: bool,
    /// How many replicas acknowledge a write.
    pub(super) acknowledged_by: u32,
    /// Whether another server takes over when one is lost.
    pub(super) fails_over: bool,
}

impl Safety {
    /// What the address of a server says.
    pub(super) fn of(info: &ConnectionInfo) -> Self {
        let is_loopback = |host: &str| {
            host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        };
        let settings = info.redis_settings();
        Self {
            is_encrypted: matches!(info.addr(), ConnectionAddr::TcpTls { .. }),
            is_local: match info.addr() {
                ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => is_loopback(host),
                _ => true,
            },
            has_password: settings.password().is_some(),
            has_user: settings.username().is_some_and(|user| user != "default"),
            ..Self::default()
        }
    }
}

/// What is to be told of it.
pub(super) fn findings(safety: Safety) -> [Finding; 2] {
    let finding = |severity, subject, found: &str, advice: &str| Finding {
        severity,
        subject,
        found: found.to_owned(),
        advice: advice.to_owned(),
    };
    let encryption = match (safety.is_encrypted, safety.is_local) {
        (true, _) => finding(Severity::Fine, "encryption", "TLS, and the certificate is verified", ""),
        (false, true) => finding(Severity::Fine, "encryption", "none, and nothing leaves this machine", ""),
        (false, false) => finding(
            Severity::Warning,
            "encryption",
            "none",
            "whoever is on the way reads and changes what is said: use rediss://",
        ),
    };
    let access = match (safety.has_password, safety.has_user) {
        (true, true) => finding(Severity::Fine, "access", "a user with a password", ""),
        (true, false) => finding(
            Severity::Warning,
            "access",
            "a password, as the user that may do everything",
            "make a user with the commands that docs/redis.md lists",
        ),
        (false, _) => finding(
            Severity::Warning,
            "access",
            "no password",
            "whoever reaches the server reads and changes everything: make a user with a password, see docs/redis.md",
        ),
    };
    [encryption, access]
}

#[cfg(test)]
mod tests {
    use redis::IntoConnectionInfo as _;

    use super::*;

    #[test]
    fn says_what_is_weak_on_the_way() {
        let severities = |url: &str| {
            findings(Safety::of(&url.into_connection_info().unwrap())).map(|finding| finding.severity)
        };
        use Severity::{Fine, Warning};
        assert_eq!(severities("redis://h"), [Warning, Warning]);
        assert_eq!(severities("redis://127.0.0.1"), [Fine, Warning]);
        assert_eq!(severities("redis://[::1]"), [Fine, Warning]);
        assert_eq!(severities("redis://:p@localhost"), [Fine, Warning]);
        assert_eq!(severities("redis://default:p@localhost"), [Fine, Warning]);
        assert_eq!(severities("rediss://u:p@h"), [Fine, Fine]);
        assert_eq!(severities("unix:///run/redis.sock?user=u&pass=p"), [Fine, Fine]);
    }
}
