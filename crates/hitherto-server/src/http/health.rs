//! `GET /healthz` and `GET /readyz`: the process lives; the store answers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::problem::Problem;
use super::{Door, answer};

pub(super) async fn alive() -> Response {
    answer::json(StatusCode::OK, br#"{"status":"ok"}"#.to_vec())
}

pub(super) async fn ready(State(door): State<Arc<Door>>) -> Result<Response, Problem> {
    match door.within(door.memory.ping()).await {
        Ok(()) => Ok(answer::json(StatusCode::OK, br#"{"status":"ok"}"#.to_vec())),
        Err(problem) => Err(problem.unready()),
    }
}
