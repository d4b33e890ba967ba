//! LangChain's stored messages, `{type, data}`: as JavaScript and as Python write them, and the documents of
//! langchain-redis, which are the Python ones with less in them.
//!
//! Invariant: calls whose arguments are no object stand among the invalid ones, as LangChain itself keeps them; a
//! Python reader refuses a whole session for one that does not.

use super::neutral::{Args, Call, Neutral, Part, Said};
use super::raw::{self, Fields, Object, Raw, Writer, array};
use super::{Dialect, Head, own, roles, timed};
use crate::message::Role;

pub(super) const FAMILY: &str = "langchain";

/// Fields that say nothing when they have this value.
const DEFAULTS: &[(&str, &str)] = &[("status", "\"success\""), ("example", "false")];

/// Who speaks in an element of that type; `None` for what is no message, such as `remove`.
fn role(kind: &str, data: &Object<'_>) -> Option<Role> {
    Some(match kind {
        "human" | "HumanMessageChunk" => Role::User,
        "ai" | "AIMessageChunk" => Role::Assistant,
        "system" | "developer" | "SystemMessageChunk" => Role::System,
        "tool" | "function" | "ToolMessageChunk" | "FunctionMessageChunk" => Role::Tool,
        "generic" | "chat" | "ChatMessageChunk" => {
            data.text("role").and_then(|word| roles::known(&word)).unwrap_or(Role::Assistant)
        }
        _ => return None,
    })
}

/// The data of an element; JavaScript's first version had the fields beside the type.
fn data<'a>(object: &Object<'a>) -> Option<Object<'a>> {
    match object.get("data") {
        Some(_) => object.object("data"),
        None => object.string("text").map(|_| object.clone()),
    }
}

/// The dialect of an element of this family by its looks.
pub(super) fn detect(object: &Object<'_>) -> Option<(Dialect, Head)> {
    let data = data(object)?;
    let dialect = if object.string("session_id").is_some() || object.string("message_id").is_some() {
        Dialect::LangChainRedis
    } else if object.has("data") && data.string("type").is_some() {
        Dialect::LangChainPython
    } else {
        Dialect::LangChainJs
    };
    Some((dialect, head_of(dialect, object, &data)?))
}

pub(super) fn head(dialect: Dialect, object: &Object<'_>) -> Option<Head> {
    head_of(dialect, object, &data(object)?)
}

fn head_of(dialect: Dialect, object: &Object<'_>, data: &Object<'_>) -> Option<Head> {
    let role = role(&object.text("type")?, data)?;
    let stamp = object.get("timestamp").filter(|_| dialect == Dialect::LangChainRedis);
    Some(Head { role, created_at: stamp.and_then(timed::seconds) })
}

pub(super) fn read<'a>(object: &Object<'a>) -> Option<Neutral<'a>> {
    let data = data(object)?;
    let kind = object.text("type")?;
    let mut message = Neutral::new(role(&kind, &data)?, FAMILY);
    read_content(data.get("content").or_else(|| data.get("text")), &mut message);
    message.name = data.string("name").map(Raw::Borrowed);
    message.result_of = data.string("tool_call_id").map(Raw::Borrowed);
    if !matches!(kind.as_ref(), "human" | "ai" | "system" | "tool") {
        message.keep("type", raw::quote(&kind));
    }
    for name in ["tool_calls", "invalid_tool_calls"] {
        read_calls(name, &data, &mut message);
    }
    message.read_free_place("additional_kwargs", &data);
    if message.calls.is_empty() {
        read_old_calls(&mut message);
    }
    let mut known = vec!["content", "text", "type", "tool_calls", "invalid_tool_calls", "additional_kwargs"];
    known.extend(message.name.as_ref().map(|_| "name"));
    known.extend(message.result_of.as_ref().map(|_| "tool_call_id"));
    let others = data.without(&known).into_iter().filter(|(key, value)| {
        let is_default = DEFAULTS.iter().any(|(name, default)| raw::is_key(key, name) && value == default);
        let is_empty = raw::is_key(key, "response_metadata") && raw::same(value, "{}");
        !is_default && !is_empty
    });
    message.kept.extend(others);
    if object.get("data").is_some() {
        let element = object.without(&["type", "data"]);
        if !element.is_empty() {
            message.keep("element", raw::object(&element));
        }
    }
    Some(message)
}

