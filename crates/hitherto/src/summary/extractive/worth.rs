//! What a sentence is worth: its words, rare ones most, and how much it is like a fact.
//!
//! Invariant: nothing here knows what a conversation is about, and what was kept before is weighed as what is new is:
//! its worth never depends on how often it was folded.

use std::collections::{HashMap, HashSet};

use crate::message::Role;

use super::entry::{Entry, Unit};
use super::markers;
use super::words::{self, Kind, Word};

/// A unit as it competes for a place in the summary.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Where its entry is, and where in that it stands itself.
    pub(super) entry: usize,
    pub(super) unit: usize,
    /// How many tokens it is by itself.
    pub(super) price: usize,
    /// Its words, by their places in the vocabulary, each once with its weight.
    pub(super) words: Vec<(usize, f32)>,
    /// By which what its words give is multiplied.
    pub(super) worth: f32,
}

/// The words of all that is in hand, and in how many entries each stands.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    places: HashMap<String, usize>,
    words: Vec<Seen>,
    entries: usize,
}

#[derive(Debug)]
struct Seen {
    entries: u32,
    last: usize,
}

impl Vocabulary {
    /// The place of a word, which is counted once an entry.
    fn place(&mut self, word: String, entry: usize) -> usize {
        let new = self.words.len();
        let place = *self.places.entry(word).or_insert(new);
        match self.words.get_mut(place) {
            Some(seen) if seen.last != entry => (seen.entries, seen.last) = (seen.entries + 1, entry),
            Some(_) => {}
            None => self.words.push(Seen { entries: 1, last: entry }),
        }
        place
    }

    /// What each word is worth: most if it is rare, nothing if it stands in every entry; a little more if it was said
    /// more than once. It is measured on a logarithmic scale from one entry to all, so that a word is worth about the
    /// same among forty entries in hand as among thousands.
    pub(super) fn rareness(&self) -> Vec<f32> {
        let all = (self.entries.max(2) as f32).ln();
        let rareness = |seen: &Seen| {
            let often = (seen.entries as f32).ln();
            (1.0 - often / all).max(0.0) * (1.0 + SAID_AGAIN * often)
        };
        self.words.iter().map(rareness).collect()
    }
}

// What follows was found by trying, on conversations of several kinds: docs/summaries.md has the figures.

/// How much more a word is worth that stands in e entries, e ≈ 2.7 times as many.
const SAID_AGAIN: f32 = 0.2;
const NAME: f32 = 1.3;
/// The first number of a sentence; each further one gives less, so that a table of readings does not win.
const NUMBER: f32 = 3.0;
const FURTHER_NUMBERS: f32 = 0.3;
/// A word of trouble, which is seldom the rarest of its sentence and still what it is about.
const TROUBLE_WORD: f32 = 2.0;
/// A word has about two pairs of characters.
const PAIR: f32 = 0.5;
/// Of the weight of a word of one letter; from six letters on it is whole.
const SHORT_WORD: f32 = 0.5;

/// Each mark of a fact multiplies the worth by `e` to this; all of them together by no more than `e` to `MOST`.
const TROUBLE: f32 = 1.0;
/// Not beside a trouble.
const EVENT: f32 = 0.7;
const MEASURE: f32 = 0.5;
const STATE: f32 = 0.3;
const FIRST_PERSON: f32 = 0.3;
const HAS_NUMBER: f32 = 0.2;
const PREFERENCE: f32 = 0.2;
const DECISION: f32 = 0.15;
const NEGATION: f32 = 0.15;
const MOST: f32 = 1.5;

const ANSWERED_QUESTION: f32 = 0.3;
const OPEN_QUESTION: f32 = 0.65;
/// What breaks off in the middle of a sentence, or begins there.
const FRAGMENT: f32 = 0.6;
/// Nothing but names and figures: a list, not a statement.
const DENSE: f32 = 0.6;
const CODE: f32 = 0.3;
const COURTESY: f32 = 0.15;
const ASSISTANT: f32 = 0.7;
const TOOL: f32 = 0.6;
const SYSTEM: f32 = 0.8;

