//! The protocols: what the real ones refuse, and the form of their answers and errors.
//!
//! Sources: the API references of OpenAI (chat completions), Azure OpenAI and Anthropic (messages, version
//! 2023-06-01). A request that passes here has what each of them demands and nothing that they do not know.

use serde_json::{Value, json};

use super::behaviour::Behaviour;
use super::request::ModelRequest;

/// Whose protocol a request is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    OpenAi,
    Azure,
    Anthropic,
}

/// Fields of a chat completion's request; OpenAI refuses others.
const OPENAI_FIELDS: [&str; 21] = [
    "model",
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "n",
    "stop",
    "stream",
    "seed",
    "user",
    "reasoning_effort",
    "verbosity",
    "frequency_penalty",
    "presence_penalty",
    "response_format",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
];

/// Fields of a message's request; Anthropic refuses others.
const ANTHROPIC_FIELDS: [&str; 12] = [
    "model",
    "messages",
    "system",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "stream",
    "metadata",
    "thinking",
    "service_tier",
];

impl Protocol {
    pub(super) fn of(request: &ModelRequest) -> Option<Self> {
        let azure = request.path.strip_prefix("/openai/deployments/").is_some_and(|rest| {
            rest.split_once('/').is_some_and(|(name, rest)| !name.is_empty() && rest == "chat/completions")
        });
        match request.path.as_str() {
            "/v1/chat/completions" => Some(Self::OpenAi),
            "/v1/messages" => Some(Self::Anthropic),
            "/openai/v1/chat/completions" => Some(Self::Azure),
            _ if azure && request.query.contains("api-version=") => Some(Self::Azure),
            _ => None,
        }
    }

    /// A text that was made.
    pub(super) fn text(self, parts: &[String], reason: Option<&str>) -> Value {
        match self {
            Self::Anthropic => {
                let blocks: Vec<Value> =
                    parts.iter().map(|part| json!({"type": "text", "text": part})).collect();
                json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "fake",
                    "content": blocks, "stop_reason": reason.unwrap_or("end_turn"), "stop_sequence": null,
                    "usage": {"input_tokens": 1, "output_tokens": 1}})
            }
            Self::OpenAi | Self::Azure => {
                let content = match parts {
                    [text] => json!(text),
                    parts => parts.iter().map(|part| json!({"type": "text", "text": part})).collect(),
                };
                completion(&json!({"role": "assistant", "content": content, "refusal": null}), reason)
            }
        }
    }

    /// A refusal in the protocol's own form.
    pub(super) fn refuses(self) -> Value {
        match self {
            Self::Anthropic => self.text(&["I".to_owned()], Some("refusal")),
            Self::OpenAi | Self::Azure => {
                completion(&json!({"role": "assistant", "content": null, "refusal": "I will not."}), None)
            }
        }
    }

    /// An error in the protocol's own form.
    pub(super) fn error(self, code: &str, message: &str) -> Value {
        match self {
            Self::Anthropic => json!({"type": "error", "error": {"type": code, "message": message}}),
            Self::Azure => json!({"error": {"code": code, "message": message}}),
            Self::OpenAi => {
                json!({"error": {"message": message, "type": code, "param": null, "code": code}})
            }
        }
    }
}

fn completion(message: &Value, reason: Option<&str>) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "fake",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": reason.unwrap_or("stop")}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
}

/// What the real API would answer to a request that it does not take; `None` for one that it does.
pub(super) fn refusal(request: &ModelRequest, key: &str) -> Option<Behaviour> {
    let Some(protocol) = Protocol::of(request) else { return Some(Behaviour::error(404, "not_found")) };
    if request.method != "POST" {
        return Some(Behaviour::error(405, "invalid_request_error"));
    }
    let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let (given, unauthorized) = match protocol {
        Protocol::OpenAi => (bearer, "invalid_api_key"),
        Protocol::Azure => (request.header("api-key"), "401"),
        Protocol::Anthropic => (request.header("x-api-key"), "authentication_error"),
    };
    if given != Some(key) {
        return Some(Behaviour::error(401, unauthorized));
    }
    if protocol == Protocol::Anthropic && request.header("anthropic-version") != Some("2023-06-01") {
        return Some(Behaviour::error(400, "invalid_request_error"));
    }
    let json = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let sound = json
        && match protocol {
            Protocol::Anthropic => is_message(&request.body),
            // Azure knows the model from the address, but takes it in the body, too.
            Protocol::Azure | Protocol::OpenAi => is_completion(&request.body),
        };
    if sound { None } else { Some(Behaviour::error(400, "invalid_request_error")) }
}

fn is_completion(body: &Value) -> bool {
    let limits = ["max_tokens", "max_completion_tokens"].map(|field| body.get(field));
    body["model"].as_str().is_some_and(|model| !model.is_empty())
        && only(body, &OPENAI_FIELDS)
        && are_messages(&body["messages"], &["system", "developer", "user", "assistant", "tool"])
        && limits.iter().flatten().all(|limit| is_positive(limit))
        && limits.iter().flatten().count() <= 1
        && body["stream"] != true
}

fn is_message(body: &Value) -> bool {
    body["model"].as_str().is_some_and(|model| !model.is_empty())
        && only(body, &ANTHROPIC_FIELDS)
        && are_messages(&body["messages"], &["user", "assistant"])
        && body["messages"][0]["role"] == "user"
        && is_positive(&body["max_tokens"])
        && body.get("system").is_none_or(is_content)
        && body["stream"] != true
}

fn only(body: &Value, known: &[&str]) -> bool {
    body.as_object().is_some_and(|body| body.keys().all(|field| known.contains(&field.as_str())))
}

fn is_positive(value: &Value) -> bool {
    value.as_u64().is_some_and(|number| number > 0)
}

fn are_messages(messages: &Value, roles: &[&str]) -> bool {
    let is_one = |message: &Value| {
        message["role"].as_str().is_some_and(|role| roles.contains(&role)) && is_content(&message["content"])
    };
    messages.as_array().is_some_and(|messages| !messages.is_empty() && messages.iter().all(is_one))
}

/// A text, or parts that are texts; empty ones are refused.
fn is_content(content: &Value) -> bool {
    match content {
        Value::String(text) => !text.is_empty(),
        Value::Array(parts) => {
            !parts.is_empty()
                && parts.iter().all(|part| {
                    part["type"] == "text" && part["text"].as_str().is_some_and(|text| !text.is_empty())
                })
        }
        _ => false,
    }
}
