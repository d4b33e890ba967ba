//! Settings of TLS: of the server's own ports, and of commands on their way to a server.

use std::path::PathBuf;

use anyhow::bail;

use super::Layers;
use crate::tls::{ClientAuth, TlsFiles};

/// What the server's own ports speak.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsSettings {
    /// The files of the certificate.
    pub files: TlsFiles,
    /// Whether HTTP has it.
    pub http: bool,
    /// Whether the Redis port has it.
    pub redis: bool,
}

/// Whom a command trusts on its way to a server, and who it is itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerTls {
    /// Authorities to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// A client certificate, and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl TlsSettings {
    pub(super) fn resolve(layers: &Layers) -> anyhow::Result<Option<Self>> {
        let Some((certificate, key)) = pair(layers, "tls_certificate", "tls_key")? else {
            if layers.get("tls_client_ca").is_some() {
                bail!(
                    "tls_client_ca needs tls_certificate and tls_key: without TLS a client has no certificate"
                );
            }
            return Ok(None);
        };
        let auth = match layers.get("tls_client_auth") {
            Some("optional") => ClientAuth::Optional,
            _ => ClientAuth::Required,
        };
        let clients = layers.get("tls_client_ca").map(|path| (PathBuf::from(path), auth));
        let ports = layers.get("tls_ports");
        Ok(Some(Self {
            files: TlsFiles { certificate, key, clients },
            http: ports != Some("redis"),
            redis: ports != Some("http"),
        }))
    }
}

impl ServerTls {
    pub(super) fn resolve(layers: &Layers) -> anyhow::Result<Self> {
        Ok(Self {
            ca: layers.get("server_ca").map(PathBuf::from),
            client: pair(layers, "server_cert", "server_key")?,
        })
    }
}

/// A certificate and its key: both, or neither.
pub(super) fn pair(
    layers: &Layers,
    certificate: &str,
    key: &str,
) -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    match (layers.get(certificate), layers.get(key)) {
        (Some(certificate), Some(key)) => Ok(Some((certificate.into(), key.into()))),
        (None, None) => Ok(None),
        (Some(_), None) => bail!("{certificate} needs {key}, the private key of the certificate"),
        (None, Some(_)) => bail!("{key} needs {certificate}, the certificate that the key belongs to"),
    }
}
