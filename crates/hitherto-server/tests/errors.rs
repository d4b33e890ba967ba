//! Every error code of the HTTP API, provoked over real connections.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "support/broken.rs"]
mod broken;
#[path = "support/serving.rs"]
mod serving;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use broken::Broken;
use hitherto::{Limits, Outcome, StoreError};
use hitherto_server::Options;
use serving::Serving;
use support::{Wire, call, encoded, get, post, request};

const MESSAGES: &str = "/v1/sessions/s/messages";

fn server() -> (tempfile::TempDir, Serving) {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::embedded(&folder.path().join("chat.db"));
    post(server.address, MESSAGES, r#"{"messages":[{"role":"user","content":"x"}]}"#).expect(201);
    (folder, server)
}

#[test]
fn what_a_path_or_query_cannot_be() {
    let (_folder, server) = server();
    let check = |path: &str, status, code| drop(get(server.address, path).problem(status, code));
    for path in [
        "/v1",
        "/v2/sessions",
        "/v1/sessions/s/other",
        "/v1/sessions/s/messages/1/x",
        "//",
        "/v1/sessions/s/",
    ] {
        check(path, 404, "not_found");
    }
    for path in [
        "/v1/sessions/",
        "/v1/sessions//messages",
        "/v1/sessions//messages/1",
        "/v1/sessions/%ff/messages",
        "/v1/sessions/%zz",
        "/v1/sessions/%",
        "/v1/sessions/%c3%28/messages/1",
    ] {
        check(path, 400, "invalid_session_id");
    }
    check(&format!("/v1/sessions/{}", "x".repeat(513)), 414, "session_id_too_long");
    check(&format!("/v1/sessions/{}/messages", "x".repeat(10_000)), 414, "session_id_too_long");
    check(&format!("/v1/sessions/{}", encoded(&"é".repeat(257))), 414, "session_id_too_long");
    for seq in ["0", "-1", "x", "9007199254740992", "99999999999999999999999", "1.0", "%31", ""] {
        check(
            &format!("{MESSAGES}/{seq}"),
            if seq.is_empty() { 404 } else { 400 },
            if seq.is_empty() { "not_found" } else { "invalid_parameter" },
        );
    }
    check("/v1/sessions/s/messages?last_turns=0", 400, "invalid_parameter");
    check("/v1/sessions/s/messages?lastturns=1", 400, "unknown_parameter");
    check("/v1/sessions/s?x=1", 400, "unknown_parameter");
    check("/v1/sessions/s/messages?last_turns=1&limit=1", 400, "conflicting_parameters");
    check("/v1/sessions?cursor=abc", 400, "invalid_cursor");
    check("/v1/sessions?limit=1001", 400, "invalid_parameter");
    check("/v1/sessions?offset=1", 400, "unknown_parameter");
    let limit = get(server.address, "/v1/sessions?limit=1001").json();
    assert_eq!(
        (&limit["limit"], limit["detail"].as_str()),
        (&1000.into(), Some("limit must be a whole number from 1 to 1000"))
    );
}

#[test]
fn methods_that_a_path_does_not_take() {
    let (_folder, server) = server();
    for (method, path, allow) in [
        ("PUT", MESSAGES, "GET,HEAD,POST"),
        ("POST", "/v1/sessions/s", "GET,HEAD,PATCH,DELETE"),
        ("GET", "/v1/sessions/s/pop", "POST"),
        ("BREW", "/v1/sessions", "GET,HEAD"),
        ("POST", "/v1/sessions/s/messages/1", "GET,HEAD,PATCH,DELETE"),
        ("DELETE", "/healthz", "GET,HEAD"),
    ] {
        let answer = call(server.address, method, path, &[], b"").problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
}

#[test]
fn what_a_body_cannot_be() {
    let (_folder, server) = server();
    let check = |body: &[u8], status, code, detail: &str| {
        let answer = call(server.address, "POST", MESSAGES, &[], body).problem(status, code);
        let found = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(found.contains(detail), "{found}");
    };
    check(b"", 400, "invalid_json", "EOF");
    check(b"{", 400, "invalid_json", "line 1 column 1");
    check(b"[]", 400, "invalid_json", "not an object");
    check(b"\"a secret\"", 400, "invalid_json", "not an object");
    check(b"{} x", 400, "invalid_json", "trailing");
    check(br#"{"messages":[{"role":"user","content":"x",}]}"#, 400, "invalid_json", "line 1");
    check(b"{\"messages\":\"\xff\"}", 400, "invalid_utf8", "after byte 13");
    check(b"{}", 400, "missing_field", "messages");
    check(br#"{"messages":[]}"#, 400, "nothing_to_do", "at least one message");
    check(br#"{"messages":{"role":"user"}}"#, 400, "invalid_field", "messages must be a list");
    check(br#"{"messages":[],"messages":[]}"#, 400, "invalid_field", "messages must be given once");
    check(
        br#"{"messages":[],"ttl_secs":1,"ttl_secs":2}"#,
        400,
        "invalid_field",
        "ttl_secs must be given once",
    );
    check(
        br#"{"messages":[],"ttl":1,"\u006fther":2}"#,
        400,
        "unknown_field",
        r#"unknown field "ttl", "other"; known are messages"#,
    );
    for ttl in ["0", "-1", "1.5", "\"1\"", "1e3", "99999999999999999999", "3162240001", "true"] {
        check(
            format!(r#"{{"messages":[],"ttl_secs":{ttl}}}"#).as_bytes(),
            400,
            "invalid_field",
            "ttl_secs must be a whole number",
        );
    }
    check(br#"{"messages":[],"ttl_restart":"read"}"#, 400, "invalid_field", "together with ttl_secs");
    check(
        br#"{"messages":[],"ttl_secs":1,"ttl_restart":"always"}"#,
        400,
        "invalid_field",
        "write, read or never",
    );
    check(br#"{"messages":[],"max_messages":0}"#, 400, "invalid_field", "max_messages");
    check(
        br#"{"messages":[{"role":"user","content":"x"},{"role":"boss","content":"x"}]}"#,
        400,
        "invalid_message",
        "message 1: unknown role",
    );
    check(
        br#"{"messages":[{"role":"user"}]}"#,
        400,
        "invalid_message",
        "message 0: a message of role user needs content",
    );
    check(br#"{"messages":[1]}"#, 400, "invalid_message", "message 0");
    check(
        br#"{"messages":[{"role":"user","content":"x","seq":1}]}"#,
        400,
        "invalid_message",
        "seq is given by the store",
    );
    let index = post(server.address, MESSAGES, r#"{"messages":[{"role":"user","content":"x"},{}]}"#).json();
    assert_eq!(index["index"], 1);
    // None of it was stored.
    assert_eq!(get(server.address, "/v1/sessions/s").json()["messages"], 1);
}

#[test]
fn what_other_bodies_cannot_be() {
    let (_folder, server) = server();
    let check = |method: &str, path: &str, body: &str, code: &str| {
        drop(call(server.address, method, path, &[], body.as_bytes()).problem(400, code));
    };
    check("POST", "/v1/sessions/s/pop", r#"{"what":"all"}"#, "invalid_field");
    check("POST", "/v1/sessions/s/pop", r#"{"whats":"turn"}"#, "unknown_field");
    check("POST", "/v1/sessions/s/pop", "turn", "invalid_json");
    check("POST", "/v1/sessions/s/fork", r#"{"to":""}"#, "invalid_field");
    check("POST", "/v1/sessions/s/fork", r#"{"to":1}"#, "invalid_field");
    check("POST", "/v1/sessions/s/fork", r#"{"upto":0}"#, "invalid_field");
    check("POST", "/v1/sessions/s/fork", r#"{"from":1}"#, "unknown_field");
    check("PATCH", "/v1/sessions/s", "{}", "nothing_to_do");
    check("PATCH", "/v1/sessions/s", "", "invalid_json");
    check("PATCH", "/v1/sessions/s", r#"{"metadata":[]}"#, "invalid_field");
    check("PATCH", "/v1/sessions/s", r#"{"meta":{}}"#, "unknown_field");
    check("PATCH", "/v1/sessions/s/messages/1", "{}", "nothing_to_do");
    check("PATCH", "/v1/sessions/s/messages/1", r#"{"role":"user"}"#, "unknown_field");
    check("PATCH", "/v1/sessions/s/messages/1", r#"{"content":7}"#, "invalid_message");
    let to = format!(r#"{{"to":"{}"}}"#, "x".repeat(513));
    post(server.address, "/v1/sessions/s/fork", &to).problem(414, "session_id_too_long");
    let metadata = format!(r#"{{"metadata":{{"x":"{}"}}}}"#, "x".repeat(70_000));
    call(server.address, "PATCH", "/v1/sessions/s", &[], metadata.as_bytes())
        .problem(413, "metadata_too_large");
}

#[test]
fn what_headers_cannot_be() {
    let (_folder, server) = server();
    let body = br#"{"messages":[{"role":"user","content":"x"}]}"#;
    let send = |headers: &[&str]| call(server.address, "POST", MESSAGES, headers, body);
    for kind in ["text/plain", "multipart/form-data", "application/jsonx"] {
        send(&[&format!("content-type: {kind}")]).problem(415, "unsupported_media_type");
    }
    // What `curl -d` declares, and nothing at all, are taken from a program, and from a web page are not: a
    // page of any site could send them to a server on its reader's own machine.
    for kind in ["application/x-www-form-urlencoded", ""] {
        let kind = format!("content-type: {kind}");
        send(&[&kind]).expect(201);
        send(&[&kind, "origin: https://elsewhere.example"]).problem(415, "unsupported_media_type");
    }
    send(&["content-type: Application/JSON; charset=utf-8"]).expect(201);
    send(&["idempotency-key: "]).problem(400, "invalid_idempotency_key");
    send(&["idempotency-key: a", "idempotency-key: b"]).problem(400, "invalid_idempotency_key");
    send(&[&format!("idempotency-key: {}", "k".repeat(256))]).problem(400, "invalid_idempotency_key");
    let mut wire = Wire::open(server.address);
    let mut bytes = request("POST", MESSAGES, &["idempotency-key: _"], body);
    let at = bytes.iter().position(|byte| *byte == b'_').unwrap();
    bytes[at] = 0xff;
    wire.send(&bytes);
    wire.answer().unwrap().problem(400, "invalid_idempotency_key");
}

#[test]
fn what_is_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.body_limit = 4000;
    let mut limits = Limits::default();
    limits.message_bytes = 500;
    limits.messages_per_append = 5;
    limits.append_bytes = 1500;
    let server = Serving::limited(&folder.path().join("chat.db"), options, limits);
    let messages = |count: usize, length: usize| {
        let message = format!(r#"{{"role":"user","content":"{}"}}"#, "x".repeat(length));
        format!(r#"{{"messages":[{}]}}"#, vec![message; count].join(","))
    };
    let check = |body: String, code: &str, limit: u64| {
        let answer = post(server.address, MESSAGES, &body).problem(413, code);
        assert_eq!(answer.json()["limit"], limit);
    };
    check(messages(6, 1), "too_many_messages", 5);
    check(messages(1, 500), "message_too_large", 500);
    check(messages(4, 400), "append_too_large", 1500);
    check(messages(1, 4000), "body_too_large", 4000);
    post(server.address, MESSAGES, &messages(3, 400)).expect(201);
    // A length that is announced is refused before anything of it is sent.
    let mut wire = Wire::open(server.address);
    wire.send(
        format!("POST {MESSAGES} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n")
            .as_bytes(),
    );
    wire.answer().unwrap().problem(413, "body_too_large");
    // In chunks no length is announced; the limit holds all the same.
    let mut wire = Wire::open(server.address);
    wire.send(
        format!("POST {MESSAGES} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
            .as_bytes(),
    );
    for _ in 0..3 {
        wire.send(format!("5dc\r\n{}\r\n", "x".repeat(1500)).as_bytes());
    }
    wire.answer().unwrap().problem(413, "body_too_large");
}

#[test]
fn bodies_that_do_not_come() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.body_timeout = Duration::from_millis(200);
    let server = Serving::limited(&folder.path().join("chat.db"), options, Limits::default());
    let half =
        format!("POST {MESSAGES} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{{\"messages\":");
    let mut wire = Wire::open(server.address);
    wire.send(half.as_bytes());
    wire.answer().unwrap().problem(408, "body_timeout");
    let mut wire = Wire::open(server.address);
    wire.send(half.as_bytes());
    wire.finish();
    if let Some(answer) = wire.answer() {
        answer.problem(400, "body_incomplete");
    }
}

#[test]
fn connections_that_say_nothing_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.idle_timeout = Duration::from_millis(200);
    let server = Serving::limited(&folder.path().join("chat.db"), options, Limits::default());
    let began = Instant::now();
    for begin in ["", "GET /healthz HTTP/1.1\r\nhost:"] {
        let mut wire = Wire::open(server.address);
        wire.send(begin.as_bytes());
        assert!(wire.answer().is_none_or(|answer| answer.status == 408));
    }
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn connections_beyond_the_bound_wait_for_a_free_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.max_connections = 2;
    let server = Serving::limited(&folder.path().join("chat.db"), options, Limits::default());
    let health = request("GET", "/healthz", &[], b"");
    let mut open: Vec<Wire> = (0..2).map(|_| Wire::open(server.address)).collect();
    for wire in &mut open {
        wire.send(&health);
        wire.answer().unwrap().expect(200);
    }
    let mut third = Wire::open(server.address);
    third.send(&health);
    let waiting = std::thread::spawn(move || third.answer().unwrap().status);
    std::thread::sleep(Duration::from_millis(150));
    assert!(!waiting.is_finished());
    open.pop();
    assert_eq!(waiting.join().unwrap(), 200);
}

#[test]
fn what_a_store_says() {
    let text = |text: &str| text.to_owned();
    let deadline = Duration::from_secs(2);
    for (error, status, code, retry, unknown) in [
        (
            StoreError::Unreachable { store: text("r"), reason: text("x") },
            503,
            "store_unreachable",
            true,
            false,
        ),
        (
            StoreError::Disconnected { store: text("r"), reason: text("x"), outcome: Outcome::Unknown },
            503,
            "store_disconnected",
            true,
            true,
        ),
        (
            StoreError::Disconnected { store: text("r"), reason: text("x"), outcome: Outcome::NotStored },
            503,
            "store_disconnected",
            true,
            false,
        ),
        (
            StoreError::TimedOut { store: text("r"), deadline, outcome: Outcome::Unknown },
            504,
            "store_timeout",
            true,
            true,
        ),
        (StoreError::Loading { store: text("r") }, 503, "store_loading", true, false),
        (StoreError::Busy { store: text("r"), reason: text("x") }, 503, "store_busy", true, false),
        (StoreError::Denied { store: text("r"), reason: text("x") }, 502, "store_denied", false, false),
        (StoreError::Full { store: text("r"), reason: text("x") }, 507, "store_full", false, false),
        (StoreError::ReadOnly { store: text("r"), reason: text("x") }, 503, "store_read_only", true, false),
        (
            StoreError::NewerFormat { what: text("f"), found: 2, known: 1 },
            500,
            "store_newer_format",
            false,
            false,
        ),
        (StoreError::Foreign { what: text("k"), reason: text("x") }, 500, "store_foreign", false, false),
        (StoreError::Failed { store: text("r"), reason: text("x") }, 500, "store_failed", false, false),
    ] {
        let server = Serving::store(Arc::new(Broken::Fails(error)), Options::default());
        let answer = post(server.address, MESSAGES, r#"{"messages":[{"role":"user","content":"x"}]}"#)
            .problem(status, code);
        assert_eq!(answer.header("retry-after"), retry.then_some("1"), "{code}");
        assert_eq!(answer.json()["stored"].as_str(), unknown.then_some("unknown"), "{code}");
        get(server.address, "/readyz").problem(503, code);
        get(server.address, "/healthz").expect(200);
    }
}

#[test]
fn a_store_that_hangs_is_waited_for_no_longer_than_the_deadline() {
    let mut options = Options::default();
    options.deadline = Duration::from_millis(100);
    let server = Serving::store(Arc::new(Broken::Hangs), options);
    let began = Instant::now();
    let answer = post(server.address, MESSAGES, r#"{"messages":[{"role":"user","content":"x"}]}"#);
    assert_eq!(answer.problem(504, "deadline_exceeded").json()["stored"], "unknown");
    get(server.address, "/readyz").problem(503, "deadline_exceeded");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn elements_that_cannot_be_read_are_counted_and_spoil_nothing() {
    let server = Serving::store(Arc::new(Broken::Unreadable), Options::default());
    let read = get(server.address, MESSAGES).expect(200).json();
    assert_eq!((read["messages"].as_array().unwrap().len(), &read["unreadable"]), (1, &1.into()));
    get(server.address, "/v1/sessions/s/messages/1").problem(500, "message_unreadable");
}

#[test]
fn no_target_or_header_stops_the_server() {
    let (_folder, server) = server();
    for bytes in [
        &b"GET \xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
        b"GET http://[::1/v1 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET * HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET http://elsewhere/v1/sessions/%00%ff HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET /v1/sessions/s/messages?%&&=&=x&%00=%ff HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"POST /v1/sessions/s/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/sessions/s/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: \xff\r\ncontent-length: 0\r\n\r\n",
        b"\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut wire = Wire::open(server.address);
        wire.send(bytes);
        wire.finish();
        if let Some(answer) = wire.answer() {
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
    }
    let long = format!("/v1/sessions/{}", "x".repeat(60_000));
    get(server.address, &long).problem(414, "session_id_too_long");
    get(server.address, "/healthz").expect(200);
}
