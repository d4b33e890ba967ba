//! AI SDK Tools: `{chatId, userId, role, content, timestamp}`, where content is a text, or a message for a user
//! interface as JSON text.
//!
//! Invariant: its client reads any text that is JSON as JSON, so a text that happens to be some goes into a message
//! of one part.

use super::mastra::take_parts;
use super::neutral::{Neutral, Said};
use super::raw::{self, Object, Writer};
use super::ui_parts::{self, Shape};
use super::{Head, own, roles, timed};
use crate::message::Role;

pub(super) const FAMILY: &str = "ai_sdk_tools";

pub(super) fn head(object: &Object<'_>) -> Option<Head> {
    let role = roles::known(&object.text("role")?).unwrap_or(Role::User);
    let content = object.string("content")?;
    let is_result = content.contains("hitherto") && {
        let text = raw::unquote(content);
        let inner = Object::read(&text).unwrap_or_default();
        let spare = inner.object("metadata").and_then(|metadata| metadata.object("hitherto"));
        spare.is_some_and(|spare| spare.text("role").as_deref() == Some("tool"))
    };
    let role = if is_result { Role::Tool } else { role };
    Some(Head { role, created_at: object.get("timestamp").and_then(timed::millis) })
}

pub(super) fn read<'a>(object: &Object<'a>) -> Option<Neutral<'a>> {
    let role = head(object)?.role;
    let content = object.string("content")?;
    let text = raw::unquote(content);
    let inner = Object::read(&text).filter(|_| !raw::is_too_deep(text.as_bytes()));
    let parts = inner.as_ref().and_then(|inner| inner.get("parts")).filter(|parts| parts.starts_with('['));
    let mut message = match (&inner, parts) {
        (Some(inner), Some(parts)) => read_inner(role, inner, parts).into_owned(),
        _ => {
            let mut message = Neutral::new(role, FAMILY);
            message.said = Said::Text(content.into());
            message
        }
    };
    if let Some(word) = object.string("role").filter(|word| raw::text(word) != message.role.as_str()) {
        if message.role != Role::Tool || roles::known(&raw::text(word)) == Some(Role::Tool) {
            message.keep("role", word);
        }
    }
    message.kept.extend(object.without(&["role", "content"]));
    Some(message)
}

fn read_inner<'a>(role: Role, inner: &Object<'a>, parts: &'a str) -> Neutral<'a> {
    let mut message = Neutral::new(role, FAMILY);
    message.read_free_place("metadata", inner);
    let read = ui_parts::read(Shape::AiSdk, parts);
    (message.said, message.calls) = (read.said, read.calls);
    let is_result = ui_parts::read_result(Shape::AiSdk, parts, &mut message);
    if !is_result && !raw::same(parts, &ui_parts::write(Shape::AiSdk, &message, |_| {})) {
        message.keep("parts", parts);
    }
    let others = inner.without(&["role", "parts", "metadata"]);
    if !others.is_empty() {
        message.keep("message", raw::object(&others));
    }
    message
}

/// The message; the chat, the user and the time are the caller's to add where they were not kept.
pub(super) fn write(message: &mut Neutral<'_>) -> String {
    let says = |message: &Neutral<'_>, word: &str| {
        roles::known(&raw::text(word)).unwrap_or(Role::User) == message.role
    };
    let word = message.kept_if("role", says);
    let others = message.kept("message");
    let is_tool = message.role == Role::Tool;
    let says = |message: &Neutral<'_>, parts: &str| {
        let read = ui_parts::read(Shape::AiSdk, parts);
        own::says_same((&read.said, &read.calls), (&message.said, &message.calls))
    };
    let kept = message.kept_if("parts", says);
    let plain = match &message.said {
        Said::Text(said) if !is_tool && kept.is_none() && others.is_none() && message.calls.is_empty() => {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&raw::unquote(said)).is_ok();
            (!is_json).then(|| said.clone().into_owned())
        }
        _ => None,
    };
    let mut parts = kept.map(std::borrow::Cow::into_owned);
    if is_tool {
        parts = Some(ui_parts::take_result(Shape::AiSdk, message));
    }
    if let Some(name) = message.name.take() {
        raw::keep(&mut message.rest, "name", name);
    }
    let place = message.free_place("metadata");
    let role = if is_tool { Role::Assistant } else { message.role };
    let content = match plain {
        Some(text) if place == "{}" => text,
        _ => {
            let parts = parts.unwrap_or_else(|| take_parts(Shape::AiSdk, message));
            let others = others.as_deref().and_then(Object::read).unwrap_or_default();
            let mut inner = Writer::default();
            inner.put("role", &raw::quote(role.as_str())).put("parts", &parts);
            inner.put_some("metadata", Some(place.as_str()).filter(|place| *place != "{}"));
            raw::quote(&inner.put_all(&others.without(&[])).end())
        }
    };
    message.said = Said::Nothing;
    message.calls.clear();
    let mut kept = std::mem::take(&mut message.kept);
    let mut out = Writer::default();
    for name in ["chatId", "userId"] {
        out.put_some(name, raw::take(&mut kept, name).as_deref());
    }
    let role = word.unwrap_or_else(|| raw::quote(role.as_str()).into());
    out.put("role", &role).put("content", &content).put_all(&kept).end()
}
