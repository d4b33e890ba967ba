//! The two shapes in which the node hands messages back: `IMessage`, and LangChain's stored messages.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::dialect::Dialect;
use crate::message::{Message, Role, field, raw};

/// LangChain's `StoredMessage = { type, data }`.
pub(super) fn base_message(message: &Message) -> Option<Box<RawValue>> {
    message.raw_in(Dialect::LangChainJs)
}

/// The content as raw JSON; no content is an empty text.
fn content(message: &Message) -> Option<Box<RawValue>> {
    let content = field(message.bytes(), "content").filter(|content| *content != "null");
    raw(content.unwrap_or("\"\""))
}

/// The text of a message as raw JSON: as it came where it is a text, so that nothing in it changes.
fn text(message: &Message) -> Option<Box<RawValue>> {
    match field(message.bytes(), "content") {
        Some(content) if content.starts_with('"') => raw(content),
        _ => to_raw_value(&message.text()).ok(),
    }
}

/// `IMessage = { message, type, role, content }`. Its two types cannot say who speaks, so the role does.
pub(super) fn imessage(message: &Message) -> Option<Box<RawValue>> {
    #[derive(Serialize)]
    struct IMessage {
        message: Box<RawValue>,
        r#type: &'static str,
        role: &'static str,
        content: Box<RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tool_calls: Option<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tool_call_id: Option<Box<RawValue>>,
    }
    let view = IMessage {
        message: text(message)?,
        r#type: if message.role() == Role::User { "userMessage" } else { "apiMessage" },
        role: message.role().as_str(),
        content: content(message)?,
        tool_calls: field(message.bytes(), "tool_calls").and_then(raw),
        tool_call_id: field(message.bytes(), "tool_call_id").and_then(raw),
    };
    to_raw_value(&view).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn parse(json: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(json.as_bytes())).unwrap()
    }

    #[test]
    fn views() {
        let check = |json: &str, imessage_json: &str, base_json: &str| {
            assert_eq!(imessage(&parse(json)).unwrap().get(), imessage_json);
            assert_eq!(base_message(&parse(json)).unwrap().get(), base_json);
        };
        check(
            r#"{"role":"user","content":"hi \ud83d"}"#,
            r#"{"message":"hi \ud83d","type":"userMessage","role":"user","content":"hi \ud83d"}"#,
            r#"{"type":"human","data":{"content":"hi \ud83d","additional_kwargs":{},"response_metadata":{}}}"#,
        );
        check(
            r#"{"role":"system","content":"be brief"}"#,
            r#"{"message":"be brief","type":"apiMessage","role":"system","content":"be brief"}"#,
            r#"{"type":"system","data":{"content":"be brief","additional_kwargs":{},"response_metadata":{}}}"#,
        );
        check(
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1.0}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{bad"}}]}"#,
            r#"{"message":"","type":"apiMessage","role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1.0}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{bad"}}]}"#,
            r#"{"type":"ai","data":{"content":"","tool_calls":[{"name":"f","args":{"x":1.0},"id":"c1","type":"tool_call"}],"invalid_tool_calls":[{"name":"g","args":"{bad","id":"c2","type":"invalid_tool_call"}],"additional_kwargs":{},"response_metadata":{}}}"#,
        );
        check(
            r#"{"role":"tool","tool_call_id":"c1","name":"f","content":"21"}"#,
            r#"{"message":"21","type":"apiMessage","role":"tool","content":"21","tool_call_id":"c1"}"#,
            r#"{"type":"tool","data":{"content":"21","name":"f","tool_call_id":"c1","additional_kwargs":{},"response_metadata":{}}}"#,
        );
        check(
            r#"{"role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"x"}}]}"#,
            r#"{"message":"what is it?","type":"userMessage","role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"x"}}]}"#,
            r#"{"type":"human","data":{"content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"x"}}],"additional_kwargs":{},"response_metadata":{}}}"#,
        );
    }
}
