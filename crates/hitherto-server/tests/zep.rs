//! The memory API of Zep, version 1: every endpoint and its shapes, as the real clients read them.
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
#[path = "support/stores.rs"]
mod stores;
mod support;

use std::net::SocketAddr;

use hitherto::summary::SummaryOptions;
use hitherto::{ChatMemory, SummaryRole};
use hitherto_server::Options;
use serde_json::{Value, json};
use serving::Serving;
use stores::{embedded, everywhere};
use support::{Answer, call, encoded, get, post};

const SESSIONS: &str = "/api/v1/sessions";

fn server() -> (tempfile::TempDir, Serving) {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::embedded(&folder.path().join("chat.db"));
    (folder, server)
}

fn say(at: SocketAddr, session: &str, messages: &Value) -> Answer {
    let body = json!({"messages": messages, "metadata": {}}).to_string();
    post(at, &format!("{SESSIONS}/{session}/memory"), &body)
}

/// Posts so many messages in one request, by turns `human` and `ai`, numbered from 1.
fn many(at: SocketAddr, session: &str, count: u64) {
    let messages: Vec<Value> = (1..=count)
        .map(|number| {
            let role = if number % 2 == 1 { "human" } else { "ai" };
            json!({"role": role, "content": format!("message {number}")})
        })
        .collect();
    say(at, session, &messages.into()).expect(200);
}

fn memory(at: SocketAddr, rest: &str) -> Value {
    get(at, &format!("{SESSIONS}/{rest}")).expect(200).json()
}

