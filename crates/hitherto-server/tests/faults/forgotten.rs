//! A Redis that forgets everything. Nothing can bring it back; but it has to be said, and what is acknowledged
//! afterwards has to be there.

use std::process::Command;
use std::time::Instant;

use hitherto_testkit::faults::{Figures, Hitherto, Report, Run, check, over_http, straight_from_redis};
use hitherto_testkit::{RedisServer, ServerKind};
use serde_json::Value;

use crate::{binary, durable_redis, now, on_redis, plan};

/// Somebody runs `FLUSHALL` on a running server.
#[tokio::test(flavor = "multi_thread")]
async fn redis_flushed() {
    let redis = durable_redis();
    forgets("redis_flushed", &redis, || {
        assert_eq!(redis.command(&["FLUSHALL"]).text(), "OK");
    })
    .await;
}

/// Redis keeps nothing on disk, as it does where nobody told it to, and is started again.
#[tokio::test(flavor = "multi_thread")]
async fn redis_restarted_empty() {
    let redis = RedisServer::start(ServerKind::Redis7);
    forgets("redis_restarted_empty", &redis, || redis.restart()).await;
}

async fn forgets(row: &str, redis: &RedisServer, fault: impl FnOnce()) {
    let server = Hitherto::start(&on_redis(&redis.url()));
    let run = Run::start(plan(), vec![server.address()]);
    run.acknowledged(run.share(40)).await;
    now(fault);
    let forgot_at = Instant::now();
    let figures = run.finish().await;
    let log = server.log();
    assert!(log.contains("the store has lost what it held"), "the log does not tell:\n{log}");
    let told = doctor(&redis.url());
    assert_eq!(told["severity"], "warning", "{told}");
    conclude(row, figures, &server, redis, forgot_at).await;
}

async fn conclude(row: &str, figures: Figures, server: &Hitherto, redis: &RedisServer, forgot_at: Instant) {
    let sessions = over_http(server.address(), figures.sessions()).await;
    let told = check(&figures.sent, &sessions, Some(forgot_at));
    let lies = check(&figures.sent, &straight_from_redis(&mut [redis.connect()]), Some(forgot_at));
    let verdict = told.and(lies);
    assert!(verdict.forgotten > 0, "nothing was forgotten, so nothing was tested");
    let note = "all of it from before, and said so in the log and by `hitherto doctor`";
    Report::new(row, figures, verdict).note(note).conclude();
}

/// What `hitherto doctor` says of the memory.
fn doctor(url: &str) -> Value {
    let output = Command::new(binary()).args(["doctor", "--json", "--redis", url]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let found = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    found.into_iter().find(|finding| finding["subject"] == "memory").unwrap_or_else(|| panic!("{said}"))
}
