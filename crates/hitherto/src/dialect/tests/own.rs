//! From the own form to a dialect and back: the same in meaning, but for exactly the losses that are named.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::dialect::{Dialect, from_native_many, head, to_native};
use crate::message::Message;

/// Messages that say all that the own form can, by name.
fn messages() -> Vec<(&'static str, Value)> {
    vec![
        ("user", json!({"role": "user", "content": "Hi, \"Zoë\" 👋\n</b>\u{2028}", "name": "zoe"})),
        ("system", json!({"role": "system", "content": "Be brief.", "metadata": {"k": [1, 1.5]}})),
        (
            "calls",
            json!({"role": "assistant", "content": "Let me see.", "x": {"y": 1}, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"city\":\"Zürich\"}"}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ]}),
        ),
        (
            "unreadable",
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{bad"}},
            ]}),
        ),
        ("result", json!({"role": "tool", "tool_call_id": "c1", "name": "f", "content": "{\"t\": 21.5}"})),
        (
            "parts",
            json!({"role": "user", "content": [
                {"type": "text", "text": "What is it?", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "file", "file": {"file_id": "f-1"}},
                {"type": "odd", "x": 1},
            ]}),
        ),
        (
            "custom call",
            json!({"role": "assistant", "content": "ok", "tool_calls": [
                {"id": "c1", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
            ]}),
        ),
        (
            "own id",
            json!({"role": "user", "content": "hi", "id": "m-1", "created_at": "2026-01-01T00:00:00Z"}),
        ),
        ("other family", json!({"role": "user", "content": "hi", "elsewhere": {"id": "h-1"}})),
    ]
}

/// The message in that dialect and back, as one, and the losses on the way.
fn there_and_back(dialect: Dialect, native: &str) -> (Value, Vec<String>) {
    let (elements, losses) = from_native_many(dialect, native.as_bytes());
    let mut whole: Option<Value> = None;
    for element in elements {
        let head = head(dialect, &element).unwrap_or_else(|| panic!("{dialect}: {element:?}"));
        let role = if dialect == Dialect::Griptape {
            Message::parse(Bytes::copy_from_slice(native.as_bytes())).unwrap().role()
        } else {
            head.role
        };
        let back = to_native(dialect, role, &element);
        assert_eq!(back.losses, [], "{dialect}: {element:?}");
        let back = Message::parse(back.payload).unwrap_or_else(|error| panic!("{dialect}: {error}"));
        let back: Value = serde_json::from_str(back.json()).unwrap();
        match &mut whole {
            None => whole = Some(back),
            Some(whole) => {
                let calls = back["tool_calls"].as_array().unwrap().clone();
                let all = whole.as_object_mut().unwrap().entry("tool_calls").or_insert(json!([]));
                all.as_array_mut().unwrap().extend(calls);
            }
        }
    }
    let mut losses: Vec<String> = losses.into_iter().map(|loss| loss.field).collect();
    losses.sort();
    (whole.unwrap(), losses)
}

/// The message in a form in which all that means the same is equal.
fn meaning(message: &Value, losses: &[String]) -> Value {
    let mut message = message.clone();
    let fields = message.as_object_mut().unwrap();
    for loss in losses {
        fields.remove(loss.as_str());
    }
    if let Some(Value::Array(parts)) = fields.get_mut("content") {
        parts.retain(|part| !losses.contains(&format!("content.{}", part["type"].as_str().unwrap())));
        for part in parts.iter_mut() {
            part.as_object_mut().unwrap().retain(|key, _| !losses.contains(&format!("content.{key}")));
            if losses.iter().any(|loss| loss == "content.detail") {
                part["image_url"].as_object_mut().map(|image| image.remove("detail"));
            }
        }
        let texts = parts.iter().map(|part| Some(part["text"].as_str()?.to_owned()));
        // Texts one after another are one text.
        if let Some(texts) = texts.collect::<Option<Vec<String>>>() {
            fields.insert("content".to_owned(), texts.join("\n").into());
        }
    }
    if fields.get("content") == Some(&Value::Null) {
        fields.insert("content".to_owned(), "".into());
    }
    for call in fields.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(text) = call["function"]["arguments"].as_str() {
            let read: Value = serde_json::from_str(text).unwrap_or(Value::Null);
            if read.is_object() {
                call["function"]["arguments"] = read;
            }
        }
    }
    message
}

