//! What a text is made of: words, numbers, and pairs of characters where a script has no spaces.
//!
//! Invariant: the same text gives the same words in the same order, in time linear in its length.

/// What kind of word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word.
    Plain,
    /// A word in capitals, or with a capital that no beginning of a sentence explains.
    Name,
    /// A word with a digit in it.
    Number,
    /// Two neighbouring characters of a script without spaces.
    Pair,
}

/// A word, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) kind: Kind,
}

/// The words of a sentence.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut out = Vec::new();
    let mut reader = Reader { out: &mut out, word: String::new(), joint: None, before: None, first: true };
    for c in text.chars() {
        reader.read(c);
    }
    reader.end_word();
    out
}

/// Scripts that are written without spaces between words.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x323AF)
}

struct Reader<'a> {
    out: &'a mut Vec<Word>,
    word: String,
    /// A mark inside a word, which belongs to it if a letter or digit follows: `3.5`, `don't`, `12:30`.
    joint: Option<char>,
    /// The character before, if its script has no spaces.
    before: Option<char>,
    /// Whether no word has ended yet.
    first: bool,
}

impl Reader<'_> {
    fn read(&mut self, c: char) {
        if is_unspaced(c) {
            self.end_word();
            if let Some(before) = self.before {
                self.out.push(Word { text: String::from_iter([before, c]), kind: Kind::Pair });
            }
            self.before = Some(c);
            return;
        }
        self.before = None;
        if c.is_alphanumeric() {
            if let Some(joint) = self.joint.take() {
                self.word.push(joint);
            }
            self.word.push(c);
        } else if is_mark(c) && !self.word.is_empty() && self.joint.is_none() {
            self.joint = Some(c);
        } else if !is_combining(c) {
            self.end_word();
        }
    }

    fn end_word(&mut self) {
        self.joint = None;
        if self.word.is_empty() {
            return;
        }
        let kind = kind(&self.word, self.first);
        let text = self.word.chars().flat_map(char::to_lowercase).map(|c| if c == '’' { '\'' } else { c });
        self.out.push(Word { text: text.collect(), kind });
        self.word.clear();
        self.first = false;
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '.' | ',' | ':' | '\'' | '’' | '-' | '_' | '/' | '@' | '+' | '&')
}

/// Marks that stand on a letter, as in Hindi or Arabic, are no letters, but end no word either.
fn is_combining(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036F | 0x0591..=0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F
        | 0x0900..=0x0D7F | 0x200C..=0x200F | 0xFE00..=0xFE0F)
}

fn kind(word: &str, first: bool) -> Kind {
    if word.chars().any(char::is_numeric) {
        return Kind::Number;
    }
    let mut chars = word.chars();
    let capital = chars.next().is_some_and(char::is_uppercase);
    let more = chars.next().is_some_and(char::is_uppercase);
    if capital && (more || !first) { Kind::Name } else { Kind::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_into_words() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[]),
            ("Hello, world!", &["hello", "world"]),
            ("I don't have 3.50 €, at 12:30.", &["i", "don't", "have", "3.50", "at", "12:30"]),
            ("mail ana@example.org - now", &["mail", "ana@example.org", "now"]),
            ("我叫王芳", &["我叫", "叫王", "王芳"]),
            ("我用Rust写", &["我用", "rust"]),
            ("👍👍 🎉", &[]),
            ("Größe: STRASSE", &["größe", "strasse"]),
        ];
        for (text, expected) in cases {
            let words: Vec<_> = words(text).into_iter().map(|word| word.text).collect();
            assert_eq!(words, expected, "{text:?}");
        }
    }

    #[test]
    fn a_word_is_plain_or_a_name_or_a_number_or_a_pair() {
        let cases = [
            ("The", Kind::Plain),
            ("in Berlin", Kind::Name),
            ("NASA", Kind::Name),
            ("the 3rd", Kind::Number),
            ("at house", Kind::Plain),
            ("王芳", Kind::Pair),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text).last().map(|word| word.kind), Some(expected), "{text:?}");
        }
    }
}
