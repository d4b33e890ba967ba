//! Writes that wait for replicas.

use std::time::{Duration, Instant};

use hitherto::access::{Credential, Permission, Scopes, Token};
use hitherto::store::redis::{RedisOptions, RedisStore};
use hitherto::{ChatMemory, Error, Outcome, Store as _, StoreError, Tenant, Timestamp, Window};
use hitherto_testkit::{RedisServer, RedisSettings, ServerKind};
use uuid::Uuid;

use super::writer::{append, append_once, beside, memory, options, session, texts};

/// A primary and one replica that is in step with it.
fn pair(kind: ServerKind) -> (RedisServer, RedisServer) {
    let settings = || RedisSettings::new(kind).directive("repl-diskless-sync-delay", "0");
    let primary = settings().start();
    let replica = settings().directive("replicaof", &format!("127.0.0.1 {}", primary.port())).start();
    let deadline = Instant::now() + Duration::from_secs(30);
    // It counts once the primary has heard from it.
    while !primary.command(&["INFO", "replication"]).text().contains("state=online") {
        assert!(Instant::now() < deadline, "the replica is not in step");
        std::thread::yield_now();
    }
    (primary, replica)
}

fn waiting_for(primary: &RedisServer, replicas: u32) -> RedisOptions {
    let mut options = options(&primary.url());
    options.acknowledge_replicas = replicas;
    options
}

fn not_replicated(error: &Error) -> bool {
    matches!(error, Error::Store(error @ StoreError::NotReplicated { wanted: 1, replicas: 0, .. })
        if error.outcome() == Outcome::Unknown && error.is_retryable())
}

/// Sends it again, as a client does, until the replica that was silent has caught up.
async fn until_replicated(memory: &ChatMemory, text: &str) -> (u64, bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match append_once(memory, "s", text).await {
            Ok(stored) => return stored,
            Err(error) => assert!(not_replicated(&error) && Instant::now() < deadline, "{error:?}"),
        }
    }
}

async fn check(kind: ServerKind) {
    let (primary, replica) = beside(move || pair(kind)).await;
    let memory: ChatMemory = memory(waiting_for(&primary, 1));
    append(&memory, "s", "0").await.unwrap();
    assert_eq!(append_once(&memory, "s", "1").await.unwrap(), (2, false));

    replica.pause();
    // What the replica has not got is on the primary, and the caller is told so: not that time was up.
    let error = append_once(&memory, "s", "2").await.unwrap_err();
    assert!(not_replicated(&error), "{error:?}");
    // A repeat waits again, and so do the other changes; reading does not.
    assert!(not_replicated(&append_once(&memory, "s", "2").await.unwrap_err()));
    assert!(not_replicated(&memory.delete(&session("s"), 1).await.unwrap_err()));
    let fork = memory.fork(&session("s"), &session("t"), None).await.unwrap_err();
    assert!(not_replicated(&fork), "{fork:?}");
    let writing = tokio::spawn({
        let memory = memory.clone();
        async move { append_once(&memory, "s", "2").await }
    });
    let page = memory.window(&session("s"), Window::Turns(9)).await.unwrap();
    assert_eq!(page.messages.len(), 2, "reading goes on meanwhile");
    assert!(not_replicated(&writing.await.unwrap().unwrap_err()));

    replica.resume();
    assert_eq!(until_replicated(&memory, "2").await, (3, true), "stored once, and now on the replica");
    assert_eq!(texts(&memory, "s").await, ["1", "2"]);
    assert_eq!(replica.command(&["LLEN", &super::writer::log("s")]).integer(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_answered_when_the_replica_has_it() {
    for kind in hitherto_testkit::available() {
        check(kind).await;
    }
}

/// A connection of its own for each try: what it says of the replicas is about the first append, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_on_another_connection_waits_for_what_was_stored_before() {
    for kind in hitherto_testkit::available() {
        let (primary, replica) = beside(move || pair(kind)).await;
        replica.pause();
        for _ in 0..2 {
            let error = append_once(&memory(waiting_for(&primary, 1)), "s", "0").await.unwrap_err();
            assert!(not_replicated(&error), "{}: {error:?}", kind.name());
        }
        replica.resume();
        assert_eq!(until_replicated(&memory(waiting_for(&primary, 1)), "0").await, (1, true));
    }
}

/// What only the primary knows to be revoked would be let in again after its loss.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_answered_when_the_replica_has_it() {
    let (primary, replica) = beside(|| pair(ServerKind::Redis7)).await;
    let store = RedisStore::new(waiting_for(&primary, 1)).unwrap();
    let (token, now) = (Token::random().unwrap(), Timestamp::now());
    let scopes = Scopes::of([Permission::Read]);
    let credential = Credential::new(Tenant::parse("acme").unwrap(), "", scopes, now, None);
    store.put_credential(&token.hash(), &credential).await.unwrap();
    store.revoke_credential(Uuid::nil(), now).await.unwrap();
    replica.pause();
    let error = store.revoke_credential(credential.id, now).await.unwrap_err();
    assert!(not_replicated(&error.into()));
    replica.resume();
    let deadline = Instant::now() + Duration::from_secs(30);
    // The same again waits again, for what is there already.
    while let Err(error) = store.revoke_credential(credential.id, now).await {
        assert!(not_replicated(&error.into()) && Instant::now() < deadline);
    }
    let there = replica.command(&["HVALS", "hitherto:{credentials}"]);
    assert_eq!(there, primary.command(&["HVALS", "hitherto:{credentials}"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_share_one_wait() {
    let (primary, _replica) = beside(|| pair(ServerKind::Redis7)).await;
    let memory = memory(waiting_for(&primary, 1));
    append(&memory, "s", "0").await.unwrap();
    let waits = || {
        let stats = primary.command(&["INFO", "commandstats"]).text();
        let line = stats.lines().find(|line| line.starts_with("cmdstat_wait:")).unwrap().to_owned();
        line.split(['=', ',']).nth(1).unwrap().parse::<u32>().unwrap()
    };
    let before = waits();
    let writers: Vec<_> = (0..200)
        .map(|number| {
            let memory = memory.clone();
            tokio::spawn(async move { append(&memory, &format!("s{}", number % 20), "hi").await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert!(waits() - before < 100, "{} waits for 200 writes", waits() - before);
}
