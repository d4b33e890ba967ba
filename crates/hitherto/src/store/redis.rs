//! The Redis store.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use super::*;

/// Which Redis, and how it is reached.
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, `unix:///path[?db=n]`.
    pub url: String,
    /// By when every call has succeeded or failed. Default 2 s.
    pub deadline: Duration,
    /// Certificate authorities to trust instead of the system's, PEM.
    pub ca: Option<PathBuf>,
    /// A client certificate and its key, PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

impl RedisOptions {
    /// The defaults, for that address.
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), deadline: Duration::from_secs(2), ca: None, client_certificate: None }
    }
}

/// A store in Redis or Valkey.
#[derive(Debug)]
pub struct RedisStore {}

impl RedisStore {
    /// Checks the options; the connection is made by the first call that needs it.
    ///
    /// # Errors
    /// If the address or a certificate cannot be used.
    pub fn new(_options: RedisOptions) -> Result<Self> {
        Ok(Self {})
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn append(&self, _: At<'_>, _: Batch) -> Result<Receipt> {
        Err(StoreError::NoSession)
    }
    async fn read(&self, _: At<'_>, _: Range) -> Result<Slice> {
        Err(StoreError::NoSession)
    }
    async fn replace(&self, _: At<'_>, _: Seq, _: &Record, _: &Record) -> Result<Replaced> {
        Err(StoreError::NoSession)
    }
    async fn pop(&self, _: At<'_>, _: Pop) -> Result<Vec<Entry>> {
        Err(StoreError::NoSession)
    }
    async fn fork(&self, _: At<'_>, _: &SessionId, _: Option<Seq>) -> Result<Seq> {
        Err(StoreError::NoSession)
    }
    async fn clear(&self, _: At<'_>) -> Result<Option<u64>> {
        Err(StoreError::NoSession)
    }
    async fn configure(&self, _: At<'_>, _: &Configure) -> Result<()> {
        Err(StoreError::NoSession)
    }
    async fn describe(&self, _: At<'_>) -> Result<Option<Description>> {
        Err(StoreError::NoSession)
    }
    async fn sessions(&self, _: &Scope, _: Timestamp, _: &SessionQuery) -> Result<SessionPage> {
        Err(StoreError::NoSession)
    }
    async fn ping(&self) -> Result<()> {
        Err(StoreError::NoSession)
    }
    async fn inspect(&self) -> Result<Vec<Finding>> {
        Err(StoreError::NoSession)
    }
}
