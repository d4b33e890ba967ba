//! The suite of every store, on Redis 7, Redis 8 and Valkey 9: a new server for each case, whose keys age
//! as the callers' clock is turned.

// The helpers of a test may stop it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hitherto::store::redis::{RedisOptions, RedisStore};
use hitherto::store::{At, Seq};
use hitherto::{SessionKey, Store, Timestamp};
use hitherto_testkit::model::{model_check, writers_check};
use hitherto_testkit::suite::{Bench, Junk, Subject};
use hitherto_testkit::{RedisServer, Reply, ServerKind, available};

struct Redis {
    store: Arc<RedisStore>,
    ahead: AtomicI64,
    server: RedisServer,
}

/// A new server, or nothing where that kind was not fetched.
fn on(kind: ServerKind) -> Option<Subject> {
    available().contains(&kind).then(|| {
        let server = RedisServer::start(kind);
        let mut options = RedisOptions::new(&server.url());
        // The suite is about what is answered, not when: a busy machine must not fail it.
        options.deadline = Duration::from_secs(30);
        let store = Arc::new(RedisStore::new(options).unwrap());
        Subject::new(Redis { store, ahead: AtomicI64::new(0), server })
    })
}

/// The list of a session's records, as `docs/storage.md` names it.
fn log(key: &SessionKey) -> String {
    let (tenant, memory_key) = (key.scope.tenant.as_str(), key.scope.memory_key.as_str());
    let session = key.session.as_str();
    let (t, m, s) = (tenant.len(), memory_key.len(), session.len());
    format!("hitherto:{{{t}:{tenant}:{m}:{memory_key}:{s}:{session}}}:log")
}

#[async_trait]
impl Bench for Redis {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    fn now(&self) -> Timestamp {
        Timestamp::now().plus_millis(self.ahead.load(Ordering::SeqCst))
    }

    async fn advance(&self, by: Duration) {
        self.server.advance(by);
        self.ahead.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// The server's own time goes on while a case runs.
    fn slack(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn spoil(&self, key: &SessionKey, seq: Seq, junk: Junk) {
        let log = log(key);
        // Asked of the store, so that the bench knows of the hash no more than it must.
        let described = self.store.describe(At { key, now: self.now() }).await.unwrap().unwrap();
        let index = (seq - described.first_seq).to_string();
        let Reply::Bulk(mut record) = self.server.command(&["LINDEX", &log, &index]) else {
            panic!("there is nothing at {seq} to spoil");
        };
        match junk {
            Junk::Foreign => record = br#"{"type":"human","data":{"content":"somebody else's"}}"#.to_vec(),
            Junk::Newer => *record.get_mut(1).unwrap() = 2,
            Junk::Damaged => drop(record.pop()),
        }
        let command = [b"LSET".as_slice(), log.as_bytes(), index.as_bytes(), &record];
        assert_eq!(self.server.command(&command), Reply::Status("OK".to_owned()));
    }

    /// The names of lists of sessions end with a brace; those of a session's keys do not.
    async fn leftovers(&self) -> Vec<String> {
        let keys = self.server.command(&["KEYS", "*"]).texts();
        keys.into_iter().filter(|key| !key.ends_with('}')).collect()
    }
}

async fn compare(kind: ServerKind) {
    if let Some(subject) = on(kind) {
        model_check(subject, 1, 60).await;
    }
}

async fn write(kind: ServerKind) {
    if let Some(subject) = on(kind) {
        writers_check(subject, 1, 20).await;
    }
}

mod redis_7 {
    use super::*;
    hitherto_testkit::store_suite!(on(ServerKind::Redis7));

    #[tokio::test(flavor = "multi_thread")]
    async fn it_answers_what_the_model_answers() {
        compare(ServerKind::Redis7).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn writers_never_get_in_each_others_way() {
        write(ServerKind::Redis7).await;
    }
}

mod redis_8 {
    use super::*;
    hitherto_testkit::store_suite!(on(ServerKind::Redis8));

    #[tokio::test(flavor = "multi_thread")]
    async fn it_answers_what_the_model_answers() {
        compare(ServerKind::Redis8).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn writers_never_get_in_each_others_way() {
        write(ServerKind::Redis8).await;
    }
}

mod valkey_9 {
    use super::*;
    hitherto_testkit::store_suite!(on(ServerKind::Valkey9));

    #[tokio::test(flavor = "multi_thread")]
    async fn it_answers_what_the_model_answers() {
        compare(ServerKind::Valkey9).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn writers_never_get_in_each_others_way() {
        write(ServerKind::Valkey9).await;
    }
}
