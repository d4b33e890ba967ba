//! What was erased of a user, from a store or from a server's answer.

use hitherto::{Erasure, Timestamp};
use serde::{Deserialize, Serialize};

use super::session::time;

/// The receipt of an erasure. As JSON it is what the HTTP API answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub(crate) struct Receipt {
    /// Whose sessions.
    pub(crate) user: String,
    /// How many sessions are gone.
    pub(crate) sessions: u64,
    /// How many messages they had.
    pub(crate) messages: u64,
    /// The size of their records, in bytes.
    pub(crate) bytes: u64,
    /// When it began.
    #[serde(deserialize_with = "time")]
    pub(crate) erased_at: Timestamp,
    /// Whether everything is gone.
    pub(crate) done: bool,
    /// How many sessions are left, as far as is known.
    pub(crate) left: u64,
}

impl Receipt {
    pub(super) fn of(erasure: &Erasure) -> Self {
        Self {
            user: erasure.user.as_str().to_owned(),
            sessions: erasure.sessions,
            messages: erasure.messages,
            bytes: erasure.bytes,
            erased_at: erasure.at,
            done: erasure.done,
            left: erasure.left,
        }
    }

    /// The receipt of two parts of an erasure, this one and what came after it.
    pub(crate) fn and(self, next: &Self) -> Self {
        Self {
            sessions: self.sessions + next.sessions,
            messages: self.messages + next.messages,
            bytes: self.bytes + next.bytes,
            done: next.done,
            left: next.left,
            ..self
        }
    }
}
