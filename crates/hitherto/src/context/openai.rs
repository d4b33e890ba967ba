//! A prompt as `messages` of OpenAI's chat completions.
//!
//! Invariant: only fields and parts that the API takes from that role.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::view::{Bit, View, image_cost, kind, left_out};
use crate::message::{Role, ToolCall, field, raw};

#[derive(Serialize)]
struct Entry<'a> {
    role: &'static str,
    content: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Call<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Text<'a> {
    r#type: &'static str,
    text: &'a str,
}

/// What the API takes of a message: tool calls from the model, the id of a call with a tool's result.
pub(super) fn adapt(view: &mut View) {
    if view.role != Role::Assistant {
        view.calls = Vec::new();
    }
    if view.role != Role::Tool {
        view.result_of = None;
    }
}

/// A part that is no text as the API takes it, or a text that says that it was left out.
pub(super) fn part(json: String, role: Role) -> Bit {
    let kind = kind(&json);
    match (kind.as_str(), role) {
        ("image_url", Role::User) => {
            let cost = image_cost(&json);
            Bit::Json(clean(json), Some(cost))
        }
        ("image", Role::User) => match data_url(&json) {
            Some(url) => Bit::Json(url, Some(image_cost(&json))),
            None => Bit::Text(left_out(&json)),
        },
        ("file" | "input_audio", Role::User) | ("refusal", Role::Assistant) => Bit::Json(clean(json), None),
        _ => Bit::Text(left_out(&json)),
    }
}

/// The part without half surrogate pairs, which strict parsers refuse.
fn clean(json: String) -> String {
    match serde_json::from_str::<serde_json::Value>(&json) {
        Ok(_) => json,
        Err(_) => r#"{"type":"text","text":"[part left out]"}"#.to_owned(),
    }
}

/// An image as Anthropic has it, as OpenAI does.
fn data_url(json: &str) -> Option<String> {
    let source = serde_json::from_str::<serde_json::Value>(field(json.as_bytes(), "source")?).ok()?;
    let text = |name: &str| source.get(name)?.as_str().map(str::to_owned);
    let url = match text("type")?.as_str() {
        "base64" => format!("data:{};base64,{}", text("media_type")?, text("data")?),
        "url" => text("url")?,
        _ => return None,
    };
    Some(serde_json::json!({"type": "image_url", "image_url": {"url": url}}).to_string())
}

/// The prompt, as JSON.
pub(super) fn json(views: &[View]) -> Vec<u8> {
    let entries: Vec<Entry<'_>> = views.iter().map(entry).collect();
    serde_json::to_vec(&entries).unwrap_or_default()
}

fn entry(view: &View) -> Entry<'_> {
    Entry {
        role: view.role.as_str(),
        content: content(view),
        name: view.name.as_deref(),
        tool_calls: view.calls.iter().map(call).collect(),
        tool_call_id: view.result_of.as_deref(),
    }
}

fn call(call: &ToolCall) -> Call<'_> {
    Call {
        id: &call.id,
        r#type: "function",
        function: Function { name: &call.name, arguments: &call.arguments },
    }
}

/// Only a message that calls tools may say nothing at all.
fn content(view: &View) -> Option<Box<RawValue>> {
    match view.bits.as_slice() {
        [] if !view.calls.is_empty() => None,
        [] => to_raw_value("").ok(),
        [Bit::Text(text)] if !view.listed => to_raw_value(text).ok(),
        bits => {
            let part = |bit: &Bit| match bit {
                Bit::Text(text) => to_raw_value(&Text { r#type: "text", text }).ok(),
                Bit::Json(json, _) => raw(json),
            };
            to_raw_value(&bits.iter().filter_map(part).collect::<Vec<_>>()).ok()
        }
    }
}
