//! Why somebody is not let in.

use hitherto::{StoreError, Timestamp};
use thiserror::Error;

/// Why somebody is not let in. Whoever reads one holds the token, so it may say what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// No token was shown, and one has to be.
    #[error("a token is required: send it as `Authorization: Bearer hth_…`")]
    Missing,
    /// What was shown is misspelt.
    #[error("the token is misspelt or cut off: its check digits do not fit")]
    Misspelt,
    /// The store has no such token.
    #[error("there is no such token here")]
    Unknown,
    /// It has ended by itself.
    #[error("the token expired at {0}")]
    Expired(Timestamp),
    /// It was revoked.
    #[error("the token was revoked at {0}")]
    Revoked(Timestamp),
    /// A signed token is not as it must be; says what is wrong, and repeats nothing of it.
    #[error("the signed token is not accepted: {0}")]
    Signed(String),
    /// The keys of signed tokens could not be read yet.
    #[error("the keys of signed tokens cannot be read at the moment")]
    NoKeys,
    /// The store could not say.
    #[error(transparent)]
    Store(#[from] StoreError),
}
