//! Errors as problem documents (RFC 9457). The one place where errors of the engine become HTTP.
//!
//! Invariant: a `code` once published keeps its meaning and its status.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hitherto::{Error, MessageError, NameError, Outcome, StoreError};
use serde_json::{Map, Value};

use crate::limits::TooSoon;
use crate::origin;

/// Declares the table of errors once: the enum, and everything that is known of each code.
macro_rules! codes {
    ($($name:ident $status:literal $code:literal $title:literal $todo:literal;)*) => {
        /// What went wrong, as clients tell it apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code { $(#[doc = $title] $name,)* }

        /// Every code, in the order of the reference page.
        pub(crate) const CODES: &[Code] = &[$(Code::$name,)*];

        impl Code {
            /// The name on the wire, the HTTP status, the title, and what to do about it.
            pub(crate) const fn entry(self) -> (&'static str, u16, &'static str, &'static str) {
                match self { $(Self::$name => ($code, $status, $title, $todo),)* }
            }
        }
    };
}

codes! {
    TlsRequired 400 "tls_required" "This port speaks HTTPS" "Write https in the address.";
    InvalidSessionId 400 "invalid_session_id" "Not a session id" "A session id is 1 to 512 bytes of UTF-8, percent-encoded in the path; a slash in it is %2F.";
    TokenMissing 401 "token_missing" "A token is required" "Send one as `Authorization: Bearer`; `hitherto token create` makes one.";
    TokenRefused 401 "token_refused" "The token is not accepted" "The detail says whether it is unknown, misspelt, expired or revoked. Get another.";
    HostUnknown 421 "host_unknown" "The server does not answer to that name" "It is open to this machine only, where every page in a browser could ask by a name of its own: ask for localhost or an address, or let it require tokens; insecure_no_auth lets it answer to every name.";
    ScopeMissing 403 "scope_missing" "The token does not allow this" "The detail names the scope that this needs. Use a token that has it.";
    SessionIdTooLong 414 "session_id_too_long" "The session id is too long" "Use a shorter id, or raise session_id_limit.";
    InvalidParameter 400 "invalid_parameter" "A parameter has a value that it cannot have" "The detail names it and says what it must be.";
    UnknownParameter 400 "unknown_parameter" "There is no such parameter" "The detail names it.";
    ConflictingParameters 400 "conflicting_parameters" "Parameters contradict each other" "Give one of them.";
    InvalidUser 400 "invalid_user" "Not a user" "A user is 1 to 512 bytes of UTF-8, percent-encoded in the path; a slash in it is %2F.";
    InvalidCursor 400 "invalid_cursor" "Not a cursor" "Use next_cursor of an earlier page as it came.";
    InvalidIdempotencyKey 400 "invalid_idempotency_key" "Not an idempotency key" "Send one Idempotency-Key header, UTF-8, 1 to 255 bytes.";
    UnsupportedMediaType 415 "unsupported_media_type" "The body is not declared as JSON" "Send Content-Type: application/json.";
    BodyTooLarge 413 "body_too_large" "The body is too large" "Send less at a time, or raise body_limit.";
    BodyTimeout 408 "body_timeout" "The body did not arrive in time" "Send the request again.";
    BodyIncomplete 400 "body_incomplete" "The body broke off" "Send the request again.";
    InvalidUtf8 400 "invalid_utf8" "The body is not UTF-8" "Encode the body as UTF-8.";
    InvalidJson 400 "invalid_json" "The body is not JSON" "The detail says where it stops being JSON.";
    UnknownField 400 "unknown_field" "There is no such field" "The detail names it. Fields of your own go into a message or its metadata.";
    InvalidField 400 "invalid_field" "A field has a value that it cannot have" "The detail names it and says what it must be.";
    MissingField 400 "missing_field" "A field is missing" "The detail names it.";
    InvalidMessage 400 "invalid_message" "A message is none" "`index` says which message of the append, counted from 0; the detail says why.";
    MessageTooLarge 413 "message_too_large" "A message is too large" "Make it smaller, or raise message_limit.";
    TooManyMessages 413 "too_many_messages" "Too many messages in one append" "Append them in parts, or raise messages_limit.";
    AppendTooLarge 413 "append_too_large" "The messages of one append are too large together" "Append them in parts.";
    MetadataTooLarge 413 "metadata_too_large" "The metadata are too large" "Keep less in them.";
    SummaryTooLarge 413 "summary_too_large" "The summary is too large" "A summary is at most 64 KiB of UTF-8.";
    NothingToDo 400 "nothing_to_do" "The request changes nothing" "The detail says what to give.";
    NotFound 404 "not_found" "There is nothing at this path" "See /docs.";
    MethodNotAllowed 405 "method_not_allowed" "The path does not take this method" "See the Allow header.";
    SessionNotFound 404 "session_not_found" "There is no such session" "It was never written to, was cleared, or has expired.";
    MessageNotFound 404 "message_not_found" "There is no such message" "It was never there, was deleted, or was removed by the maximum of messages.";
    SummaryNotFound 404 "summary_not_found" "The session has no summary" "It has one once enough has left its window; POST to its `fold` makes it at once.";
    SessionExists 409 "session_exists" "The session exists already" "Fork to another id, or leave it out and get a random one.";
    UserMismatch 409 "user_mismatch" "The session is another user's" "Nothing was stored. A session has one user, whom its first append names: use another session, or leave `user` out.";
    NoEarlierSummary 409 "no_earlier_summary" "There is no earlier summary to go back to" "Only the version before the summary is kept. Another one can be put by hand.";
    SummariesOff 409 "summaries_off" "Nothing is summarised here" "The program that serves was set up without a summariser.";
    IdempotencyKeyReused 422 "idempotency_key_reused" "The idempotency key was used for other messages" "Use a new key for a new append.";
    MessageUnreadable 500 "message_unreadable" "The stored message cannot be read" "It is kept as it is; a newer version may be able to read it.";
    KeysUnavailable 503 "keys_unavailable" "The keys of signed tokens cannot be read" "Send the request again later; if it stays so, look at jwt_keys.";
    StoreUnreachable 503 "store_unreachable" "The store cannot be reached" "Send the request again later.";
    StoreDisconnected 503 "store_disconnected" "The connection to the store broke" "With `stored` unknown, only an append with an Idempotency-Key can be sent again safely.";
    StoreLoading 503 "store_loading" "The store is loading its data" "Send the request again later.";
    StoreBusy 503 "store_busy" "The store is busy" "Send the request again later.";
    StoreReadOnly 503 "store_read_only" "The store takes no writes" "Send the request again later; if it stays so, look at the store.";
    NotReplicated 503 "not_replicated" "Stored, but not acknowledged by enough replicas" "An append with an Idempotency-Key can be sent again: it is answered with success once the replicas have it. Look at the replicas if it stays so.";
    StoreTimeout 504 "store_timeout" "The store did not answer in time" "With `stored` unknown, only an append with an Idempotency-Key can be sent again safely.";
    DeadlineExceeded 504 "deadline_exceeded" "The request took too long" "With `stored` unknown, only an append with an Idempotency-Key can be sent again safely.";
    RateLimited 429 "rate_limited" "Too many requests" "Send the request again after Retry-After, and fewer a second; `limit` says how many a server answers for the tenant.";
    TenantFull 429 "tenant_full" "The tenant is full" "Remove sessions or messages, or raise the tenant's limit; reading goes on.";
    SummariserFailed 502 "summariser_failed" "The summariser failed" "Nothing was changed. The detail says why; send the request again later, or look at the model.";
    StoreDenied 502 "store_denied" "The store denies access" "Look at the user and password that the server has for the store.";
    StoreFull 507 "store_full" "The store is full" "Make room in the store.";
    StoreNewerFormat 500 "store_newer_format" "The data were written by a newer version" "Use the version that wrote them, or a newer one.";
    StoreForeign 500 "store_foreign" "Something else lies where the session should" "Look at what the detail names; Hitherto leaves it alone.";
    StoreFailed 500 "store_failed" "The store failed" "The detail says what the store said.";
    ShuttingDown 503 "shutting_down" "The server is shutting down" "Send the request to another server, or again later.";
    WorkerDied 503 "worker_died" "A background task has died" "A defect: restart the server, and report what its log says.";
    Internal 500 "internal" "Something unforeseen" "Report it with the detail.";
}

