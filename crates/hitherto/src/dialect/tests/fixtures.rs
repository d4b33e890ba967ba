//! Every element that a real client wrote: in which dialect it is, who speaks, when, and what it says.

use bytes::Bytes;
use serde_json::Value;

use super::layouts::{CLIENTS, Line, conversation, elements, scenarios};
use crate::dialect::{Dialect, detect, head, to_native};
use crate::message::{Message, Role};

/// What a message in the own form says.
fn line(message: &Message) -> Line {
    let mut calls = message.tool_calls();
    assert!(calls.len() <= 1, "{}", message.json());
    Line {
        role: message.role().as_str(),
        text: message.text(),
        call: calls.pop().map(|call| {
            let args = serde_json::from_str(&call.arguments).unwrap_or(Value::String(call.arguments));
            (call.id, call.name, args)
        }),
        result_of: message.tool_call_id(),
    }
}

fn native(dialect: Dialect, element: &str) -> Message {
    let head = head(dialect, element.as_bytes()).unwrap_or_else(|| panic!("{dialect}: {element}"));
    let native = to_native(dialect, head.role, element.as_bytes());
    assert!(!native.payload.windows(8).any(|bytes| bytes == b"\"opaque\""), "{dialect}: {element}");
    Message::parse(native.payload).unwrap_or_else(|error| panic!("{dialect}: {error}: {element}"))
}

#[test]
fn every_element_is_told_by_its_looks_and_read() {
    let mut count = 0;
    for (client, dialect) in CLIENTS {
        for scenario in scenarios(client) {
            for element in elements(client, &scenario) {
                count += 1;
                let detected = detect(element.as_bytes());
                if element.contains("\"type\":\"remove\"") || element.contains("\"type\": \"remove\"") {
                    assert_eq!(detected, None, "{element}");
                    continue;
                }
                let (found, of_looks) = detected.unwrap_or_else(|| panic!("{client} {scenario}: {element}"));
                assert_eq!(found, *dialect, "{client} {scenario}: {element}");
                assert_eq!(head(*dialect, element.as_bytes()), Some(of_looks), "{client}: {element}");
                let message = native(*dialect, &element);
                assert_eq!(message.role(), of_looks.role, "{client}: {element}");
                let kept = Message::foreign(*dialect, Bytes::from(element.clone())).unwrap();
                assert_eq!(kept.created_at(), of_looks.created_at);
                assert_eq!(kept.in_dialect(*dialect).payload, element.as_bytes());
            }
        }
    }
    assert!(count > 200, "{count}");
}

/// The fixed conversation as that client tells it.
fn expected(client: &str) -> Vec<Line> {
    let all = conversation();
    let [system, hi, hello, question, call, result, answer] = &all[..] else {
        panic!("the fixed conversation has seven messages");
    };
    let speaks = |line: &Line| line.call.is_none() && line.result_of.is_none() && line.role != "system";
    match client {
        "flowise" | "griptape" => all.iter().filter(|line| speaks(line)).cloned().collect(),
        "n8n" => {
            let spoken =
                "Calling get_weather with input: {\"city\":\"Zürich\",\"unit\":\"celsius\",\"days\":1}";
            let call = Line { text: spoken.to_owned(), ..call.clone() };
            vec![hi.clone(), hello.clone(), question.clone(), call, result.clone(), answer.clone()]
        }
        // Call and result are one message, and the result is in what is left over.
        "mastra-redis" | "ai-sdk-tools" | "ai-sdk-tools-ioredis" => {
            all.iter().filter(|line| line.result_of.is_none()).cloned().collect()
        }
        "motorhead" => {
            let mute = |line: &Line| Line { call: None, result_of: None, ..line.clone() };
            // Two sessions are in that recording.
            all.iter().map(mute).chain([system.clone()]).collect()
        }
        // Its library never writes calls.
        "langchain-redis-py" => all.iter().map(|line| Line { call: None, ..line.clone() }).collect(),
        // The system prompt stands in every run.
        "agno" => vec![
            system.clone(),
            hi.clone(),
            hello.clone(),
            system.clone(),
            question.clone(),
            call.clone(),
            result.clone(),
            answer.clone(),
        ],
        _ => all,
    }
}

#[test]
fn every_client_says_the_fixed_conversation() {
    for (client, dialect) in CLIENTS {
        let of_role = |role: Role, element: &str| {
            Message::foreign_of(role, *dialect, Bytes::copy_from_slice(element.as_bytes()), None)
        };
        let mut said: Vec<Line> = Vec::new();
        for (at, element) in elements(client, "conversation").iter().enumerate() {
            let message = match dialect {
                // Only the run tells who speaks.
                Dialect::Griptape => of_role([Role::User, Role::Assistant][at % 2], element),
                _ => native(*dialect, element),
            };
            said.push(line(&message));
        }
        assert_eq!(said, expected(client), "{client}");
    }
}

#[test]
fn times_are_read() {
    let check = |client: &str, dialect: Dialect, expected: i64| {
        let element = elements(client, "conversation").remove(0);
        let time = head(dialect, element.as_bytes()).unwrap().created_at.unwrap();
        assert_eq!(time.as_millis(), expected, "{client}");
    };
    check("ai-sdk-tools", Dialect::AiSdkTools, 1_735_689_600_000);
    check("mastra-redis", Dialect::Mastra, 1_735_689_601_000);
    check("agno", Dialect::Agno, 1_795_365_255_000);
    check("redisvl-message-history", Dialect::RedisVl, 1_795_365_206_731);
    check("langchain-redis-py", Dialect::LangChainRedis, 1_795_365_199_651);
}
