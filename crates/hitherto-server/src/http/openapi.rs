//! `GET /openapi.json`: the OpenAPI 3.1 document, built from one table of operations.
//!
//! The handlers read and write JSON by hand, so there are no types that a document could be derived from;
//! tests hold the table to the routes and to the answers instead.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::openapi_schemas::schemas;
use super::problem::Code;
use crate::access::Need;

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    summary: &'static str,
    /// What it needs of a credential; `None` for what anybody may ask.
    pub(super) need: Option<Need>,
    parameters: &'static [&'static str],
    /// The schema of the body, and whether there must be one.
    body: Option<(&'static str, bool)>,
    /// Statuses of success, what they mean, and the schemas of their answers.
    answers: &'static [(&'static str, &'static str, Option<&'static str>)],
    errors: &'static [Code],
}

const SESSION: &str = "/v1/sessions/{id}";
const MESSAGES: &str = "/v1/sessions/{id}/messages";
const SUMMARY: &str = "/v1/sessions/{id}/summary";
const MESSAGE: &str = "/v1/sessions/{id}/messages/{seq}";

/// Errors that every operation with a body can have.
const BODY_ERRORS: &[Code] = &[
    Code::UnsupportedMediaType,
    Code::BodyTooLarge,
    Code::BodyTimeout,
    Code::BodyIncomplete,
    Code::InvalidUtf8,
    Code::InvalidJson,
    Code::UnknownField,
    Code::InvalidField,
];
/// Errors that every operation can have that needs a credential.
const TOKEN_ERRORS: &[Code] =
    &[Code::TokenMissing, Code::TokenRefused, Code::HostUnknown, Code::ScopeMissing, Code::KeysUnavailable];
/// Errors that every operation on a session can have.
const SESSION_ERRORS: &[Code] = &[Code::InvalidSessionId, Code::SessionIdTooLong];
/// Errors that every operation on the store can have.
const STORE_ERRORS: &[Code] = &[
    Code::UnknownParameter,
    Code::RateLimited,
    Code::StoreUnreachable,
    Code::StoreDisconnected,
    Code::StoreLoading,
    Code::StoreBusy,
    Code::StoreReadOnly,
    Code::NotReplicated,
    Code::StoreTimeout,
    Code::DeadlineExceeded,
    Code::StoreDenied,
    Code::StoreFull,
    Code::StoreNewerFormat,
    Code::StoreForeign,
    Code::StoreFailed,
    Code::Internal,
];

