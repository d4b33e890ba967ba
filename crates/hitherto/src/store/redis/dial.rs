//! Making a connection to one server, keeping it while it lives, and learning whom one talks to.
//!
//! Invariant: there is one attempt at a time. A connection that broke, or did not answer in time, is not used again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, PushInfo, PushKind, Value};

use super::errors;
use crate::stats::Traffic;
use crate::store::{Result, StoreError};

/// How many commands may wait for the connection to take them; further callers wait for a place.
const WAITING: usize = 1024;
/// For so long a server does not close a silent connection: `timeout 1`, the shortest, is two seconds at least.
const FRESH: Duration = Duration::from_secs(1);

/// What a server has to be, so that a connection to it is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// Anything.
    Nothing,
    /// No node of a cluster, and no Sentinel.
    Standalone,
    /// A primary.
    Primary,
}

/// How a server is called.
#[derive(Debug)]
pub(super) struct Dial {
    client: Client,
    name: String,
    host: String,
    port: u16,
    demand: Demand,
    traffic: Arc<Traffic>,
    /// Whether it turned out to be a node of a cluster.
    is_cluster: AtomicBool,
}

/// A connection to a server, if there is one.
#[derive(Debug)]
pub(super) struct Wire {
    dial: Arc<Dial>,
    live: Mutex<Option<Live>>,
    connecting: tokio::sync::Mutex<()>,
}

/// A connection, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) connection: MultiplexedConnection,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    closed: AtomicBool,
    since: Instant,
    /// When it was last heard of, in milliseconds after `since`.
    heard: AtomicU64,
}

impl Dial {
    pub(super) fn new(client: Client, addr: &ConnectionAddr, demand: Demand, traffic: Arc<Traffic>) -> Self {
        let (host, port) = match addr {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                (host.clone(), *port)
            }
            _ => (String::new(), 0),
        };
        Self { client, name: name_of(addr), host, port, demand, traffic, is_cluster: AtomicBool::new(false) }
    }

    /// What errors call the server: its address, without credentials.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What is exchanged with it, and with all others that the same calls go to.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(super) fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Whether a connection was refused because the server is a node of a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        self.is_cluster.load(Ordering::Acquire)
    }

    async fn connect(&self) -> Result<Live> {
        let state = Arc::new(State {
            closed: AtomicBool::new(false),
            since: Instant::now(),
            heard: AtomicU64::new(0),
        });
        let notice = Arc::clone(&state);
        let config = AsyncConnectionConfig::new()
            // The deadline of the whole call is kept by whoever calls.
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(WAITING)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    notice.closed.store(true, Ordering::Release);
                }
                Ok::<(), redis::aio::SendError>(())
            });
        let connection =
            self.client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| {
                self.traffic.refusals.one();
                errors::cannot_connect(&self.name, &error)
            })?;
        self.traffic.connects.one();
        let live = Live { connection, state };
        if self.demand != Demand::Nothing {
            self.look(&live).await?;
        }
        tracing::debug!(store = self.name, "connected");
        Ok(live)
    }

    /// Asks who is there. A proxy may not say, and is taken as it is.
    async fn look(&self, live: &Live) -> Result<()> {
        let answer = live.connection.clone().send_packed_command(&redis::cmd("HELLO")).await;
        let Ok(Value::Map(about)) = answer else { return Ok(()) };
        let is = |name: &str, wanted: &str| {
            about.iter().any(|(key, value)| errors::text_of(key) == name && errors::text_of(value) == wanted)
        };
        let refused = |reason: &str| {
            Err(StoreError::Unreachable { store: self.name.clone(), reason: reason.to_owned() })
        };
        if is("mode", "sentinel") {
            return refused(
                "it is a Sentinel: give redis+sentinel://…/ and the name of the primary that it watches",
            );
        }
        match self.demand {
            Demand::Standalone if is("mode", "cluster") => {
                self.is_cluster.store(true, Ordering::Release);
                refused("it is a node of a cluster")
            }
            Demand::Primary if !is("role", "master") => refused("it is not a primary (yet, or any more)"),
            _ => Ok(()),
        }
    }
}

impl Wire {
    pub(super) fn new(dial: Arc<Dial>) -> Self {
        Self { dial, live: Mutex::new(None), connecting: tokio::sync::Mutex::new(()) }
    }

    /// The connection, if there is one that can be used as it is; one that was silent for long can be for what may get
    /// lost on its way.
    pub(super) fn ready(&self, may_be_lost: bool) -> Option<Live> {
        self.current().filter(|live| may_be_lost || !live.is_stale())
    }

    /// The connection; made if there is none.
    pub(super) async fn live(&self) -> Result<Live> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let _one_at_a_time = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let live = Box::pin(self.dial.connect()).await?;
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(live.clone());
        Ok(live)
    }

    /// The connection, for what must not be lost on its way: one that has been silent for long may be closed for that
    /// by the server just when a write is on its way, and then nobody could say whether it was stored.
    pub(super) async fn awake(&self) -> Result<Live> {
        loop {
            let live = self.live().await?;
            if !live.is_stale() {
                return Ok(live);
            }
            let ping = live.connection.clone().send_packed_command(&redis::cmd("PING")).await;
            if ping.is_err_and(|error| error.is_unrecoverable_error()) {
                self.discard(&live);
            } else {
                live.heard();
                return Ok(live);
            }
        }
    }

    /// This connection is not used again.
    pub(super) fn discard(&self, broken: &Live) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| Arc::ptr_eq(&live.state, &broken.state)) {
            *live = None;
        }
    }

    /// Whatever connection there is, it is not used again.
    pub(super) fn hang_up(&self) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn current(&self) -> Option<Live> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().filter(|live| !live.state.closed.load(Ordering::Acquire)).cloned()
    }
}

impl Live {
    /// It has answered.
    pub(super) fn heard(&self) {
        let now = u64::try_from(self.state.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.state.heard.store(now, Ordering::Relaxed);
    }

    fn is_stale(&self) -> bool {
        let heard = Duration::from_millis(self.state.heard.load(Ordering::Relaxed));
        self.state.since.elapsed().saturating_sub(heard) > FRESH
    }
}

fn name_of(address: &ConnectionAddr) -> String {
    match address {
        ConnectionAddr::Tcp(host, port) => format!("Redis at {host}:{port}"),
        ConnectionAddr::TcpTls { host, port, .. } => format!("Redis at {host}:{port} (TLS)"),
        ConnectionAddr::Unix(path) => format!("Redis at {}", path.display()),
        _ => "Redis".to_owned(),
    }
}
