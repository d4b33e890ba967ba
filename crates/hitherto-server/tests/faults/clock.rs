//! A server whose clock is set.

use std::time::Duration;

use hitherto_testkit::faults::{Clock, Figures, Hitherto, Http, Run, again};
use serde_json::Value;

use crate::{durable_redis, now, on_file, on_redis, plan, reckoning};

const HOUR_MS: i64 = 3_600_000;
/// The time to live of every session: longer than any jump of the clock.
const TTL_SECS: i64 = 2 * HOUR_MS / 1000;
/// How many appends are sent again by each clock.
const AGAIN: usize = 25;

/// The clock is set forward an hour, back, back an hour and right again, under load: numbers, order and idempotency
/// keys do not depend on it, and a time to live that is longer than the jump ends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn clock_set_embedded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.db");
    let clock = Clock::new();
    let server = Hitherto::start(&with_ttl(clock.equip(on_file(&file))));
    let figures = with_jumps(&clock, &server).await;
    let report = reckoning::on_file("clock_set_embedded", figures, server.address(), &file).await;
    report.note("an hour forward and back").conclude();
}

/// The same on Redis, whose own clock stays right.
#[tokio::test(flavor = "multi_thread")]
async fn clock_set_redis() {
    let redis = durable_redis();
    let clock = Clock::new();
    let server = Hitherto::start(&with_ttl(clock.equip(on_redis(&redis.url()))));
    let figures = with_jumps(&clock, &server).await;
    for key in redis.command(&["KEYS", "hitherto:*:log"]).texts() {
        let left = redis.command(&["TTL", &key]).integer();
        assert!((TTL_SECS - 120..=TTL_SECS).contains(&left), "{key} ends in {left} s");
    }
    let report = reckoning::on_redis("clock_set_redis", figures, server.address(), &redis).await;
    report.note("an hour forward and back").conclude();
}

fn with_ttl(setup: hitherto_testkit::faults::Setup) -> hitherto_testkit::faults::Setup {
    setup.variable("HITHERTO_TTL", &TTL_SECS.to_string())
}

async fn with_jumps(clock: &Clock, server: &Hitherto) -> Figures {
    let run = Run::start(plan(), vec![server.address()]);
    for ahead_ms in [HOUR_MS, 0, -HOUR_MS, 0] {
        run.more(run.share(20)).await;
        clock.set(ahead_ms);
        // Which session the next append is for is the writers' choice.
        let apart =
            async || server_time(server, "s0").await - hitherto::Timestamp::now().as_millis() - ahead_ms;
        let begun = run.count();
        while apart().await.abs() >= 60_000 {
            assert!(
                run.count() < begun + 1_000,
                "the server's clock is {} ms from where it was set",
                apart().await
            );
            run.more(16).await;
        }
    }
    let figures = run.finish().await;
    for ahead_ms in [HOUR_MS, -HOUR_MS, 0] {
        now(|| clock.set(ahead_ms));
        for sent in figures.sent.iter().step_by(figures.sent.len() / AGAIN) {
            let first_seq = sent.acknowledged.map(|acknowledged| acknowledged.first_seq);
            assert_eq!(
                again(server.address(), sent).await,
                (200, first_seq),
                "{ahead_ms} ms ahead: {sent:?}"
            );
        }
    }
    figures
}

/// The time of the newest message of a session, by the server's clock.
async fn server_time(server: &Hitherto, session: &str) -> i64 {
    let path = format!("/v1/sessions/{session}/messages?last_messages=1");
    let answer = Http::default().get(server.address(), &path, Duration::from_secs(6)).await.unwrap();
    let told: Value = answer.json();
    let text = told["messages"][0]["created_at"].as_str().unwrap_or_default();
    hitherto::Timestamp::parse_rfc3339(text).unwrap_or_else(|| panic!("no time in {told}")).as_millis()
}