/// The units of all entries, without those that were said before in the same words.
pub(super) fn candidates(entries: &[Entry], price: impl Fn(&str) -> usize) -> (Vec<Candidate>, Vocabulary) {
    let mut vocabulary = Vocabulary { entries: entries.len(), ..Vocabulary::default() };
    let mut out = Vec::new();
    let mut said = HashSet::new();
    for (entry, of) in entries.iter().enumerate() {
        let open = entry + 2 >= entries.len();
        for (unit, it) in of.units.iter().enumerate().filter(|(_, it)| said.insert(it.text.as_str())) {
            let marks = Marks::of(&it.text);
            let words = marks.words(entry, &mut vocabulary);
            let worth = marks.worth(words.len()) * by_form(it, open) * by_role(it, of.role);
            out.push(Candidate { entry, unit, price: price(&it.text), words, worth });
        }
    }
    (out, vocabulary)
}

/// The words of a unit, and what in it is like a fact.
#[derive(Debug)]
struct Marks {
    words: Vec<Word>,
    unspaced: bool,
    number: bool,
    /// By how much the logarithm of its worth rises.
    sum: f32,
}

impl Marks {
    fn of(text: &str) -> Self {
        let words = words::words(text);
        let unspaced = words.iter().any(|word| word.kind == Kind::Pair);
        let number = words.iter().any(|word| word.kind == Kind::Number);
        let any = |is: fn(&str) -> bool| words.iter().any(|word| is(&word.text));
        let [negation, decision, preference, first_person, trouble] =
            if unspaced { markers::unspaced(text) } else { [false; 5] };
        let trouble = trouble || (0..words.len()).any(|at| is_trouble(&words, at));
        let marks = [
            (trouble, TROUBLE),
            (!trouble && any(markers::is_event), EVENT),
            (any(markers::is_measure), MEASURE),
            (any(markers::is_state), STATE),
            (number, HAS_NUMBER),
            (first_person || any(markers::is_first_person), FIRST_PERSON),
            (preference || any(markers::is_preference), PREFERENCE),
            (decision || any(markers::is_decision), DECISION),
            (negation || any(markers::is_negation), NEGATION),
        ];
        let sum = marks.iter().filter(|(is, _)| *is).map(|(_, by)| by).sum();
        Self { words, unspaced, number, sum }
    }

    /// The words that carry something, each once, with their weights.
    fn words(&self, entry: usize, vocabulary: &mut Vocabulary) -> Vec<(usize, f32)> {
        let mut numbers = 0.0_f32;
        let mut out: HashMap<usize, f32> = HashMap::new();
        for (at, Word { text, kind }) in self.words.iter().enumerate() {
            let weight = match kind {
                Kind::Pair if markers::is_empty_pair(text) => continue,
                Kind::Pair => PAIR,
                _ if markers::is_empty(text) => continue,
                Kind::Number => {
                    numbers += 1.0;
                    NUMBER / numbers.powf(FURTHER_NUMBERS)
                }
                _ if is_trouble(&self.words, at) => TROUBLE_WORD,
                Kind::Name => NAME,
                Kind::Plain => {
                    let letters = text.chars().take(6).count() as f32;
                    1.0 - SHORT_WORD * (1.0 - letters / 6.0)
                }
            };
            out.entry(vocabulary.place(root(text, *kind).to_owned(), entry)).or_insert(weight);
        }
        let mut out: Vec<_> = out.into_iter().collect();
        out.sort_unstable_by_key(|(place, _)| *place);
        out
    }

    /// How much it is like a fact, if so many of its words carry something.
    fn worth(&self, carrying: usize) -> f32 {
        let all = self.words.len();
        let dense = !self.unspaced && all > 3 && carrying * 10 > all * 7 && !(self.number && all <= 5);
        self.sum.min(MOST).exp() * if dense { DENSE } else { 1.0 }
    }
}

/// Whether the word at a place is one of trouble. It is none right behind a negation: `no problem`, `pas de problème`.
fn is_trouble(words: &[Word], at: usize) -> bool {
    let negated = words.iter().take(at).rev().take(2).any(|before| markers::is_negation(&before.text));
    words.get(at).is_some_and(|word| markers::is_trouble(&word.text)) && !negated
}

/// The word without the `s` of a plural or a genitive.
fn root(text: &str, kind: Kind) -> &str {
    if matches!(kind, Kind::Number | Kind::Pair) || text.len() <= 3 {
        return text;
    }
    text.strip_suffix("'s").or_else(|| text.strip_suffix('s')).unwrap_or(text)
}

/// Questions, fragments and code are worth less.
fn by_form(unit: &Unit, open: bool) -> f32 {
    let mut by = 1.0;
    if unit.text.trim_end_matches(|c: char| !c.is_alphanumeric() && !is_question(c)).ends_with(is_question) {
        by *= if open { OPEN_QUESTION } else { ANSWERED_QUESTION };
    }
    if unit.text.ends_with(['-', '–', '—']) || unit.text.starts_with(['-', '–', '—']) {
        by *= FRAGMENT;
    }
    if unit.code { by * CODE } else { by }
}

