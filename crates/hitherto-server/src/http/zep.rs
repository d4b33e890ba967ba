//! The memory API of Zep's open-source server, version 1, for clients that speak it.
//!
//! Invariant: what the real clients read is there, in the form in which they read it; and nothing that a client sent is
//! lost.

mod message;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;
use hitherto::summary::Summary;
use hitherto::{Budget, ChatMemory, Context, SUMMARY_LEAD_IN, SessionId, StoreError, SummaryRole};

use super::fields::{Fields, invalid};
use super::problem::{Code, Problem};
use super::query::{self, Query};
use super::{Compatible, Door, answer, append, body, health, locate, search, spoken};
use crate::access::Need;
use message::NAMES;

/// Where the protocol is, for the page of documents.
pub(super) const ROUTES: &[Compatible] = &[
    ("GET", "/healthz", None, "The process lives; the header X-Zep-Version satisfies the clients."),
    (
        "GET",
        "/api/v1/sessions/{id}/memory",
        Some(Need::Read),
        "The newest lastn messages, as whole turns, and the summary.",
    ),
    ("POST", "/api/v1/sessions/{id}/memory", Some(Need::Write), "Append messages."),
    ("DELETE", "/api/v1/sessions/{id}/memory", Some(Need::Write), "Remove the session."),
    (
        "POST",
        "/api/v1/sessions/{id}/search",
        Some(Need::Read),
        "The limit messages that say the words of text best.",
    ),
    ("GET", "/api/v1/sessions/{id}", Some(Need::Read), "The session and its metadata."),
    ("PATCH", "/api/v1/sessions/{id}", Some(Need::ReadWrite), "Change fields of its metadata."),
    ("POST", "/api/v1/sessions", Some(Need::Write), "Make a session that has no messages yet."),
    (
        "GET",
        "/api/v1/sessions",
        Some(Need::Read),
        "The sessions, oldest first; limit, and cursor: how many to pass over.",
    ),
];

/// The version that clients are told: the last of the line whose API this is. They warn of one below 0.21, and the
/// Python client reads it only before a dash.
const VERSION: &str = "0.27.2-hitherto";

const SESSIONS: &str = "/api/v1/sessions/";
const MEMORY: &str = "/memory";
const SEARCH: &str = "/search";

/// How many messages a search gives if nothing is said, and at most.
const FOUND: u32 = 10;
const MOST_FOUND: u32 = 100;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/api/v1/sessions", get(sessions::list).post(sessions::add))
        .route("/api/v1/sessions/{*rest}", get(show).post(post).patch(sessions::update).delete(clear))
}

/// The answer to `GET /healthz`. The Python client takes nothing but a full stop for a server that lives; it is told by
/// the name of its HTTP library, so that all others get what they got without this door.
pub(super) fn alive(headers: &HeaderMap) -> Response {
    let python =
        headers.get(header::USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"python-httpx"));
    let mut response = if python {
        answer::with_type(StatusCode::OK, "text/plain; charset=utf-8", ".")
    } else {
        health::ok()
    };
    response.headers_mut().insert("x-zep-version", HeaderValue::from_static(VERSION));
    response
}

async fn show(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let uri = request.uri();
    let Some(id) = locate::between(uri, SESSIONS, MEMORY) else {
        return sessions::describe(&door, request.extensions(), uri).await;
    };
    let (memory, session) =
        locate::session(&door, request.extensions(), &locate::decoded(id)?, None, Need::Read)?;
    let budget = budget(uri, memory.limits().page)?;
    let context = spoken::context(&door, &memory, &session, budget).await?;
    if context.messages.is_empty() && context.summary.is_none() {
        door.within(memory.describe(&session)).await?.ok_or(StoreError::NoSession)?;
    }
    let newest = match &context.summary {
        Some(summary) => newest(&door, &memory, &context, summary).await?,
        None => String::new(),
    };
    Ok(answer::json(StatusCode::OK, write_memory(&context, &newest, door.options.summary_role)))
}

/// How much is asked for: `lastn` messages, or as much as a context has.
fn budget(uri: &Uri, most: u32) -> Result<Budget, Problem> {
    match Query::parse(uri)?.number("lastn", 1..=u64::MAX)? {
        Some(messages) => Ok(Budget::Messages(u32::try_from(messages).unwrap_or(most).min(most))),
        None => Ok(Budget::Defaults),
    }
}

/// The id of the newest message that a summary stands for; empty if that is deleted.
async fn newest(
    door: &Door,
    memory: &ChatMemory,
    context: &Context,
    summary: &Summary,
) -> Result<String, Problem> {
    if let Some(given) = context.messages.iter().find(|message| message.seq == summary.upto) {
        return Ok(message::id(given));
    }
    let found = door.within(memory.get(&context.session, summary.upto)).await;
    match found {
        Ok(found) => Ok(found.as_ref().map(message::id).unwrap_or_default()),
        Err(problem) if problem.code() == Code::MessageUnreadable => Ok(String::new()),
        Err(problem) => Err(problem),
    }
}

