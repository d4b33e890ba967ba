//! Counting tokens: exactly where the encoding is known, by a safe estimate where it is not.
//!
//! Invariant: tiktoken's types are named in `tokens/exact` only. Counting is pure, so a count never has to be
//! forgotten: it belongs to a text, and an edited text is another one.

mod estimate;
mod exact;
mod memo;
mod model;
#[cfg(test)]
mod samples;

pub(crate) use memo::Memo;

/// How a model's text is cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// `o200k_base`, of OpenAI's newer models: counted exactly.
    #[default]
    O200k,
    /// `cl100k_base`, of GPT-4 and GPT-3.5: counted exactly.
    Cl100k,
    /// Any other model's: estimated from the kinds of characters, more rather than less. On English prose it gives
    /// a fifth to a third more than OpenAI's encodings do, elsewhere more than that; it needs no table. It is not
    /// the count of any one model, and a text made up to be cut badly may have more.
    ///
    /// The rule, in tokens. A word of ASCII letters (a capital after a small letter begins another): 1 if it is one
    /// of the commonest words of English. Any other, in a text of which at least a quarter of the words are such:
    /// 1 for up to 4 letters and 1/4 for each letter more; in a text of fewer than an eighth, 1/2 and 1/2 for every
    /// letter; in between, in between. Rare pairs of letters, capitals inside a word and accents cost 3/8 to 1 more.
    /// A digit: 1, and 3/4 for each of the same after it. A mark of punctuation: 1, repeated half. A space before a
    /// word: nothing; other white space: 1, repeated an eighth. Cyrillic and Greek letters: about 1, Hebrew and Arabic
    /// 1 1/2, Kana 1 5/8, those of India and South-East Asia, Han and Hangul 2, emoji 3. Anything else: its bytes in
    /// UTF-8. To every text with words 1 more.
    Estimate,
}

impl Encoding {
    /// The encoding's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::O200k => "o200k",
            Self::Cl100k => "cl100k",
            Self::Estimate => "estimate",
        }
    }

    /// The encoding of that name: `o200k`, `o200k_base`, `cl100k`, `cl100k_base` or `estimate`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "o200k" | "o200k_base" => Some(Self::O200k),
            "cl100k" | "cl100k_base" => Some(Self::Cl100k),
            "estimate" => Some(Self::Estimate),
            _ => None,
        }
    }

    /// The encoding of that model: OpenAI's models have theirs, whatever date, provider or fine-tuning the name
    /// has besides; every other model is estimated.
    pub fn of_model(model: &str) -> Self {
        model::encoding(model)
    }

    /// Whether a count is the model's own. An estimate is not.
    pub const fn is_exact(self) -> bool {
        !matches!(self, Self::Estimate)
    }

    /// How many tokens a text is. Takes time in proportion to the text, whatever is in it, and the first count
    /// of an encoding loads its table (see [`Self::warm`]).
    ///
    /// Exact up to 8 KiB without a place where the encoding certainly parts, such as a space or a number after a
    /// word; a longer run (of one letter, of spaces, of ideographs without punctuation) is counted in pieces, and
    /// 16 more for each: never less than it has.
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::O200k | Self::Cl100k => exact::count(self, text),
            Self::Estimate => estimate::count(text),
        }
    }

    /// Loads the encoding's table, which takes 0.1 to 0.2 s, so that no count has to.
    pub fn warm(self) {
        self.count("");
    }
}