impl Code {
    /// The name on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// The HTTP status.
    pub(crate) const fn status(self) -> u16 {
        self.entry().1
    }

    /// Where the code is explained: on the page that every server has.
    fn kind(self) -> String {
        format!("/docs#{}", self.as_str())
    }
}

/// After how long a summariser that failed may be tried again if it does not say.
const SUMMARISER_REST: Duration = Duration::from_secs(5);

/// One error on its way out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    code: Code,
    status: u16,
    detail: String,
    more: Map<String, Value>,
    /// In how many seconds the same request may succeed.
    retry: Option<u64>,
    /// How to show who one is, for `WWW-Authenticate`.
    challenge: Option<String>,
}

impl Problem {
    /// A problem with its detail for people.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            detail: detail.into(),
            more: Map::new(),
            retry: None,
            challenge: None,
        }
    }

    /// The same with one more member.
    pub(crate) fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.more.insert(member.to_owned(), value.into());
        self
    }

    /// The same, saying how to show who one is.
    pub(crate) fn challenge(mut self, how: String) -> Self {
        self.challenge = Some(how);
        self
    }

    /// The same, saying that a write may have been stored all the same.
    pub(crate) fn outcome_unknown(mut self) -> Self {
        if self.code != Code::NotReplicated {
            self.detail.push_str("; nobody can say whether what was written is stored");
        }
        self.with("stored", "unknown")
    }

    /// The same with status 503, whatever the reason: that is what a balancer looks at.
    pub(crate) fn unready(mut self) -> Self {
        self.status = 503;
        self
    }

    /// The code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// The document.
    pub(crate) fn document(&self) -> String {
        #[derive(serde::Serialize)]
        struct Document<'a> {
            r#type: String,
            title: &'a str,
            status: u16,
            detail: &'a str,
            code: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
            #[serde(flatten)]
            more: &'a Map<String, Value>,
        }
        let (code, _, title, _) = self.code.entry();
        let (detail, more) = (&self.detail, &self.more);
        let id = origin::request_id();
        let request_id = id.as_ref().map(origin::RequestId::as_str);
        let document =
            Document { r#type: self.code.kind(), title, status: self.status, detail, code, request_id, more };
        // Texts and numbers can always be written.
        serde_json::to_string(&document).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.document().into());
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self.code);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(secs) = self.retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if let Some(how) = self.challenge.and_then(|how| HeaderValue::try_from(how).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, how);
        }
        if let (Code::RateLimited, Some(limit)) = (self.code, self.more.get("limit").and_then(Value::as_u64))
        {
            headers.insert("x-ratelimit-limit", HeaderValue::from(limit));
            headers.insert("x-ratelimit-remaining", HeaderValue::from(0));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Name(error) => error.into(),
            Error::Message { index, error } => of_message(index, &error),
            Error::TooLarge { what, size, max } => {
                let code = match what {
                    "session id" => Code::SessionIdTooLong,
                    "message" => Code::MessageTooLarge,
                    "append" if size.ends_with("messages") => Code::TooManyMessages,
                    "append" => Code::AppendTooLarge,
                    "metadata" => Code::MetadataTooLarge,
                    "summary" => Code::SummaryTooLarge,
                    "idempotency key" => Code::InvalidIdempotencyKey,
                    _ => Code::InvalidParameter,
                };
                Self::new(code, detail).with("limit", max)
            }
            Error::Nothing(_) => Self::new(Code::NothingToDo, detail),
            Error::Invalid { field: "the idempotency key", .. } => {
                Self::new(Code::InvalidIdempotencyKey, detail)
            }
            Error::Invalid { .. } => Self::new(Code::InvalidField, detail),
            Error::Unreadable(seq) => Self::new(Code::MessageUnreadable, detail).with("seq", seq),
            Error::Full(full) => {
                let retry = Some(whole_seconds(full.retry_after));
                let problem = Self::new(Code::TenantFull, detail).with("what", full.what);
                Self { retry, ..problem.with("limit", full.limit) }
            }
            Error::SummariesOff => Self::new(Code::SummariesOff, detail),
            Error::NoEarlierSummary => Self::new(Code::NoEarlierSummary, detail),
            Error::Summariser(error) => {
                tracing::warn!(%error, "a fold that was waited for failed");
                let wait = error.retry_after().unwrap_or(SUMMARISER_REST);
                let secs = wait.as_millis().div_ceil(1000);
                Self { retry: u64::try_from(secs).ok(), ..Self::new(Code::SummariserFailed, detail) }
            }
            Error::Store(error) => error.into(),
            _ => Self::new(Code::Internal, detail),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Unreachable { .. } => Code::StoreUnreachable,
            StoreError::Disconnected { .. } => Code::StoreDisconnected,
            StoreError::TimedOut { .. } => Code::StoreTimeout,
            StoreError::Loading { .. } => Code::StoreLoading,
            StoreError::Busy { .. } => Code::StoreBusy,
            StoreError::Denied { .. } => Code::StoreDenied,
            StoreError::Full { .. } => Code::StoreFull,
            StoreError::ReadOnly { .. } => Code::StoreReadOnly,
            StoreError::NotReplicated { .. } => Code::NotReplicated,
            StoreError::NewerFormat { .. } => Code::StoreNewerFormat,
            StoreError::Foreign { .. } => Code::StoreForeign,
            StoreError::OnceMismatch | StoreError::OnceUnknown => Code::IdempotencyKeyReused,
            StoreError::NoSession => Code::SessionNotFound,
            StoreError::SessionExists => Code::SessionExists,
            StoreError::UserMismatch => Code::UserMismatch,
            StoreError::NoMessage(_) => Code::MessageNotFound,
            StoreError::Failed { .. } | StoreError::Disk { .. } => Code::StoreFailed,
            _ => Code::Internal,
        };
        if code.status() >= 500 {
            tracing::warn!(code = code.as_str(), %error, "the store failed");
        }
        let problem = Self { retry: error.is_retryable().then_some(1), ..Self::new(code, error.to_string()) };
        if error.outcome() == Outcome::Unknown { problem.outcome_unknown() } else { problem }
    }
}

