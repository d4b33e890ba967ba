//! `/v1/sessions/{id}/summary`: what stands for the oldest messages, put by hand, taken back, made now.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hitherto::store::SummaryState;
use hitherto::summary::Summary;
use hitherto::{Change, ChatMemory, Fold, Seq, SessionId, StoreError};

use super::fields::Fields;
use super::problem::{Code, Problem};
use super::{Door, answer, body, locate, query};
use crate::access::Need;

pub(super) async fn show(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (memory, session) = locate::in_path(&door, request.extensions(), request.uri(), Need::Read)?;
    query::none(request.uri())?;
    state(&door, &memory, &session).await
}

pub(super) async fn put(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = locate::in_path(&door, &parts.extensions, &parts.uri, Need::ReadWrite)?;
    query::none(&parts.uri)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let (text, upto) = by_hand(body::text(&body)?)?;
    door.warm(door.options.encoding).await;
    door.within(memory.put_summary(&session, &text, upto)).await?;
    state(&door, &memory, &session).await
}

pub(super) async fn rollback(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = locate::in_path(&door, &parts.extensions, &parts.uri, Need::ReadWrite)?;
    query::none(&parts.uri)?;
    nothing(body::text(&body::read(&door, &parts.headers, body).await?)?)?;
    let rolled = door.within(memory.rollback_summary(&session)).await;
    if let Err(problem) = rolled {
        // A session that does not exist has no earlier summary either, and that is the better thing to say.
        if problem.code() == Code::NoEarlierSummary {
            door.within(memory.describe(&session)).await?.ok_or(StoreError::NoSession)?;
        }
        return Err(problem);
    }
    state(&door, &memory, &session).await
}

pub(super) async fn fold(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = locate::in_path(&door, &parts.extensions, &parts.uri, Need::ReadWrite)?;
    query::none(&parts.uri)?;
    nothing(body::text(&body::read(&door, &parts.headers, body).await?)?)?;
    let Fold { commits, summary, .. } = now(&door, memory, &session).await?;
    let mut out = begin(&session);
    answer::push_count(&mut out, "folded", commits.into());
    push_state(&mut out, &summary);
    Ok(answer::json(StatusCode::OK, out))
}

/// Folds, in a task of its own: who hangs up does not leave a session half folded, to wait for the end of a lease.
async fn now(door: &Arc<Door>, memory: ChatMemory, session: &SessionId) -> Result<Fold, Problem> {
    let (door, session) = (Arc::clone(door), session.clone());
    let deadline = door.options.fold_deadline;
    let folding = tokio::spawn(async move {
        tokio::time::timeout(deadline, async {
            // The semaphore is never closed, so a permit always comes.
            let _slot = door.folds.acquire().await.ok();
            memory.fold(&session).await
        })
        .await
    });
    match folding.await {
        Ok(Ok(fold)) => Ok(fold?),
        Ok(Err(_)) => Err(Problem::new(
            Code::DeadlineExceeded,
            format!("not folded within {} s; what was folded until then stays", deadline.as_secs()),
        )),
        Err(_) => Err(Problem::new(Code::Internal, "the fold died; the session is as it was")),
    }
}

/// The summary as it is now.
async fn state(door: &Door, memory: &ChatMemory, session: &SessionId) -> Result<Response, Problem> {
    let found = door.within(memory.summary(session)).await?;
    if found.current.is_none() {
        door.within(memory.describe(session)).await?.ok_or(StoreError::NoSession)?;
        return Err(Problem::new(
            Code::SummaryNotFound,
            "the session has no summary yet; POST …/fold makes one if anything has left its window",
        ));
    }
    let mut out = begin(session);
    push_state(&mut out, &found);
    Ok(answer::json(StatusCode::OK, out))
}

fn begin(session: &SessionId) -> Vec<u8> {
    let mut out = b"{\"session\":".to_vec();
    answer::push_string(&mut out, session.as_str());
    out
}

/// Appends the rest of the object: the summary, the one before it, whether it is stale.
fn push_state(out: &mut Vec<u8>, state: &SummaryState) {
    for (label, summary) in [("summary", &state.current), ("previous", &state.previous)] {
        if let Some(summary) = summary {
            out.extend_from_slice(format!(",\"{label}\":").as_bytes());
            push_summary(out, summary);
        }
    }
    out.extend_from_slice(if state.stale { b",\"stale\":true}" } else { b",\"stale\":false}" });
}

fn push_summary(out: &mut Vec<u8>, summary: &Summary) {
    out.extend_from_slice(format!("{{\"id\":\"{}\",\"text\":", summary.id).as_bytes());
    answer::push_string(out, &summary.text);
    answer::push_count(out, "upto", summary.upto);
    answer::push_count(out, "tokens", summary.tokens);
    out.extend_from_slice(b",\"by\":");
    answer::push_string(out, &summary.by);
    out.extend_from_slice(if summary.stand_in { b",\"stand_in\":true" } else { b",\"stand_in\":false" });
    answer::push_time(out, "updated_at", summary.made_at);
    out.push(b'}');
}

fn by_hand(body: &str) -> Result<(String, Seq), Problem> {
    let mut fields = Fields::parse(body)?;
    let missing = |name: &str| Problem::new(Code::MissingField, format!("{name} is missing"));
    let text = fields.text("text")?;
    let upto = fields.number("upto")?;
    fields.finish("text, upto")?;
    let Change::Set(upto) = upto else {
        return Err(missing("upto, the sequence number of the last message that the text stands for,"));
    };
    Ok((text.ok_or_else(|| missing("text, the summary,"))?, upto))
}

/// A body that says nothing.
fn nothing(body: &str) -> Result<(), Problem> {
    if body.is_empty() { Ok(()) } else { Fields::parse(body)?.finish("none here") }
}
