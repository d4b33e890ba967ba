//! A connection, with TLS or without.
//!
//! Invariant: plain TCP costs one comparison more than a bare socket; a connection that waits holds no buffer of ours.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::plain;

/// A connection.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Without TLS.
    Plain(Plain),
    /// With TLS; boxed, for it is large and most are not that.
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection without TLS, and whether anything came over it yet.
#[derive(Debug)]
pub(crate) struct Plain {
    tcp: TcpStream,
    begun: bool,
}

impl Stream {
    /// A connection without TLS.
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self::Plain(Plain { tcp, begun: false })
    }

    /// Waits for bytes without a buffer, and reads what there is, at most `most` bytes; 0 at the end.
    pub(crate) async fn begin(&mut self, buffer: &mut BytesMut, most: usize) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => loop {
                plain.tcp.readable().await?;
                buffer.reserve(most);
                match plain.tcp.try_read_buf(buffer) {
                    // A read that filled its buffer to the last byte leaves a stream that is taken for readable
                    // and is not.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => *buffer = BytesMut::new(),
                    Err(error) => return Err(error),
                    Ok(read) => {
                        plain.look(buffer)?;
                        return Ok(read);
                    }
                }
            },
            Self::Tls(tls) => {
                poll_fn(|context| {
                    let mut tls = Pin::new(tls.as_mut());
                    let read = match ready!(tls.as_mut().poll_fill_buf(context)) {
                        Ok(there) => {
                            let there = there.get(..most).unwrap_or(there);
                            buffer.extend_from_slice(there);
                            there.len()
                        }
                        Err(error) => return Poll::Ready(cut_off(error).map(|()| 0)),
                    };
                    tls.consume(read);
                    Poll::Ready(Ok(read))
                })
                .await
            }
        }
    }

    /// What went wrong at the socket and nobody has been told yet.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Self::Plain(plain) => plain.tcp.take_error(),
            Self::Tls(tls) => tls.get_ref().0.take_error(),
        }
    }
}

impl Plain {
    /// Looks at the first byte: a client that begins a TLS handshake here would wait for an answer that it understands.
    #[inline]
    fn look(&mut self, first: &[u8]) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        if first.first() == Some(&plain::HANDSHAKE) {
            return Err(plain::tls_where_none_is(self.tcp.peer_addr().ok()));
        }
        Ok(())
    }
}

/// An end without the word that ends TLS is an end all the same: commands and bodies say themselves how long they are, so
/// nothing is gained by cutting one off, and half of the clients leave so.
fn cut_off(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::UnexpectedEof { Ok(()) } else { Err(error) }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => {
                let before = buffer.filled().len();
                ready!(Pin::new(&mut plain.tcp).poll_read(context, buffer))?;
                Poll::Ready(plain.look(buffer.filled().get(before..).unwrap_or_default()))
            }
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(context, buffer).map(|read| match read {
                Err(error) => cut_off(error),
                read => read,
            }),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(&mut plain.tcp).poll_write(context, bytes),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(&mut plain.tcp).poll_write_vectored(context, slices),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(plain) => plain.tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(&mut plain.tcp).poll_flush(context),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(&mut plain.tcp).poll_shutdown(context),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(context),
        }
    }
}
