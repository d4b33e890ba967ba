//! The embedded store: one SQLite file, for when there is no Redis.
//!
//! Invariant: SQLite's types are named in this module and below it only. One thread writes, many
//! writes to one commit; readers run beside it and see whole commits.

mod due;
mod lease;
mod message;
mod read;
mod schema;
mod session;
mod sessions;
mod summary;
mod sweep;
mod upgrade;
mod write;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;

use super::{
    At, Batch, Begun, Claim, Commit, Committed, Configure, Description, Due, Entry, Finding, Lease, Outcome,
    Pop, Range, Reader, Receipt, Replaced, Result, Seq, SessionPage, SessionQuery, Severity, Slice, Store,
    StoreError, SummaryState,
};
use crate::record::Record;
use crate::session::{Scope, SessionId, SessionKey};
use crate::stats::Traffic;
use crate::time::Timestamp;
use read::Readers;
use schema::Database;
#[cfg(test)]
pub(crate) use schema::TABLES;
use session::SessionRow;
use uuid::Uuid;
use writer::Writer;

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

/// A store in one SQLite file. Several processes may have it open; each write is durable when it is answered.
#[derive(Debug)]
pub struct EmbeddedStore {
    database: Arc<Database>,
    readers: Readers,
    writer: Option<Writer>,
}

impl EmbeddedStore {
    /// Opens the file, making it if it is not there.
    ///
    /// # Errors
    /// If it cannot be opened, is no database of Hitherto's, or has a newer format.
    pub fn open(options: EmbeddedOptions) -> Result<Self> {
        let database = Arc::new(Database::new(options));
        let writer =
            if database.options.read_only { None } else { Some(Writer::start(Arc::clone(&database))?) };
        let readers = Readers::open(Arc::clone(&database))?;
        Ok(Self { database, readers, writer })
    }

