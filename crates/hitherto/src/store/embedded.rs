//! The embedded store: one SQLite file, for when there is no Redis.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;

use super::*;

/// Where the file lies and how it is used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EmbeddedOptions {
    /// The database file; it is made if it is not there.
    pub path: PathBuf,
    /// By when every call has succeeded or failed. Default 2 s.
    pub deadline: Duration,
    /// Refuse to make the file or to change it. Default false.
    pub read_only: bool,
}

impl EmbeddedOptions {
    /// The defaults, for that file.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().to_owned(), deadline: Duration::from_secs(2), read_only: false }
    }
}

/// A store in one SQLite file.
#[derive(Debug)]
pub struct EmbeddedStore {}

impl EmbeddedStore {
    /// Opens the file, making it if it is not there.
    ///
    /// # Errors
    /// If it cannot be opened, is no database of Hitherto's, or has a newer format.
    pub fn open(_options: EmbeddedOptions) -> Result<Self> {
        Ok(Self {})
    }
}

#[async_trait]
impl Store for EmbeddedStore {
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