fn is_question(c: char) -> bool {
    matches!(c, '?' | '？' | '؟')
}

/// What people say counts most; courtesies of anybody else hardly at all.
fn by_role(unit: &Unit, role: Option<Role>) -> f32 {
    let by = match role {
        Some(Role::User) => return 1.0,
        Some(Role::Assistant) => ASSISTANT,
        Some(Role::Tool) => TOOL,
        Some(Role::System) => SYSTEM,
        None => 1.0,
    };
    let start: String = unit.text.chars().take(40).flat_map(char::to_lowercase).collect();
    if markers::is_opening(&start) { by * COURTESY } else { by }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worth of a sentence of the user's among others, by the sum of its words.
    fn value(text: &str, role: Role) -> f32 {
        let others = ["Some words stand here.", "Other words stand there.", "And so on it goes."];
        let said = std::iter::once((text, role)).chain(others.map(|other| (other, Role::User)));
        let entries: Vec<Entry> = said.map(|(text, role)| Entry::of_message("x", role, text, 300)).collect();
        let (candidates, vocabulary) = candidates(&entries, str::len);
        let rareness = vocabulary.rareness();
        let of = |candidate: &Candidate| {
            candidate.worth
                * candidate.words.iter().map(|(word, weight)| weight * rareness[*word]).sum::<f32>()
        };
        candidates.iter().filter(|candidate| candidate.entry == 0).map(of).sum()
    }

    #[test]
    fn what_is_like_a_fact_is_worth_more() {
        let pairs = [
            ("My name is Zoë.", "The name could sound."),
            ("I am allergic to peanuts.", "Somebody could mention peanuts."),
            ("The meeting moved to Friday.", "The meeting would sound boring."),
            ("We decided against the red one.", "Maybe about the red one."),
            ("It costs 45 euros.", "It costs some euros."),
            ("The pump is broken.", "The pump could sound."),
            ("The pump is broken.", "The pump has started."),
            ("We have a problem here.", "We have a painting here."),
            ("We have a problem.", "No problem."),
            ("Wir haben ein Problem.", "Kein Problem."),
            ("Wir haben ein Problem.", "Wir haben ein Bild."),
            ("Nous avons un problème ici.", "Nous avons un tableau ici."),
            ("Tenemos un problema aquí.", "Tenemos un cuadro aquí."),
            ("我们的水泵坏了，漏水。", "我们的水泵很红，喝水。"),
            ("The pump is broken.", "Is the pump broken?"),
            ("The pump is broken.", "The pump is broken -"),
            ("我对花生过敏。", "花生怎么样呢？"),
            ("Ich bin gegen Nüsse allergisch.", "Nüsse und so weiter."),
        ];
        for (more, less) in pairs {
            assert!(value(more, Role::User) > value(less, Role::User), "{more:?}, {less:?}");
        }
    }

    #[test]
    fn greetings_and_thanks_are_worth_nothing() {
        for text in [
            "Hello!",
            "Okay, thanks.",
            "Thank you very much!",
            "Guten Tag!",
            "你好！",
            "谢谢！",
            "👍",
            "…",
            "?!",
        ] {
            assert!(value(text, Role::User) == 0.0, "{text:?}");
        }
    }

    #[test]
    fn courtesies_of_an_assistant_are_worth_hardly_anything() {
        let text = "Sure, I can help planning this wonderful journey.";
        assert!(value(text, Role::Assistant) < value(text, Role::User) * 0.2);
        assert!(
            value("We leave on Monday.", Role::Assistant) > value("We leave on Monday.", Role::User) * 0.5
        );
    }

    #[test]
    fn a_word_is_worth_less_the_more_entries_have_it() {
        let mut vocabulary = Vocabulary { entries: 100, ..Vocabulary::default() };
        for entry in 0..100 {
            vocabulary.place("all".to_owned(), entry);
            if entry % 10 == 0 {
                vocabulary.place("some".to_owned(), entry);
                vocabulary.place("some".to_owned(), entry);
            }
        }
        vocabulary.place("one".to_owned(), 0);
        let rareness = vocabulary.rareness();
        assert_eq!((rareness[0], rareness[2]), (0.0, 1.0));
        assert!((0.5..1.0).contains(&rareness[1]));
    }
}
