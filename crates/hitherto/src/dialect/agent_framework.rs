//! Messages of Microsoft's Agent Framework: `contents` of many types; and the form of its betas of 2025, in which a
//! role is an object.
//!
//! Invariant: a tool's text stands twice in the newer form (`result` and `items`), as the framework writes it.

use super::neutral::{Args, Call, Neutral, Part, Said};
use super::raw::{self, Object, Raw, Writer, array};
use super::{Dialect, Head, image, own, roles};
use crate::message::Role;

pub(super) const FAMILY: &str = "agent_framework";

/// The role's word, a JSON string.
fn word<'a>(dialect: Dialect, object: &Object<'a>) -> Option<&'a str> {
    match dialect {
        Dialect::AgentFramework2025 => object.object("role")?.string("value"),
        _ => object.string("role"),
    }
}

pub(super) fn head(dialect: Dialect, object: &Object<'_>) -> Option<Head> {
    let kind = if dialect == Dialect::AgentFramework2025 { "chat_message" } else { "message" };
    let fits = object.text("type")? == kind && object.get("contents")?.starts_with('[');
    let role = roles::known(&raw::text(word(dialect, object)?)).unwrap_or(Role::User);
    fits.then_some(Head { role, created_at: None })
}

/// What the contents say.
#[derive(Default)]
struct Contents<'a> {
    said: Said<'a>,
    calls: Vec<Call<'a>>,
    result_of: Option<Raw<'a>>,
}

pub(super) fn read<'a>(dialect: Dialect, object: &Object<'a>) -> Option<Neutral<'a>> {
    let mut message = Neutral::new(head(dialect, object)?.role, FAMILY);
    if let Some(word) = word(dialect, object).filter(|word| raw::text(word) != message.role.as_str()) {
        message.keep("role", word);
    }
    let contents = object.get("contents")?;
    Contents { said: message.said, calls: message.calls, result_of: message.result_of } =
        read_contents(contents);
    let written = write_contents(dialect, &message, |_| {});
    if !raw::same(contents, &written) {
        message.keep("contents", contents);
    }
    message.name = object.string("author_name").map(Raw::Borrowed);
    message.read_free_place("additional_properties", object);
    message.kept.extend(object.without(&[
        "type",
        "role",
        "contents",
        "author_name",
        "additional_properties",
    ]));
    Some(message)
}

fn read_contents(contents: &str) -> Contents<'_> {
    let mut read = Contents::default();
    let mut parts = Vec::new();
    for content in raw::list(contents).unwrap_or_default() {
        let Some(object) = Object::read(content) else {
            parts.push(own::part(content));
            continue;
        };
        match object.text("type").as_deref() {
            Some("text") => parts.push(object.string("text").map_or_else(|| own::part(content), Part::text)),
            Some("function_call") => read.calls.push(Call {
                id: object.string("call_id").unwrap_or("\"\"").into(),
                name: object.string("name").unwrap_or("\"\"").into(),
                args: object.some("arguments").map_or(Args::Text("\"\"".into()), Args::of),
            }),
            // A message may hold the results of several calls; it is the result of the first.
            Some("function_result") => {
                read.result_of = read.result_of.or_else(|| object.string("call_id").map(Raw::Borrowed));
                let result = object.some("result").or_else(|| object.some("exception")).unwrap_or("\"\"");
                parts.push(Part::text(match result.starts_with('"') {
                    true => Raw::Borrowed(result),
                    false => raw::quote(result).into(),
                }));
            }
            Some("uri" | "data") if is_image(&object) => match object.string("uri") {
                Some(uri) => parts.push(Part::Image(uri.into(), None)),
                None => parts.push(own::part(content)),
            },
            _ => parts.push(own::part(content)),
        }
    }
    read.said = match parts.as_mut_slice() {
        [] => Said::Nothing,
        [Part::Text(text, more)] if more.is_empty() => Said::Text(std::mem::take(text)),
        _ => Said::Parts(parts),
    };
    read
}

fn is_image(object: &Object<'_>) -> bool {
    match object.text("media_type") {
        Some(kind) => kind.starts_with("image/"),
        None => object.text("uri").is_some_and(|uri| uri.starts_with("data:image/")),
    }
}

