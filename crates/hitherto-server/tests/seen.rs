//! What a running server shows of itself: request ids, metrics, log lines, and health on good and bad days.
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
#[path = "support/process.rs"]
mod process;
#[path = "support/serving.rs"]
mod serving;
mod support;

use std::fs::File;
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broken::Broken;
use hitherto::ChatMemory;
use hitherto::summary::{Extractive, SummaryOptions};
use hitherto_server::Options;
use hitherto_testkit::{Client, RedisServer, Reply, ServerKind};
use process::{Process, hitherto};
use serde_json::Value;
use serving::Serving;
use support::{Answer, Wire, call, get, post, request};

const MESSAGES: &str = "/v1/sessions/s/messages";
const ONE: &str = r#"{"messages":[{"role":"user","content":"hello"}]}"#;

/// A server whose log is in a file.
fn logged(folder: &Path, arguments: &[&str]) -> Process {
    let mut command = hitherto(folder);
    command.args(["serve", "--listen", "127.0.0.1:0", "--resp-listen", "127.0.0.1:0"]).args(arguments);
    command.stderr(File::create(folder.join("log")).unwrap());
    Process::launch(command)
}

/// What it logged, once it has ended.
fn log_of(process: Process, folder: &Path) -> String {
    process.signal("TERM");
    assert_eq!(process.end().0, Some(0));
    std::fs::read_to_string(folder.join("log")).unwrap()
}

/// Where a server with `--metrics-listen` has its metrics.
fn watched(process: &mut Process) -> SocketAddr {
    let mut line = String::new();
    process.out.read_line(&mut line).unwrap();
    let (_, rest) = line.split_once("http://").unwrap_or_else(|| panic!("{line:?}"));
    rest.split('/').next().unwrap().parse().unwrap()
}

/// The value of a sample.
#[track_caller]
fn sample(page: &Answer, name: &str) -> f64 {
    let found = page.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("{name} is not in {}", page.body)).parse().unwrap()
}

fn id(answer: &Answer) -> String {
    answer.header("x-request-id").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[test]
fn every_answer_has_the_id_of_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::embedded(&folder.path().join("chat.db"));
    let ask = |path: &str, headers: &[&str]| call(server.address, "GET", path, headers, b"");
    let (one, other) = (id(&ask(MESSAGES, &[])), id(&ask(MESSAGES, &[])));
    assert_eq!((one.len(), one == other), (36, false));
    assert_eq!(id(&ask(MESSAGES, &["x-request-id: mine-1"])), "mine-1");
    // Also where there is nothing, and in what an error says.
    let lost = ask("/nowhere", &["x-request-id: mine-2"]).problem(404, "not_found");
    assert_eq!((id(&lost), lost.json()["request_id"].as_str()), ("mine-2".to_owned(), Some("mine-2")));
    let parent = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(id(&ask(MESSAGES, &[parent])), "4bf92f3577b34da6a3ce929d0e0e4736");
    let long = format!("x-request-id: {}", "a".repeat(129));
    for hostile in
        ["x-request-id: two words", "x-request-id: \"}", "x-request-id: \u{e9}", "x-request-id:", &long]
    {
        assert_eq!(id(&ask(MESSAGES, &[hostile])).len(), 36, "{hostile}");
    }
}

/// Every line of a request has its id, every line of a connection of the Redis port its number; slow ones have a line
/// of their own, with the session.
#[test]
fn log_lines_say_who_asked() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--log", "debug", "--log-format", "json", "--slow-request-ms", "1"];
    let process = logged(folder.path(), &flags);
    call(process.address, "GET", MESSAGES, &["x-request-id: quick"], b"").expect(200);
    // A request that is slow for sure: others come and go while its body is on its way.
    let mut slow = Wire::open(process.address);
    let whole = request("POST", MESSAGES, &["x-request-id: slow"], ONE.as_bytes());
    slow.send(&whole[..whole.len() - 1]);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(5) {
        post(process.address, "/v1/sessions/other/messages", ONE).expect(201);
    }
    slow.send(&whole[whole.len() - 1..]);
    slow.answer().unwrap().expect(201);
    let mut redis = Client::connect(process.redis).unwrap();
    redis.command(&["LLEN", "s"]).unwrap();
    assert!(matches!(redis.command(&["NONESUCH"]).unwrap(), Reply::Error(_)));
    drop(redis);
    let log = log_of(process, folder.path());
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str, message: &str| {
        let found = lines.iter().find(|line| line["request_id"] == id && line["message"] == message);
        found.unwrap_or_else(|| panic!("{message} of {id} is not in {log}"))
    };
    let quick = of("quick", "answered");
    assert_eq!(
        (&quick["door"], &quick["operation"], &quick["status"]),
        (&"http".into(), &"readMessages".into(), &200.into())
    );
    let slow = of("slow", "a slow request");
    assert_eq!((&slow["level"], &slow["session"]), (&"WARN".into(), &"s".into()));
    let commands: Vec<&Value> =
        lines.iter().filter(|line| line["door"] == "resp" && line["message"] == "answered").collect();
    let seen: Vec<_> =
        commands.iter().map(|line| (&line["operation"], &line["command"], &line["code"])).collect();
    let (llen, unknown, err) = ("llen".into(), "unknown".into(), "ERR".into());
    assert_eq!(seen, [(&llen, &1.into(), &Value::Null), (&unknown, &2.into(), &err)]);
    assert!(commands.iter().all(|line| line["connection"].is_u64()));
}

