//! A message as LangChain stores it: `{ type, data }`.
//!
//! Invariant: content and arguments go over as they came; what LangChain has no field for stays behind.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{Message, Role, field};

/// A raw JSON text as a value; `None` for what is not JSON, which a stored message never holds.
pub(crate) fn raw(json: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(json.to_owned()).ok()
}

/// The content as raw JSON; no content is an empty text.
pub(crate) fn raw_content(message: &Message) -> Option<Box<RawValue>> {
    raw(field(message.bytes(), "content").unwrap_or("\"\""))
        .map(|content| if content.get() == "null" { raw("\"\"").unwrap_or(content) } else { content })
}

/// LangChain's `StoredMessage = { type, data }`.
pub(crate) fn langchain(message: &Message) -> Option<Box<RawValue>> {
    #[derive(Serialize)]
    struct Stored {
        r#type: &'static str,
        data: Data,
    }
    #[derive(Serialize)]
    struct Data {
        content: Box<RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tool_call_id: Option<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tool_calls: Option<Vec<Call>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        invalid_tool_calls: Option<Vec<Call>>,
        additional_kwargs: Empty,
        response_metadata: Empty,
    }
    #[derive(Serialize, Default)]
    struct Empty {}
    #[derive(Serialize)]
    struct Call {
        name: String,
        args: Box<RawValue>,
        id: String,
        r#type: &'static str,
    }
    let mut calls = (Vec::new(), Vec::new());
    for call in message.tool_calls() {
        let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
        // Arguments that are no JSON stand as a text among the invalid calls, as LangChain itself keeps them.
        match raw(arguments) {
            Some(args) => calls.0.push(Call { name: call.name, args, id: call.id, r#type: "tool_call" }),
            None => {
                let args = to_raw_value(arguments).ok()?;
                calls.1.push(Call { name: call.name, args, id: call.id, r#type: "invalid_tool_call" });
            }
        }
    }
    let is_ai = message.role() == Role::Assistant;
    let view = Stored {
        r#type: match message.role() {
            Role::System => "system",
            Role::User => "human",
            Role::Assistant => "ai",
            Role::Tool => "tool",
        },
        data: Data {
            content: raw_content(message)?,
            name: field(message.bytes(), "name").and_then(raw),
            tool_call_id: field(message.bytes(), "tool_call_id").and_then(raw),
            tool_calls: is_ai.then_some(calls.0),
            invalid_tool_calls: is_ai.then_some(calls.1),
            additional_kwargs: Empty {},
            response_metadata: Empty {},
        },
    };
    to_raw_value(&view).ok()
}
