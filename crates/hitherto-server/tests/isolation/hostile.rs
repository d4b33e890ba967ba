//! Ids as odd as they come, at every door: each is its own session of its own tenant, or is refused; nothing else.

use hitherto_testkit::Reply;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::encoded;
use crate::tenants::{Served, Tenant};

/// Ids that would meet others if they were put into a key, a path or a pattern as they are.
fn ids() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(":".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("/".to_owned()),
        Just("*".to_owned()),
        Just("?".to_owned()),
        Just("[a]".to_owned()),
        Just("\\".to_owned()),
        Just("%".to_owned()),
        Just("%2F".to_owned()),
        Just("\0".to_owned()),
        Just("\r\n".to_owned()),
        Just(" ".to_owned()),
        Just("..".to_owned()),
        Just("/memory".to_owned()),
        Just("/search".to_owned()),
        Just("message_store:".to_owned()),
        Just("agents:session:".to_owned()),
        Just(":messages".to_owned()),
        Just("4:acme:12:chat_history:".to_owned()),
        Just("}:log".to_owned()),
        Just("' OR 1=1 --".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("é".to_owned()),
        "[a-z0-9]{1,4}",
        any::<char>().prop_map(String::from),
    ];
    prop_oneof![
        20 => prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat()),
        1 => (500_usize..530).prop_map(|length| "x".repeat(length)),
        1 => Just("é".repeat(5_000)),
        1 => Just("*".repeat(10_000)),
    ]
}

/// What a tenant says into a session over each door; whether the door took it.
fn say(who: &Tenant, id: &str, secret: &str) -> Vec<bool> {
    let path = encoded(id);
    let body = json!({"messages": [{"role": "user", "content": secret}]}).to_string();
    let element = json!({"type": "human", "data": {"content": secret}}).to_string();
    let own = who.call("POST", &format!("/v1/sessions/{path}/messages"), &body).status;
    let motorhead = who.call("POST", &format!("/sessions/{path}/memory"), &body).status;
    let zep = who.call("POST", &format!("/api/v1/sessions/{path}/memory"), &body).status;
    let key = format!("message_store:{id}");
    let rest = who.call("POST", "/", &json!(["LPUSH", key, element]).to_string()).status;
    let port = who.client().command(&["LPUSH", key.as_str(), &element]).unwrap();
    let port = !matches!(port, Reply::Error(_));
    vec![own == 201, motorhead == 200, zep == 200, rest == 200, port]
}

/// Everything that is seen of a session over each door.
fn seen(who: &Tenant, id: &str) -> String {
    let path = encoded(id);
    let find = json!({"text": "classified"}).to_string();
    let mut all = Vec::new();
    for (method, path, body) in [
        ("GET", format!("/v1/sessions/{path}"), ""),
        ("GET", format!("/v1/sessions/{path}/messages"), ""),
        ("GET", format!("/v1/sessions/{path}/context"), ""),
        ("GET", format!("/v1/sessions?prefix={path}"), ""),
        ("GET", format!("/sessions/{path}/memory"), ""),
        ("POST", format!("/sessions/{path}/retrieval"), find.as_str()),
        ("GET", "/sessions".to_owned(), ""),
        ("GET", format!("/api/v1/sessions/{path}/memory"), ""),
        ("POST", format!("/api/v1/sessions/{path}/search"), find.as_str()),
        ("GET", format!("/api/v1/sessions/{path}"), ""),
    ] {
        all.push(who.call(method, &path, body).body);
    }
    let mut client = who.client();
    for line in
        [["LRANGE", id, "0", "-1"].as_slice(), &["KEYS", "*"], &["EXISTS", id], &["LLEN", id], &["SCAN", "0"]]
    {
        all.push(format!("{:?}", client.command(line).unwrap()));
        all.push(who.call("POST", "/", &json!(line).to_string()).body);
    }
    all.join("\n")
}

#[test]
fn odd_ids_belong_to_their_tenant_at_every_door() {
    let served = Served::new();
    // Names of tenants that would meet if they were written beside ids.
    let (owner, intruder) = (served.token("acme", "read,write"), served.token("acme:1:a", "read,write"));
    intruder.say("bystander", "own");
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    runner
        .run(&ids(), |id| {
            let before = seen(&intruder, &id);
            let taken = say(&owner, &id, "classified");
            let all_or_none = taken.iter().all(|took| *took) || !taken.iter().any(|took| *took);
            // One id is too long, or none, for all doors alike; with a slash at its end, or before what ends a path, it
            // is another path to some.
            let plain = !id.contains('/') && id.len() < 490 && id != "." && id != ".." && !id.is_empty();
            prop_assert!(all_or_none || !plain, "{taken:?}");
            if id.len() > 600 || id.is_empty() {
                prop_assert!(!taken[0], "{taken:?}");
            }
            let after = seen(&intruder, &id);
            prop_assert_eq!(comparable(&after), comparable(&before));
            // What the intruder clears is its own, which it has not.
            let mine = owner.everything();
            for path in ["/v1/sessions/", "/sessions/", "/api/v1/sessions/"] {
                let end = if path.starts_with("/v1") { "" } else { "/memory" };
                intruder.call("DELETE", &format!("{path}{}{end}", encoded(&id)), "");
            }
            let mut client = intruder.client();
            client.command(&["DEL", id.as_str(), &format!("message_store:{id}")]).unwrap();
            client.command(&["EXPIRE", id.as_str(), "-1"]).unwrap();
            prop_assert_eq!(owner.everything(), mine);
            for session in
                owner.call("GET", "/v1/sessions?limit=1000", "").json()["sessions"].as_array().unwrap()
            {
                let id = encoded(session["session"].as_str().unwrap());
                owner.call("DELETE", &format!("/v1/sessions/{id}"), "");
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(intruder.everything().len(), 1);
}

/// What is seen, without the one number that is new each time.
fn comparable(seen: &str) -> String {
    let lines = seen.lines().filter(|line| !line.contains("\"now\""));
    lines.collect::<Vec<_>>().join("\n")
}
