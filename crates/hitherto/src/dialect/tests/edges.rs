//! What strict parsers refuse, roles of a client's own, what is no message, and bytes at random.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::layouts::elements;
use crate::dialect::{Dialect, detect, from_native_many, head, to_native};
use crate::message::{Message, Role};

fn foreign(dialect: Dialect, json: &str) -> Message {
    Message::foreign(dialect, Bytes::copy_from_slice(json.as_bytes())).unwrap_or_else(|| panic!("{json}"))
}

fn native(dialect: Dialect, json: &str) -> String {
    foreign(dialect, json).json().to_owned()
}

#[test]
fn looks() {
    let check = |payload: &str, expected: Option<(Dialect, Role)>| {
        let found = detect(payload.as_bytes()).map(|(dialect, head)| (dialect, head.role));
        assert_eq!(found, expected, "{payload}");
    };
    use Dialect::*;
    check(r#"{"role":"user","content":"hi"}"#, Some((OpenAiItems, Role::User)));
    check(r#"{"role":"developer","content":"hi"}"#, Some((OpenAiItems, Role::System)));
    check(r#"{"role":"assistant","content":"hi","tool_calls":null}"#, Some((OpenAiItems, Role::Assistant)));
    check(
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
        Some((Hitherto, Role::Assistant)),
    );
    check(r#"{"role":"tool","content":"21","tool_call_id":"c"}"#, Some((Hitherto, Role::Tool)));
    check(r#"{"role":"tool","content":7}"#, None);
    check(r#"{"role":"Human","content":"hi"}"#, Some((RoleContent, Role::User)));
    check(r#"{"role":"AI","content":"hi"}"#, Some((RoleContent, Role::Assistant)));
    check(r#"{"role":"critic","content":"hi"}"#, Some((RoleContent, Role::User)));
    check(r#"{"type":"user","content":"hi"}"#, Some((LlamaIndexTyped, Role::User)));
    check(r#"{"type":"human","role":null,"text":"hi"}"#, Some((LangChainJs, Role::User)));
    check(" {\"role\" : \"user\" , \"content\" : \"\\ud83d\" } ", Some((OpenAiItems, Role::User)));
    check(r#"{"\ud83d":1,"role":"user","content":"hi"}"#, Some((OpenAiItems, Role::User)));
    check("Human: hi: there", Some((MotorheadText, Role::User)));
    check("note: hi", None);
    check("hi", None);
    check("", None);
    check("{}", None);
    check("[]", None);
    check("42", None);
    check(r#""text""#, None);
    check(r#"{"type":"remove","data":{"id":"h-1","content":[]}}"#, None);
    check(r#"{"__enc__":1,"v":1,"kid":"hkdf-v1","payload":"gAAAAA"}"#, None);
    check(r#"{"type":"reasoning","id":"rs_1","summary":[]}"#, None);
    check(r#"{"role":"user","meta":{},"name":null,"content":[{"text":"hi"}]}"#, None);
    check(r#"{"role":"user","content":"hi""#, None);
    check(r#"{"role":"user","content":"hi"} x"#, None);
    assert_eq!(detect(b"{\"role\":\"user\",\"content\":\"\xff\"}"), None);
}

#[test]
fn a_word_for_a_role_comes_back_as_it_was() {
    let check = |dialect: Dialect, json: &str, role: Role, family: &str| {
        let message = foreign(dialect, json);
        assert_eq!(message.role(), role, "{json}");
        let back = Message::parse(message.bytes().clone()).unwrap();
        assert_eq!(back.role(), role);
        assert_eq!(back.field(family).is_some(), !family.is_empty(), "{}", message.json());
        assert_eq!(back.in_dialect(dialect).payload, json.as_bytes());
    };
    let js = |kind: &str, role: &str| {
        format!(
            r#"{{"type":"{kind}","data":{{"content":"x","role":"{role}","additional_kwargs":{{}},"response_metadata":{{}}}}}}"#
        )
    };
    check(Dialect::LangChainJs, &js("generic", "critic"), Role::Assistant, "langchain");
    check(Dialect::LangChainJs, &js("generic", "Human"), Role::User, "langchain");
    check(Dialect::LangChainJs, &js("generic", "developer"), Role::System, "langchain");
    check(Dialect::MotorheadText, "critic: x", Role::User, "motorhead");
    check(Dialect::MotorheadText, "Human: a: b\nc", Role::User, "");
    check(Dialect::MotorheadText, "BOT: x", Role::Assistant, "motorhead");
    check(Dialect::RoleContent, r#"{"role":"Critic","content":"x"}"#, Role::User, "motorhead");
    check(Dialect::RoleContent, r#"{"role":"function","content":"x"}"#, Role::Tool, "motorhead");
    check(Dialect::OpenAiItems, r#"{"role":"developer","content":"x"}"#, Role::System, "openai");
    check(
        Dialect::LlamaIndex,
        r#"{"role":"chatbot","additional_kwargs":{},"blocks":[{"block_type":"text","text":"x"}]}"#,
        Role::Assistant,
        "llamaindex",
    );
    // The two LangChains have two words for a role of the caller's.
    let python = foreign(Dialect::LangChainJs, &js("generic", "critic")).in_dialect(Dialect::LangChainPython);
    let python: Value = serde_json::from_slice(&python.payload).unwrap();
    assert_eq!((&python["type"], &python["data"]["role"]), (&"chat".into(), &"critic".into()));
}

#[test]
fn what_strict_parsers_refuse_is_read() {
    for (client, dialect) in [
        ("langchain-js-redis", Dialect::LangChainJs),
        ("langchain-py-community", Dialect::LangChainPython),
        ("openai-agents", Dialect::OpenAiItems),
    ] {
        let natives: Vec<String> =
            elements(client, "json_edge").iter().map(|element| native(dialect, element)).collect();
        assert!(natives[0].contains(r#"emoji: \ud83d""#), "{client}: {}", natives[0]);
        assert!(natives[1].contains(r"nul:\u0000:"), "{client}: {}", natives[1]);
    }
    let python = elements("langchain-py-community", "json_edge");
    let message = foreign(Dialect::LangChainPython, &python[2]);
    assert_eq!(
        message.tool_calls()[0].arguments,
        r#"{"big": 12345678901234567890123, "float": 1.0, "exp": 1e+300}"#
    );
    let message = foreign(Dialect::LangChainPython, &python[3]);
    assert_eq!(message.payload(), python[3].as_bytes());
    let translated = message.in_dialect(Dialect::Hitherto);
    assert_eq!(translated.losses.iter().map(|loss| loss.field.as_str()).collect::<Vec<_>>(), ["NaN"]);
    assert_eq!(message.tool_calls()[0].arguments, r#"{"nan": null, "inf": null}"#);
    let item = elements("openai-agents", "json_edge").remove(2);
    let native = native(Dialect::OpenAiItems, &item);
    assert!(native.contains(r#""openai":{"big":12345678901234567890123}"#), "{native}");
}

#[test]
fn half_a_pair_goes_where_it_can() {
    let user = br#"{"role":"user","content":"a \ud83d b"}"#;
    let check = |dialect: Dialect, expected: &str, losses: &[&str]| {
        let (elements, lost) = from_native_many(dialect, user);
        let lost: Vec<&str> = lost.iter().map(|loss| loss.field.as_str()).collect();
        assert_eq!((std::str::from_utf8(&elements[0]).unwrap(), &lost[..]), (expected, losses));
    };
    check(Dialect::OpenAiItems, r#"{"role":"user","content":"a \ud83d b"}"#, &[]);
    check(
        Dialect::LlamaIndex,
        r#"{"role":"user","additional_kwargs":{},"blocks":[{"block_type":"text","text":"a \ufffd b"}]}"#,
        &["content"],
    );
    check(Dialect::MotorheadText, "Human: a \u{fffd} b", &["content"]);
    let call = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":\"\ud83d\"}"}}]}"#;
    let (elements, _) = from_native_many(Dialect::LangChainJs, call.as_bytes());
    assert!(std::str::from_utf8(&elements[0]).unwrap().contains(r#""args":{"x":"\ud83d"}"#));
}

#[test]
fn leftovers() {
    let check = |dialect: Dialect, json: &str, expected: &str| assert_eq!(native(dialect, json), expected);
    check(
        Dialect::LangChainJs,
        r#"{"type":"ai","data":{"content":[{"type":"text","text":"A cat."}],"id":"run-1","usage_metadata":{"total_tokens":14},"response_metadata":{"finish_reason":"stop"},"tool_calls":[],"invalid_tool_calls":[],"additional_kwargs":{}}}"#,
        r#"{"role":"assistant","content":[{"type":"text","text":"A cat."}],"langchain":{"id":"run-1","usage_metadata":{"total_tokens":14},"response_metadata":{"finish_reason":"stop"}}}"#,
    );
    check(
        Dialect::LangChainJs,
        r#"{"type":"tool","data":{"content":"boom","tool_call_id":"c1","status":"error","artifact":{"raw":[1,2]},"additional_kwargs":{},"response_metadata":{}}}"#,
        r#"{"role":"tool","content":"boom","tool_call_id":"c1","langchain":{"status":"error","artifact":{"raw":[1,2]}}}"#,
    );
    check(
        Dialect::LangChainPython,
        r#"{"type": "human", "data": {"content": ["a", {"type": "image", "base64": "AA", "mime_type": "image/png"}], "type": "human"}}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}],"langchain":{"content":["a", {"type": "image", "base64": "AA", "mime_type": "image/png"}]}}"#,
    );
    check(
        Dialect::Mastra,
        r#"{"id":"m","role":"assistant","createdAt":"2025-01-01T00:00:05.000Z","threadId":"t","type":"v2","content":{"format":2,"parts":[{"type":"tool-invocation","toolInvocation":{"state":"result","toolCallId":"c","toolName":"f","args":{},"result":21}}]}}"#,
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}],"mastra":{"parts":[{"type":"tool-invocation","toolInvocation":{"state":"result","toolCallId":"c","toolName":"f","args":{},"result":21}}],"id":"m","createdAt":"2025-01-01T00:00:05.000Z","threadId":"t"}}"#,
    );
}

/// A name that stands twice would make the own form one that is refused.
#[test]
fn what_comes_back_of_the_free_place_is_checked() {
    let check = |spare: &str, expected: &str| {
        let json = format!(
            r#"{{"type":"human","data":{{"content":"x","additional_kwargs":{{"hitherto":{spare}}}}}}}"#
        );
        let native = native(Dialect::LangChainJs, &json);
        assert_eq!(native, format!(r#"{{"role":"user","content":"x"{expected}}}"#));
        Message::parse(native.into()).unwrap();
    };
    check(
        r#"{"metadata":{"a":1},"metadata":{"b":2}}"#,
        r#","metadata":{"a":1},"langchain":{"hitherto":{"metadata":{"b":2}}}"#,
    );
    check(r#"{"metadata":7,"role":"system"}"#, r#","langchain":{"hitherto":{"metadata":7,"role":"system"}}"#);
    check(r#"{"seq":1,"x":1.0}"#, r#","x":1.0,"langchain":{"hitherto":{"seq":1}}"#);
    check(r#"{"\ud83d":1,"\u0069d":2}"#, r#","langchain":{"hitherto":{"\ud83d":1,"\u0069d":2}}"#);
}

/// An edit that changes what is said drops what was kept of the old words, and says so.
#[test]
fn what_was_kept_of_other_words_is_not_written() {
    let old = r#"{"id":"m","role":"assistant","threadId":"t","type":"v2","content":{"format":2,"parts":[{"type":"text","text":"old"},{"type":"tool-invocation","toolInvocation":{"state":"result","toolCallId":"c","toolName":"f","args":{},"result":21}}]}}"#;
    let edited = native(Dialect::Mastra, old).replace(r#""content":"old""#, r#""content":"new""#);
    let (elements, losses) = from_native_many(Dialect::Mastra, edited.as_bytes());
    let text = std::str::from_utf8(&elements[0]).unwrap();
    assert!(text.contains(r#"{"type":"text","text":"new"}"#) && !text.contains("old"), "{text}");
    assert_eq!(losses.iter().map(|loss| loss.field.as_str()).collect::<Vec<_>>(), ["mastra.parts"]);
}

/// The same of the further fields of calls: they go with the call that they were of, or are named.
#[test]
fn further_fields_of_calls_stay_with_them() {
    let call = |args: &str| {
        format!(r#"{{"name":"f","args":{{"x":{args}}},"id":"c","type":"tool_call","extras":{{"s":1}}}}"#)
    };
    let json = format!(r#"{{"type":"ai","data":{{"content":"","tool_calls":[{}]}}}}"#, call("1"));
    let native = native(Dialect::LangChainJs, &json);
    let check = |native: &str, expected: &str, losses: usize| {
        let (elements, lost) = from_native_many(Dialect::LangChainJs, native.as_bytes());
        let text = std::str::from_utf8(&elements[0]).unwrap();
        assert!(text.contains(expected), "{text}");
        assert_eq!(lost.len(), losses, "{lost:?}");
    };
    check(&native, &call("1"), 0);
    let edited = native.replace(r#"{\"x\":1}"#, r#"{\"x\":2}"#);
    check(&edited, r#""args":{"x":2},"id":"c","type":"tool_call"}]"#, 1);
}

#[test]
fn depth_and_length_are_no_danger() {
    for depth in [100, 200, 100_000] {
        let nest = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let json =
            format!(r#"{{"type":"human","data":{{"content":"x","additional_kwargs":{{"k":{nest}}}}}}}"#);
        let found = detect(json.as_bytes());
        assert_eq!(found.is_some(), depth < 127, "{depth}");
        for dialect in Dialect::ALL {
            let native = to_native(*dialect, Role::User, json.as_bytes());
            if *dialect != Dialect::Hitherto {
                let own = Message::parse(native.payload).unwrap();
                for other in Dialect::ALL {
                    own.elements_in(*other);
                }
            }
        }
        let call = format!(
            r#"{{"role":"assistant","tool_calls":[{{"id":"c","function":{{"name":"f","arguments":"{{\"k\":{nest}}}"}}}}]}}"#
        );
        for dialect in Dialect::ALL {
            from_native_many(*dialect, call.as_bytes());
        }
    }
    let long = format!(r#"{{"role":"user","content":"{}"}}"#, r"\ud83d".repeat(500_000));
    let begun = std::time::Instant::now();
    assert!(detect(long.as_bytes()).is_some());
    for dialect in Dialect::ALL {
        from_native_many(*dialect, long.as_bytes());
    }
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// However many fields, calls or parts a message has, each is looked at so many times and no more.
#[test]
fn many_fields_take_no_more_than_their_length() {
    let many = |each: &str| -> String {
        let fields = (0..400_000 / each.len()).map(|at| each.replace('@', &at.to_string()));
        fields.collect::<Vec<_>>().join(",")
    };
    let messages = [
        format!(r#"{{"role":"user","content":"x",{}}}"#, many(r#""f@":1"#)),
        format!(
            r#"{{"role":"user","content":"x","langchain":{{"additional_kwargs":{{{}}}}}}}"#,
            many(r#""f@":1"#)
        ),
        format!(r#"{{"role":"user","content":[{}]}}"#, many(r#"{"type":"text","text":"@","k@":1}"#)),
        format!(
            r#"{{"role":"assistant","langchain":{{"tool_calls":[{}]}},"tool_calls":[{}]}}"#,
            many(r#"{"name":"f","id":"c","args":{"x":@},"more":1}"#),
            many(r#"{"id":"c","function":{"name":"f","arguments":"{}"}}"#),
        ),
    ];
    let begun = std::time::Instant::now();
    for message in messages {
        let message = Message::parse(message.into()).unwrap();
        for dialect in [Dialect::LangChainPython, Dialect::OpenAiItems, Dialect::AgentFramework] {
            for element in message.elements_in(dialect).0 {
                to_native(dialect, message.role(), &element);
            }
        }
    }
    let spare = many(r#""metadata":{},"tool_calls":[1],"f@":1"#);
    let json = format!(
        r#"{{"type":"human","data":{{"content":"x","additional_kwargs":{{"hitherto":{{{spare}}}}}}}}}"#
    );
    assert!(native(Dialect::LangChainJs, &json).len() < 2 * json.len());
    // Quadratic time is minutes.
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

/// JSON that looks like what clients write, with values where they do not belong.
fn json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "human",
        "ai",
        "tool",
        "user",
        "assistant",
        "system",
        "critic",
        "text",
        "message",
        "chat_message",
        "function_call",
        "function_call_output",
        "function_result",
        "tool-invocation",
        "tool-f",
        "image",
        "image_url",
        "generic",
        "data:image/png;base64,AA",
        "{bad",
        "{\"a\":1}",
        "é\u{2028}",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "type",
        "role",
        "content",
        "data",
        "contents",
        "blocks",
        "block_type",
        "text",
        "parts",
        "metadata",
        "tool_calls",
        "invalid_tool_calls",
        "function",
        "arguments",
        "args",
        "id",
        "name",
        "call_id",
        "output",
        "tool_call_id",
        "additional_kwargs",
        "additional_properties",
        "hitherto",
        "langchain",
        "toolInvocation",
        "toolCallId",
        "toolName",
        "result",
        "value",
        "image_url",
        "url",
        "created_at",
        "seq",
        "timestamp",
        "chatId",
    ]);
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

fn content() -> impl Strategy<Value = Value> {
    let part = json().prop_map(|json| {
        let mut part = json.as_object().cloned().unwrap_or_default();
        let kind = part.get("type").filter(|kind| kind.is_string()).cloned();
        part.insert("type".to_owned(), kind.unwrap_or("text".into()));
        Value::Object(part)
    });
    prop_oneof![
        any::<String>().prop_map(Value::from),
        prop::collection::vec(part, 0..4).prop_map(Value::from),
    ]
}

fn call() -> impl Strategy<Value = Value> {
    (any::<String>(), json()).prop_map(|(id, json)| {
        let arguments = if json.is_object() { json.to_string() } else { format!("{json} x") };
        serde_json::json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}})
    })
}

fn check_any(payload: &[u8]) {
    let _ = detect(payload);
    for dialect in Dialect::ALL {
        let role = head(*dialect, payload).map_or(Role::User, |head| head.role);
        if *dialect == Dialect::Hitherto {
            continue;
        }
        let native = to_native(*dialect, role, payload);
        let own = Message::parse(native.payload.clone())
            .unwrap_or_else(|error| panic!("{dialect}: {error}: {:?}", native.payload));
        assert_eq!(own.role(), role);
        own.in_dialect(*dialect);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_not(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        check_any(&payload);
    }

    #[test]
    fn anything_like_a_message_is_read_or_not(json in json()) {
        check_any(json.to_string().as_bytes());
    }

    #[test]
    fn any_own_message_goes_there_and_back(
        role in prop::sample::select(vec!["user", "assistant", "tool", "system"]),
        content in content(),
        calls in prop::option::of(prop::collection::vec(prop_oneof![call(), json()], 0..3)),
        rest in json(),
    ) {
        let mut fields = rest.as_object().cloned().unwrap_or_default();
        for reserved in ["seq", "id", "created_at", "metadata", "tool_calls"] {
            fields.remove(reserved);
        }
        fields.insert("role".to_owned(), role.into());
        fields.insert("content".to_owned(), content);
        if let Some(calls) = calls {
            fields.insert("tool_calls".to_owned(), calls.into());
        }
        let message = Message::parse(Value::Object(fields).to_string().into()).unwrap();
        for dialect in Dialect::ALL {
            let (elements, _) = message.elements_in(*dialect);
            prop_assert!(!elements.is_empty());
            for element in elements.iter().filter(|_| *dialect != Dialect::Opaque) {
                let head = head(*dialect, element);
                prop_assert!(head.is_some(), "{}: {:?}", dialect, element);
                if *dialect != Dialect::Griptape {
                    prop_assert_eq!(head.unwrap().role, message.role(), "{}: {:?}", dialect, element);
                }
                let back = to_native(*dialect, message.role(), element);
                prop_assert!(Message::parse(back.payload).is_ok(), "{}: {:?}", dialect, element);
            }
        }
    }
}
