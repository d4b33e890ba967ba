//! How other clients write a message, both ways: read into Hitherto's own form (OpenAI's chat completions), and
//! written from it. One module a family.
//!
//! Invariant: pure, and lenient: what real clients write is read although strict parsers refuse it (half surrogate
//! pairs, bare `NaN`, numbers of any size). What a dialect cannot say is named in the answer, never dropped in silence.

mod raw;

mod roles;
mod timed;

mod neutral;

mod image;
mod own;
mod ui_parts;

mod agent_framework;
mod agno;
mod ai_sdk_tools;
mod detect;
mod griptape;
mod langchain;
mod llamaindex;
mod mastra;
mod motorhead;
mod openai_items;
mod redisvl;

use std::fmt;

use bytes::Bytes;

use crate::message::{Message, Role};
use crate::time::Timestamp;
use neutral::Neutral;
use raw::{Object, Spelling};

/// Declares the dialects once: the enum, their codes in records, and their names.
macro_rules! dialects {
    ($($(#[$doc:meta])* $name:ident $code:literal $word:literal;)*) => {
        /// How one family of clients writes a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[non_exhaustive]
        pub enum Dialect { $($(#[$doc])* $name,)* }

        impl Dialect {
            /// Every dialect.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What stands for it in a record; a code keeps its meaning for ever.
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }

            /// Its name in options and pages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

dialects! {
    /// Hitherto's own: the messages of OpenAI's chat completions.
    #[default] Hitherto 0 "hitherto";
    /// LangChain.js' stored messages; also Flowise, n8n.
    LangChainJs 1 "langchain-js";
    /// LangChain for Python's stored messages; also Langflow, Memorystore.
    LangChainPython 2 "langchain-python";
    /// Items of OpenAI's Responses API, as the Agents SDK stores them.
    OpenAiItems 3 "openai-items";
    /// LlamaIndex since 0.8: `{role, additional_kwargs, blocks}`.
    LlamaIndex 4 "llamaindex";
    /// LlamaIndex 0.2 to 0.7: `{role, content, additional_kwargs}`.
    LlamaIndexContent 5 "llamaindex-0.2";
    /// LlamaIndex 0.1: `{type, content}`.
    LlamaIndexTyped 6 "llamaindex-0.1";
    /// Microsoft's Agent Framework: `{type: "message", role, contents}`.
    AgentFramework 7 "agent-framework";
    /// Its betas of 2025: `{type: "chat_message", role: {type, value}, contents}`.
    AgentFramework2025 8 "agent-framework-2025";
    /// Motorhead's list elements: the text `Role: content`.
    MotorheadText 9 "motorhead-text";
    /// `{role, content}` with roles of the caller's choosing: Motorhead's and Zep's API.
    RoleContent 10 "role-content";
    /// Mastra's messages of format 2.
    Mastra 11 "mastra";
    /// AI SDK Tools: `{chatId, userId, role, content, timestamp}`.
    AiSdkTools 12 "ai-sdk-tools";
    /// One message of an Agno run.
    Agno 13 "agno";
    /// One artifact of a Griptape run: its input or its output.
    Griptape 14 "griptape";
    /// The fields of a RedisVL hash, as an object.
    RedisVl 15 "redisvl";
    /// langchain-redis' documents.
    LangChainRedis 16 "langchain-redis";
    /// Anything else: bytes that somebody pushed and that are no message. They are kept and given back as they are,
    /// and are in no context and no summary.
    Opaque 255 "opaque";
}

impl Dialect {
    /// The dialect of that code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|dialect| dialect.code() == code)
    }

    /// The dialect of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|dialect| dialect.as_str() == name)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is read of a payload when it comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Who speaks. A role of the client's own is the nearest of the four.
    pub role: Role,
    /// When the message was made, if the dialect says.
    pub created_at: Option<Timestamp>,
}

/// Something that a message says and a dialect cannot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loss {
    /// Which field, in the words of the dialect that said it.
    pub field: String,
    /// What became of it.
    pub why: &'static str,
}

/// A payload in another dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// The bytes.
    pub payload: Bytes,
    /// What they do not say any more.
    pub losses: Vec<Loss>,
}

/// The dialect of a payload by its looks, and what is read of it; `None` if it is in none.
pub fn detect(payload: &[u8]) -> Option<(Dialect, Head)> {
    let text = std::str::from_utf8(payload).ok()?;
    if !text.trim_ascii_start().starts_with('{') {
        return Some((Dialect::MotorheadText, motorhead::head_of_text(text, true)?));
    }
    with_object(text, |object| {
        let (dialect, head) = detect::object(object)?;
        // Chat completions are what Hitherto's own messages are, and only the whole of one says whether it is one.
        let head = match head {
            Some(head) => head,
            None => head_of(dialect, object, payload)?,
        };
        Some((dialect, head))
    })
}

/// What is read of a payload that is said to be in that dialect; `None` if it is not.
pub fn head(dialect: Dialect, payload: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(payload).ok()?;
    match dialect {
        Dialect::MotorheadText => motorhead::head_of_text(text, false),
        Dialect::Opaque => Some(Head { role: Role::System, created_at: None }),
        dialect => with_object(text, |object| head_of(dialect, object, payload)),
    }
}

/// The same of the object that the payload is.
fn head_of(dialect: Dialect, object: &Object<'_>, payload: &[u8]) -> Option<Head> {
    match dialect {
        Dialect::Hitherto => {
            let message = Message::parse(Bytes::copy_from_slice(payload)).ok()?;
            Some(Head { role: message.role(), created_at: message.created_at() })
        }
        Dialect::LangChainJs | Dialect::LangChainPython | Dialect::LangChainRedis => {
            langchain::head(dialect, object)
        }
        Dialect::OpenAiItems => openai_items::head(object),
        Dialect::LlamaIndex | Dialect::LlamaIndexContent | Dialect::LlamaIndexTyped => {
            llamaindex::head(dialect, object)
        }
        Dialect::AgentFramework | Dialect::AgentFramework2025 => agent_framework::head(dialect, object),
        Dialect::RoleContent => motorhead::head(object),
        Dialect::Mastra => mastra::head(object),
        Dialect::AiSdkTools => ai_sdk_tools::head(object),
        Dialect::Agno => agno::head(object),
        Dialect::Griptape => griptape::head(object),
        Dialect::RedisVl => redisvl::head(object),
        Dialect::MotorheadText | Dialect::Opaque => None,
    }
}

/// What the function makes of the object that this text is, once what only Python reads is out of it.
fn with_object<T>(text: &str, make: impl FnOnce(&Object<'_>) -> Option<T>) -> Option<T> {
    if raw::is_too_deep(text.as_bytes()) {
        return None;
    }
    match Object::parse(text) {
        Some(object) => make(&object),
        None => make(&Object::parse(&raw::without_nan(text)?)?),
    }
}

/// The payload in Hitherto's own form: a JSON object that strict parsers take, half surrogate pairs aside, without
/// `seq`, `id` and `created_at`. What has no field there is kept in one named after the dialect's family.
pub(crate) fn to_native(dialect: Dialect, role: Role, payload: &[u8]) -> Translated {
    read_as(dialect, role, payload).unwrap_or_else(|| opaque(role, payload))
}

fn read_as(dialect: Dialect, role: Role, payload: &[u8]) -> Option<Translated> {
    let text = std::str::from_utf8(payload).ok()?;
    let translated = |mut message: Neutral<'_>| {
        message.role = role;
        Translated { payload: own::write(&message).into(), losses: message.losses() }
    };
    match dialect {
        Dialect::Hitherto => {
            return Some(Translated { payload: Bytes::copy_from_slice(payload), losses: Vec::new() });
        }
        Dialect::MotorheadText => return motorhead::read_text(text).map(translated),
        _ => {}
    }
    let whole = if Object::parse(text).is_none() { Some(raw::without_nan(text)?) } else { None };
    let object = Object::parse(whole.as_deref().unwrap_or(text))?;
    let mut message = match dialect {
        Dialect::LangChainJs | Dialect::LangChainPython | Dialect::LangChainRedis => {
            langchain::read(&object)?
        }
        Dialect::OpenAiItems => openai_items::read(&object)?,
        Dialect::LlamaIndex | Dialect::LlamaIndexContent | Dialect::LlamaIndexTyped => {
            llamaindex::read(dialect, &object)?
        }
        Dialect::AgentFramework | Dialect::AgentFramework2025 => agent_framework::read(dialect, &object)?,
        Dialect::RoleContent => motorhead::read(&object)?,
        Dialect::Mastra => mastra::read(&object)?,
        Dialect::AiSdkTools => ai_sdk_tools::read(&object)?,
        Dialect::Agno => agno::read(&object)?,
        Dialect::Griptape => griptape::read(&object)?,
        Dialect::RedisVl => redisvl::read(&object)?,
        Dialect::Hitherto | Dialect::MotorheadText | Dialect::Opaque => return None,
    };
    if whole.is_some() {
        message.lose("NaN", "only Python reads it in JSON: it is null");
    }
    Some(translated(message))
}

/// Bytes that are no message, for people to look at.
fn opaque(role: Role, payload: &[u8]) -> Translated {
    let text = raw::quote(&String::from_utf8_lossy(payload));
    let json = format!("{{\"role\":\"{}\",\"content\":{text},\"opaque\":true}}", role.as_str());
    Translated { payload: json.into(), losses: Vec::new() }
}

/// A message of Hitherto's own form as one element of that dialect: the first, where it takes several
/// ([`from_native_many`]).
pub(crate) fn from_native(dialect: Dialect, native: &[u8]) -> Translated {
    Translated::first(from_native_many(dialect, native))
}

impl Translated {
    /// The first of the elements that a message is, and what it does not say.
    pub(crate) fn first((elements, mut losses): (Vec<Bytes>, Vec<Loss>)) -> Self {
        if elements.len() > 1 {
            losses.push(Loss { field: "tool_calls".to_owned(), why: "they are elements of their own" });
        }
        Self { payload: elements.into_iter().next().unwrap_or_default(), losses }
    }
}

/// A message of Hitherto's own form as elements of that dialect, and what they do not say: one element, or several
/// where the dialect has one for each call of a tool.
pub(crate) fn from_native_many(dialect: Dialect, native: &[u8]) -> (Vec<Bytes>, Vec<Loss>) {
    let as_it_is = || (vec![Bytes::copy_from_slice(native)], Vec::new());
    let Some(family) = dialect.family() else {
        return as_it_is();
    };
    let Some(mut message) = std::str::from_utf8(native).ok().and_then(|native| own::read(native, family))
    else {
        return as_it_is();
    };
    let message = &mut message;
    let elements = match dialect {
        Dialect::LangChainJs | Dialect::LangChainPython | Dialect::LangChainRedis => {
            vec![langchain::write(dialect, message)]
        }
        Dialect::OpenAiItems => openai_items::write(message),
        Dialect::LlamaIndex | Dialect::LlamaIndexContent | Dialect::LlamaIndexTyped => {
            vec![llamaindex::write(dialect, message)]
        }
        Dialect::AgentFramework | Dialect::AgentFramework2025 => {
            vec![agent_framework::write(dialect, message)]
        }
        Dialect::MotorheadText => vec![motorhead::write_text(message)],
        Dialect::RoleContent => vec![motorhead::write(message)],
        Dialect::Mastra => vec![mastra::write(message)],
        Dialect::AiSdkTools => vec![ai_sdk_tools::write(message)],
        Dialect::Agno => vec![agno::write(message)],
        Dialect::Griptape => vec![griptape::write(message)],
        Dialect::RedisVl => vec![redisvl::write(message)],
        Dialect::Hitherto | Dialect::Opaque => return as_it_is(),
    };
    let spelled = |element: String| match dialect.spelling() {
        Some(spelling) => raw::respell(&element, spelling),
        None => element,
    };
    let mut elements: Vec<String> = elements.into_iter().map(spelled).collect();
    if dialect == Dialect::LlamaIndex {
        // Pydantic refuses half a surrogate pair, and with it the whole session.
        for element in &mut elements {
            if let Some(whole) = raw::without_halves(element) {
                *element = whole;
                message.lose("content", "half a surrogate pair is U+FFFD");
            }
        }
    }
    let losses = std::mem::replace(message, Neutral::new(Role::User, family)).into_losses();
    (elements.into_iter().map(Bytes::from).collect(), losses)
}

impl Dialect {
    /// The field of the own form that keeps what only this dialect and its kin have a field for.
    fn family(self) -> Option<&'static str> {
        Some(match self {
            Self::Hitherto | Self::Opaque => return None,
            Self::LangChainJs | Self::LangChainPython | Self::LangChainRedis => langchain::FAMILY,
            Self::OpenAiItems => openai_items::FAMILY,
            Self::LlamaIndex | Self::LlamaIndexContent | Self::LlamaIndexTyped => llamaindex::FAMILY,
            Self::AgentFramework | Self::AgentFramework2025 => agent_framework::FAMILY,
            Self::MotorheadText | Self::RoleContent => motorhead::FAMILY,
            Self::Mastra => mastra::FAMILY,
            Self::AiSdkTools => ai_sdk_tools::FAMILY,
            Self::Agno => agno::FAMILY,
            Self::Griptape => griptape::FAMILY,
            Self::RedisVl => redisvl::FAMILY,
        })
    }

    /// How its library spells JSON; `None` where an element is no JSON.
    fn spelling(self) -> Option<Spelling> {
        Some(match self {
            Self::Hitherto | Self::Opaque | Self::MotorheadText => return None,
            Self::LangChainJs
            | Self::LlamaIndex
            | Self::RoleContent
            | Self::Mastra
            | Self::AiSdkTools
            | Self::RedisVl => Spelling::Compact,
            Self::OpenAiItems | Self::AgentFramework2025 => Spelling::CompactAscii,
            Self::Agno => Spelling::SpacedLetters,
            Self::LangChainPython
            | Self::LlamaIndexContent
            | Self::LlamaIndexTyped
            | Self::AgentFramework
            | Self::Griptape
            | Self::LangChainRedis => Spelling::Spaced,
        })
    }
}

#[cfg(test)]
mod tests;
