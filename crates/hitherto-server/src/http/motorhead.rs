//! The API of Motorhead, at the root of the address, for clients that speak it.
//!
//! Invariant: nothing that a client sent is lost, whatever Motorhead would have done with it; and a message comes back
//! with the role and the content that it came with.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use hitherto::{Appended, Budget, ChatMemory, Context, Error, SessionId, Timestamp};

use super::fields::Fields;
use super::problem::{Code, Problem};
use super::query::Query;
use super::spoken::{self, Names};
use super::{Compatible, Door, answer, append, body, listing, locate, search};
use crate::access::Need;

/// Where the protocol is, for the page of documents.
pub(super) const ROUTES: &[Compatible] = &[
    ("GET", "/", None, "The time, in milliseconds."),
    (
        "GET",
        "/sessions",
        Some(Need::Read),
        "The ids of the sessions, oldest activity first; page, size, namespace.",
    ),
    (
        "GET",
        "/sessions/{id}/memory",
        Some(Need::Read),
        "The window, newest first, and the summary; namespace.",
    ),
    (
        "POST",
        "/sessions/{id}/memory",
        Some(Need::Write),
        "Append messages; with context, put a summary by hand; namespace.",
    ),
    ("DELETE", "/sessions/{id}/memory", Some(Need::Write), "Remove the session; namespace."),
    (
        "POST",
        "/sessions/{id}/retrieval",
        Some(Need::Read),
        "The ten messages that say the words of text best; namespace.",
    ),
];

const NAMES: Names = Names { system: "System", user: "Human", assistant: "AI", tool: "Tool" };

/// The last page that can be asked for, as in Motorhead.
const LAST_PAGE: u64 = 100;
/// How many sessions a page has if nothing is said.
const PAGE: u64 = 10;
/// How many messages a retrieval gives at most.
const NEAREST: u32 = 10;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/", get(now))
        .route("/sessions", get(sessions))
        .route("/sessions/{*rest}", get(show).post(post).delete(clear))
}

async fn now() -> Response {
    let mut out = b"{".to_vec();
    out.extend_from_slice(b"\"now\":");
    answer::push_number(&mut out, u64::try_from(Timestamp::now().as_millis()).unwrap_or_default());
    out.push(b'}');
    answer::json(StatusCode::OK, out)
}

