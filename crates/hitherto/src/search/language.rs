//! The language of a text, as far as its stop words tell: it decides which endings are taken off words.
//!
//! Invariant: a guess is made only where one language has more stop words in the text than any other.

use std::collections::HashSet;

use snowball_stemmers_rs::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation as _;

/// A language in Latin letters whose endings are taken off words. Other scripts say by themselves what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Language {
    #[default]
    English,
    German,
    French,
    Spanish,
    Italian,
    Portuguese,
    Dutch,
}

/// Words that are frequent in one of the languages and rare, or none, in the others.
const STOP_WORDS: [(Language, &str); 7] = [
    (
        Language::English,
        "the and of to is are was that what how with for you it this have do does did where when",
    ),
    (
        Language::German,
        "der das und ist nicht ich ein eine zu mit auf für wie dem den von wir sie wo wann hat",
    ),
    (Language::French, "le les des et est une pour dans pas vous je nous du au quand où quel quelle avec ce"),
    (Language::Spanish, "el los las y en es por con para una qué cómo cuándo dónde mi su está muy"),
    (Language::Italian, "il lo gli che è di non per con sono della del quando dove come mi questo"),
    (Language::Portuguese, "o os não um uma é do da em para com quando onde como você meu minha está"),
    (Language::Dutch, "de het een en van is dat niet ik met voor op zijn wat hoe waar wanneer"),
];

/// How many words are looked at.
const WORDS: usize = 400;

impl Language {
    /// The language of a text; `None` if its words do not tell.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let words: Vec<String> = text.unicode_words().take(WORDS).map(str::to_lowercase).collect();
        let mut counts = STOP_WORDS.map(|(language, list)| {
            let list: HashSet<&str> = list.split(' ').collect();
            (words.iter().filter(|word| list.contains(word.as_str())).count(), language)
        });
        counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        match counts {
            [(first, language), (second, _), ..] if first > second => Some(language),
            _ => None,
        }
    }

    /// What takes off the endings of a word of this language, or of the script that the word is in.
    pub(super) fn stemmer(self, word: &str) -> Option<Stemmer> {
        let first = word.chars().next()?;
        let algorithm = match u32::from(first) {
            0x0370..=0x03FF | 0x1F00..=0x1FFF => Algorithm::Greek,
            0x0400..=0x052F => Algorithm::Russian,
            0x0600..=0x06FF => Algorithm::Arabic,
            0x0900..=0x097F => Algorithm::Hindi,
            0x0B80..=0x0BFF => Algorithm::Tamil,
            0x0000..=0x024F | 0x1E00..=0x1EFF => self.algorithm(),
            _ => return None,
        };
        first.is_alphabetic().then(|| Stemmer::create(algorithm))
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::English => Algorithm::English,
            Self::German => Algorithm::German,
            Self::French => Algorithm::French,
            Self::Spanish => Algorithm::Spanish,
            Self::Italian => Algorithm::Italian,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Dutch => Algorithm::Dutch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_tell_the_language() {
        let check = |text: &str, expected| assert_eq!(Language::of(text), expected, "{text:?}");
        check("What did we say about the meeting?", Some(Language::English));
        check("Wann ist der nächste Termin?", Some(Language::German));
        check("Quelle est la couleur de la voiture ?", Some(Language::French));
        check("¿Cuándo es la reunión con los clientes?", Some(Language::Spanish));
        check("Dove sono le chiavi della macchina?", Some(Language::Italian));
        check("Quando é a reunião? Não sei.", Some(Language::Portuguese));
        check("Waar is het station van Utrecht?", Some(Language::Dutch));
        check("", None);
        check("Gate 42", None);
        check("会议", None);
        check("Когда встреча?", None);
        check("the der", None);
    }
}
