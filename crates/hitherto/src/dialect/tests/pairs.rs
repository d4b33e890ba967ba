//! The fixed conversation as one client wrote it, translated for another, is what that other one wrote itself.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::layouts::elements;
use crate::dialect::{Dialect, raw};
use crate::message::Message;

/// The dialects of lists that hold tool calls, each with a client that writes it.
const MAIN: &[(&str, Dialect)] = &[
    ("langchain-js-redis", Dialect::LangChainJs),
    ("langchain-py-community", Dialect::LangChainPython),
    ("openai-agents", Dialect::OpenAiItems),
    ("llamaindex", Dialect::LlamaIndex),
    ("agent-framework", Dialect::AgentFramework),
    ("agent-framework-2025", Dialect::AgentFramework2025),
    ("llamaindex-0.2", Dialect::LlamaIndexContent),
];

/// What may differ, and nothing else:
/// - the id and status of an OpenAI item, which no other client has; and without an id a message of the model is
///   `{role, content}`, as the Agents SDK writes it by hand (`easy_items`);
/// - the name of the tool beside its result, which OpenAI's items and Agent Framework's results do not have, and so
///   what has been through them does not either; Agent Framework keeps one that it is given in its free place;
/// - the spelling of arguments that are a text;
/// - empty text or none beside a call.
fn leniently(element: &str) -> Value {
    let mut value: Value = serde_json::from_str(element).expect(element);
    normalise(&mut value);
    value
}

fn normalise(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(normalise),
        Value::Object(fields) => {
            if fields.get("type") == Some(&"message".into()) && fields.contains_key("content") {
                let text = fields["content"][0]["text"].clone();
                *fields = Map::from_iter([("role".into(), fields["role"].clone()), ("content".into(), text)]);
            }
            if fields.get("type") == Some(&"function_call".into()) && !fields.contains_key("hosted") {
                fields.remove("id");
                fields.remove("status");
            }
            // The name of the tool.
            if fields.get("type") == Some(&"tool".into()) || fields.contains_key("tool_call_id") {
                fields.remove("name");
            }
            fields.remove("hitherto");
            if let Some(Value::String(arguments)) = fields.get("arguments") {
                let read = serde_json::from_str(arguments).unwrap();
                fields.insert("arguments".into(), read);
            }
            fields.values_mut().for_each(normalise);
        }
        _ => {}
    }
}

#[test]
fn each_client_reads_every_other_as_itself() {
    for (from, dialect) in MAIN {
        for (to, wanted) in MAIN {
            let theirs = elements(to, "conversation");
            let mut translated = Vec::new();
            for element in elements(from, "conversation") {
                let message = Message::foreign(*dialect, Bytes::from(element)).unwrap();
                let (elements, losses) = message.elements_in(*wanted);
                let names: Vec<&str> = losses.iter().map(|loss| loss.field.as_str()).collect();
                let is_expected = |name: &&&str| {
                    matches!(**name, "openai") || (**name == "name" && matches!(wanted, Dialect::OpenAiItems))
                };
                assert_eq!(names.iter().find(|name| !is_expected(name)), None, "{from} as {to}");
                translated.extend(elements);
            }
            let translated: Vec<Value> =
                translated.iter().map(|element| leniently(std::str::from_utf8(element).unwrap())).collect();
            let theirs: Vec<Value> = theirs.iter().map(|element| leniently(element)).collect();
            assert_eq!(translated, theirs, "{from} as {to}");
        }
    }
}

/// An edit over HTTP makes a message native; the way back to its own family restores what the own form has no field
/// for.
#[test]
fn each_client_reads_itself_through_the_own_form() {
    let mut count = 0;
    for (client, dialect) in super::layouts::CLIENTS {
        for scenario in super::layouts::scenarios(client) {
            for element in elements(client, &scenario) {
                let payload = Bytes::from(element.clone());
                let message =
                    Message::foreign(*dialect, payload.clone()).unwrap_or_else(|| Message::detect(payload));
                if message.is_opaque() {
                    continue;
                }
                let native = Message::parse(message.bytes().clone()).unwrap();
                let (back, losses) = native.elements_in(*dialect);
                assert_eq!(losses, [], "{client}: {element}");
                let [back] = &back[..] else { panic!("{client}: {element}") };
                let back = std::str::from_utf8(back).unwrap();
                count += 1;
                if *dialect == Dialect::MotorheadText {
                    assert_eq!(back, element);
                    continue;
                }
                assert_eq!(strictly(back), without_old_fields(strictly(&element)), "{client}");
            }
        }
    }
    assert!(count > 200, "{count}");
}

/// The JSON without what strict parsers refuse: half surrogate pairs, and what only Python reads. A field that is
/// null for that is the same as one that is not there.
fn strictly(text: &str) -> Value {
    let whole = raw::without_nan(text).unwrap_or_else(|| text.to_owned());
    let mut value: Value = serde_json::from_str(&raw::without_halves(&whole).unwrap_or(whole)).expect(text);
    value.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    value
}

/// Fields that say nothing and that only some versions of a library write, or leave out.
fn without_old_fields(mut value: Value) -> Value {
    if let Some(data) = value.get_mut("data").and_then(Value::as_object_mut) {
        data.retain(|name, value| name != "example" || *value != Value::Bool(false));
        for call in data.get_mut("invalid_tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            let fields = call.as_object_mut().unwrap();
            fields.entry("type").or_insert("invalid_tool_call".into());
        }
    }
    value
}
