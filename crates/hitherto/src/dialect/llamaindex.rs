//! LlamaIndex's chat messages: blocks since 0.8, content before, and only a type and content in 0.1.
//!
//! Invariant: what has no field goes into `additional_kwargs`, which LlamaIndex hands on and does not look into; the
//! form of 0.1 has none, and holds texts only.

use super::neutral::{Args, Call, Neutral, Part, Said};
use super::raw::{self, Object, Raw, Writer, array};
use super::{Dialect, Head, image, own, roles};

pub(super) const FAMILY: &str = "llamaindex";

pub(super) fn head(dialect: Dialect, object: &Object<'_>) -> Option<Head> {
    let (word, fits) = match dialect {
        Dialect::LlamaIndexTyped => ("type", object.has("content")),
        Dialect::LlamaIndexContent => ("role", object.get("content").is_some()),
        _ => ("role", object.get("blocks")?.starts_with('[')),
    };
    let role = roles::known(&object.text(word)?)?;
    fits.then_some(Head { role, created_at: None })
}

pub(super) fn read<'a>(dialect: Dialect, object: &Object<'a>) -> Option<Neutral<'a>> {
    let word = if dialect == Dialect::LlamaIndexTyped { "type" } else { "role" };
    let mut message = Neutral::new(head(dialect, object)?.role, FAMILY);
    if let Some(role) = object.string(word).filter(|role| raw::text(role) != message.role.as_str()) {
        message.keep("role", role);
    }
    match object.get("blocks").filter(|_| dialect == Dialect::LlamaIndex) {
        Some(blocks) => {
            (message.said, message.calls) = read_blocks(blocks);
            if !raw::same(blocks, &write_blocks(&message.said, &message.calls, |_| {})) {
                message.keep("blocks", blocks);
            }
        }
        None => {
            let content = object.get("content").unwrap_or("null");
            message.said = own::said(content);
            if matches!(message.said, Said::Nothing) && content != "null" {
                message.keep("content", content);
            }
        }
    }
    read_kwargs(object, &mut message);
    message.kept.extend(object.without(&[word, "content", "blocks", "additional_kwargs"]));
    Some(message)
}

/// Names, ids and calls where an integration puts them among the further arguments.
fn read_kwargs<'a>(object: &Object<'a>, message: &mut Neutral<'a>) {
    let kwargs = object.object("additional_kwargs").unwrap_or_default();
    message.name = kwargs.string("name").map(Raw::Borrowed);
    message.result_of = kwargs.string("tool_call_id").map(Raw::Borrowed);
    message.read_free_place("additional_kwargs", object);
    let list = kwargs.list("tool_calls").unwrap_or_default();
    let (calls, _) = own::read_calls(&list).unwrap_or_default();
    let in_blocks = !message.calls.is_empty();
    if !in_blocks {
        message.calls = calls;
    }
    let Some(kept) = message.kept("additional_kwargs") else {
        return;
    };
    // Calls are kept where they stood as well, so that they are written there again.
    let kept = Object::read(&kept).unwrap_or_default();
    let mut known = Vec::new();
    known.extend(message.name.as_ref().map(|_| "name"));
    known.extend(message.result_of.as_ref().map(|_| "tool_call_id"));
    let others = raw::object(&kept.without(&known));
    if others != "{}" {
        message.keep("additional_kwargs", others);
    }
}

fn read_blocks(blocks: &str) -> (Said<'_>, Vec<Call<'_>>) {
    let (mut parts, mut calls) = (Vec::new(), Vec::new());
    for block in raw::list(blocks).unwrap_or_default() {
        let Some(object) = Object::read(block) else {
            parts.push(own::part(block));
            continue;
        };
        match object.text("block_type").as_deref() {
            Some("text") if object.has("text") => {
                parts.push(object.string("text").map_or_else(|| own::part(block), Part::text));
            }
            Some("tool_call") => calls.push(Call {
                id: object.string("tool_call_id").unwrap_or("\"\"").into(),
                name: object.string("tool_name").unwrap_or("\"\"").into(),
                args: object.some("tool_kwargs").map_or(Args::Text("\"\"".into()), Args::of),
            }),
            Some("image") => parts.push(read_image(&object).unwrap_or_else(|| typed(block, &object))),
            _ => parts.push(typed(block, &object)),
        }
    }
    let said = match parts.as_mut_slice() {
        [] => Said::Nothing,
        [Part::Text(text, _)] => Said::Text(std::mem::take(text)),
        _ => Said::Parts(parts),
    };
    (said, calls)
}

fn read_image<'a>(object: &Object<'a>) -> Option<Part<'a>> {
    let detail = object.string("detail").map(Raw::Borrowed);
    match (object.string("url"), object.string("image")) {
        (Some(url), None) => Some(Part::Image(url.into(), detail)),
        (None, Some(base64)) => {
            let kind = object.string("image_mimetype").unwrap_or("\"image/png\"");
            Some(Part::Image(image::data_url(kind, base64).into(), detail))
        }
        _ => None,
    }
}

