//! `POST /v1/sessions/{id}/fork`: a new session from the beginning of this one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hitherto::{Change, Seq, SessionId};

use super::fields::{Fields, invalid};
use super::problem::Problem;
use super::{Door, answer, body, locate, query};
use crate::access::Need;

pub(super) async fn fork(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = locate::in_path(&door, &parts.extensions, &parts.uri, Need::Write)?;
    query::none(&parts.uri)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let (to, upto) = where_to(body::text(&body)?)?;
    let last_seq = door.within(memory.fork(&session, &to, upto)).await?;
    let mut out = b"{\"session\":".to_vec();
    answer::push_string(&mut out, to.as_str());
    out.extend_from_slice(b",\"forked_from\":");
    answer::push_string(&mut out, session.as_str());
    answer::push_count(&mut out, "last_seq", last_seq);
    out.push(b'}');
    Ok(answer::json(StatusCode::CREATED, out))
}

fn where_to(body: &str) -> Result<(SessionId, Option<Seq>), Problem> {
    let mut fields = if body.is_empty() { Fields::default() } else { Fields::parse(body)? };
    let to = match fields.text("to")? {
        Some(to) if to.is_empty() => return Err(invalid("to", "a session id, or left out for a random one")),
        Some(to) => SessionId::parse(&to)?,
        None => SessionId::random(),
    };
    let upto = match fields.number("upto")? {
        Change::Set(upto) => Some(upto),
        Change::Keep | Change::Remove => None,
    };
    fields.finish("to, upto")?;
    Ok((to, upto))
}
