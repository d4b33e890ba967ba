//! Every door, used and misused with marked words and marked tokens.

use hitherto_testkit::Client;
use serde_json::json;

use crate::marks::{CONTENT, PASSWORD, TOKEN};
use crate::process::Process;
use crate::support::{Wire, call, request};

/// What is done at a door. None of it may fail the test, whatever state the store is in.
pub type Knock = fn(&Process);

/// The doors.
pub const DOORS: &[(&str, Knock)] = &[
    ("appends", append),
    ("reads", read),
    ("what is no request", misuse),
    ("summaries", summarise),
    ("motorhead", motorhead),
    ("zep", zep),
    ("the Redis port", resp),
    ("what is no command", garble),
    ("Redis over HTTP", rest),
];

/// Tokens in every way in which a client sends one.
const TOKENS: [&str; 3] = ["authorization: Bearer ", "x-api-key: ", "token: "];

/// A request with a token, in each way. A server that has heard enough may close before it is all sent.
fn ask(server: &Process, method: &str, path: &str, body: &str) {
    for name in TOKENS {
        let headers = [
            "content-type: application/json".to_owned(),
            format!("{name}{TOKEN}"),
            "connection: close".to_owned(),
        ];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let mut wire = Wire::open(server.address);
        wire.offer(&request(method, path, &headers, body.as_bytes()));
        wire.drain();
    }
}

/// The body of an append of one message.
pub fn message(text: &str) -> String {
    json!({"messages": [{"role": "user", "content": text}]}).to_string()
}

pub fn append(server: &Process) {
    let path = "/v1/sessions/s/messages";
    ask(server, "POST", path, &message(CONTENT));
    let rich = json!({"messages": [
        {"role": "user", "name": CONTENT, "content": [{"type": "text", "text": CONTENT}], "metadata": {CONTENT: CONTENT}},
        {"role": "assistant", "content": null, "tool_calls": [{"id": CONTENT, "type": "function", "function": {"name": "f", "arguments": CONTENT}}]},
        {"role": "tool", "tool_call_id": CONTENT, "content": CONTENT},
    ]});
    ask(server, "POST", path, &rich.to_string());
    for wrong in [
        json!({"messages": [{"role": CONTENT, "content": CONTENT}]}),
        json!({"messages": CONTENT}),
        json!({"messages": [CONTENT]}),
        json!({"messages": [], CONTENT: 1}),
        json!({"messages": [{"role": "user", "content": {CONTENT: CONTENT}}]}),
        json!({"messages": [{"role": "user", "content": CONTENT}], "ttl_secs": CONTENT}),
        json!(CONTENT),
    ] {
        ask(server, "POST", path, &wrong.to_string());
    }
    // More than a body may have, and more than a message.
    ask(server, "POST", path, &message(&CONTENT.repeat(400_000)));
    ask(server, "POST", path, &message(&CONTENT.repeat(100_000)));
    // The same key for two appends.
    for text in [CONTENT, "other"] {
        let headers = ["idempotency-key: k", "content-type: application/json"];
        call(server.address, "POST", path, &headers, message(text).as_bytes());
    }
    let turn = json!([
        {"role": "user", "content": format!("My {CONTENT} is in Oslo.")},
        {"role": "assistant", "content": format!("Noted: {CONTENT}.")},
    ]);
    let turns: Vec<_> = std::iter::repeat_n(turn.as_array().unwrap().clone(), 20).flatten().collect();
    ask(server, "POST", "/v1/sessions/long/messages", &json!({"messages": turns}).to_string());
}

