//! Redis' commands over HTTP, as Upstash's clients send them.
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
mod support;

use process::Process;
use serde_json::{Value, json};
use support::{call, get, post};

fn command(process: &Process, path: &str, body: &Value) -> (u16, Value) {
    let answer = post(process.address, path, &body.to_string());
    (answer.status, answer.json())
}

#[test]
fn commands_pipelines_and_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    let human = r#"{"type":"human","data":{"content":"hi é","additional_kwargs":{},"response_metadata":{}}}"#;
    assert_eq!(command(&process, "/", &json!(["lpush", "s", human])), (200, json!({"result": 1})));
    assert_eq!(command(&process, "/", &json!(["LRANGE", "s", 0, -1])), (200, json!({"result": [human]})));
    assert_eq!(command(&process, "/", &json!(["expire", "s", 60])), (200, json!({"result": 1})));
    let (status, refused) = command(&process, "/", &json!(["set", "a", "b"]));
    assert_eq!(status, 400);
    assert!(refused["error"].as_str().unwrap().starts_with("ERR unknown command 'set'"), "{refused}");
    let (_, replies) = command(&process, "/pipeline", &json!([["llen", "s"], ["get", "s"], ["ttl", "none"]]));
    assert_eq!((&replies[0], &replies[2]), (&json!({"result": 1}), &json!({"result": -2})));
    assert!(replies[1]["error"].is_string());
    let (status, replies) =
        command(&process, "/multi-exec", &json!([["rpush", "t", "a"], ["rpush", "t", "b"], ["llen", "t"]]));
    assert_eq!((status, replies), (200, json!([{"result": 1}, {"result": 2}, {"result": 2}])));
    // One that is wrong, and none is carried out.
    let (status, refused) = command(&process, "/multi-exec", &json!([["rpush", "t", "c"], ["rpush"]]));
    assert_eq!(status, 400);
    assert!(refused["error"].as_str().unwrap().starts_with("EXECABORT"), "{refused}");
    assert_eq!(command(&process, "/", &json!(["llen", "t"])).1, json!({"result": 2}));
    assert_eq!(command(&process, "/", &json!(["del", "s", "t"])), (200, json!({"result": 2})));
}

#[test]
fn strings_may_be_wanted_in_base64() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    let headers = ["content-type: application/json", "upstash-encoding: base64", "authorization: Bearer any"];
    let send = |body: &str| call(process.address, "POST", "/", &headers, body.as_bytes()).body;
    assert_eq!(send(r#"["rpush","s","é"]"#), r#"{"result":1}"#);
    assert_eq!(send(r#"["lrange","s","0","-1"]"#), r#"{"result":["w6k="]}"#);
    assert_eq!(send(r#"["lindex","s",7]"#), r#"{"result":null}"#);
    assert_eq!(send(r#"["select",1]"#), r#"{"result":"OK"}"#);
}

#[test]
fn what_is_no_command_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    for (path, body) in
        [("/", "7"), ("/", "[]"), ("/", "[[1]"), ("/pipeline", r#"["llen","s"]"#), ("/multi-exec", "{}")]
    {
        let answer = post(process.address, path, body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert!(answer.json()["error"].as_str().unwrap().starts_with("ERR "), "{answer:?}");
    }
    let many = Value::from(vec![json!(["ping"]); 1001]);
    assert_eq!(command(&process, "/pipeline", &many).0, 400);
    // A page of another site cannot send this without being asked for permission.
    let from_a_page = ["origin: http://elsewhere", "content-type: text/plain"];
    assert_eq!(call(process.address, "POST", "/", &from_a_page, b"[\"dbsize\"]").status, 415);
}

#[test]
fn it_can_be_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &["--redis-rest", "off", "--motorhead", "off"]);
    assert_eq!(post(process.address, "/pipeline", "[]").status, 404);
    assert_eq!(post(process.address, "/", r#"["ping"]"#).status, 404);
    assert_eq!(get(process.address, "/healthz").status, 200);
}

/// Whoever gives up in the middle of a request is gone: its client is not counted for ever, and the turn that it began
/// holds nobody up.
#[test]
fn a_request_that_is_given_up_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    let human = |text: &str| json!({"type": "human", "data": {"content": text}}).to_string();
    let mut holder = hitherto_testkit::Client::connect(process.redis).unwrap();
    for number in 0..3 {
        // The turn that is open makes the request wait.
        holder.command(&["LPUSH", "s", &human("a question")]).unwrap();
        let mut wire = support::Wire::open(process.address);
        let body = json!(["lpush", "s", human(&number.to_string())]).to_string();
        wire.send(&support::request("POST", "/", &["content-type: application/json"], body.as_bytes()));
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop(wire);
    }
    let began = std::time::Instant::now();
    loop {
        let info = holder.command(&["INFO", "clients"]).unwrap().text();
        if info.contains("connected_clients:1\r\n") {
            break;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{info}");
        std::thread::yield_now();
    }
}
