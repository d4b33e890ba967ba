//! A Redis that has lost its memory is noticed, and told of; a session that was cleared or has ended is none.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::time::Duration;

use hitherto::store::redis::{RedisOptions, RedisStore};
use hitherto::{AppendOptions, ChatMemory, Finding, Message, SessionId, Severity, Store, Ttl, TtlChange};
use hitherto_testkit::{RedisServer, ServerKind};

/// One process: a store object of its own.
struct Process {
    memory: ChatMemory,
    store: std::sync::Arc<RedisStore>,
}

impl Process {
    fn on(server: &RedisServer) -> Self {
        let store = std::sync::Arc::new(RedisStore::new(RedisOptions::new(&server.url())).unwrap());
        Self { memory: ChatMemory::new(store.clone()), store }
    }

    async fn append(&self, session: &str) -> u64 {
        self.append_with(session, &AppendOptions::default()).await
    }

    async fn append_with(&self, session: &str, options: &AppendOptions) -> u64 {
        let session = SessionId::parse(session).unwrap();
        self.memory.append(&session, vec![Message::user("hello")], options).await.unwrap().first_seq
    }

    /// What `doctor` says of the memory.
    async fn memory(&self) -> Finding {
        let found = self.store.inspect().await.unwrap();
        found.into_iter().find(|finding| finding.subject == "memory").unwrap()
    }
}

#[tokio::test]
async fn a_flush_is_told_by_every_process_afterwards() {
    let server = RedisServer::start(ServerKind::Redis7);
    let (one, other) = (Process::on(&server), Process::on(&server));
    assert_eq!((one.append("s").await, other.append("s").await), (1, 2));
    let before = one.memory().await;
    assert!(before.severity == Severity::Fine && before.found.starts_with("kept since 2"), "{before:?}");
    server.command(&["FLUSHALL"]);
    assert_eq!(one.append("s").await, 1, "it begins anew");
    for process in [one, other, Process::on(&server)] {
        let found = process.memory().await;
        assert!(
            found.severity == Severity::Warning && found.found.starts_with("lost what it held"),
            "{found:?}"
        );
    }
}

/// The first to write after the loss is a process that knows nothing of before.
#[tokio::test]
async fn a_loss_is_noticed_behind_the_back_of_a_new_process() {
    let server = RedisServer::start(ServerKind::Redis7);
    let old = Process::on(&server);
    old.append("s").await;
    server.restart();
    let new = Process::on(&server);
    new.append("s").await;
    assert_eq!(new.memory().await.severity, Severity::Fine, "it cannot know");
    // Another session of the same sixteenth begins anew for who knows it.
    server.command(&[
        "EVAL",
        "for _, key in ipairs(redis.call('KEYS', '*:s}:*')) do redis.call('DEL', key) end",
        "0",
    ]);
    old.append("s").await;
    assert_eq!(new.memory().await.severity, Severity::Warning);
}

#[tokio::test]
async fn what_was_cleared_elsewhere_or_has_ended_is_no_loss() {
    let server = RedisServer::start(ServerKind::Redis7);
    let (one, other) = (Process::on(&server), Process::on(&server));
    one.append("s").await;
    other.memory.clear(&SessionId::parse("s").unwrap()).await.unwrap();
    assert_eq!(one.append("s").await, 1);
    let mut options = AppendOptions::default();
    options.ttl = TtlChange::Set(Ttl::from_secs(60).unwrap());
    one.append_with("t", &options).await;
    server.advance(Duration::from_secs(61));
    assert_eq!(one.append("t").await, 1);
    assert_eq!(one.memory().await.severity, Severity::Fine);
}
