//! A prompt as `system` and `messages` of Anthropic's messages API.
//!
//! Invariant: the first message is the user's, roles take turns, and no text block is blank: the API refuses
//! anything else.

use serde::Serialize;
use serde_json::value::RawValue;

use super::view::{Bit, IMAGE, MESSAGE, REPLY, View, left_out, plain};
use crate::message::{Role, field, is_object, raw};
use crate::tokens::Encoding;

/// Stands before a prompt that would not begin with the user.
const BEGINNING: &str = "(conversation continues)";

/// The whole prompt.
#[derive(Debug, Serialize, Default)]
pub(super) struct Prompt {
    #[serde(skip_serializing_if = "String::is_empty")]
    system: String,
    messages: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    role: &'static str,
    content: Vec<Block>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Block {
    Text { r#type: &'static str, text: String },
    Image(Box<RawValue>),
    Use { r#type: &'static str, id: String, name: String, input: Box<RawValue> },
    Result { r#type: &'static str, tool_use_id: String, content: Vec<Block> },
}

/// What the API takes of a message: arguments that are objects, ids and names of plain letters, and the user's name
/// in the text, since there is no field for it.
pub(super) fn adapt(view: &mut View) {
    if view.role != Role::Assistant {
        view.calls = Vec::new();
    }
    for call in &mut view.calls {
        let object =
            serde_json::from_str::<serde_json::Value>(&call.arguments).is_ok_and(|value| value.is_object());
        if call.arguments.trim().is_empty() {
            call.arguments = "{}".to_owned();
        } else if !(object && is_object(&call.arguments)) {
            call.arguments = serde_json::json!({ "_raw": call.arguments }).to_string();
        }
        call.id = id(&call.id);
        call.name = plain(&call.name, 128).unwrap_or_else(|| "tool".to_owned());
    }
    view.result_of = match view.role {
        Role::Tool => Some(id(view.result_of.as_deref().unwrap_or_default())),
        _ => None,
    };
    if let Some(name) = view.name.take() {
        match view.bits.iter_mut().find_map(|bit| match bit {
            Bit::Text(text) => Some(text),
            Bit::Json(..) => None,
        }) {
            Some(text) => *text = format!("{name}: {text}"),
            None => view.bits.insert(0, Bit::Text(format!("{name}:"))),
        }
    }
    // Before it is counted, so that what is left out costs nothing.
    view.bits.retain(|bit| !matches!(bit, Bit::Text(text) if text.trim().is_empty()));
}

fn id(id: &str) -> String {
    plain(id, 256).unwrap_or_else(|| "call".to_owned())
}

/// An image as a block of the API, or a text that says that it was left out.
pub(super) fn image(json: String, role: Role) -> Bit {
    let block = if matches!(role, Role::User | Role::Tool) { source(&json) } else { None };
    match block {
        Some(source) => {
            let block = serde_json::json!({"type": "image", "source": source}).to_string();
            Bit::Json(block, Some(IMAGE))
        }
        None => Bit::Text(left_out(&json)),
    }
}

fn source(json: &str) -> Option<serde_json::Value> {
    if let Some(source) = field(json.as_bytes(), "source") {
        return serde_json::from_str(source).ok().filter(serde_json::Value::is_object);
    }
    let image: serde_json::Value = serde_json::from_str(field(json.as_bytes(), "image_url")?).ok()?;
    let url = image.get("url").unwrap_or(&image).as_str()?;
    let Some(rest) = url.strip_prefix("data:") else {
        let web = url.starts_with("http://") || url.starts_with("https://");
        return web.then(|| serde_json::json!({"type": "url", "url": url}));
    };
    let (kind, data) = rest.split_once(";base64,")?;
    Some(serde_json::json!({"type": "base64", "media_type": kind, "data": data}))
}

impl Prompt {
    /// The prompt that these messages are; those of the role system become its system string.
    pub(super) fn new(views: &[View]) -> Self {
        let mut prompt = Self::default();
        for view in views {
            prompt.add(view);
        }
        prompt
    }

    fn add(&mut self, view: &View) {
        let blocks: Vec<Block> = view.bits.iter().filter_map(block).collect();
        let role = match view.role {
            Role::System => {
                for block in &blocks {
                    let Block::Text { text, .. } = block else { continue };
                    if !self.system.is_empty() {
                        self.system.push_str("\n\n");
                    }
                    self.system.push_str(text);
                }
                return;
            }
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        let blocks = match &view.result_of {
            Some(id) => {
                vec![Block::Result { r#type: "tool_result", tool_use_id: id.clone(), content: blocks }]
            }
            None => {
                let uses = view.calls.iter().filter_map(|call| {
                    let (id, name) = (call.id.clone(), call.name.clone());
                    Some(Block::Use { r#type: "tool_use", id, name, input: raw(&call.arguments)? })
                });
                blocks.into_iter().chain(uses).collect()
            }
        };
        if blocks.is_empty() {
            return;
        }
        if self.messages.is_empty() && role != "user" {
            let begin = Block::Text { r#type: "text", text: BEGINNING.to_owned() };
            self.messages.push(Entry { role: "user", content: vec![begin] });
        }
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => self.messages.push(Entry { role, content: blocks }),
        }
    }

    /// What it costs by OpenAI's formula, the system string as a message: Anthropic publishes none of its own.
    pub(super) fn cost(&self, encoding: Encoding) -> usize {
        if self.system.is_empty() && self.messages.is_empty() {
            return 0;
        }
        let count = |text: &str| encoding.count(text);
        let system = if self.system.is_empty() { 0 } else { MESSAGE + count("system") + count(&self.system) };
        let messages = self.messages.iter().map(|entry| {
            MESSAGE
                + count(entry.role)
                + entry.content.iter().map(|block| block.cost(encoding)).sum::<usize>()
        });
        REPLY + system + messages.sum::<usize>()
    }

    /// The prompt, as JSON.
    pub(super) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn block(bit: &Bit) -> Option<Block> {
    match bit {
        Bit::Text(text) => Some(Block::Text { r#type: "text", text: text.clone() }),
        Bit::Json(json, _) => Some(Block::Image(raw(json)?)),
    }
}

impl Block {
    fn cost(&self, encoding: Encoding) -> usize {
        let count = |text: &str| encoding.count(text);
        match self {
            Self::Text { text, .. } => count(text),
            Self::Image(_) => IMAGE,
            Self::Use { id, name, input, .. } => count(id) + count(name) + count(input.get()),
            Self::Result { tool_use_id, content, .. } => {
                count(tool_use_id) + content.iter().map(|block| block.cost(encoding)).sum::<usize>()
            }
        }
    }
}
