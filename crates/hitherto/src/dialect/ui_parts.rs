//! The parts of a message for a user interface, of Vercel's AI SDK: as Mastra stores them and as the SDK's version 5
//! has them. A call of a tool and its result are one part.
//!
//! Invariant: reading a part gives the call. A result that stands with it is not told twice: it stays in the part,
//! which whoever reads it keeps.

use super::neutral::{Args, Call, Neutral, Part, Said};
use super::raw::{self, Object, Raw, Writer, array};
use super::{image, own};
use crate::message::Role;

/// Whose parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Mastra,
    AiSdk,
}

/// What parts say.
#[derive(Debug, Default)]
pub(super) struct Read<'a> {
    pub(super) said: Said<'a>,
    pub(super) calls: Vec<Call<'a>>,
    /// The results, one for each call.
    results: Vec<Option<Raw<'a>>>,
}

pub(super) fn read(shape: Shape, list: &str) -> Read<'_> {
    let mut read = Read::default();
    let mut parts = Vec::new();
    for part in raw::list(list).unwrap_or_default() {
        let object = Object::read(part).unwrap_or_default();
        let kind = object.text("type").unwrap_or_default();
        if let Some((call, result)) = tool(shape, &kind, &object) {
            read.calls.push(call);
            read.results.push(result);
            continue;
        }
        parts.push(match kind.as_ref() {
            "text" => object.string("text").map_or_else(|| own::part(part), Part::text),
            "file" => file(shape, &object).unwrap_or_else(|| own::part(part)),
            _ => own::part(part),
        });
    }
    read.said = match parts.as_mut_slice() {
        [] => Said::Nothing,
        [Part::Text(text, _)] => Said::Text(std::mem::take(text)),
        _ => Said::Parts(parts),
    };
    read
}

fn tool<'a>(shape: Shape, kind: &str, part: &Object<'a>) -> Option<(Call<'a>, Option<Raw<'a>>)> {
    let (call, name, args, result) = match shape {
        Shape::Mastra if kind == "tool-invocation" => {
            let call = part.object("toolInvocation")?;
            let name = call.string("toolName")?.into();
            let (args, result) = (call.some("args"), call.get("result"));
            (call, name, args, result)
        }
        Shape::AiSdk if kind == "dynamic-tool" || kind.starts_with("tool-") => {
            let name = match kind.strip_prefix("tool-") {
                Some(name) => raw::quote(name).into(),
                None => part.string("toolName")?.into(),
            };
            let result = part.get("output").or_else(|| part.get("errorText"));
            (part.clone(), name, part.some("input"), result)
        }
        _ => return None,
    };
    let id = call.string("toolCallId").unwrap_or("\"\"").into();
    let args = args.map_or(Args::Text("\"\"".into()), Args::of);
    Some((Call { id, name, args }, result.map(Raw::Borrowed)))
}

fn file<'a>(shape: Shape, part: &Object<'a>) -> Option<Part<'a>> {
    let (kind, url) = match shape {
        Shape::Mastra => (part.text("mimeType")?, part.string("data")?),
        Shape::AiSdk => (part.text("mediaType")?, part.string("url")?),
    };
    if !kind.starts_with("image/") {
        return None;
    }
    let is_address = raw::text(url).contains(':');
    let data_url = || image::data_url(&raw::quote(&kind), url).into();
    Some(Part::Image(if is_address { url.into() } else { data_url() }, None))
}

/// The parts of a message.
pub(super) fn write(shape: Shape, message: &Neutral<'_>, mut lose: impl FnMut(&Part<'_>)) -> String {
    let text = |text: &str| Writer::default().put("type", "\"text\"").put("text", text).end();
    let mut parts = Vec::new();
    match &message.said {
        Said::Nothing => {}
        Said::Text(said) if said == "\"\"" && !message.calls.is_empty() => {}
        Said::Text(said) => parts.push(text(said)),
        Said::Parts(said) => {
            for part in said {
                match part {
                    Part::Text(said, _) => parts.push(text(said)),
                    Part::Image(url, _) => parts.push(write_image(shape, url)),
                    Part::Other(other) if is_theirs(other) => parts.push(other.clone().into_owned()),
                    Part::Other(_) => lose(part),
                }
            }
        }
    }
    parts.extend(message.calls.iter().map(|call| write_tool(shape, call, None)));
    array(parts)
}

