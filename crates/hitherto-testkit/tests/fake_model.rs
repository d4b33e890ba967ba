//! The fake model refuses what the real ones refuse, and does what it is told.

use std::io::{Read, Write};
use std::net::TcpStream;

use hitherto_testkit::{Behaviour, FakeModel};
use serde_json::{Value, json};

/// Status and body of one answer to one request, over a plain socket.
fn post(fake: &FakeModel, target: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
    let (status, text) = raw(fake, "POST", target, headers, &body.to_string());
    (status, serde_json::from_str(&text).unwrap_or_default())
}

fn raw(fake: &FakeModel, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(fake.addr()).unwrap();
    // So that a test of this file fails rather than hangs.
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut request = format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

const JSON: (&str, &str) = ("Content-Type", "application/json");
const CHAT: &str = "/v1/chat/completions";
const AZURE: &str = "/openai/deployments/d/chat/completions?api-version=2024-10-21";
const MESSAGES: &str = "/v1/messages";

/// A sound request with one field replaced, or taken out by `null`.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    let fields = body.as_object_mut().unwrap();
    match value {
        Value::Null => fields.remove(field),
        value => fields.insert(field.to_owned(), value),
    };
    body
}

fn sound() -> Value {
    json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]})
}

#[test]
fn openai_refuses_what_it_refuses() {
    let fake = FakeModel::start();
    let bearer = format!("Bearer {}", fake.key());
    let headers = [JSON, ("Authorization", &*bearer)];
    let check = |body: Value, expected: u16| {
        assert_eq!(post(&fake, CHAT, &headers, &body).0, expected, "{body}");
    };
    check(sound(), 200);
    check(with(sound(), "max_tokens", Value::Null), 200);
    check(
        with(sound(), "messages", json!([{"role": "user", "content": [{"type": "text", "text": "a"}]}])),
        200,
    );
    check(with(sound(), "model", Value::Null), 400);
    check(with(sound(), "model", json!("")), 400);
    check(with(sound(), "messages", Value::Null), 400);
    check(with(sound(), "messages", json!([])), 400);
    check(with(sound(), "messages", json!([{"role": "robot", "content": "a"}])), 400);
    check(with(sound(), "messages", json!([{"role": "user", "content": 1}])), 400);
    check(with(sound(), "max_tokens", json!(0)), 400);
    check(with(sound(), "max_completion_tokens", json!(9)), 400);
    check(with(sound(), "system", json!("a")), 400);
    check(json!("a"), 400);
    assert_eq!(post(&fake, CHAT, &[JSON], &sound()).0, 401);
    assert_eq!(post(&fake, CHAT, &[JSON, ("Authorization", "Bearer x")], &sound()).0, 401);
    assert_eq!(post(&fake, CHAT, &[JSON, ("x-api-key", fake.key())], &sound()).0, 401);
    assert_eq!(post(&fake, CHAT, &headers[1..], &sound()).0, 400);
    assert_eq!(post(&fake, "/v1/elsewhere", &headers, &sound()).0, 404);
    assert_eq!(raw(&fake, "GET", CHAT, &headers, "").0, 405);
    assert_eq!(raw(&fake, "POST", CHAT, &headers, "{").0, 400);
}

#[test]
fn azure_refuses_what_it_refuses() {
    let fake = FakeModel::start();
    let headers = [JSON, ("api-key", fake.key())];
    let bearer = format!("Bearer {}", fake.key());
    assert_eq!(post(&fake, AZURE, &headers, &sound()).0, 200);
    assert_eq!(post(&fake, AZURE, &[JSON, ("Authorization", &*bearer)], &sound()).0, 401);
    assert_eq!(post(&fake, AZURE.split('?').next().unwrap(), &headers, &sound()).0, 404);
    assert_eq!(post(&fake, "/openai/deployments//chat/completions?api-version=1", &headers, &sound()).0, 404);
    assert_eq!(post(&fake, AZURE, &headers, &with(sound(), "messages", Value::Null)).0, 400);
}

#[test]
fn anthropic_refuses_what_it_refuses() {
    let fake = FakeModel::start();
    let version = ("anthropic-version", "2023-06-01");
    let headers = [JSON, ("x-api-key", fake.key()), version];
    let check = |body: Value, expected: u16| {
        let (status, answer) = post(&fake, MESSAGES, &headers, &body);
        assert_eq!(status, expected, "{body}");
        assert_eq!(answer["type"], if status == 200 { "message" } else { "error" }, "{body}");
    };
    check(sound(), 200);
    check(with(sound(), "system", json!("a")), 200);
    check(with(sound(), "model", Value::Null), 400);
    check(with(sound(), "max_tokens", Value::Null), 400);
    check(with(sound(), "max_tokens", json!("9")), 400);
    check(with(sound(), "max_completion_tokens", json!(9)), 400);
    check(with(sound(), "messages", Value::Null), 400);
    check(with(sound(), "messages", json!([{"role": "system", "content": "a"}])), 400);
    check(with(sound(), "messages", json!([{"role": "assistant", "content": "a"}])), 400);
    check(with(sound(), "messages", json!([{"role": "user", "content": ""}])), 400);
    check(with(sound(), "stream", json!(true)), 400);
    assert_eq!(post(&fake, MESSAGES, &headers[..2], &sound()).0, 400);
    assert_eq!(post(&fake, MESSAGES, &[JSON, version], &sound()).0, 401);
    assert_eq!(post(&fake, MESSAGES, &[JSON, version, ("x-api-key", "x")], &sound()).0, 401);
}

#[test]
fn it_does_first_what_is_meant_for_the_next_and_counts() {
    let fake = FakeModel::start();
    let bearer = format!("Bearer {}", fake.key());
    let headers = [JSON, ("Authorization", &*bearer)];
    fake.decide(|request| {
        Behaviour::says(&format!("{} said {}", request.model().unwrap(), request.user_text()))
    });
    fake.next(Behaviour::status(503));
    fake.next(Behaviour::says_in_parts(&["a", "b"]));
    // Refused requests take nothing from the queue.
    assert_eq!(post(&fake, CHAT, &headers, &json!({})).0, 400);
    assert_eq!(post(&fake, CHAT, &headers, &sound()).0, 503);
    let content = |answer: Value| answer["choices"][0]["message"]["content"].clone();
    assert_eq!(content(post(&fake, CHAT, &headers, &sound()).1)[1]["text"], "b");
    assert_eq!(content(post(&fake, CHAT, &headers, &sound()).1), "m said Hello");
    let counts = fake.counts();
    assert_eq!((counts.requests, counts.refused, counts.connections), (4, 1, 4));
    assert_eq!(fake.requests()[3].max_tokens(), Some(9));
}
