//! Motorhead's API: every endpoint and its shapes, and a test for everything that the original gets wrong.
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
#[path = "support/stores.rs"]
mod stores;
mod support;

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broken::Broken;
use hitherto::ChatMemory;
use hitherto::summary::{Api, ModelOptions, ModelSummariser, SummaryOptions};
use hitherto_server::Options;
use hitherto_testkit::{Behaviour, FakeModel, FaultProxy, RedisServer, ServerKind, available};
use serde_json::{Value, json};
use serving::Serving;
use stores::everywhere;
use support::{Answer, Wire, call, encoded, get, post, request};

fn server() -> (tempfile::TempDir, Serving) {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::embedded(&folder.path().join("chat.db"));
    (folder, server)
}

fn say(at: SocketAddr, session: &str, messages: &Value) -> Answer {
    post(at, &format!("/sessions/{session}/memory"), &json!({"messages": messages}).to_string())
}

/// Posts so many messages in one request, by turns `Human` and `AI`, numbered on from `first`.
fn many(at: SocketAddr, session: &str, first: u64, count: u64) {
    let messages: Vec<Value> = (first..first + count)
        .map(|number| {
            let role = if number % 2 == 1 { "Human" } else { "AI" };
            json!({"role": role, "content": format!("message {number}")})
        })
        .collect();
    assert_eq!(say(at, session, &messages.into()).expect(200).body, r#"{"status":"Ok"}"#);
}

fn memory(at: SocketAddr, session: &str) -> Value {
    get(at, &format!("/sessions/{session}/memory")).expect(200).json()
}

/// The numbers of the messages that [`many`] posted, as the list gives them.
fn numbers(memory: &Value) -> Vec<u64> {
    let number = |message: &Value| message["content"].as_str()?.strip_prefix("message ")?.parse().ok();
    memory["messages"].as_array().unwrap().iter().map(|message| number(message).unwrap()).collect()
}

/// That every message is in the log, and that the summary and the list cover all of them (I4).
#[track_caller]
fn nothing_is_lost(at: SocketAddr, session: &str, count: u64) {
    let log = get(at, &format!("/v1/sessions/{session}/messages?after=0&limit=1000")).expect(200).json();
    assert_eq!(log["last_seq"], count);
    assert_eq!(log["messages"].as_array().unwrap().len() as u64, count);
    let upto = get(at, &format!("/v1/sessions/{session}")).json()["summary_upto"].as_u64().unwrap_or(0);
    let listed = numbers(&memory(at, session));
    let expected: Vec<u64> = (*listed.last().unwrap()..=count).rev().collect();
    assert_eq!(listed, expected, "without gaps, newest first");
    assert!(*listed.last().unwrap() <= upto + 1, "summarised up to {upto}, listed {listed:?}");
}

#[test]
fn every_endpoint_has_the_shape_that_clients_read() {
    let (_folder, server) = server();
    let at = server.address;
    assert!(get(at, "/").expect(200).json()["now"].as_u64().unwrap() > 1_700_000_000_000);
    let empty = get(at, "/sessions/s1/memory").expect(200);
    assert_eq!(empty.body, r#"{"messages":[],"context":null,"tokens":0}"#);
    assert_eq!(empty.header("content-type"), Some("application/json"));
    assert_eq!(get(at, "/sessions").expect(200).body, "[]");
    let said =
        json!([{"role": "Human", "content": "I flew to Oslo"}, {"role": "AI", "content": "And back?"}]);
    let answer = say(at, "s1", &said).expect(200);
    assert_eq!(
        (answer.body.as_str(), answer.header("content-type")),
        (r#"{"status":"Ok"}"#, Some("application/json"))
    );
    assert_eq!(
        get(at, "/sessions/s1/memory").expect(200).body,
        r#"{"messages":[{"role":"AI","content":"And back?"},{"role":"Human","content":"I flew to Oslo"}],"context":null,"tokens":0}"#
    );
    let found = post(at, "/sessions/s1/retrieval", r#"{"text":"flew"}"#).expect(200).json();
    assert_eq!((&found[0]["role"], &found[0]["content"]), (&json!("Human"), &json!("I flew to Oslo")));
    assert!((0.0..1.0).contains(&found[0]["dist"].as_f64().unwrap()) && found.get(1).is_none(), "{found}");
    assert_eq!(get(at, "/sessions").expect(200).body, r#"["s1"]"#);
    assert_eq!(call(at, "DELETE", "/sessions/s1/memory", &[], b"").expect(200).body, r#"{"status":"Ok"}"#);
    assert_eq!(call(at, "DELETE", "/sessions/s1/memory", &[], b"").expect(200).body, r#"{"status":"Ok"}"#);
    assert_eq!(get(at, "/sessions/s1/memory").expect(200).body, empty.body);
    assert_eq!(post(at, "/sessions/s1/retrieval", r#"{"text":"flew"}"#).expect(200).body, "[]");
}

/// Motorhead keeps `Role: content` and splits it at the first `: `.
#[test]
fn roles_and_contents_come_back_as_they_were_sent() {
    let (_folder, server) = server();
    let sent = [
        r#"{"role":"Dr. Who: the 2nd","content":"a: b"}"#,
        r#"{"role":"","content":""}"#,
        r#"{"role":"Human","content":"half \ud83d, nul \u0000, \/ é 😀\n"}"#,
        r#"{"role":"\u0041I","content":"x"}"#,
    ];
    let odd = r#"{ "content" : "turned", "extra":[1e999], "role":"System" }"#;
    post(server.address, "/sessions/s/memory", &format!("{{\"messages\":[{},{odd}]}}", sent.join(", ")))
        .expect(200);
    let expected: Vec<&str> =
        [r#"{"role":"System","content":"turned"}"#].into_iter().chain(sent.into_iter().rev()).collect();
    assert_eq!(
        get(server.address, "/sessions/s/memory").expect(200).body,
        format!("{{\"messages\":[{}],\"context\":null,\"tokens\":0}}", expected.join(","))
    );
}

/// What the real server gave back was recorded: `crates/hitherto-testkit/layouts/motorhead.json`.
#[test]
fn conversations_read_as_the_real_server_gave_them() {
    let (_folder, server) = server();
    let recorded: Value =
        serde_json::from_str(include_str!("../../hitherto-testkit/layouts/motorhead.json")).unwrap();
    for scenario in ["conversation", "weird_session"] {
        let readback = &recorded["scenarios"][scenario]["readback"];
        let mut messages = readback["messages"].as_array().unwrap().clone();
        messages.reverse();
        assert!(!messages.is_empty());
        say(server.address, scenario, &messages.into()).expect(200);
        assert_eq!(memory(server.address, scenario), *readback, "{scenario}");
    }
}

#[test]
fn messages_of_other_clients_are_told_in_motorheads_words() {
    let (_folder, server) = server();
    let body = r#"{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"hi"}]},
        {"role":"assistant","content":null,"tool_calls":[]},{"role":"tool","content":"7","tool_call_id":"c"}]}"#;
    post(server.address, "/v1/sessions/s/messages", body).expect(201);
    assert_eq!(
        memory(server.address, "s")["messages"],
        json!([
            {"role": "Tool", "content": "7"},
            {"role": "AI", "content": ""},
            {"role": "Human", "content": "hi"},
            {"role": "System", "content": "be brief"},
        ])
    );
}

#[test]
fn an_id_stands_in_the_path_as_it_is() {
    let (_folder, server) = server();
    let at = server.address;
    for (path, id) in [
        ("tenant:42/zo%C3%AB%20{a}%201", "tenant:42/zoë {a} 1"),
        ("a/memory/b", "a/memory/b"),
        ("memory", "memory"),
        ("retrieval", "retrieval"),
        ("50%", "50%"),
        ("a%2Fb", "a/b"),
        ("/", "/"),
        ("..", ".."),
    ] {
        many(at, path, 1, 1);
        assert_eq!(numbers(&memory(at, path)), [1], "{path}");
        let other = get(at, &format!("/v1/sessions/{}/messages", encoded(id))).expect(200).json();
        assert_eq!((&other["session"], &other["last_seq"]), (&json!(id), &json!(1)));
        assert_eq!(
            post(at, &format!("/sessions/{path}/retrieval"), r#"{"text":"x"}"#).expect(200).body,
            "[]"
        );
    }
    get(at, "/sessions//memory").problem(400, "invalid_session_id");
    post(at, "/sessions//retrieval", "{}").problem(400, "invalid_session_id");
    get(at, "/sessions/%ff/memory").problem(400, "invalid_session_id");
    get(at, &format!("/sessions/{}/memory", "x".repeat(513))).problem(414, "session_id_too_long");
    for path in
        ["/sessions/", "/sessions/s", "/sessions/s/memory/", "/sessions/memory", "/sessions/s/retrieval"]
    {
        get(at, path).problem(404, "not_found");
    }
    call(at, "PUT", "/sessions/s/memory", &[], b"").problem(405, "method_not_allowed");
}

#[test]
fn what_is_wrong_is_said_and_stores_nothing() {
    let (_folder, server) = server();
    let at = server.address;
    let check = |body: &str, status, code: &str| {
        drop(post(at, "/sessions/s/memory", body).problem(status, code));
    };
    check(r#"{"messages":[]}"#, 400, "nothing_to_do");
    check(r#"{"messages":[],"context":"x"}"#, 400, "nothing_to_do");
    check("{}", 400, "missing_field");
    check("", 400, "invalid_json");
    check("[]", 400, "invalid_json");
    check(r#"{"messages":{}}"#, 400, "invalid_field");
    check(r#"{"messages":[{"role":"Human","content":"x"}],"context":7}"#, 400, "invalid_field");
    for message in [
        "7",
        "null",
        r#"{"role":"Human"}"#,
        r#"{"content":"x"}"#,
        r#"{"role":7,"content":"x"}"#,
        r#"{"role":"Human","content":null}"#,
        r#"{"role":"Human","content":["x"]}"#,
        r#"{"role":"a","role":"b","content":"x"}"#,
    ] {
        let body = format!(r#"{{"messages":[{{"role":"Human","content":"x"}},{message}]}}"#);
        let answer = post(at, "/sessions/s/memory", &body).problem(400, "invalid_message");
        assert_eq!(answer.json()["index"], 1, "{answer:?}");
    }
    let long = "x".repeat(65_537);
    check(
        &json!({"messages": [{"role": "a", "content": "x"}], "context": long}).to_string(),
        413,
        "summary_too_large",
    );
    let many = vec![json!({"role": "Human", "content": "x"}); 1001];
    check(&json!({"messages": many}).to_string(), 413, "too_many_messages");
    let namespace = format!("/sessions/s/memory?namespace={}", "n".repeat(129));
    get(at, &namespace).problem(400, "invalid_parameter");
    post(at, "/sessions/s/retrieval", "{}").problem(400, "missing_field");
    post(at, "/sessions/s/retrieval", r#"{"text":7}"#).problem(400, "invalid_field");
    get(at, "/v1/sessions/s").problem(404, "session_not_found");
}

#[test]
fn sessions_are_listed_oldest_first_in_pages() {
    let (_folder, server) = server();
    let at = server.address;
    for number in 1..=12 {
        many(at, &format!("s{number}"), 1, 1);
        // So that no two are of the same moment.
        let now = || get(at, "/").json()["now"].as_u64().unwrap();
        let before = now();
        while now() == before {}
    }
    many(at, "s3", 2, 1);
    let list = |query: &str| -> Vec<String> {
        let answer = get(at, &format!("/sessions{query}")).expect(200).json();
        answer.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let all = ["s1", "s2", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s3"];
    assert_eq!(list(""), all[..10]);
    assert_eq!(list("?page=2"), all[10..]);
    assert_eq!(list("?page=3&size=5"), all[10..]);
    assert_eq!(list("?size=1000"), all);
    assert_eq!(list("?page=100&size=1000"), [""; 0]);
    assert_eq!(list("?namespace=other"), [""; 0]);
    let answer = get(at, "/sessions?page=101").expect(400);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"), "{answer:?}");
    for query in ["?page=0", "?page=-1", "?page=x", "?size=0", "?size=1001"] {
        get(at, &format!("/sessions{query}")).problem(400, "invalid_parameter");
    }
}

/// In Motorhead a namespace is a label on the list only: the sessions are shared.
#[test]
fn namespaces_are_kept_apart() {
    let (_folder, server) = server();
    let at = server.address;
    let path = |namespace: &str| format!("s/memory{namespace}");
    let say = |namespace: &str, content: &str| {
        let body = json!({"messages": [{"role": "Human", "content": content}]}).to_string();
        post(at, &format!("/sessions/{}", path(namespace)), &body).expect(200);
    };
    let said = |namespace: &str| {
        let found = get(at, &format!("/sessions/{}", path(namespace))).expect(200).json();
        found["messages"].as_array().unwrap().iter().map(|one| one["content"].clone()).collect::<Vec<_>>()
    };
    say("?namespace=a", "apple");
    say("?namespace=b%20b", "banana");
    say("", "cherry");
    say("?namespace=", "date");
    assert_eq!(said("?namespace=a"), ["apple"]);
    assert_eq!(said("?namespace=b+b"), ["banana"]);
    assert_eq!(said(""), ["date", "cherry"]);
    assert_eq!(said("?namespace=c"), [""; 0]);
    // Without a namespace it is the session of all other doors.
    assert_eq!(get(at, "/v1/sessions/s/messages").json()["last_seq"], 2);
    let found = |namespace: &str, text: &str| {
        let body = json!({"text": text}).to_string();
        post(at, &format!("/sessions/s/retrieval{namespace}"), &body)
            .expect(200)
            .json()
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(
        (found("?namespace=a", "apple"), found("", "apple"), found("?namespace=b%20b", "apple")),
        (1, 0, 0)
    );
    assert_eq!(get(at, "/sessions?namespace=a").body, r#"["s"]"#);
    call(at, "DELETE", "/sessions/s/memory?namespace=a", &[], b"").expect(200);
    assert_eq!((said("?namespace=a"), get(at, "/sessions?namespace=a").body), (vec![], "[]".to_owned()));
    assert_eq!(said("?namespace=b%20b"), ["banana"]);
}

/// Motorhead, with its window of 12: 7 summarised, 7 kept, 26 gone.
#[test]
fn forty_messages_at_once_are_all_kept() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        let at = served.server.address;
        many(at, "s", 1, 40);
        nothing_is_lost(at, "s", 40);
        assert_eq!(numbers(&memory(at, "s")).len(), 40, "nothing is summarised yet, so all are listed");
        post(at, "/v1/sessions/s/fold", "").expect(200);
        nothing_is_lost(at, "s", 40);
        let found = memory(at, "s");
        assert_eq!(
            numbers(&found),
            (21..=40).rev().collect::<Vec<u64>>(),
            "{}: the window of ten turns",
            served.kind
        );
        assert!(!found["context"].as_str().unwrap().is_empty());
        assert!(found["tokens"].as_u64().unwrap() > 0);
    }
}

fn model(fake: &FakeModel) -> stores::Other {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = ModelOptions::new(Api::OpenAi, &fake.openai(), "some-model").key(fake.key());
    Some(Arc::new(ModelSummariser::new(options).unwrap()))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Motorhead cuts its list by place when the model has answered: whatever came meanwhile is gone.
#[test]
fn messages_that_arrive_during_a_slow_summary_are_all_kept() {
    let fake = FakeModel::start();
    fake.always(Behaviour::says("They counted."));
    for (round, served) in
        everywhere(&SummaryOptions::default(), &Options::default(), &model(&fake)).iter().enumerate()
    {
        let at = served.server.address;
        many(at, "s", 1, 30);
        let hold = fake.hold();
        let mut wire = Wire::open(at);
        wire.send(&request("POST", "/v1/sessions/s/fold", &[], b""));
        runtime().block_on(fake.until_requests(round + 1));
        many(at, "s", 31, 20);
        nothing_is_lost(at, "s", 50);
        drop(hold);
        let folded = wire.answer().unwrap().expect(200).json();
        assert_eq!(folded["summary"]["text"], "They counted.");
        nothing_is_lost(at, "s", 50);
        assert_eq!(memory(at, "s")["context"], "They counted.", "{}", served.kind);
    }
}

/// Motorhead puts "NONE" in the place of the summary that it had.
#[test]
fn a_model_that_says_none_changes_nothing() {
    let fake = FakeModel::start();
    let mut options = SummaryOptions::default();
    options.stand_in_after = 0;
    for served in everywhere(&options, &Options::default(), &model(&fake)) {
        let at = served.server.address;
        fake.next(Behaviour::says("They counted."));
        many(at, "s", 1, 30);
        post(at, "/v1/sessions/s/fold", "").expect(200);
        many(at, "s", 31, 10);
        fake.next(Behaviour::says("NONE"));
        post(at, "/v1/sessions/s/fold", "").problem(502, "summariser_failed");
        assert_eq!(memory(at, "s")["context"], "They counted.", "{}", served.kind);
        nothing_is_lost(at, "s", 40);
    }
}

/// What the library logs while this test program runs, line by line.
struct Lines(Arc<Mutex<Sender<String>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Nobody listens once the test that reads them has ended.
        let _ = self.0.lock().unwrap().send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log_lines() -> Receiver<String> {
    let (send, lines) = channel();
    let send = Arc::new(Mutex::new(send));
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || Lines(Arc::clone(&send)))
        .init();
    lines
}

/// Motorhead logs nothing, asks again at nearly every write, and its list grows.
#[test]
fn a_model_that_is_down_is_logged_and_left_alone_and_the_list_is_whole() {
    let lines = log_lines();
    let fake = FakeModel::start();
    fake.always(Behaviour::status(503));
    let mut options = SummaryOptions::default();
    options.stand_in_after = 0;
    options.retry_first = Duration::from_secs(3600);
    options.retry_most = Duration::from_secs(3600);
    let folder = tempfile::tempdir().unwrap();
    let memory_of_all = ChatMemory::embedded(folder.path().join("chat.db")).unwrap();
    let memory_of_all = memory_of_all.with_summaries(options, model(&fake).unwrap(), None);
    let runtime = runtime();
    let worker = runtime.block_on(async { memory_of_all.start_worker().unwrap() });
    let server = Serving::of(memory_of_all, Options::default());
    let at = server.address;
    many(at, "down-session", 1, 30);
    let line = loop {
        let line = lines.recv_timeout(Duration::from_secs(30)).expect("a line about the session");
        if line.contains("down-session") {
            break line;
        }
    };
    assert!(line.contains("WARN") && line.contains("503") && line.contains("not folded"), "{line}");
    assert!(!line.contains("message 1"), "{line}");
    let asked = fake.counts().requests;
    for number in 31..=60 {
        many(at, "down-session", number, 1);
    }
    // Another session is folded by the same worker, so the worker has looked since.
    fake.next(Behaviour::says("They counted."));
    many(at, "other", 1, 30);
    runtime.block_on(fake.until_requests(asked + 1));
    runtime.block_on(worker.stop(Duration::from_secs(20)));
    assert_eq!(fake.counts().requests, asked + 1, "one for the other session, none for this one");
    assert_eq!(numbers(&memory(at, "down-session")), (1..=60).rev().collect::<Vec<u64>>());
    nothing_is_lost(at, "down-session", 60);
}

/// Motorhead opens a connection to Redis for every request.
#[test]
fn one_connection_to_the_store_serves_many_requests() {
    if !available().contains(&ServerKind::Redis7) {
        return;
    }
    let redis = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(redis.addr());
    let memory = ChatMemory::redis(&redis.url_via(proxy.addr())).unwrap();
    let server = Serving::of(memory, Options::default());
    let at = server.address;
    let clients: Vec<_> = (0..4)
        .map(|client| {
            std::thread::spawn(move || {
                for number in 1..=25 {
                    many(at, &format!("s{client}"), number, 1);
                    get(at, &format!("/sessions/s{client}/memory")).expect(200);
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    assert_eq!(get(at, "/sessions").expect(200).json().as_array().unwrap().len(), 4);
    assert_eq!(proxy.stats().connections, 1);
    assert!(proxy.stats().round_trips >= 50, "{:?}", proxy.stats());
}

/// Two Motorheads summarise the same session at the same time.
#[test]
fn of_two_replicas_one_summarises() {
    if !available().contains(&ServerKind::Redis7) {
        return;
    }
    let redis = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(redis.addr());
    let fake = FakeModel::start();
    fake.always(Behaviour::says("They counted."));
    let replica = |url: String| {
        let memory = ChatMemory::redis(&url).unwrap();
        let summariser = model(&fake).unwrap();
        Serving::of(memory.with_summaries(SummaryOptions::default(), summariser, None), Options::default())
    };
    let (one, other) = (replica(redis.url()), replica(redis.url_via(proxy.addr())));
    many(one.address, "s", 1, 30);
    let hold = fake.hold();
    let fold = |at| {
        let mut wire = Wire::open(at);
        wire.send(&request("POST", "/v1/sessions/s/fold", &[], b""));
        wire
    };
    let mut first = fold(one.address);
    let runtime = runtime();
    runtime.block_on(fake.until_requests(1));
    let before = proxy.stats().round_trips;
    let mut second = fold(other.address);
    // Describing the session, looking at it, asking for the lease: and again, for it was refused.
    runtime.block_on(proxy.until(|stats| stats.round_trips >= before + 5));
    drop(hold);
    for wire in [&mut first, &mut second] {
        assert_eq!(wire.answer().unwrap().expect(200).json()["summary"]["text"], "They counted.");
    }
    assert_eq!(fake.counts().requests, 1);
    for at in [one.address, other.address] {
        assert_eq!(memory(at, "s")["context"], "They counted.");
        nothing_is_lost(at, "s", 30);
    }
}

#[test]
fn a_context_that_is_sent_stands_for_what_was_there_before() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        let at = served.server.address;
        let send = |context: Value, content: &str, headers: &[&str]| {
            let body =
                json!({"messages": [{"role": "Human", "content": content}], "context": context}).to_string();
            call(at, "POST", "/sessions/s/memory", headers, body.as_bytes()).expect(200);
        };
        let listed = || {
            let found = memory(at, "s");
            let said = found["messages"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["content"].clone())
                .collect::<Vec<_>>();
            (found["context"].clone(), said)
        };
        let upto = || get(at, "/v1/sessions/s").json()["summary_upto"].as_u64().unwrap();
        // The session begins with it: it stands for no message.
        send(json!("They met before."), "one", &[]);
        assert_eq!(listed(), (json!("They met before."), vec![json!("one")]), "{}", served.kind);
        assert!(memory(at, "s")["tokens"].as_u64().unwrap() > 0);
        let elsewhere = get(at, "/v1/sessions/s/context").expect(200).json();
        assert_eq!(elsewhere["summary"]["text"], "They met before.");
        let log = get(at, "/v1/sessions/s/messages").expect(200).json();
        assert_eq!(
            (log["messages"].as_array().unwrap().len(), log["unreadable"].is_null()),
            (1, true),
            "{log}"
        );
        assert_eq!(upto() + 1, log["first_seq"].as_u64().unwrap());
        for none in [Value::Null, json!(""), json!("NONE")] {
            send(none, "more", &[]);
            assert_eq!(listed().0, "They met before.");
        }
        let last = get(at, "/v1/sessions/s").json()["last_seq"].as_u64().unwrap();
        send(json!("They met twice."), "five", &["Idempotency-Key: k"]);
        assert_eq!((listed().0, upto()), (json!("They met twice."), last));
        // A repeat does not move it over what it does not stand for.
        send(json!("They met twice."), "five", &["Idempotency-Key: k"]);
        assert_eq!((listed().0, upto()), (json!("They met twice."), last));
        assert_eq!(listed().1, ["five", "more", "more", "more", "one"]);
    }
}

#[test]
fn a_repeat_is_stored_once_with_a_key_and_twice_without() {
    let (_folder, server) = server();
    let at = server.address;
    let body = br#"{"messages":[{"role":"Human","content":"x"}]}"#;
    for _ in 0..2 {
        call(at, "POST", "/sessions/with/memory", &["Idempotency-Key: k"], body).expect(200);
        call(at, "POST", "/sessions/without/memory", &[], body).expect(200);
    }
    let count = |session| memory(at, session)["messages"].as_array().unwrap().len();
    assert_eq!((count("with"), count("without")), (1, 2));
    let other = br#"{"messages":[{"role":"Human","content":"y"}]}"#;
    call(at, "POST", "/sessions/with/memory", &["Idempotency-Key: k"], other)
        .problem(422, "idempotency_key_reused");
}

#[test]
fn the_ten_nearest_come_nearest_first() {
    let (_folder, server) = server();
    let at = server.address;
    let messages: Vec<Value> = (1..=300)
        .map(|number| {
            let content = match number {
                7 => "The zebra was stolen.".to_owned(),
                250 => "Zebras! Zebras, zebras.".to_owned(),
                _ => format!(
                    "The meeting number {number} is about {}.",
                    if number % 20 == 0 { "budgets" } else { "x" }
                ),
            };
            json!({"role": "Human", "content": content})
        })
        .collect();
    say(at, "s", &messages.into()).expect(200);
    let found = |text: &str| {
        let answer = post(at, "/sessions/s/retrieval", &json!({"text": text}).to_string()).expect(200).json();
        let found = answer.as_array().unwrap().clone();
        let dists: Vec<f64> = found.iter().map(|one| one["dist"].as_f64().unwrap()).collect();
        assert!(dists.is_sorted() && dists.iter().all(|dist| (0.0..1.0).contains(dist)), "{dists:?}");
        found.into_iter().map(|one| one["content"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("Where is the zebra?")[..2], ["Zebras! Zebras, zebras.", "The zebra was stolen."]);
    let budgets = found("budget");
    assert_eq!(budgets.len(), 10);
    assert_eq!(budgets[0], "The meeting number 300 is about budgets.");
    assert_eq!(found("unicorn"), [""; 0]);
    assert_eq!(found(""), [""; 0]);
}

#[test]
fn a_store_that_hangs_is_waited_for_no_longer_than_the_deadline() {
    let mut options = Options::default();
    options.deadline = Duration::from_millis(100);
    let server = Serving::store(Arc::new(Broken::Hangs), options);
    let message = r#"{"messages":[{"role":"Human","content":"x"}],"context":"y"}"#;
    for (method, path, body) in [
        ("GET", "/sessions", ""),
        ("GET", "/sessions/s/memory", ""),
        ("POST", "/sessions/s/memory", message),
        ("DELETE", "/sessions/s/memory", ""),
        ("POST", "/sessions/s/retrieval", r#"{"text":"x"}"#),
        ("GET", "/api/v1/sessions", ""),
        ("GET", "/api/v1/sessions/s", ""),
        ("GET", "/api/v1/sessions/s/memory", ""),
        ("PATCH", "/api/v1/sessions/s", r#"{"metadata":{"a":1}}"#),
        ("POST", "/api/v1/sessions", r#"{"session_id":"s"}"#),
        ("POST", "/api/v1/sessions/s/search", r#"{"text":"x"}"#),
    ] {
        call(server.address, method, path, &[], body.as_bytes()).problem(504, "deadline_exceeded");
    }
}

#[test]
fn it_can_be_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.motorhead = false;
    let server = Serving::of(ChatMemory::embedded(folder.path().join("chat.db")).unwrap(), options);
    for path in ["/", "/sessions", "/sessions/s/memory"] {
        get(server.address, path).problem(404, "not_found");
    }
    post(server.address, "/sessions/s/retrieval", "{}").problem(404, "not_found");
    get(server.address, "/healthz").expect(200);
}
