//! The project's own summariser: given everything at once, and in steps as a server folds.

use std::time::Instant;

use hitherto::summary::{Extractive, Piece};

use super::conversation::Conversation;
use super::{ENCODING, TURNS};

/// A summary that was made in steps.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) text: String,
    /// How long each step took.
    pub(super) millis: Vec<f64>,
}

pub(super) fn at_once(conversation: &Conversation, budget: usize) -> String {
    Extractive.summary(&Piece::new(None, conversation.lines.clone(), budget, ENCODING))
}

pub(super) fn in_steps(conversation: &Conversation, budget: usize) -> Folded {
    in_steps_of(conversation, budget, TURNS)
}

pub(super) fn in_steps_of(conversation: &Conversation, budget: usize, turns: usize) -> Folded {
    let mut previous = None;
    let mut millis = Vec::new();
    for lines in conversation.turns(turns) {
        let piece = Piece::new(previous.take(), lines, budget, ENCODING);
        let start = Instant::now();
        previous = Some(Extractive.summary(&piece));
        millis.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Folded { text: previous.unwrap_or_default(), millis }
}