/// All operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        method: "post",
        path: MESSAGES,
        id: "appendMessages",
        summary: "Append one message or many: all of them, in order and next to one another, or none.",
        need: Some(Need::Write),
        parameters: &["id", "Idempotency-Key"],
        body: Some(("Append", true)),
        answers: &[
            ("201", "They are stored.", Some("Appended")),
            (
                "200",
                "A repeat of an append with the same Idempotency-Key: nothing was stored, and this is the first one's answer.",
                Some("Appended"),
            ),
        ],
        errors: &[
            Code::InvalidIdempotencyKey,
            Code::MissingField,
            Code::InvalidMessage,
            Code::NothingToDo,
            Code::MessageTooLarge,
            Code::TooManyMessages,
            Code::AppendTooLarge,
            Code::IdempotencyKeyReused,
            Code::InvalidUser,
            Code::UserMismatch,
            Code::TenantFull,
        ],
    },
    Operation {
        method: "get",
        path: MESSAGES,
        id: "readMessages",
        summary: "Read the newest whole turns, or a page of messages, oldest first. Without parameters, the newest 100. An unknown session reads as an empty one.",
        need: Some(Need::Read),
        parameters: &["id", "last_turns", "last_messages", "after", "before", "limit"],
        body: None,
        answers: &[("200", "The messages.", Some("Messages"))],
        errors: &[Code::InvalidParameter, Code::ConflictingParameters],
    },
    Operation {
        method: "get",
        path: MESSAGE,
        id: "getMessage",
        summary: "Read one message.",
        need: Some(Need::Read),
        parameters: &["id", "seq"],
        body: None,
        answers: &[("200", "The message.", Some("StoredMessage"))],
        errors: &[Code::InvalidParameter, Code::MessageNotFound, Code::MessageUnreadable],
    },
    Operation {
        method: "patch",
        path: MESSAGE,
        id: "editMessage",
        summary: "Replace a message's content or metadata. Its sequence number, id and time stay.",
        need: Some(Need::ReadWrite),
        parameters: &["id", "seq"],
        body: Some(("Edit", true)),
        answers: &[("200", "The message as it is now.", Some("StoredMessage"))],
        errors: &[
            Code::InvalidParameter,
            Code::InvalidMessage,
            Code::NothingToDo,
            Code::MessageTooLarge,
            Code::MessageNotFound,
            Code::MessageUnreadable,
        ],
    },
    Operation {
        method: "delete",
        path: MESSAGE,
        id: "deleteMessage",
        summary: "Delete a message. Its sequence number is not given again.",
        need: Some(Need::Write),
        parameters: &["id", "seq"],
        body: None,
        answers: &[("204", "It is deleted.", None)],
        errors: &[Code::InvalidParameter, Code::MessageNotFound, Code::MessageUnreadable],
    },
    Operation {
        method: "post",
        path: "/v1/sessions/{id}/pop",
        id: "popMessages",
        summary: "Remove the newest message, or the newest turn whole, and give it back.",
        need: Some(Need::ReadWrite),
        parameters: &["id"],
        body: Some(("Pop", false)),
        answers: &[(
            "200",
            "What was removed, oldest first; nothing from a session without messages.",
            Some("Popped"),
        )],
        errors: &[],
    },
    Operation {
        method: "post",
        path: "/v1/sessions/{id}/fork",
        id: "forkSession",
        summary: "Copy a session, from its beginning up to and with a message, to a new one.",
        need: Some(Need::Write),
        parameters: &["id"],
        body: Some(("Fork", false)),
        answers: &[("201", "The new session.", Some("Forked"))],
        errors: &[Code::SessionNotFound, Code::MessageNotFound, Code::SessionExists, Code::TenantFull],
    },
    Operation {
        method: "get",
        path: "/v1/sessions/{id}/context",
        id: "getContext",
        summary: "What goes into the next prompt: the summary, and the newest whole turns, within a budget. Without max_tokens and last_turns, the session's window and whatever its summary does not cover. An unknown session gives an empty context.",
        need: Some(Need::Read),
        parameters: &["id", "max_tokens", "context_turns", "model", "encoding", "summary", "format"],
        body: None,
        answers: &[("200", "The context, and why it is what it is.", Some("Context"))],
        errors: &[Code::InvalidParameter, Code::ConflictingParameters],
    },
    Operation {
        method: "get",
        path: SUMMARY,
        id: "getSummary",
        summary: "Read the summary of a session, and the version before it.",
        need: Some(Need::Read),
        parameters: &["id"],
        body: None,
        answers: &[("200", "The summary.", Some("SummaryState"))],
        errors: &[Code::SessionNotFound, Code::SummaryNotFound],
    },
    Operation {
        method: "put",
        path: SUMMARY,
        id: "putSummary",
        summary: "Put a summary by hand in the place of the session's; what it replaces can be had back.",
        need: Some(Need::ReadWrite),
        parameters: &["id"],
        body: Some(("PutSummary", true)),
        answers: &[("200", "The summary as it is now.", Some("SummaryState"))],
        errors: &[
            Code::MissingField,
            Code::SummaryTooLarge,
            Code::SessionNotFound,
            Code::MessageNotFound,
            Code::SummaryNotFound,
        ],
    },
    Operation {
        method: "post",
        path: "/v1/sessions/{id}/summary/rollback",
        id: "rollbackSummary",
        summary: "Put the version before a session's summary back in its place.",
        need: Some(Need::ReadWrite),
        parameters: &["id"],
        body: Some(("Nothing", false)),
        answers: &[("200", "The summary as it is now.", Some("SummaryState"))],
        errors: &[Code::SessionNotFound, Code::NoEarlierSummary, Code::SummaryNotFound],
    },
    Operation {
        method: "post",
        path: "/v1/sessions/{id}/fold",
        id: "foldSession",
        summary: "Fold all that has left a session's window into its summary, now, and wait for it, also where it is little, and where the session is not summarised by itself.",
        need: Some(Need::ReadWrite),
        parameters: &["id"],
        body: Some(("Nothing", false)),
        answers: &[(
            "200",
            "`folded` says how many times the summary was replaced; 0 if nothing had left the window.",
            Some("Folded"),
        )],
        errors: &[Code::SessionNotFound, Code::SummariesOff, Code::SummariserFailed],
    },
    Operation {
        method: "get",
        path: SESSION,
        id: "describeSession",
        summary: "What is known of a session beside its messages.",
        need: Some(Need::Read),
        parameters: &["id"],
        body: None,
        answers: &[("200", "The description.", Some("Session"))],
        errors: &[Code::SessionNotFound],
    },
    Operation {
        method: "patch",
        path: SESSION,
        id: "configureSession",
        summary: "Change a session's time to live, maximum of messages, metadata or summaries, in one step; null removes.",
        need: Some(Need::ReadWrite),
        parameters: &["id"],
        body: Some(("Configure", true)),
        answers: &[("200", "The description as it is now.", Some("Session"))],
        errors: &[Code::SessionNotFound, Code::NothingToDo, Code::MetadataTooLarge],
    },
    Operation {
        method: "delete",
        path: SESSION,
        id: "clearSession",
        summary: "Remove a session and everything that belongs to it.",
        need: Some(Need::Write),
        parameters: &["id"],
        body: None,
        answers: &[(
            "200",
            "It is gone; `cleared` says how many messages it had, 0 for an unknown one.",
            Some("Cleared"),
        )],
        errors: &[],
    },
    Operation {
        method: "get",
        path: "/v1/sessions",
        id: "listSessions",
        summary: "List the sessions, newest activity first.",
        need: Some(Need::Read),
        parameters: &["sessions_limit", "prefix", "cursor"],
        body: None,
        answers: &[("200", "A page of sessions.", Some("Sessions"))],
        errors: &[Code::InvalidParameter, Code::InvalidCursor, Code::ConflictingParameters],
    },
    Operation {
        method: "get",
        path: "/v1/users/{user}/sessions",
        id: "listSessionsOfUser",
        need: Some(Need::Read),
        summary: "List the sessions of a user, newest activity first, as of the appends that named the user.",
        parameters: &["user", "sessions_limit", "prefix", "cursor"],
        body: None,
        answers: &[("200", "A page of sessions.", Some("Sessions"))],
        errors: &[
            Code::InvalidUser,
            Code::InvalidParameter,
            Code::InvalidCursor,
            Code::ConflictingParameters,
        ],
    },
    Operation {
        method: "delete",
        path: "/v1/users/{user}",
        id: "eraseUser",
        need: Some(Need::Admin),
        summary: "Erase everything of a user: every session, under every memory key, with its messages, summaries, settings, and places in every list. It goes as far as it comes within the deadline; while `done` is false, send the request again.",
        parameters: &["user"],
        body: None,
        answers: &[(
            "200",
            "The receipt: what was erased by this request, 0 for a user who has nothing.",
            Some("Erasure"),
        )],
        errors: &[Code::InvalidUser],
    },
    Operation {
        method: "get",
        path: "/v1/limits",
        id: "getLimits",
        need: Some(Need::Admin),
        summary: "What the caller's tenant may have, and what it has, as it was counted last. A limit that is left out is none; what is used is left out where it could not be counted in time.",
        parameters: &[],
        body: None,
        answers: &[("200", "The limits and what is used.", Some("Limits"))],
        errors: &[],
    },
    Operation {
        method: "get",
        path: "/healthz",
        id: "alive",
        summary: "The process lives, and what it does in the background, too. With 503 it has to be restarted.",
        need: None,
        parameters: &[],
        body: None,
        answers: &[("200", "It does.", Some("Status"))],
        errors: &[Code::WorkerDied],
    },
    Operation {
        method: "get",
        path: "/readyz",
        id: "ready",
        summary: "Requests would be served: the store answers, and the server is not shutting down. With 503 the problem says why not, and its `reasons` have the codes of all that is wrong. Asked at most once a second.",
        need: None,
        parameters: &[],
        body: None,
        answers: &[("200", "It does.", Some("Status"))],
        errors: &[Code::StoreUnreachable, Code::StoreLoading, Code::ShuttingDown, Code::WorkerDied],
    },
    Operation {
        method: "get",
        path: "/metrics",
        id: "metrics",
        need: None,
        summary: "What the server does, as numbers in the text format of Prometheus. Also on a listener of its own, and only there once tokens are required.",
        parameters: &[],
        body: None,
        answers: &[("200", "The numbers.", None)],
        errors: &[],
    },
];

