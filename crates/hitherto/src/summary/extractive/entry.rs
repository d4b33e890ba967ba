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
        let text = &printable(text);
        let mut units = Vec::new();
        let mut code = false;
        let listed = text.trim().contains(is_line_end);
        for line in text.split(is_line_end) {
            let line = line.trim();
            if line.starts_with("```") || line.starts_with("~~~") {
                code = !code;
                continue;
            }
            read(if listed { without_bullet(line) } else { line }, code, limit, &mut units);
        }
        let speaker = Some(clean_speaker(speaker)).filter(|name| !name.is_empty());
        Self { speaker: speaker.unwrap_or_else(|| role.as_str().to_owned()), role: Some(role), units }
    }

    /// The entries of a summary: its own lines, or whatever a model or a person wrote.
    pub(super) fn of_summary(text: &str, limit: usize) -> Vec<Self> {
        let text = &printable(text);
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

    /// Appends some of its units, by their places, as one line; nothing for none.
    pub(super) fn write(&self, places: impl IntoIterator<Item = usize>, out: &mut String) {
        let mut before: Option<(usize, &Unit)> = None;
        for (at, unit) in places.into_iter().filter_map(|at| Some((at, self.units.get(at)?))) {
            match before {
                None => {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    self.begin(unit, out);
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

    /// A line with at most so many characters of a unit, which breaks off.
    pub(super) fn beginning(&self, unit: usize, chars: usize, with_speaker: bool) -> String {
        let mut out = String::new();
        let Some(unit) = self.units.get(unit) else { return out };
        if with_speaker {
            self.begin(unit, &mut out);
        }
        let cut = unit.text.char_indices().nth(chars).map_or(unit.text.len(), |(at, _)| at);
        let text = unit.text.get(..cut).unwrap_or(&unit.text);
        let whole_words = text.rfind(' ').filter(|at| cut < unit.text.len() && *at > cut / 2);
        out.push_str(text.get(..whole_words.unwrap_or(cut)).unwrap_or(text).trim_end());
        if cut < unit.text.len() {
            out.push(' ');
            out.push_str(GAP);
        }
        out
    }

    fn begin(&self, first: &Unit, out: &mut String) {
        if !self.speaker.is_empty() {
            out.push_str(&self.speaker);
            out.push_str(": ");
        }
        // At the beginning of a line, a mark of a list would be read as one.
        let listed = self.speaker.is_empty() && without_bullet(&first.text) != first.text;
        if first.inside || first.goes_on.is_some() || listed {
            out.push_str(GAP);
            out.push(' ');
        }
    }
}

impl Unit {
    fn new(Sentence { text, goes_on }: Sentence<'_>, code: bool) -> Self {
        Self { text: text.to_owned(), goes_on, gap: false, inside: false, broken: false, code }
    }

    /// What stands between a unit and this one right after it.
    fn joint(&self, last: &Self) -> &'static str {
        match self.goes_on {
            Some(joint) => joint,
            None if sentences::is_parted_without_space(&last.text, &self.text) => "",
            None if sentences::is_ended(&last.text) || last.text.ends_with([',', ':', '，', '：']) => " ",
            None => " · ",
        }
    }
}

/// Appends the units of one line. Spaces are made one, what cannot be printed goes.
fn read(line: &str, code: bool, limit: usize, units: &mut Vec<Unit>) {
    let first = units.len();
    let mut after_gap = false;
    let mut segment = String::new();
    let line: String =
        line.chars().filter(|c| c.is_whitespace() || c.is_control() || !is_override(*c)).collect();
    let tokens = line.split(char::is_whitespace).map(Some);
    for token in tokens.chain([None]) {
        if let Some(said) = token.filter(|token| ![GAP, ITEM].contains(token)) {
            if !segment.is_empty() && !said.is_empty() {
                segment.push(' ');
            }
            segment.push_str(said);
            continue;
        }
        if !segment.is_empty() {
            // What follows a gap begins inside a sentence, unless what stands before the gap ends one.
            let inside = after_gap && units.get(first..).and_then(<[_]>::last).is_none_or(|last| last.broken);
            let start = units.len();
            let sentences = sentences::split(&segment, limit).into_iter().map(without_marks);
            let said = sentences.filter(|sentence| !sentence.text.is_empty());
            units.extend(said.map(|sentence| Unit::new(sentence, code)));
            if let Some(unit) = units.get_mut(start) {
                (unit.gap, unit.inside) = (after_gap, inside);
            }
            segment.clear();
        }
        after_gap = token == Some(GAP);
        if let Some(last) = units.get_mut(first..).and_then(<[_]>::last_mut) {
            last.broken |= after_gap && !sentences::is_ended(&last.text);
        }
    }
}

/// The sentence without marks of this format that cutting has left at its ends.
fn without_marks(sentence: Sentence<'_>) -> Sentence<'_> {
    let mut words = sentence.text.split(' ');
    let mut text = sentence.text;
    while let Some(mark) = words.next().filter(|word| [GAP, ITEM].contains(word)) {
        text = text.strip_prefix(mark).unwrap_or(text).trim_start();
    }
    while let Some(mark) = words.next_back().filter(|word| [GAP, ITEM].contains(word)) {
        text = text.strip_suffix(mark).unwrap_or(text).trim_end();
    }
    Sentence { text, ..sentence }
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The text without what turns its direction, and with a space for each other character that cannot be printed.
fn printable(text: &str) -> String {
    let shown = text.chars().filter(|c| c.is_control() || !is_override(*c));
    shown.map(|c| if c.is_control() && !is_line_end(c) { ' ' } else { c }).collect()
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
        if !heading && !matches!(mark, "-" | "*" | "+" | "•" | "·" | "–" | "—" | ">") {
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
        && rest.split_whitespace().any(|word| ![GAP, ITEM].contains(&word))
        && clean_speaker(name) == name
    {
        return (name.to_owned(), rest);
    }
    (String::new(), line)
}