/// Parts that both have under the same name.
fn is_theirs(part: &str) -> bool {
    let kind = Object::read(part).and_then(|part| part.text("type"));
    kind.is_some_and(|kind| matches!(kind.as_ref(), "reasoning" | "step-start" | "source"))
}

fn write_image(shape: Shape, url: &str) -> String {
    let mut out = Writer::default();
    out.put("type", "\"file\"");
    let kind = image::kind(url);
    match shape {
        Shape::Mastra => out.put("data", url).put("mimeType", &kind),
        Shape::AiSdk => out.put("mediaType", &kind).put("url", url),
    };
    out.end()
}

/// A call, with its result if it has one.
fn write_tool(shape: Shape, call: &Call<'_>, result: Option<&str>) -> String {
    let args = call.args.value();
    let args = args.as_deref().map_or_else(|| call.args.text().into_owned(), str::to_owned);
    let mut out = Writer::default();
    match shape {
        Shape::Mastra => {
            out.put("state", if result.is_some() { "\"result\"" } else { "\"call\"" });
            out.put("toolCallId", &call.id).put("toolName", &call.name).put("args", &args);
            let invocation = out.put_some("result", result).end();
            out.put("type", "\"tool-invocation\"").put("toolInvocation", &invocation).end()
        }
        Shape::AiSdk => {
            let state = if result.is_some() { "\"output-available\"" } else { "\"input-available\"" };
            let name = call.name.strip_prefix('"').unwrap_or(&call.name);
            out.put("type", &format!("\"tool-{name}")).put("toolCallId", &call.id).put("state", state);
            out.put("input", &args).put_some("output", result).end()
        }
    }
}

/// Where a tool's result of its own is marked, so that it is read as one again.
const MARK: &str = "\"tool\"";

/// Takes a tool's message as the parts of a model's: neither shape has tools speak.
pub(super) fn take_result(shape: Shape, message: &mut Neutral<'_>) -> String {
    let text = message.take_text().into_owned();
    let call = Call {
        id: message.result_of.take().unwrap_or("\"\"".into()),
        name: message.name.take().unwrap_or("\"\"".into()),
        args: Args::Value("{}".into()),
    };
    raw::keep(&mut message.rest, "role", MARK);
    array([write_tool(shape, &call, Some(&text))])
}

/// Makes a tool's message again of what [`take_result`] wrote; whether it was one.
pub(super) fn read_result(shape: Shape, list: &str, message: &mut Neutral<'_>) -> bool {
    let Some(spare) = message.kept("hitherto") else {
        return false;
    };
    let object = Object::read(&spare).unwrap_or_default();
    let Read { mut calls, mut results, .. } = read(shape, list);
    let marked = object.get("role") == Some(MARK);
    let mut reserved = object.without(if marked { &["role"] } else { &[] });
    let result = results.pop().flatten();
    let is_result = match (calls.pop(), result, calls.is_empty() && marked) {
        (Some(call), Some(result), true) => {
            let call = call.into_owned();
            message.role = Role::Tool;
            message.said = Said::Text(match result.starts_with('"') {
                true => result.into_owned().into(),
                false => raw::quote(&result).into(),
            });
            message.result_of = Some(call.id);
            message.name = Some(call.name).filter(|name| name != "\"\"");
            message.calls.clear();
            true
        }
        _ => {
            if marked {
                raw::keep(&mut reserved, "role", MARK);
            }
            false
        }
    };
    if !reserved.is_empty() {
        message.keep("hitherto", raw::object(&reserved));
    }
    is_result
}
