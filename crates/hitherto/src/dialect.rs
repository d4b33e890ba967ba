//! How other clients write a message, both ways: read into Hitherto's own form (OpenAI's chat completions), and
//! written from it. One module a family.
//!
//! Invariant: pure, and lenient: what real clients write is read although strict parsers refuse it (half surrogate
//! pairs, bare `NaN`, numbers of any size). What a dialect cannot say is named in the answer, never dropped in silence.

use std::fmt;

use bytes::Bytes;

use crate::message::Role;
use crate::time::Timestamp;

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
pub fn detect(_payload: &[u8]) -> Option<(Dialect, Head)> {
    None
}

/// What is read of a payload that is said to be in that dialect; `None` if it is not.
pub fn head(_dialect: Dialect, _payload: &[u8]) -> Option<Head> {
    None
}

/// The payload in Hitherto's own form: a JSON object that strict parsers take, half surrogate pairs aside, without
/// `seq`, `id` and `created_at`. What has no field there is kept in one named after the dialect's family.
pub(crate) fn to_native(_dialect: Dialect, role: Role, payload: &[u8]) -> Translated {
    let mut json = Vec::with_capacity(payload.len() + 48);
    json.extend_from_slice(b"{\"role\":\"");
    json.extend_from_slice(role.as_str().as_bytes());
    json.extend_from_slice(b"\",\"content\":");
    crate::message::push_string(&mut json, &String::from_utf8_lossy(payload));
    json.extend_from_slice(b",\"opaque\":true}");
    Translated { payload: json.into(), losses: Vec::new() }
}

/// A message of Hitherto's own form in that dialect.
pub(crate) fn from_native(_dialect: Dialect, native: &[u8]) -> Translated {
    Translated { payload: Bytes::copy_from_slice(native), losses: Vec::new() }
}
