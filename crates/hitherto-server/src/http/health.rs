//! `GET /healthz` and `GET /readyz`: the process lives; the store answers.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::problem::Problem;
use super::{Door, answer, zep};

pub(super) async fn alive(State(door): State<Arc<Door>>, request: Request) -> Response {
    if door.options.zep {
        return zep::alive(request.headers());
    }
    ok()
}

pub(super) async fn ready(State(door): State<Arc<Door>>) -> Result<Response, Problem> {
    match door.within(door.memory.ping()).await {
        Ok(()) => Ok(ok()),
        Err(problem) => Err(problem.unready()),
    }
}

/// Everything is as it should be.
pub(super) fn ok() -> Response {
    answer::json(StatusCode::OK, br#"{"status":"ok"}"#.to_vec())
}
