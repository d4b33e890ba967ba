//! `/v1/sessions/{id}/messages/{seq}`: one message.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use hitherto::{Edit, StoreError};

use super::fields::Fields;
use super::problem::Problem;
use super::{Door, answer, body, locate, path, query};
use crate::access::Need;

pub(super) async fn show(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (memory, session) = locate::in_path(&door, request.extensions(), request.uri(), Need::Read)?;
    let seq = path::seq(request.uri())?;
    query::none(request.uri())?;
    let found = door.within(memory.get(&session, seq)).await?;
    let message = found.ok_or(StoreError::NoMessage(seq))?;
    Ok(answer::json(StatusCode::OK, message.to_json().into_bytes()))
}

pub(super) async fn edit(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = locate::in_path(&door, &parts.extensions, &parts.uri, Need::ReadWrite)?;
    let seq = path::seq(&parts.uri)?;
    query::none(&parts.uri)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let mut fields = Fields::parse(body::text(&body)?)?;
    let mut edit = Edit::default();
    edit.content = fields.take("content")?.map(str::to_owned);
    edit.metadata = fields.take("metadata")?.map(str::to_owned);
    fields.finish("content, metadata")?;
    let message = door.within(memory.edit(&session, seq, &edit)).await?;
    Ok(answer::json(StatusCode::OK, message.to_json().into_bytes()))
}

pub(super) async fn delete(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (memory, session) = locate::in_path(&door, request.extensions(), request.uri(), Need::Write)?;
    let seq = path::seq(request.uri())?;
    query::none(request.uri())?;
    door.within(memory.delete(&session, seq)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
