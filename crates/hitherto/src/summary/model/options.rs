//! Which model writes the summaries, and how it is asked.
//!
//! Invariant: printing the options is safe. The key and the values of headers are wrapped, an address is shown
//! without its query, and of extra fields only the names are.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Map, Value};
use thiserror::Error;

/// The protocol that a model is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Api {
    /// Chat completions, of OpenAI and of all that are compatible with it.
    OpenAi,
    /// Chat completions as Azure has them: the key in a header of its own, the version in the address.
    Azure,
    /// Anthropic's messages.
    Anthropic,
}

impl Api {
    /// The protocol's name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Azure => "azure",
            Self::Anthropic => "anthropic",
        }
    }

    /// The protocol of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::OpenAi, Self::Azure, Self::Anthropic].into_iter().find(|api| api.as_str() == name)
    }
}

/// A model and how it is asked.
#[derive(Clone)]
#[non_exhaustive]
pub struct ModelOptions {
    /// The protocol. [`Api::OpenAi`] with an address at Azure is [`Api::Azure`].
    pub api: Api,
    /// The address: `https://api.openai.com/v1`, or the whole way to `…/chat/completions` or `…/messages`.
    /// It carries no user and no password.
    pub url: String,
    /// The model, as the protocol names it; at Azure the deployment.
    pub model: String,
    /// The key. Without one none is sent.
    pub key: Option<SecretString>,
    /// Headers sent besides; one that the protocol has is sent in the place of its own.
    pub headers: Vec<(String, SecretString)>,
    /// Fields of the request's body: each replaces the one of that name, and `null` takes it out.
    pub extra: Map<String, Value>,
    /// By when an answer is whole. Default 60 s.
    pub timeout: Duration,
    /// How many tokens of transcript the model is given at once. Default 6,000.
    pub input_tokens: usize,
    /// How many tokens it may write, hidden thoughts included.
    /// By default twice the summary's, and 4,096 more where hidden thoughts count.
    pub max_output: Option<u32>,
    /// A file with the certificates (PEM) of the only authorities to trust, in place of the system's.
    pub ca: Option<PathBuf>,
}

impl ModelOptions {
    /// A model without a key, and the defaults.
    pub fn new(api: Api, url: &str, model: &str) -> Self {
        Self {
            api,
            url: url.to_owned(),
            model: model.to_owned(),
            key: None,
            headers: Vec::new(),
            extra: Map::new(),
            timeout: Duration::from_secs(60),
            input_tokens: 6_000,
            max_output: None,
            ca: None,
        }
    }

    /// With this key.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(SecretString::from(key));
        self
    }

    /// With this header besides.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), SecretString::from(value)));
        self
    }

    /// With this field in the request's body.
    #[must_use]
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }
}

impl fmt::Debug for ModelOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        let fields: Vec<&String> = self.extra.keys().collect();
        f.debug_struct("ModelOptions")
            .field("api", &self.api)
            .field("url", &shown(&self.url))
            .field("model", &self.model)
            .field("key", &self.key.as_ref().map(|_| "…"))
            .field("headers", &headers)
            .field("extra", &fields)
            .field("timeout", &self.timeout)
            .field("input_tokens", &self.input_tokens)
            .field("max_output", &self.max_output)
            .field("ca", &self.ca)
            .finish()
    }
}

/// An address as it may be shown. A query may hold a key, and what cannot be read may hold anything.
fn shown(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| "(no address)".to_owned(),
        |url| format!("{}{}", url.origin().ascii_serialization(), url.path()),
    )
}

/// Why there is no such model summariser. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The address cannot be used.
    #[error("the model's address: {0}")]
    Address(String),
    /// No model is named.
    #[error("the model has no name")]
    NoModel,
    /// The key cannot be sent in a header.
    #[error("the model's key has characters that cannot be sent in a header")]
    Key,
    /// A header cannot be sent.
    #[error("the model's header {name:?}: {reason}")]
    Header {
        /// Its name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A field of the body that the summariser writes itself.
    #[error("the model's extra field {0:?} is not for extra fields: the summariser relies on its own")]
    Field(String),
    /// The certificates cannot be read.
    #[error("the certificates in {}: {reason}", path.display())]
    Certificates {
        /// Their file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No HTTP client could be made.
    #[error("no client for the model: {0}")]
    Client(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_the_options_shows_no_secret() {
        let mut options = ModelOptions::new(Api::OpenAi, "https://u:SECRET1@example.com/v1?key=SECRET2", "m")
            .key("SECRET3")
            .header("x-gateway", "SECRET4")
            .field("user", Value::from("SECRET5"));
        let printed = format!("{options:?}");
        assert!(!printed.contains("SECRET"), "{printed}");
        assert!(printed.contains("https://example.com/v1") && printed.contains("x-gateway"), "{printed}");

        options.url = "SECRET6 no address".to_owned();
        let printed = format!("{options:#?}");
        assert!(!printed.contains("SECRET"), "{printed}");
    }

    #[test]
    fn a_protocol_is_found_by_its_name() {
        for api in [Api::OpenAi, Api::Azure, Api::Anthropic] {
            assert_eq!(Api::parse(api.as_str()), Some(api));
        }
        assert_eq!(Api::parse("OpenAI"), None);
    }
}
