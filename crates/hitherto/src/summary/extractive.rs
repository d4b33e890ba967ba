//! The extractive summariser: it keeps sentences that were said, and needs no model and no network.
//!
//! It cuts the summary before and the new lines into sentences ([`entry`], [`sentences`]), weighs them ([`worth`], by
//! [`words`] and [`markers`]) and keeps the best cover of rare words that fits ([`cover`]). The design and its figures
//! are in `docs/summaries.md`.
//!
//! Invariant: it is a pure function of the piece; its text is never longer than the budget by an exact count, and
//! empty only if nothing was given to say.

mod cover;
mod entry;
mod markers;
mod sentences;
mod words;
mod worth;

#[cfg(test)]
mod tests;

use async_trait::async_trait;

use self::cover::Cover;
use self::entry::Entry;
use self::worth::Candidate;
use super::{Line, Piece, Summariser, SummariserError};
use crate::message::Role;
use crate::tokens::Encoding;

/// How many tokens of transcript are folded at once: a few milliseconds of work for each thousand.
const INPUT_TOKENS: usize = 16_000;
/// How many messages are weighed together. A large piece keeps the same as the same messages in small pieces do.
const STEP: usize = 40;
/// The longest part of a sentence that is kept or left out as a whole, in characters.
const LONGEST: usize = 400;
const SHORTEST: usize = 20;
/// The end of a line, what parts the speaker from what is said, and `…` at one end.
const LINE_TOKENS: usize = 3;
/// How often the text is counted and what is left of the budget is used.
const ROUNDS: usize = 6;
/// With less than this left it is full.
const FULL: usize = 8;

/// Keeps what carries the most of what was said, in its own words: one line an utterance, `speaker: sentences`, in the
/// order in which it was said; `…` stands for what was left out.
///
/// It is deterministic, works offline and in any language, and reads back its own summaries as well as those that a
/// model or a person wrote.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extractive;

impl Extractive {
    /// The summary of a piece, in at most `piece.budget` tokens; empty if the piece says nothing, or if nothing of it
    /// fits into a budget of a few tokens.
    pub fn summary(&self, piece: &Piece) -> String {
        let Piece { previous, lines, budget, encoding } = piece;
        let mut text = previous.clone().unwrap_or_default();
        for lines in lines.chunks(STEP) {
            text = Step { previous: &text, lines, budget: *budget, encoding: *encoding }.summary();
        }
        text
    }
}

#[async_trait]
impl Summariser for Extractive {
    fn name(&self) -> String {
        "extractive".to_owned()
    }

    fn input_tokens(&self) -> usize {
        INPUT_TOKENS
    }

    async fn summarise(&self, piece: &Piece) -> Result<String, SummariserError> {
        let text = self.summary(piece);
        if text.is_empty() { Err(SummariserError::Empty) } else { Ok(text) }
    }
}

/// A part of a piece, small enough that rare words are rare around here and not in the whole conversation.
#[derive(Debug)]
struct Step<'a> {
    previous: &'a str,
    lines: &'a [Line],
    budget: usize,
    encoding: Encoding,
}

impl Step<'_> {
    fn summary(&self) -> String {
        let limit = self.budget.saturating_mul(2).clamp(SHORTEST, LONGEST);
        let entries = self.entries(limit);
        let (candidates, vocabulary) = worth::candidates(&entries, |text| self.encoding.count(text));
        let opening = entries.iter().map(|entry| self.encoding.count(&entry.speaker) + LINE_TOKENS).collect();
        let mut cover = Cover::new(&candidates, vocabulary.rareness(), opening);
        let text = self.fill(&entries, &candidates, &mut cover);
        if text.is_empty() { self.shortened(&entries, &candidates, &cover) } else { text }
    }

    /// What the summary before says, then the new lines.
    fn entries(&self, limit: usize) -> Vec<Entry> {
        let mut entries = Entry::of_summary(self.previous, limit);
        for entry in &mut entries {
            entry.role = self.role(&entry.speaker);
        }
        let new =
            self.lines.iter().map(|line| Entry::of_message(line.speaker(), line.role, &line.text, limit));
        entries.extend(new.filter(|entry| !entry.units.is_empty()));
        entries
    }

    /// Which role a speaker of the summary before has, as far as the new lines tell.
    fn role(&self, speaker: &str) -> Option<Role> {
        let known = [Role::User, Role::Assistant, Role::Tool, Role::System];
        let of_name = known.into_iter().find(|role| role.as_str() == speaker);
        of_name.or_else(|| self.lines.iter().find(|line| line.speaker() == speaker).map(|line| line.role))
    }

    /// Chooses as much as fits by an exact count of the whole text.
    fn fill(&self, entries: &[Entry], candidates: &[Candidate], cover: &mut Cover<'_>) -> String {
        let mut left = self.budget;
        for _ in 0..ROUNDS {
            if !cover.choose(left) {
                break;
            }
            left = self.budget.saturating_sub(self.encoding.count(&written(entries, candidates, cover)));
            if left < FULL {
                break;
            }
        }
        if cover.chosen().is_empty() {
            cover.choose_any(self.budget);
        }
        loop {
            let text = written(entries, candidates, cover);
            let over = self.encoding.count(&text).saturating_sub(self.budget);
            if over == 0 {
                return text;
            }
            cover.give_up(over);
        }
    }

    /// The beginning of the best sentence, where no sentence fits as it is.
    fn shortened(&self, entries: &[Entry], candidates: &[Candidate], cover: &Cover<'_>) -> String {
        let best = cover.best().and_then(|at| candidates.get(at));
        let Some((entry, best)) = best.and_then(|best| Some((entries.get(best.entry)?, best))) else {
            return String::new();
        };
        let mut chars = entry.units.get(best.unit).map_or(0, |unit| unit.text.chars().count());
        while chars > 0 {
            for text in [entry.beginning(best.unit, chars, true), entry.beginning(best.unit, chars, false)] {
                if self.encoding.count(&text) <= self.budget {
                    return text;
                }
            }
            chars = chars * 3 / 4;
        }
        String::new()
    }
}

fn written(entries: &[Entry], candidates: &[Candidate], cover: &Cover<'_>) -> String {
    let mut kept: Vec<(usize, usize)> = (cover.chosen().iter().filter_map(|at| candidates.get(*at)))
        .map(|candidate| (candidate.entry, candidate.unit))
        .collect();
    kept.sort_unstable();
    let mut out = String::new();
    for units in kept.chunk_by(|a, b| a.0 == b.0) {
        if let Some(entry) = units.first().and_then(|(entry, _)| entries.get(*entry)) {
            entry.write(units.iter().map(|(_, unit)| *unit), &mut out);
        }
    }
    out
}
