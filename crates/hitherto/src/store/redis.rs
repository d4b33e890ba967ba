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
use redis::{Cmd, Value};
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
use crate::window::Window;
use arguments::{hint_numbers, max_argument, millis, pack_append, ttl_arguments};
use keys::Keys;
use link::Kind;
use meta::{Reply, number};
use route::Route;
use scripts::{Script, Scripts};
use touches::{Scopes, Touches};
use users::{May, Sent};
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

/// How often a pop tries again when somebody else changes the end of the session.
const TRIES: usize = 16;

/// What an append's answer has more if its session is due for folding.
const DUE: u64 = 1 << 50;
/// And more if it was asked how many messages there are, and there are as many as the last number says.
const WHOLE: u64 = 1 << 51;

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

    /// Puts records in the place of others, all or none.
    async fn put(
        &self,
        at: At<'_>,
        last: Option<Seq>,
        changes: &[(Seq, &Record, &Record)],
    ) -> Result<Replaced> {
        if changes.iter().any(|(seq, _, _)| *seq > read::MOST) {
            return Ok(Replaced::Changed);
        }
        let keys = Keys::new(at.key);
        if self.folds.load(Ordering::Relaxed) {
            // Before it happens: if this process or its answer is lost then, somebody looks all the same.
            self.link.call(Kind::Read, &due::later(at.key, at.now)).await?;
        }
        let last = last.map(|seq| seq.to_string()).unwrap_or_default();
        let changes: Vec<_> =
            changes.iter().map(|(seq, old, new)| (*seq, old.encode(), new.encode())).collect();
        let reply = self
            .write(&self.scripts.replace, &keys, at.now, |command| {
                command.arg(&last);
                for (seq, old, new) in &changes {
                    command.arg(*seq).arg(old).arg(new);
                }
            })
            .await?;
        match reply.word() {
            "ok" => {
                self.touch(at.key, at.now).await;
                if reply.number(1) == 1 && self.mark(at.key, at.now).await.is_err() {
                    // What was asked for is done; the list will be told.
                    tracing::debug!(session = %at.key.session, "a stale summary is not on the due-list yet");
                }
                Ok(Replaced::Done)
            }
            "changed" => Ok(Replaced::Changed),
            _ => Err(self.refusal(&keys, &reply)),
        }
    }

    /// Restarts the clock of a session that reads restart.
    async fn restart_clock(&self, found: &read::Found, keys: &Keys, now: Timestamp) -> Result<()> {
        if found.restarts {
            self.write(&self.scripts.restart, keys, now, |_| ()).await?;
        }
        Ok(())
    }

    /// Notes a write that has succeeded, and tells the list of sessions if it has not been told lately. The
    /// write stays a success if the list cannot be told: the session's next write tells it again.
    async fn touch(&self, key: &SessionKey, now: Timestamp) {
        self.touch_with(key, now, false).await;
    }

    /// The same, for a session that somebody may have to fold.
    async fn touch_with(&self, key: &SessionKey, now: Timestamp, folds: bool) {
        let (_, commands) = self.touch_commands(key, now, folds);
        if commands.is_empty() {
            return;
        }
        let mut all = redis::Pipeline::with_capacity(commands.len());
        for command in commands {
            all.add_command(command);
        }
        if let Err(error) = Box::pin(self.link.send_all(Kind::Read, &all)).await {
            tracing::warn!(%error, "the list of sessions was not told of a write");
            self.tell_later(key, now, folds);
        }
    }

    /// The lists could not be told of a write that was done: the next one of the session tells them, and the due-list
    /// is told as soon as it can be.
    fn tell_later(&self, key: &SessionKey, now: Timestamp, folds: bool) {
        self.touches.forget(key);
        if folds {
            self.mark_soon(key, now.plus_millis(touches::LOOK_MS));
        }
    }

    /// Whether this process has told the lists of the session before; and what they are told of a write, unless they were
    /// told lately. The due-list is told for later, when the
    /// next touch of this session would come: so it forgets no session, even if this process ends before it can
    /// tell that one has become due.
    fn touch_commands(&self, key: &SessionKey, now: Timestamp, folds: bool) -> (bool, Vec<Cmd>) {
        let (known, places) = self.touches.touch(key, now);
        if places.is_empty() {
            return (known, Vec::new());
        }
        let mut commands: Vec<Cmd> = places.iter().map(|place| touches::command(place, now)).collect();
        commands.extend(self.scopes.touch(&key.scope, now));
        if folds {
            commands.push(due::later(key, now));
        }
        (known, commands)
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

    /// Sends an append; with a user, `may` says whether the session may become that user's.
    async fn send_append(&self, at: At<'_>, batch: &Batch, may: Option<May>) -> Result<Sent> {
        let keys = Keys::new(at.key);
        let records: Vec<Vec<u8>> = batch.records.iter().map(Record::encode).collect();
        let turns = batch.records.iter().filter(|record| record.begins_turn()).count();
        let bytes: usize = records.iter().map(Vec::len).sum();
        let first_id = batch.records.first().map(|record| record.id).unwrap_or_default();
        let packed = pack_append(millis(at.now), turns, bytes, batch, may.map_or(0, |may| may as u8));
        let mut note = Vec::new();
        if let Some(once) = &batch.once {
            note.extend_from_slice(once.fingerprint.as_bytes());
            note.extend_from_slice(first_id.as_bytes());
        }
        let fill = |command: &mut Cmd| {
            command.arg(&packed);
            if let Some(once) = &batch.once {
                command.arg(&once.key).arg(&note);
            }
            if let Some(user) = &batch.user {
                command.arg(user.as_str());
            }
            for record in &records {
                command.arg(record);
            }
        };
        let folds = batch.hint.is_some();
        self.folds.fetch_or(folds, Ordering::Relaxed);
        // With an idempotency key, or a user whom the session may refuse, only the answer says whether this is a write
        // at all; but the due-list has to know before whoever appends is told that it is one, whatever ends then.
        let waits = batch.once.is_some() || may == Some(May::Become);
        let ((known, touch), mark) = if waits {
            let mark = folds && !self.touches.told(at.key, at.now);
            let known = self.touches.knows(at.key);
            ((known, Vec::new()), mark.then(|| due::later(at.key, at.now)))
        } else {
            (self.touch_commands(at.key, at.now, folds), None)
        };
        let kind = if batch.once.is_some() { Kind::Once } else { Kind::Write };
        let also = mark.as_ref().map_or(touch.as_slice(), std::slice::from_ref);
        let about = (&keys, batch.once.is_some());
        let (reply, told) =
            self.scripts.call_session(&self.link, &self.scripts.append, kind, about, fill, also).await?;
        if !told {
            self.tell_later(at.key, at.now, folds);
        }
        let (reply, messages) = match reply {
            Value::Array(mut values) if matches!(values.first(), Some(Value::Int(_))) => {
                (values.swap_remove(0), values.first().map(|messages| number(meta::integer(messages))))
            }
            reply => (reply, None),
        };
        if let Value::Int(first) = reply {
            if touch.is_empty() && first < 0 {
                // Somebody else ended the session that this process had listed.
                self.touches.forget(at.key);
            }
            if touch.is_empty() && (first < 0 || waits) && may != Some(May::Become) {
                // A new session that was told of before it was cleared has yet to be marked.
                self.touch_with(at.key, at.now, folds && mark.is_none()).await;
            }
            self.look_for_loss(at.key, at.now, known && first < 0).await;
            let first = first.unsigned_abs();
            let (first_seq, due, whole) = (first % DUE, first & DUE != 0, first & WHOLE != 0);
            let messages = messages.or_else(|| whole.then(|| first_seq + records.len() as u64 - 1));
            if due {
                self.mark_soon(at.key, at.now);
            }
            return Ok(Sent::Stored(Receipt { first_seq, first_id, repeated: false, due, messages }));
        }
        let reply = Reply(self.link.array(reply)?);
        match reply.word() {
            "repeat" => {
                // Whoever sent it first may not have lived to tell the lists.
                if folds && self.mark(at.key, at.now).await.is_err() {
                    tracing::debug!(session = %at.key.session, "a repeated append is not on the due-list yet");
                }
                remembered(reply.bytes(1), batch.once.as_ref().map(|once| once.fingerprint))
                    .map(Sent::Stored)
                    .ok_or(StoreError::OnceMismatch)
            }
            "untold" => Ok(Sent::Untold),
            _ => Err(self.refusal(&keys, &reply)),
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
        let keys = Keys::new(at.key);
        for _ in 0..TRIES {
            // What cannot be read stays, and only this side can tell; so it looks, and the script compares.
            let newest = Range::Window(Window::Turns(1));
            let slice = read::read(&self.link, &keys, &self.guesses, newest, false).await?.slice;
            let last = slice.last;
            let mut popped: Vec<Entry> =
                slice.entries.into_iter().filter(|entry| entry.live().is_some()).collect();
            if what == Pop::Message {
                popped.drain(..popped.len().saturating_sub(1));
            }
            if popped.is_empty() {
                return Ok(popped);
            }
            let records: Vec<(Seq, &Record, Record)> = popped
                .iter()
                .filter_map(|entry| entry.live().map(|record| (entry.seq, record, record.deleted())))
                .collect();
            let changes: Vec<_> = records.iter().map(|(seq, old, new)| (*seq, *old, new)).collect();
            if self.put(at, Some(last), &changes).await? == Replaced::Done {
                return Ok(popped);
            }
        }
        Err(StoreError::Busy {
            store: self.link.name().to_owned(),
            reason: format!("the session changed {TRIES} times meanwhile"),
        })
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

/// The receipt that was remembered: fingerprint, id of the first record, its sequence number.
/// `None` if the fingerprint is another.
fn remembered(note: &[u8], fingerprint: Option<Uuid>) -> Option<Receipt> {
    let (before, rest) = note.split_first_chunk::<16>()?;
    let (first_id, first_seq) = rest.split_first_chunk::<16>()?;
    if fingerprint.is_some_and(|fingerprint| fingerprint.as_bytes() != before) {
        return None;
    }
    let first_seq = std::str::from_utf8(first_seq).ok()?.parse().ok()?;
    let first_id = Uuid::from_bytes(*first_id);
    Some(Receipt { first_seq, first_id, repeated: true, due: false, messages: None })
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
