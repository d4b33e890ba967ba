//! Tests only: counts a context again from its JSON, knowing nothing of how it was made.

use serde_json::Value;

use super::options::Format;
use crate::tokens::Encoding;

/// The body with half surrogate pairs replaced, which strict parsers refuse.
pub(super) fn parse(json: &str) -> Value {
    let half = |code: &str, from: u32| {
        u32::from_str_radix(code.get(2..6).unwrap_or("0"), 16)
            .is_ok_and(|unit| (from..from + 0x400).contains(&unit))
    };
    let (mut out, mut rest) = (String::new(), json);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = if !escape.starts_with("\\u") {
            2
        } else if half(escape, 0xd800) && escape.get(6..8) == Some("\\u") && half(&escape[6..], 0xdc00) {
            12
        } else {
            6
        };
        let lone = length == 6 && (half(escape, 0xd800) || half(escape, 0xdc00));
        out.push_str(if lone { "\\ufffd" } else { &escape[..length] });
        rest = &escape[length..];
    }
    out.push_str(rest);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// How many tokens the prompt of a context has.
pub(super) fn recount(body: &Value, format: Format, encoding: Encoding) -> usize {
    let count = |text: &str| encoding.count(text);
    let texts = |content: &Value| -> usize {
        match content {
            Value::String(text) => count(text),
            Value::Array(parts) => parts.iter().map(|part| part_cost(part, encoding)).sum(),
            _ => 0,
        }
    };
    let string = |value: &Value| value.as_str().map_or(0, count);
    let chat = |message: &Value, role: &str, arguments: &dyn Fn(&Value) -> usize| {
        3 + count(role)
            + texts(&message["content"])
            + message["name"].as_str().map_or(0, |name| count(name) + 1)
            + string(&message["tool_call_id"])
            + message["tool_calls"].as_array().map_or(0, |calls| calls.iter().map(arguments).sum())
    };
    let openai_call = |call: &Value| {
        string(&call["id"]) + string(&call["function"]["name"]) + string(&call["function"]["arguments"])
    };
    let langchain_call = |call: &Value| {
        let arguments = if call["type"] == "invalid_tool_call" {
            call["args"].as_str().unwrap().to_owned()
        } else {
            call["args"].to_string()
        };
        string(&call["id"]) + string(&call["name"]) + count(&arguments)
    };
    let prompt = &body["prompt"];
    match format {
        Format::Text => string(prompt),
        Format::Messages => {
            let messages = body["messages"].as_array().unwrap();
            let summary = body["summary"]["text"].as_str().map_or(0, |text| {
                3 + count("system") + count(&format!("Summary of the conversation so far:\n{text}"))
            });
            let sum: usize = messages
                .iter()
                .map(|message| chat(message, message["role"].as_str().unwrap(), &openai_call))
                .sum();
            sum + summary + if messages.is_empty() && summary == 0 { 0 } else { 3 }
        }
        Format::OpenAi => {
            let messages = prompt.as_array().unwrap();
            let sum: usize = messages
                .iter()
                .map(|message| chat(message, message["role"].as_str().unwrap(), &openai_call))
                .sum();
            sum + if messages.is_empty() { 0 } else { 3 }
        }
        Format::LangChain => {
            let messages = prompt.as_array().unwrap();
            let roles = |kind: &str| match kind {
                "human" => "user",
                "ai" => "assistant",
                "tool" => "tool",
                _ => "system",
            };
            let sum: usize = messages
                .iter()
                .map(|message| {
                    let (data, role) = (&message["data"], roles(message["type"].as_str().unwrap()));
                    let invalid = data["invalid_tool_calls"]
                        .as_array()
                        .map_or(0, |calls| calls.iter().map(langchain_call).sum());
                    chat(data, role, &langchain_call) + invalid
                })
                .sum();
            sum + if messages.is_empty() { 0 } else { 3 }
        }
        Format::Anthropic => {
            let system = prompt["system"].as_str().map_or(0, |text| 3 + count("system") + count(text));
            let messages = prompt["messages"].as_array().unwrap();
            let sum: usize = messages
                .iter()
                .map(|message| 3 + string(&message["role"]) + texts(&message["content"]))
                .sum();
            sum + system + if messages.is_empty() && system == 0 { 0 } else { 3 }
        }
    }
}

fn part_cost(part: &Value, encoding: Encoding) -> usize {
    let count = |text: &str| encoding.count(text);
    match part["type"].as_str().unwrap() {
        "text" => count(part["text"].as_str().unwrap()),
        "image_url" | "image" => {
            if part["image_url"]["detail"] == "low" {
                85
            } else {
                765
            }
        }
        "tool_use" => {
            count(part["id"].as_str().unwrap())
                + count(part["name"].as_str().unwrap())
                + count(&part["input"].to_string())
        }
        "tool_result" => {
            count(part["tool_use_id"].as_str().unwrap())
                + part["content"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|part| part_cost(part, encoding))
                    .sum::<usize>()
        }
        _ => count(&part.to_string()),
    }
}
