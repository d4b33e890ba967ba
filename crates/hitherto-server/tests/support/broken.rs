//! Stores that do what real ones do only on bad days.

use std::sync::LazyLock;

use async_trait::async_trait;
use hitherto::SessionKey;
use hitherto::access::{Credential, CredentialPage, TokenHash};
use hitherto::stats::Traffic;
use hitherto::store::{
    At, Batch, Begun, Claim, Commit, Committed, Counted, Due, Entry, Erased, Lease, Mark, Range, Reader,
    Receipt, Replaced, Result, Seq, Slice, SummaryState,
};
use hitherto::{
    Configure, Description, Finding, Message, Pop, Record, Scope, SessionId, SessionPage, SessionQuery,
    Store, StoreError, Tenant, Timestamp, Unreadable, UserId,
};
use uuid::Uuid;

/// A store on a bad day.
#[derive(Debug)]
pub enum Broken {
    /// Every call fails so.
    Fails(StoreError),
    /// No call ever ends.
    Hangs,
    /// The first of two elements of every session is damaged.
    Unreadable,
    /// Whoever asks what is due finds a defect.
    Panics,
}

impl Broken {
    async fn fail<T>(&self) -> Result<T> {
        match self {
            Self::Fails(error) => Err(error.clone()),
            Self::Hangs | Self::Unreadable | Self::Panics => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Store for Broken {
    async fn append(&self, _: At<'_>, _: Batch) -> Result<Receipt> {
        self.fail().await
    }

    async fn read(&self, at: At<'_>, _: Range) -> Result<Slice> {
        if !matches!(self, Self::Unreadable) {
            return self.fail().await;
        }
        let whole = Record::new(Message::user("whole"), Default::default(), at.now);
        let entries =
            vec![Entry { seq: 1, record: Err(Unreadable::Damaged) }, Entry { seq: 2, record: Ok(whole) }];
        Ok(Slice { entries, base: 0, last: 2, deleted: 0 })
    }

    async fn replace(&self, _: At<'_>, _: Seq, _: &Record, _: &Record) -> Result<Replaced> {
        self.fail().await
    }

    async fn pop(&self, _: At<'_>, _: Pop) -> Result<Vec<Entry>> {
        self.fail().await
    }

    async fn fork(&self, _: At<'_>, _: &SessionId, _: Option<Seq>) -> Result<Seq> {
        self.fail().await
    }

    async fn clear(&self, _: At<'_>) -> Result<Option<u64>> {
        self.fail().await
    }

    async fn configure(&self, _: At<'_>, _: &Configure) -> Result<()> {
        self.fail().await
    }

    async fn read_with_summary(&self, at: At<'_>, range: Range, _: Reader) -> Result<(Slice, SummaryState)> {
        Ok((self.read(at, range).await?, SummaryState::default()))
    }

    async fn begin_fold(&self, _: At<'_>, _: &Lease, _: Option<Uuid>) -> Result<Begun> {
        self.fail().await
    }

    async fn commit_summary(&self, _: At<'_>, _: &Commit) -> Result<Committed> {
        self.fail().await
    }

    async fn end_fold(&self, _: At<'_>, _: Uuid, _: bool) -> Result<()> {
        self.fail().await
    }

    async fn mark_due(&self, _: &SessionKey, _: Timestamp) -> Result<()> {
        self.fail().await
    }

    async fn claim_due(&self, _: Timestamp, _: Timestamp, _: u32) -> Result<Vec<Claim>> {
        assert!(!matches!(self, Self::Panics), "on purpose");
        self.fail().await
    }

    async fn settle(&self, _: &Claim, _: Option<Timestamp>) -> Result<()> {
        self.fail().await
    }

    async fn describe(&self, _: At<'_>) -> Result<Option<Description>> {
        self.fail().await
    }

    async fn sessions(&self, _: &Scope, _: Timestamp, _: &SessionQuery) -> Result<SessionPage> {
        self.fail().await
    }

    async fn ping(&self) -> Result<()> {
        if matches!(self, Self::Panics) {
            return Ok(());
        }
        self.fail().await
    }

    async fn inspect(&self) -> Result<Vec<Finding>> {
        self.fail().await
    }

    fn traffic(&self) -> &Traffic {
        static NONE: LazyLock<Traffic> = LazyLock::new(Traffic::default);
        &NONE
    }

    async fn due(&self, _: Timestamp) -> Result<Due> {
        self.fail().await
    }

    async fn count_sessions(&self, _: &Scope, _: Timestamp) -> Result<u64> {
        self.fail().await
    }

    async fn erase(&self, _: &Tenant, _: &UserId, _: Timestamp, _: &Mark) -> Result<Erased> {
        self.fail().await
    }

    async fn usage(&self, _: &Tenant, _: Timestamp, _: &Mark) -> Result<Counted> {
        self.fail().await
    }

    async fn put_credential(&self, _: &TokenHash, _: &Credential) -> Result<()> {
        self.fail().await
    }

    async fn credential(&self, _: &TokenHash) -> Result<Option<Credential>> {
        self.fail().await
    }

    async fn credentials(&self, _: Option<&Tenant>, _: Option<u64>, _: u32) -> Result<CredentialPage> {
        self.fail().await
    }

    async fn revoke_credential(&self, _: Uuid, _: Timestamp) -> Result<Option<Credential>> {
        self.fail().await
    }

    async fn any_credential(&self) -> Result<bool> {
        self.fail().await
    }
}
