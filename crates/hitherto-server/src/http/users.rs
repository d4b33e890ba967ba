//! `/v1/users/{user}`: the sessions of a user, and erasing them all.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitherto::{Erasure, UserId};

use super::entrance;
use super::problem::{Code, Problem};
use super::{Door, answer, locate, path, query, sessions};
use crate::access::Need;
use crate::access::audit::{self, Who};

pub(super) async fn list(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let memory = locate::memory(&door, request.extensions(), None, Need::Read)?;
    let user = user(request.uri())?;
    sessions::page(&door, &memory, request.uri(), Some(user)).await
}

/// Erases everything of a user, as far as it comes within the deadline; the answer says how far that is.
pub(super) async fn erase(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let memory = locate::memory(&door, request.extensions(), None, Need::Admin)?;
    let user = user(request.uri())?;
    query::none(request.uri())?;
    // Half of what a request may take: a piece that has begun by then has the other half.
    let erasure = door.within(memory.erase_user(&user, door.options.deadline)).await?;
    audit::erased(
        &Who::Grant(entrance::admitted(request.extensions(), Need::Admin)?),
        &memory.scope().tenant,
        &erasure,
    );
    let mut out = Vec::with_capacity(256);
    push_erasure(&mut out, &erasure);
    Ok(answer::json(StatusCode::OK, out))
}

/// Appends the receipt of an erasure as an object.
pub(crate) fn push_erasure(out: &mut Vec<u8>, erasure: &Erasure) {
    out.extend_from_slice(b"{\"user\":");
    answer::push_string(out, erasure.user.as_str());
    for (label, number) in
        [("sessions", erasure.sessions), ("messages", erasure.messages), ("bytes", erasure.bytes)]
    {
        answer::push_count(out, label, number);
    }
    answer::push_time(out, "erased_at", erasure.at);
    out.extend_from_slice(if erasure.done { b",\"done\":true" } else { b",\"done\":false" });
    answer::push_count(out, "left", erasure.left);
    out.push(b'}');
}

/// The user of a path `/v1/users/{user}…`.
fn user(uri: &Uri) -> Result<UserId, Problem> {
    let name = path::decode(path::segment(uri, 3), false).ok_or_else(|| {
        Problem::new(Code::InvalidUser, "the user in the path is not UTF-8 in percent-encoding")
    })?;
    Ok(UserId::parse(&name)?)
}
