//! What every store does. The trait is small and semantic; each method is atomic: it happens whole or not
//! at all, and no other call sees a part of it. One suite of tests runs on every store.
//!
//! Invariant: a store knows records, sequence numbers and times to live; it knows no protocol.

pub mod embedded;
mod error;
pub mod redis;

use std::fmt::Debug;

use async_trait::async_trait;
use uuid::Uuid;

use crate::access::{Credential, CredentialPage, TokenHash};
use crate::message::Message;
use crate::record::{Record, Unreadable};
use crate::session::{Scope, SessionId, SessionKey, Tenant, UserId};
use crate::stats::Traffic;
use crate::summary::{Hint, PolicyChange, Summary};
use crate::time::Timestamp;
use crate::ttl::{Ttl, TtlChange};
use crate::window::Window;

pub use error::{Outcome, StoreError};

/// A sequence number: 1, 2, 3 … within a session, never reused.
pub type Seq = u64;

/// A result of a store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What one call is about, and when it happens.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The session.
    pub key: &'a SessionKey,
    /// The time of the call.
    pub now: Timestamp,
}

/// Messages to append together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The records, oldest first; at least one. The id of the one at index i is `first_id` plus i.
    pub records: Vec<Record>,
    /// What makes a repeat of this append known as one.
    pub once: Option<Once>,
    /// What happens to the session's time to live.
    pub ttl: TtlChange,
    /// What happens to the session's maximum of messages.
    pub max_messages: Change<u64>,
    /// From when on the session is due for folding, unless it has a hint of its own; `None` if nothing folds.
    pub hint: Option<Hint>,
    /// Whether the receipt says how many messages the session has then, which costs a little.
    pub count: bool,
    /// Whose the session is. One that has no user yet is this one's from now on.
    pub user: Option<UserId>,
}

/// An idempotency key and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The caller's key.
    pub key: String,
    /// A fingerprint of what is appended: the same key with another one is an error.
    pub fingerprint: Uuid,
    /// Whether only a repeat is accepted: then a key that is not known is an error, and nothing is stored.
    pub only: bool,
}

/// A change of one setting of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Set it.
    Set(T),
    /// Remove it.
    Remove,
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The sequence number of the first record; the others follow.
    pub first_seq: Seq,
    /// The id of the first record; the others count up from it.
    pub first_id: Uuid,
    /// Whether this was a repeat, and nothing was stored.
    pub repeated: bool,
    /// Whether the session is due for folding now; the store has put it on its due-list, or is about to.
    pub due: bool,
    /// How many messages the session has now, if that was asked for and this is no repeat.
    pub messages: Option<u64>,
}

/// Which part of a session is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Range {
    /// The newest whole turns.
    Window(Window),
    /// So many places after that sequence number, oldest first.
    After(Seq, u32),
    /// So many places before that sequence number.
    Before(Seq, u32),
    /// The newest whole turns: so many, and as many more as the summary does not cover, but no more than so
    /// many places beyond the turns.
    Unfolded(u32, u32),
}

/// For whom a session is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// For a client: it may restart the session's clock.
    Client,
    /// For whoever folds: the session's clock does not notice.
    Folder,
}

/// One place of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its sequence number.
    pub seq: Seq,
    /// What stands there: a message, a deleted message, or something that cannot be read.
    pub record: std::result::Result<Record, Unreadable>,
}

impl Entry {
    /// The record, if there is a message that can be read.
    pub fn live(&self) -> Option<&Record> {
        self.element().filter(|record| record.message.as_ref().is_some_and(|message| !message.is_opaque()))
    }

    /// The record, if it is not deleted: a message, or bytes that somebody pushed and that are none.
    pub fn element(&self) -> Option<&Record> {
        self.record.as_ref().ok().filter(|record| record.message.is_some())
    }

    /// Whether something stands there that is no message that can be read.
    pub fn is_unreadable(&self) -> bool {
        match &self.record {
            Ok(record) => record.message.as_ref().is_some_and(Message::is_opaque),
            Err(_) => true,
        }
    }
}

/// A part of a session, oldest first, without gaps: deleted and unreadable places are in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slice {
    /// The places.
    pub entries: Vec<Entry>,
    /// The sequence number before the oldest place that the session still holds.
    pub base: Seq,
    /// The newest sequence number that the session ever gave; 0 for a session that does not exist.
    pub last: Seq,
    /// How many of the places between `base` and `last` are deleted.
    pub deleted: u64,
}

