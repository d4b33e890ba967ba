//! Nothing that people said, no token and no password is in a log line, a metric, or an error of a command, with
//! everything logged that can be.
//!
//! Each test starts a server whose secrets are all marks, lets every door be used and misused with marked words, on good
//! days and bad ones, and looks for the marks. A door more is one entry more in `doors::DOORS`.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is wrong"
)]

mod careless_redis;
mod commands;
mod doors;
mod marks;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;

use std::fs::File;
use std::path::Path;

use hitherto_testkit::{Behaviour, FakeModel, RedisServer, RedisSettings, ServerKind};
use marks::{CONTENT, PASSWORD, TOKEN, assert_clean};
use process::{Process, hitherto};
use support::{call, get, post};

/// A server that logs all that it can, on that store, with that model.
fn start(folder: &Path, format: &str, store: &[&str], model: &FakeModel) -> Process {
    let mut command = hitherto(folder);
    command.args(["serve", "--listen", "127.0.0.1:0", "--resp-listen", "127.0.0.1:0"]);
    command.args(["--log", "trace", "--log-format", format, "--slow-request-ms", "1"]).args(store);
    command.args(["--model", "m", "--model-url", &model.openai(), "--deadline-ms", "500"]);
    command.args(["--fold-retry-first", "1", "--fold-retry-most", "1", "--stand-in-after", "0"]);
    command.env("HITHERTO_MODEL_KEY", model.key());
    command.env("HITHERTO_MODEL_HEADERS", format!("x-team: {PASSWORD}"));
    command.env("HITHERTO_MODEL_BODY", format!(r#"{{"user":"{PASSWORD}"}}"#));
    command.stderr(File::create(folder.join("log")).unwrap());
    Process::launch(command)
}

/// A Redis whose password is a mark.
fn redis() -> RedisServer {
    RedisSettings::new(ServerKind::Redis7).user("someone", PASSWORD).start()
}

/// A model that fails in every way in which it can repeat what it was told, one after another.
fn careless() -> FakeModel {
    let fake = FakeModel::start();
    let marked = |text: &str| text.replace("MARK", CONTENT);
    for behaviour in [
        // Its body repeats the key and the request.
        Behaviour::status(500),
        Behaviour::status(401),
        Behaviour::raw(
            200,
            "application/json",
            marked(r#"{"choices":[{"message":{"content":"MARK"},"finish_reason":"MARK"}]}"#),
        ),
        Behaviour::raw(200, "application/json", marked(r#"{"error":{"message":"MARK","code":"MARK"}}"#)),
        Behaviour::raw(200, "text/html", marked("<html>MARK")),
        Behaviour::raw(418, "text/MARK", marked("MARK")),
        Behaviour::redirects(302, &marked("http://MARK.invalid/MARK")),
        Behaviour::ends(CONTENT, "length"),
        Behaviour::says(&format!("{CONTENT} ").repeat(4_000)),
    ] {
        fake.next(behaviour);
    }
    fake.always(Behaviour::status(500));
    fake
}

/// Every door on a good day, and then with its store gone.
fn every_door(format: &str, on_redis: bool) {
    let (folder, model) = (tempfile::tempdir().unwrap(), careless());
    let redis = on_redis.then(redis);
    let url = redis.as_ref().map(RedisServer::url);
    let store: Vec<&str> = url.iter().flat_map(|url| ["--redis", url.as_str()]).collect();
    let server = start(folder.path(), format, &store, &model);
    for (_, knock) in doors::DOORS {
        knock(&server);
    }
    // Each wait for a fold is one failure of the model more.
    for _ in 0..9 {
        let answer = post(server.address, "/v1/sessions/long/fold", "");
        assert!(matches!(answer.status, 200 | 502), "{answer:?}");
        assert!(!answer.body.contains(model.key()) && !answer.body.contains(PASSWORD), "{answer:?}");
    }
    let mut pages = vec![get(server.address, "/metrics").expect(200).body];
    if let Some(redis) = &redis {
        redis.pause();
        doors::append(&server);
        redis.resume();
        redis.kill();
        for (_, knock) in doors::DOORS {
            knock(&server);
        }
        pages.push(get(server.address, "/metrics").expect(200).body);
        pages.push(get(server.address, "/readyz").expect(503).body);
    }
    server.signal("TERM");
    let (status, said) = server.end();
    assert_eq!(status, Some(0));
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    // It did log: its own lines, those of requests, and other crates'.
    for proof in ["answered", "a slow request", "readMessages", "lrange"] {
        assert!(log.contains(proof), "{proof} is not in the log");
    }
    pages.push(said);
    pages.push(log);
    for page in &pages {
        assert_clean(page);
        assert!(
            !page.contains(model.key()),
            "{}",
            page.lines().find(|line| line.contains(model.key())).unwrap()
        );
    }
}

#[test]
fn on_an_embedded_file_in_lines_for_people() {
    every_door("human", false);
}

#[test]
fn on_redis_in_json() {
    every_door("json", true);
}

/// A Redis that refuses the password: what it says does not repeat it, and neither do we.
#[test]
fn a_wrong_password_is_not_shown() {
    let (folder, model, redis) = (tempfile::tempdir().unwrap(), FakeModel::start(), redis());
    let url = format!("redis://someone:not-{PASSWORD}@{}", redis.addr());
    let server = start(folder.path(), "json", &["--redis", &url], &model);
    let answer = call(server.address, "POST", "/v1/sessions/s/messages", &[], doors::message("x").as_bytes());
    assert_clean(&answer.problem(502, "store_denied").body);
    assert_clean(&get(server.address, "/readyz").body);
    server.signal("TERM");
    let (_, said) = server.end();
    assert_clean(&said);
    assert_clean(&std::fs::read_to_string(folder.path().join("log")).unwrap());
}

/// Servers that do not know a command repeat its arguments in their errors, the password of the first one included.
#[test]
fn a_redis_that_repeats_what_it_is_told_is_not_repeated() {
    for greets in [true, false] {
        let (folder, model) = (tempfile::tempdir().unwrap(), FakeModel::start());
        let redis = careless_redis::start(greets);
        let server = start(
            folder.path(),
            "json",
            &["--redis", &format!("redis://someone:{PASSWORD}@{redis}")],
            &model,
        );
        let append = doors::message(CONTENT);
        let answer = call(server.address, "POST", "/v1/sessions/s/messages", &[], append.as_bytes());
        assert!(answer.status >= 500, "{answer:?}");
        assert_clean(&answer.body);
        assert_clean(&get(server.address, "/readyz").expect(503).body);
        for (_, knock) in doors::DOORS {
            knock(&server);
        }
        server.signal("TERM");
        let (_, said) = server.end();
        assert_clean(&said);
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        assert!(!greets || log.contains("unknown command"), "{log}");
        assert_clean(&log);
    }
}

#[test]
fn commands_show_no_secrets_in_their_errors_and_log_lines() {
    commands::run_all(&redis());
}

/// The search for marks finds them, in whatever form.
#[test]
fn marks_are_found() {
    let found = |text: &str| std::panic::catch_unwind(|| assert_clean(text)).is_err();
    assert!(!found("nothing of that"));
    assert!(found(&format!("a line with {CONTENT} in it")));
    assert!(found(&format!("Authorization: Bearer {TOKEN}")));
    let bytes: Vec<String> = CONTENT.bytes().map(|byte| byte.to_string()).collect();
    assert!(found(&format!("read [{}]", bytes.join(", "))));
    let hex: String = PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(found(&hex));
}
