//! Mastra's messages of format 2: parts, and beside them their text.
//!
//! Invariant: a call and its result are one part of one message of the assistant. Such a message is read as the call;
//! its parts are kept, and with them the result.

use super::neutral::{Neutral, Part, Said};
use super::raw::{self, Object, Writer};
use super::ui_parts::{self, Shape};
use super::{Head, own, roles, timed};
use crate::message::Role;

pub(super) const FAMILY: &str = "mastra";

pub(super) fn head(object: &Object<'_>) -> Option<Head> {
    let role = roles::known(&object.text("role")?).unwrap_or(Role::User);
    let content = object.object("content")?;
    content.get("parts").filter(|parts| parts.starts_with('['))?;
    let role = if is_result(&content) { Role::Tool } else { role };
    Some(Head { role, created_at: object.get("createdAt").and_then(timed::rfc3339) })
}

/// Whether it is a tool's message that was written as a part, as nothing else can be.
fn is_result(content: &Object<'_>) -> bool {
    let mark = content.object("metadata").and_then(|metadata| metadata.object("hitherto"));
    mark.is_some_and(|mark| mark.text("role").as_deref() == Some("tool"))
}

pub(super) fn read<'a>(object: &Object<'a>) -> Option<Neutral<'a>> {
    let mut message = Neutral::new(head(object)?.role, FAMILY);
    let content = object.object("content")?;
    let parts = content.get("parts")?;
    if let Some(word) = object.string("role").filter(|word| raw::text(word) != message.role.as_str()) {
        message.keep("role", word);
    }
    message.read_free_place("metadata", &content);
    let read = ui_parts::read(Shape::Mastra, parts);
    (message.said, message.calls) = (read.said, read.calls);
    if ui_parts::read_result(Shape::Mastra, parts, &mut message) {
        message.kept("role");
    } else if !raw::same(parts, &ui_parts::write(Shape::Mastra, &message, |_| {})) {
        message.keep("parts", parts);
    }
    let mut known = vec!["parts", "metadata"];
    known.extend((content.get("format") == Some("2")).then_some("format"));
    // The text again.
    let again = matches!(&message.said, Said::Text(said) if content.get("content") == Some(said.as_ref()));
    known.extend(again.then_some("content"));
    let others = content.without(&known);
    if !others.is_empty() {
        message.keep("content", raw::object(&others));
    }
    message.kept.extend(object.without(&["role", "content"]));
    Some(message)
}

/// The message; its id, its thread and its time are the caller's to add where they were not kept.
pub(super) fn write(message: &mut Neutral<'_>) -> String {
    let says = |message: &Neutral<'_>, word: &str| {
        roles::known(&raw::text(word)).unwrap_or(Role::User) == message.role
    };
    let word = message.kept_if("role", says);
    let others = message.kept("content");
    let mut text = None;
    let (role, parts) = if message.role == Role::Tool {
        (Role::Assistant, ui_parts::take_result(Shape::Mastra, message))
    } else {
        let says = |message: &Neutral<'_>, parts: &str| {
            let read = ui_parts::read(Shape::Mastra, parts);
            own::says_same((&read.said, &read.calls), (&message.said, &message.calls))
        };
        let kept = message.kept_if("parts", says);
        if let (Said::Text(said), true) = (&message.said, message.calls.is_empty()) {
            text = Some(said.clone().into_owned());
        }
        (message.role, kept.map_or_else(|| take_parts(Shape::Mastra, message), std::borrow::Cow::into_owned))
    };
    message.said = Said::Nothing;
    message.calls.clear();
    if let Some(name) = message.name.take() {
        raw::keep(&mut message.rest, "name", name);
    }
    let place = message.free_place("metadata");
    let mut content = Writer::default();
    content.put("format", "2").put("parts", &parts);
    let others = others.as_deref().and_then(Object::read).unwrap_or_default();
    content.put_some("content", text.as_deref().filter(|_| !others.has("content")));
    content.put_some("metadata", Some(place.as_str()).filter(|place| *place != "{}"));
    let content = content.put_all(&others.without(&["metadata", "format", "parts"])).end();
    let mut kept = std::mem::take(&mut message.kept);
    let mut out = Writer::default();
    let role = word.unwrap_or_else(|| raw::quote(role.as_str()).into());
    out.put_some("id", raw::take(&mut kept, "id").as_deref()).put("role", &role);
    for name in ["createdAt", "threadId", "resourceId"] {
        out.put_some(name, raw::take(&mut kept, name).as_deref());
    }
    out.put("type", raw::take(&mut kept, "type").as_deref().unwrap_or("\"v2\""));
    out.put("content", &content).put_all(&kept).end()
}

/// The parts of the message, naming what they cannot say.
pub(super) fn take_parts(shape: Shape, message: &mut Neutral<'_>) -> String {
    let mut lost = Vec::new();
    let parts = ui_parts::write(shape, message, |part| lost.push(part.clone().into_owned()));
    if let Said::Parts(said) = std::mem::take(&mut message.said) {
        for part in &said {
            if let Part::Text(_, more) = part {
                message.lose_more(more);
            }
        }
    }
    lost.iter().for_each(|part| message.lose_part(part));
    message.calls.clear();
    parts
}
