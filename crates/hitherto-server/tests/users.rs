//! Users over HTTP and on the command line: whose a session is, which are whose, and erasing them all, on both stores.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "support/process.rs"]
mod process;
#[path = "support/serving.rs"]
mod serving;
#[path = "support/stores.rs"]
mod stores;
mod support;

use hitherto::summary::SummaryOptions;
use hitherto_server::Options;
use process::{Process, hitherto};
use serde_json::{Value, json};
use serving::Serving;
use stores::{Served, everywhere};
use support::{Answer, call, encoded, get, post};

fn all() -> Vec<Served> {
    everywhere(&SummaryOptions::default(), &Options::default(), &None)
}

fn say(server: &Serving, session: &str, user: Option<&str>) -> Answer {
    let mut body = json!({"messages": [{"role": "user", "content": "hi"}]});
    if let Some(user) = user {
        body["user"] = user.into();
    }
    post(server.address, &format!("/v1/sessions/{}/messages", encoded(session)), &body.to_string())
}

fn sessions(answer: &Answer) -> Vec<String> {
    let listed = answer.json();
    listed["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["session"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_session_has_the_user_of_its_first_append() {
    for served in all() {
        let (server, at) = (&served.server, served.server.address);
        say(server, "s", Some("zoë")).expect(201);
        say(server, "s", None).expect(201);
        say(server, "s", Some("zoë")).expect(201);
        let refused = say(server, "s", Some("ada")).problem(409, "user_mismatch");
        assert!(!refused.body.contains("zoë") && !refused.body.contains("ada"), "{}", refused.body);
        let known = get(at, "/v1/sessions/s").expect(200).json();
        assert_eq!((&known["user"], &known["messages"]), (&json!("zoë"), &json!(3)), "{}", served.kind);
        say(server, "t", None).expect(201);
        assert_eq!(get(at, "/v1/sessions/t").json().get("user"), None);
        post(at, "/v1/sessions/s/fork", r#"{"to":"copy"}"#).expect(201);
        assert_eq!(get(at, "/v1/sessions/copy").json()["user"], "zoë");
        for (user, code) in [
            (json!(""), "invalid_user"),
            (json!("x".repeat(513)), "invalid_user"),
            (json!(7), "invalid_field"),
        ] {
            let body = json!({"messages": [{"role": "user", "content": "hi"}], "user": user});
            post(at, "/v1/sessions/new/messages", &body.to_string()).problem(400, code);
        }
        let null = json!({"messages": [{"role": "user", "content": "hi"}], "user": null});
        post(at, "/v1/sessions/null/messages", &null.to_string()).expect(201);
        assert_eq!(get(at, "/v1/sessions/new").status, 404);
    }
}

#[test]
fn sessions_are_listed_by_user() {
    for served in all() {
        let (server, at) = (&served.server, served.server.address);
        for user in ["a/b c", "a", "é"] {
            for number in 0..5 {
                say(server, &format!("{user}:{number}"), Some(user)).expect(201);
            }
        }
        let list = |user: &str, query: &str| get(at, &format!("/v1/users/{}/sessions{query}", encoded(user)));
        let mut found = sessions(&list("a/b c", "").expect(200));
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3, 4].map(|number| format!("a/b c:{number}")), "{}", served.kind);
        assert_eq!(sessions(&list("a", "?prefix=a:3").expect(200)), ["a:3"]);
        assert_eq!(list("nobody", "").expect(200).body, r#"{"sessions":[]}"#);
        let (mut all, mut query) = (Vec::new(), "?limit=2".to_owned());
        loop {
            let page = list("é", &query).expect(200);
            all.extend(sessions(&page));
            let Some(next) = page.json()["next_cursor"].as_str().map(str::to_owned) else { break };
            query = format!("?limit=2&cursor={next}");
        }
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4].map(|number| format!("é:{number}")));
        list("a", "?limit=0").problem(400, "invalid_parameter");
        list("a", "?cursor=zz").problem(400, "invalid_cursor");
        list("a", "?user=b").problem(400, "unknown_parameter");
        get(at, "/v1/users//sessions").problem(400, "invalid_user");
        get(at, "/v1/users/%ff/sessions").problem(400, "invalid_user");
        let long = get(at, &format!("/v1/users/{}/sessions", "x".repeat(513))).problem(400, "invalid_user");
        assert_eq!(long.json()["limit"], 512);
        call(at, "DELETE", "/v1/users/a/sessions", &[], b"").problem(405, "method_not_allowed");
    }
}

