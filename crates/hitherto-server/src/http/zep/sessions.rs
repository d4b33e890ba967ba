//! Zep's sessions: made before anything is said in them, described, their metadata changed, listed.
//!
//! Zep's user of a session is the session's user; one that was kept in its metadata before there were users is shown all the
//! same.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Extensions, StatusCode, Uri};
use axum::response::Response;
use hitherto::{AppendOptions, Change, ChatMemory, Configure, Description, SessionId, StoreError, UserId};
use uuid::Uuid;

use super::SESSIONS;
use crate::access::Need;
use crate::http::fields::{Fields, invalid};
use crate::http::problem::{Code, Problem};
use crate::http::query::Query;
use crate::http::{Door, answer, append, body, listing, locate, spoken};

/// How many sessions a page has if nothing is said.
const PAGE: u64 = 100;

pub(super) async fn describe(door: &Door, extensions: &Extensions, uri: &Uri) -> Result<Response, Problem> {
    let (memory, session) = in_path(door, extensions, uri, Need::Read)?;
    let found = door.within(memory.describe(&session)).await?.ok_or(StoreError::NoSession)?;
    Ok(answer::json(StatusCode::OK, written(&session, &found)?))
}

pub(super) async fn add(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // Whether it may be read comes before what it says.
    let memory = locate::memory(&door, &parts.extensions, None, Need::Write)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let mut fields = Fields::parse(body::text(&body)?)?;
    let id = fields.text("session_id")?;
    let id = id.ok_or_else(|| Problem::new(Code::MissingField, "session_id is missing"))?;
    let session = SessionId::parse(&id)?;
    let user = user(&mut fields)?;
    let change = change(&mut fields, None)?;
    if door.within(memory.describe(&session)).await?.is_some() {
        return Err(StoreError::SessionExists.into());
    }
    let mut options = AppendOptions::default();
    options.user = user;
    append::with_defaults(&door, &mut options);
    door.within(async {
        spoken::open(&memory, &session, &options).await?;
        match &change {
            Some(change) => memory.configure(&session, change).await,
            None => Ok(()),
        }
    })
    .await?;
    let found = door.within(memory.describe(&session)).await?.ok_or(StoreError::NoSession)?;
    Ok(answer::json(StatusCode::CREATED, written(&session, &found)?))
}

/// Changes fields of a session's metadata and leaves the others. Of two changes at the same moment that name different
/// fields, the later one may take the other's back: the store has no step for a part of the metadata.
pub(super) async fn update(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = in_path(&door, &parts.extensions, &parts.uri, Need::ReadWrite)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let mut fields = Fields::parse(body::text(&body)?)?;
    let user = user(&mut fields)?;
    let found = door.within(memory.describe(&session)).await?.ok_or(StoreError::NoSession)?;
    if user.is_some() && user != found.user {
        // Said by an append, which stores nothing where the session is another's.
        let mut options = AppendOptions::default();
        options.user = user;
        door.within(spoken::open(&memory, &session, &options)).await?;
    }
    if let Some(change) = change(&mut fields, found.metadata.as_deref())? {
        door.within(memory.configure(&session, &change)).await?;
    }
    let found = door.within(memory.describe(&session)).await?.ok_or(StoreError::NoSession)?;
    Ok(answer::json(StatusCode::OK, written(&session, &found)?))
}

