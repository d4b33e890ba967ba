//! The connection: one, shared by all calls, made when it is needed and made again when it is gone.
//!
//! Invariant (I10): every call ends within the deadline, whatever the server does. A call is sent again only
//! if that cannot do it twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{
    Arg, AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo,
    IntoConnectionInfo as _, Pipeline, ProtocolVersion, PushInfo, PushKind, RedisError, RedisResult,
    TlsCertificates, Value,
};

use super::errors;
use super::options::RedisOptions;
use crate::stats::{Traffic, Trip};
use crate::store::{Outcome, Result, StoreError};

/// What happens if a call is sent, and nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes nothing that anybody asked for: it is sent again.
    Read,
    /// It writes, and doing it twice is doing it once: it is sent again.
    Once,
    /// It writes: it is not sent again.
    Write,
}

/// What is sent in one round trip.
#[derive(Clone, Copy)]
enum Request<'a> {
    One(&'a Cmd),
    Many(&'a Pipeline),
}

impl Request<'_> {
    /// The name of its first command, for who traces.
    fn name(self) -> String {
        let first = match self {
            Self::One(command) => command.args_iter().next(),
            Self::Many(commands) => commands.cmd_iter().next().and_then(|command| command.args_iter().next()),
        };
        match first {
            Some(Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => String::new(),
        }
    }

    async fn send(self, mut connection: MultiplexedConnection) -> RedisResult<Value> {
        match self {
            Self::One(command) => connection.send_packed_command(command).await,
            Self::Many(commands) => {
                connection.req_packed_commands(commands, 0, commands.len()).await.map(Value::Array)
            }
        }
    }
}

/// How many commands may wait for the connection to take them; further callers wait for a place.
const WAITING: usize = 1024;

/// The way to one server.
pub(super) struct Link {
    client: Client,
    name: String,
    deadline: Duration,
    live: Mutex<Option<Live>>,
    traffic: Traffic,
    connecting: tokio::sync::Mutex<()>,
}

/// A connection, and whether the server has closed it.
#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    closed: Arc<AtomicBool>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("name", &self.name)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(options: &RedisOptions) -> Result<Self> {
        let unusable = |reason: String| StoreError::Unreachable { store: "Redis".to_owned(), reason };
        let info = connection_info(&options.url).map_err(&unusable)?;
        let name = name_of(info.addr());
        let has_certificates = options.ca.is_some() || options.client_certificate.is_some();
        let client = if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            let certificates = certificates(options).map_err(&unusable)?;
            Client::build_with_tls(info, certificates).map_err(|error| unusable(error.to_string()))?
        } else if has_certificates {
            return Err(unusable(
                "certificates were given, but the address does not begin with rediss://".to_owned(),
            ));
        } else {
            Client::open(info).map_err(|error| unusable(error.to_string()))?
        };
        Ok(Self {
            client,
            name,
            deadline: options.deadline,
            live: Mutex::new(None),
            traffic: Traffic::default(),
            connecting: tokio::sync::Mutex::new(()),
        })
    }

    /// What errors call the server: its address, without credentials.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What was exchanged over it.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// An answer that no version of the server should give.
    pub(super) fn failed(&self, reason: &str) -> StoreError {
        StoreError::Failed { store: self.name.clone(), reason: reason.to_owned() }
    }

    /// The elements of an answer that is a list.
    pub(super) fn array(&self, value: Value) -> Result<Vec<Value>> {
        match value {
            Value::Array(values) => Ok(values),
            other => Err(self.failed(&format!("expected a list, got {}", errors::kind_of(&other)))),
        }
    }

    /// One command; an error that the server answers is an error.
    pub(super) async fn call(&self, kind: Kind, command: &Cmd) -> Result<Value> {
        self.checked(self.send(kind, command).await?)
    }

    /// One command; an error that the server answers is a [`Value::ServerError`].
    pub(super) async fn send(&self, kind: Kind, command: &Cmd) -> Result<Value> {
        self.trip(kind, Request::One(command)).await
    }

    /// Commands in one round trip, answered one by one, each answer possibly a [`Value::ServerError`].
    pub(super) async fn send_all(&self, kind: Kind, commands: &Pipeline) -> Result<Vec<Value>> {
        let answers = self.trip(kind, Request::Many(commands)).await?;
        self.array(answers)
    }

    /// Commands in one round trip that see one moment; they were added to a [`transaction`].
    ///
    /// Its two ends are plain commands here: redis-rs' own transactions stop the connection's task where the
    /// server refuses the first of them.
    pub(super) async fn transact(&self, kind: Kind, mut commands: Pipeline) -> Result<Vec<Value>> {
        commands.cmd("EXEC");
        let mut answers = self.send_all(kind, &commands).await?;
        let last = answers.pop();
        // What was refused says more than that the transaction was.
        for answer in answers {
            self.checked(answer)?;
        }
        let values = self.array(self.checked(last.unwrap_or_default())?)?;
        values.into_iter().map(|value| self.checked(value)).collect()
    }

    /// The answer, unless it is an error.
    pub(super) fn checked(&self, value: Value) -> Result<Value> {
        match value {
            Value::ServerError(error) => {
                Err(errors::explain(&self.name, &RedisError::from(error), Outcome::NotStored))
            }
            value => Ok(value),
        }
    }

    /// One round trip, measured.
    async fn trip(&self, kind: Kind, request: Request<'_>) -> Result<Value> {
        let trip = if kind == Kind::Read { Trip::Read } else { Trip::Write };
        self.traffic.trip(trip, || request.name(), self.exchange(kind, request)).await
    }

    async fn exchange(&self, kind: Kind, request: Request<'_>) -> Result<Value> {
        let sent = AtomicBool::new(false);
        let outcome = || match kind {
            Kind::Once | Kind::Write if sent.load(Ordering::Relaxed) => Outcome::Unknown,
            _ => Outcome::NotStored,
        };
        let work = async {
            let mut again = kind != Kind::Write;
            loop {
                let live = self.live().await?;
                sent.store(true, Ordering::Relaxed);
                match request.send(live.connection.clone()).await {
                    Ok(value) => return Ok(value),
                    Err(error) if error.is_unrecoverable_error() => {
                        self.discard(&live);
                        if again {
                            again = false;
                            continue;
                        }
                        return Err(errors::explain(&self.name, &error, outcome()));
                    }
                    Err(error) => return Err(errors::explain(&self.name, &error, outcome())),
                }
            }
        };
        match tokio::time::timeout(self.deadline, work).await {
            Ok(result) => result,
            Err(_) => {
                // A server that does not answer may never do so on this connection: the next call makes another.
                *self.live.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Err(StoreError::TimedOut {
                    store: self.name.clone(),
                    deadline: self.deadline,
                    outcome: outcome(),
                })
            }
        }
    }

    fn current(&self) -> Option<Live> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().filter(|live| !live.closed.load(Ordering::Acquire)).cloned()
    }

    fn discard(&self, broken: &Live) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| Arc::ptr_eq(&live.closed, &broken.closed)) {
            *live = None;
        }
    }

    async fn live(&self) -> Result<Live> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let _one_at_a_time = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let closed = Arc::new(AtomicBool::new(false));
        let notice = Arc::clone(&closed);
        let config = AsyncConnectionConfig::new()
            // The deadline of the whole call is kept by `exchange`.
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(WAITING)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    notice.store(true, Ordering::Release);
                }
                Ok::<(), redis::aio::SendError>(())
            });
        let connection =
            self.client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| {
                self.traffic.refusals.one();
                errors::cannot_connect(&self.name, &error)
            })?;
        self.traffic.connects.one();
        tracing::debug!(store = self.name, "connected");
        let live = Live { connection, closed };
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(live.clone());
        Ok(live)
    }
}

