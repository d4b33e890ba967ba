//! What can go wrong in a store.

use std::time::Duration;

use thiserror::Error;

use super::Seq;

/// Whether a write that failed may have been stored all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was not: trying again is safe.
    NotStored,
    /// Nobody can say: only an append with an idempotency key can be tried again safely.
    Unknown,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No connection could be made.
    #[error("{store} cannot be reached: {reason}")]
    Unreachable {
        /// Which store, without credentials.
        store: String,
        /// What the connection said.
        reason: String,
    },
    /// The connection broke while an answer was awaited.
    #[error("the connection to {store} broke: {reason}")]
    Disconnected {
        /// Which store.
        store: String,
        /// What the connection said.
        reason: String,
        /// Whether a write may have happened.
        outcome: Outcome,
    },
    /// No answer came in time.
    #[error("{store} did not answer within {} ms", deadline.as_millis())]
    TimedOut {
        /// Which store.
        store: String,
        /// The deadline of the call.
        deadline: Duration,
        /// Whether a write may have happened.
        outcome: Outcome,
    },
    /// The server is reading its data from disk.
    #[error("{store} is still loading its data")]
    Loading {
        /// Which store.
        store: String,
    },
    /// The store is busy with something else, or too many calls wait for it.
    #[error("{store} is busy: {reason}")]
    Busy {
        /// Which store.
        store: String,
        /// With what.
        reason: String,
    },
    /// User or password is wrong, or the user may not do this.
    #[error("{store} denies access: {reason}")]
    Denied {
        /// Which store.
        store: String,
        /// What the server said.
        reason: String,
    },
    /// There is no room for more.
    #[error("{store} is full: {reason}")]
    Full {
        /// Which store.
        store: String,
        /// What the server said.
        reason: String,
    },
    /// The store takes no writes.
    #[error("{store} is read-only: {reason}")]
    ReadOnly {
        /// Which store.
        store: String,
        /// What the server said.
        reason: String,
    },
    /// It is stored, but fewer replicas than asked for have said in time that they have it, too: should the primary be
    /// lost before they do, it is lost. An append with the same idempotency key waits for them again.
    #[error(
        "{store} has stored it, but only {replicas} of {wanted} replicas have acknowledged it in time; if the primary is lost now, so is this"
    )]
    NotReplicated {
        /// Which store.
        store: String,
        /// How many replicas were asked for.
        wanted: u32,
        /// How many had it in time.
        replicas: u32,
    },
    /// The data was written by a newer version of Hitherto.
    #[error(
        "{what} has format {found}; this version knows formats up to {known}: use the version that wrote it, or a newer one"
    )]
    NewerFormat {
        /// What has it: a session, a database file.
        what: String,
        /// Its format.
        found: u32,
        /// The newest known here.
        known: u32,
    },
    /// Something else than a session lies where the session should.
    #[error("{what} holds something that Hitherto did not write: {reason}")]
    Foreign {
        /// The key or file.
        what: String,
        /// What the store said.
        reason: String,
    },
    /// An idempotency key came with other messages than the first time.
    #[error("this idempotency key was used for other messages; use a new key for a new append")]
    OnceMismatch,
    /// The session does not exist.
    #[error("there is no such session")]
    NoSession,
    /// The session exists already.
    #[error("a session of that id exists already")]
    SessionExists,
    /// The session has no message of that sequence number.
    #[error("the session has no message {0}")]
    NoMessage(Seq),
    /// Anything else.
    #[error("{store} failed: {reason}")]
    Failed {
        /// Which store.
        store: String,
        /// What it said.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Disconnected { .. }
                | Self::TimedOut { .. }
                | Self::Loading { .. }
                | Self::Busy { .. }
                | Self::ReadOnly { .. }
                | Self::NotReplicated { .. }
        )
    }

    /// Whether a write that failed so may have been stored all the same.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Disconnected { outcome, .. } | Self::TimedOut { outcome, .. } => *outcome,
            // It is, and may be lost again.
            Self::NotReplicated { .. } => Outcome::Unknown,
            _ => Outcome::NotStored,
        }
    }
}
