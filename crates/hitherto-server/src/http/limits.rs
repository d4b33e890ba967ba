//! `GET /v1/limits`: what the caller's tenant may have, and what it has.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hitherto::Timestamp;

use super::problem::Problem;
use super::{Door, answer, locate, query};
use crate::access::Need;

pub(super) async fn show(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let memory = locate::memory(&door, request.extensions(), None, Need::Admin)?;
    query::none(request.uri())?;
    // Counting reads something of every session; the semaphore is never closed, so a permit always comes.
    let _slot = door.searches.acquire().await.ok();
    let standing = door.options.limiter.standing(&memory, door.options.deadline).await;
    let (limits, used) = (standing.limits, standing.used);
    let mut out = b"{\"tenant\":".to_vec();
    answer::push_string(&mut out, memory.scope().tenant.as_str());
    push(&mut out, "requests_per_second", limits.requests_per_second.into(), None);
    push(&mut out, "sessions", limits.sessions, used.map(|(used, _)| used.sessions));
    push(&mut out, "messages", limits.messages, used.map(|(used, _)| used.messages));
    push(&mut out, "bytes", limits.bytes, used.map(|(used, _)| used.bytes));
    if let Some((_, age)) = used {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        answer::push_time(&mut out, "counted_at", Timestamp::now().plus_millis(-age));
    }
    out.push(b'}');
    Ok(answer::json(StatusCode::OK, out))
}

/// Appends `,"name":{"limit":…,"used":…}`, without what there is not or is not known.
fn push(out: &mut Vec<u8>, label: &str, limit: u64, used: Option<u64>) {
    out.extend_from_slice(format!(",\"{label}\":{{").as_bytes());
    let limit = (limit > 0).then_some(("limit", limit));
    for (at, (name, number)) in limit.into_iter().chain(used.map(|used| ("used", used))).enumerate() {
        out.extend_from_slice(format!("{}\"{name}\":{number}", if at > 0 { "," } else { "" }).as_bytes());
    }
    out.push(b'}');
}
