//! Accepting connections, and their TLS handshakes.
//!
//! Invariant: a handshake is bounded in time, and so is their number. A connection that says nothing costs a socket until
//! its time is over; one that has begun costs 64 KiB at most. Where all places are taken, those that have had a second
//! make room, so that clients which do nothing do not keep out those which do.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;

use super::keep::Tls;
use super::plain;
use super::seldom::Seldom;
use super::stream::Stream;
use crate::keepalive;

/// By when a handshake is done.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The same where others wait for its place.
const CROWDED: Duration = Duration::from_secs(1);
/// How many handshakes there are at a time.
const HANDSHAKES: usize = 1024;
/// How long accepting pauses when the system has no more descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// A port, with TLS or without.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    secured: Option<Arc<Secured>>,
}

/// What is spoken at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP.
    Http,
    /// The Redis protocol.
    Redis,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Redis => "the Redis protocol",
        })
    }
}

/// What handshakes of one port share.
#[derive(Debug)]
struct Secured {
    tls: Arc<Tls>,
    places: Arc<Semaphore>,
    /// Whether somebody waits for a place.
    crowded: watch::Sender<bool>,
}

/// A connection that was accepted, and has its handshake before it where there is TLS.
#[derive(Debug)]
pub(crate) struct Incoming {
    stream: TcpStream,
    peer: SocketAddr,
    handshake: Option<(Arc<Secured>, OwnedSemaphorePermit)>,
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, secured: None }
    }
}

impl Listener {
    /// A port with TLS.
    pub fn secured(tcp: TcpListener, tls: Arc<Tls>) -> Self {
        Self { tcp, secured: Some(Secured::new(tls, HANDSHAKES)) }
    }

    /// The same with another bound of handshakes at a time than 1,024.
    #[must_use]
    pub fn with_handshakes(mut self, most: usize) -> Self {
        self.secured = self.secured.map(|secured| Secured::new(Arc::clone(&secured.tls), most));
        self
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If it is closed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Whether it has TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.secured.is_some()
    }

    /// The next connection. Failing to accept one is either that connection's own failure or a lack of descriptors,
    /// which passes.
    pub(crate) async fn accept(&self) -> Incoming {
        let handshake = match &self.secured {
            Some(secured) => secured.place().await.map(|place| (Arc::clone(secured), place)),
            None => None,
        };
        loop {
            match self.tcp.accept().await {
                Ok((stream, peer)) => {
                    // Answers are written whole, so waiting to fill packets only adds delay.
                    if stream.set_nodelay(true).and_then(|()| keepalive::watch(&stream)).is_ok() {
                        return Incoming { stream, peer, handshake };
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

impl Secured {
    fn new(tls: Arc<Tls>, most: usize) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Arc::new(Self { tls, places, crowded: watch::Sender::new(false) })
    }

    /// A place for one handshake. The semaphore is never closed, so one always comes.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        self.crowded.send_replace(true);
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        self.crowded.send_replace(false);
        place
    }

    /// Ends when a handshake that began then has had its time.
    async fn over(&self, began: Instant) {
        sleep_until(began + CROWDED).await;
        let mut crowded = self.crowded.subscribe();
        let _ = tokio::time::timeout_at(began + HANDSHAKE, crowded.wait_for(|crowded| *crowded)).await;
    }
}

impl Incoming {
    /// The connection, ready to be served; nothing where its handshake fails or takes too long.
    pub(crate) async fn open(self, protocol: Protocol) -> Option<Stream> {
        let Self { stream, peer, handshake } = self;
        let Some((secured, _place)) = handshake else { return Some(Stream::plain(stream)) };
        let began = Instant::now();
        // Boxed, so that a connection that has it behind itself is small.
        let shaking = Box::pin(shake(stream, peer, &secured.tls, protocol));
        tokio::select! {
            biased;
            done = shaking => done,
            () = secured.over(began) => {
                tracing::debug!(%peer, "a TLS handshake took too long");
                None
            }
        }
    }
}

async fn shake(stream: TcpStream, peer: SocketAddr, tls: &Tls, protocol: Protocol) -> Option<Stream> {
    static SELDOM: Seldom = Seldom::new();
    // Nothing of TLS is made before something was said.
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(0) | Err(_) => {
            tracing::debug!(%peer, "a connection ended before its TLS handshake");
            return None;
        }
        Ok(_) if plain::is_text(first[0]) => {
            plain::answer(stream, protocol, peer).await;
            return None;
        }
        Ok(_) => {}
    }
    match TlsAcceptor::from(tls.config(protocol)).accept(stream).await {
        Ok(stream) => Some(Stream::Tls(Box::new(stream))),
        Err(error) => {
            if let Some(untold) = SELDOM.may(std::time::Instant::now()) {
                tracing::info!(%peer, %error, untold, "a TLS handshake failed");
            }
            None
        }
    }
}

/// Says that a port which others can reach has no TLS: whoever is between a client and the server reads along.
pub(crate) fn warn_of_plain(option: &str, listener: &Listener) {
    let Ok(address) = listener.local_addr() else { return };
    if !listener.has_tls() && !address.ip().to_canonical().is_loopback() {
        tracing::warn!(
            option,
            %address,
            "this port can be reached by others and has no TLS: what is said, and tokens, cross the network as they are. Give \
             tls_certificate and tls_key, or let a proxy on this machine speak TLS"
        );
    }
}