/// What is said; content that comes back otherwise than it was is kept as well.
fn read_content<'a>(content: Option<&'a str>, message: &mut Neutral<'a>) {
    let Some(content) = content.filter(|content| *content != "null") else {
        return;
    };
    message.said = said(content);
    if !content.starts_with('"') && !raw::same(content, &write_said(&message.said)) {
        message.keep("content", content);
    }
}

fn said(content: &str) -> Said<'_> {
    if content.starts_with('"') {
        return Said::Text(content.into());
    }
    raw::list(content).map_or(Said::Nothing, |parts| Said::Parts(parts.into_iter().map(part).collect()))
}

/// A part: those of chat completions, and the blocks of LangChain 1 for images.
fn part(part: &str) -> Part<'_> {
    let image = || {
        let object = Object::read(part).filter(|object| object.text("type").as_deref() == Some("image"))?;
        if !object.without(&["type", "url", "base64", "data", "mime_type", "source_type", "id"]).is_empty() {
            return None;
        }
        match (object.string("url"), object.string("base64").or_else(|| object.string("data"))) {
            (Some(url), None) => Some(Part::Image(url.into(), None)),
            (None, Some(base64)) => {
                let kind = object.string("mime_type").unwrap_or("\"image/png\"");
                Some(Part::Image(super::image::data_url(kind, base64).into(), None))
            }
            _ => None,
        }
    };
    image().unwrap_or_else(|| own::part(part))
}

fn write_said<'s>(said: &'s Said<'_>) -> Raw<'s> {
    match said {
        Said::Nothing => "\"\"".into(),
        Said::Text(text) => Raw::Borrowed(text),
        Said::Parts(parts) => array(parts.iter().map(|part| match part {
            Part::Other(other) => unwrapped(other).unwrap_or_else(|| own::write_part(part)),
            part => own::write_part(part),
        }))
        .into(),
    }
}

/// What was put into a part because it had no type.
fn unwrapped(part: &str) -> Option<String> {
    let object = Object::read(part)?;
    (object.text("type")? == "raw").then(|| object.get("value").map(str::to_owned)).flatten()
}

/// Reads one of the two lists of calls. A list that holds more than calls can say is kept as well.
fn read_calls<'a>(name: &str, data: &Object<'a>, message: &mut Neutral<'a>) {
    let Some(list) = data.list(name) else {
        return;
    };
    let mut more = false;
    for element in list {
        let Some((call, others)) = call(element, name) else {
            more = true;
            continue;
        };
        more |= !others.is_empty();
        message.calls.push(call);
    }
    if let (true, Some(list)) = (more, data.get(name)) {
        message.keep(name, list);
    }
}

/// A call, and its further fields.
fn call<'a>(element: &'a str, list: &str) -> Option<(Call<'a>, Fields<'a>)> {
    let object = Object::read(element)?;
    let args = object.get("args").unwrap_or("null");
    let args = match list {
        "tool_calls" => Args::Value(args.into()),
        // The text may have been read although it stands here.
        _ if args == "null" => Args::Text("\"\"".into()),
        _ => Args::of(args),
    };
    let string = |name: &str| object.string(name).unwrap_or("\"\"").into();
    Some((
        Call { id: string("id"), name: string("name"), args },
        object.without(&["id", "name", "args", "type"]),
    ))
}

/// Calls from before LangChain had a field for them: as the model's API wrote them.
fn read_old_calls(message: &mut Neutral<'_>) {
    let Some(kwargs) = message.kept("additional_kwargs") else {
        return;
    };
    let object = Object::read(&kwargs).unwrap_or_default();
    let list = object.list("tool_calls").unwrap_or_default();
    match own::read_calls(&list) {
        Some((calls, more)) if !calls.is_empty() => {
            message.calls = calls.into_iter().map(Call::into_owned).collect();
            let others = object.without(if more { &[] } else { &["tool_calls"] });
            if !others.is_empty() {
                message.keep("additional_kwargs", raw::object(&others));
            }
        }
        _ => message.keep("additional_kwargs", kwargs),
    }
}