pub(super) async fn document() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    answer::with_type(StatusCode::OK, "application/json", TEXT.get_or_init(|| openapi().to_string()).as_str())
}

/// The document.
pub(super) fn openapi() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in OPERATIONS {
        paths.entry(operation.path).or_default().insert(operation.method.to_owned(), operation.describe());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hitherto",
            "summary": "Chat memory for LLM applications",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas(), "parameters": parameters(), "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "A token, made with `hitherto token create`."},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same token."},
        }},
    })
}

impl Operation {
    fn describe(&self) -> Value {
        let mut out = json!({"operationId": self.id, "summary": self.summary, "responses": self.responses()});
        let scopes: Vec<&str> =
            self.need.into_iter().flat_map(|need| need.scopes().iter()).map(|scope| scope.as_str()).collect();
        // None has to be shown as long as none was made.
        let security = match self.need {
            Some(_) => json!([{"bearer": scopes}, {"key": scopes}, {}]),
            None => json!([]),
        };
        put(&mut out, "security", security);
        if !self.parameters.is_empty() {
            let refs: Vec<Value> = self
                .parameters
                .iter()
                .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
                .collect();
            put(&mut out, "parameters", refs.into());
        }
        if let Some((schema, required)) = self.body {
            put(
                &mut out,
                "requestBody",
                json!({"required": required, "content": {"application/json": {"schema": reference(schema)}}}),
            );
        }
        out
    }

