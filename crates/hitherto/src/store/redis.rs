//! The Redis store: two keys a session, one script call a write, one pipeline a read.
//!
//! Invariant: redis-rs' types are named in this module and below it only. Works on Redis from 6.2 and
//! Valkey, without modules. `docs/storage.md` describes every key; a test holds the two together.

mod route;

mod address;
mod cluster;
mod dial;
mod lane;
mod link;
mod patience;
mod refusal;
mod sentinel;
mod side_by_side;
mod slot;

mod append;
mod arguments;
mod credentials;
mod due;
mod errors;
pub mod foreign;
mod fork;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod inspect;
mod keys;
mod meta;
mod options;
mod read;
mod replace;
mod safety;
mod scripts;
mod sessions;
mod summary;
mod touches;
mod usage;
mod users;
mod witness;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use redis::Cmd;
use uuid::Uuid;

use super::{
    At, Batch, Begun, Change, Claim, Commit, Committed, Configure, Counted, Description, Due, Entry, Erased,
    Finding, Lease, Mark, Pop, Range, Reader, Receipt, Replaced, Result, Seq, SessionPage, SessionQuery,
    Slice, Store, StoreError, SummaryState,
};
use crate::access::{Credential, CredentialPage, TokenHash};
use crate::record::Record;
use crate::session::{Scope, SessionId, SessionKey, Tenant, UserId};
use crate::stats::Traffic;
use crate::time::Timestamp;
use arguments::{hint_numbers, max_argument, millis, ttl_arguments};
use keys::Keys;
use link::Kind;
use meta::{Reply, number};
use route::Route;
use scripts::{Script, Scripts};
use touches::{Scopes, Touches};
use users::Sent;
use witness::Witnesses;

pub use options::RedisOptions;

/// A store in Redis or Valkey.
#[derive(Debug)]
pub struct RedisStore {
    link: Arc<Route>,
    scripts: Scripts,
    touches: Touches,
    scopes: Scopes,
    marks: Arc<Mutex<due::Marks>>,
    /// Whether somebody folds the sessions of this store, as far as this process knows.
    folds: AtomicBool,
    guesses: read::Guesses,
    witnesses: Witnesses,
}

/// How often a change tries again when somebody else changes the same.
const TRIES: usize = 16;

impl RedisStore {
    /// Checks the options; the connection is made by the first call that needs it.
    ///
    /// # Errors
    /// If the address or a certificate cannot be used.
    pub fn new(options: RedisOptions) -> Result<Self> {
        Ok(Self {
            link: Arc::new(Route::new(&options)?),
            scripts: Scripts::default(),
            touches: Touches::default(),
            scopes: Scopes::default(),
            marks: Arc::default(),
            folds: AtomicBool::new(false),
            guesses: read::Guesses::default(),
            witnesses: Witnesses::default(),
        })
    }

