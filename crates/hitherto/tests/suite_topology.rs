//! The suite of every store, on a cluster and on what Sentinels watch, of every kind of server that there is.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hitherto::store::redis::{RedisOptions, RedisStore};
use hitherto::store::{At, Seq};
use hitherto::{SessionKey, Store, Timestamp};
use hitherto_testkit::suite::{Bench, Junk, Subject, together};
use hitherto_testkit::{Cluster, RedisServer, Reply, Sentinels, ServerKind, available, slot_of};

/// Servers, and which of them has a key.
trait Servers: Send + Sync + 'static {
    fn url(&self) -> String;
    /// Those that hold keys and take writes.
    fn all(&self) -> Vec<&RedisServer>;
    fn of(&self, key: &str) -> &RedisServer;
}

/// A cluster that does not change.
struct Still {
    url: String,
    primaries: Vec<Arc<RedisServer>>,
    /// The primary of each slot.
    owners: Vec<usize>,
    _cluster: Cluster,
}

impl Still {
    fn start(kind: ServerKind, plain: bool) -> Self {
        let cluster = Cluster::start(kind, 3, 0);
        let mut owners = vec![0; 16_384];
        for node in 0..3 {
            cluster.slots_of(node).into_iter().for_each(|slot| owners[usize::from(slot)] = node);
        }
        let url = if plain { cluster.node(1).url() } else { cluster.url() };
        Self { url, primaries: cluster.primaries(), owners, _cluster: cluster }
    }
}

impl Servers for Still {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn all(&self) -> Vec<&RedisServer> {
        self.primaries.iter().map(Arc::as_ref).collect()
    }

    fn of(&self, key: &str) -> &RedisServer {
        &self.primaries[self.owners[usize::from(slot_of(key))]]
    }
}

impl Servers for Sentinels {
    fn url(&self) -> String {
        Sentinels::url(self)
    }

    fn all(&self) -> Vec<&RedisServer> {
        vec![&self.servers()[0]]
    }

    fn of(&self, _key: &str) -> &RedisServer {
        &self.servers()[0]
    }
}

struct OnServers {
    store: Arc<RedisStore>,
    ahead: AtomicI64,
    servers: Arc<dyn Servers>,
}

/// A store that is new and empty each time, on the same servers.
fn maker(servers: Arc<dyn Servers>, acknowledge: u32) -> Box<dyn Fn() -> Subject + Send> {
    Box::new(move || {
        for server in servers.all() {
            assert_eq!(server.command(&["FLUSHALL"]), Reply::Status("OK".to_owned()));
        }
        let mut options = RedisOptions::new(&servers.url());
        options.deadline = Duration::from_secs(30);
        options.acknowledge_replicas = acknowledge;
        options.acknowledge_timeout = Duration::from_secs(10);
        let store = Arc::new(RedisStore::new(options).unwrap());
        Subject::new(OnServers { store, ahead: AtomicI64::new(0), servers: Arc::clone(&servers) })
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
impl Bench for OnServers {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    fn now(&self) -> Timestamp {
        Timestamp::now().plus_millis(self.ahead.load(Ordering::SeqCst))
    }

    async fn advance(&self, by: Duration) {
        self.servers.all().into_iter().for_each(|server| server.advance(by));
        self.ahead.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn slack(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn spoil(&self, key: &SessionKey, seq: Seq, junk: Junk) {
        let log = log(key);
        let server = self.servers.of(&log);
        let described = self.store.describe(At { key, now: self.now() }).await.unwrap().unwrap();
        let index = (seq - described.first_seq).to_string();
        let Reply::Bulk(mut record) = server.command(&["LINDEX", &log, &index]) else {
            panic!("there is nothing at {seq} to spoil");
        };
        match junk {
            Junk::Foreign => record = br#"{"type":"human","data":{"content":"somebody else's"}}"#.to_vec(),
            Junk::Newer => *record.get_mut(1).unwrap() = 2,
            Junk::Damaged => drop(record.pop()),
        }
        let command = [b"LSET".as_slice(), log.as_bytes(), index.as_bytes(), &record];
        assert_eq!(server.command(&command), Reply::Status("OK".to_owned()));
    }

    async fn leftovers(&self) -> Vec<String> {
        let keys = self.servers.all().into_iter().flat_map(|server| server.command(&["KEYS", "*"]).texts());
        keys.filter(|key| !key.ends_with('}')).collect()
    }
}

fn on_clusters(kind: ServerKind) {
    if available().contains(&kind) {
        // Half of them know it only as one server's address.
        let makers = [false, true].into_iter().map(|plain| maker(Arc::new(Still::start(kind, plain)), 0));
        together(makers.collect());
    }
}

fn behind_sentinels(kind: ServerKind) {
    if available().contains(&kind) {
        // Half of them wait for the replica.
        let makers = [0, 1].into_iter().map(|replicas| maker(Arc::new(Sentinels::start(kind, 1)), replicas));
        together(makers.collect());
    }
}

#[test]
fn clusters_of_redis_7() {
    on_clusters(ServerKind::Redis7);
}

#[test]
fn clusters_of_redis_8() {
    on_clusters(ServerKind::Redis8);
}

#[test]
fn clusters_of_valkey_9() {
    on_clusters(ServerKind::Valkey9);
}

#[test]
fn sentinels_and_redis_7() {
    behind_sentinels(ServerKind::Redis7);
}

#[test]
fn sentinels_and_redis_8() {
    behind_sentinels(ServerKind::Redis8);
}

#[test]
fn sentinels_and_valkey_9() {
    behind_sentinels(ServerKind::Valkey9);
}
