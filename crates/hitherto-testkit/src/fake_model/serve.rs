//! The server: connections, and what is done on them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::behaviour::{Behaviour, Kind};
use super::protocol::Protocol;
use super::request::ModelRequest;
use super::{Shared, bind};
use crate::tls::Certificates;

/// How long a dripping answer waits before its next byte: shorter than any time-out worth testing.
const DRIP: Duration = Duration::from_millis(5);

/// A server before it runs.
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) shared: Arc<Shared>,
}

impl Server {
    /// Accepts until the last connection and the model are gone; listens or not as it is told.
    pub(super) async fn run(
        self,
        listener: std::net::TcpListener,
        mut switch: mpsc::UnboundedReceiver<(bool, oneshot::Sender<()>)>,
    ) {
        let mut listener = Some(TcpListener::from_std(listener).unwrap());
        let mut links = JoinSet::new();
        loop {
            tokio::select! {
                Some((up, done)) = switch.recv() => {
                    if !up {
                        listener = None;
                        links.shutdown().await;
                        self.shared.count(|counts| counts.open = 0);
                    } else if listener.is_none() {
                        listener = Some(TcpListener::from_std(bind(self.addr)).unwrap());
                    }
                    let _ = done.send(());
                }
                accepted = accept(listener.as_ref()) => {
                    let (stream, _) = accepted.expect("a connection");
                    stream.set_nodelay(true).unwrap();
                    self.shared.count(|counts| {
                        counts.connections += 1;
                        counts.open += 1;
                    });
                    let (shared, tls) = (Arc::clone(&self.shared), self.tls.clone());
                    links.spawn(async move {
                        // An error of a connection is one that ended, which is all that there is to it.
                        let _ = match tls {
                            None => talk(stream, &shared).await,
                            Some(tls) => match tls.accept(stream).await {
                                Ok(stream) => talk(stream, &shared).await,
                                Err(error) => Err(error),
                            },
                        };
                        shared.count(|counts| counts.open -= 1);
                    });
                }
                Some(_) = links.join_next() => {}
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// TLS with the server's certificate.
pub(super) fn acceptor(certificates: &Certificates) -> TlsAcceptor {
    let chain =
        CertificateDer::pem_file_iter(certificates.server_cert()).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(certificates.server_key()).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Requests and answers, until one side has enough.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = ModelRequest::read(&mut stream, &mut buffer).await? {
        let behaviour = {
            let mut byte = [0];
            tokio::select! {
                biased;
                behaviour = shared.decide(&request) => behaviour,
                // A client that gives up while it is held back is gone.
                _ = stream.read(&mut byte) => return Ok(()),
            }
        };
        if !perform(&mut stream, &request, &behaviour, shared).await? {
            break;
        }
    }
    Ok(())
}

/// Does it; false if the connection ends with it.
async fn perform(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &ModelRequest,
    behaviour: &Behaviour,
    shared: &Shared,
) -> io::Result<bool> {
    let protocol = Protocol::of(request).unwrap_or(Protocol::OpenAi);
    let json = "application/json";
    let (status, kind, body) = match &behaviour.kind {
        Kind::Text(speech) => (200, json, protocol.text(&[speech(request)], None).to_string().into_bytes()),
        Kind::Parts(parts) => (200, json, protocol.text(parts, None).to_string().into_bytes()),
        Kind::Ended { text, reason } => {
            (200, json, protocol.text(std::slice::from_ref(text), Some(reason)).to_string().into_bytes())
        }
        Kind::Refuses => (200, json, protocol.refuses().to_string().into_bytes()),
        Kind::Error { status, code } => {
            let message = format!("{code}: key {}, request {}", shared.key, request.body);
            (*status, json, protocol.error(code, &message).to_string().into_bytes())
        }
        Kind::Raw { status, content_type, body } => (*status, content_type.as_str(), body.clone()),
        Kind::CutBefore => return Ok(false),
        Kind::CutWithin => {
            let body = protocol.text(&["Half a summ".to_owned()], None).to_string();
            let head = head(200, json, Some(body.len()), &behaviour.headers);
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body.as_bytes()[..body.len() / 2]).await?;
            stream.flush().await?;
            return Ok(false);
        }
        Kind::Silent => {
            until_closed(stream).await;
            return Ok(false);
        }
        Kind::Drip => {
            stream.write_all(head(200, json, Some(1 << 20), &behaviour.headers).as_bytes()).await?;
            loop {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                tokio::time::sleep(DRIP).await;
            }
        }
        Kind::Flood(status) => {
            stream.write_all(head(*status, json, None, &behaviour.headers).as_bytes()).await?;
            let mut chunk = b"10000\r\n".to_vec();
            chunk.extend_from_slice(&[b' '; 0x10000]);
            chunk.extend_from_slice(b"\r\n");
            loop {
                stream.write_all(&chunk).await?;
                shared.count(|counts| counts.flooded += chunk.len());
            }
        }
    };
    stream.write_all(head(status, kind, Some(body.len()), &behaviour.headers).as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.flush().await?;
    Ok(request.header("connection") != Some("close"))
}

/// The head of an answer of that length, or of one in chunks.
fn head(status: u16, kind: &str, length: Option<usize>, headers: &[(String, String)]) -> String {
    let length = length.map_or_else(
        || "transfer-encoding: chunked".to_owned(),
        |length| format!("content-length: {length}"),
    );
    let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\n{length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head
}

async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut byte = [0];
    while stream.read(&mut byte).await.is_ok_and(|read| read > 0) {}
}
