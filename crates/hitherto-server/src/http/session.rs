//! `/v1/sessions/{id}`: what is known of a session, its settings, its end.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hitherto::summary::PolicyChange;
use hitherto::{Change, ChatMemory, Configure, SessionId, StoreError, Timestamp};

use super::fields::{Fields, invalid};
use super::problem::{Code, Problem};
use super::{Door, answer, body, locate, query};
use crate::access::Need;

pub(super) async fn describe(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (memory, session) = locate::in_path(&door, request.extensions(), request.uri(), Need::Read)?;
    query::none(request.uri())?;
    description(&door, &memory, &session).await
}

pub(super) async fn configure(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = locate::in_path(&door, &parts.extensions, &parts.uri, Need::ReadWrite)?;
    query::none(&parts.uri)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let change = change(body::text(&body)?, &memory)?;
    door.within(memory.configure(&session, &change)).await?;
    description(&door, &memory, &session).await
}

pub(super) async fn clear(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (memory, session) = locate::in_path(&door, request.extensions(), request.uri(), Need::Write)?;
    query::none(request.uri())?;
    let cleared = locate::clear(&door, request.extensions(), &memory, &session).await?;
    let mut out = b"{\"session\":".to_vec();
    answer::push_string(&mut out, session.as_str());
    answer::push_count(&mut out, "cleared", cleared.unwrap_or(0));
    out.push(b'}');
    Ok(answer::json(StatusCode::OK, out))
}

async fn description(door: &Door, memory: &ChatMemory, session: &SessionId) -> Result<Response, Problem> {
    let found = door.within(memory.describe(session)).await?.ok_or(StoreError::NoSession)?;
    let mut out = Vec::with_capacity(512);
    answer::push_description(&mut out, session.as_str(), &found, Timestamp::now());
    Ok(answer::json(StatusCode::OK, out))
}

fn change(body: &str, memory: &ChatMemory) -> Result<Configure, Problem> {
    let mut fields = Fields::parse(body)?;
    let ttl = fields.ttl()?;
    let max_messages = fields.number("max_messages")?;
    let metadata = match fields.take("metadata")? {
        None => Change::Keep,
        Some("null") => Change::Remove,
        Some(object) if object.starts_with('{') => Change::Set(object.to_owned()),
        Some(_) => return Err(invalid("metadata", "an object, or null for none")),
    };
    let policy = match fields.take("summaries")? {
        None => Change::Keep,
        Some("null") => Change::Remove,
        Some(object) if object.starts_with('{') => Change::Set(summaries(object)?),
        Some(_) => return Err(invalid("summaries", "an object, or null for none")),
    };
    let policy = memory.policy_change(policy)?;
    fields.finish("ttl_secs, ttl_restart, max_messages, metadata, summaries")?;
    let change = Configure { ttl, max_messages, metadata, policy };
    if change == Configure::default() {
        return Err(Problem::new(
            Code::NothingToDo,
            "there is nothing to change: give ttl_secs, max_messages, metadata or summaries",
        ));
    }
    Ok(change)
}

/// What the session's summaries have of their own.
fn summaries(object: &str) -> Result<PolicyChange, Problem> {
    let mut fields = Fields::parse(object)?;
    let mut number = |name| -> Result<Option<u32>, Problem> {
        match fields.number(name)? {
            Change::Set(number) => Ok(Some(u32::try_from(number).unwrap_or(u32::MAX))),
            Change::Keep | Change::Remove => Ok(None),
        }
    };
    let mut change = PolicyChange::default();
    change.window = number("window")?;
    change.fold_after_turns = number("fold_after_turns")?;
    change.fold_after_tokens = number("fold_after_tokens")?;
    change.summary_tokens = number("summary_tokens")?;
    change.enabled = match fields.take("enabled")? {
        None | Some("null") => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(invalid("enabled", "true or false")),
    };
    fields.finish("enabled, window, fold_after_turns, fold_after_tokens, summary_tokens")?;
    Ok(change)
}