/// What [`Store::replace`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// The place now holds the new record.
    Done,
    /// The place holds something else than what was expected; nothing was changed.
    Changed,
}

/// What is removed by [`Store::pop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pop {
    /// The newest message.
    #[default]
    Message,
    /// The newest turn, whole.
    Turn,
}

/// Settings of a session to change; metadata is a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configure {
    /// The time to live.
    pub ttl: TtlChange,
    /// The maximum of messages.
    pub max_messages: Change<u64>,
    /// The metadata.
    pub metadata: Change<String>,
    /// What the session's summaries have of their own, and the hint that follows from it.
    pub policy: Change<(PolicyChange, Hint)>,
}

/// All that is known of a session beside its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// How many messages can be read; one that is unreadable counts.
    pub messages: u64,
    /// How many turns begin in it.
    pub turns: u64,
    /// How many messages were deleted and still have their place.
    pub deleted: u64,
    /// The oldest sequence number that has a place.
    pub first_seq: Seq,
    /// The newest sequence number given.
    pub last_seq: Seq,
    /// The size of the stored records, in bytes.
    pub bytes: u64,
    /// When the session began.
    pub created_at: Timestamp,
    /// When it was last written to.
    pub updated_at: Timestamp,
    /// The time to live, if it has one.
    pub ttl: Option<Ttl>,
    /// When it ends if nothing restarts its clock.
    pub expires_at: Option<Timestamp>,
    /// The explicit maximum of messages, if it has one.
    pub max_messages: Option<u64>,
    /// The metadata, a JSON object.
    pub metadata: Option<String>,
    /// What its summaries have of their own.
    pub policy: PolicyChange,
    /// The watermark of its summary; 0 without one.
    pub summary_upto: Seq,
    /// Whether a message that the summary covers was changed since.
    pub summary_stale: bool,
    /// Whose it is, if somebody said so.
    pub user: Option<UserId>,
}

/// What is known of a session's summary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SummaryState {
    /// The summary.
    pub current: Option<Summary>,
    /// The version before it.
    pub previous: Option<Summary>,
    /// Whether a message that it covers was edited or deleted since.
    pub stale: bool,
    /// What the session's policy has of its own.
    pub policy: PolicyChange,
    /// How many turns begin in the log.
    pub turns: u64,
    /// The size of the log's records, in bytes.
    pub bytes: u64,
}

/// The right to fold a session, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub token: Uuid,
    /// When it ends by itself.
    pub until: Timestamp,
    /// The last message that is going to be folded: a change of any message up to it ends the fold.
    pub upto: Seq,
}

/// What [`Store::begin_fold`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The lease is the caller's.
    Yours {
        /// How often folding has failed since it last succeeded.
        failures: u32,
    },
    /// Somebody else is folding the session, until then at most.
    Busy(Timestamp),
    /// The session's summary is not the one expected, or there is no such session.
    Changed,
}

/// A summary to put in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The id of the summary that must stand there; `None` for none.
    pub expected: Option<Uuid>,
    /// The lease under which it was made; `None` for one that was not made by folding.
    pub lease: Option<Uuid>,
    /// The new summary.
    pub summary: Summary,
    /// What becomes the version before it.
    pub previous: Option<Summary>,
    /// Whether the session's summary counts as stale from now on.
    pub stale: bool,
    /// How often folding counts as failed from now on.
    pub failures: u32,
}

/// What [`Store::commit_summary`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// The summary stands.
    Done,
    /// Another summary stands there, the lease is somebody else's, a message that was folded has changed, or the
    /// session is gone or shorter than the summary; nothing was changed.
    Changed,
}

/// A session taken from the due-list: nobody else is given it before the claim ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The session.
    pub key: SessionKey,
    /// When the claim ends.
    pub until: Timestamp,
}

