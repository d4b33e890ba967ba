//! The messages of an Agno run: those of chat completions, with an id, a time and marks of its own.
//!
//! Invariant: Agno has no free place, so metadata and the application's fields are lost and named.

use super::neutral::{Neutral, Said};
use super::raw::{self, Object, Raw, Writer};
use super::{Head, own, roles, timed};
use crate::message::Role;

pub(super) const FAMILY: &str = "agno";

/// Fields that say nothing when they are false.
const MARKS: &[&str] = &["from_history", "stop_after_tool_call", "tool_call_error"];

pub(super) fn head(object: &Object<'_>) -> Option<Head> {
    let role = roles::known(&object.text("role")?).unwrap_or(Role::User);
    let fits = object.get("from_history").or_else(|| object.get("content")).is_some();
    let created_at = object.get("created_at").and_then(timed::seconds);
    fits.then_some(Head { role, created_at })
}

pub(super) fn read<'a>(object: &Object<'a>) -> Option<Neutral<'a>> {
    let mut message = Neutral::new(head(object)?.role, FAMILY);
    if let Some(word) = object.string("role").filter(|word| raw::text(word) != message.role.as_str()) {
        message.keep("role", word);
    }
    let content = object.get("content").unwrap_or("null");
    message.said = own::said(content);
    if !raw::same(content, &own::write_said(&message.said)) {
        message.keep("content", content);
    }
    let name =
        if message.role == Role::Tool && object.string("tool_name").is_some() { "tool_name" } else { "name" };
    message.name = object.string(name).map(Raw::Borrowed);
    message.result_of = object.string("tool_call_id").map(Raw::Borrowed);
    for element in object.list("tool_calls").unwrap_or_default() {
        own::read_call(element, &mut message);
    }
    let mut known = vec!["role", "content", "tool_calls"];
    known.extend(message.name.as_ref().map(|_| name));
    known.extend(message.result_of.as_ref().map(|_| "tool_call_id"));
    let others = object.without(&known).into_iter();
    let says = |key: &str, value: &str| value != "false" || !MARKS.iter().any(|mark| raw::is_key(key, mark));
    message.kept.extend(others.filter(|(key, value)| says(key, value)));
    Some(message)
}

/// The message; its id is the caller's to add where none was kept.
pub(super) fn write(message: &mut Neutral<'_>) -> String {
    let says = |message: &Neutral<'_>, word: &str| {
        roles::known(&raw::text(word)).unwrap_or(Role::User) == message.role
    };
    let role = message.kept_if("role", says);
    let role = role.unwrap_or_else(|| raw::quote(message.role.as_str()).into());
    let says = |message: &Neutral<'_>, content: &str| {
        own::says_same((&own::said(content), &[]), (&message.said, &[]))
    };
    let content = message.kept_if("content", says);
    let said = std::mem::take(&mut message.said);
    let content = content.unwrap_or_else(|| match &said {
        Said::Nothing => "\"\"".into(),
        said => own::write_said(said),
    });
    let mut kept = std::mem::take(&mut message.kept);
    let mut out = Writer::default();
    out.put_some("id", raw::take(&mut kept, "id").as_deref()).put("content", &content);
    for mark in ["from_history", "stop_after_tool_call"] {
        out.put(mark, raw::take(&mut kept, mark).as_deref().unwrap_or("false"));
    }
    out.put("role", &role);
    if message.role == Role::Tool {
        out.put_some("tool_call_id", message.result_of.take().as_deref());
        out.put_some("tool_name", message.name.take().as_deref());
        out.put("tool_call_error", raw::take(&mut kept, "tool_call_error").as_deref().unwrap_or("false"));
    }
    out.put_some("name", message.name.take().as_deref());
    if !(message.calls.is_empty() && message.odd_calls.is_empty()) {
        let calls = std::mem::take(&mut message.calls);
        let odd = std::mem::take(&mut message.odd_calls);
        let calls = calls.iter().map(own::write_call).chain(odd.into_iter().map(Raw::into_owned));
        out.put("tool_calls", &raw::array(calls));
    }
    out.put_all(&kept).end()
}