    /// Calls a script that writes to one session.
    async fn write(
        &self,
        script: &Script,
        keys: &Keys,
        now: Timestamp,
        arguments: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Reply> {
        let fill = |command: &mut Cmd| {
            command.arg(millis(now));
            arguments(command);
        };
        let (reply, _) =
            self.scripts.call_session(&self.link, script, Kind::Write, (keys, false), fill, &[]).await?;
        Ok(Reply(self.link.array(reply)?))
    }

    /// Restarts the clock of a session that reads restart.
    async fn restart_clock(&self, found: &read::Found, keys: &Keys, now: Timestamp) -> Result<()> {
        if found.restarts {
            self.write(&self.scripts.restart, keys, now, |_| ()).await?;
        }
        Ok(())
    }

    /// What a script said, where that is an error.
    fn refusal(&self, keys: &Keys, reply: &Reply) -> StoreError {
        match (reply.word(), reply.number(1)) {
            ("newer", found) => StoreError::NewerFormat {
                what: format!("the session {}", keys.shown()),
                found: u32::try_from(found).unwrap_or(u32::MAX),
                known: u32::from(meta::STATE_FORMAT),
            },
            ("user", _) => StoreError::UserMismatch,
            ("unknown", _) => StoreError::OnceUnknown,
            ("none", _) => StoreError::NoSession,
            ("exists", _) => StoreError::SessionExists,
            ("no message", seq) => StoreError::NoMessage(number(seq)),
            (other, _) => self.link.failed(&format!("unexpected answer {other:?}")),
        }
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn append(&self, at: At<'_>, batch: Batch) -> Result<Receipt> {
        match &batch.user {
            // Boxed: an append without a user, which most are, is no larger for it.
            Some(user) => Box::pin(self.append_of_user(at, &batch, user)).await,
            None => match self.send_append(at, &batch, None).await? {
                Sent::Stored(receipt) => Ok(receipt),
                Sent::Untold => Err(self.link.failed("an append without a user was asked for one")),
            },
        }
    }
    async fn read(&self, at: At<'_>, range: Range) -> Result<Slice> {
        let keys = Keys::new(at.key);
        let found = read::read(&self.link, &keys, &self.guesses, range, false).await?;
        self.restart_clock(&found, &keys, at.now).await?;
        self.link.traffic().read(&found.slice.entries);
        Ok(found.slice)
    }

    async fn replace(&self, at: At<'_>, seq: Seq, old: &Record, new: &Record) -> Result<Replaced> {
        self.put(at, None, &[(seq, old, new)]).await
    }

    async fn pop(&self, at: At<'_>, what: Pop) -> Result<Vec<Entry>> {
        self.take(at, what).await
    }

    async fn fork(&self, at: At<'_>, to: &SessionId, upto: Option<Seq>) -> Result<Seq> {
        self.copy(at, to, upto).await
    }

    async fn clear(&self, at: At<'_>) -> Result<Option<u64>> {
        let keys = Keys::new(at.key);
        let reply = self.write(&self.scripts.clear, &keys, at.now, |_| ()).await?;
        let place = keys::list_place(at.key);
        self.touches.forget(at.key);
        let mut unlist = redis::cmd("ZREM");
        unlist.arg(&place.list).arg(&place.member);
        if let Err(error) = self.link.call(Kind::Read, &unlist).await {
            // Whoever reads the list next takes it off.
            tracing::warn!(%error, "a cleared session is still on the list");
        }
        match reply.word() {
            "ok" => {
                if let Some(user) = meta::user_text(reply.bytes(2)) {
                    self.leave_user(at.key, &user).await;
                }
                Ok(Some(number(reply.number(1))))
            }
            "none" => Ok(None),
            _ => Err(self.refusal(&keys, &reply)),
        }
    }

    async fn configure(&self, at: At<'_>, change: &Configure) -> Result<()> {
        let keys = Keys::new(at.key);
        let (ttl, restart) = ttl_arguments(change.ttl);
        let max = max_argument(change.max_messages);
        let (what, metadata) = match &change.metadata {
            Change::Keep => ("keep", ""),
            Change::Remove => ("remove", ""),
            Change::Set(metadata) => ("set", metadata.as_str()),
        };
        let (what_policy, policy, hint) = match &change.policy {
            Change::Keep => ("keep", String::new(), None),
            Change::Remove => ("remove", String::new(), None),
            Change::Set((policy, hint)) => {
                ("set", serde_json::to_string(policy).unwrap_or_default(), Some(*hint))
            }
        };
        let (turns_due, bytes_due) = hint_numbers(hint);
        loop {
            let reply = self
                .write(&self.scripts.configure, &keys, at.now, |command| {
                    command.arg(&ttl).arg(restart).arg(&max).arg(what).arg(metadata);
                    command.arg(what_policy).arg(&policy).arg(turns_due).arg(bytes_due);
                })
                .await?;
            match (reply.word(), reply.number(1)) {
                ("ok", 0) => {
                    self.touch(at.key, at.now).await;
                    return Ok(());
                }
                // A long session is trimmed in pieces, so that the server does not stand still.
                ("ok", _) => {}
                _ => return Err(self.refusal(&keys, &reply)),
            }
        }
    }

    async fn read_with_summary(
        &self,
        at: At<'_>,
        range: Range,
        reader: Reader,
    ) -> Result<(Slice, SummaryState)> {
        let keys = Keys::new(at.key);
        let found = read::read(&self.link, &keys, &self.guesses, range, true).await?;
        if reader == Reader::Client {
            self.restart_clock(&found, &keys, at.now).await?;
        }
        self.link.traffic().read(&found.slice.entries);
        Ok((found.slice, found.summary))
    }

    async fn begin_fold(&self, at: At<'_>, lease: &Lease, expected: Option<Uuid>) -> Result<Begun> {
        self.folds.store(true, Ordering::Relaxed);
        self.take_lease(at, lease, expected).await
    }

    async fn commit_summary(&self, at: At<'_>, commit: &Commit) -> Result<Committed> {
        self.commit(at, commit).await
    }

    async fn end_fold(&self, at: At<'_>, token: Uuid, failed: bool) -> Result<()> {
        self.give_lease_back(at, token, failed).await
    }

    async fn mark_due(&self, key: &SessionKey, due: Timestamp) -> Result<()> {
        self.mark(key, due).await
    }

    async fn claim_due(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Claim>> {
        self.claim(now, until, limit).await
    }

    async fn settle(&self, claim: &Claim, again: Option<Timestamp>) -> Result<()> {
        self.end_claim(claim, again).await
    }

    async fn describe(&self, at: At<'_>) -> Result<Option<Description>> {
        meta::describe(&self.link, &Keys::new(at.key), at.now).await
    }

    async fn sessions(&self, scope: &Scope, now: Timestamp, query: &SessionQuery) -> Result<SessionPage> {
        self.touches.flush(&self.link).await?;
        sessions::page(&self.link, &self.scripts, scope, now, query).await
    }

    async fn ping(&self) -> Result<()> {
        inspect::ping(&self.link).await
    }

    async fn inspect(&self) -> Result<Vec<Finding>> {
        let mut findings = inspect::inspect(&self.link).await?;
        findings.extend(self.memory_finding(Timestamp::now()).await);
        Ok(findings)
    }

    fn traffic(&self) -> &Traffic {
        self.link.traffic()
    }

    async fn due(&self, now: Timestamp) -> Result<Due> {
        due::waiting(&self.link, now).await
    }

    async fn count_sessions(&self, scope: &Scope, _now: Timestamp) -> Result<u64> {
        sessions::count(&self.link, scope).await
    }

    async fn erase(&self, tenant: &Tenant, user: &UserId, now: Timestamp, from: &Mark) -> Result<Erased> {
        self.erase_piece(tenant, user, now, from).await
    }

    async fn usage(&self, tenant: &Tenant, _: Timestamp, from: &Mark) -> Result<Counted> {
        usage::piece(&self.link, tenant, from).await
    }

    async fn put_credential(&self, hash: &TokenHash, credential: &Credential) -> Result<()> {
        credentials::put(&self.link, hash, credential).await
    }

    async fn credential(&self, hash: &TokenHash) -> Result<Option<Credential>> {
        credentials::get(&self.link, hash).await
    }

    async fn credentials(
        &self,
        tenant: Option<&Tenant>,
        after: Option<u64>,
        limit: u32,
    ) -> Result<CredentialPage> {
        credentials::page(&self.link, tenant, after, limit).await
    }

    async fn revoke_credential(&self, id: Uuid, now: Timestamp) -> Result<Option<Credential>> {
        credentials::revoke(&self.link, &self.scripts, id, now).await
    }

    async fn any_credential(&self) -> Result<bool> {
        credentials::any(&self.link).await
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) use fuzzing::packed as fuzz_packed;

/// One name of each kind of key, for the test of the page that describes them.
#[cfg(test)]
pub(crate) fn key_names(session: &crate::session::SessionKey) -> Vec<String> {
    let keys = Keys::new(session);
    let hidden = keys.hidden(Uuid::nil());
    let user = crate::UserId::parse("u").unwrap();
    let of_user = keys::user_place(session, &user);
    let memory_keys = keys::memory_keys(&session.scope.tenant);
    let lists = [
        keys::list(&session.scope, 3),
        keys::due_list(3),
        keys::CREDENTIALS.to_owned(),
        keys::witness(3),
        memory_keys,
        of_user.place.list,
        of_user.told,
    ];
    [keys.log(), keys.meta(), keys.once(0), hidden.log(), hidden.meta()].into_iter().chain(lists).collect()
}
