//! One entry of a summary: who spoke, and the sentences of one utterance. Read from a message or from the summary
//! before, and written as one line.
//!
//! Invariant: an entry is one line without control characters, and what was written is read back as the same entry:
//! `speaker: sentence sentence … sentence`, where `…` stands for what was left out.

use crate::message::Role;

use super::sentences::{self, Sentence};

/// Marks what was left out.
const GAP: &str = "…";
/// Parts the lines of a message that end as no sentence does.
const ITEM: &str = "·";
/// The most characters and words of a speaker's name.
const SPEAKER_CHARS: usize = 40;
const SPEAKER_WORDS: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Empty where nobody is named.
    pub(super) speaker: String,
    /// `None` where it is not known: in the summary before.
    pub(super) role: Option<Role>,
    pub(super) units: Vec<Unit>,
}

/// A sentence, or a part of a long one: what is kept or left out as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) text: String,
    /// It goes on in the middle of a sentence, parted by this from the unit before it.
    goes_on: Option<&'static str>,
    /// Something was left out before it.
    gap: bool,
    /// It begins in the middle of a sentence whose beginning was left out before.
    inside: bool,
    /// It breaks off.
    broken: bool,
    /// It stands in a block of code.
    pub(super) code: bool,
}

impl Entry {
    /// From a message; its lines become one.
    pub(super) fn of_message(speaker: &str, role: Role, text: &str, limit: usize) -> Self {
        let mut units = Vec::new();
        let mut code = false;
        for line in text.split(is_line_end) {
            let line = line.trim();
            if line.starts_with("```") || line.starts_with("~~~") {
                code = !code;
                continue;
            }
            read(without_bullet(line), code, limit, &mut units);
        }
        Self { speaker: clean_speaker(speaker), role: Some(role), units }
    }

    /// The entries of a summary: its own lines, or whatever a model or a person wrote.
    pub(super) fn of_summary(text: &str, limit: usize) -> Vec<Self> {
        let mut entries = Vec::new();
        for line in text.split(is_line_end) {
            let (speaker, said) = speaker_and_rest(without_bullet(line.trim()));
            let mut units = Vec::new();
            read(said, false, limit, &mut units);
            if !units.is_empty() {
                entries.push(Self { speaker, role: None, units });
            }
        }
        entries
    }

    /// Appends the units that are kept as one line; nothing if none is.
    pub(super) fn write(&self, mut keeps: impl FnMut(usize) -> bool, out: &mut String) {
        let mut before: Option<(usize, &Unit)> = None;
        for (at, unit) in self.units.iter().enumerate().filter(|(at, _)| keeps(*at)) {
            match before {
                None => {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    if !self.speaker.is_empty() {
                        out.push_str(&self.speaker);
                        out.push_str(": ");
                    }
                    if unit.inside || unit.goes_on.is_some() {
                        out.push_str(GAP);
                        out.push(' ');
                    }
                }
                Some((last, _)) if last + 1 != at || unit.gap => out.push_str(" … "),
                Some((_, last)) => out.push_str(unit.joint(last)),
            }
            out.push_str(&unit.text);
            before = Some((at, unit));
        }
        let Some((last, unit)) = before else { return };
        let goes_on = self.units.get(last + 1).is_some_and(|next| next.goes_on.is_some());
        if (goes_on || unit.broken) && !sentences::is_ended(&unit.text) {
            out.push(' ');
            out.push_str(GAP);
        }
    }
}

impl Unit {
    /// The unit with a shorter text, which breaks off.
    pub(super) fn shortened(&self, text: &str) -> Self {
        Self { text: text.trim_end().to_owned(), broken: true, ..self.clone() }
    }

    /// What stands between a unit and this one right after it.
    fn joint(&self, last: &Self) -> &'static str {
        match self.goes_on {
            Some(joint) => joint,
            None if sentences::is_ended_at_once(&last.text) => "",
            None if sentences::is_ended(&last.text) || last.text.ends_with([',', ':', '，', '：']) => " ",
            None => " · ",
        }
    }
}

/// Appends the units of one line. Spaces are made one, what cannot be printed goes.
fn read(line: &str, code: bool, limit: usize, units: &mut Vec<Unit>) {
    let first = units.len();
    let mut gap = false;
    let mut segment = String::new();
    for token in line.split(|c: char| c.is_whitespace() || c.is_control()).chain([GAP]) {
        if token != GAP && token != ITEM {
            if !token.is_empty() && !segment.is_empty() {
                segment.push(' ');
            }
            segment.extend(token.chars().filter(|c| !is_override(*c)));
            continue;
        }
        if !segment.is_empty() {
            // What follows a gap begins inside a sentence if what stands before it does not end one.
            let inside = gap && units.get(first..).and_then(<[_]>::last).is_none_or(|last| last.broken);
            let start = units.len();
            for Sentence { text, goes_on } in sentences::split(&segment, limit) {
                let text = text.to_owned();
                units.push(Unit { text, goes_on, gap: false, inside: false, broken: false, code });
            }
            if let Some(unit) = units.get_mut(start) {
                (unit.gap, unit.inside) = (gap, inside);
            }
            segment.clear();
        }
        gap = token == GAP;
        if let Some(last) = units.get_mut(first..).and_then(<[_]>::last_mut) {
            last.broken = gap && !sentences::is_ended(&last.text);
        }
    }
    // The end of the line was read as a gap.
    let ends_in_gap = line.trim_end().ends_with(GAP) && line.split_whitespace().next_back() == Some(GAP);
    if let Some(last) = units.get_mut(first..).and_then(<[_]>::last_mut) {
        last.broken &= ends_in_gap;
    }
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Turns the direction of what follows, which could make a line read as something else.
fn is_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}') || c.is_control()
}

/// The line without the mark of a list, a heading or a quotation.
fn without_bullet(line: &str) -> &str {
    let mut line = line;
    while let Some((mark, rest)) = line.split_once(' ') {
        let heading = !mark.is_empty() && mark.chars().all(|c| c == '#');
        if !heading && !matches!(mark, "-" | "*" | "+" | "•" | "–" | "—" | ">") {
            break;
        }
        line = rest.trim_start();
    }
    line
}

/// A speaker's name that is read back as one.
fn clean_speaker(name: &str) -> String {
    let parted = |c: char| {
        c.is_whitespace()
            || is_override(c)
            || matches!(c, ':' | '.' | '!' | '?' | '…' | ';' | '。' | '！' | '？' | '｡')
    };
    let words: Vec<&str> = name.split(parted).filter(|word| !word.is_empty()).take(SPEAKER_WORDS).collect();
    let short: String = words.join(" ").chars().take(SPEAKER_CHARS).collect();
    without_bullet(short.trim()).to_owned()
}

fn speaker_and_rest(line: &str) -> (String, &str) {
    if let Some((name, rest)) = line.split_once(": ")
        && name.chars().count() <= SPEAKER_CHARS
        && !name.is_empty()
        && !rest.trim().is_empty()
        && clean_speaker(name) == name
    {
        return (name.to_owned(), rest);
    }
    (String::new(), line)
}