/// A block as a part of the own form, whose type is called `type`.
fn typed<'a>(block: &'a str, object: &Object<'a>) -> Part<'a> {
    match object.string("block_type") {
        Some(kind) => {
            let mut out = Writer::default();
            own::part(&out.put("type", kind).put_all(&object.without(&["block_type", "type"])).end())
                .into_owned()
        }
        None => own::part(block),
    }
}

fn write_blocks(said: &Said<'_>, calls: &[Call<'_>], mut lose: impl FnMut(&Part<'_>)) -> String {
    let text = |text: &str| Writer::default().put("block_type", "\"text\"").put("text", text).end();
    let mut blocks = match said {
        // LlamaIndex begins a message that only calls tools with an empty text.
        Said::Nothing => vec![text("\"\"")],
        Said::Text(said) => vec![text(said)],
        Said::Parts(parts) => {
            let blocks = parts.iter().filter_map(|part| match part {
                Part::Text(said, _) => Some(text(said)),
                Part::Image(url, detail) => Some(write_image(url, detail.as_deref())),
                Part::Other(_) => {
                    lose(part);
                    None
                }
            });
            blocks.collect()
        }
    };
    blocks.extend(calls.iter().map(|call| {
        let mut out = Writer::default();
        out.put("block_type", "\"tool_call\"").put("tool_call_id", &call.id).put("tool_name", &call.name);
        let args = call.args.value();
        out.put("tool_kwargs", args.as_deref().unwrap_or(&call.args.text())).end()
    }));
    array(blocks)
}

fn write_image(url: &str, detail: Option<&str>) -> String {
    let mut out = Writer::default();
    out.put("block_type", "\"image\"");
    match image::of_data_url(url) {
        Some((kind, base64)) => {
            out.put("image", &base64).put("path", "null").put("url", "null").put("image_mimetype", &kind)
        }
        None => out.put("image", "null").put("path", "null").put("url", url).put("image_mimetype", "null"),
    };
    out.put("detail", detail.unwrap_or("null")).end()
}

/// The message; the caller spells it.
pub(super) fn write(dialect: Dialect, message: &mut Neutral<'_>) -> String {
    let says = |message: &Neutral<'_>, role: &str| roles::known(&raw::text(role)) == Some(message.role);
    let role = message.kept_if("role", says);
    let role = role.unwrap_or_else(|| raw::quote(message.role.as_str()).into());
    let mut out = Writer::default();
    if dialect == Dialect::LlamaIndexTyped {
        return out.put("type", &role).put("content", &message.take_text()).end();
    }
    if dialect == Dialect::LlamaIndexContent {
        let text = message.take_text();
        let kwargs = write_kwargs(message, true);
        out.put("role", &role).put("content", &text).put("additional_kwargs", &kwargs);
        return out.put_all(&std::mem::take(&mut message.kept)).end();
    }
    let calls_in_kwargs = raw::find(&message.kept, "additional_kwargs")
        .and_then(Object::read)
        .is_some_and(|kwargs| kwargs.has("tool_calls"));
    let kept = message.kept_if("blocks", |message, blocks| {
        let (said, calls) = read_blocks(blocks);
        let in_blocks = if calls_in_kwargs && calls.is_empty() { &[][..] } else { &message.calls };
        own::says_same((&said, &calls), (&message.said, in_blocks))
    });
    let blocks = match kept {
        Some(blocks) => {
            let in_blocks = !read_blocks(&blocks).1.is_empty();
            if in_blocks {
                message.calls.clear();
            }
            blocks.into_owned()
        }
        None => {
            let said = std::mem::take(&mut message.said);
            let calls = if calls_in_kwargs { Vec::new() } else { std::mem::take(&mut message.calls) };
            write_blocks(&said, &calls, |part| message.lose_part(part))
        }
    };
    message.said = Said::Nothing;
    let kwargs = write_kwargs(message, calls_in_kwargs);
    out.put("role", &role).put("additional_kwargs", &kwargs).put("blocks", &blocks);
    out.put_all(&std::mem::take(&mut message.kept)).end()
}

fn write_kwargs(message: &mut Neutral<'_>, with_calls: bool) -> String {
    let place = message.free_place("additional_kwargs");
    let place = Object::read(&place).unwrap_or_default();
    let mut out = Writer::default();
    let calls = std::mem::take(&mut message.calls);
    match place.get("tool_calls").filter(|_| with_calls) {
        Some(kept) => {
            let list = raw::list(kept).unwrap_or_default();
            let (read, _) = own::read_calls(&list).unwrap_or_default();
            if own::says_same((&Said::Nothing, &read), (&Said::Nothing, &calls)) {
                out.put("tool_calls", kept);
            } else if !calls.is_empty() {
                out.put("tool_calls", &own::write_calls(&calls));
            }
        }
        None if with_calls && !calls.is_empty() => {
            out.put("tool_calls", &own::write_calls(&calls));
        }
        None => message.calls = calls,
    }
    out.put_some("tool_call_id", message.result_of.take().as_deref());
    out.put_some("name", message.name.take().as_deref());
    out.put_all(&place.without(if with_calls { &["tool_calls"] } else { &[] })).end()
}