impl From<TooSoon> for Problem {
    fn from(error: TooSoon) -> Self {
        let TooSoon { limit, wait } = error;
        let detail = format!("this server answers {limit} requests a second of a tenant");
        Self { retry: Some(whole_seconds(wait)), ..Self::new(Code::RateLimited, detail).with("limit", limit) }
    }
}

/// A time in whole seconds, at least one.
fn whole_seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        let detail = error.to_string();
        match error {
            NameError::TooLong { what: "user", max, .. } => {
                Self::new(Code::InvalidUser, detail).with("limit", max)
            }
            NameError::Empty { what: "user" } => Self::new(Code::InvalidUser, detail),
            NameError::TooLong { max, .. } => Self::new(Code::SessionIdTooLong, detail).with("limit", max),
            _ => Self::new(Code::InvalidSessionId, detail),
        }
    }
}

/// What a client gets that speaks HTTP without TLS to the port that has it: a whole answer, as bytes.
pub(crate) fn tls_required() -> String {
    let body = Problem::new(Code::TlsRequired, "this port speaks HTTPS, and the request came without TLS")
        .document();
    format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A message of an append that is none.
pub(super) fn of_message(index: usize, error: &MessageError) -> Problem {
    Problem::new(Code::InvalidMessage, format!("message {index}: {error}")).with("index", index)
}

/// `docs/errors.md`.
#[cfg(test)]
fn reference() -> String {
    use std::fmt::Write as _;
    let mut out = String::from(
        "# Errors of the HTTP API\n\n\
         Every error is an `application/problem+json` document (RFC 9457) with `type`, `title`, `status`, `detail` and `code`.\n\
         A `code` keeps its meaning; `detail` is for people and may change.\n\
         Beside them stand, where they apply: `limit` (the limit that was exceeded), `what` (of what a tenant has too much), `index` (which message of an append), `seq`, `request_id` (of the request, as the header `X-Request-Id` has it), and `stored`, which is `unknown` where a write may have been stored all the same.\n\
         A `Retry-After` header says that the same request may succeed later without anybody changing anything.\n\n\
         This page is written from the table in `crates/hitherto-server/src/http/problem.rs`; a test fails when the two differ.\n\n\
         | status | code | means | what to do |\n|---|---|---|---|\n",
    );
    for code in CODES {
        let (code, status, title, todo) = code.entry();
        let _ = writeln!(out, "| {status} | `{code}` | {title} | {todo} |");
    }
    out
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
