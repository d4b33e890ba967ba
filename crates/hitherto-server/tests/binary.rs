//! The real binary: what it prints, what it refuses, and that what it acknowledged survives its end.
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

use std::io::{BufRead as _, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use hitherto_testkit::{Behaviour, FakeModel};
use process::{Process, hitherto};
use support::{Wire, get, post};

const ONE: &str = r#"{"messages":[{"role":"user","content":"one"}]}"#;

fn count(address: SocketAddr, session: &str) -> u64 {
    let found = get(address, &format!("/v1/sessions/{session}"));
    if found.status == 404 { 0 } else { found.expect(200).json()["messages"].as_u64().unwrap() }
}

/// Runs a command that is refused, and gives what it says.
fn refused(output: Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_lines_that_the_demo_prints_work_when_they_are_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), &["--demo"]);
    let mut lines = Vec::new();
    while lines.len() < 4 {
        let mut line = String::new();
        assert!(process.out.read_line(&mut line).unwrap() > 0, "four lines to try");
        if line.trim().starts_with("curl ") {
            lines.push(line.trim().to_owned());
        }
    }
    let answers: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| {
            let output = Command::new("sh")
                .args(["-c", &format!("{line} --silent --show-error --fail")])
                .output()
                .unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        })
        .collect();
    assert_eq!(answers[0]["last_seq"], 1119);
    assert_eq!(answers[0]["messages"][0]["role"], "user");
    assert_eq!(answers[1]["messages"][0]["seq"], 1120);
    assert_eq!(answers[2]["messages"], 1120);
    let text = answers[3]["prompt"].as_str().unwrap();
    assert!(
        answers[3]["tokens"].as_u64().unwrap() <= 1000 && text.contains("Houston, do you read?"),
        "{text}"
    );
    // The worker folds the conversation by itself.
    let began = Instant::now();
    while get(process.address, "/v1/sessions/apollo13").json()["summary_upto"].as_u64() < Some(1000) {
        assert!(began.elapsed() < Duration::from_secs(20), "no summary");
        std::thread::sleep(Duration::from_millis(20));
    }
    process.signal("TERM");
    assert_eq!(process.end().0, Some(0));
    // A second start stores nothing twice, and leaves alone what was said since.
    let process = Process::start(folder.path(), &["--demo"]);
    assert_eq!(count(process.address, "apollo13"), 1120);
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart_and_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    for (signal, before) in [("TERM", 0), ("INT", 1), ("KILL", 2), ("KILL", 3)] {
        let process = Process::start(folder.path(), &[]);
        assert_eq!(count(process.address, "s"), before, "{signal}");
        post(process.address, "/v1/sessions/s/messages", ONE).expect(201);
        process.signal(signal);
        assert_eq!(process.end().0, if signal == "KILL" { None } else { Some(0) }, "{signal}");
    }
    let process = Process::start(folder.path(), &[]);
    let read = get(process.address, "/v1/sessions/s/messages").expect(200).json();
    assert_eq!((&read["first_seq"], &read["last_seq"]), (&1.into(), &4.into()));
}

/// A server that is told to stop while it has a request half read: the request is finished, stored and
/// answered, and only then the process ends.
#[test]
fn what_was_accepted_is_finished_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    let mut idle = Wire::open(process.address);
    idle.send(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    idle.answer().unwrap().expect(200);
    let mut wire = Wire::open(process.address);
    let (begin, end) = ONE.split_at(10);
    wire.send(
        format!(
            "POST /v1/sessions/s/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{begin}",
            ONE.len()
        )
        .as_bytes(),
    );
    std::thread::sleep(Duration::from_millis(200));
    process.signal("TERM");
    let gone = Instant::now();
    while std::net::TcpStream::connect(process.address).is_ok() {
        assert!(gone.elapsed() < Duration::from_secs(5), "it still accepts");
        std::thread::sleep(Duration::from_millis(10));
    }
    wire.send(end.as_bytes());
    wire.answer().unwrap().expect(201);
    assert!(wire.answer().is_none() && idle.answer().is_none());
    assert_eq!(process.end().0, Some(0));
    assert!(gone.elapsed() < Duration::from_secs(8), "it waited for connections that do nothing");
    let process = Process::start(folder.path(), &[]);
    assert_eq!(count(process.address, "s"), 1);
}

#[test]
fn refuses_addresses_that_others_can_reach() {
    let folder = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8700"] {
        let said = refused(hitherto(folder.path()).args(["serve", "--listen", address]).output().unwrap());
        assert!(said.contains("can be reached by others, and there are no tokens yet"), "{said}");
    }
    assert!(!folder.path().join("hitherto.db").exists(), "nothing is made before the address is accepted");
    let said = refused(hitherto(folder.path()).args(["serve", "--listen", "nowhere"]).output().unwrap());
    assert!(said.contains("--listen must be a host and a port"), "{said}");
}

#[test]
fn says_that_the_port_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    let address = process.address.to_string();
    let said = refused(hitherto(folder.path()).args(["serve", "--listen", &address]).output().unwrap());
    assert!(said.contains(&format!("{address} is in use")), "{said}");
}

