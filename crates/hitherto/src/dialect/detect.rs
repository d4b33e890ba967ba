//! The dialect of an object by its looks.
//!
//! Invariant: only fields that one dialect has and no other decide; what could be two dialects is the one that keeps
//! more. Plain `{role, content}` is an item of OpenAI's Responses API, unless it calls tools, answers a call, or has
//! a role of its own.

use super::raw::Object;
use super::{Dialect, Head, agent_framework, langchain, llamaindex, openai_items, roles};

/// The dialect, and its head where that was read on the way.
pub(super) fn object(object: &Object<'_>) -> Option<(Dialect, Option<Head>)> {
    if object.get("data").is_some_and(|data| data.starts_with('{')) && object.string("type").is_some() {
        return langchain::detect(object).map(|(dialect, head)| (dialect, Some(head)));
    }
    let Some(role) = object.get("role") else {
        return typed(object);
    };
    let with = |dialect: Dialect, head: Option<Head>| head.map(|head| (dialect, Some(head)));
    if object.get("contents").is_some() {
        let dialect =
            if role.starts_with('{') { Dialect::AgentFramework2025 } else { Dialect::AgentFramework };
        return with(dialect, agent_framework::head(dialect, object));
    }
    let has = |name: &str| object.get(name).is_some();
    if has("additional_kwargs") {
        let dialect = if has("blocks") { Dialect::LlamaIndex } else { Dialect::LlamaIndexContent };
        return with(dialect, llamaindex::head(dialect, object));
    }
    let content = object.get("content").unwrap_or("null");
    if content.starts_with('{') {
        return (has("threadId") || has("format") || has("createdAt")).then_some((Dialect::Mastra, None));
    }
    if has("chatId") && has("timestamp") {
        return Some((Dialect::AiSdkTools, None));
    }
    if has("entry_id") && has("session_tag") {
        return Some((Dialect::RedisVl, None));
    }
    if has("from_history") || has("stop_after_tool_call") {
        return Some((Dialect::Agno, None));
    }
    if object.get("type").is_some_and(|kind| kind != "\"message\"") {
        // LangChain.js' first version had the role beside the type.
        return if has("text") && content == "null" { typed(object) } else { None };
    }
    let is_chat = match role {
        "\"assistant\"" => object.has("tool_calls") || content == "null",
        "\"tool\"" => true,
        "\"user\"" | "\"system\"" | "\"developer\"" => false,
        _ => {
            return (content.starts_with('"') && role.starts_with('"'))
                .then_some((Dialect::RoleContent, None));
        }
    };
    if is_chat {
        Some((Dialect::Hitherto, None))
    } else {
        with(Dialect::OpenAiItems, openai_items::head(object))
    }
}

/// The dialect of an object without a role.
fn typed(object: &Object<'_>) -> Option<(Dialect, Option<Head>)> {
    let kind = object.text("type")?;
    let with = |dialect: Dialect, head: Option<Head>| head.map(|head| (dialect, Some(head)));
    if kind.starts_with("function_call") {
        return with(Dialect::OpenAiItems, openai_items::head(object));
    }
    if kind.ends_with("Artifact") {
        return Some((Dialect::Griptape, None));
    }
    if object.string("text").is_some() {
        return langchain::detect(object).map(|(dialect, head)| (dialect, Some(head)));
    }
    let is_old = roles::known(&kind).is_some() && object.string("content").is_some();
    if is_old {
        return with(Dialect::LlamaIndexTyped, llamaindex::head(Dialect::LlamaIndexTyped, object));
    }
    None
}
