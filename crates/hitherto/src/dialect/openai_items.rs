//! Items of OpenAI's Responses API, as the Agents SDK stores them: messages, function calls and their outputs.
//!
//! Invariant: one item is one message. A message that says something and calls tools is several items.

use super::neutral::{Args, Call, Neutral, Part, Said};
use super::raw::{self, Object, Raw, Writer, array};
use super::{Head, own};
use crate::message::Role;

pub(super) const FAMILY: &str = "openai";

/// Where the parts of a text stand: the API has two words for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Input,
    Output,
}

pub(super) fn head(object: &Object<'_>) -> Option<Head> {
    let role = match object.text("type").as_deref() {
        Some("function_call") if object.has("call_id") => Role::Assistant,
        Some("function_call_output") if object.has("call_id") => Role::Tool,
        Some("message") | None if is_content(object.get("content")?) => match object.text("role")?.as_ref() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" | "developer" => Role::System,
            _ => return None,
        },
        _ => return None,
    };
    Some(Head { role, created_at: None })
}

/// A text, or parts that each have a type.
fn is_content(content: &str) -> bool {
    let is_typed = |part: &&str| Object::read(part).is_some_and(|part| part.string("type").is_some());
    content.starts_with('"') || raw::list(content).is_some_and(|parts| parts.iter().all(is_typed))
}

pub(super) fn read<'a>(object: &Object<'a>) -> Option<Neutral<'a>> {
    let mut message = Neutral::new(head(object)?.role, FAMILY);
    match object.text("type").as_deref() {
        Some("function_call") => {
            message.calls.push(Call {
                id: object.string("call_id").unwrap_or("\"\"").into(),
                name: object.string("name").unwrap_or("\"\"").into(),
                args: object.some("arguments").map_or(Args::Text("\"\"".into()), Args::of),
            });
            message.kept = object.without(&["type", "call_id", "name", "arguments"]);
        }
        Some("function_call_output") => {
            read_content(object.get("output").unwrap_or("\"\""), Side::Input, &mut message);
            message.result_of = object.string("call_id").map(Raw::Borrowed);
            message.kept = object.without(&["type", "call_id", "output"]);
        }
        kind => {
            let side = if message.role == Role::Assistant { Side::Output } else { Side::Input };
            let content = object.get("content").unwrap_or("\"\"");
            message.kept = object.without(&["type", "role", "content", "name"]);
            if kind.is_some() {
                message.keep("type", "\"message\"");
            }
            if object.text("role").as_deref() == Some("developer") {
                message.keep("role", "\"developer\"");
            }
            match object.get("name") {
                Some(name) if name.starts_with('"') => message.name = Some(name.into()),
                Some(name) if name != "null" => message.keep("name", name),
                _ => {}
            }
            read_content(content, side, &mut message);
        }
    }
    Some(message)
}

/// What is said; content that comes back otherwise than it was is kept as well.
fn read_content<'a>(content: &'a str, side: Side, message: &mut Neutral<'a>) {
    message.said = said(content, side);
    let written = write_said(&message.said, side, content.starts_with('['), |_| {});
    if !content.starts_with('"') && !raw::same(content, &written) && !is_plain_output(content) {
        message.keep("content", content);
    }
}

fn said(content: &str, side: Side) -> Said<'_> {
    if content.starts_with('"') {
        return Said::Text(content.into());
    }
    let Some(parts) = raw::list(content) else {
        // An output may be any value; the model is given its text.
        return Said::Text(raw::quote(content).into());
    };
    let mut parts: Vec<Part<'_>> = parts.into_iter().map(part).collect();
    // What the model says in one part, and nothing beside it, is a text.
    match (parts.as_mut_slice(), side) {
        ([Part::Text(text, more)], Side::Output) if more.is_empty() => Said::Text(std::mem::take(text)),
        _ => Said::Parts(parts),
    }
}

/// Whether it is one text that the model gave, with nothing noted about it.
fn is_plain_output(content: &str) -> bool {
    let parts = raw::list(content).unwrap_or_default();
    let [part] = parts.as_slice() else {
        return false;
    };
    let Some(part) = Object::read(part) else {
        return false;
    };
    let noted = part.without(&["type", "text"]);
    part.text("type").as_deref() == Some("output_text") && noted.iter().all(|(_, value)| value == "[]")
}

