//! What a summariser is given: the summary so far, and the messages that are leaving the window.

use crate::memory::StoredMessage;
use crate::message::Role;
use crate::store::Seq;
use crate::time::Timestamp;
use crate::tokens::Encoding;

/// One piece of work for a summariser.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece {
    /// The summary of all that came before the lines.
    pub previous: Option<String>,
    /// What was said after it, oldest first; never empty.
    pub lines: Vec<Line>,
    /// How many tokens the new summary may have.
    pub budget: usize,
    /// How tokens are counted.
    pub encoding: Encoding,
}

/// A message as a summariser reads it, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The message's sequence number.
    pub seq: Seq,
    /// Who speaks.
    pub role: Role,
    /// The name of the speaker or of the tool.
    pub name: Option<String>,
    /// When it was said.
    pub created_at: Timestamp,
    /// What is said, tool calls included.
    pub text: String,
    /// Which part this is of how many, for a message that is too long for one piece.
    pub part: Option<(u32, u32)>,
}

impl Piece {
    /// A piece of work.
    pub fn new(previous: Option<String>, lines: Vec<Line>, budget: usize, encoding: Encoding) -> Self {
        Self { previous, lines, budget, encoding }
    }
}

impl Line {
    /// A message of that role, said at the epoch, with no name and in one part.
    pub fn new(seq: Seq, role: Role, text: &str) -> Self {
        Self { seq, role, name: None, created_at: Timestamp::default(), text: text.to_owned(), part: None }
    }

    /// The message as one line; its tool calls are written out, parts that are no text are named.
    pub fn of(message: &StoredMessage) -> Self {
        let mut text = message.message.text();
        for call in message.message.tool_calls() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("[calls {}({})]", call.name, call.arguments));
        }
        Self {
            seq: message.seq,
            role: message.role(),
            name: message.message.name(),
            created_at: message.created_at,
            text,
            part: None,
        }
    }

    /// Who speaks, as a summary names them: the message's name, or its role.
    pub fn speaker(&self) -> &str {
        self.name.as_deref().unwrap_or(self.role.as_str())
    }
}
