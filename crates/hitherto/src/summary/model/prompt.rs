//! What the model is asked: the two templates beside this file, filled with a piece.
//!
//! Invariant: what people said cannot leave its place. The tags around it end in a code that occurs nowhere in
//! it, and a line of the transcript that begins in the first column is ours. The same piece makes the same
//! prompt.

use uuid::Uuid;

use crate::message::Role;
use crate::summary::{Line, Piece};

const SYSTEM: &str = include_str!("system.md");
const USER: &str = include_str!("user.md");

/// What stands in the place of the summary of a session that has none.
const NO_SUMMARY: &str = "(There is no summary yet.)";

/// How much of what was said is looked at to learn how long its words are, in bytes.
const SAMPLE: usize = 4096;

/// How long a speaker's name may be, in characters.
const NAME: usize = 64;

/// A request to a model, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt {
    /// The rules; the same for every piece.
    pub(super) system: String,
    /// The piece.
    pub(super) user: String,
    /// The code in its tags.
    pub(super) code: String,
}

impl Prompt {
    pub(super) fn of(piece: &Piece) -> Self {
        let previous = piece.previous.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let previous = previous.map_or_else(|| NO_SUMMARY.to_owned(), |text| plain(text, "\n"));
        let lines = transcript(&piece.lines);
        let code = code(&previous, &lines);
        let limit = limit(piece);
        let values = [("code", &*code), ("previous", &*previous), ("lines", &*lines), ("limit", &*limit)];
        Self { system: SYSTEM.trim_end().to_owned(), user: fill(USER.trim_end(), &values), code }
    }
}

/// The template with its `{names}` replaced, in one pass: what a value contains is not looked at again.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// A code that occurs in neither text. It comes from the texts, so that nobody who writes one can know it
/// beforehand and a prompt can be compared with a golden file.
fn code(previous: &str, lines: &str) -> String {
    let mut seed = format!("{previous}\n{lines}");
    loop {
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes()).simple().to_string();
        let code: String = hash.chars().take(12).collect();
        if !previous.contains(&code) && !lines.contains(&code) {
            return code;
        }
        seed.push_str(&code);
    }
}

fn transcript(lines: &[Line]) -> String {
    let mut out = String::new();
    let mut day = String::new();
    for line in lines {
        let said_on = day_of(line);
        if said_on != day {
            out.push_str(&format!("[{said_on}]\n"));
            day = said_on;
        }
        out.push_str(&speaker(line));
        out.push_str(&plain(line.text.trim(), "\n    "));
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

/// The day in UTC, as `2026-11-22`.
fn day_of(line: &Line) -> String {
    let mut time = Vec::new();
    line.created_at.write_rfc3339(&mut time);
    String::from_utf8_lossy(&time).chars().take(10).collect()
}

fn speaker(line: &Line) -> String {
    let role = line.role.as_str();
    let part = line.part.map(|(part, of)| format!("part {part} of {of}"));
    let name = line.name.as_deref().map(name).filter(|name| !name.is_empty());
    match (name, part) {
        (Some(name), Some(part)) => format!("{name} ({role}, {part}): "),
        (Some(name), None) => format!("{name} ({role}): "),
        (None, Some(part)) => format!("{role} ({part}): "),
        (None, None) => format!("{role}: "),
    }
}

/// A name that cannot pass for a role or for the end of one.
fn name(name: &str) -> String {
    let plain = |c: char| if c.is_control() || "():<>[]\u{2028}\u{2029}".contains(c) { ' ' } else { c };
    let name: String = name.chars().take(NAME).map(plain).collect();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text with `break_` for every kind of line break, and without other control characters.
fn plain(text: &str, break_: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push_str(break_),
            '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// How long the summary may be, in what a model can count: words, or characters where words are not set apart.
///
/// How many tokens a word has depends on the language (in English less than two, in Russian three, in Chinese
/// there are no spaces), so it is taken from what was said; a fifth is left as a margin, and more than 0.6 words
/// a token is never asked for.
fn limit(piece: &Piece) -> String {
    let sample = sample(piece);
    let most = piece.budget.saturating_mul(3) / 5;
    if sample.is_empty() {
        return format!("{most} words");
    }
    let tokens = piece.encoding.count(&sample).max(1);
    let (words, chars) = (sample.split_whitespace().count(), sample.chars().count());
    let allowed = |number: usize| piece.budget.saturating_mul(number).saturating_mul(4) / (tokens * 5);
    if words * 5 < tokens {
        format!("{} characters", allowed(chars).max(1))
    } else {
        format!("{} words", allowed(words).clamp(1, most.max(1)))
    }
}

/// The beginning of what was said, by people if any spoke: what tools answer is often no language at all.
fn sample(piece: &Piece) -> String {
    let speech = |line: &&Line| matches!(line.role, Role::User | Role::Assistant);
    let spoken: Vec<&str> = piece.lines.iter().filter(speech).map(|line| line.text.trim()).collect();
    let mut texts: Vec<&str> = piece.previous.as_deref().into_iter().chain(spoken).collect();
    if texts.iter().all(|text| text.is_empty()) {
        texts = piece.lines.iter().map(|line| line.text.trim()).collect();
    }
    let mut sample = String::new();
    for text in texts {
        let room = text.floor_char_boundary(SAMPLE.saturating_sub(sample.len()));
        sample.push_str(text.get(..room).unwrap_or_default());
        sample.push('\n');
    }
    sample.truncate(sample.trim_end().len());
    sample
}

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
