//! What a model does with a request.

use std::fmt;
use std::sync::Arc;

use super::request::ModelRequest;

/// What a model does with one request.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub(super) kind: Kind,
    pub(super) headers: Vec<(String, String)>,
}

/// What makes a text out of a request.
pub(super) type Speech = Arc<dyn Fn(&ModelRequest) -> String + Send + Sync>;

#[derive(Clone)]
pub(super) enum Kind {
    /// A text, in the protocol's form.
    Text(Speech),
    /// The same as several content parts.
    Parts(Vec<String>),
    /// A text that ended for this reason (`finish_reason`, `stop_reason`).
    Ended { text: String, reason: String },
    /// The protocol's own form of a refusal.
    Refuses,
    /// An error in the protocol's form.
    Error { status: u16, code: String },
    /// Any answer.
    Raw { status: u16, content_type: String, body: Vec<u8> },
    /// The connection ends when the request has come in.
    CutBefore,
    /// The connection ends in the middle of the answer.
    CutWithin,
    /// Nothing is answered, and the connection stays.
    Silent,
    /// The head of an answer, and then a byte now and then, for ever.
    Drip,
    /// An answer with this status that never ends.
    Flood(u16),
}

impl Behaviour {
    /// Answers this text.
    pub fn says(text: &str) -> Self {
        let text = text.to_owned();
        Self::tells(move |_| text.clone())
    }

    /// Answers what this makes of the request.
    pub fn tells(speech: impl Fn(&ModelRequest) -> String + Send + Sync + 'static) -> Self {
        Kind::Text(Arc::new(speech)).into()
    }

    /// Answers all that it was asked by the user: for tests of what a model was given, not for a short summary.
    pub fn echo() -> Self {
        Self::tells(ModelRequest::user_text)
    }

    /// Answers a text in several content parts.
    pub fn says_in_parts(parts: &[&str]) -> Self {
        Kind::Parts(parts.iter().map(|part| (*part).to_owned()).collect()).into()
    }

    /// Answers a text that ended for this reason, in the protocol's own word: `length`, `max_tokens`, `tool_calls`.
    pub fn ends(text: &str, reason: &str) -> Self {
        Kind::Ended { text: text.to_owned(), reason: reason.to_owned() }.into()
    }

    /// Refuses in the protocol's own form: a `refusal` and no content, or `stop_reason` `refusal`.
    pub fn refuses() -> Self {
        Kind::Refuses.into()
    }

    /// Answers an error with the usual code of that status. Its message repeats the key and the request, as
    /// careless gateways do.
    pub fn status(status: u16) -> Self {
        let code = match status {
            401 => "invalid_api_key",
            404 => "model_not_found",
            429 => "rate_limit_exceeded",
            503 => "engine_overloaded",
            529 => "overloaded_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        Self::error(status, code)
    }

    /// Answers an error with that code.
    pub fn error(status: u16, code: &str) -> Self {
        Kind::Error { status, code: code.to_owned() }.into()
    }

    /// Answers just this.
    pub fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Kind::Raw { status, content_type: content_type.to_owned(), body: body.into() }.into()
    }

    /// Sends the client to another address.
    pub fn redirects(status: u16, to: &str) -> Self {
        Self::raw(status, "text/plain", "").with_header("location", to)
    }

    /// Closes the connection when the request has come in.
    pub fn cut_before_reply() -> Self {
        Kind::CutBefore.into()
    }

    /// Closes the connection in the middle of the answer.
    pub fn cut_within_reply() -> Self {
        Kind::CutWithin.into()
    }

    /// Never answers; the connection stays open until the client closes it.
    pub fn silent() -> Self {
        Kind::Silent.into()
    }

    /// Begins to answer, and sends a byte now and then, until the client closes the connection.
    pub fn drips() -> Self {
        Kind::Drip.into()
    }

    /// Answers without end, as fast as the client reads, until the client closes the connection.
    pub fn floods(status: u16) -> Self {
        Kind::Flood(status).into()
    }

    /// The same with this header besides.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl From<Kind> for Behaviour {
    fn from(kind: Kind) -> Self {
        Self { kind, headers: Vec::new() }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "text",
            Self::Parts(_) => "parts",
            Self::Ended { reason, .. } => reason,
            Self::Refuses => "refusal",
            Self::Error { code, .. } => code,
            Self::Raw { .. } => "raw",
            Self::CutBefore => "cut before the reply",
            Self::CutWithin => "cut within the reply",
            Self::Silent => "silent",
            Self::Drip => "drip",
            Self::Flood(_) => "flood",
        })
    }
}
