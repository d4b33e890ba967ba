//! The files of a certificate, and what they become.
//!
//! Invariant: what is read is bounded, and an error names the option and the file, never what is in it.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{InconsistentKeys, RootCertStore, ServerConfig};
use thiserror::Error;

use super::expiry::Expiry;

/// How large a file of certificates may be: all authorities of a system are a quarter of it.
const LARGEST: u64 = 1 << 20;

/// Where a certificate and what belongs to it lie, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and behind it those that lead to an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose certificates clients have, and whether they must have one.
    pub clients: Option<(PathBuf, ClientAuth)>,
}

/// Whether a client must have a certificate. One that it has is verified in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// It must.
    Required,
    /// It may.
    Optional,
}

/// Why the files cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{option}: {} cannot be read: {error}", .path.display())]
    Unreadable {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{option}: {} {reason}", .path.display())]
    Unusable {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What stood in the files at one moment.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    clients: Option<Vec<u8>>,
}

/// What a handshake needs, for each protocol.
#[derive(Debug)]
pub(super) struct Configs {
    pub(super) http: Arc<ServerConfig>,
    pub(super) redis: Arc<ServerConfig>,
    pub(super) expiry: Expiry,
}

impl TlsFiles {
    /// Reads the files.
    pub(super) fn read(&self) -> Result<Contents, TlsError> {
        Ok(Contents {
            certificate: read("tls_certificate", &self.certificate)?,
            key: read("tls_key", &self.key)?,
            clients: self.clients.as_ref().map(|(path, _)| read("tls_client_ca", path)).transpose()?,
        })
    }

    /// Makes of them what a handshake needs.
    pub(super) fn configs(&self, contents: &Contents) -> Result<Configs, TlsError> {
        let unusable = |reason: String| TlsError::Unusable {
            option: "tls_certificate",
            path: self.certificate.clone(),
            reason,
        };
        let chain = certificates("tls_certificate", &self.certificate, &contents.certificate)?;
        let expiry = match chain.first() {
            Some(first) => Expiry::of(first).map_err(&unusable)?,
            None => return Err(unusable("has no certificate".to_owned())),
        };
        let key = self.private_key(&contents.key)?;
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_client_cert_verifier(self.verifier(contents, &provider)?)
            .with_single_cert(chain, key)
            .map_err(|error| self.of_pair(&error))?;
        // The Redis protocol has no name of its own to agree on; what its clients offer is passed over.
        let mut http = config.clone();
        http.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Configs { http: Arc::new(http), redis: Arc::new(config), expiry })
    }

    fn private_key(&self, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
            let encrypted = String::from_utf8_lossy(pem).contains("ENCRYPTED");
            self.of_key(if encrypted {
                "is encrypted with a password; give the key without one, in a file that only the server can read"
            } else {
                "has no private key (-----BEGIN PRIVATE KEY-----)"
            })
        })
    }

    fn of_key(&self, reason: &str) -> TlsError {
        TlsError::Unusable { option: "tls_key", path: self.key.clone(), reason: reason.to_owned() }
    }

    fn of_pair(&self, error: &rustls::Error) -> TlsError {
        match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => self.of_key(&format!(
                "is not the key of the first certificate in {}, which has to be the server's own",
                self.certificate.display()
            )),
            other => self.of_key(&format!("cannot be used: {other}")),
        }
    }

    fn verifier(
        &self,
        contents: &Contents,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let (Some((path, auth)), Some(pem)) = (&self.clients, &contents.clients) else {
            return Ok(WebPkiClientVerifier::no_client_auth());
        };
        let unusable = |error: &dyn std::fmt::Display| TlsError::Unusable {
            option: "tls_client_ca",
            path: path.clone(),
            reason: format!("cannot be used: {error}"),
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates("tls_client_ca", path, pem)? {
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let builder = match auth {
            ClientAuth::Required => builder,
            ClientAuth::Optional => builder.allow_unauthenticated(),
        };
        builder.build().map_err(|error| unusable(&error))
    }
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::Unreadable { option, path: path.to_owned(), error };
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(unreadable(std::io::Error::other("it is larger than 1 MiB")));
    }
    Ok(text)
}

fn certificates(
    option: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |reason: String| TlsError::Unusable { option, path: path.to_owned(), reason };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| unusable(format!("is no PEM: {error}")))?;
    if found.is_empty() {
        return Err(unusable("has no certificate (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use hitherto_testkit::Certificates;

    use super::*;

    fn files(certificates: &Certificates) -> TlsFiles {
        TlsFiles { certificate: certificates.server_cert(), key: certificates.server_key(), clients: None }
    }

    fn refused(files: &TlsFiles) -> String {
        match files.read().and_then(|contents| files.configs(&contents)) {
            Ok(_) => "accepted".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn errors_name_the_option_and_the_file() {
        let (own, other) = (Certificates::new(), Certificates::new());
        let odd = own.folder().join("odd.pem");
        let check = |text: &str, change: &dyn Fn(&mut TlsFiles), expected: &str| {
            std::fs::write(&odd, text).unwrap();
            let mut files = files(&own);
            change(&mut files);
            let found = refused(&files);
            assert!(found.contains(expected), "{found}");
            assert!(!found.contains("secret"), "{found}");
        };
        check("", &|_| {}, "accepted");
        check("", &|files| files.key = "none.key".into(), "tls_key: none.key cannot be read: No such file");
        check("secret", &|files| files.certificate.clone_from(&odd), "odd.pem has no certificate");
        check("secret", &|files| files.key.clone_from(&odd), "odd.pem has no private key");
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nsecret\n-----END ENCRYPTED PRIVATE KEY-----\n";
        check(encrypted, &|files| files.key.clone_from(&odd), "is encrypted with a password");
        check(
            "",
            &|files| files.key = other.server_key(),
            "server.key is not the key of the first certificate in",
        );
        let clients = |files: &mut TlsFiles| files.clients = Some((odd.clone(), ClientAuth::Required));
        check("secret", &clients, "tls_client_ca: ");
        let broken = "-----BEGIN CERTIFICATE-----\nsecret\n";
        check(broken, &clients, "is no PEM");
        let nonsense = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n";
        check(nonsense, &clients, "cannot be used");
        check(nonsense, &|files| files.certificate.clone_from(&odd), "odd.pem is no certificate");
        check(&"secret".repeat(1 << 18), &|files| files.key.clone_from(&odd), "it is larger than 1 MiB");
    }
}