/// Which sessions are listed.
#[derive(Debug, Clone, Default)]
pub struct SessionQuery {
    /// Only those whose id begins so.
    pub prefix: String,
    /// Only those of this user; their activity is then that of the appends that named the user, and a store may know
    /// of more.
    pub user: Option<UserId>,
    /// Those after this place of an earlier page.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

/// A place in the list of sessions: newest activity first, ids descending where the times are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The activity that the list is ordered by, to the minute.
    pub active_at: Timestamp,
    /// The session.
    pub session: SessionId,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub session: SessionId,
    /// What is known of it.
    pub description: Description,
}

/// A page of the list of sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<Listed>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Place>,
}

/// Where a walk through many sessions goes on; only the store that gave it can read it. The default is the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark(pub(crate) String);

/// What one piece of an erasure removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// How many sessions.
    pub sessions: u64,
    /// How many messages they had.
    pub messages: u64,
    /// The size of their records, in bytes.
    pub bytes: u64,
    /// How many of the user's sessions are left, as far as is known.
    pub left: u64,
    /// Where the next piece begins; `None` once everything is gone.
    pub next: Option<Mark>,
}

/// How much there is in some of a tenant's sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many sessions.
    pub sessions: u64,
    /// How many messages they have.
    pub messages: u64,
    /// The size of their records, in bytes.
    pub bytes: u64,
    /// Where the next piece begins; `None` once all are counted.
    pub next: Option<Mark>,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Fine,
    /// It works, and something could be lost.
    Warning,
    /// It does not work.
    Failure,
}

/// One thing that an inspection of a store found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at: `version`, `persistence` …
    pub subject: &'static str,
    /// What was found.
    pub found: String,
    /// What to do about it; empty if nothing.
    pub advice: String,
}

/// What waits on the due-list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// How many sessions.
    pub sessions: u64,
    /// Since when the first of them is due.
    pub oldest: Option<Timestamp>,
}