/// The two lists of calls.
struct Calls {
    valid: String,
    invalid: String,
}

fn write_calls(message: &mut Neutral<'_>, dialect: Dialect) -> Calls {
    let kept = [message.kept("tool_calls"), message.kept("invalid_tool_calls")];
    let elements = kept.each_ref().map(|kept| kept.as_deref().and_then(raw::list).unwrap_or_default());
    let further = |list: usize, name: &str, call: &Call<'_>| {
        let calls = elements.get(list)?.iter().filter_map(|element| self::call(element, name));
        let is_it =
            |other: &Call<'_>| other.id == call.id && raw::same(&other.args.text(), &call.args.text());
        let mut found = calls.filter(|(other, _)| is_it(other)).map(|(_, others)| raw::object(&others));
        found.next()
    };
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    for call in std::mem::take(&mut message.calls) {
        let mut out = Writer::default();
        match call.args.value() {
            Some(args) => {
                out.put("name", &call.name).put("args", &args).put("id", &call.id);
                out.put("type", "\"tool_call\"");
                let more = further(0, "tool_calls", &call);
                let more = more.as_deref().and_then(Object::read).unwrap_or_default();
                valid.push(out.put_all(&more.without(&[])).end());
            }
            None => {
                out.put("name", &call.name).put("args", &call.args.text()).put("id", &call.id);
                out.put("type", "\"invalid_tool_call\"");
                let more = further(1, "invalid_tool_calls", &call);
                let more = more.as_deref().and_then(Object::read).unwrap_or_default();
                if dialect != Dialect::LangChainJs && !more.has("error") {
                    // Python's has no default for it.
                    out.put("error", "null");
                }
                invalid.push(out.put_all(&more.without(&[])).end());
            }
        }
    }
    Calls { valid: array(valid), invalid: array(invalid) }
}

/// The type of the element, and the role beside it where that is one of the client's own.
fn kind<'a>(message: &mut Neutral<'a>, dialect: Dialect) -> (Raw<'a>, Option<Raw<'a>>) {
    let plain = match message.role {
        Role::System => "\"system\"",
        Role::User => "\"human\"",
        Role::Assistant => "\"ai\"",
        Role::Tool => "\"tool\"",
    };
    let is_js = dialect == Dialect::LangChainJs;
    let says = |message: &Neutral<'_>, kind: &str| {
        let data = Writer::default().put_some("role", raw::find(&message.kept, "role")).end();
        Object::read(&data).and_then(|data| role(&raw::text(kind), &data)) == Some(message.role)
    };
    let Some(kind) = message.kept_if("type", says) else {
        return (plain.into(), None);
    };
    match raw::text(&kind).as_ref() {
        "generic" | "chat" | "ChatMessageChunk" if is_js => ("\"generic\"".into(), message.kept("role")),
        "generic" => ("\"chat\"".into(), message.kept("role")),
        "chat" | "ChatMessageChunk" => (kind, message.kept("role")),
        // JavaScript cannot read a chunk, and stores one as what it is a piece of.
        chunk if is_js && chunk.ends_with("Chunk") => {
            message.lose("langchain.type", "LangChain.js stores a chunk as what it is a piece of");
            (plain.into(), None)
        }
        _ => (kind, None),
    }
}