#[test]
fn refuses_settings_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "lissten = 'x'").unwrap();
    let check = |arguments: &[&str], env: &[(&str, &str)], expected: &str| {
        let mut command = hitherto(folder.path());
        let said = refused(command.arg("serve").args(arguments).envs(env.iter().copied()).output().unwrap());
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    };
    check(&["--db", "a", "--redis", "redis://:s3cret@h"], &[], "cannot be used with");
    check(&["--config", "bad.toml"], &[], "unknown key lissten");
    check(&["--config", "none.toml"], &[], "none.toml cannot be read");
    check(&["--ttl", "0"], &[], "--ttl must be a whole number");
    check(&[], &[("HITHERTO_REDIS_URL", "s3cret@h")], "HITHERTO_REDIS_URL must be an address with a scheme");
    check(&["--server", "http://h"], &[], "unexpected argument");
    check(&["--log", "a=b=c"], &[], "log");
    let text = folder.path().join("text.db");
    std::fs::write(&text, "no database, only some text that is long enough to be looked at").unwrap();
    check(&["--db", "text.db"], &[], "the embedded store text.db cannot be opened");
}

#[test]
fn starts_without_its_redis_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &["--redis", "redis://user:s3cret@127.0.0.1:1", "--demo"]);
    get(process.address, "/healthz").expect(200);
    assert_eq!(get(process.address, "/readyz").status, 503);
    process.signal("TERM");
    let (status, said) = process.end();
    assert_eq!(status, Some(0));
    assert!(said.contains("Redis at redis://127.0.0.1:1") && !said.contains("s3cret"), "{said}");
}

/// A server that logs all that it can.
fn telling_all(folder: &Path) -> Command {
    let mut command = hitherto(folder);
    command.args(["serve", "--listen", "127.0.0.1:0", "--resp-listen", "127.0.0.1:0"]);
    command.args(["--log", "trace", "--log-format", "json"]);
    command
}

#[test]
fn log_lines_say_nothing_of_what_people_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = telling_all(folder.path());
    command.stderr(Stdio::piped());
    let mut process = Process::launch(command);
    let address = process.address;
    for body in [
        r#"{"messages":[{"role":"user","content":"classified"}]}"#,
        r#"{"messages":[{"role":"classified","content":"classified"}]}"#,
        r#"{"messages":"classified"}"#,
        r#"classified"#,
    ] {
        post(address, "/v1/sessions/s/messages", body);
    }
    get(address, "/v1/sessions/s/messages");
    process.signal("TERM");
    let mut log = String::new();
    process.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("listening") && !log.contains("classified"), "{log}");
    assert!(log.lines().all(|line| line.starts_with('{')), "{log}");
}

/// A model whose errors repeat the key and the request, as careless gateways do: neither is in an answer, a log line
/// or anything printed, and what people say is not either.
#[test]
fn the_secrets_of_a_model_are_seen_nowhere() {
    let fake = FakeModel::start();
    fake.always(Behaviour::status(500));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), fake.key()).unwrap();
    let mut command = telling_all(folder.path());
    command.args(["--model", "some-model", "--model-url", &fake.openai(), "--model-key-file", "key"]);
    command.args([
        "--model-headers",
        "x-team: s3cret",
        "--fold-retry-first",
        "600",
        "--fold-retry-most",
        "600",
    ]);
    command.env("HITHERTO_MODEL_BODY", r#"{"user":"s3cret"}"#);
    command.stderr(Stdio::piped());
    let mut process = Process::launch(command);
    let address = process.address;
    let turn = r#"{"role":"user","content":"This is classified."},{"role":"assistant","content":"Noted."}"#;
    let body = format!(r#"{{"messages":[{}]}}"#, vec![turn; 15].join(","));
    post(address, "/v1/sessions/s/messages", &body).expect(201);
    let answer = post(address, "/v1/sessions/s/fold", "").problem(502, "summariser_failed");
    assert!(fake.requests().iter().any(|request| format!("{request:?}").contains("classified")));
    process.signal("TERM");
    let mut log = String::new();
    process.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let (status, said) = process.end();
    assert_eq!(status, Some(0));
    assert!(said.contains("Summaries are written by some-model at http://127.0.0.1:"), "{said}");
    assert!(log.contains("a fold that was waited for failed"), "{log}");
    for secret in [fake.key(), "s3cret", "classified"] {
        assert!(!answer.body.contains(secret) && !said.contains(secret), "{answer:?} {said}");
        assert!(!log.contains(secret), "{}", log.lines().find(|line| line.contains(secret)).unwrap());
    }
}

/// The server is told to stop while a model thinks: it waits a little, leaves the fold, and ends, with
/// everything as it was.
#[test]
fn a_fold_that_does_not_end_does_not_keep_the_server() {
    let fake = FakeModel::start();
    fake.always(Behaviour::silent());
    let folder = tempfile::tempdir().unwrap();
    let model = ["--model", "m", "--model-url", &fake.openai()].map(str::to_owned);
    let mut flags: Vec<&str> = model.iter().map(String::as_str).collect();
    let key = ["--model-key".to_owned(), fake.key().to_owned()];
    flags.extend(key.iter().map(String::as_str));
    let process = Process::start(folder.path(), &flags);
    let turn = r#"{"role":"user","content":"I live in Oslo."},{"role":"assistant","content":"Noted."}"#;
    let body = format!(r#"{{"messages":[{}]}}"#, vec![turn; 15].join(","));
    post(process.address, "/v1/sessions/s/messages", &body).expect(201);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fake.until_requests(1));
    process.signal("TERM");
    assert_eq!(process.end().0, Some(0));
    let process = Process::start(folder.path(), &[]);
    get(process.address, "/v1/sessions/s/summary").problem(404, "summary_not_found");
    assert_eq!(count(process.address, "s"), 30);
}