    /// Removes what has expired by `now`. The store does so by itself, soon after.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn sweep(&self, now: Timestamp) -> Result<()> {
        let all = move |file: &Connection| {
            while sweep::sweep(file, now)? {}
            Ok(())
        };
        self.writer()?.run(now, all).await
    }

    /// Looks at a session, beside the writer unless that restarts the session's clock.
    async fn look<T: Default + Send + 'static>(
        &self,
        at: At<'_>,
        reader: Reader,
        look: impl Fn(&Connection, &SessionRow) -> FileResult<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let (key, now, again) = (at.key.clone(), at.now, look.clone());
        match self.readers.run(move |file| read::read(file, &key, now, look)).await? {
            read::Found::There(seen) => Ok(seen),
            read::Found::Restarts(seen) if reader == Reader::Folder => Ok(seen),
            read::Found::Restarts(seen) => match &self.writer {
                None => Ok(seen),
                Some(writer) => {
                    let key = at.key.clone();
                    writer.run(now, move |file| read::read_and_restart(file, &key, now, again)).await
                }
            },
        }
    }

    fn writer(&self) -> Result<&Writer> {
        self.writer.as_ref().ok_or_else(|| StoreError::ReadOnly {
            store: self.database.name(),
            reason: "it was opened for reading only".to_owned(),
        })
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn append(&self, at: At<'_>, batch: Batch) -> Result<Receipt> {
        let (key, now) = (at.key.clone(), at.now);
        self.writer()?.run(now, move |file| write::append(file, &key, now, &batch)).await
    }

    async fn read(&self, at: At<'_>, range: Range) -> Result<Slice> {
        let slice: Slice =
            self.look(at, Reader::Client, move |file, row| read::slice(file, row, range)).await?;
        self.traffic().read(&slice.entries);
        Ok(slice)
    }

    async fn replace(&self, at: At<'_>, seq: Seq, old: &Record, new: &Record) -> Result<Replaced> {
        let (key, now, old, new) = (at.key.clone(), at.now, old.clone(), new.clone());
        self.writer()?.run(now, move |file| write::replace(file, &key, now, seq, &old, &new)).await
    }

    async fn pop(&self, at: At<'_>, what: Pop) -> Result<Vec<Entry>> {
        let (key, now) = (at.key.clone(), at.now);
        self.writer()?.run(now, move |file| write::pop(file, &key, now, what)).await
    }

    async fn fork(&self, at: At<'_>, to: &SessionId, upto: Option<Seq>) -> Result<Seq> {
        let (key, now, to) = (at.key.clone(), at.now, at.key.scope.session(to));
        self.writer()?.run(now, move |file| write::fork(file, &key, now, &to, upto)).await
    }

    async fn clear(&self, at: At<'_>) -> Result<Option<u64>> {
        let (key, now) = (at.key.clone(), at.now);
        self.writer()?.run(now, move |file| write::clear(file, &key, now)).await
    }

    async fn configure(&self, at: At<'_>, change: &Configure) -> Result<()> {
        let (key, now, change) = (at.key.clone(), at.now, change.clone());
        self.writer()?.run(now, move |file| write::configure(file, &key, now, &change)).await
    }

    async fn read_with_summary(
        &self,
        at: At<'_>,
        range: Range,
        reader: Reader,
    ) -> Result<(Slice, SummaryState)> {
        let look = move |file: &Connection, row: &SessionRow| {
            Ok((read::slice(file, row, range)?, summary::state(file, row)?))
        };
        let read: (Slice, SummaryState) = self.look(at, reader, look).await?;
        self.traffic().read(&read.0.entries);
        Ok(read)
    }

    async fn begin_fold(&self, at: At<'_>, lease: &Lease, expected: Option<Uuid>) -> Result<Begun> {
        let (key, now, lease) = (at.key.clone(), at.now, *lease);
        self.writer()?.run(now, move |file| lease::begin(file, &key, now, &lease, expected)).await
    }

    async fn commit_summary(&self, at: At<'_>, commit: &Commit) -> Result<Committed> {
        let (key, now, commit) = (at.key.clone(), at.now, commit.clone());
        self.writer()?.run(now, move |file| summary::commit(file, &key, now, &commit)).await
    }

    async fn end_fold(&self, at: At<'_>, token: Uuid, failed: bool) -> Result<()> {
        let (key, now) = (at.key.clone(), at.now);
        self.writer()?.run(now, move |file| lease::end(file, &key, now, token, failed)).await
    }

    async fn mark_due(&self, key: &SessionKey, due: Timestamp) -> Result<()> {
        let key = key.clone();
        self.writer()?.run(None, move |file| due::mark_key(file, &key, due)).await
    }

    async fn claim_due(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Claim>> {
        let writer = self.writer()?;
        // Asked often, and seldom is anything due: then nobody has to wait for a write.
        if !self.readers.run(move |file| due::any(file, now)).await? {
            return Ok(Vec::new());
        }
        writer.run(now, move |file| due::claim(file, now, until, limit)).await
    }

    async fn settle(&self, claim: &Claim, again: Option<Timestamp>) -> Result<()> {
        let claim = claim.clone();
        self.writer()?.run(None, move |file| due::settle(file, &claim, again)).await
    }

    async fn describe(&self, at: At<'_>) -> Result<Option<Description>> {
        let (key, now) = (at.key.clone(), at.now);
        self.readers.run(move |file| Ok(session::find(file, &key, now)?.map(|row| row.description()))).await
    }

    async fn sessions(&self, scope: &Scope, now: Timestamp, query: &SessionQuery) -> Result<SessionPage> {
        let (scope, query) = (scope.clone(), query.clone());
        self.readers.run(move |file| sessions::page(file, &scope, now, &query)).await
    }

    async fn ping(&self) -> Result<()> {
        self.writer.as_ref().map_or(Ok(()), Writer::check)?;
        self.readers.run(|file| file.query_row("SELECT 1", [], |_| Ok(())).map_err(Into::into)).await
    }

    async fn inspect(&self) -> Result<Vec<Finding>> {
        self.readers.run(schema::inspect).await
    }

    fn traffic(&self) -> &Traffic {
        &self.database.traffic
    }

    async fn due(&self, now: Timestamp) -> Result<Due> {
        self.readers.run(move |file| due::waiting(file, now)).await
    }

    async fn count_sessions(&self, scope: &Scope, now: Timestamp) -> Result<u64> {
        let scope = scope.clone();
        self.readers.run(move |file| sessions::count(file, &scope, now)).await
    }
}

/// What can go wrong below: SQLite's errors, and the store's own.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// A result of something done to the file.
type FileResult<T> = std::result::Result<T, FileError>;

/// As SQLite counts: it has no unsigned numbers. What is beyond its range is at its end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Back from SQLite; nothing that is stored is negative.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
