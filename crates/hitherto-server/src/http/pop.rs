//! `POST /v1/sessions/{id}/pop`: remove the newest message or turn and give it back.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hitherto::Pop;

use super::fields::{Fields, invalid};
use super::problem::Problem;
use super::{Door, answer, body, locate, query};
use crate::access::Need;

pub(super) async fn pop(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = locate::in_path(&door, &parts.extensions, &parts.uri, Need::ReadWrite)?;
    query::none(&parts.uri)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let what = what(body::text(&body)?)?;
    let messages = door.within(memory.pop(&session, what)).await?;
    let mut out = b"{\"session\":".to_vec();
    answer::push_string(&mut out, session.as_str());
    out.push(b',');
    answer::push_messages(&mut out, &messages);
    out.push(b'}');
    Ok(answer::json(StatusCode::OK, out))
}

fn what(body: &str) -> Result<Pop, Problem> {
    if body.is_empty() {
        return Ok(Pop::Message);
    }
    let mut fields = Fields::parse(body)?;
    let what = match fields.text("what")?.as_deref() {
        None | Some("message") => Pop::Message,
        Some("turn") => Pop::Turn,
        Some(_) => return Err(invalid("what", "message or turn")),
    };
    fields.finish("what")?;
    Ok(what)
}
