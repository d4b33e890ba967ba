//! The way to a model: one POST, within a deadline, of which so much is read and no more.
//!
//! Invariant: the key goes to the host that was named and to no other; a redirection is an answer like another,
//! and a failed one. Errors name the host, never the whole address.

use std::fs;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Response, Url, redirect, retry};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, timeout_at};

use super::address::Address;
use super::failure::{self, Failure};
use super::options::{Api, ModelError, ModelOptions};
use super::protocol;
use crate::summary::SummariserError;

/// How large an answer may be. A summary is a few kilobytes.
const ANSWER: usize = 1 << 20;
/// How much is read of an answer that says what went wrong.
const FAILURE: usize = 64 << 10;
/// No deadline is further away. (A time too far away for the clock would be a panic.)
const LATEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long an error from below may be, in characters.
const REASON: usize = 160;

/// A client of one model's address.
pub(super) struct Link {
    client: Client,
    url: Url,
    headers: HeaderMap,
    host: String,
    timeout: Duration,
}

impl Link {
    pub(super) fn new(options: &ModelOptions, address: &Address) -> Result<Self, ModelError> {
        let mut builder = Client::builder()
            .user_agent(concat!("hitherto/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            // A summary takes seconds and a connection milliseconds; a kept one may have died meanwhile.
            .pool_max_idle_per_host(0);
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        let client = tls(builder, options, address)?
            .build()
            .map_err(|error| ModelError::Client(reason(&error.without_url())))?;
        let (url, host) = (address.url.clone(), address.host());
        Ok(Self {
            client,
            url,
            headers: headers(options, address)?,
            host,
            timeout: options.timeout.min(LATEST),
        })
    }

    /// The body of a successful answer.
    pub(super) async fn post(&self, body: String) -> Result<Vec<u8>, SummariserError> {
        let deadline = Instant::now() + self.timeout;
        let late = |_| SummariserError::TimedOut(self.timeout);
        let request = self.client.post(self.url.clone()).headers(self.headers.clone()).body(body);
        let response = timeout_at(deadline, request.send()).await.map_err(late)?;
        let response = response.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            let reply = timeout_at(deadline, read(response, ANSWER)).await.map_err(late)?;
            let reply = reply.map_err(|error| self.unreachable(error))?;
            return reply.ok_or_else(|| SummariserError::NotText("it is larger than 1 MiB".to_owned()));
        }
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let failed = Failure {
            status: status.as_u16(),
            retry_after_ms: header("retry-after-ms"),
            retry_after: header("retry-after"),
        };
        // The status is known. What else there is to read may be cut, late or endless: it is only a reason.
        let body = timeout_at(deadline, read(response, FAILURE)).await;
        let body = body.ok().and_then(Result::ok).flatten().unwrap_or_default();
        Err(failure::read(&failed, &body, std::time::SystemTime::now()))
    }

    fn unreachable(&self, error: reqwest::Error) -> SummariserError {
        SummariserError::Unreachable(format!("{}: {}", self.host, reason(&error.without_url())))
    }
}

/// The whole body, or `None` if it is larger than `bound` bytes.
async fn read(mut response: Response, bound: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > bound {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Decides what is trusted.
fn tls(
    builder: ClientBuilder,
    options: &ModelOptions,
    address: &Address,
) -> Result<ClientBuilder, ModelError> {
    if let Some(path) = &options.ca {
        let refuse = |reason: String| ModelError::Certificates { path: path.clone(), reason };
        let pem = fs::read(path).map_err(|error| refuse(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| refuse(reason(&error)))?;
        if certificates.is_empty() {
            return Err(refuse("there is none in it".to_owned()));
        }
        // Without a provider chosen by the application, the one that this crate brings.
        let _ = ring::default_provider().install_default();
        return Ok(builder.tls_certs_only(certificates));
    }
    if address.url.scheme() == "https" {
        let _ = ring::default_provider().install_default();
        return Ok(builder);
    }
    // A model beside us speaks plain HTTP, and a small container has no certificates, without which no client
    // could be made. So this one trusts nobody.
    let nobody = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| ModelError::Client(error.to_string()))?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(nobody))
}

fn headers(options: &ModelOptions, address: &Address) -> Result<HeaderMap, ModelError> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("accept", HeaderValue::from_static("application/json"));
    if address.api == Api::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static(protocol::ANTHROPIC_VERSION));
    }
    if let Some(key) =
        options.key.as_ref().map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty())
    {
        let (name, value) = protocol::key_header(address.api, key);
        headers.insert(name, secret(&value).ok_or(ModelError::Key)?);
    }
    for (name, value) in &options.headers {
        let refuse = |reason| ModelError::Header { name: name.clone(), reason };
        let value = secret(value.expose_secret()).ok_or_else(|| refuse("its value cannot be sent"))?;
        let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("no name of a header"))?;
        if matches!(known.as_str(), "content-length" | "transfer-encoding" | "connection" | "content-type") {
            return Err(refuse("it belongs to the request itself"));
        }
        headers.insert(known, value);
    }
    Ok(headers)
}

fn secret(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What went wrong at the bottom of it, shortened.
fn reason(error: &reqwest::Error) -> String {
    let mut below: &dyn std::error::Error = error;
    while let Some(source) = below.source() {
        below = source;
    }
    below.to_string().chars().filter(|c| !c.is_control()).take(REASON).collect()
}