    /// The errors that it can have.
    pub(super) fn all_errors(&self) -> Vec<Code> {
        let mut all = Vec::new();
        if self.need.is_some() {
            all.extend_from_slice(TOKEN_ERRORS);
        }
        if self.path.contains("{id}") {
            all.extend_from_slice(SESSION_ERRORS);
        }
        all.extend_from_slice(self.errors);
        if self.body.is_some() {
            all.extend_from_slice(BODY_ERRORS);
        }
        if self.path.starts_with("/v1/") {
            all.extend_from_slice(STORE_ERRORS);
        }
        all
    }

    fn responses(&self) -> Map<String, Value> {
        let mut out = Map::new();
        for (status, meaning, schema) in self.answers {
            let mut answer = json!({"description": meaning});
            if let Some(schema) = schema {
                put(&mut answer, "content", json!({"application/json": {"schema": reference(schema)}}));
            }
            out.insert((*status).to_owned(), answer);
        }
        let mut errors: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
        for code in self.all_errors() {
            errors.entry(code.status()).or_default().push(code.as_str());
        }
        for (status, codes) in errors {
            out.insert(
                status.to_string(),
                json!({
                    "description": format!("code: {}", codes.join(", ")),
                    "content": {"application/problem+json": {"schema": reference("Problem")}},
                }),
            );
        }
        out
    }
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn parameters() -> Value {
    let count = |name: &str, what: &str| json!({"name": name, "in": "query", "description": what, "schema": {"type": "integer", "minimum": 1, "maximum": 1000}});
    let seq = |name: &str, what: &str| json!({"name": name, "in": "query", "description": what, "schema": {"type": "integer", "minimum": 0}});
    let text = |name: &str, what: &str| json!({"name": name, "in": "query", "description": what, "schema": {"type": "string"}});
    let choice = |name: &str, what: &str, words: &[&str], default: Option<&str>| {
        let mut found = json!({"name": name, "in": "query", "description": what, "schema": {"type": "string", "enum": words}});
        if let (Some(default), Some(schema)) = (default, found.get_mut("schema")) {
            put(schema, "default", default.into());
        }
        found
    };
    json!({
        "id": {"name": "id", "in": "path", "required": true, "description": "The session id: 1 to 512 bytes of UTF-8, percent-encoded; a slash is %2F.", "schema": {"type": "string", "minLength": 1}},
        "user": {"name": "user", "in": "path", "required": true, "description": "The user: 1 to 512 bytes of UTF-8, percent-encoded; a slash is %2F.", "schema": {"type": "string", "minLength": 1}},
        "seq": {"name": "seq", "in": "path", "required": true, "description": "The sequence number.", "schema": {"type": "integer", "minimum": 1}},
        "Idempotency-Key": {"name": "Idempotency-Key", "in": "header", "description": "A key of the client's choosing: the same messages sent again with it are stored once.", "schema": {"type": "string", "minLength": 1, "maxLength": 255}},
        "last_turns": count("last_turns", "The newest so many whole turns."),
        "last_messages": count("last_messages", "The newest so many messages, and as many more as make their oldest turn whole."),
        "max_tokens": {"name": "max_tokens", "in": "query", "description": "The budget: at most so many tokens, the summary and what the format costs included.", "schema": {"type": "integer", "minimum": 1, "maximum": 4_000_000}},
        "context_turns": count("last_turns", "The newest so many whole turns, and the summary; not together with max_tokens."),
        "model": text("model", "The model that reads the context: its tokens are counted, exactly where its encoding is known, else by a safe estimate."),
        "encoding": choice("encoding", "How tokens are counted, in place of model; the server's setting if nothing is said.", &["o200k", "cl100k", "estimate"], None),
        "summary": choice("summary", "In which role the summary is given, or off for none.", &["off", "system", "user", "assistant"], Some("system")),
        "format": choice("format", "In which form: as stored, as one text, or ready for that API; all but messages come under prompt.", &["messages", "text", "openai", "anthropic", "langchain"], Some("messages")),
        "limit": count("limit", "The most messages of a page; 100 if nothing is said."),
        "sessions_limit": count("limit", "The most sessions of a page; 100 if nothing is said."),
        "after": seq("after", "The oldest messages after this sequence number; 0 begins at the beginning."),
        "before": seq("before", "The newest messages before this sequence number."),
        "prefix": text("prefix", "Only sessions whose id begins so."),
        "cursor": text("cursor", "next_cursor of an earlier page."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_what_it_was() {
        insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&openapi()).unwrap());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = openapi();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_code_belongs_to_an_operation() {
        let anywhere = [Code::NotFound, Code::MethodNotAllowed, Code::TlsRequired];
        for code in super::super::problem::CODES {
            let found = OPERATIONS.iter().any(|operation| operation.all_errors().contains(code));
            assert!(found || anywhere.contains(code), "{code:?}");
        }
    }
}
