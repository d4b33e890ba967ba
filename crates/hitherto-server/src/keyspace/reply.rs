//! What a command answers, before it is written for a wire.

use bytes::Bytes;

use crate::metrics::reply_code;

/// A reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    /// A short word: `OK`, `PONG`, `QUEUED`.
    Word(&'static str),
    /// An error, with its code in capitals first.
    Error(String),
    /// A number.
    Int(i64),
    /// Bytes.
    Bulk(Bytes),
    /// Nothing, where bytes could be.
    Null,
    /// Nothing, where a list could be.
    NullList,
    /// A list.
    List(Vec<Self>),
    /// Pairs; a flat list to clients that know no pairs.
    Map(Vec<(Self, Self)>),
}

impl Reply {
    pub(crate) const OK: Self = Self::Word("OK");

    /// How many bytes it is about.
    pub(crate) fn size(&self) -> usize {
        16 + match self {
            Self::Bulk(bytes) => bytes.len(),
            Self::List(all) => all.iter().map(Self::size).sum(),
            Self::Map(pairs) => pairs.iter().map(|(key, value)| key.size() + value.size()).sum(),
            Self::Error(text) => text.len(),
            Self::Word(_) | Self::Int(_) | Self::Null | Self::NullList => 0,
        }
    }

    /// An error. Its code is one of those by which errors are counted.
    pub(crate) fn error(text: impl Into<String>) -> Self {
        let text = text.into();
        debug_assert_ne!(reply_code(&text), "other", "REPLY_CODES of the metrics lacks the code of: {text}");
        Self::Error(text)
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Bulk(Bytes::copy_from_slice(text.as_bytes()))
    }

    pub(crate) fn flag(yes: bool) -> Self {
        Self::Int(yes.into())
    }

    pub(crate) fn count(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }
}
