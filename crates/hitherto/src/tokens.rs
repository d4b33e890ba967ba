//! Counting tokens: exactly where the encoding is known, by a safe estimate where it is not.
//!
//! Invariant: tiktoken's types are named in this module only. Counting is pure, so a count never has to be
//! forgotten: it belongs to a text, and an edited text is another one.

/// How a model's text is cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// `o200k_base`, of OpenAI's newer models: counted exactly.
    #[default]
    O200k,
    /// `cl100k_base`, of GPT-4 and GPT-3.5: counted exactly.
    Cl100k,
    /// Any other model's: estimated, more rather than less.
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

    /// How many tokens a text is.
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::O200k => tiktoken_rs::o200k_base_singleton().count_ordinary(text),
            Self::Cl100k => tiktoken_rs::cl100k_base_singleton().count_ordinary(text),
            Self::Estimate => text.len().div_ceil(2),
        }
    }
}
