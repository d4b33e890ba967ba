//! The layouts, each of them an entry.
//!
//! Where a framework lets its user choose the beginning of its keys, `prefix` is what it uses if nobody chose.

use super::{Order, Profile, Shape};
use crate::dialect::Dialect;

const NEWEST: Shape = Shape::List(Order::NewestFirst);
const OLDEST: Shape = Shape::List(Order::OldestFirst);

/// A list under the session's bare id, as LangChain.js keeps it.
const PLAIN: Profile = Profile {
    name: "langchain-js",
    about: "LangChain.js: @langchain/redis, and ioredis or Upstash in @langchain/community",
    dialects: &[Dialect::LangChainJs, Dialect::LangChainPython],
    prefix: "",
    shape: NEWEST,
    opposite: Some("memorystore"),
    closed: None,
    around: ("", ""),
};

/// What LangChain for Python keeps.
const PYTHON: Profile = Profile {
    name: "langchain-python",
    about: "LangChain for Python: RedisChatMessageHistory of langchain-community",
    dialects: &[Dialect::LangChainPython, Dialect::LangChainJs],
    prefix: "message_store:",
    opposite: Some("memorystore --key-prefix message_store:"),
    ..PLAIN
};

/// All of them, in the order of help.
pub(super) const ALL: &[Profile] = &[
    PLAIN,
    Profile { name: "flowise", about: "Flowise's Redis-Backed Chat Memory", ..PLAIN },
    Profile { name: "n8n", about: "n8n's Redis Chat Memory", ..PLAIN },
    PYTHON,
    Profile { name: "langflow", about: "Langflow's Redis Chat Memory", ..PYTHON },
    Profile {
        name: "memorystore",
        about: "LangChain for Python on Google Memorystore",
        prefix: "",
        shape: OLDEST,
        opposite: Some("langchain-js"),
        ..PYTHON
    },
    Profile {
        name: "langchain-redis",
        about: "LangChain for Python: the package langchain-redis, on RedisJSON",
        dialects: &[Dialect::LangChainRedis],
        prefix: "chat:",
        shape: Shape::Documents { hashes: false },
        opposite: None,
        ..PLAIN
    },
    Profile {
        name: "openai-agents",
        about: "OpenAI's Agents SDK: RedisSession",
        dialects: &[Dialect::OpenAiItems],
        prefix: "agents:session:",
        shape: OLDEST,
        opposite: None,
        around: ("", ":messages"),
        ..PLAIN
    },
    Profile {
        name: "llamaindex",
        about: "LlamaIndex: RedisChatStore, in each of its three formats",
        dialects: &[Dialect::LlamaIndex, Dialect::LlamaIndexContent, Dialect::LlamaIndexTyped],
        shape: OLDEST,
        opposite: None,
        ..PLAIN
    },
    Profile {
        name: "agent-framework",
        about: "Microsoft's Agent Framework, scoped and legacy keys, and its betas of 2025",
        dialects: &[Dialect::AgentFramework, Dialect::AgentFramework2025],
        prefix: "chat_messages",
        shape: OLDEST,
        opposite: None,
        ..PLAIN
    },
    Profile {
        name: "redisvl",
        about: "RedisVL: MessageHistory",
        dialects: &[Dialect::RedisVl],
        shape: Shape::Documents { hashes: true },
        opposite: None,
        ..PLAIN
    },
    Profile {
        name: "motorhead",
        about: "Motorhead, with its summaries",
        dialects: &[Dialect::MotorheadText],
        prefix: "session:",
        opposite: None,
        ..PLAIN
    },
    Profile {
        name: "mastra",
        about: "Mastra: @mastra/redis",
        dialects: &[Dialect::Mastra],
        prefix: "thread:",
        shape: Shape::Index,
        opposite: None,
        around: ("", ":messages"),
        ..PLAIN
    },
    Profile {
        name: "ai-sdk-tools",
        about: "AI SDK Tools: @ai-sdk-tools/memory",
        dialects: &[Dialect::AiSdkTools],
        prefix: "memory:",
        shape: OLDEST,
        opposite: None,
        around: ("msg:chat:", ""),
        ..PLAIN
    },
    Profile {
        name: "griptape",
        about: "Griptape: RedisConversationMemoryDriver",
        dialects: &[Dialect::Griptape],
        shape: Shape::Fields,
        opposite: None,
        closed: Some("Griptape keeps whole runs, and a run cannot be made from single messages"),
        ..PLAIN
    },
    Profile {
        name: "agno",
        about: "Agno: RedisDb",
        dialects: &[Dialect::Agno],
        prefix: "agno:",
        shape: Shape::Index,
        opposite: None,
        closed: Some("Agno keeps whole runs with metrics and indexes, which cannot be made from messages"),
        around: ("runs:by_session:", ""),
    },
];

/// Their names.
pub(super) const NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let (mut rest, mut at) = (ALL, 0);
    while let [profile, tail @ ..] = rest {
        if let Some(name) = names.split_at_mut(at).1.first_mut() {
            *name = profile.name;
        }
        (rest, at) = (tail, at + 1);
    }
    names
};