fn read(server: &Process) {
    for path in [
        "/v1/sessions/s/messages",
        "/v1/sessions/s/messages/1",
        "/v1/sessions/s/context?max_tokens=200&format=text",
        "/v1/sessions/s",
        "/v1/sessions",
        "/v1/sessions/s/summary",
        "/healthz",
        "/readyz",
        "/openapi.json",
    ] {
        ask(server, "GET", path, "");
    }
    let marked = |path: &str| path.replace("MARK", CONTENT);
    for path in [
        "/v1/sessions/s/messages?MARK=1",
        "/v1/sessions/s/messages?limit=MARK",
        "/v1/sessions?cursor=MARK",
        "/MARK",
    ] {
        ask(server, "GET", &marked(path), "");
    }
    ask(
        server,
        "PATCH",
        "/v1/sessions/s/messages/1",
        &json!({"content": CONTENT, "metadata": {CONTENT: 1}}).to_string(),
    );
    ask(server, "PATCH", "/v1/sessions/s", &json!({"metadata": {"a": CONTENT}}).to_string());
    ask(server, "PATCH", "/v1/sessions/s", &json!({"metadata": CONTENT}).to_string());
    ask(server, "POST", "/v1/sessions/s/fork", "");
    ask(server, "POST", "/v1/sessions/s/pop", r#"{"what":"turn"}"#);
    ask(server, "DELETE", "/v1/sessions/s/messages/2", "");
}

/// Bytes that are no request, or a half of one, with words in them.
fn misuse(server: &Process) {
    for bytes in [
        format!("{CONTENT}\r\n\r\n"),
        format!("GET /{CONTENT} HTTP/9.9\r\n\r\n"),
        format!("POST /v1/sessions/s/messages HTTP/1.1\r\nhost: localhost\r\nx-{CONTENT} {TOKEN}\r\n\r\n"),
        format!(
            "POST /v1/sessions/s/messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n{CONTENT}\r\n"
        ),
        format!(
            "POST /v1/sessions/s/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: {CONTENT}\r\n\r\n"
        ),
    ] {
        let mut wire = Wire::open(server.address);
        wire.offer(bytes.as_bytes());
        wire.finish();
        wire.drain();
    }
    let whole = request("POST", "/v1/sessions/s/messages", &[], message(CONTENT).as_bytes());
    let mut wire = Wire::open(server.address);
    wire.offer(&whole[..whole.len() - 4]);
    wire.finish();
    wire.drain();
}

fn summarise(server: &Process) {
    ask(server, "PUT", "/v1/sessions/s/summary", &json!({"text": CONTENT, "upto": 1}).to_string());
    ask(server, "PUT", "/v1/sessions/s/summary", &json!({"text": {CONTENT: 1}, "upto": CONTENT}).to_string());
    ask(
        server,
        "PUT",
        "/v1/sessions/s/summary",
        &json!({"text": CONTENT.repeat(10_000), "upto": 1}).to_string(),
    );
    ask(server, "POST", "/v1/sessions/s/summary/rollback", "");
    ask(server, "GET", "/v1/sessions/s/summary", "");
}

fn motorhead(server: &Process) {
    let said = json!({"messages": [{"role": "Human", "content": CONTENT}], "context": CONTENT}).to_string();
    ask(server, "POST", "/sessions/m/memory", &said);
    ask(server, "POST", "/sessions/m/memory", &json!({"messages": CONTENT}).to_string());
    ask(server, "GET", "/sessions/m/memory", "");
    ask(server, "POST", "/sessions/m/retrieval", &json!({"text": CONTENT}).to_string());
    ask(server, "GET", "/sessions", "");
    ask(server, "DELETE", "/sessions/m/memory", "");
}

fn zep(server: &Process) {
    let said = json!({"messages": [{"role_type": "user", "role": CONTENT, "content": CONTENT}]}).to_string();
    ask(server, "POST", "/api/v1/sessions/z/memory", &said);
    ask(server, "POST", "/api/v1/sessions/z/memory", &json!({"messages": [{"role": CONTENT}]}).to_string());
    ask(server, "GET", "/api/v1/sessions/z/memory", "");
    ask(server, "POST", "/api/v1/sessions/z/search", &json!({"text": CONTENT}).to_string());
    ask(
        server,
        "POST",
        "/api/v1/sessions/z/search",
        &json!({"text": CONTENT, "metadata": CONTENT}).to_string(),
    );
    ask(server, "PATCH", "/api/v1/sessions/z", &json!({"metadata": {"a": CONTENT}}).to_string());
    ask(server, "GET", "/api/v1/sessions/z", "");
    ask(server, "DELETE", "/api/v1/sessions/z/memory", "");
}

fn resp(server: &Process) {
    let mut client = Client::connect(server.redis).unwrap();
    let human = json!({"type": "human", "data": {"content": CONTENT}}).to_string();
    for words in [
        &["AUTH", TOKEN][..],
        &["AUTH", "acme", TOKEN],
        &["HELLO", "2", "AUTH", "someone", PASSWORD],
        &["CLIENT", "SETNAME", "plain"],
        &["RPUSH", "r", CONTENT, human.as_str()],
        &["LPUSH", "message_store:r", human.as_str()],
        &["LRANGE", "r", "0", "-1"],
        &["LPOS", "r", CONTENT],
        &["LREM", "r", "0", CONTENT],
        &["LSET", "r", "0", CONTENT],
        &["LSET", "r", CONTENT, CONTENT],
        &["LRANGE", "r", CONTENT, CONTENT],
        &["EXPIRE", "r", CONTENT],
        &["HSET", "h", "0", CONTENT],
        &["HGETALL", "h"],
        &["SET", "k", CONTENT],
        &[CONTENT, CONTENT],
        &["EVAL", CONTENT, "0"],
        &["MULTI"],
        &["RPUSH", "r", CONTENT],
        &["EXEC"],
        &["LPOP", "r"],
        &["DEL", "r", "h"],
    ] {
        client.command(words).unwrap();
    }
}

/// Bytes that are no command, with words in them.
fn garble(server: &Process) {
    for bytes in [
        format!("{CONTENT}\r\n"),
        format!("AUTH {TOKEN}\r\n"),
        format!("*2\r\n$4\r\nECHO\r\n${CONTENT}\r\n"),
        format!("*{CONTENT}\r\n"),
        format!("*2\r\n$5\r\nLPUSH\r\n$900000000\r\n{CONTENT}"),
        format!("*3\r\n$5\r\nLPUSH\r\n$1\r\ns\r\n$40\r\n{CONTENT}"),
    ] {
        let mut wire = Wire::open(server.redis);
        wire.offer(bytes.as_bytes());
        wire.finish();
        wire.drain();
    }
}

fn rest(server: &Process) {
    ask(server, "POST", "/", &json!(["RPUSH", "u", CONTENT]).to_string());
    ask(server, "POST", "/", &json!(["LRANGE", "u", 0, -1]).to_string());
    ask(server, "POST", "/", &json!([CONTENT, CONTENT]).to_string());
    ask(server, "POST", "/", &json!(CONTENT).to_string());
    ask(
        server,
        "POST",
        "/pipeline",
        &json!([["RPUSH", "u", CONTENT], ["LSET", "u", CONTENT, CONTENT]]).to_string(),
    );
    ask(server, "POST", "/pipeline", CONTENT);
    ask(server, "POST", "/multi-exec", &json!([["RPUSH", "u", CONTENT], [CONTENT]]).to_string());
}
