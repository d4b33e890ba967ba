//! `GET /v1/sessions`: the sessions, newest activity first.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitherto::{ChatMemory, Place, SessionId, SessionQuery, Timestamp, UserId};

use super::problem::{Code, Problem};
use super::query::Query;
use super::{Door, answer, locate};
use crate::access::Need;

/// How many sessions a page has if nothing is said.
const PAGE: u32 = 100;

pub(super) async fn list(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let memory = locate::memory(&door, request.extensions(), None, Need::Read)?;
    page(&door, &memory, request.uri(), None).await
}

/// A page of the sessions of a memory, or of those of a user.
pub(super) async fn page(
    door: &Door,
    memory: &ChatMemory,
    uri: &Uri,
    user: Option<UserId>,
) -> Result<Response, Problem> {
    let max = memory.limits().page;
    let mut query = Query::parse(uri)?;
    let limit = query.number("limit", 1..=u64::from(max))?.and_then(|limit| u32::try_from(limit).ok());
    let prefix = query.take("prefix").unwrap_or_default().into_owned();
    let after = query.take("cursor").map(|cursor| place(&cursor)).transpose()?;
    query.finish("limit, prefix, cursor")?;
    let wanted = SessionQuery { prefix, user, after, limit: limit.unwrap_or(PAGE.min(max)) };
    let page = door.within(memory.sessions(&wanted)).await?;
    let now = Timestamp::now();
    let mut out = Vec::with_capacity(64 + 320 * page.sessions.len());
    out.extend_from_slice(b"{\"sessions\":[");
    for (index, listed) in page.sessions.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        answer::push_description(&mut out, listed.session.as_str(), &listed.description, now);
    }
    out.push(b']');
    if let Some(next) = &page.next {
        out.extend_from_slice(b",\"next_cursor\":");
        answer::push_string(&mut out, &cursor(next));
    }
    out.push(b'}');
    Ok(answer::json(StatusCode::OK, out))
}

/// A cursor is a place in hexadecimal: opaque to clients, safe in a query, and checked when it comes back.
fn cursor(place: &Place) -> String {
    let text = format!("1:{}:{}", place.active_at.as_millis(), place.session);
    text.bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn place(cursor: &str) -> Result<Place, Problem> {
    read(cursor).ok_or_else(|| {
        Problem::new(Code::InvalidCursor, "the cursor is none: use next_cursor of an earlier page as it came")
    })
}

fn read(cursor: &str) -> Option<Place> {
    let digits: Vec<u32> = cursor.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes =
        pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect::<Option<Vec<u8>>>()?;
    let text = String::from_utf8(bytes).ok()?;
    let (millis, session) = text.strip_prefix("1:")?.split_once(':')?;
    Some(Place {
        active_at: Timestamp::from_millis(millis.parse().ok()?),
        session: SessionId::parse(session).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        for id in ["s1", "a:b", "日本/{}", "\0"] {
            let place = Place {
                active_at: Timestamp::from_millis(1_763_805_600_000),
                session: SessionId::parse(id).unwrap(),
            };
            assert_eq!(read(&cursor(&place)), Some(place));
        }
        for bad in ["", "1", "zz", "31", "313a", "313a313a", "ff", "é", "313A783A78"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
