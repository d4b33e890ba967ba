//! What Sentinels watch: another server becomes the primary, and is followed.

use std::sync::Arc;
use std::time::Instant;

use hitherto::{Error, StoreError};
use hitherto_testkit::{Certificates, RedisSettings, Sentinels, ServerKind};

use super::writer::{
    SLACK, Writer, append, append_at_last, append_once, beside, memory, options, session, texts,
};

const KIND: ServerKind = ServerKind::Redis7;

async fn follows(replicas: usize, change: impl FnOnce(&Sentinels) + Send + 'static) {
    let all = Arc::new(beside(move || Sentinels::start(KIND, replicas)).await);
    let mut options = options(&all.url());
    options.acknowledge_replicas = 1;
    let memory = memory(options);
    append_once(&memory, "before", "hi").await.unwrap();
    let writer = Writer::start(&memory, "s");
    let acting = Arc::clone(&all);
    beside(move || change(&acting)).await;
    append_at_last(&memory, "after", "hi").await;
    writer.stop().await;
    assert_eq!(texts(&memory, "before").await, ["hi"]);
}

/// With all replicas waited for, which here is one: a Sentinel that changes the primary by hand lets the old one go on
/// for a while, and what only another replica acknowledges then is lost. (`docs/redis.md` says so.)
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_gives_way_is_not_held_on_to() {
    follows(1, |all| {
        all.fail_over();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed_is_followed_by_a_replica() {
    follows(2, |all| {
        let killed = all.kill_primary();
        all.await_another(killed);
    })
    .await;
}

/// The first Sentinels say nothing: the next is asked before the deadline is gone.
#[tokio::test(flavor = "multi_thread")]
async fn silent_sentinels_do_not_eat_the_deadline() {
    let all = beside(|| Sentinels::start(KIND, 1)).await;
    all.sentinels()[0].pause();
    all.sentinels()[1].kill();
    for _ in 0..3 {
        append(&memory(options(&all.url())), "s", "hi").await.unwrap();
    }
    all.sentinels()[0].resume();
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_have_a_password_of_their_own_and_the_database_is_chosen() {
    let server = RedisSettings::new(KIND).user("zoe", "p@ss");
    let sentinel = RedisSettings::new(KIND).password("s/ntinel");
    let all = beside(move || Sentinels::start_with(&server, &sentinel, 1)).await;
    let url = format!("{}/3?sentinel_password=s%2Fntinel", all.url());
    let memory = memory(options(&url));
    append(&memory, "s", "hi").await.unwrap();
    let keys = all.servers()[0].command(&["INFO", "keyspace"]).text();
    assert!(keys.contains("db3:") && !keys.contains("db0:"), "{keys}");
    let error = append(&super::writer::memory(options(&all.url())), "s", "hi").await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Denied { .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_behind_tls_are_asked_and_their_servers_followed() {
    let certificates = Certificates::for_nodes();
    let settings = RedisSettings::new(KIND).tls(&certificates);
    let all = Arc::new(beside(move || Sentinels::start_with(&settings, &settings, 1)).await);
    assert!(all.url().starts_with("rediss+sentinel://"), "{}", all.url());
    let mut with_ca = options(&all.url());
    with_ca.ca = Some(certificates.ca());
    with_ca.acknowledge_replicas = 1;
    let memory = memory(with_ca);
    append_at_last(&memory, "s", "before").await;
    let acting = Arc::clone(&all);
    beside(move || acting.fail_over()).await;
    // The one that has become the replica may have to catch up yet.
    append_at_last(&memory, "s", "after").await;
    assert_eq!(texts(&memory, "s").await, ["before", "after"]);
    // Whom nobody vouches for is not trusted, whatever it knows.
    let error = append(&super::writer::memory(options(&all.url())), "s", "never").await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Unreachable { .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said() {
    let all = beside(|| Sentinels::start(KIND, 0)).await;
    let wrong_name = options(&all.url().replace("mymaster", "other"));
    let error = append(&memory(wrong_name), "s", "hi").await.unwrap_err();
    assert!(error.to_string().contains("knows no primary that is called other"), "{error}");
    let error = append(&memory(options(&all.sentinels()[0].url())), "s", "hi").await.unwrap_err();
    assert!(error.to_string().contains("it is a Sentinel"), "{error}");
    all.servers()[0].kill();
    let dead = options(&all.url());
    let (limit, began) = (dead.deadline + SLACK, Instant::now());
    let error = memory(dead).describe(&session("s")).await.unwrap_err();
    assert!(error.is_retryable() && began.elapsed() < limit, "{error:?}");
}
