//! What a model answered, taken out of its protocol.
//!
//! Invariant: an answer is whole or it is an error. One that was cut off, filtered, or is a call of a tool is no
//! text of a summary, however much of one it looks.

use std::time::SystemTime;

use serde_json::Value;

use super::failure::{self, Failure};
use super::options::Api;
use crate::summary::{SummariserError, Usage};

/// The text of an answer.
pub(super) fn read(api: Api, body: &[u8], budget: usize) -> Result<String, SummariserError> {
    let body = str::from_utf8(body).map_err(|_| not("it is not UTF-8"))?;
    let body: Value = serde_json::from_str(body).map_err(|_| not("it is not JSON"))?;
    if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
        return Err(error_in_success(&body, error));
    }
    match api {
        Api::OpenAi | Api::Azure => completion(&body, budget),
        Api::Anthropic => message(&body, budget),
    }
}

/// How many tokens an answer says it cost; none where it does not say.
pub(super) fn usage(body: &[u8]) -> Usage {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Said {
        prompt_tokens: u64,
        completion_tokens: u64,
        input_tokens: u64,
        output_tokens: u64,
    }
    #[derive(serde::Deserialize)]
    struct Answer {
        usage: Said,
    }
    match serde_json::from_slice::<Answer>(body) {
        Ok(Answer { usage: said }) => Usage {
            tokens_in: said.prompt_tokens.max(said.input_tokens),
            tokens_out: said.completion_tokens.max(said.output_tokens),
        },
        Err(_) => Usage::default(),
    }
}

/// A chat completion's first choice.
fn completion(body: &Value, budget: usize) -> Result<String, SummariserError> {
    let choice =
        body.get("choices").and_then(|choices| choices.get(0)).ok_or_else(|| not("it has no choice"))?;
    let message = choice.get("message").filter(|message| message.is_object());
    let message = message.ok_or_else(|| not("its choice has no message"))?;
    match choice.get("finish_reason") {
        // Some servers leave it out, and some have words of their own for the end of a text.
        None | Some(Value::Null) => {}
        Some(Value::String(reason)) => match reason.as_str() {
            "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => {}
            "length" => return Err(too_long(body, "completion_tokens", budget)),
            "content_filter" => return Err(SummariserError::Refused),
            "tool_calls" | "function_call" => return Err(not("it calls a tool")),
            _ => return Err(not("it ended for no reason that is known")),
        },
        Some(_) => return Err(not("its reason to end is no text")),
    }
    if message.get("refusal").and_then(Value::as_str).is_some_and(|refusal| !refusal.is_empty()) {
        return Err(SummariserError::Refused);
    }
    match message.get("content") {
        None | Some(Value::Null) => Err(SummariserError::Empty),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => texts(parts),
        Some(_) => Err(not("its content is no text")),
    }
}

/// A message's text blocks.
fn message(body: &Value, budget: usize) -> Result<String, SummariserError> {
    if body.get("type").and_then(Value::as_str) != Some("message") {
        return Err(not("it is no message"));
    }
    match body.get("stop_reason") {
        None | Some(Value::Null) => {}
        Some(Value::String(reason)) => match reason.as_str() {
            "end_turn" | "stop_sequence" => {}
            "max_tokens" | "model_context_window_exceeded" => {
                return Err(too_long(body, "output_tokens", budget));
            }
            "refusal" => return Err(SummariserError::Refused),
            "tool_use" => return Err(not("it calls a tool")),
            _ => return Err(not("it ended for no reason that is known")),
        },
        Some(_) => return Err(not("its reason to end is no text")),
    }
    match body.get("content") {
        Some(Value::Array(blocks)) => texts(blocks),
        _ => Err(not("its content is no list of blocks")),
    }
}

/// The texts of content parts or blocks. Thoughts are passed over; anything else is no summary.
fn texts(parts: &[Value]) -> Result<String, SummariserError> {
    let mut text = String::new();
    for part in parts {
        match part.get("type").and_then(Value::as_str) {
            Some("text" | "output_text") => {
                let words = part.get("text").and_then(Value::as_str);
                text.push_str(words.ok_or_else(|| not("a part of its content has no text"))?);
            }
            Some("thinking" | "redacted_thinking" | "reasoning") => {}
            Some("refusal") => return Err(SummariserError::Refused),
            Some("tool_use") => return Err(not("it calls a tool")),
            _ => return Err(not("a part of its content is no text")),
        }
    }
    Ok(text)
}

/// Gateways say with status 200 that the model behind them failed.
fn error_in_success(body: &Value, error: &Value) -> SummariserError {
    let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    match code.filter(|code| (400..600).contains(code)) {
        Some(status) => {
            let failure = Failure { status, ..Failure::default() };
            failure::read(&failure, body.to_string().as_bytes(), SystemTime::UNIX_EPOCH)
        }
        None => not("it is an error"),
    }
}

/// It was cut off: so many tokens it says it wrote, thoughts included, and in any case more than allowed.
fn too_long(body: &Value, field: &str, budget: usize) -> SummariserError {
    let written = body.get("usage").and_then(|usage| usage.get(field)).and_then(Value::as_u64);
    let written = written.and_then(|tokens| usize::try_from(tokens).ok()).unwrap_or(0);
    SummariserError::TooLong { tokens: written.max(budget.saturating_add(1)), budget }
}

fn not(reason: &str) -> SummariserError {
    SummariserError::NotText(reason.to_owned())
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