/// A store of sessions.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// Appends records: all of them, next to one another, or none (I1, I3). With [`Batch::once`], a second
    /// append with the same key stores nothing and gives the first one's receipt (I2). The time to live and
    /// the maximum of messages take effect in the same step (I9); a maximum removes whole turns, oldest
    /// first, and never the newest.
    ///
    /// # Errors
    /// [`StoreError::OnceMismatch`] for a key that stood for something else, [`StoreError::UserMismatch`] for a user
    /// where the session is another's, [`StoreError::OnceUnknown`] where only a repeat is accepted and this is none; any
    /// error of the connection.
    async fn append(&self, at: At<'_>, batch: Batch) -> Result<Receipt>;

    /// Reads a part of a session; an unknown session reads as an empty one. Restarts the clock of a
    /// session whose time to live is restarted by reads.
    async fn read(&self, at: At<'_>, range: Range) -> Result<Slice>;

    /// Puts `new` in the place of `seq` if `old` still stands there. Both are records of the same message:
    /// an edit, or with `new` deleted, a deletion.
    async fn replace(&self, at: At<'_>, seq: Seq, old: &Record, new: &Record) -> Result<Replaced>;

    /// Deletes the newest message or turn and gives it back, oldest first.
    async fn pop(&self, at: At<'_>, what: Pop) -> Result<Vec<Entry>>;

    /// Copies the session, from its beginning up to and with `upto` (all of it with `None`), to a new
    /// session of the same scope, sequence numbers, ids and settings included, and gives the last sequence
    /// number copied.
    ///
    /// # Errors
    /// [`StoreError::NoSession`] if there is nothing to copy, [`StoreError::SessionExists`] if the new session is
    /// not new, [`StoreError::NoMessage`] for an `upto` that the session has not.
    async fn fork(&self, at: At<'_>, to: &SessionId, upto: Option<Seq>) -> Result<Seq>;

    /// Removes the session and everything that belongs to it, and says how many messages it had;
    /// `None` for one that does not exist.
    async fn clear(&self, at: At<'_>) -> Result<Option<u64>>;

    /// Changes settings of a session.
    ///
    /// # Errors
    /// [`StoreError::NoSession`] for one that does not exist.
    async fn configure(&self, at: At<'_>, change: &Configure) -> Result<()>;

    /// Reads a part of a session and its summary at one moment; for a client, restarts the clock as
    /// [`Self::read`] does. An unknown session reads as an empty one.
    async fn read_with_summary(
        &self,
        at: At<'_>,
        range: Range,
        reader: Reader,
    ) -> Result<(Slice, SummaryState)>;

    /// Takes the lease of a session whose current summary has the id `expected`, or lengthens it for who holds
    /// it already. From then on, a change of any message up to [`Lease::upto`] makes the commit fail.
    async fn begin_fold(&self, at: At<'_>, lease: &Lease, expected: Option<Uuid>) -> Result<Begun>;

    /// Puts a summary in the place of the one that is expected there, if nothing that it was made from has changed
    /// (I4). The lease stays.
    async fn commit_summary(&self, at: At<'_>, commit: &Commit) -> Result<Committed>;

    /// Gives the lease back, if the caller still holds it, and counts a failure if folding failed.
    async fn end_fold(&self, at: At<'_>, token: Uuid, failed: bool) -> Result<()>;

    /// Puts a session on the due-list, to be looked at from `due` on, or sooner if it stands there for sooner.
    async fn mark_due(&self, key: &SessionKey, due: Timestamp) -> Result<()>;

    /// Takes sessions from the due-list, of all scopes, longest due first: those that are due by `now`, and those
    /// whose claim ended before. Nobody else is given them before `until`.
    async fn claim_due(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Claim>>;

    /// Ends a claim: the session leaves the due-list, or is due again at `again`. Where it was marked since it was
    /// claimed, that mark stands.
    async fn settle(&self, claim: &Claim, again: Option<Timestamp>) -> Result<()>;

    /// What is known of a session; `None` for one that does not exist.
    async fn describe(&self, at: At<'_>) -> Result<Option<Description>>;

    /// The sessions of a scope, newest activity first.
    async fn sessions(&self, scope: &Scope, now: Timestamp, query: &SessionQuery) -> Result<SessionPage>;

    /// Answers when the store does.
    async fn ping(&self) -> Result<()>;

    /// Looks at the store's version and at settings that could lose data.
    async fn inspect(&self) -> Result<Vec<Finding>>;

    // What can be seen of it from outside: numbers, and nothing of what is in it.

    /// What was exchanged with the store since it was opened.
    fn traffic(&self) -> &Traffic;

    /// What of the due-list is due by `now` and claimed by nobody.
    async fn due(&self, now: Timestamp) -> Result<Due>;

    /// How many sessions a scope has, as its list knows them: one that has ended may still be counted, until the list
    /// is next read.
    async fn count_sessions(&self, scope: &Scope, now: Timestamp) -> Result<u64>;
    // Of all sessions of a tenant, whatever their memory key.

    /// Removes a piece of what a user has: whole sessions, each as [`Self::clear`] does, under every memory key, with
    /// their places in every list. Piece after piece, all that was there when the first began is gone; what is appended
    /// meanwhile is in a session of its own, which is whole or gone. Once [`Erased::next`] is `None`, nothing of what was
    /// removed is left in the store's files, as far as they are the store's own.
    async fn erase(&self, tenant: &Tenant, user: &UserId, now: Timestamp, from: &Mark) -> Result<Erased>;

    /// Counts a piece of what a tenant has. A session that changes meanwhile may be missed or counted twice.
    async fn usage(&self, tenant: &Tenant, now: Timestamp, from: &Mark) -> Result<Counted>;

    // Credentials: of all tenants, found by the hash of their token, which is all that is kept of it.

    /// Keeps a credential under the hash of its token, durably.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] if another is kept under that hash, which no two random tokens have.
    async fn put_credential(&self, hash: &TokenHash, credential: &Credential) -> Result<()>;

    /// The credential of the token with that hash, also one that has ended.
    async fn credential(&self, hash: &TokenHash) -> Result<Option<Credential>>;

    /// About `limit` of the credentials, those that have ended included; with a tenant, only that one's. `after` is
    /// where an earlier page said that the next begins.
    async fn credentials(
        &self,
        tenant: Option<&Tenant>,
        after: Option<u64>,
        limit: u32,
    ) -> Result<CredentialPage>;

    /// Ends the credential of that id, and gives it back as it is then; one that was revoked before stays as it was.
    /// `None` if there is no such credential.
    async fn revoke_credential(&self, id: Uuid, now: Timestamp) -> Result<Option<Credential>>;

    /// Whether there is any credential, be it one that has ended.
    async fn any_credential(&self) -> Result<bool>;
}
