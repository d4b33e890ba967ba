//! Servers on one store: each with a runtime, a store object and a worker of its own, so that it can be killed.
//!
//! Invariant: a call goes through a server that may die under it, as a request does; what dies is told to nobody.

use std::fmt::Debug;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};
use hitherto::store::redis::{RedisOptions, RedisStore};
use hitherto::summary::{Summariser, SummaryOptions, Worker};
use hitherto::{ChatMemory, Clock, Error, Store, StoreError, Timestamp};
use tokio::runtime::{Builder, Runtime};

use crate::redis_server::RedisServer;
use crate::redis_settings::RedisSettings;
use crate::servers::ServerKind;

/// A store object.
pub type Opened = Arc<dyn Store>;

/// The one store that all servers share.
#[derive(Debug)]
pub struct Ground {
    place: Place,
    /// How far the servers' clocks are ahead, in ms.
    ahead: AtomicI64,
}

#[derive(Debug)]
enum Place {
    Redis(Box<RedisServer>),
    Embedded(tempfile::TempDir),
}

impl Ground {
    /// A Redis that has on its disk whatever it has acknowledged.
    pub fn redis(kind: ServerKind) -> Arc<Self> {
        let server = RedisSettings::new(kind).append_only().directive("appendfsync", "always").start();
        Arc::new(Self { place: Place::Redis(Box::new(server)), ahead: AtomicI64::new(0) })
    }

    /// A file.
    pub fn embedded() -> Arc<Self> {
        let folder = tempfile::tempdir().expect("a folder for a file");
        Arc::new(Self { place: Place::Embedded(folder), ahead: AtomicI64::new(0) })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match &self.place {
            Place::Redis(server) => server.kind().name(),
            Place::Embedded(_) => "embedded",
        }
    }

    /// A store object of its own.
    ///
    /// # Panics
    /// If the file cannot be opened.
    pub fn open(&self) -> Opened {
        match &self.place {
            Place::Redis(server) => {
                Arc::new(RedisStore::new(RedisOptions::new(&server.url())).expect("an address"))
            }
            Place::Embedded(folder) => {
                let mut options = EmbeddedOptions::new(folder.path().join("chat.db"));
                options.deadline = Duration::from_secs(30);
                Arc::new(EmbeddedStore::open(options).expect("a file"))
            }
        }
    }

    /// The time now, by the clock that all share.
    pub fn now(&self) -> Timestamp {
        Timestamp::now().plus_millis(self.ahead.load(Ordering::SeqCst))
    }

    /// Lets time pass for all servers.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    /// A clock that is a little wrong.
    pub fn clock(self: &Arc<Self>, skew_ms: i64) -> Clock {
        let ground = Arc::clone(self);
        Clock::from_fn(move || ground.now().plus_millis(skew_ms))
    }

    /// The Redis; `None` for a file.
    pub fn server(&self) -> Option<&RedisServer> {
        match &self.place {
            Place::Redis(server) => Some(server),
            Place::Embedded(_) => None,
        }
    }
}

/// What a call finds in a server: its engine, and the store under it.
#[derive(Debug, Clone)]
pub struct Server {
    /// The engine.
    pub memory: ChatMemory,
    /// Its store object.
    pub store: Opened,
}

impl Deref for Server {
    type Target = ChatMemory;

    fn deref(&self) -> &ChatMemory {
        &self.memory
    }
}

/// One server.
struct Node {
    server: Server,
    // Aborts its task when dropped.
    _worker: Worker,
    runtime: Runtime,
}

/// What every server is started with.
#[derive(Debug, Clone)]
struct Equipment {
    options: SummaryOptions,
    summariser: Arc<dyn Summariser>,
    stand_in: Option<Arc<dyn Summariser>>,
}

/// Some servers on one ground.
pub struct Fleet {
    /// What they stand on.
    pub ground: Arc<Ground>,
    equipment: Equipment,
    nodes: Vec<Mutex<Option<Node>>>,
}

impl Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} servers on {}", self.nodes.len(), self.ground.name())
    }
}

impl Fleet {
    /// So many servers.
    pub fn start(
        ground: &Arc<Ground>,
        servers: usize,
        options: SummaryOptions,
        summariser: Arc<dyn Summariser>,
        stand_in: Option<Arc<dyn Summariser>>,
    ) -> Self {
        let equipment = Equipment { options, summariser, stand_in };
        let fleet = Self {
            ground: Arc::clone(ground),
            equipment,
            nodes: (0..servers).map(|_| Mutex::new(None)).collect(),
        };
        for which in 0..servers {
            fleet.kill(which, 0);
        }
        fleet
    }

    /// How many servers there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Kills a server without any clean-up, and starts another, whose clock is that wrong, in its place.
    ///
    /// # Panics
    /// If no other one can be started.
    pub fn kill(&self, which: usize, skew_ms: i64) {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime for a server");
        let entered = runtime.enter();
        let Equipment { options, summariser, stand_in } = self.equipment.clone();
        let store = self.ground.open();
        let memory = ChatMemory::new(Arc::clone(&store)).with_clock(self.ground.clock(skew_ms));
        let memory = memory.with_summaries(options, summariser, stand_in);
        let worker = memory.start_worker().expect("a memory with summaries");
        drop(entered);
        let mut node = self.nodes[which].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = node.replace(Node { server: Server { memory, store }, _worker: worker, runtime }) {
            old.runtime.shutdown_background();
        }
    }

    /// Calls a server; `None` if it died meanwhile.
    pub async fn call<T, F>(&self, which: usize, call: impl FnOnce(Server) -> F) -> Option<Result<T, Error>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let task = {
            let node = self.nodes[which % self.nodes.len()].lock().unwrap_or_else(PoisonError::into_inner);
            let node = node.as_ref()?;
            node.runtime.spawn(call(node.server.clone()))
        };
        match task.await {
            // What a runtime says of its threads when it ends.
            Ok(Err(Error::Store(StoreError::Failed { reason, .. }))) if reason.ends_with("was cancelled") => {
                None
            }
            Ok(done) => Some(done),
            // The server was killed, or a summariser that died took the call along.
            Err(_) => None,
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for node in &self.nodes {
            if let Some(node) = node.lock().unwrap_or_else(PoisonError::into_inner).take() {
                node.runtime.shutdown_background();
            }
        }
    }
}
