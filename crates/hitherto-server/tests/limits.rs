//! What tenants are held to: requests a second, sessions, messages and bytes, at every door and on both stores.
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

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use hitherto_testkit::{Client, RedisServer, Reply, ServerKind, available};
use process::{Process, hitherto};
use serde_json::{Value, json};
use support::{Answer, call, get, post};

fn say(at: SocketAddr, session: &str, messages: usize) -> Answer {
    let messages = vec![json!({"role": "user", "content": "hi"}); messages];
    post(at, &format!("/v1/sessions/{session}/messages"), &json!({"messages": messages}).to_string())
}

fn clear(at: SocketAddr, session: &str) {
    call(at, "DELETE", &format!("/v1/sessions/{session}"), &[], b"").expect(200);
}

/// A server of each kind of store with these settings, and what it needs to live.
fn everywhere(arguments: &[&str], check: impl Fn(&Process)) {
    let folder = tempfile::tempdir().unwrap();
    check(&Process::start(folder.path(), arguments));
    if available().contains(&ServerKind::Redis7) {
        let redis = RedisServer::start(ServerKind::Redis7);
        let url = redis.url();
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--redis", &url]).collect();
        check(&Process::start(folder.path(), &arguments));
    }
}

/// The answer once there is room: a count that is under way, or that rests, is over soon.
fn room(ask: impl Fn() -> Answer) -> Answer {
    let began = std::time::Instant::now();
    loop {
        let answer = ask();
        if answer.status != 429 || began.elapsed() > std::time::Duration::from_secs(30) {
            return answer;
        }
    }
}

fn full(answer: Answer, what: &str, limit: u64) -> Answer {
    let answer = answer.problem(429, "tenant_full");
    assert_eq!((&answer.json()["what"], &answer.json()["limit"]), (&json!(what), &json!(limit)));
    let retry: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&retry));
    answer
}