/// What each dialect cannot say of [`messages`]; all else comes back.
fn expected(dialect: Dialect) -> BTreeMap<&'static str, Vec<&'static str>> {
    const TEXT_ONLY: &[&str] = &["content.cache_control", "content.file", "content.image_url", "content.odd"];
    const NO_DETAIL: &[&str] = &["content.cache_control", "content.detail", "content.file", "content.odd"];
    let rows: &[(&str, &[&str])] = match dialect {
        Dialect::LangChainJs | Dialect::LangChainPython | Dialect::LangChainRedis => &[],
        Dialect::OpenAiItems => &[
            ("user", &["name"]),
            ("system", &["metadata"]),
            ("calls", &["x"]),
            ("result", &["name"]),
            ("parts", &["content.cache_control", "content.odd"]),
            ("custom call", &["tool_calls"]),
            ("own id", &["created_at", "id"]),
            ("other family", &["elsewhere"]),
        ],
        Dialect::LlamaIndex => &[("parts", &["content.cache_control", "content.file", "content.odd"])],
        Dialect::LlamaIndexContent | Dialect::RedisVl => &[("parts", TEXT_ONLY)],
        Dialect::LlamaIndexTyped | Dialect::MotorheadText => &[
            ("user", &["name"]),
            ("system", &["metadata"]),
            ("calls", &["tool_calls", "x"]),
            ("unreadable", &["tool_calls"]),
            ("result", &["name", "tool_call_id"]),
            ("parts", TEXT_ONLY),
            ("custom call", &["tool_calls"]),
            ("own id", &["created_at", "id"]),
            ("other family", &["elsewhere"]),
        ],
        Dialect::RoleContent => &[
            ("user", &["name"]),
            ("calls", &["tool_calls", "x"]),
            ("unreadable", &["tool_calls"]),
            ("result", &["name", "tool_call_id"]),
            ("parts", TEXT_ONLY),
            ("custom call", &["tool_calls"]),
            ("own id", &["created_at", "id"]),
            ("other family", &["elsewhere"]),
        ],
        Dialect::AgentFramework | Dialect::AgentFramework2025 | Dialect::Mastra | Dialect::AiSdkTools => {
            &[("parts", NO_DETAIL)]
        }
        Dialect::Agno => &[
            ("system", &["metadata"]),
            ("calls", &["x"]),
            ("own id", &["created_at", "id"]),
            ("other family", &["elsewhere"]),
        ],
        Dialect::Griptape => &[
            ("system", &["role"]),
            ("calls", &["tool_calls"]),
            ("unreadable", &["tool_calls"]),
            ("result", &["role", "tool_call_id"]),
            ("parts", TEXT_ONLY),
        ],
        Dialect::Hitherto | Dialect::Opaque => &[],
    };
    rows.iter().map(|(name, losses)| (*name, losses.to_vec())).collect()
}

#[test]
fn there_and_back_is_the_same_but_for_the_losses() {
    for dialect in Dialect::ALL {
        let Some(family) = dialect.family() else {
            continue;
        };
        let mut lost = BTreeMap::new();
        for (name, message) in messages() {
            let (back, losses) = there_and_back(*dialect, &message.to_string());
            let (mut back, mut meant) = (meaning(&back, &losses), meaning(&message, &losses));
            let kept = back.as_object_mut().unwrap().remove(family).unwrap_or_default();
            if name == "own id" && losses.is_empty() {
                // An id and a time are the store's to give, so they come back among what is left over.
                for field in ["id", "created_at"] {
                    assert_eq!(
                        Some(&kept["hitherto"][field]),
                        meant.as_object_mut().unwrap().remove(field).as_ref()
                    );
                }
            }
            assert_eq!(back, meant, "{dialect} {name}");
            if !losses.is_empty() {
                lost.insert(name, losses);
            }
        }
        let lost: BTreeMap<_, Vec<&str>> =
            lost.iter().map(|(name, losses)| (*name, losses.iter().map(String::as_str).collect())).collect();
        assert_eq!(lost, expected(*dialect), "{dialect}");
    }
}
