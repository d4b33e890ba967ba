//! The context: what goes into the next prompt, under a budget. Pure: it is made from what a store gave.
//!
//! Invariant: a context begins with a whole turn and goes on without gaps to the newest message; it is never over
//! its budget by the count of what is given; and what is not in it is named.

mod anthropic;
mod assemble;
mod explain;
mod openai;
mod options;
mod plan;
mod shorten;
mod view;

#[cfg(test)]
mod formats_tests;
#[cfg(test)]
#[allow(clippy::string_slice, reason = "a test stops where something is wrong")]
mod recount;
#[cfg(test)]
mod tests;

use crate::memory::StoredMessage;
use crate::message::push_string;
use crate::session::SessionId;
use crate::store::Seq;
use crate::summary::Summary;

pub(crate) use assemble::{Input, assemble};
pub use explain::{Cut, Explain, Given, Left, LeftOut};
pub use options::{Budget, ContextOptions, Format, SummaryRole};

/// What stands before a summary in a prompt.
pub const SUMMARY_LEAD_IN: &str = "Summary of the conversation so far:";

/// What goes into the next prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The session.
    pub session: SessionId,
    /// The summary, if it is given, with its text as it is given.
    pub summary: Option<Summary>,
    /// The messages, oldest first; one that was shortened has its content replaced.
    pub messages: Vec<StoredMessage>,
    /// How many tokens the prompt has in the encoding and format asked for, the summary included.
    ///
    /// Formats of messages count by OpenAI's published formula: 3 for each message, its role, its texts, its name and
    /// 1 more, of tool calls the id, name and arguments, the id of the call that a result is of; and 3 for the
    /// reply. An image is 765, or 85 in low detail; any other part is its JSON. The summary is a message. A text is
    /// counted whole.
    pub tokens: usize,
    /// Why it is what it is.
    pub explain: Explain,
    /// The summary's tokens as it is given, without what stands before it.
    summary_tokens: usize,
    /// The prompt as JSON, in a format that is not [`Format::Messages`].
    prompt: Option<Vec<u8>>,
}

impl Context {
    /// The prompt as JSON, in a format other than [`Format::Messages`]: a string for [`Format::Text`], a list for
    /// [`Format::OpenAi`] and [`Format::LangChain`], an object for [`Format::Anthropic`].
    pub fn prompt(&self) -> Option<&str> {
        std::str::from_utf8(self.prompt.as_deref()?).ok()
    }

    /// The last message that the summary given stands for.
    pub fn watermark(&self) -> Option<Seq> {
        self.summary.as_ref().map(|summary| summary.upto)
    }

    /// Appends the context as one JSON object:
    /// `{"session","summary":{"text","upto","tokens","by","updated_at"},"messages":[…],"tokens","explain":{…}}`,
    /// without `summary` if none is given, and with `prompt` in the place of `messages` in the other formats.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        use std::io::Write as _;
        out.extend_from_slice(b"{\"session\":");
        push_string(out, self.session.as_str());
        if let Some(summary) = &self.summary {
            out.extend_from_slice(b",\"summary\":{\"text\":");
            push_string(out, &summary.text);
            // Writing to a vector cannot fail.
            let _ = write!(out, ",\"upto\":{},\"tokens\":{},\"by\":", summary.upto, self.summary_tokens);
            push_string(out, &summary.by);
            out.extend_from_slice(b",\"updated_at\":\"");
            summary.made_at.write_rfc3339(out);
            out.extend_from_slice(b"\"}");
        }
        match &self.prompt {
            Some(prompt) => {
                out.extend_from_slice(b",\"prompt\":");
                out.extend_from_slice(prompt);
            }
            None => {
                out.extend_from_slice(b",\"messages\":[");
                for (at, message) in self.messages.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    message.write_json(out);
                }
                out.push(b']');
            }
        }
        let _ = write!(out, ",\"tokens\":{},\"explain\":", self.tokens);
        let _ = serde_json::to_writer(&mut *out, &self.explain);
        out.push(b'}');
    }

    /// The context as one JSON object; see [`Self::write_json`].
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}