/// The lines for people have it, too.
#[test]
fn lines_for_people_say_who_asked() {
    let folder = tempfile::tempdir().unwrap();
    let process = logged(folder.path(), &["--log", "info,hitherto::requests=debug"]);
    call(process.address, "GET", MESSAGES, &["x-request-id: mine"], b"").expect(200);
    let log = log_of(process, folder.path());
    let line = log.lines().find(|line| line.contains("answered")).unwrap();
    assert!(line.contains("readMessages") && line.ends_with(" request_id=mine"), "{line}");
}

#[test]
fn metrics_show_what_every_door_did() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--metrics-listen", "127.0.0.1:0", "--metrics-tenants", "default"];
    let mut process = Process::start(folder.path(), &flags);
    let (at, watched) = (process.address, watched(&mut process));
    let mut kept = Wire::open(at);
    kept.send(&request("POST", MESSAGES, &["content-type: application/json"], ONE.as_bytes()));
    kept.answer().unwrap().expect(201);
    post(at, MESSAGES, "{").problem(400, "invalid_json");
    get(at, "/v1/%7Bdoor=%22x%22%7D").problem(404, "not_found");
    post(at, "/sessions/m/memory", r#"{"messages":[{"role":"Human","content":"hi"}]}"#).expect(200);
    let zep = r#"{"messages":[{"role_type":"user","role":"Ada","content":"hi"}]}"#;
    post(at, "/api/v1/sessions/z/memory", zep).expect(200);
    post(at, "/", r#"["LPUSH","r","x"]"#).expect(200);
    post(at, "/", r#"["SET","r","x"]"#).expect(400);
    post(at, "/pipeline", "{").expect(400);
    let mut redis = Client::connect(process.redis).unwrap();
    redis.command(&["RPUSH", "l", "x", "y"]).unwrap();
    assert!(matches!(redis.command(&["HSET", "l", "f"]).unwrap(), Reply::Error(_)));

    let page = get(watched, "/metrics").expect(200);
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let requests = |door: &str, operation: &str| {
        sample(&page, &format!("hitherto_requests_total{{door=\"{door}\",operation=\"{operation}\"}}"))
    };
    assert_eq!(requests("http", "appendMessages"), 2.0);
    assert_eq!(requests("motorhead", "addMemory"), 1.0);
    assert_eq!(requests("zep", "addMemory"), 1.0);
    assert_eq!(requests("rest", "lpush"), 1.0);
    assert_eq!(requests("rest", "unreadPipeline"), 1.0);
    assert_eq!(requests("rest", "unknown"), 1.0);
    assert!(!page.body.contains("unreadCommand"), "{}", page.body);
    assert_eq!(requests("resp", "rpush"), 1.0);
    let errors = |door: &str, operation: &str, code: &str| {
        let labels = format!("door=\"{door}\",operation=\"{operation}\",code=\"{code}\"");
        sample(&page, &format!("hitherto_request_errors_total{{{labels}}}"))
    };
    assert_eq!(errors("http", "appendMessages", "invalid_json"), 1.0);
    assert_eq!(errors("http", "other", "not_found"), 1.0);
    assert_eq!(errors("rest", "unreadPipeline", "invalid_json"), 1.0);
    assert_eq!(errors("resp", "unknown", "ERR"), 1.0);
    assert_eq!(sample(&page, "hitherto_connections{door=\"http\"}"), 1.0);
    assert_eq!(sample(&page, "hitherto_connections{door=\"resp\"}"), 1.0);
    assert_eq!(sample(&page, "hitherto_messages_appended_total"), 6.0);
    assert_eq!(sample(&page, "hitherto_sessions{tenant=\"default\"}"), 5.0);
    assert_eq!(sample(&page, "hitherto_ready"), 1.0);
    assert!(sample(&page, "hitherto_store_round_trips_total{kind=\"write\"}") >= 5.0);
    assert!(sample(&page, "process_resident_memory_bytes") > 1e6);
    assert!(sample(&page, "process_open_fds") > 3.0);
    assert!(sample(&page, "process_cpu_seconds_total") > 0.0);
    assert!(!page.body.contains("door=\"x\""), "{}", page.body);
    // While nobody needs a token, the main listener has the page, too; the other one has nothing else.
    assert_eq!(sample(&get(at, "/metrics").expect(200), "hitherto_messages_appended_total"), 6.0);
    get(watched, MESSAGES).problem(404, "not_found");
}

/// Ten thousand paths, methods and commands make no new samples.
#[test]
fn hostile_names_make_no_metrics_grow() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    let mut wire = Wire::open(process.address);
    let mut redis = Client::connect(process.redis).unwrap();
    let mut ask = |number: u32| {
        for (method, path) in [("GET", format!("/x{number}")), ("BREW", format!("/v1/sessions/{number}"))] {
            wire.send(&request(method, &path, &[], b""));
            wire.answer().unwrap();
        }
        redis.command(&[&format!("cmd{number}"), "x"]).unwrap();
    };
    ask(0);
    let lines = |page: Answer| page.body.lines().count();
    // The page counts itself from its second time on.
    get(process.address, "/metrics");
    let before = lines(get(process.address, "/metrics"));
    (1..1000).for_each(&mut ask);
    assert_eq!(lines(get(process.address, "/metrics")), before);
}

/// The story: Redis is killed, comes back, is paused, and goes on. Readiness says so within the deadline, and is there
/// again by itself; the process is alive all the time.
#[test]
fn readiness_follows_redis_and_life_does_not() {
    let redis = RedisServer::start(ServerKind::Redis7);
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--redis", &redis.url(), "--deadline-ms", "800", "--metrics-listen", "127.0.0.1:0"];
    let mut process = Process::start(folder.path(), &flags);
    let watched = watched(&mut process);
    let until = |status: u16| {
        let begun = Instant::now();
        loop {
            let asked = Instant::now();
            let answer = get(process.address, "/readyz");
            // A second for which an answer holds, and the deadline; far from as long as Redis is silent.
            assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
            get(process.address, "/healthz").expect(200);
            if answer.status == status {
                return answer;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "not {status} yet: {answer:?}");
        }
    };
    until(200);
    redis.kill();
    let answer = until(503);
    assert!(answer.json()["reasons"][0].as_str().unwrap().starts_with("store_"), "{answer:?}");
    let page = get(watched, "/metrics").expect(200);
    assert_eq!((sample(&page, "hitherto_store_up"), sample(&page, "hitherto_ready")), (0.0, 0.0));
    redis.restart();
    until(200);
    redis.pause();
    until(503).problem(503, "store_timeout");
    redis.resume();
    until(200);
    let page = get(watched, "/metrics").expect(200);
    assert_eq!((sample(&page, "hitherto_store_up"), sample(&page, "hitherto_ready")), (1.0, 1.0));
    assert!(sample(&page, "hitherto_store_connects_total") >= 3.0);
    assert!(sample(&page, "hitherto_store_errors_total{error=\"timed_out\"}") >= 1.0);
}

/// Many who poll cost the store one question, also while it is silent.
#[test]
fn many_probes_ask_the_store_once() {
    let redis = RedisServer::start(ServerKind::Redis7);
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &["--redis", &redis.url(), "--deadline-ms", "1000"]);
    let address = process.address;
    let probes = || {
        let begun = Instant::now();
        let all: Vec<_> =
            (0..40).map(|_| std::thread::spawn(move || get(address, "/readyz").status)).collect();
        let statuses: Vec<u16> = all.into_iter().map(|one| one.join().unwrap()).collect();
        (statuses, begun.elapsed())
    };
    let pings = || {
        let stats = redis.command(&["INFO", "commandstats"]).text();
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_ping:calls=").map(str::to_owned));
        line.map_or(0, |line| line.split(',').next().unwrap().parse::<u32>().unwrap())
    };
    get(address, "/readyz").expect(200);
    let before = pings();
    let (statuses, took) = probes();
    assert!(statuses.iter().all(|status| *status == 200));
    assert!(
        pings() - before <= 1 + u32::try_from(took.as_secs()).unwrap(),
        "{} in {took:?}",
        pings() - before
    );
    redis.pause();
    let (statuses, took) = probes();
    redis.resume();
    // Those who came within the last second were told what was true then. One after the other would be 40 s.
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
}

