//! The fields of a RedisVL hash, as an object of strings.
//!
//! Invariant: the one free field is `metadata`, a JSON text. It holds what has no field: calls of tools and a tool's
//! name as most callers put them there, and the rest under `hitherto`.

use super::neutral::{Args, Call, Neutral, Said};
use super::raw::{self, Object, Raw, Writer, array};
use super::{Head, own, roles, timed};
use crate::message::Role;

pub(super) const FAMILY: &str = "redisvl";

pub(super) fn head(object: &Object<'_>) -> Option<Head> {
    let role = roles::known(&object.text("role")?).unwrap_or(Role::User);
    object.string("content")?;
    Some(Head { role, created_at: object.get("timestamp").and_then(timed::seconds) })
}

pub(super) fn read<'a>(object: &Object<'a>) -> Option<Neutral<'a>> {
    let mut message = Neutral::new(head(object)?.role, FAMILY);
    message.said = Said::Text(object.string("content")?.into());
    if let Some(word) = object.string("role").filter(|word| raw::text(word) != message.role.as_str()) {
        message.keep("role", word);
    }
    let mut known = vec!["role", "content", "metadata"];
    // With a call it stands beside the message that makes it, too.
    if message.role == Role::Tool {
        message.result_of = object.string("tool_call_id").map(Raw::Borrowed);
        known.push("tool_call_id");
    }
    if let Some(metadata) = object.string("metadata") {
        read_metadata(metadata, &mut message);
    } else if let Some(metadata) = object.some("metadata") {
        message.keep("metadata", metadata);
    }
    if message.role == Role::Assistant && message.calls.len() == 1 {
        known.push("tool_call_id");
    }
    message.kept.extend(object.without(&known));
    Some(message)
}

fn read_metadata(metadata: &str, message: &mut Neutral<'_>) {
    let text = raw::unquote(metadata);
    let read = if raw::is_too_deep(text.as_bytes()) { None } else { Object::read(&text) };
    let Some(object) = read else {
        message.keep("metadata", metadata.to_owned());
        return;
    };
    // The text lives only here, so the message is given copies.
    let mut inner = Neutral::new(message.role, FAMILY);
    let mut known = vec!["hitherto"];
    if message.role == Role::Assistant {
        let list = object.list("tool_calls").unwrap_or_default();
        inner.calls = list.iter().filter_map(|element| call(element)).collect();
        if inner.calls.len() == list.len() {
            known.push("tool_calls");
        }
    }
    if let Some(name) = object.string("name") {
        inner.name = Some(name.into());
        known.push("name");
    }
    if let Some(spare) = object.object("hitherto") {
        inner.read_spare(&spare);
    }
    let others = object.without(&known);
    if !others.is_empty() {
        inner.keep("metadata", raw::object(&others));
    }
    let Neutral { calls, name, odd_calls, rest, kept, .. } = inner.into_owned();
    (message.calls, message.name, message.odd_calls, message.rest) = (calls, name, odd_calls, rest);
    message.kept.extend(kept);
}

/// A call with its arguments as a value, or as chat completions write it.
fn call(element: &str) -> Option<Call<'_>> {
    let object = Object::read(element)?;
    if !object.without(&["id", "name", "args"]).is_empty() {
        return own::read_calls(&[element])?.0.pop();
    }
    Some(Call {
        id: object.string("id").unwrap_or("\"\"").into(),
        name: object.string("name")?.into(),
        args: object.some("args").map_or(Args::Text("\"\"".into()), Args::of),
    })
}

fn write_call(call: &Call<'_>) -> String {
    let args = call.args.value();
    let args = args.as_deref().map_or_else(|| call.args.text().into_owned(), str::to_owned);
    Writer::default().put("id", &call.id).put("name", &call.name).put("args", &args).end()
}

/// The message; the entry's id, the session's tag and the time are the caller's to add where they were not kept.
pub(super) fn write(message: &mut Neutral<'_>) -> String {
    let says = |message: &Neutral<'_>, word: &str| {
        roles::known(&raw::text(word)).unwrap_or(Role::User) == message.role
    };
    let role = message.kept_if("role", says);
    let role = role.unwrap_or_else(|| raw::quote(message.role.as_str()).into());
    let content = message.take_text();
    let mut id = message.result_of.take();
    let mut metadata = Writer::default();
    if message.role == Role::Assistant && !message.calls.is_empty() {
        let calls = std::mem::take(&mut message.calls);
        if let [call] = calls.as_slice() {
            id = Some(call.id.clone());
        }
        metadata.put("tool_calls", &array(calls.iter().map(write_call)));
    }
    metadata.put_some("name", message.name.take().as_deref());
    let theirs = message.kept("metadata");
    let as_text = theirs.as_deref().filter(|theirs| !theirs.starts_with('{')).map(str::to_owned);
    if as_text.is_none() {
        let theirs = theirs.as_deref().and_then(Object::read).unwrap_or_default();
        metadata.put_all(&theirs.without(&["hitherto"]));
    }
    metadata.put_some("hitherto", message.spare().as_deref());
    let metadata = match (metadata.end(), as_text) {
        (metadata, None) if metadata == "{}" => None,
        (metadata, Some(theirs)) if metadata == "{}" => Some(theirs),
        (metadata, theirs) => {
            if theirs.is_some() {
                message.lose("redisvl.metadata", "its place is taken");
            }
            Some(raw::quote(&raw::respell(&metadata, raw::Spelling::Spaced)))
        }
    };
    let mut kept = std::mem::take(&mut message.kept);
    let mut out = Writer::default();
    out.put_some("entry_id", raw::take(&mut kept, "entry_id").as_deref());
    out.put("role", &role).put("content", &content).put_all(&kept);
    out.put_some("tool_call_id", id.as_deref().filter(|_| raw::find(&kept, "tool_call_id").is_none()));
    out.put_some("metadata", metadata.as_deref()).end()
}
