//! The HTTP API through the real router and real connections: every endpoint and its shapes.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "support/serving.rs"]
mod serving;
mod support;

use serde_json::{Value, json};
use serving::Serving;
use support::{Wire, call, encoded, get, post, request};

fn server() -> (tempfile::TempDir, Serving) {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::embedded(&folder.path().join("chat.db"));
    (folder, server)
}

/// Appends so many turns of two messages.
fn turns(server: &Serving, session: &str, count: usize) {
    let messages: Vec<Value> = (1..=count)
        .flat_map(|turn| {
            [
                json!({"role": "user", "content": format!("u{turn}")}),
                json!({"role": "assistant", "content": format!("a{turn}")}),
            ]
        })
        .collect();
    post(
        server.address,
        &format!("/v1/sessions/{session}/messages"),
        &json!({"messages": messages}).to_string(),
    )
    .expect(201);
}

/// What is said in the messages of an answer.
fn said(answer: &Value) -> Vec<String> {
    let messages = answer["messages"].as_array().unwrap();
    messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn appends_and_reads_in_the_shapes_that_are_documented() {
    let (_folder, server) = server();
    let answer = post(
        server.address,
        "/v1/sessions/s1/messages",
        r#"{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}],"ttl_secs":3600}"#,
    )
    .expect(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let stored = answer.json();
    assert_eq!(stored["session"], "s1");
    let seqs: Vec<&Value> =
        stored["messages"].as_array().unwrap().iter().map(|message| &message["seq"]).collect();
    assert_eq!(seqs, [1, 2]);
    let read = get(server.address, "/v1/sessions/s1/messages?last_turns=1").expect(200);
    assert!(read.body.starts_with(r#"{"session":"s1","messages":[{"seq":1,"id":""#), "{}", read.body);
    assert!(read.body.ends_with(r#"],"first_seq":1,"last_seq":2,"more":false}"#), "{}", read.body);
    assert_eq!(read.json()["messages"][0]["id"], stored["messages"][0]["id"]);
    assert!(read.json()["messages"][0]["created_at"].as_str().unwrap().ends_with('Z'));
    let empty = get(server.address, "/v1/sessions/nobody/messages").expect(200);
    assert_eq!(empty.body, r#"{"session":"nobody","messages":[],"more":false}"#);
}

#[test]
fn reads_windows_and_pages_both_ways() {
    let (_folder, server) = server();
    turns(&server, "s", 60);
    let check = |query: &str, count: usize, first: u64, last: u64, more: bool| {
        let answer = get(server.address, &format!("/v1/sessions/s/messages{query}")).expect(200).json();
        let found = answer["messages"].as_array().unwrap().len();
        assert_eq!(
            (found, &answer["first_seq"], &answer["last_seq"]),
            (count, &json!(first), &json!(last)),
            "{query}"
        );
        assert_eq!(answer["more"], more, "{query}");
    };
    check("", 100, 21, 120, true);
    check("?limit=120", 120, 1, 120, false);
    check("?last_turns=2", 4, 117, 120, true);
    check("?last_turns=60", 120, 1, 120, false);
    check("?last_messages=3", 4, 117, 120, true);
    check("?after=0", 100, 1, 100, true);
    check("?after=100", 20, 101, 120, false);
    check("?after=5&limit=2", 2, 6, 7, true);
    check("?before=3", 2, 1, 2, false);
    check("?before=100&limit=10", 10, 90, 99, true);
    let past = get(server.address, "/v1/sessions/s/messages?after=120").expect(200);
    assert_eq!(past.body, r#"{"session":"s","messages":[],"more":false}"#);
}

#[test]
fn a_repeat_with_the_same_key_gets_the_first_answer() {
    let (_folder, server) = server();
    let send = |key: &str, content: &str| {
        let body = format!(r#"{{"messages":[{{"role":"user","content":"{content}"}}]}}"#);
        call(
            server.address,
            "POST",
            "/v1/sessions/s/messages",
            &[&format!("Idempotency-Key: {key}")],
            body.as_bytes(),
        )
    };
    let first = send("k1", "once").expect(201);
    assert_eq!(send("k1", "once").expect(200).body, first.body);
    send("k1", "something else").problem(422, "idempotency_key_reused");
    send("ключ", "once").expect(201);
    assert_eq!(get(server.address, "/v1/sessions/s").json()["messages"], 2);
}

#[test]
fn bytes_come_back_as_they_went() {
    let (_folder, server) = server();
    let odd = r#"{ "role":"user" ,"content":"half \ud83d, nul \u0000,  , \"é\" 😀","n":123456789012345678901234567890.10e-5, "x":{"a":[1,{"b":null}]},"x-2":1E400}"#;
    let own = r#"{"role":"tool","content":[{"type":"text","text":"t"},{"type":"new","z":1}],"tool_call_id":"c","id":"mine \"1\"","created_at":"1970-04-14T02:59:11+01:00"}"#;
    let calls = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{not json"}}]}"#;
    let stored = post(
        server.address,
        "/v1/sessions/s/messages",
        &format!("{{\"messages\":[{odd},\n{own} , {calls}]}}"),
    );
    assert_eq!(stored.expect(201).json()["messages"][1]["id"], "mine \"1\"");
    let read = get(server.address, "/v1/sessions/s/messages?after=0").expect(200).body;
    for message in [odd, own, calls] {
        let fields = message.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
        assert!(read.contains(fields), "{fields}\n{read}");
    }
    assert_eq!(read.matches("\"id\":\"mine").count(), 1);
    assert_eq!(read.matches("created_at").count(), 3);
}

#[test]
fn one_message_is_read_edited_and_deleted() {
    let (_folder, server) = server();
    turns(&server, "s", 2);
    let path = "/v1/sessions/s/messages/2";
    assert_eq!(get(server.address, path).expect(200).json()["content"], "a1");
    let edited =
        call(server.address, "PATCH", path, &[], br#"{"content":"\ud83d new","metadata":{"n":1e999}}"#)
            .expect(200);
    assert!(
        edited.body.contains(r#""content":"\ud83d new""#)
            && edited.body.contains(r#""metadata":{"n":1e999}"#),
        "{edited:?}"
    );
    assert!(edited.body.contains("\"edited_at\":\"20"), "{edited:?}");
    assert!(get(server.address, path).expect(200).body.contains("\\ud83d new"));
    let deleted = call(server.address, "DELETE", path, &[], b"").expect(204);
    assert_eq!(deleted.body, "");
    for method in ["GET", "DELETE"] {
        call(server.address, method, path, &[], b"").problem(404, "message_not_found");
    }
    call(server.address, "PATCH", path, &[], br#"{"content":"x"}"#).problem(404, "message_not_found");
    assert_eq!(said(&get(server.address, "/v1/sessions/s/messages").json()), ["u1", "u2", "a2"]);
    get(server.address, "/v1/sessions/s/messages/5").problem(404, "message_not_found");
}

#[test]
fn pops_messages_and_turns() {
    let (_folder, server) = server();
    turns(&server, "s", 3);
    let pop = |body| said(&post(server.address, "/v1/sessions/s/pop", body).expect(200).json());
    assert_eq!(pop(""), ["a3"]);
    assert_eq!(pop(r#"{"what":"turn"}"#), ["u3"]);
    assert_eq!(pop(r#"{"what":"turn"}"#), ["u2", "a2"]);
    assert_eq!(pop(r#"{"what":"message"}"#), ["a1"]);
    assert_eq!(pop("{}"), ["u1"]);
    assert_eq!(pop(""), Vec::<String>::new());
}

#[test]
fn forks() {
    let (_folder, server) = server();
    turns(&server, "s", 2);
    let fork = |body| post(server.address, "/v1/sessions/s/fork", body);
    let whole = fork("").expect(201).json();
    assert_eq!((&whole["forked_from"], &whole["last_seq"]), (&json!("s"), &json!(4)));
    assert_eq!(whole["session"].as_str().unwrap().len(), 36);
    let part = fork(r#"{"to":"a/b","upto":2}"#).expect(201);
    assert_eq!(part.body, r#"{"session":"a/b","forked_from":"s","last_seq":2}"#);
    assert_eq!(said(&get(server.address, "/v1/sessions/a%2Fb/messages").json()), ["u1", "a1"]);
    fork(r#"{"to":"a/b"}"#).problem(409, "session_exists");
    fork(r#"{"upto":9}"#).problem(404, "message_not_found");
    post(server.address, "/v1/sessions/nobody/fork", "").problem(404, "session_not_found");
}

#[test]
fn describes_configures_and_clears() {
    let (_folder, server) = server();
    turns(&server, "s", 3);
    let found = get(server.address, "/v1/sessions/s").expect(200).json();
    assert_eq!(
        (&found["messages"], &found["turns"], &found["first_seq"], &found["last_seq"]),
        (&json!(6), &json!(3), &json!(1), &json!(6))
    );
    assert!(
        found.get("ttl_secs").is_none()
            && found.get("metadata").is_none()
            && found.get("max_messages").is_none()
    );
    let patch = |body: &str| call(server.address, "PATCH", "/v1/sessions/s", &[], body.as_bytes());
    let set = patch(r#"{"ttl_secs":90,"ttl_restart":"never","max_messages":4,"metadata":{"user": 12345678901234567890123}}"#).expect(200);
    assert!(set.body.contains(r#""metadata":{"user": 12345678901234567890123}"#), "{}", set.body);
    let set = set.json();
    assert_eq!(
        (&set["ttl_secs"], &set["ttl_restart"], &set["max_messages"]),
        (&json!(90), &json!("never"), &json!(4))
    );
    assert!((88..=90).contains(&set["expires_in_secs"].as_u64().unwrap()) && set["expires_at"].is_string());
    let unset = patch(r#"{"ttl_secs":null,"max_messages":null,"metadata":null}"#).expect(200).json();
    assert!(
        ["ttl_secs", "ttl_restart", "expires_at", "expires_in_secs", "max_messages", "metadata"]
            .iter()
            .all(|name| unset.get(name).is_none())
    );
    call(server.address, "PATCH", "/v1/sessions/nobody", &[], br#"{"ttl_secs":1}"#)
        .problem(404, "session_not_found");
    let cleared = call(server.address, "DELETE", "/v1/sessions/s", &[], b"").expect(200);
    assert!(
        cleared.body.starts_with(r#"{"session":"s","cleared":"#) && !cleared.body.contains(":0}"),
        "{}",
        cleared.body
    );
    assert_eq!(
        call(server.address, "DELETE", "/v1/sessions/s", &[], b"").expect(200).body,
        r#"{"session":"s","cleared":0}"#
    );
    get(server.address, "/v1/sessions/s").problem(404, "session_not_found");
}

#[test]
fn an_append_sets_time_to_live_and_maximum() {
    let (_folder, server) = server();
    let append = |more: &str| {
        let body = format!(r#"{{"messages":[{{"role":"user","content":"x"}}]{more}}}"#);
        post(server.address, "/v1/sessions/s/messages", &body).expect(201);
        get(server.address, "/v1/sessions/s").json()
    };
    let found = append(r#","ttl_secs":50,"ttl_restart":"read","max_messages":2"#);
    assert_eq!(
        (&found["ttl_secs"], &found["ttl_restart"], &found["max_messages"]),
        (&json!(50), &json!("read"), &json!(2))
    );
    append("");
    let found = append("");
    assert_eq!(
        (&found["messages"], &found["first_seq"], &found["ttl_secs"]),
        (&json!(2), &json!(2), &json!(50))
    );
    let found = append(r#","ttl_secs":null,"max_messages":null"#);
    assert!(found.get("ttl_secs").is_none() && found.get("max_messages").is_none());
}

#[test]
fn lists_sessions_in_pages() {
    let (_folder, server) = server();
    for id in ["b1", "a1", "a/2", "a:3"] {
        turns(&server, &encoded(id), 1);
    }
    let mut found = Vec::new();
    let mut path = "/v1/sessions?limit=1&prefix=a".to_owned();
    loop {
        let page = get(server.address, &path).expect(200).json();
        found.extend(
            page["sessions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["session"].as_str().unwrap().to_owned()),
        );
        assert_eq!(page["sessions"][0]["messages"], 2);
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/sessions?limit=1&prefix=a&cursor={cursor}");
    }
    found.sort();
    assert_eq!(found, ["a/2", "a1", "a:3"]);
    assert_eq!(get(server.address, "/v1/sessions?prefix=zz").body, r#"{"sessions":[]}"#);
}

#[test]
fn any_utf8_is_a_session_id() {
    let (_folder, server) = server();
    let ids = [
        "/",
        "..",
        ".",
        "{}",
        "}{:",
        "*",
        " ",
        "%2F",
        "a?b#c",
        "日本",
        "\u{2028}",
        "\0",
        "a\r\nb",
        "\"\\",
        "+",
        "\u{1f600}",
    ];
    for id in ids {
        turns(&server, &encoded(id), 1);
    }
    for id in ids {
        let read = get(server.address, &format!("/v1/sessions/{}/messages", encoded(id))).expect(200).json();
        assert_eq!((read["session"].as_str(), &read["last_seq"]), (Some(id), &json!(2)), "{id:?}");
    }
    // The same id, however it is encoded.
    assert_eq!(get(server.address, "/v1/sessions/+/messages").json()["last_seq"], 2);
    assert_eq!(get(server.address, "/v1/sessions/%7b%7D").expect(200).json()["session"], "{}");
}

#[test]
fn health_and_documents() {
    let (_folder, server) = server();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(server.address, path).expect(200).body, r#"{"status":"ok"}"#);
    }
    let document = get(server.address, "/openapi.json").expect(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let page = get(server.address, "/docs").expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    // What the document says is there is there: an operation is neither an unknown path nor an unknown method.
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path = path.replace("{id}", "x").replace("{seq}", "1");
            let answer = call(server.address, &method.to_uppercase(), &path, &[], b"");
            // Nothing is summarised in this program.
            let off = answer.body.contains("\"summaries_off\"");
            assert!(
                (answer.status < 405 || off) && !answer.body.contains("\"not_found\""),
                "{method} {path} {answer:?}"
            );
        }
    }
}

#[test]
fn one_connection_serves_many_requests_pipelined_too() {
    let (_folder, server) = server();
    let mut wire = Wire::open(server.address);
    let append =
        request("POST", "/v1/sessions/s/messages", &[], br#"{"messages":[{"role":"user","content":"x"}]}"#);
    wire.send(&append.repeat(5));
    for seq in 1..=5 {
        assert_eq!(wire.answer().unwrap().expect(201).json()["messages"][0]["seq"], seq);
    }
    wire.send(&request("GET", "/healthz", &[], b""));
    wire.answer().unwrap().expect(200);
    // In chunks.
    wire.send(
        b"POST /v1/sessions/s/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    wire.send(b"10\r\n{\"messages\":[{\"r\r\n");
    std::thread::sleep(std::time::Duration::from_millis(30));
    wire.send(b"1c\r\nole\":\"user\",\"content\":\"x\"}]}\r\n0\r\n\r\n");
    assert_eq!(wire.answer().unwrap().expect(201).json()["messages"][0]["seq"], 6);
}