/// While it finishes what it has accepted, a server is not ready, and whoever watches is told so.
#[test]
fn a_server_that_shuts_down_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), &["--metrics-listen", "127.0.0.1:0"]);
    let watched = watched(&mut process);
    let mut late = Wire::open(process.address);
    let whole = request("POST", MESSAGES, &["expect: 100-continue"], ONE.as_bytes());
    let head = whole.len() - ONE.len();
    late.send(&whole[..head]);
    // The server has begun with it: it asks for the body.
    assert_eq!(late.answer().unwrap().status, 100);
    get(watched, "/readyz").expect(200);
    process.signal("TERM");
    let begun = Instant::now();
    let answer = loop {
        let answer = get(watched, "/readyz");
        if answer.status == 503 {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{answer:?}");
    };
    assert_eq!(answer.problem(503, "shutting_down").json()["reasons"][0], "shutting_down");
    get(watched, "/healthz").expect(200);
    late.send(&whole[head..]);
    late.answer().unwrap().expect(201);
    assert_eq!(process.end().0, Some(0));
}

/// The worker dies by a defect: nobody has to find out by summaries that do not come.
#[test]
fn a_worker_that_dies_is_seen() {
    let store = Arc::new(Broken::Panics);
    let memory = ChatMemory::new(store).with_summaries(SummaryOptions::default(), Arc::new(Extractive), None);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = Serving::of(memory.clone(), Options::default());
    get(server.address, "/readyz").expect(200);
    get(server.address, "/healthz").expect(200);
    let worker = runtime.block_on(async { memory.start_worker().unwrap() });
    let begun = Instant::now();
    while !memory.stats().folding.worker_is_dead() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::yield_now();
    }
    get(server.address, "/readyz").problem(503, "worker_died");
    get(server.address, "/healthz").problem(503, "worker_died");
    let page = get(server.address, "/metrics").expect(200);
    assert_eq!(sample(&page, "hitherto_task_up{task=\"folds\"}"), 0.0);
    drop(worker);
}

