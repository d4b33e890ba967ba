//! What a tenant may have and has, from a store or from a server's answer.

use hitherto::store::Counted;
use serde::{Deserialize, Serialize};

/// The limits of a tenant, and what it has. As JSON it is what the HTTP API answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub(crate) struct Usage {
    /// Which tenant.
    pub(crate) tenant: String,
    /// Requests a second.
    #[serde(default)]
    pub(crate) requests_per_second: Used,
    /// Sessions.
    pub(crate) sessions: Used,
    /// Messages in all of them.
    pub(crate) messages: Used,
    /// Bytes of their records.
    pub(crate) bytes: Used,
    /// When it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted_at: Option<String>,
}

/// How much of something there may be, and is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    /// How much there may be; `None` for any amount. What a store's servers are set to, a store does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
    /// How much there is, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) used: Option<u64>,
}

impl Usage {
    pub(super) fn of(tenant: &str, counted: &Counted) -> Self {
        let used = |used| Used { limit: None, used: Some(used) };
        Self {
            tenant: tenant.to_owned(),
            sessions: used(counted.sessions),
            messages: used(counted.messages),
            bytes: used(counted.bytes),
            ..Self::default()
        }
    }
}
