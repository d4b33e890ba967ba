//! A TLS client that is neither Redis's own nor the one of the library under test: rustls, blocking.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::Certificates;

/// How long one read or write may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// A connection with TLS. The handshake happens with the first bytes.
pub type TlsConnection = StreamOwned<ClientConnection, TcpStream>;

/// Whom a client trusts, and who it is.
#[derive(Debug, Clone, Copy)]
pub struct TlsClient<'a> {
    /// The authority that it trusts.
    pub trusts: &'a Certificates,
    /// Whose client certificate it has.
    pub has: Option<&'a Certificates>,
    /// The name that it expects of the server.
    pub name: &'a str,
}

impl<'a> TlsClient<'a> {
    /// One that trusts this authority, has no certificate, and expects `localhost`.
    pub fn new(trusts: &'a Certificates) -> Self {
        Self { trusts, has: None, name: "localhost" }
    }

    /// The same with the client certificate of that authority.
    #[must_use]
    pub fn with(self, has: &'a Certificates) -> Self {
        Self { has: Some(has), ..self }
    }

    /// The same, expecting another name.
    #[must_use]
    pub fn expecting(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn connect(&self, address: SocketAddr) -> io::Result<TlsConnection> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.trusts.ca())).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match self.has {
            None => config.with_no_client_auth(),
            Some(own) => {
                let key = PrivateKeyDer::from_pem_file(own.client_key()).unwrap();
                config.with_client_auth_cert(vec![certificate(&own.client_cert())], key).unwrap()
            }
        };
        let name = ServerName::try_from(self.name.to_owned()).unwrap();
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(DEADLINE))?;
        socket.set_nodelay(true)?;
        Ok(StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket))
    }

    /// Connects, sends bytes, and gives as many as are expected back.
    ///
    /// # Errors
    /// If either side does not trust the other, or fewer come.
    pub fn ask(&self, address: SocketAddr, bytes: &[u8], expected: usize) -> io::Result<String> {
        ask(&mut self.connect(address)?, bytes, expected)
    }
}

/// Sends bytes over a connection and gives as many as are expected back.
///
/// # Errors
/// If either side does not trust the other, or fewer come.
pub fn ask(connection: &mut TlsConnection, bytes: &[u8], expected: usize) -> io::Result<String> {
    connection.write_all(bytes)?;
    let mut answer = vec![0; expected];
    connection.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&fs::read(path).unwrap()).unwrap()
}
