//! The real binary on real Redis and Valkey servers, on good days and bad ones.
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

use std::time::{Duration, Instant};

use hitherto_testkit::{RedisServer, RedisSettings, ServerKind, available};
use process::Process;
use support::{call, encoded, get, post};

const ONE: &str =
    r#"{"messages":[{"role":"user","content":"half \ud83d"},{"role":"assistant","content":"x","n":1e999}]}"#;

fn serve(redis: &RedisServer) -> (tempfile::TempDir, Process) {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &["--redis", &redis.url(), "--deadline-ms", "1000"]);
    (folder, process)
}

#[test]
fn every_operation_works_on_every_server() {
    for kind in available() {
        let redis = RedisServer::start(kind);
        let (_folder, server) = serve(&redis);
        let at = server.address;
        get(at, "/readyz").expect(200);
        for id in ["s", "{}:/*", "日本"] {
            let path = format!("/v1/sessions/{}", encoded(id));
            let messages = format!("{path}/messages");
            let first = call(at, "POST", &messages, &["idempotency-key: k"], ONE.as_bytes()).expect(201);
            assert_eq!(
                call(at, "POST", &messages, &["idempotency-key: k"], ONE.as_bytes()).expect(200).body,
                first.body
            );
            post(at, &messages, ONE).expect(201);
            let read = get(at, &format!("{messages}?last_turns=1")).expect(200);
            assert!(
                read.body.contains(r#""content":"half \ud83d""#) && read.body.contains("\"n\":1e999"),
                "{read:?}"
            );
            assert!(read.body.ends_with(r#""first_seq":3,"last_seq":4,"more":true}"#), "{read:?}");
            call(at, "PATCH", &format!("{messages}/1"), &[], br#"{"content":"new"}"#).expect(200);
            call(at, "DELETE", &format!("{messages}/2"), &[], b"").expect(204);
            post(at, &format!("{path}/pop"), r#"{"what":"turn"}"#).expect(200);
            post(at, &format!("{path}/fork"), "").expect(201);
            let found = call(at, "PATCH", &path, &[], br#"{"ttl_secs":60,"metadata":{}}"#).expect(200).json();
            assert_eq!(
                (&found["messages"], &found["deleted"], &found["ttl_secs"]),
                (&1.into(), &3.into(), &60.into()),
                "{found}"
            );
            call(at, "DELETE", &path, &[], b"").expect(200);
            get(at, &path).problem(404, "session_not_found");
        }
        assert_eq!(get(at, "/v1/sessions").expect(200).json()["sessions"].as_array().unwrap().len(), 3);
    }
}

/// The server's Redis dies, stays away, and comes back: calls fail in time with what is wrong, and the first
/// one after it is back works, with no restart of the server.
#[test]
fn a_redis_that_goes_and_comes_back() {
    let redis = RedisSettings::new(ServerKind::Redis7).append_only().start();
    let (_folder, server) = serve(&redis);
    let append = || post(server.address, "/v1/sessions/s/messages", ONE);
    append().expect(201);
    redis.kill();
    for _ in 0..2 {
        let began = Instant::now();
        let answer = append();
        assert!(matches!(answer.status, 503 | 504), "{answer:?}");
        get(server.address, "/readyz").expect(503);
        get(server.address, "/healthz").expect(200);
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    redis.restart();
    append().expect(201);
    redis.pause();
    let began = Instant::now();
    assert_eq!(append().problem(504, "store_timeout").json()["stored"], "unknown");
    assert!(began.elapsed() < Duration::from_secs(10));
    redis.resume();
    append().expect(201);
    get(server.address, "/readyz").expect(200);
}

#[test]
fn a_password_that_is_wrong_is_said_and_not_shown() {
    let redis = RedisSettings::new(ServerKind::Redis7).password("right").start();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("redis://:s3cret@{}", redis.addr());
    let server = Process::start(folder.path(), &["--redis", &url]);
    let answer = post(server.address, "/v1/sessions/s/messages", ONE).problem(502, "store_denied");
    assert!(!answer.body.contains("s3cret"), "{answer:?}");
    get(server.address, "/readyz").problem(503, "store_denied");
    let (_folder, server) = serve(&redis);
    post(server.address, "/v1/sessions/s/messages", ONE).expect(201);
}

/// What is appended through one server is folded by whichever server looks first, on every kind of store; nobody
/// asks for it.
#[test]
fn servers_fold_by_themselves() {
    for kind in available() {
        let redis = RedisServer::start(kind);
        let ((_folder, writer), (_other, reader)) = (serve(&redis), serve(&redis));
        let turn = r#"{"role":"user","content":"My name is Ada and I live in Oslo."},{"role":"assistant","content":"Noted."}"#;
        let body = format!(r#"{{"messages":[{}]}}"#, vec![turn; 14].join(","));
        post(writer.address, "/v1/sessions/s/messages", &body).expect(201);
        let began = Instant::now();
        let found = loop {
            let answer = get(reader.address, "/v1/sessions/s/summary");
            if answer.status == 200 {
                break answer.json();
            }
            answer.problem(404, "summary_not_found");
            assert!(began.elapsed() < Duration::from_secs(20), "{kind:?} is not folded");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(found["summary"]["upto"], 8, "{found}");
        assert!(found["summary"]["text"].as_str().unwrap().contains("Oslo"), "{found}");
    }
}
