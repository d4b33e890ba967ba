//! What a text is made of where it is searched: words without their endings, and single characters and pairs of them
//! where a script has no spaces.
//!
//! Invariant: linear in the length of the text; no word costs more for being long; what is remembered is bounded.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation as _;

use super::language::Language;

/// Longer words are no words: they count for the length of a text and are never found.
const WORD_BYTES: usize = 128;

/// For what a text is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// What is asked for. Of several characters without spaces, only pairs: each pair says more than its halves.
    Question,
    /// What is searched. Of characters without spaces, every one and every pair, so that a question of one character
    /// finds it, too.
    Message,
}

/// How many words are remembered with their stems.
const KNOWN: usize = 50_000;

/// Takes texts of one language apart. It remembers the stems of words: a conversation has few different ones, and
/// finding a stem costs ten times what finding the word does.
#[derive(Debug)]
pub(super) struct Reader {
    language: Language,
    known: HashMap<String, String>,
}

impl Reader {
    pub(super) fn new(language: Language) -> Self {
        Self { language, known: HashMap::new() }
    }

    /// Gives each term of a text to `found`, and says how long the text is, in words.
    pub(super) fn terms(&mut self, text: &str, as_what: As, mut found: impl FnMut(&str)) -> u32 {
        let mut length: u32 = 0;
        let mut term = String::new();
        for (run, unspaced) in runs(text) {
            if unspaced {
                length = length.saturating_add(characters(run, as_what, &mut term, &mut found));
                continue;
            }
            for word in run.unicode_words() {
                length = length.saturating_add(1);
                if word.len() > WORD_BYTES {
                    continue;
                }
                if let Some(stem) = self.known.get(word) {
                    found(stem);
                    continue;
                }
                let stem = self.stem(word);
                found(&stem);
                if self.known.len() < KNOWN {
                    self.known.insert(word.to_owned(), stem);
                }
            }
        }
        length
    }

    fn stem(&self, word: &str) -> String {
        let word: String =
            word.chars().flat_map(char::to_lowercase).map(|c| if c == '’' { '\'' } else { c }).collect();
        match self.language.stemmer(&word) {
            Some(stemmer) => stemmer.stem(&word).into_owned(),
            None => word,
        }
    }
}

/// The terms of characters of a script without spaces, and how many characters they are.
fn characters(run: &str, as_what: As, term: &mut String, found: &mut impl FnMut(&str)) -> u32 {
    let mut length: u32 = 0;
    let mut before = None;
    for c in run.chars().filter(|c| c.is_alphanumeric()) {
        length = length.saturating_add(1);
        if as_what == As::Message {
            term.clear();
            term.push(c);
            found(term);
        }
        if let Some(before) = before.replace(c) {
            term.clear();
            term.extend([before, c]);
            found(term);
        }
    }
    if let (As::Question, 1, Some(only)) = (as_what, length, before) {
        term.clear();
        term.push(only);
        found(term);
    }
    length
}

/// The text in runs, and whether the characters of each stand without spaces.
fn runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let unspaced = is_unspaced(rest.chars().next()?);
        let end = rest.find(|c| is_unspaced(c) != unspaced).unwrap_or(rest.len());
        let (run, more) = rest.split_at_checked(end)?;
        rest = more;
        Some((run, unspaced))
    })
}

/// Scripts that are written without spaces between words; and Hangul, whose words end in particles of many kinds.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x323AF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, language: Language, as_what: As, expected: &[&str], length: u32) {
        let mut found = Vec::new();
        let mut reader = Reader::new(language);
        // Once more, now that the words are known.
        reader.terms(text, as_what, |_| {});
        let counted = reader.terms(text, as_what, |term| found.push(term.to_owned()));
        assert_eq!(
            (found.iter().map(String::as_str).collect::<Vec<_>>(), counted),
            (expected.to_vec(), length)
        );
    }

    #[test]
    fn a_text_is_taken_apart() {
        use Language::{English, French, German};
        check("", English, As::Message, &[], 0);
        check("… 👍 !", English, As::Message, &[], 0);
        check("Flights, FLYING to", English, As::Message, &["flight", "fli", "to"], 3);
        check("Ada’s gates don't", English, As::Message, &["ada", "gate", "don't"], 3);
        check("3.50 gpt-4o", English, As::Message, &["3.50", "gpt", "4o"], 3);
        check("Die Häuser", German, As::Message, &["die", "haus"], 2);
        check("chevaux cheval", French, As::Message, &["cheval", "cheval"], 2);
        check("встречи встреча", English, As::Message, &["встреч", "встреч"], 2);
        check("王", English, As::Question, &["王"], 1);
        check("王芳叫", English, As::Question, &["王芳", "芳叫"], 3);
        check("王芳", English, As::Message, &["王", "芳", "王芳"], 2);
        check("我用Rust写", English, As::Question, &["我用", "rust", "写"], 4);
        check("서울에", English, As::Question, &["서울", "울에"], 3);
        let long = "x".repeat(WORD_BYTES + 1);
        check(&format!("a {long} b"), English, As::Message, &["a", "b"], 3);
    }
}
