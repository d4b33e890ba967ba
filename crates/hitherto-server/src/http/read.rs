//! `GET /v1/sessions/{id}/messages`: the newest whole turns, or a page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitherto::{Direction, Page, Seq, SessionId, Window};

use super::fields::MAX_NUMBER;
use super::problem::{Code, Problem};
use super::query::Query;
use super::{Door, answer, locate};
use crate::access::Need;

/// How many messages a page has if nothing is said.
const PAGE: u32 = 100;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Window(Window),
    Page(Direction, u32),
}

pub(super) async fn messages(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let uri = request.uri();
    let (memory, session) = locate::in_path(&door, request.extensions(), uri, Need::Read)?;
    let page = match wanted(uri, memory.limits().page)? {
        Wanted::Window(window) => door.within(memory.window(&session, window)).await?,
        Wanted::Page(from, limit) => door.within(memory.messages(&session, from, limit)).await?,
    };
    Ok(answer::json(StatusCode::OK, write_page(&session, &page)))
}

fn wanted(uri: &Uri, max: u32) -> Result<Wanted, Problem> {
    if uri.query().is_none() {
        return Ok(Wanted::Page(Direction::Before(Seq::MAX), PAGE.min(max)));
    }
    let mut query = Query::parse(uri)?;
    let counts = 1..=u64::from(max);
    let count = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
    let turns = count(query.number("last_turns", counts.clone())?);
    let messages = count(query.number("last_messages", counts.clone())?);
    let limit = count(query.number("limit", counts)?);
    let after = query.number("after", 0..=MAX_NUMBER)?;
    let before = query.number("before", 0..=MAX_NUMBER)?;
    query.finish("last_turns, last_messages, after, before, limit")?;
    let page = limit.unwrap_or(PAGE.min(max));
    match (turns, messages, after, before) {
        (Some(turns), None, None, None) if limit.is_none() => Ok(Wanted::Window(Window::Turns(turns))),
        (None, Some(count), None, None) if limit.is_none() => Ok(Wanted::Window(Window::Messages(count))),
        (None, None, Some(after), None) => Ok(Wanted::Page(Direction::After(after), page)),
        (None, None, None, Some(before)) => Ok(Wanted::Page(Direction::Before(before), page)),
        (None, None, None, None) => Ok(Wanted::Page(Direction::Before(Seq::MAX), page)),
        _ => Err(Problem::new(
            Code::ConflictingParameters,
            "give last_turns, or last_messages, or one of after and before with a limit",
        )),
    }
}

fn write_page(session: &SessionId, page: &Page) -> Vec<u8> {
    let length: usize = page.messages.iter().map(|message| message.message.json().len() + 160).sum();
    let mut out = Vec::with_capacity(length + session.as_str().len() + 128);
    out.extend_from_slice(b"{\"session\":");
    answer::push_string(&mut out, session.as_str());
    out.push(b',');
    answer::push_messages(&mut out, &page.messages);
    for (label, seq) in [("first_seq", page.first_seq()), ("last_seq", page.last_seq())] {
        if let Some(seq) = seq {
            answer::push_count(&mut out, label, seq);
        }
    }
    out.extend_from_slice(if page.more { b",\"more\":true" } else { b",\"more\":false" });
    if page.unreadable > 0 {
        answer::push_count(&mut out, "unreadable", page.unreadable);
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: Result<Wanted, Code>) {
        let uri: Uri = format!("/v1/sessions/s/messages{query}").parse().unwrap();
        assert_eq!(wanted(&uri, 1000).map_err(|problem| problem.code()), expected, "{query}");
    }

    #[test]
    fn says_what_is_wanted() {
        let newest = |limit| Ok(Wanted::Page(Direction::Before(Seq::MAX), limit));
        check("", newest(100));
        check("?", newest(100));
        check("?limit=7", newest(7));
        check("?last_turns=2", Ok(Wanted::Window(Window::Turns(2))));
        check("?last_messages=1000", Ok(Wanted::Window(Window::Messages(1000))));
        check("?after=0", Ok(Wanted::Page(Direction::After(0), 100)));
        check("?after=5&limit=2", Ok(Wanted::Page(Direction::After(5), 2)));
        check("?limit=2&before=9", Ok(Wanted::Page(Direction::Before(9), 2)));
        for query in
            ["?last_turns=0", "?last_turns=1001", "?limit=0", "?after=-1", "?before=x", "?after=", "?limit"]
        {
            check(query, Err(Code::InvalidParameter));
        }
        check("?after=9007199254740992", Err(Code::InvalidParameter));
        for query in [
            "?last_turns=1&last_messages=1",
            "?after=1&before=3",
            "?last_turns=1&limit=1",
            "?after=1&after=1",
        ] {
            check(query, Err(Code::ConflictingParameters));
        }
        check("?lastturns=1", Err(Code::UnknownParameter));
        check("?%ff=1", Err(Code::InvalidParameter));
    }
}
