//! Why a target did not do what a command asked, in words for the person who gave the command.

use std::path::PathBuf;

use hitherto::StoreError;
use thiserror::Error;

/// A failure of a store or server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum TargetError {
    /// The engine refused, or its store failed.
    #[error(transparent)]
    Memory(#[from] hitherto::Error),
    /// The server refused.
    #[error("{detail} ({code})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable code of the problem.
        code: String,
        /// What the server said of it.
        detail: String,
    },
    /// The server did not answer.
    #[error("the server at {server} does not answer: {reason}; is it running?")]
    Unreachable {
        /// Its address, without credentials.
        server: String,
        /// What the connection said.
        reason: String,
    },
    /// What answered is no Hitherto server, or one of another version.
    #[error("the answer of {server} is not one of Hitherto's: {reason}")]
    Foreign {
        /// Its address, without credentials.
        server: String,
        /// What was unexpected.
        reason: String,
    },
    /// The address of the server cannot be used.
    #[error("{address:?} is no address of a server: {reason}; one is http://127.0.0.1:8700")]
    Address {
        /// What was given.
        address: String,
        /// Why not.
        reason: String,
    },
    /// A file of certificates for the way to a server cannot be used.
    #[error("the file of certificates {} cannot be used: {reason}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The id of the session or user cannot be written in a URL: `.` and `..` mean folders there, however they are
    /// encoded.
    #[error("{0:?} cannot be reached through a server; work on its store directly")]
    NotInUrls(String),
    /// The idempotency key cannot be written in an HTTP header.
    #[error("the idempotency key has control characters, which no server can be sent")]
    NotInHeaders,
    /// The token cannot be written in an HTTP header.
    #[error("the token has characters that no token has")]
    TokenNotInHeaders,
}

impl TargetError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Memory(error) => error.is_retryable(),
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 502..=504),
            Self::Unreachable { .. } => true,
            Self::Foreign { .. }
            | Self::Address { .. }
            | Self::Certificates { .. }
            | Self::NotInUrls(_)
            | Self::NotInHeaders
            | Self::TokenNotInHeaders => false,
        }
    }

    /// Whether it concerns the session of the call alone, so that others may do better.
    pub(crate) fn is_of_one_session(&self) -> bool {
        match self {
            Self::Memory(hitherto::Error::Store(error)) => matches!(
                error,
                StoreError::NewerFormat { .. }
                    | StoreError::Foreign { .. }
                    | StoreError::OnceMismatch
                    | StoreError::NoSession
            ),
            Self::Memory(_) | Self::NotInUrls(_) | Self::NotInHeaders => true,
            Self::Refused { status, .. } => matches!(status, 400 | 404 | 409 | 413 | 414 | 422),
            Self::Unreachable { .. }
            | Self::Foreign { .. }
            | Self::Address { .. }
            | Self::Certificates { .. }
            | Self::TokenNotInHeaders => false,
        }
    }
}
