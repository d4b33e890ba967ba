//! Connections: accepted up to a bound, each with its time-outs, and finished when the server stops.
//!
//! Invariant: nothing here waits without a bound, and a connection that fails harms no other.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::http::{Door, router};
use crate::keepalive;
use crate::patience::Patient;

/// How long accepted requests may take to finish once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How long accepting pauses when the system has no more descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves on the listener until `shutdown` ends; then accepts nothing more, finishes what was accepted
/// (10 s at most), and returns.
///
/// # Errors
/// If the listener has no address: it is closed.
pub async fn run(
    listener: TcpListener,
    door: Arc<Door>,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    listener.local_addr()?;
    let slots = Arc::new(Semaphore::new(door.options().max_connections.min(Semaphore::MAX_PERMITS)));
    let mut http = http1::Builder::new();
    // Each answer is sent before the next request of a pipeline is read, or one client could make the server hold the
    // answers to thousands.
    http.timer(TokioTimer::new()).header_read_timeout(door.options().idle_timeout).pipeline_flush(false);
    let patience = door.options().body_timeout;
    let service = TowerToHyperService::new(router(door));
    let graceful = GracefulShutdown::new();
    // Owns the connections: whatever is left of them when this function returns is cut off.
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed, so a permit always comes.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, accept(&listener).await)
        };
        let (slot, stream) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        let connection = graceful
            .watch(http.serve_connection(TokioIo::new(Patient::new(stream, patience)), service.clone()));
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish within {} s and were cut off", DRAIN.as_secs());
    }
    Ok(())
}

/// The next connection. Failing to accept one is either that connection's own failure or a lack of
/// descriptors, which passes.
pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written whole, so waiting to fill packets only adds delay.
                if stream.set_nodelay(true).and_then(|()| keepalive::watch(&stream)).is_ok() {
                    return stream;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