fn said(memory: &Value) -> Vec<&str> {
    memory["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["content"].as_str().unwrap())
        .collect()
}

fn patch(at: SocketAddr, session: &str, body: &Value) -> Answer {
    call(at, "PATCH", &format!("{SESSIONS}/{session}"), &[], body.to_string().as_bytes())
}

#[test]
fn a_memory_is_read_written_and_removed() {
    let (_folder, server) = server();
    let at = server.address;
    get(at, &format!("{SESSIONS}/s/memory?lastn=10")).problem(404, "session_not_found");
    let messages = json!([{"role": "human", "content": "hi"}, {"role": "ai", "content": "hello!"}]);
    let answer = say(at, "s", &messages).expect(200);
    assert_eq!(
        (answer.body.as_str(), answer.header("content-type")),
        ("OK", Some("text/plain; charset=utf-8"))
    );
    let found = memory(at, "s/memory?lastn=10");
    assert_eq!(found["summary"], Value::Null);
    let first = &found["messages"][0];
    assert_eq!((&first["role"], &first["content"]), (&json!("human"), &json!("hi")));
    assert_eq!(first["uuid"].as_str().unwrap().len(), 36);
    assert!(first["created_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(found["messages"][1]["role"], "ai");
    assert_eq!(call(at, "DELETE", &format!("{SESSIONS}/s/memory"), &[], b"").expect(200).body, "OK");
    get(at, &format!("{SESSIONS}/s/memory")).problem(404, "session_not_found");
    call(at, "DELETE", &format!("{SESSIONS}/s/memory"), &[], b"").expect(200);
    // With the credential of a client that has one.
    call(at, "GET", &format!("{SESSIONS}/s/memory"), &["Authorization: Bearer x"], b"").expect(404);
}

#[test]
fn what_a_client_sent_comes_back_as_it_was() {
    let (_folder, server) = server();
    let sent = r#"{"uuid":"a0a0","created_at":"2024-01-02T03:04:05Z","role":"Captain: Kirk","content":"half \ud83d \u0041","token_count":7,"metadata":{"n":1e999}}"#;
    let nulls = r#"{"role":"human","content":"x","uuid":null,"created_at":null,"token_count":null,"metadata":null,"other":1}"#;
    post(server.address, &format!("{SESSIONS}/s/memory"), &format!("{{\"messages\":[{sent},{nulls}]}}"))
        .expect(200);
    let body = get(server.address, &format!("{SESSIONS}/s/memory?lastn=2")).expect(200).body;
    assert!(
        body.starts_with(r#"{"messages":[{"uuid":"a0a0","created_at":"2024-01-02T03:04:05Z","role":"Captain: Kirk","content":"half \ud83d \u0041","token_count":7,"metadata":{"n":1e999}},{"uuid":"#),
        "{body}"
    );
    assert!(body.ends_with(r#"Z","role":"human","content":"x"}],"summary":null}"#), "{body}");
}

#[test]
fn messages_of_other_clients_are_told_in_zeps_words() {
    let (_folder, server) = server();
    let body = r#"{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"hi"}],"metadata":{"a":1}},
        {"role":"assistant","content":null,"tool_calls":[]},{"role":"tool","content":"7","tool_call_id":"c"}]}"#;
    post(server.address, "/v1/sessions/s/messages", body).expect(201);
    let found = memory(server.address, "s/memory");
    let told: Vec<(&str, &str)> = found["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["role"].as_str().unwrap(), one["content"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("system", "be brief"), ("human", "hi"), ("ai", ""), ("tool", "7")]);
    assert_eq!(found["messages"][1]["metadata"], json!({"a": 1}));
}

#[test]
fn lastn_counts_messages_and_cuts_no_turn() {
    let (_folder, server) = server();
    many(server.address, "s", 60);
    let check = |query: &str, count: usize| {
        let found = memory(server.address, &format!("s/memory{query}"));
        let expected: Vec<String> = (61 - count..=60).map(|number| format!("message {number}")).collect();
        assert_eq!(said(&found), expected, "{query}");
    };
    check("?lastn=1", 2);
    check("?lastn=4", 4);
    check("?lastn=5", 6);
    check("?lastn=1000000000000", 60);
    // Nothing is summarised here, so nothing can be left out.
    check("", 60);
    for query in ["?lastn=0", "?lastn=-1", "?lastn=x", "?lastn="] {
        get(server.address, &format!("{SESSIONS}/s/memory{query}")).problem(400, "invalid_parameter");
    }
}

#[test]
fn the_summary_is_an_object_of_its_own() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        let at = served.server.address;
        many(at, "s", 30);
        let summary = post(at, "/v1/sessions/s/fold", "").expect(200).json()["summary"].clone();
        let upto = summary["upto"].as_u64().unwrap();
        let covered = memory(at, "s/memory?lastn=30")["messages"][upto as usize - 1].clone();
        for query in ["?lastn=4", "?lastn=30", ""] {
            let found = memory(at, &format!("s/memory{query}"))["summary"].clone();
            assert_eq!(
                (&found["uuid"], &found["content"]),
                (&summary["id"], &summary["text"]),
                "{}",
                served.kind
            );
            assert_eq!(
                (&found["token_count"], &found["created_at"]),
                (&summary["tokens"], &summary["updated_at"])
            );
            assert_eq!(found["recent_message_uuid"], covered["uuid"], "{query}");
        }
        assert_eq!(said(&memory(at, "s/memory")).len(), 20, "the window of ten turns");
        // The message that it ends with is deleted: its id is not known any more.
        call(at, "DELETE", &format!("/v1/sessions/s/messages/{upto}"), &[], b"").expect(204);
        assert_eq!(memory(at, "s/memory?lastn=2")["summary"]["recent_message_uuid"], "");
    }
}

#[test]
fn the_role_of_a_summary_can_be_chosen() {
    for (role, speaker) in
        [(SummaryRole::User, Some("human")), (SummaryRole::Assistant, Some("ai")), (SummaryRole::Off, None)]
    {
        let mut options = Options::default();
        options.summary_role = role;
        let served = embedded(&SummaryOptions::default(), &options, &None);
        let at = served.server.address;
        many(at, "s", 30);
        let text = post(at, "/v1/sessions/s/fold", "").expect(200).json()["summary"]["text"].clone();
        let found = memory(at, "s/memory?lastn=2");
        assert_eq!(found["summary"], Value::Null);
        let messages = found["messages"].as_array().unwrap();
        match speaker {
            Some(speaker) => {
                assert_eq!((messages.len(), &messages[0]["role"]), (3, &json!(speaker)));
                let content = messages[0]["content"].as_str().unwrap();
                assert_eq!(
                    content,
                    format!("Summary of the conversation so far:\n{}", text.as_str().unwrap())
                );
                assert!(messages[0]["uuid"].is_string() && messages[0]["created_at"].is_string());
            }
            None => assert_eq!(messages.len(), 2),
        }
    }
}

#[test]
fn an_id_stands_in_the_path_as_it_is() {
    let (_folder, server) = server();
    let at = server.address;
    for (path, id) in [
        ("sess%201/x", "sess 1/x"),
        ("a/memory/b", "a/memory/b"),
        ("memory", "memory"),
        ("search", "search"),
        ("50%", "50%"),
        ("%E6%97%A5", "日"),
    ] {
        many(at, path, 2);
        assert_eq!(said(&memory(at, &format!("{path}/memory?lastn=9"))).len(), 2);
        assert_eq!(get(at, &format!("/v1/sessions/{}", encoded(id))).expect(200).json()["session"], id);
        assert_eq!(memory(at, path)["session_id"], id);
        let found =
            post(at, &format!("{SESSIONS}/{path}/search"), r#"{"text":"message"}"#).expect(200).json();
        assert_eq!(found.as_array().unwrap().len(), 2, "{path}");
    }
    get(at, &format!("{SESSIONS}//memory")).problem(400, "invalid_session_id");
    get(at, &format!("{SESSIONS}/%ff")).problem(400, "invalid_session_id");
    get(at, &format!("{SESSIONS}/nobody")).problem(404, "session_not_found");
    post(at, &format!("{SESSIONS}/s"), "{}").problem(404, "not_found");
    call(at, "DELETE", &format!("{SESSIONS}/memory"), &[], b"").problem(404, "not_found");
    get(at, "/api/v1/users").problem(404, "not_found");
}

#[test]
fn a_session_is_made_before_anything_is_said_in_it() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        let at = served.server.address;
        let body = r#"{"session_id":"s/1","user_id":"ada","metadata":{"n": 123456789012345678901234567890}}"#;
        let made = post(at, SESSIONS, body).expect(201);
        assert!(made.body.contains(r#""n":123456789012345678901234567890"#), "{}", made.body);
        let made = made.json();
        assert_eq!((&made["session_id"], &made["user_id"]), (&json!("s/1"), &json!("ada")));
        assert!(
            made["deleted_at"].is_null() && made["created_at"].is_string() && made["updated_at"].is_string()
        );
        assert_eq!(memory(at, "s/1"), made, "{}", served.kind);
        assert_eq!(memory(at, "s/1/memory?lastn=1"), json!({"messages": [], "summary": null}));
        post(at, SESSIONS, body).problem(409, "session_exists");
        // Its user is that of the session, whoever asks.
        let described = get(at, "/v1/sessions/s%2F1").expect(200).json();
        assert_eq!((&described["messages"], &described["user"]), (&json!(0), &json!("ada")));
        many(at, "s/1", 2);
        let log = get(at, "/v1/sessions/s%2F1/messages").expect(200).json();
        assert_eq!((log["messages"].as_array().unwrap().len(), log.get("unreadable")), (2, None));
        assert_eq!(memory(at, "s/1")["uuid"], made["uuid"]);
        for (body, code) in [
            ("{}", "missing_field"),
            (r#"{"session_id":7}"#, "invalid_field"),
            (r#"{"session_id":""}"#, "invalid_session_id"),
            (r#"{"session_id":"t","metadata":[]}"#, "invalid_field"),
            (r#"{"session_id":"t","user_id":7}"#, "invalid_field"),
            ("[]", "invalid_json"),
        ] {
            post(at, SESSIONS, body).problem(400, code);
        }
        let large = json!({"session_id": "t", "metadata": {"x": "x".repeat(70_000)}}).to_string();
        post(at, SESSIONS, &large).problem(413, "metadata_too_large");
        assert_eq!(
            post(at, SESSIONS, r#"{"session_id":"bare","metadata":null}"#).expect(201).json()["metadata"],
            json!({})
        );
    }
}

#[test]
fn metadata_are_changed_field_by_field() {
    let (_folder, server) = server();
    let at = server.address;
    patch(at, "s", &json!({"metadata": {"a": 1}})).problem(404, "session_not_found");
    many(at, "s", 1);
    assert_eq!(memory(at, "s")["metadata"], json!({}));
    let change = |body: Value| patch(at, "s", &body).expect(200).json()["metadata"].clone();
    assert_eq!(change(json!({"metadata": {"a": 1, "b": {"c": 2}}})), json!({"a": 1, "b": {"c": 2}}));
    assert_eq!(
        change(json!({"session_id": "s", "metadata": {"a": null, "d": 4}})),
        json!({"a": null, "b": {"c": 2}, "d": 4})
    );
    assert_eq!(change(json!({"session_id": "s"}))["d"], 4);
    assert_eq!(change(json!({"user_id": "u"}))["d"], 4);
    assert_eq!(memory(at, "s")["user_id"], "u");
    patch(at, "s", &json!({"metadata": 7})).problem(400, "invalid_field");
}

#[test]
fn sessions_are_listed_in_pages_that_count() {
    let (_folder, server) = server();
    let at = server.address;
    let ids: Vec<String> = (1..=7).map(|number| format!("s{number}")).collect();
    for id in &ids {
        post(at, SESSIONS, &json!({"session_id": id}).to_string()).expect(201);
    }
    let list = |query: &str| -> Vec<String> {
        let answer = get(at, &format!("{SESSIONS}{query}")).expect(200).json();
        answer.as_array().unwrap().iter().map(|one| one["session_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(""), ids);
    assert_eq!([list("?limit=3"), list("?limit=3&cursor=3"), list("?limit=3&cursor=6")].concat(), ids);
    assert_eq!(list("?limit=3&cursor=9"), [""; 0]);
    // What is said meanwhile moves no session on the list.
    many(at, "s1", 1);
    assert_eq!(list("?limit=2"), ids[..2]);
    assert_eq!(list("?cursor=18446744073709551615"), [""; 0]);
    for query in ["?limit=0", "?limit=1001", "?cursor=-1", "?cursor=x"] {
        get(at, &format!("{SESSIONS}{query}")).problem(400, "invalid_parameter");
    }
}

#[test]
fn a_search_gives_what_says_the_words() {
    let (_folder, server) = server();
    let at = server.address;
    let messages = json!([
        {"role": "human", "content": "The zebra was stolen.", "metadata": {"a": 1}},
        {"role": "ai", "content": "Which one?"},
        {"role": "human", "content": "Zebras! Zebras."},
    ]);
    say(at, "s", &messages).expect(200);
    let find = |query: &str, body: Value| post(at, &format!("{SESSIONS}/s/search{query}"), &body.to_string());
    // As the two clients send it.
    let python = json!({"text": "zebra", "metadata": null, "search_scope": "messages", "search_type": "similarity", "mmr_lambda": null});
    let js = json!({"text": "zebra", "search_scope": "messages", "search_type": "mmr", "mmr_lambda": 0.5});
    for body in [python, js] {
        let found = find("", body).expect(200).json();
        let contents: Vec<&Value> =
            found.as_array().unwrap().iter().map(|one| &one["message"]["content"]).collect();
        assert_eq!(contents, ["Zebras! Zebras.", "The zebra was stolen."]);
        let dists: Vec<f64> =
            found.as_array().unwrap().iter().map(|one| one["dist"].as_f64().unwrap()).collect();
        assert!(1.0 > dists[0] && dists[0] > dists[1] && dists[1] > 0.0, "{dists:?}");
        assert_eq!(found[1]["message"]["metadata"], json!({"a": 1}));
        assert!(found[0]["summary"].is_null() && found[0]["message"]["uuid"].is_string());
    }
    assert_eq!(find("?limit=1", json!({"text": "zebra"})).expect(200).json().as_array().unwrap().len(), 1);
    assert_eq!(
        find("?limit=99999", json!({"text": "zebra"})).expect(200).json().as_array().unwrap().len(),
        2
    );
    assert_eq!(post(at, &format!("{SESSIONS}/nobody/search"), r#"{"text":"x"}"#).expect(200).body, "[]");
    find("", json!({})).problem(400, "missing_field");
    find("", json!({"text": ""})).problem(400, "missing_field");
    find("", json!({"text": "x", "metadata": {"where": {}}})).problem(400, "invalid_field");
    find("", json!({"text": "x", "search_scope": "summary"})).problem(400, "invalid_field");
    find("?limit=0", json!({"text": "x"})).problem(400, "invalid_parameter");
}

#[test]
fn what_is_wrong_is_said_and_stores_nothing() {
    let (_folder, server) = server();
    let check = |body: &str, code: &str| {
        drop(post(server.address, &format!("{SESSIONS}/s/memory"), body).problem(400, code));
    };
    check(r#"{"messages":[]}"#, "nothing_to_do");
    check("{}", "missing_field");
    check("", "invalid_json");
    check(r#"{"messages":[{"role":"human"}]}"#, "invalid_message");
    check(r#"{"messages":[{"role":"human","content":7}]}"#, "invalid_message");
    get(server.address, &format!("{SESSIONS}/s")).problem(404, "session_not_found");
}

#[test]
fn a_repeat_with_a_key_is_stored_once() {
    let (_folder, server) = server();
    let body = br#"{"messages":[{"role":"human","content":"x"}]}"#;
    for _ in 0..2 {
        call(server.address, "POST", &format!("{SESSIONS}/s/memory"), &["Idempotency-Key: k"], body)
            .expect(200);
    }
    assert_eq!(said(&memory(server.address, "s/memory")), ["x"]);
}

/// The clients look at the header; the one for Python takes no other body than a full stop.
#[test]
fn the_clients_find_a_server_that_they_know() {
    let (_folder, server) = server();
    let other = get(server.address, "/healthz").expect(200);
    assert_eq!(
        (other.header("x-zep-version"), other.body.as_str()),
        (Some("0.27.2-hitherto"), r#"{"status":"ok"}"#)
    );
    let python =
        call(server.address, "GET", "/healthz", &["User-Agent: python-httpx/0.28.1"], b"").expect(200);
    assert_eq!((python.header("x-zep-version"), python.body.as_str()), (Some("0.27.2-hitherto"), "."));
}

#[test]
fn it_can_be_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.zep = false;
    let server = Serving::of(ChatMemory::embedded(folder.path().join("chat.db")).unwrap(), options);
    for path in ["", "/s", "/s/memory"] {
        get(server.address, &format!("{SESSIONS}{path}")).problem(404, "not_found");
    }
    let health =
        call(server.address, "GET", "/healthz", &["User-Agent: python-httpx/0.28.1"], b"").expect(200);
    assert_eq!((health.header("x-zep-version"), health.body.as_str()), (None, r#"{"status":"ok"}"#));
}