/// To the message; a session that is there may grow where no other may be begun; reading goes on; clearing makes room.
#[test]
fn a_full_tenant_reads_and_clears() {
    everywhere(&["--tenant-sessions", "3", "--tenant-messages", "10"], |server| {
        let at = server.address;
        for session in ["a", "b", "c"] {
            say(at, session, 2).expect(201);
        }
        full(say(at, "d", 1), "sessions", 3);
        say(at, "a", 3).expect(201);
        full(say(at, "a", 2), "messages", 10);
        say(at, "a", 1).expect(201);
        full(say(at, "a", 1), "messages", 10);
        assert_eq!(get(at, "/v1/sessions/d").status, 404, "what was refused is not stored");
        assert_eq!(
            get(at, "/v1/sessions/a/messages").expect(200).json()["messages"].as_array().unwrap().len(),
            6
        );
        full(post(at, "/v1/sessions/b/fork", "{}"), "messages", 10);
        clear(at, "c");
        full(post(at, "/v1/sessions/a/fork", "{}"), "messages", 10);
        room(|| post(at, "/v1/sessions/b/fork", r#"{"to":"copy"}"#)).expect(201);
        full(say(at, "a", 1), "messages", 10);
        let limits = get(at, "/v1/limits").expect(200).json();
        assert_eq!(limits["sessions"], json!({"limit": 3, "used": 3}));
        assert_eq!(limits["messages"], json!({"limit": 10, "used": 10}));
        assert_eq!((&limits["tenant"], &limits["requests_per_second"]), (&json!("default"), &json!({})));
        assert!(limits["counted_at"].as_str().unwrap().ends_with('Z'));
        let key = ["content-type: application/json", "idempotency-key: k"];
        clear(at, "copy");
        // A repeat is stored once, and counts once; also where there is no room for anything new.
        let once = || {
            let body = br#"{"messages":[{"role":"user","content":"once"}]}"#;
            call(at, "POST", "/v1/sessions/a/messages", &key, body)
        };
        let first = room(once).expect(201);
        assert_eq!(once().expect(200).body, first.body);
        say(at, "a", 1).expect(201);
        full(say(at, "a", 1), "messages", 10);
        assert_eq!(once().expect(200).body, first.body);
        let other = ["content-type: application/json", "idempotency-key: other"];
        let body = br#"{"messages":[{"role":"user","content":"new"}]}"#;
        full(call(at, "POST", "/v1/sessions/a/messages", &other, body), "messages", 10);
    });
}

/// Bytes are those of the records, and what was there before the server started is counted before the first append.
#[test]
fn what_was_there_before_counts() {
    let folder = tempfile::tempdir().unwrap();
    let start = |arguments: &[&str]| Process::start(folder.path(), arguments);
    let server = start(&[]);
    say(server.address, "a", 100).expect(201);
    let used = get(server.address, "/v1/limits").expect(200).json()["bytes"]["used"].as_u64().unwrap();
    assert!(get(server.address, "/v1/limits").json()["bytes"].get("limit").is_none());
    server.signal("TERM");
    server.end();
    let one = used / 100;
    let server = start(&["--tenant-bytes", &(used + 2 * one).to_string()]);
    say(server.address, "b", 2).expect(201);
    full(say(server.address, "b", 1), "bytes", used + 2 * one);
    // A place keeps the header of its record.
    for seq in 1..=3 {
        call(server.address, "DELETE", &format!("/v1/sessions/a/messages/{seq}"), &[], b"").expect(204);
    }
    room(|| say(server.address, "b", 1)).expect(201);
}

/// A second's worth at once, and then no more until there is; the answer says when. Health is not counted.
#[test]
fn requests_are_counted_by_the_second() {
    everywhere(&["--tenant-requests-per-second", "5"], |server| {
        let at = server.address;
        let mut refused = None;
        // More than a slow machine lets through by the second.
        for _ in 0..1_000 {
            let answer = get(at, "/v1/sessions");
            if answer.status != 200 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("a thousand requests are too many").problem(429, "rate_limited");
        assert_eq!((refused.header("retry-after"), refused.json()["limit"].as_u64()), (Some("1"), Some(5)));
        assert_eq!(
            (refused.header("x-ratelimit-limit"), refused.header("x-ratelimit-remaining")),
            (Some("5"), Some("0"))
        );
        get(at, "/healthz").expect(200);
        get(at, "/openapi.json").expect(200);
    });
}

/// At the Redis port a full tenant is a server that is out of memory, which clients know: writes are refused, reads and
/// deletes are not. A request too many is an error of its own, in a transaction too.
#[test]
fn the_redis_port_says_it_in_its_own_words() {
    everywhere(&["--tenant-messages", "2"], |server| {
        let mut client = Client::connect(server.redis).unwrap();
        let mut ask = |command: &[&str]| client.command(command).unwrap();
        assert_eq!(ask(&["RPUSH", "s", "one", "two"]), Reply::Integer(2));
        let Reply::Error(error) = ask(&["RPUSH", "s", "three"]) else { panic!("it was let in") };
        assert!(error.starts_with("OOM the tenant is full: it has 2 messages of the 2"), "{error}");
        assert_eq!(ask(&["LLEN", "s"]), Reply::Integer(2));
        assert_eq!(ask(&["LRANGE", "s", "0", "-1"]).texts().len(), 2);
        assert_eq!(ask(&["DEL", "s"]), Reply::Integer(1));
        let began = std::time::Instant::now();
        while ask(&["RPUSH", "s", "three"]) != Reply::Integer(1) {
            assert!(began.elapsed().as_secs() < 30, "there was never any room");
        }
        let refused = post(server.address, "/", r#"["RPUSH","s","four","five"]"#).expect(400);
        assert!(refused.body.contains("OOM the tenant is full"), "{}", refused.body);
    });
    everywhere(&["--tenant-requests-per-second", "3"], |server| {
        let mut client = Client::connect(server.redis).unwrap();
        let mut ask = |command: &[&str]| client.command(command).unwrap();
        let too_many = |reply: &Reply| matches!(reply, Reply::Error(error) if error.starts_with("ERR max requests limit exceeded. Limit: 3 a second; try again in "));
        let mut let_in = 0;
        while !too_many(&ask(&["LLEN", "s"])) {
            let_in += 1;
            assert!(let_in < 1_000);
        }
        assert!(let_in >= 3);
        assert_eq!(
            ask(&["PING"]),
            Reply::Status("PONG".to_owned()),
            "who asks only whether it is there is answered"
        );
        assert_eq!(ask(&["MULTI"]), Reply::Status("OK".to_owned()));
        let mut queued = 0;
        while !too_many(&ask(&["RPUSH", "s", "x"])) {
            queued += 1;
            assert!(queued < 1_000);
        }
        let Reply::Error(error) = ask(&["EXEC"]) else { panic!("half a transaction was carried out") };
        assert!(error.starts_with("EXECABORT"), "{error}");
    });
}

/// Tenants have limits of their own in the settings file; a server shows them, and so does the command.
#[test]
fn a_tenant_has_limits_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    let mut file = std::fs::File::create(&settings).unwrap();
    file.write_all(
        b"tenant_sessions = 1\ntenant_requests_per_second = 1000\n[tenants.default]\ntenant_sessions = 2\ntenant_bytes = '1 MiB'\n",
    )
    .unwrap();
    let server = Process::start(folder.path(), &["--config", settings.to_str().unwrap()]);
    say(server.address, "a", 1).expect(201);
    say(server.address, "b", 1).expect(201);
    full(say(server.address, "c", 1), "sessions", 2);
    let url = format!("http://{}", server.address);
    let run = |arguments: &[&str]| {
        let done = hitherto(Path::new(folder.path())).args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(
        run(&["usage", "--server", &url]),
        "sessions: 2 of 2\nmessages: 2\nbytes: 126 of 1,048,576\nrequests a second: at most 1,000\n"
    );
    let usage: Value = serde_json::from_str(&run(&["usage", "--json"])).unwrap();
    assert_eq!((&usage["sessions"], &usage["tenant"]), (&json!({"used": 2}), &json!("default")));
}