async fn sessions(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let mut query = Query::parse(request.uri())?;
    let page = query.number("page", 1..=u64::MAX)?.unwrap_or(1);
    if page > LAST_PAGE {
        let text = format!("page must not be larger than {LAST_PAGE}");
        return Ok(answer::with_type(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", text));
    }
    let size = query.number("size", 1..=u64::from(door.memory.limits().page))?.unwrap_or(PAGE);
    let namespace = query.take("namespace");
    let memory = locate::memory(&door, request.extensions(), namespace.as_deref(), Need::Read)?;
    let mut lines = listing::all(&door, &memory).await?;
    lines.sort_by(|one, other| {
        one.updated_at.cmp(&other.updated_at).then_with(|| one.session.cmp(&other.session))
    });
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut out = b"[".to_vec();
    for line in lines.iter().skip(count((page - 1) * size)).take(count(size)) {
        if out.len() > 1 {
            out.push(b',');
        }
        answer::push_string(&mut out, line.session.as_str());
    }
    out.push(b']');
    Ok(answer::json(StatusCode::OK, out))
}

async fn show(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let (memory, session) = located(&door, &parts, MEMORY, Need::Read)?;
    let context = spoken::context(&door, &memory, &session, Budget::Defaults).await?;
    Ok(answer::json(StatusCode::OK, write_memory(&context)))
}

async fn post(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if parts.uri.path().ends_with(RETRIEVAL) {
        let (memory, session) = located(&door, &parts, RETRIEVAL, Need::Read)?;
        let body = body::read(&door, &parts.headers, body).await?;
        return retrieve(&door, memory, session, body::text(&body)?).await;
    }
    let (memory, session) = located(&door, &parts, MEMORY, Need::Write)?;
    let options = spoken::append_options(&door, &parts.headers)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let (list, mut fields) = append::envelope(body::text(&body)?)?;
    let summary = summary(&memory, fields.text("context")?)?;
    let messages = spoken::messages(&body, &list)?;
    if summary.is_some() && !messages.is_empty() {
        // It stands for what was there before: where that is nothing, for a place without a message.
        door.within(async {
            match memory.describe(&session).await? {
                Some(_) => Ok(()),
                None => spoken::open(&memory, &session, &options).await,
            }
        })
        .await?;
    }
    let appended = door.within(memory.append(&session, messages, &options)).await?;
    if let Some(summary) = summary {
        door.warm(door.options.encoding).await;
        let put = put(&memory, &session, &summary, &appended);
        // The messages are stored by now.
        door.within(put).await.map_err(Problem::outcome_unknown)?;
    }
    door.warm_soon();
    Ok(done())
}

/// Puts a summary that stands for all that was there before an append.
async fn put(
    memory: &ChatMemory,
    session: &SessionId,
    summary: &str,
    appended: &Appended,
) -> hitherto::Result<()> {
    let upto = appended.first_seq.saturating_sub(1);
    // The first of two equal requests has put it, and folding may have gone on from there.
    let again = appended.repeated
        && memory.summary(session).await?.current.is_some_and(|current| current.upto >= upto);
    if !again {
        memory.put_summary(session, summary, upto).await?;
    }
    Ok(())
}

async fn clear(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let (memory, session) = located(&door, &parts, MEMORY, Need::Write)?;
    locate::clear(&door, &parts.extensions, &memory, &session).await?;
    Ok(done())
}

async fn retrieve(
    door: &Arc<Door>,
    memory: ChatMemory,
    session: SessionId,
    body: &str,
) -> Result<Response, Problem> {
    let text = Fields::parse(body)?.text("text")?;
    let text =
        text.ok_or_else(|| Problem::new(Code::MissingField, "text, what is looked for, is missing"))?;
    let found = search::search(door, memory, session, text, NEAREST).await?;
    let mut out = b"[".to_vec();
    for found in &found {
        out.extend_from_slice(if out.len() > 1 { b",{" } else { b"{" });
        spoken::push(&mut out, &found.message.message, &NAMES);
        // A distance: from 0, next to the words that are looked for, to 1.
        out.extend_from_slice(format!(",\"dist\":{}}}", 1.0 / (1.0 + found.score)).as_bytes());
    }
    out.push(b']');
    Ok(answer::json(StatusCode::OK, out))
}

const MEMORY: &str = "/memory";
const RETRIEVAL: &str = "/retrieval";

/// The session of a path `/sessions/…/memory`, and the memory that it is in.
fn located(door: &Door, parts: &Parts, end: &str, need: Need) -> Result<(ChatMemory, SessionId), Problem> {
    let id = locate::between(&parts.uri, "/sessions/", end).ok_or_else(super::nothing_here)?;
    let namespace = Query::parse(&parts.uri)?.take("namespace");
    locate::session(door, &parts.extensions, &locate::decoded(id)?, namespace.as_deref(), need)
}

/// The summary that a client puts by hand. Clients take the text NONE for none.
fn summary(memory: &ChatMemory, context: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = context.filter(|text| !matches!(text.trim(), "" | "NONE")) else {
        return Ok(None);
    };
    let max = memory.limits().summary_bytes;
    if text.trim().len() > max {
        let size = format!("{} bytes", text.trim().len());
        return Err(Error::TooLarge { what: "summary", size, max }.into());
    }
    Ok(Some(text))
}

fn write_memory(context: &Context) -> Vec<u8> {
    let mut out = b"{\"messages\":[".to_vec();
    for (index, stored) in context.messages.iter().rev().enumerate() {
        out.extend_from_slice(if index > 0 { b",{" } else { b"{" });
        spoken::push(&mut out, &stored.message, &NAMES);
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"context\":");
    match &context.summary {
        Some(summary) => answer::push_string(&mut out, &summary.text),
        None => out.extend_from_slice(b"null"),
    }
    answer::push_count(&mut out, "tokens", context.summary.as_ref().map_or(0, |summary| summary.tokens));
    out.push(b'}');
    out
}

fn done() -> Response {
    answer::json(StatusCode::OK, br#"{"status":"Ok"}"#.to_vec())
}
