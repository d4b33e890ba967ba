//! Summaries by a language model: one request to a chat-completions or messages address, and its answer judged.
//!
//! Invariant: what is not plainly a summary is an error, so that a model that fails, refuses or lies changes
//! nothing (I4). No secret and nothing that was said is in an error, a log line or the `Debug` of anything here.
//! It asks once; when to ask again is the worker's business. reqwest stays in this module.

mod address;
mod options;

mod prompt;
mod protocol;

mod answer;
mod failure;
mod link;
mod refusal;
mod verdict;

use std::fmt;

use async_trait::async_trait;

use super::{Piece, Summariser, SummariserError, Usage};
use crate::stats::Counter;
use address::Address;
use link::Link;
use prompt::Prompt;

pub use options::{Api, ModelError, ModelOptions};

/// A summariser that asks a model.
pub struct ModelSummariser {
    options: ModelOptions,
    address: Address,
    link: Link,
    tokens_in: Counter,
    tokens_out: Counter,
}

impl ModelSummariser {
    /// A summariser of that model. Nothing is sent yet.
    ///
    /// # Errors
    /// Says which option cannot be used; see [`ModelError`].
    pub fn new(options: ModelOptions) -> Result<Self, ModelError> {
        if options.model.trim().is_empty() {
            return Err(ModelError::NoModel);
        }
        protocol::check_extra(&options.extra)?;
        let address = Address::of(options.api, &options.url, &options.model)?;
        let link = Link::new(&options, &address)?;
        Ok(Self { options, address, link, tokens_in: Counter::default(), tokens_out: Counter::default() })
    }
}

impl fmt::Debug for ModelSummariser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelSummariser").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl Summariser for ModelSummariser {
    fn name(&self) -> String {
        self.options.model.clone()
    }

    fn input_tokens(&self) -> usize {
        self.options.input_tokens
    }

    async fn summarise(&self, piece: &Piece) -> Result<String, SummariserError> {
        let prompt = Prompt::of(piece);
        let body = protocol::body(&self.options, &self.address, &prompt, piece.budget);
        let reply = self.link.post(body.to_string()).await?;
        // Also of an answer that is no summary: it was paid for.
        let usage = answer::usage(&reply);
        self.tokens_in.add(usage.tokens_in);
        self.tokens_out.add(usage.tokens_out);
        let answer = answer::read(self.address.api, &reply, piece.budget)?;
        verdict::accept(&answer, piece, &prompt.code)
    }

    fn usage(&self) -> Option<Usage> {
        Some(Usage { tokens_in: self.tokens_in.get(), tokens_out: self.tokens_out.get() })
    }
}