/// The summary is an object of its own, which clients show as a system message; in another role it is given as the
/// oldest message.
fn write_memory(context: &Context, newest: &str, role: SummaryRole) -> Vec<u8> {
    let mut out = b"{\"messages\":[".to_vec();
    let speaker = match role {
        SummaryRole::User => Some(NAMES.user),
        SummaryRole::Assistant => Some(NAMES.assistant),
        _ => None,
    };
    let mut first = true;
    if let (Some(summary), Some(speaker)) = (&context.summary, speaker) {
        first = false;
        out.extend_from_slice(format!("{{\"uuid\":\"{}\"", summary.id).as_bytes());
        answer::push_time(&mut out, "created_at", summary.made_at);
        out.push(b',');
        spoken::push_said(&mut out, speaker, &format!("{SUMMARY_LEAD_IN}\n{}", summary.text));
        out.push(b'}');
    }
    for stored in &context.messages {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        message::push(&mut out, stored);
    }
    out.extend_from_slice(b"],\"summary\":");
    match &context.summary {
        Some(summary) if role == SummaryRole::System => {
            out.extend_from_slice(format!("{{\"uuid\":\"{}\"", summary.id).as_bytes());
            answer::push_time(&mut out, "created_at", summary.made_at);
            out.extend_from_slice(b",\"content\":");
            answer::push_string(&mut out, &summary.text);
            out.extend_from_slice(b",\"recent_message_uuid\":");
            answer::push_string(&mut out, newest);
            answer::push_count(&mut out, "token_count", summary.tokens);
            out.push(b'}');
        }
        _ => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
    out
}

async fn post(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (id, searched) = match (
        locate::between(&parts.uri, SESSIONS, MEMORY),
        locate::between(&parts.uri, SESSIONS, SEARCH),
    ) {
        (Some(id), _) => (id, false),
        (None, Some(id)) => (id, true),
        (None, None) => return Err(super::nothing_here()),
    };
    let need = if searched { Need::Read } else { Need::Write };
    let (memory, session) = locate::session(&door, &parts.extensions, &locate::decoded(id)?, None, need)?;
    if searched {
        let limit = Query::parse(&parts.uri)?.number("limit", 1..=u64::MAX)?;
        let body = body::read(&door, &parts.headers, body).await?;
        return find(&door, memory, session, body::text(&body)?, limit).await;
    }
    let options = spoken::append_options(&door, &parts.headers)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let (list, _) = append::envelope(body::text(&body)?)?;
    let messages = spoken::messages(&body, &list)?;
    door.within(memory.append(&session, messages, &options)).await?;
    door.warm_soon();
    Ok(done())
}

async fn find(
    door: &Arc<Door>,
    memory: ChatMemory,
    session: SessionId,
    body: &str,
    limit: Option<u64>,
) -> Result<Response, Problem> {
    let mut fields = Fields::parse(body)?;
    let text = fields.text("text")?.filter(|text| !text.is_empty());
    let text =
        text.ok_or_else(|| Problem::new(Code::MissingField, "text, what is looked for, is missing"))?;
    // An answer that passes over a filter would be another answer than the one asked for.
    if !matches!(fields.take("metadata")?, None | Some("null" | "{}")) {
        return Err(invalid("metadata", "left out: a search goes by words only"));
    }
    if !matches!(fields.text("search_scope")?.as_deref(), None | Some("" | "messages")) {
        return Err(invalid("search_scope", "messages: summaries are not searched"));
    }
    let limit = limit.map_or(FOUND, |limit| u32::try_from(limit).unwrap_or(MOST_FOUND).min(MOST_FOUND));
    let found = search::search(door, memory, session, text, limit).await?;
    let mut out = b"[".to_vec();
    for found in &found {
        out.extend_from_slice(if out.len() > 1 { b",{\"message\":" } else { b"{\"message\":" });
        message::push(&mut out, &found.message);
        // Despite its name the larger is the nearer with this server and its clients: from 0 to 1.
        let dist = found.score / (1.0 + found.score);
        out.extend_from_slice(format!(",\"summary\":null,\"metadata\":null,\"dist\":{dist}}}").as_bytes());
    }
    out.push(b']');
    Ok(answer::json(StatusCode::OK, out))
}

async fn clear(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let uri = request.uri();
    let id = locate::between(uri, SESSIONS, MEMORY).ok_or_else(super::nothing_here)?;
    let (memory, session) =
        locate::session(&door, request.extensions(), &locate::decoded(id)?, None, Need::Write)?;
    query::none(uri)?;
    locate::clear(&door, request.extensions(), &memory, &session).await?;
    Ok(done())
}

fn done() -> Response {
    answer::with_type(StatusCode::OK, "text/plain; charset=utf-8", "OK")
}