/// The model is down: how far behind the summaries are can be seen, and that they have caught up, too.
#[test]
fn summaries_that_are_late_are_seen() {
    let fake = hitherto_testkit::FakeModel::start();
    fake.always(hitherto_testkit::Behaviour::status(500));
    let folder = tempfile::tempdir().unwrap();
    let url = fake.openai();
    let flags = [
        "--model",
        "m",
        "--model-url",
        &url,
        "--model-key",
        fake.key(),
        "--stand-in-after",
        "0",
        "--fold-retry-first",
        "1",
        "--fold-retry-most",
        "1",
    ];
    let process = Process::start(folder.path(), &flags);
    let turn = r#"{"role":"user","content":"I live in Oslo."},{"role":"assistant","content":"Noted."}"#;
    let body = format!(r#"{{"messages":[{}]}}"#, vec![turn; 14].join(","));
    post(process.address, MESSAGES, &body).expect(201);
    let until = |found: &dyn Fn(&Answer) -> bool| {
        let begun = Instant::now();
        loop {
            let page = get(process.address, "/metrics").expect(200);
            if found(&page) {
                return page;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", page.body);
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let page = until(&|page| sample(page, "hitherto_summary_lag_turns") > 0.0);
    assert_eq!(sample(&page, "hitherto_summary_lag_turns"), 4.0);
    let page = until(&|page| sample(page, "hitherto_summary_lag_seconds") > 1.0);
    assert!(sample(&page, "hitherto_summariser_failures_total{reason=\"status\"}") >= 1.0);
    fake.always(hitherto_testkit::Behaviour::echo());
    let page = until(&|page| {
        sample(page, "hitherto_summaries_committed_total") > 0.0
            && sample(page, "hitherto_summary_lag_turns") == 0.0
    });
    assert_eq!(sample(&page, "hitherto_turns_folded_total"), 4.0);
    assert_eq!(sample(&page, "hitherto_messages_folded_total"), 8.0);
    assert!(sample(&page, "hitherto_model_tokens_total{direction=\"in\"}") > 0.0);
    assert!(sample(&page, "hitherto_model_tokens_total{direction=\"out\"}") > 0.0);
}