/// The message as an element; the caller spells it.
pub(super) fn write(dialect: Dialect, message: &mut Neutral<'_>) -> String {
    let (kind, word) = kind(message, dialect);
    let content = message
        .kept_if("content", |message, content| own::says_same((&said(content), &[]), (&message.said, &[])))
        .unwrap_or_else(|| write_said(&message.said).into_owned().into());
    message.said = Said::Nothing;
    let data = match dialect {
        Dialect::LangChainJs => write_js(message, &content, word.as_deref()),
        Dialect::LangChainRedis => write_redis(message, &content, &kind),
        _ => write_python(message, &content, &kind, word.as_deref()),
    };
    let mut out = Writer::default();
    out.put("type", &kind);
    if dialect == Dialect::LangChainRedis {
        let element = message.kept("element").unwrap_or(Raw::Borrowed("{}"));
        let element = Object::read(&element).unwrap_or_default();
        out.put_some("message_id", element.some("message_id")).put("data", &data);
        out.put_all(&element.without(&["message_id"]));
        return out.end();
    }
    out.put("data", &data).end()
}

fn write_js(message: &mut Neutral<'_>, content: &str, word: Option<&str>) -> String {
    let mut out = Writer::default();
    out.put("content", content).put_some("role", word);
    out.put_some("name", message.name.take().as_deref());
    if message.role == Role::Tool {
        out.put_some("tool_call_id", message.result_of.take().as_deref());
    }
    if message.role == Role::Assistant && word.is_none() {
        let calls = write_calls(message, Dialect::LangChainJs);
        out.put("tool_calls", &calls.valid).put("invalid_tool_calls", &calls.invalid);
    }
    let kwargs = message.free_place("additional_kwargs");
    let metadata = message.kept("response_metadata");
    write_others(&mut out, message);
    out.put("additional_kwargs", &kwargs);
    out.put("response_metadata", metadata.as_deref().unwrap_or("{}")).end()
}

fn write_python(message: &mut Neutral<'_>, content: &str, kind: &str, word: Option<&str>) -> String {
    let mut out = Writer::default();
    let kwargs = message.free_place("additional_kwargs");
    out.put("content", content).put("additional_kwargs", &kwargs);
    out.put("response_metadata", message.kept("response_metadata").as_deref().unwrap_or("{}"));
    out.put("type", kind);
    out.put("name", message.name.take().as_deref().unwrap_or("null"));
    out.put("id", message.kept("id").as_deref().unwrap_or("null"));
    out.put_some("role", word);
    match message.role {
        Role::Assistant if word.is_none() => {
            let calls = write_calls(message, Dialect::LangChainPython);
            out.put("tool_calls", &calls.valid).put("invalid_tool_calls", &calls.invalid);
            out.put("usage_metadata", message.kept("usage_metadata").as_deref().unwrap_or("null"));
        }
        Role::Tool if kind == "\"tool\"" => {
            out.put("tool_call_id", message.result_of.take().as_deref().unwrap_or("\"\""));
            out.put("artifact", message.kept("artifact").as_deref().unwrap_or("null"));
            out.put("status", message.kept("status").as_deref().unwrap_or("\"success\""));
        }
        _ => {}
    }
    write_others(&mut out, message);
    out.end()
}

/// What langchain-redis keeps: calls only where LangChain had them before it had a field for them.
fn write_redis(message: &mut Neutral<'_>, content: &str, kind: &str) -> String {
    if let Some(name) = message.name.take() {
        raw::keep(&mut message.rest, "name", name);
    }
    let kwargs = message.free_place("additional_kwargs");
    let mut kwargs = Object::read(&kwargs).unwrap_or_default().without(&[]);
    if message.role == Role::Assistant && !message.calls.is_empty() {
        raw::take(&mut kwargs, "tool_calls");
        raw::keep(&mut kwargs, "tool_calls", own::write_calls(&std::mem::take(&mut message.calls)));
    }
    let mut out = Writer::default();
    out.put("content", content).put("additional_kwargs", &raw::object(&kwargs)).put("type", kind);
    if message.role == Role::Tool {
        out.put("tool_call_id", message.result_of.take().as_deref().unwrap_or("\"\""));
        out.put("status", message.kept("status").as_deref().unwrap_or("\"success\""));
    }
    out.end()
}

/// The kept fields that both have, as they stand.
fn write_others(out: &mut Writer, message: &mut Neutral<'_>) {
    let element = message.kept("element");
    out.put_all(&std::mem::take(&mut message.kept));
    if let Some(element) = element {
        message.keep("element", element.into_owned());
    }
}
