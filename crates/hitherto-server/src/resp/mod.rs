//! The Redis-protocol door: a port that clients of Redis take for one.
//!
//! Invariant: this module knows bytes and connections; what commands mean is `keyspace`'s. A client can break nothing
//! but its own connection.

mod connection;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod parse;
mod write;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::keyspace::Keyspace;
use crate::settings::Settings;
use crate::tls::{Listener, Protocol};

/// How long what was accepted may take to finish once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How the port serves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RespOptions {
    /// The most connections at a time; a further one is told so and closed. Default 10,000.
    pub max_connections: usize,
    /// When a connection that says nothing is closed. Default never.
    pub idle_timeout: Option<Duration>,
    /// By when a command that has begun to arrive has arrived. Default 30 s.
    pub command_timeout: Duration,
    /// By when a client has taken its replies. Default 30 s.
    pub write_timeout: Duration,
}

impl Default for RespOptions {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            idle_timeout: None,
            command_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
        }
    }
}

impl From<&Settings> for RespOptions {
    fn from(settings: &Settings) -> Self {
        Self {
            max_connections: settings.max_connections,
            idle_timeout: settings.resp_idle_timeout,
            command_timeout: settings.body_timeout,
            write_timeout: settings.body_timeout,
        }
    }
}

/// Serves on the listener until `shutdown` ends; then accepts nothing more, finishes what has arrived (10 s at most),
/// and returns.
///
/// # Errors
/// If the listener has no address: it is closed.
pub async fn run_resp(
    listener: impl Into<Listener> + Send,
    keyspace: Keyspace,
    options: RespOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let listener = listener.into();
    listener.local_addr()?;
    let slots = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
    let options = Arc::new(options);
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let incoming = tokio::select! {
            biased;
            () = &mut shutdown => break,
            incoming = listener.accept() => incoming,
        };
        while connections.try_join_next().is_some() {}
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            connections.spawn(async move {
                let full = async {
                    let Some(mut stream) = incoming.open(Protocol::Redis).await else { return };
                    let _ = stream.write_all(b"-ERR max number of clients reached\r\n").await;
                    let _ = stream.shutdown().await;
                };
                let _ = tokio::time::timeout(Duration::from_secs(1), full).await;
            });
            continue;
        };
        let (keyspace, options, mut stopped) = (keyspace.clone(), Arc::clone(&options), stopped.clone());
        connections.spawn(async move {
            let opened = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => None,
                opened = incoming.open(Protocol::Redis) => opened,
            };
            if let Some(stream) = opened {
                connection::serve(stream, &keyspace, &options, stopped).await;
            }
            drop(slot);
        });
    }
    drop(listener);
    let _ = stop.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!(
            "some connections of the Redis port did not finish within {} s and were cut off",
            DRAIN.as_secs()
        );
    }
    Ok(())
}