#[test]
fn erasing_gives_a_receipt() {
    for served in all() {
        let (server, at) = (&served.server, served.server.address);
        for number in 0..150 {
            say(server, &format!("s{number}"), Some("zoë")).expect(201);
        }
        say(server, "other", Some("ada")).expect(201);
        let erase = |user: &str| call(at, "DELETE", &format!("/v1/users/{}", encoded(user)), &[], b"");
        let (mut gone, mut receipt) = (0, Value::Null);
        // A slow machine may need more than one request.
        while receipt["done"] != true {
            receipt = erase("zoë").expect(200).json();
            gone += receipt["sessions"].as_u64().unwrap();
        }
        assert_eq!(
            (gone, &receipt["user"], &receipt["left"]),
            (150, &json!("zoë"), &json!(0)),
            "{}",
            served.kind
        );
        assert!(receipt["erased_at"].as_str().unwrap().ends_with('Z'));
        let again = erase("zoë").expect(200).json();
        assert_eq!(
            (&again["sessions"], &again["messages"], &again["bytes"], &again["done"]),
            (&json!(0), &json!(0), &json!(0), &json!(true))
        );
        assert_eq!(sessions(&get(at, "/v1/sessions")), ["other"]);
        assert_eq!(get(at, "/v1/sessions/s1").status, 404);
        erase("").problem(400, "invalid_user");
        call(at, "DELETE", "/v1/users/a?yes=1", &[], b"").problem(400, "unknown_parameter");
        call(at, "GET", "/v1/users/a", &[], b"").problem(405, "method_not_allowed");
    }
}

/// Zep's user of a session is the session's.
#[test]
fn zeps_user_is_the_sessions() {
    for served in all() {
        let at = served.server.address;
        post(at, "/api/v1/sessions", r#"{"session_id":"s","user_id":"ada","metadata":{"n":1}}"#).expect(201);
        let known = get(at, "/v1/sessions/s").expect(200).json();
        assert_eq!(
            (&known["user"], &known["metadata"]),
            (&json!("ada"), &json!({"n": 1})),
            "{}",
            served.kind
        );
        assert_eq!(get(at, "/api/v1/sessions/s").json()["user_id"], "ada");
        assert_eq!(sessions(&get(at, "/v1/users/ada/sessions")), ["s"]);
        call(at, "PATCH", "/api/v1/sessions/s", &["content-type: application/json"], br#"{"user_id":"zoe"}"#)
            .problem(409, "user_mismatch");
        call(
            at,
            "PATCH",
            "/api/v1/sessions/s",
            &["content-type: application/json"],
            br#"{"user_id":"ada","metadata":{"m":2}}"#,
        )
        .expect(200);
        assert_eq!(get(at, "/api/v1/sessions/s").json()["metadata"], json!({"n": 1, "m": 2}));
    }
}

/// The commands, on a file, and on a server of the same file; and what an export says of a user, an import keeps.
#[test]
fn commands_know_users() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let done = hitherto(folder.path()).args(arguments).output().unwrap();
        let out = String::from_utf8(done.stdout).unwrap();
        (done.status.success(), out, String::from_utf8(done.stderr).unwrap())
    };
    let ok = |arguments: &[&str]| {
        let (success, out, err) = run(arguments);
        assert!(success, "{arguments:?}: {out}{err}");
        out
    };
    ok(&["append", "a", "I am Zoë.", "--user", "zoë"]);
    ok(&["append", "b", "So am I.", "--user", "zoë"]);
    ok(&["append", "c", "I am nobody."]);
    let (success, _, err) = run(&["append", "a", "I am Ada.", "--user", "ada"]);
    assert!(!success && err.contains("another user"), "{err}");
    assert!(ok(&["show", "a"]).starts_with("a session of zoë\n\n"));
    assert_eq!(ok(&["sessions", "--user", "zoë", "--json"]).lines().count(), 2);
    assert!(ok(&["sessions"]).contains("USER"));
    let exported = ok(&["export", "--all"]);
    assert_eq!(exported.matches(r#","session_user":"zoë","#).count(), 2, "{exported}");
    std::fs::write(folder.path().join("all.jsonl"), &exported).unwrap();
    ok(&["import", "all.jsonl", "--db", "second.db"]);
    assert_eq!(ok(&["export", "--all", "--db", "second.db"]).lines().count(), 3);
    assert_eq!(ok(&["sessions", "--user", "zoë", "--json", "--db", "second.db"]).lines().count(), 2);
    let (success, _, err) = run(&["erase", "--yes"]);
    assert!(!success && err.contains("--user"), "{err}");
    let server = Process::start(folder.path(), &[]);
    let url = format!("http://{}", server.address);
    ok(&["append", "d", "Me too.", "--user", "zoë", "--server", &url]);
    assert_eq!(ok(&["sessions", "--user", "zoë", "--json", "--server", &url]).lines().count(), 3);
    let receipt: Value =
        serde_json::from_str(&ok(&["erase", "--user", "zoë", "--yes", "--json", "--server", &url])).unwrap();
    assert_eq!(
        (&receipt["sessions"], &receipt["messages"], &receipt["done"]),
        (&json!(3), &json!(3), &json!(true))
    );
    assert_eq!(ok(&["sessions", "--json"]).lines().count(), 1);
    assert_eq!(ok(&["erase", "--user", "zoë", "--yes"]), "erased zoë: 0 sessions with 0 messages\n");
    assert_eq!(
        ok(&["erase", "--user", "zoë", "--yes", "--db", "second.db"]),
        "erased zoë: 2 sessions with 2 messages\n"
    );
}
