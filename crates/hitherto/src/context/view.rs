//! A message as a format gives it: who speaks, the texts and parts, the tools called; and what that costs.
//!
//! Invariant: what is counted is what is given. Whatever a format changes (a name, a part it cannot take) is changed
//! here, before it is counted.

use crate::context::options::Format;
use crate::message::{Content, Message, Part, Role, ToolCall, field};
use crate::tokens::{Encoding, Memo};

/// A message as a format gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) role: Role,
    pub(super) name: Option<String>,
    pub(super) bits: Vec<Bit>,
    /// Whether the content is a list.
    pub(super) listed: bool,
    pub(super) calls: Vec<ToolCall>,
    pub(super) result_of: Option<String>,
}

/// One piece of what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bit {
    Text(String),
    /// A part that is no text, as JSON, and what it costs if it is an image.
    Json(String, Option<usize>),
}

/// What an image costs: OpenAI's figure for one of 1024 by 1024 in high detail, and for any in low detail.
pub(super) const IMAGE: usize = 765;
const SMALL_IMAGE: usize = 85;

/// What OpenAI's chat format costs a message beside its texts, and a prompt for the reply that it begins.
pub(super) const MESSAGE: usize = 3;
pub(super) const REPLY: usize = 3;

impl View {
    /// The message of that role and text.
    pub(super) fn of_text(role: Role, text: String) -> Self {
        Self {
            role,
            name: None,
            bits: vec![Bit::Text(text)],
            listed: false,
            calls: Vec::new(),
            result_of: None,
        }
    }

    /// The message as that format gives it.
    pub(super) fn new(message: &Message, format: Format) -> Self {
        let role = message.role();
        let (bits, listed) = match message.content() {
            Content::Empty => (Vec::new(), false),
            Content::Text(text) => (vec![Bit::Text(text)], false),
            Content::Parts(parts) => (parts.into_iter().map(|part| bit(part, role, format)).collect(), true),
        };
        let name = message.name().and_then(|name| match format {
            Format::OpenAi if role == Role::Tool => None,
            Format::OpenAi => plain(&name, 64),
            Format::Anthropic => (role == Role::User).then_some(name),
            _ => Some(name),
        });
        let mut view =
            Self { role, name, bits, listed, calls: message.tool_calls(), result_of: message.tool_call_id() };
        match format {
            Format::Anthropic => super::anthropic::adapt(&mut view),
            Format::OpenAi => super::openai::adapt(&mut view),
            Format::LangChain => {
                if role != Role::Assistant {
                    view.calls = Vec::new();
                }
                for call in &mut view.calls {
                    if call.arguments.is_empty() {
                        call.arguments = "{}".to_owned();
                    }
                }
            }
            Format::Messages | Format::Text => {}
        }
        view
    }

    /// What it costs by OpenAI's formula: 3, its role, its texts, its name and 1 more, and of each tool call the id,
    /// the name and the arguments.
    pub(super) fn cost(&self, encoding: Encoding) -> usize {
        let count = |text: &str| encoding.count(text);
        MESSAGE
            + count(self.role.as_str())
            + self.bits.iter().map(|bit| bit.cost(encoding)).sum::<usize>()
            + self.name.as_deref().map_or(0, |name| count(name) + 1)
            + self
                .calls
                .iter()
                .map(|call| count(&call.id) + count(&call.name) + count(&call.arguments))
                .sum::<usize>()
            + self.result_of.as_deref().map_or(0, count)
    }

    /// The message in one text, as a line of a transcript: `CDR: Okay.`
    pub(super) fn line(&self) -> String {
        let mut parts: Vec<String> = self.bits.iter().map(Bit::shown).collect();
        parts.extend(self.calls.iter().map(|call| format!("[calls {}({})]", call.name, call.arguments)));
        parts.retain(|part| !part.is_empty());
        format!("{}: {}", self.name.as_deref().unwrap_or(self.role.as_str()), parts.join("\n"))
    }
}

impl Bit {
    pub(super) fn cost(&self, encoding: Encoding) -> usize {
        match self {
            Self::Text(text) => encoding.count(text),
            Self::Json(_, Some(cost)) => *cost,
            Self::Json(json, None) => encoding.count(json),
        }
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Json(json, _) => format!("[{}]", kind(json)),
        }
    }
}

/// The `type` of a part, if it is a plain word.
pub(super) fn kind(json: &str) -> String {
    let kind = field(json.as_bytes(), "type").map(|raw| raw.trim_matches('"').to_owned()).unwrap_or_default();
    plain(&kind, 32).unwrap_or_else(|| "part".to_owned())
}

/// What a part is replaced by where a format cannot take it, or a budget.
pub(super) fn left_out(json: &str) -> String {
    format!("[{} left out]", kind(json))
}

/// What an image costs.
pub(super) fn image_cost(json: &str) -> usize {
    let detail = field(json.as_bytes(), "image_url").and_then(|image| field(image.as_bytes(), "detail"));
    if detail == Some("\"low\"") { SMALL_IMAGE } else { IMAGE }
}

fn bit(part: Part, role: Role, format: Format) -> Bit {
    match (part, format) {
        (Part::Text(text), _) => Bit::Text(text),
        (Part::Image(json) | Part::File(json) | Part::Other(json), Format::OpenAi) => {
            super::openai::part(json, role)
        }
        (Part::Image(json), Format::Anthropic) => super::anthropic::image(json, role),
        (Part::File(json) | Part::Other(json), Format::Anthropic) => Bit::Text(left_out(&json)),
        (Part::Image(json), _) => {
            let cost = image_cost(&json);
            Bit::Json(json, Some(cost))
        }
        (Part::File(json) | Part::Other(json), _) => Bit::Json(json, None),
    }
}

/// The text in letters, digits, `_` and `-` only, as names and ids must be; `None` if nothing is left of it.
pub(super) fn plain(text: &str, most: usize) -> Option<String> {
    let good = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    let plain: String = text.chars().take(most).map(|char| if good(char) { char } else { '_' }).collect();
    plain.contains(|char: char| char.is_ascii_alphanumeric()).then_some(plain)
}

/// Counts what a format gives, remembering what was counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter<'a> {
    pub(super) encoding: Encoding,
    pub(super) format: Format,
    pub(super) memo: &'a Memo,
}

impl Counter<'_> {
    /// What a message adds to a prompt; in formats that join messages, what it adds at most.
    pub(super) fn message(&self, message: &Message) -> usize {
        let way = match self.format {
            Format::Messages | Format::LangChain => 0,
            Format::OpenAi => 1,
            Format::Anthropic => 2,
            Format::Text => 3,
        };
        self.memo.count(self.encoding, way, message.bytes(), || self.view(&View::new(message, self.format)))
    }

    /// What a view adds to a prompt.
    pub(super) fn view(&self, view: &View) -> usize {
        match self.format {
            Format::Text => self.encoding.count(&(view.line() + "\n")),
            _ => view.cost(self.encoding),
        }
    }

    /// The tokens of a text.
    pub(super) fn text(&self, text: &str) -> usize {
        self.memo.count(self.encoding, 9, text.as_bytes(), || self.encoding.count(text))
    }

    /// What a prompt costs that has messages at all, beside them.
    pub(super) fn base(&self) -> usize {
        if self.format == Format::Text { 0 } else { REPLY }
    }
}