fn write_contents(dialect: Dialect, message: &Neutral<'_>, mut lose: impl FnMut(&Part<'_>)) -> String {
    let content = |kind: &str| {
        let mut out = Writer::default();
        out.put("type", kind);
        out
    };
    let end = |out: &mut Writer| match dialect {
        Dialect::AgentFramework2025 => out.end(),
        _ => out.put("additional_properties", "{}").end(),
    };
    let text = |text: &str| end(content("\"text\"").put("text", text));
    let mut contents = Vec::new();
    match (&message.said, &message.result_of) {
        (said, Some(id)) if message.role == Role::Tool => {
            let (result, items) = match said {
                Said::Nothing => ("\"\"".into(), vec![text("\"\"")]),
                Said::Text(said) => (said.clone(), vec![text(said)]),
                Said::Parts(parts) => {
                    let mut items = Vec::new();
                    for part in parts {
                        let is_text = matches!(part, Part::Text(..));
                        match write_part(part, &content, &end) {
                            Some(item) if is_text || dialect == Dialect::AgentFramework => items.push(item),
                            _ => lose(part),
                        }
                    }
                    (message.clone().take_text(), items)
                }
            };
            let mut out = content("\"function_result\"");
            out.put("call_id", id).put("result", &result);
            if dialect == Dialect::AgentFramework {
                out.put("items", &array(items));
            }
            contents.push(end(&mut out));
        }
        (Said::Nothing, _) => {}
        (Said::Text(said), _) if said == "\"\"" && !message.calls.is_empty() => {}
        (Said::Text(said), _) => contents.push(text(said)),
        (Said::Parts(parts), _) => {
            for part in parts {
                match write_part(part, &content, &end) {
                    Some(written) => contents.push(written),
                    None => lose(part),
                }
            }
        }
    }
    for call in &message.calls {
        let mut out = content("\"function_call\"");
        out.put("call_id", &call.id).put("name", &call.name);
        out.put("arguments", call.args.value().as_deref().unwrap_or(&call.args.text()));
        if dialect == Dialect::AgentFramework {
            out.put("hosted", "false");
        }
        contents.push(end(&mut out));
    }
    array(contents)
}

fn write_part(
    part: &Part<'_>,
    content: &dyn Fn(&str) -> Writer,
    end: &dyn Fn(&mut Writer) -> String,
) -> Option<String> {
    match part {
        Part::Text(text, _) => Some(end(content("\"text\"").put("text", text))),
        Part::Image(url, _) => {
            let kind = if image::of_data_url(url).is_some() { "\"data\"" } else { "\"uri\"" };
            Some(end(content(kind).put("uri", url).put("media_type", &image::kind(url))))
        }
        Part::Other(_) => None,
    }
}

/// The message; the caller spells it.
pub(super) fn write(dialect: Dialect, message: &mut Neutral<'_>) -> String {
    let says = |message: &Neutral<'_>, role: &str| {
        roles::known(&raw::text(role)).unwrap_or(Role::User) == message.role
    };
    let role = message.kept_if("role", says);
    let role = role.unwrap_or_else(|| raw::quote(message.role.as_str()).into());
    let kept = message.kept_if("contents", |message, contents| {
        let read = read_contents(contents);
        own::says_same((&read.said, &read.calls), (&message.said, &message.calls))
            && read.result_of == message.result_of
    });
    let contents = match kept {
        Some(contents) => contents.into_owned(),
        None => {
            let mut lost = Vec::new();
            let contents = write_contents(dialect, message, |part| lost.push(part.clone().into_owned()));
            lost.iter().for_each(|part| message.lose_part(part));
            contents
        }
    };
    message.said = Said::Nothing;
    message.calls.clear();
    if message.role == Role::Tool {
        message.result_of = None;
    }
    let mut out = Writer::default();
    if dialect == Dialect::AgentFramework2025 {
        let role = Writer::default().put("type", "\"role\"").put("value", &role).end();
        out.put("type", "\"chat_message\"").put("role", &role);
    } else {
        out.put("type", "\"message\"").put("role", &role);
    }
    out.put("contents", &contents);
    out.put_some("author_name", message.name.take().as_deref());
    let place = message.free_place("additional_properties");
    out.put("additional_properties", &place);
    out.put_all(&std::mem::take(&mut message.kept)).end()
}
