//! A certificate authority and what it signed, as PEM files.
//!
//! Each [`Certificates`] is an authority of its own, so a second one is all that a test needs to play the
//! stranger whose certificate must not be accepted.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;

/// The names that a server on this machine is reached by.
const LOCAL: [&str; 2] = ["localhost", "127.0.0.1"];

/// An authority, a server certificate and a client certificate, in a folder that goes away with this.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// The server certificate is for `localhost` and `127.0.0.1`.
    pub fn new() -> Self {
        Self::for_names(&LOCAL)
    }

    /// The server certificate is for these names or addresses only: the wrong ones, for a test that a client
    /// looks at them.
    pub fn for_names(names: &[&str]) -> Self {
        Self::made(names, &[ExtendedKeyUsagePurpose::ServerAuth], None)
    }

    /// The server certificate ends in so many days.
    pub fn valid_days(days: u64) -> Self {
        let valid = Some(Duration::from_secs(days * 24 * 3600));
        Self::made(&LOCAL, &[ExtendedKeyUsagePurpose::ServerAuth], valid)
    }

    /// The server certificate is a client's, too: the nodes of a cluster are each other's clients.
    pub fn for_nodes() -> Self {
        let both = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Self::made(&LOCAL, &both, None)
    }

    fn made(names: &[&str], server: &[ExtendedKeyUsagePurpose], valid: Option<Duration>) -> Self {
        let folder =
            tempfile::Builder::new().prefix("hitherto-tls-").tempdir().expect("a folder for certificates");
        let made = Self { folder };
        let ca = authority();
        fs::write(made.ca(), ca.pem()).unwrap();
        let (cert, key) = sign(&ca, "hitherto test server", names, server, valid);
        fs::write(made.server_cert(), cert).unwrap();
        fs::write(made.server_key(), key).unwrap();
        let (cert, key) =
            sign(&ca, "hitherto test client", &[], &[ExtendedKeyUsagePurpose::ClientAuth], None);
        fs::write(made.client_cert(), cert).unwrap();
        fs::write(made.client_key(), key).unwrap();
        made
    }

    /// The authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The server's certificate.
    pub fn server_cert(&self) -> PathBuf {
        self.file("server.pem")
    }

    /// The server's private key (PKCS #8).
    pub fn server_key(&self) -> PathBuf {
        self.file("server.key")
    }

    /// The client's certificate, for servers that ask for one.
    pub fn client_cert(&self) -> PathBuf {
        self.file("client.pem")
    }

    /// The client's private key (PKCS #8).
    pub fn client_key(&self) -> PathBuf {
        self.file("client.key")
    }

    /// The folder with all of them.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "hitherto test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, both PEM.
fn sign(
    ca: &CertifiedIssuer<'static, KeyPair>,
    common_name: &str,
    names: &[&str],
    purposes: &[ExtendedKeyUsagePurpose],
    valid: Option<Duration>,
) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names that fit into a certificate");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = purposes.to_vec();
    params.use_authority_key_identifier_extension = true;
    if let Some(valid) = valid {
        params.not_after = (SystemTime::now() + valid).into();
    }
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, ca).unwrap().pem(), key.serialize_pem())
}
