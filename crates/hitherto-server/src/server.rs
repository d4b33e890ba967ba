//! Connections: accepted up to a bound, each with its time-outs, and finished when the server stops.
//!
//! Invariant: nothing here waits without a bound, and a connection that fails harms no other.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::http::{Body, Door, Front, Options, metrics};
use crate::metrics::{Connected, DoorName};
use crate::patience::Patient;
use crate::tls::{Listener, Protocol};

/// How long accepted requests may take to finish once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How many connections the listener for metrics takes at a time.
const WATCHERS: usize = 64;

/// Serves on the listener until `shutdown` ends; then accepts nothing more, finishes what was accepted
/// (10 s at most), and returns.
///
/// # Errors
/// If the listener has no address: it is closed.
pub async fn run(
    listener: impl Into<Listener> + Send,
    door: Arc<Door>,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let metrics = Arc::clone(door.metrics());
    let connected = move || Some(metrics.connected(DoorName::Http));
    accept_all(listener.into(), door.options().clone(), Front::new(door), connected, shutdown).await
}

/// Serves metrics and health, and nothing else, as [`run`] serves everything.
///
/// # Errors
/// As [`run`].
pub(crate) async fn run_metrics(
    listener: impl Into<Listener> + Send,
    door: Arc<Door>,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let mut options = door.options().clone();
    options.max_connections = options.max_connections.min(WATCHERS);
    let service = TowerToHyperService::new(metrics::router(door));
    accept_all(listener.into(), options, service, || None, shutdown).await
}

async fn accept_all<S>(
    listener: Listener,
    options: Options,
    service: S,
    connected: impl Fn() -> Option<Connected>,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()>
where
    S: HttpService<Incoming, ResBody = Body, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    listener.local_addr()?;
    let slots = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
    let mut http = http1::Builder::new();
    // Each answer is sent before the next request of a pipeline is read, or one client could make the server hold the
    // answers to thousands.
    http.timer(TokioTimer::new()).header_read_timeout(options.idle_timeout).pipeline_flush(false);
    let patience = options.body_timeout;
    let graceful = GracefulShutdown::new();
    // Ends handshakes; whoever has one behind itself hears of the end by `graceful`.
    let stop = watch::Sender::new(false);
    // Owns the connections: whatever is left of them when this function returns is cut off.
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed, so a permit always comes.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, incoming) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        while connections.try_join_next().is_some() {}
        let (watcher, mut stopped) = (graceful.watcher(), stop.subscribe());
        let (http, service, connected) = (http.clone(), service.clone(), connected());
        connections.spawn(async move {
            let opened = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => None,
                opened = incoming.open(Protocol::Http) => opened,
            };
            let Some(stream) = opened else { return };
            let connection =
                watcher.watch(http.serve_connection(TokioIo::new(Patient::new(stream, patience)), service));
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop((slot, connected));
        });
    }
    drop(listener);
    stop.send_replace(true);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish within {} s and were cut off", DRAIN.as_secs());
    }
    Ok(())
}
