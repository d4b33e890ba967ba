//! Contexts and summaries, from a store or from a server's answer: JSON as the HTTP API writes it.

use hitherto::store::SummaryState;
use hitherto::{Budget, ContextOptions, Encoding, Format, SummaryRole};
use serde::{Deserialize, Serialize};

/// What is asked of a context, in the words of the HTTP API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ContextQuery {
    /// At most so many tokens.
    pub(crate) max_tokens: Option<u32>,
    /// The newest so many turns.
    pub(crate) last_turns: Option<u32>,
    /// The model whose tokens are counted.
    pub(crate) model: Option<String>,
    /// How tokens are counted.
    pub(crate) encoding: Option<String>,
    /// In which role the summary is given.
    pub(crate) summary: Option<String>,
    /// In which form.
    pub(crate) format: Option<String>,
}

impl ContextQuery {
    /// The parameters that were given, as the HTTP API names them.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        [
            ("max_tokens", number(self.max_tokens)),
            ("last_turns", number(self.last_turns)),
            ("model", self.model.clone()),
            ("encoding", self.encoding.clone()),
            ("summary", self.summary.clone()),
            ("format", self.format.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// The same for a store; the command line has checked the words.
    pub(super) fn options(&self, default: Encoding) -> ContextOptions {
        let mut options = ContextOptions::default();
        options.budget = match (self.max_tokens, self.last_turns) {
            (Some(tokens), _) => Budget::Tokens(tokens),
            (None, Some(turns)) => Budget::Turns(turns),
            (None, None) => Budget::Defaults,
        };
        options.encoding = match (&self.model, &self.encoding) {
            (Some(model), _) => Encoding::of_model(model),
            (None, Some(name)) => Encoding::parse(name).unwrap_or(default),
            (None, None) => default,
        };
        options.summary = self.summary.as_deref().and_then(SummaryRole::parse).unwrap_or_default();
        options.format = self.format.as_deref().and_then(Format::parse).unwrap_or_default();
        options
    }
}

/// A session's summary and the version before it. As JSON it has the fields of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SummaryInfo {
    /// The session.
    pub(crate) session: String,
    /// How many times folding replaced it, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) folded: Option<u32>,
    /// The summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<Version>,
    /// The version before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Version>,
    /// Whether a message that it covers was changed since.
    pub(crate) stale: bool,
}

/// One version of a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    id: String,
    /// The text.
    pub(crate) text: String,
    /// The last message that it stands for.
    pub(crate) upto: u64,
    /// How many tokens it has.
    pub(crate) tokens: u64,
    /// What made it.
    pub(crate) by: String,
    /// Whether it was made in the stead of a model that failed.
    pub(crate) stand_in: bool,
    /// When it was made.
    #[serde(deserialize_with = "super::session::time")]
    pub(crate) updated_at: hitherto::Timestamp,
}

impl SummaryInfo {
    /// What a store knows.
    pub(super) fn new(session: &hitherto::SessionId, folded: Option<u32>, state: SummaryState) -> Self {
        let (summary, previous) = (state.current.map(Version::from), state.previous.map(Version::from));
        Self { session: session.as_str().to_owned(), folded, summary, previous, stale: state.stale }
    }
}

impl From<hitherto::summary::Summary> for Version {
    fn from(summary: hitherto::summary::Summary) -> Self {
        Self {
            id: summary.id.to_string(),
            text: summary.text,
            upto: summary.upto,
            tokens: summary.tokens,
            by: summary.by,
            stand_in: summary.stand_in,
            updated_at: summary.made_at,
        }
    }
}
