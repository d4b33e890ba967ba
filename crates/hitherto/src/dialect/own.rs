//! Hitherto's own form: the messages of OpenAI's chat completions, with a field for what a family left.
//!
//! Invariant: what is written is accepted by `Message::parse`, and has no `seq`, `id`, `created_at` or `edited_at`.

use super::neutral::{Args, Call, Neutral, Part, Said};
use super::raw::{self, Fields, Object, Raw, Writer, array};
use crate::message::{Role, is_typed};

/// The fields that the own form gives a meaning, or that only a store may give.
pub(super) const FIELDS: &[&str] = &[
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
    "metadata",
    "seq",
    "id",
    "created_at",
    "edited_at",
];

/// Reads a message of the own form for a family.
pub(super) fn read<'a>(native: &'a str, family: &'static str) -> Option<Neutral<'a>> {
    let object = Object::parse(native)?;
    let role = Role::parse(&object.text("role")?)?;
    let mut message = Neutral::new(role, family);
    message.said = said(object.get("content").unwrap_or("null"));
    message.name = object.string("name").map(Raw::Borrowed);
    message.result_of = object.string("tool_call_id").map(Raw::Borrowed);
    for element in object.list("tool_calls").unwrap_or_default() {
        read_call(element, &mut message);
    }
    if let Some(kept) = object.object(family) {
        message.kept = kept.without(&[]);
    }
    let mut known = vec!["role", "content", "tool_calls"];
    known.extend(message.kept.first().map(|_| family));
    known.extend(message.name.as_ref().map(|_| "name"));
    known.extend(message.result_of.as_ref().map(|_| "tool_call_id"));
    message.rest = object.without(&known);
    Some(message)
}

/// Reads calls written as chat completions write them, and whether there is more in them than a call can say.
pub(super) fn read_calls<'a>(list: &[&'a str]) -> Option<(Vec<Call<'a>>, bool)> {
    let calls: Vec<_> = list.iter().map(|element| call(element)).collect::<Option<_>>()?;
    let more = calls.iter().any(|(_, more)| !more.is_empty());
    Some((calls.into_iter().map(|(call, _)| call).collect(), more))
}

/// Reads one of them into a message.
pub(super) fn read_call<'a>(element: &'a str, message: &mut Neutral<'a>) {
    match call(element) {
        Some((call, more)) => {
            for (key, _) in more {
                let field = format!("tool_calls.{}", raw::text(&key));
                message.lose(&field, "a call has no field for it");
            }
            message.calls.push(call);
        }
        None => message.odd_calls.push(element.into()),
    }
}

fn call(element: &str) -> Option<(Call<'_>, Fields<'_>)> {
    let object = Object::read(element)?;
    let function = object.object("function")?;
    let mut more = object.without(&["id", "type", "function"]);
    more.extend(function.without(&["name", "arguments"]));
    let call = Call {
        id: object.string("id").unwrap_or("\"\"").into(),
        name: function.string("name")?.into(),
        args: function.some("arguments").map_or(Args::Text("\"\"".into()), Args::of),
    };
    Some((call, more))
}

/// What content in the own form says.
pub(super) fn said(content: &str) -> Said<'_> {
    if content.starts_with('"') {
        return Said::Text(content.into());
    }
    raw::list(content).map_or(Said::Nothing, |parts| Said::Parts(parts.into_iter().map(part).collect()))
}

/// A part of content in the own form.
pub(super) fn part(part: &str) -> Part<'_> {
    let other = || Part::Other(if is_typed(part) { part.into() } else { untyped(part).into() });
    let Some(object) = Object::read(part) else {
        return if part.starts_with('"') { Part::text(part) } else { other() };
    };
    match object.text("type").as_deref() {
        Some("text") => match object.string("text") {
            Some(text) => Part::Text(text.into(), object.without(&["type", "text"])),
            None => other(),
        },
        Some("image_url") if object.without(&["type", "image_url"]).is_empty() => {
            let image = object.object("image_url").unwrap_or_default();
            match image.string("url") {
                Some(url)
                    if image.without(&["url", "detail"]).is_empty()
                        && image.some("detail").is_none_or(|detail| detail.starts_with('"')) =>
                {
                    Part::Image(url.into(), image.string("detail").map(Raw::Borrowed))
                }
                _ => other(),
            }
        }
        _ => other(),
    }
}

/// A part that could not stand among the parts of the own form, in one that can.
fn untyped(part: &str) -> String {
    Writer::default().put("type", "\"raw\"").put("value", part).end()
}

/// A part as content of the own form has it.
pub(super) fn write_part(part: &Part<'_>) -> String {
    match part {
        Part::Text(text, more) => {
            Writer::default().put("type", "\"text\"").put("text", text).put_all(more).end()
        }
        Part::Image(url, detail) => {
            let image = Writer::default().put("url", url).put_some("detail", detail.as_deref()).end();
            Writer::default().put("type", "\"image_url\"").put("image_url", &image).end()
        }
        Part::Other(part) => part.clone().into_owned(),
    }
}

/// What is said as content of the own form.
pub(super) fn write_said<'s>(said: &'s Said<'_>) -> Raw<'s> {
    match said {
        Said::Nothing => "null".into(),
        Said::Text(text) => Raw::Borrowed(text),
        Said::Parts(parts) => array(parts.iter().map(write_part)).into(),
    }
}

/// A call as chat completions write it.
pub(super) fn write_call(call: &Call<'_>) -> String {
    let function = Writer::default().put("name", &call.name).put("arguments", &call.args.text()).end();
    Writer::default().put("id", &call.id).put("type", "\"function\"").put("function", &function).end()
}

/// Calls as chat completions write them.
pub(super) fn write_calls(calls: &[Call<'_>]) -> String {
    array(calls.iter().map(write_call))
}

/// Whether two messages say the same and call the same tools.
pub(super) fn says_same(one: (&Said<'_>, &[Call<'_>]), other: (&Said<'_>, &[Call<'_>])) -> bool {
    let text = |said: &Said<'_>| match said {
        Said::Nothing => "\"\"".to_owned(),
        said => write_said(said).into_owned(),
    };
    raw::same(&text(one.0), &text(other.0)) && raw::same(&write_calls(one.1), &write_calls(other.1))
}

/// The message in the own form.
pub(super) fn write(message: &Neutral<'_>) -> String {
    let mut out = Writer::default();
    let role = message.role.as_str();
    out.put("role", &format!("\"{role}\""));
    // Only a model's message may say nothing at all.
    match write_said(&message.said) {
        content if content == "null" && message.role != Role::Assistant => out.put("content", "\"\""),
        content => out.put("content", &content),
    };
    out.put_some("name", message.name.as_deref());
    if !(message.calls.is_empty() && message.odd_calls.is_empty()) {
        let calls = message.calls.iter().map(write_call);
        out.put("tool_calls", &array(calls.chain(message.odd_calls.iter().map(|call| call.to_string()))));
    }
    out.put_some("tool_call_id", message.result_of.as_deref());
    out.put_all(&message.rest);
    if !message.kept.is_empty() {
        out.put(message.family, &raw::object(&message.kept));
    }
    out.end()
}