fn part(part: &str) -> Part<'_> {
    let Some(object) = Object::read(part) else {
        return own::part(part);
    };
    match object.text("type").as_deref() {
        Some("input_text" | "output_text" | "text") => {
            object.string("text").map_or_else(|| own::part(part), Part::text)
        }
        Some("input_image") => match object.string("image_url") {
            Some(url) => {
                let detail = object.string("detail").filter(|detail| *detail != "\"auto\"");
                Part::Image(url.into(), detail.map(Raw::Borrowed))
            }
            None => own::part(part),
        },
        Some("input_file") => {
            let file = raw::object(&object.without(&["type"]));
            Part::Other(Writer::default().put("type", "\"file\"").put("file", &file).end().into())
        }
        _ => own::part(part),
    }
}

fn write_said(said: &Said<'_>, side: Side, listed: bool, mut lose: impl FnMut(&Part<'_>)) -> String {
    let one;
    let parts = match said {
        Said::Nothing => return if listed { "[]" } else { "\"\"" }.to_owned(),
        Said::Text(text) if !listed => return text.clone().into_owned(),
        Said::Text(text) => {
            one = [Part::text(text.as_ref())];
            one.as_slice()
        }
        Said::Parts(parts) => parts.as_slice(),
    };
    array(parts.iter().filter_map(|part| {
        let written = write_part(part, side);
        if written.is_none() {
            lose(part);
        }
        written
    }))
}

fn write_part(part: &Part<'_>, side: Side) -> Option<String> {
    let mut out = Writer::default();
    match (part, side) {
        (Part::Text(text, _), Side::Input) => out.put("type", "\"input_text\"").put("text", text),
        (Part::Text(text, _), Side::Output) => out
            .put("annotations", "[]")
            .put("text", text)
            .put("type", "\"output_text\"")
            .put("logprobs", "[]"),
        (Part::Image(url, detail), Side::Input) => {
            let detail = detail.as_deref().unwrap_or("\"auto\"");
            out.put("type", "\"input_image\"").put("image_url", url).put("detail", detail)
        }
        (Part::Other(part), _) => {
            let part = Object::read(part)?;
            match (part.text("type")?.as_ref(), side) {
                ("file", Side::Input) => {
                    out.put("type", "\"input_file\"").put_all(&part.object("file")?.without(&[]))
                }
                ("input_audio", Side::Input) | ("refusal", Side::Output) => out.put_all(&part.without(&[])),
                _ => return None,
            }
        }
        (Part::Image(..), Side::Output) => return None,
    };
    Some(out.end())
}

/// The message as items.
pub(super) fn write(message: &mut Neutral<'_>) -> Vec<String> {
    let side = if message.role == Role::Assistant { Side::Output } else { Side::Input };
    if message.role == Role::Tool {
        let output = content(message, side, false);
        let mut out = Writer::default();
        out.put("call_id", message.result_of.take().as_deref().unwrap_or("\"\"")).put("output", &output);
        out.put("type", "\"function_call_output\"");
        return vec![out.put_all(&std::mem::take(&mut message.kept)).end()];
    }
    let calls = if message.role == Role::Assistant { std::mem::take(&mut message.calls) } else { Vec::new() };
    // An id is that of the item that it came with: of the message if it said something, else of the one call.
    let says = !message.is_silent() || calls.is_empty();
    let mut items = Vec::with_capacity(calls.len() + 1);
    if says {
        items.push(write_message(message, side));
    }
    let alone = !says && calls.len() == 1;
    for call in calls {
        let mut out = Writer::default();
        out.put("arguments", &call.args.text()).put("call_id", &call.id).put("name", &call.name);
        out.put("type", "\"function_call\"");
        if alone {
            out.put_all(&std::mem::take(&mut message.kept));
        }
        items.push(out.end());
    }
    items
}

fn write_message(message: &mut Neutral<'_>, side: Side) -> String {
    let is_item = message.kept("type").is_some();
    let content = content(message, side, is_item && side == Side::Output);
    let role = match message.kept_if("role", |message, _| message.role == Role::System) {
        Some(role) => role,
        None => raw::quote(message.role.as_str()).into(),
    };
    let mut out = Writer::default();
    let mut others = std::mem::take(&mut message.kept);
    out.put_some("id", raw::take(&mut others, "id").as_deref()).put("role", &role).put("content", &content);
    out.put_all(&others);
    if is_item {
        out.put("type", "\"message\"");
    }
    out.end()
}

fn content(message: &mut Neutral<'_>, side: Side, listed: bool) -> String {
    let says = |message: &Neutral<'_>, content: &str| {
        own::says_same((&said(content, side), &[]), (&message.said, &[]))
    };
    if let Some(content) = message.kept_if("content", says) {
        message.said = Said::Nothing;
        return content.into_owned();
    }
    let said = std::mem::take(&mut message.said);
    if let Said::Parts(parts) = &said {
        for part in parts {
            if let Part::Text(_, more) = part {
                message.lose_more(more);
            }
        }
    }
    write_said(&said, side, listed, |part| message.lose_part(part))
}
