//! What a message says: text or parts, and the tools it calls. Read only when somebody asks.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{decode_string, field};

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Nothing: a message that only calls tools.
    Empty,
    /// One text.
    Text(String),
    /// Parts, in order.
    Parts(Vec<Part>),
}

/// One part of a message's content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Text (`{"type":"text","text":…}`).
    Text(String),
    /// An image (`type` `image_url` or `image`), as the JSON object that came.
    Image(String),
    /// A file (`type` `file`), as the JSON object that came.
    File(String),
    /// Any other part, as the JSON object that came.
    Other(String),
}

/// A call of a tool by the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Its id, by which the result refers to it.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments, as the JSON text that the model wrote; it need not be valid JSON.
    pub arguments: String,
}

impl Content {
    /// The text, or the text parts one after another, each on a line of its own.
    pub fn text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => {
                let texts: Vec<&str> = parts
                    .iter()
                    .filter_map(|part| match part {
                        Part::Text(text) => Some(text.as_str()),
                        _ => None,
                    })
                    .collect();
                texts.join("\n")
            }
        }
    }
}

/// The content of the message that this object is.
pub(crate) fn content(object: &[u8]) -> Content {
    match field(object, "content") {
        Some(text) if text.starts_with('"') => Content::Text(decode_string(text)),
        Some(list) if list.starts_with('[') => {
            let parts: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
            Content::Parts(parts.into_iter().map(|raw| part(raw.get())).collect())
        }
        _ => Content::Empty,
    }
}

fn part(raw: &str) -> Part {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
        #[serde(borrow)]
        text: Option<&'a RawValue>,
    }
    match serde_json::from_str::<Fields<'_>>(raw) {
        Ok(Fields { kind, text: Some(text) }) if kind == "text" && text.get().starts_with('"') => {
            Part::Text(decode_string(text.get()))
        }
        Ok(Fields { kind, .. }) if kind == "image_url" || kind == "image" => Part::Image(raw.to_owned()),
        Ok(Fields { kind, .. }) if kind == "file" => Part::File(raw.to_owned()),
        _ => Part::Other(raw.to_owned()),
    }
}

/// The tool calls of the message that this object is; one that cannot be read is left out.
pub(crate) fn tool_calls(object: &[u8]) -> Vec<ToolCall> {
    #[derive(Deserialize)]
    struct Call<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        function: Option<Function<'a>>,
    }
    #[derive(Deserialize)]
    struct Function<'a> {
        #[serde(borrow)]
        name: Option<&'a RawValue>,
        #[serde(borrow)]
        arguments: Option<&'a RawValue>,
    }
    let text = |raw: Option<&RawValue>| raw.map(|raw| string_or_raw(raw.get())).unwrap_or_default();
    let Some(list) = field(object, "tool_calls") else {
        return Vec::new();
    };
    let calls: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
    calls
        .into_iter()
        .filter_map(|raw| serde_json::from_str::<Call<'_>>(raw.get()).ok())
        .filter_map(|call| {
            let function = call.function?;
            Some(ToolCall {
                id: text(call.id),
                name: text(function.name),
                arguments: text(function.arguments),
            })
        })
        .collect()
}

fn string_or_raw(raw: &str) -> String {
    if raw.starts_with('"') { decode_string(raw) } else { raw.to_owned() }
}
