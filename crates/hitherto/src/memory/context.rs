//! Reading what a context is made from: the end of a session and its summary, in one trip to the store.
//!
//! Invariant: how much is read depends on what is asked for, never on how long the session is.

use super::{ChatMemory, Result};
use crate::context::{Budget, Context, ContextOptions, Input, assemble};
use crate::error::Error;
use crate::session::SessionId;
use crate::store::{At, Range, Reader, Slice, SummaryState};
use crate::window::Window;

/// How many bytes of records are read for a token, and for any budget: what a token of English takes is 4 to 6 with
/// the JSON around it, and short messages have much JSON.
const BYTES_A_TOKEN: u64 = 8;
const BYTES_AT_LEAST: u64 = 4 << 10;

/// How many bytes of records are read at most.
const BYTES_AT_MOST: u64 = 64 << 20;

impl ChatMemory {
    /// What goes into the next prompt: the summary, and the newest whole turns, within a budget. An unknown session
    /// gives an empty context.
    ///
    /// One trip to the store, and more only where a budget is large beside what was read. With a budget of tokens,
    /// 64 MiB of records are looked at, at most.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a budget of nothing; any error of the store.
    pub async fn context(&self, session: &SessionId, options: &ContextOptions) -> Result<Context> {
        match options.budget {
            Budget::Tokens(0) => {
                return Err(Error::Invalid { field: "max_tokens", must: "at least 1" });
            }
            Budget::Turns(0) => return Err(Error::Invalid { field: "last_turns", must: "at least 1" }),
            Budget::Messages(0) => {
                return Err(Error::Invalid { field: "last_messages", must: "at least 1" });
            }
            _ => {}
        }
        let key = self.key(session)?;
        let at = At { key: &key, now: self.clock.now() };
        let input = |(slice, state): (Slice, SummaryState), keep| Input {
            session: session.clone(),
            slice,
            state,
            keep,
        };
        match options.budget {
            Budget::Defaults => {
                let policy = self.policy();
                let mut window = policy.window;
                let mut read = self.unfolded(at, window).await?;
                let own = policy.with(&read.1.policy).window;
                if own > window {
                    window = own;
                    read = self.unfolded(at, window).await?;
                }
                Ok(assemble(input(read, Some(own)), options, &self.memo))
            }
            Budget::Turns(_) | Budget::Messages(_) => {
                let window = match options.budget {
                    Budget::Messages(messages) => Window::Messages(messages),
                    Budget::Turns(turns) => Window::Turns(turns),
                    _ => Window::Turns(1),
                };
                let read = self.store.read_with_summary(at, Range::Window(window), Reader::Client).await?;
                Ok(assemble(input(read, None), options, &self.memo))
            }
            Budget::Tokens(tokens) => {
                let mut bytes = (u64::from(tokens) * BYTES_A_TOKEN + BYTES_AT_LEAST).min(BYTES_AT_MOST);
                loop {
                    let read = self
                        .store
                        .read_with_summary(at, Range::Window(Window::Bytes(bytes)), Reader::Client)
                        .await?;
                    let oldest =
                        read.0.entries.iter().find(|entry| entry.live().is_some()).map(|entry| entry.seq);
                    let context = assemble(input(read, None), options, &self.memo);
                    // Everything that was read is given, and there is more: perhaps more of that fits.
                    let short = oldest.is_some()
                        && context.explain.first_seq == oldest
                        && (context.explain.left_to_summary.is_some()
                            || !context.explain.left_out.is_empty())
                        && context.explain.cut.is_empty();
                    if !short || bytes >= BYTES_AT_MOST {
                        return Ok(context);
                    }
                    bytes = (bytes * 4).min(BYTES_AT_MOST);
                }
            }
        }
    }

    async fn unfolded(&self, at: At<'_>, window: u32) -> Result<(Slice, SummaryState)> {
        Ok(self
            .store
            .read_with_summary(at, Range::Unfolded(window.max(1), self.limits.page), Reader::Client)
            .await?)
    }
}