/// The beginning of commands for [`Link::transact`].
pub(super) fn transaction() -> Pipeline {
    let mut commands = Pipeline::with_capacity(5);
    commands.cmd("MULTI");
    commands
}

fn connection_info(url: &str) -> std::result::Result<ConnectionInfo, String> {
    // What the library says of a bad address does not repeat it, so no password gets out.
    let info = url.into_connection_info().map_err(|error| error.to_string())?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(
            "#insecure is not supported: certificates are always verified; give the CA instead".to_owned()
        );
    }
    // RESP3 tells when a connection is closed; every server from Redis 6 on speaks it.
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("hitherto", env!("CARGO_PKG_VERSION"));
    Ok(info.set_redis_settings(settings).set_tcp_settings(TcpSettings::default().set_nodelay(true)))
}

fn name_of(address: &ConnectionAddr) -> String {
    match address {
        ConnectionAddr::Tcp(host, port) => format!("Redis at {host}:{port}"),
        ConnectionAddr::TcpTls { host, port, .. } => format!("Redis at {host}:{port} (TLS)"),
        ConnectionAddr::Unix(path) => format!("Redis at {}", path.display()),
        _ => "Redis".to_owned(),
    }
}

fn certificates(options: &RedisOptions) -> std::result::Result<TlsCertificates, String> {
    // Without a provider chosen by the application, the one that this crate brings.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let root_cert = options.ca.as_deref().map(read).transpose()?;
    let client_tls = match &options.client_certificate {
        None => None,
        Some((certificate, key)) => {
            Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? })
        }
    };
    Ok(TlsCertificates { client_tls, root_cert })
}
