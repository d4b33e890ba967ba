//! Summaries: a text that stands for the oldest messages of a session, and what writes it.
//!
//! Invariant (I4): a summary and the messages after its watermark cover the whole session at every moment.
//! It covers only messages that its summariser was given, oldest first, and an answer that is none changes
//! nothing.

mod extractive;
mod piece;
mod policy;

mod background;
mod fold;
mod options;
mod plan;
mod portion;
mod resting;
mod retry;
mod worker;

mod model;

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use uuid::Uuid;

use crate::store::Seq;
use crate::time::Timestamp;

pub use extractive::Extractive;
pub(crate) use fold::{Effort, Folded, Folder};
pub use model::{Api, ModelError, ModelOptions, ModelSummariser};
pub(crate) use options::Summaries;
pub use options::SummaryOptions;
pub use piece::{Line, Piece};
pub use policy::{Hint, Policy, PolicyChange};
pub(crate) use resting::Resting;
pub(crate) use worker::Work;
pub use worker::{Pass, Worker};

/// [`Summary::by`] of a summary that somebody put.
pub(crate) const BY_HAND: &str = "hand";

/// A text that stands for messages 1 to `upto` of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Tells this version from every other one.
    pub id: Uuid,
    /// The text.
    pub text: String,
    /// The watermark: the last message that it stands for.
    pub upto: Seq,
    /// How many tokens the text is, in the encoding of the policy in force when it was made.
    pub tokens: u64,
    /// By whom it was made: a summariser's name, or `hand`.
    pub by: String,
    /// Whether the extractive summariser made it because the one that should have failed.
    pub stand_in: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// How many turns begin among the messages that it stands for.
    pub turns: u64,
    /// The size of their records, in bytes.
    pub bytes: u64,
}

/// What writes summaries.
#[async_trait]
pub trait Summariser: Send + Sync + std::fmt::Debug {
    /// Its name, as [`Summary::by`] will say it.
    fn name(&self) -> String;

    /// How many tokens of transcript it takes in one piece.
    fn input_tokens(&self) -> usize;

    /// The text that stands for all that `piece.previous` stands for and for the lines of the piece, in at most
    /// `piece.budget` tokens.
    ///
    /// # Errors
    /// Says why there is no such text. Nothing is lost by it: the piece is given again later.
    async fn summarise(&self, piece: &Piece) -> Result<String, SummariserError>;

    /// How many tokens it was given and has written so far, as its model counts them; nothing for one that asks no
    /// model, and of answers that do not say.
    fn usage(&self) -> Option<Usage> {
        None
    }
}

/// Tokens that a model was given and has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Given, instructions included.
    pub tokens_in: u64,
    /// Written, thoughts included.
    pub tokens_out: u64,
}

/// Why a summariser gave no summary. What people said is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SummariserError {
    /// It did not answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// It could not be reached, or the connection broke.
    #[error("{0}")]
    Unreachable(String),
    /// It answered with an error.
    #[error("status {status}: {reason}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// What it said, shortened.
        reason: String,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// It refused to summarise.
    #[error("it refused")]
    Refused,
    /// It answered nothing, or that there is nothing to say.
    #[error("it answered nothing")]
    Empty,
    /// Its text is longer than allowed.
    #[error("its text has {tokens} tokens; {budget} are allowed")]
    TooLong {
        /// How long it is.
        tokens: usize,
        /// How long it may be.
        budget: usize,
    },
    /// It died over the piece: a defect, of which the log says more.
    #[error("it died")]
    Died,
    /// What it answered is not a text, or not what the protocol says.
    #[error("not an answer: {0}")]
    NotText(String),
}

impl SummariserError {
    /// How long the summariser asked to be left alone, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
