//! Which Redis, and how it is reached.

use std::path::PathBuf;
use std::time::Duration;

/// Which Redis, and how it is reached.
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, `unix:///path[?db=n&user=…&pass=…]`;
    /// `redis-cluster://…host,host…` for a cluster, which is recognised behind a plain address, too;
    /// `redis+sentinel://…host,host…/name[/db][?sentinel_user=…&sentinel_password=…]` for what Sentinels watch.
    pub url: String,
    /// By when every call has succeeded or failed. Default 2 s.
    pub deadline: Duration,
    /// Certificate authorities to trust instead of the system's, PEM.
    pub ca: Option<PathBuf>,
    /// A client certificate and its key, PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// How many replicas have to have what a client writes before it is told so. Default 0: only the primary.
    pub acknowledge_replicas: u32,
    /// How long a write waits for them, at most a third of the deadline. Default 500 ms.
    pub acknowledge_timeout: Duration,
}

impl RedisOptions {
    /// The defaults, for that address.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            deadline: Duration::from_secs(2),
            ca: None,
            client_certificate: None,
            acknowledge_replicas: 0,
            acknowledge_timeout: Duration::from_millis(500),
        }
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
            .field("acknowledge_replicas", &self.acknowledge_replicas)
            .field("acknowledge_timeout", &self.acknowledge_timeout)
            .finish_non_exhaustive()
    }
}
