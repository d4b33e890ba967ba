//! A conversation as a file of messages, and as the lines that a summariser is given.

use std::path::Path;

use anyhow::{Context, Result, bail};
use hitherto::{Role, Timestamp, summary::Line};
use serde::Deserialize;

/// A conversation, oldest message first.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    name: Option<String>,
    content: String,
    created_at: Option<String>,
}

impl Conversation {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// From one JSON object a line.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let line = |(at, json): (usize, &str)| -> Result<Line> {
            let message: Message = serde_json::from_str(json).with_context(|| format!("line {}", at + 1))?;
            let role = match message.role.as_str() {
                "system" => Role::System,
                "user" => Role::User,
                "assistant" => Role::Assistant,
                "tool" => Role::Tool,
                other => bail!("line {}: no role is called {other:?}", at + 1),
            };
            let created = message.created_at.as_deref().and_then(Timestamp::parse_rfc3339);
            let mut line = Line::new(at as u64 + 1, role, &message.content);
            line.name = message.name;
            line.created_at = created.unwrap_or_default();
            Ok(line)
        };
        Ok(Self { lines: text.lines().enumerate().map(line).collect::<Result<_>>()? })
    }

    /// The lines, in pieces of so many turns; a turn begins with a message of the user.
    pub(super) fn turns(&self, turns: usize) -> Vec<Vec<Line>> {
        let mut pieces: Vec<Vec<Line>> = vec![Vec::new()];
        let mut begun = 0;
        for line in &self.lines {
            if line.role == Role::User {
                if begun == turns {
                    pieces.push(Vec::new());
                    begun = 0;
                }
                begun += 1;
            }
            pieces.last_mut().unwrap().push(line.clone());
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_cut_into_pieces_of_whole_turns() {
        let json = |role: &str| format!("{{\"role\":\"{role}\",\"content\":\"x\"}}\n");
        let text: String = ["assistant", "user", "assistant", "user", "user", "tool"].map(json).concat();
        let conversation = Conversation::parse(&text).unwrap();
        let pieces = conversation.turns(2);
        let seqs: Vec<Vec<u64>> =
            pieces.iter().map(|piece| piece.iter().map(|line| line.seq).collect()).collect();
        assert_eq!(seqs, [vec![1, 2, 3, 4], vec![5, 6]]);
    }
}
