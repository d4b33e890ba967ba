//! What a client is told that speaks plainly where TLS is spoken, or the other way round.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::listener::Protocol;
use super::seldom::Seldom;
use crate::http::problem::tls_required;

/// The first byte of every TLS connection.
pub(super) const HANDSHAKE: u8 = 0x16;
/// How long a client may take to read what it is told.
const LISTENS: Duration = Duration::from_secs(2);
/// How much of what it sent is read besides.
const MOST: usize = 64 << 10;

/// Whether bytes that begin so are text and no TLS.
pub(super) fn is_text(first: u8) -> bool {
    first.is_ascii_graphic() || first.is_ascii_whitespace()
}

/// Tells the client of a port with TLS, in its own protocol, what port this is, and ends the connection.
pub(super) async fn answer(mut stream: TcpStream, protocol: Protocol, peer: SocketAddr) {
    static SELDOM: Seldom = Seldom::new();
    if let Some(untold) = SELDOM.may(Instant::now()) {
        tracing::info!(%peer, untold, "a client speaks {protocol} without TLS to the port that has TLS; it was told so");
    }
    let told = match protocol {
        Protocol::Http => tls_required(),
        Protocol::Redis => {
            "-ERR this port speaks TLS: connect with rediss:// or redis-cli --tls\r\n".to_owned()
        }
    };
    let tell = async {
        stream.write_all(told.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with something unread would reset the connection, and the client would not see what it was told.
        let (mut unread, mut read) = ([0; 4096], 0);
        while read < MOST {
            match stream.read(&mut unread).await? {
                0 => break,
                more => read += more,
            }
        }
        io::Result::Ok(())
    };
    let _ = timeout(LISTENS, tell).await;
}

/// Logs that a client began TLS at a port without, and gives the error that ends the connection.
#[cold]
pub(super) fn tls_where_none_is(peer: Option<SocketAddr>) -> io::Error {
    static SELDOM: Seldom = Seldom::new();
    if let Some(untold) = SELDOM.may(Instant::now()) {
        let peer = peer.map_or_else(|| "a client".to_owned(), |peer| peer.to_string());
        tracing::warn!(
            peer,
            untold,
            "a client began a TLS handshake at a port without TLS and was disconnected: write http:// or redis:// there, or give \
             tls_certificate and tls_key here"
        );
    }
    io::Error::new(io::ErrorKind::InvalidData, "a TLS handshake at a port without TLS")
}