pub(super) async fn list(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let mut query = Query::parse(request.uri())?;
    let limit = query.number("limit", 1..=u64::from(door.memory.limits().page))?.unwrap_or(PAGE);
    let cursor = query.number("cursor", 0..=u64::MAX)?.unwrap_or(0);
    let memory = locate::memory(&door, request.extensions(), None, Need::Read)?;
    let mut lines = listing::all(&door, &memory).await?;
    // By what never changes, so that who counts its way through the list sees each session once.
    lines.sort_by(|one, other| {
        one.created_at.cmp(&other.created_at).then_with(|| one.session.cmp(&other.session))
    });
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = lines.iter().skip(count(cursor)).take(count(limit));
    let found = door
        .within(async {
            let mut found = Vec::new();
            for line in page {
                // One that has ended meanwhile is left out.
                if let Some(description) = memory.describe(&line.session).await? {
                    found.push((&line.session, description));
                }
            }
            Ok(found)
        })
        .await?;
    let mut out = b"[".to_vec();
    for (session, description) in &found {
        if out.len() > 1 {
            out.push(b',');
        }
        out.append(&mut written(session, description)?);
    }
    out.push(b']');
    Ok(answer::json(StatusCode::OK, out))
}

fn in_path(
    door: &Door,
    extensions: &Extensions,
    uri: &Uri,
    need: Need,
) -> Result<(ChatMemory, SessionId), Problem> {
    let id = locate::between(uri, SESSIONS, "").unwrap_or_default();
    locate::session(door, extensions, &locate::decoded(id)?, None, need)
}

/// The user that a body names.
fn user(fields: &mut Fields<'_>) -> Result<Option<UserId>, Problem> {
    let user = fields.text(USER)?.filter(|user| !user.is_empty());
    Ok(user.map(|user| UserId::parse(&user)).transpose()?)
}

/// The change of the metadata that a body asks for: the fields that it names, and of those before it all others.
fn change(fields: &mut Fields<'_>, before: Option<&str>) -> Result<Option<Configure>, Problem> {
    let metadata = match fields.take("metadata")? {
        None | Some("null") => Fields::default(),
        Some(object) if object.starts_with('{') => Fields::parse(object)?,
        Some(_) => return Err(invalid("metadata", "an object")),
    };
    let named: Vec<(&str, &str)> =
        metadata.0.iter().map(|(name, value)| (name.as_ref(), value.get())).collect();
    if named.is_empty() {
        return Ok(None);
    }
    let old = before.map(Fields::parse).transpose()?.unwrap_or_default();
    let kept = old
        .0
        .iter()
        .map(|(name, value)| (name.as_ref(), value.get()))
        .filter(|(name, _)| !named.iter().any(|(new, _)| new == name));
    let mut out = b"{".to_vec();
    for (name, value) in kept.chain(named.iter().copied()) {
        if out.len() > 1 {
            out.push(b',');
        }
        answer::push_string(&mut out, name);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'}');
    let metadata = String::from_utf8(out).unwrap_or_default();
    Ok(Some(Configure { metadata: Change::Set(metadata), ..Configure::default() }))
}

/// What the user is called, and in which field of the metadata it was kept before.
const USER: &str = "user_id";

/// A session as clients read it. Its `uuid` is made from its id, so that it stays the same.
fn written(session: &SessionId, found: &Description) -> Result<Vec<u8>, Problem> {
    let mut out = b"{\"uuid\":\"".to_vec();
    let uuid = Uuid::new_v5(&Uuid::NAMESPACE_OID, session.as_str().as_bytes());
    out.extend_from_slice(uuid.to_string().as_bytes());
    out.push(b'"');
    answer::push_time(&mut out, "created_at", found.created_at);
    answer::push_time(&mut out, "updated_at", found.updated_at);
    out.extend_from_slice(b",\"deleted_at\":null,\"session_id\":");
    answer::push_string(&mut out, session.as_str());
    let metadata = found.metadata.as_deref().unwrap_or("{}");
    out.extend_from_slice(b",\"user_id\":");
    match &found.user {
        Some(user) => answer::push_string(&mut out, user.as_str()),
        None => {
            let user = Fields::parse(metadata)?.take(USER)?.filter(|user| user.starts_with('"'));
            out.extend_from_slice(user.unwrap_or("null").as_bytes());
        }
    }
    out.extend_from_slice(b",\"metadata\":");
    out.extend_from_slice(metadata.as_bytes());
    out.push(b'}');
    Ok(out)
}
