//! Why the engine did not do what it was asked, and the limits that it holds callers to.

use thiserror::Error;

use crate::memory::Full;
use crate::message::MessageError;
use crate::session::NameError;
use crate::store::{Seq, StoreError};
use crate::summary::SummariserError;

/// How large things may be. Each has its own error, [`Error::TooLarge`] with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The JSON of one message, in bytes. Default 1 MiB.
    pub message_bytes: usize,
    /// The messages of one append. Default 1,000.
    pub messages_per_append: usize,
    /// The JSON of all messages of one append, in bytes. Default 16 MiB.
    pub append_bytes: usize,
    /// A session id, in bytes of UTF-8. Default 512.
    pub session_id_bytes: usize,
    /// An idempotency key, in bytes. Default 255.
    pub idempotency_key_bytes: usize,
    /// The metadata of a session, in bytes. Default 64 KiB.
    pub metadata_bytes: usize,
    /// The text of a summary that is put by hand, in bytes. Default 64 KiB.
    pub summary_bytes: usize,
    /// The messages, or sessions, of one page. Default 1,000.
    pub page: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 1 << 20,
            messages_per_append: 1000,
            append_bytes: 16 << 20,
            session_id_bytes: 512,
            idempotency_key_bytes: 255,
            metadata_bytes: 64 << 10,
            summary_bytes: 64 << 10,
            page: 1000,
        }
    }
}

/// A failure of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A session id, tenant or memory key is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// One message of an append, counted from 0, is none.
    #[error("message {index}: {error}")]
    Message {
        /// Which.
        index: usize,
        /// Why.
        error: MessageError,
    },
    /// Something is larger than its limit.
    #[error("the {what} is too large: {size}; at most {max} are allowed")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How large, with its unit.
        size: String,
        /// How large it may be.
        max: usize,
    },
    /// An append of no messages, or an edit of no field.
    #[error("there is nothing to {0}")]
    Nothing(&'static str),
    /// A value is not what it must be.
    #[error("{field} must be {must}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// The stored message cannot be read; it is kept.
    #[error("message {0} cannot be read; it is kept as it is")]
    Unreadable(Seq),
    /// The tenant has as much as it may have.
    #[error(transparent)]
    Full(#[from] Full),
    /// Nothing is summarised here.
    #[error("sessions are not summarised here: no summariser is set up")]
    SummariesOff,
    /// The session has no version before its summary.
    #[error("there is no earlier summary to go back to")]
    NoEarlierSummary,
    /// The summariser failed; nothing was changed.
    #[error("the summariser failed: {0}")]
    Summariser(SummariserError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Summariser(_) => true,
            _ => false,
        }
    }
}
