//! Which Redis, and how it is reached.

use std::path::PathBuf;
use std::time::Duration;

/// Which Redis, and how it is reached.
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, `unix:///path[?db=n&user=…&pass=…]`.
    pub url: String,
    /// By when every call has succeeded or failed. Default 2 s.
    pub deadline: Duration,
    /// Certificate authorities to trust instead of the system's, PEM.
    pub ca: Option<PathBuf>,
    /// A client certificate and its key, PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

impl RedisOptions {
    /// The defaults, for that address.
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), deadline: Duration::from_secs(2), ca: None, client_certificate: None }
    }
}

impl std::fmt::Debug for RedisOptions {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisOptions")
            .field("deadline", &self.deadline)
            .field("ca", &self.ca)
            .field(
                "client_certificate",
                &self.client_certificate.as_ref().map(|(certificate, _)| certificate),
            )
            .finish_non_exhaustive()
    }
}
