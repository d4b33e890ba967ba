//! The engine: chat memory over a store. Checks limits, gives ids and times, and leaves what must be
//! atomic to the store.
//!
//! Invariant: it knows nothing of protocols, and holds no state of any session.

mod context;
mod elements;
mod gate;
mod page;
mod search;
mod stored;
mod summary;
mod user;

use std::sync::Arc;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::{Error, Limits};
use crate::message::{Message, MessageError, replace_field};
use crate::record::Record;
use crate::session::{MemoryKey, Scope, SessionId, SessionKey, Tenant, UserId};
use crate::stats::{Lag, Stats, Traffic};
use crate::store::embedded::{EmbeddedOptions, EmbeddedStore};
use crate::store::redis::{RedisOptions, RedisStore};
use crate::store::{
    At, Batch, Change, Configure, Description, Due, Finding, Once, Pop, Range, Receipt, Replaced, Seq,
    SessionPage, SessionQuery, Store, StoreError,
};
use crate::summary::{Summaries, Usage};
use crate::time::Clock;
use crate::tokens::Memo;
use crate::ttl::TtlChange;
use crate::window::Window;

pub use elements::{Element, Elements, End};
pub use gate::{Addition, Full, Gate, Settled};
pub use page::{Direction, Page};
pub use stored::{MessageId, StoredMessage};
pub use summary::Fold;
pub use user::Erasure;

/// A result of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Chat memory: sessions of messages in a store, for one tenant under one memory key.
///
/// Cheap to clone; clones share the store.
#[derive(Debug, Clone)]
pub struct ChatMemory {
    store: Arc<dyn Store>,
    scope: Scope,
    limits: Limits,
    clock: Clock,
    summaries: Option<Arc<Summaries>>,
    memo: Memo,
    stats: Arc<Stats>,
    gate: Option<Arc<dyn Gate>>,
}

/// What an append is to do besides appending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppendOptions {
    /// A key of the caller's choosing: the same messages sent again with it are stored once (I2). It is
    /// remembered for 24 hours at least, and no longer than the session lives.
    pub idempotency_key: Option<String>,
    /// What happens to the session's time to live.
    pub ttl: TtlChange,
    /// What happens to the session's maximum of messages.
    pub max_messages: Change<u64>,
    /// Whether [`Appended::messages`] is wanted, which costs a little.
    pub count: bool,
    /// Whose the session is. The first append that names a user gives the session to that one, and there it stays: an
    /// append that names another stores nothing.
    pub user: Option<UserId>,
}

/// What an append gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The sequence number of the first message; the others follow.
    pub first_seq: Seq,
    /// The ids of the messages, in order.
    pub ids: Vec<MessageId>,
    /// Whether this was a repeat: nothing was stored, and the answer is the first one's.
    pub repeated: bool,
    /// How many messages the session has now, if that was asked for and this is no repeat.
    pub messages: Option<u64>,
}

/// What an edit replaces; each value is raw JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit {
    /// The new content.
    pub content: Option<String>,
    /// The new metadata.
    pub metadata: Option<String>,
}

/// How often a change tries again when somebody else changes the same message or summary.
const TRIES: usize = 16;

impl ChatMemory {
    /// Memory in that store, for the default tenant and memory key.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            scope: Scope::default(),
            limits: Limits::default(),
            clock: Clock::default(),
            summaries: None,
            memo: Memo::default(),
            stats: Arc::default(),
            gate: None,
        }
    }

    /// Memory in an embedded file, with the defaults of [`EmbeddedOptions`].
    ///
    /// # Errors
    /// If the file cannot be opened, is no database of Hitherto's, or has a newer format.
    pub fn embedded(path: impl AsRef<std::path::Path>) -> Result<Self> {
        Ok(Self::new(Arc::new(EmbeddedStore::open(EmbeddedOptions::new(path))?)))
    }

    /// Memory in Redis, with the defaults of [`RedisOptions`]. The connection is made by the first call.
    ///
    /// # Errors
    /// If the address cannot be used.
    pub fn redis(url: &str) -> Result<Self> {
        Ok(Self::new(Arc::new(RedisStore::new(RedisOptions::new(url))?)))
    }

    /// The same memory for another tenant.
    #[must_use]
    pub fn for_tenant(mut self, tenant: Tenant) -> Self {
        self.memo = self.memo.of(&tenant);
        self.scope.tenant = tenant;
        self
    }

    /// The same memory under another memory key.
    #[must_use]
    pub fn under(mut self, memory_key: MemoryKey) -> Self {
        self.scope.memory_key = memory_key;
        self
    }

    /// The same memory with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same memory with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The same memory, with somebody who is asked before anything is added.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The set of sessions that this memory sees.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What this memory and its clones have done.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What was exchanged with the store, by whoever uses it.
    pub fn traffic(&self) -> &Traffic {
        self.store.traffic()
    }

    /// How many tokens the model that writes summaries was given and has written; nothing without a model.
    pub fn model_usage(&self) -> Option<Usage> {
        self.summaries.as_ref()?.summariser.usage()
    }

    /// How far behind summaries are: what the worker of this process could not fold yet, and what waits on the store's
    /// due-list for any worker.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn lag(&self) -> Result<(Lag, Due)> {
        let now = self.clock.now();
        Ok((self.stats.folding.lag(now), self.store.due(now).await?))
    }

    /// How many sessions this memory sees, as the list of sessions knows them: one that has ended may still be counted,
    /// until the list is next read.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn count_sessions(&self) -> Result<u64> {
        Ok(self.store.count_sessions(&self.scope, self.clock.now()).await?)
    }

    /// Appends messages: all of them, in order and next to one another, or none.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::Nothing`] before anything is stored; [`Error::Store`] from the store:
    /// [`StoreError::outcome`] says whether the messages may have been stored all the same.
    pub async fn append(
        &self,
        session: &SessionId,
        messages: Vec<Message>,
        options: &AppendOptions,
    ) -> Result<Appended> {
        let key = self.key(session)?;
        self.check_append(&messages, options)?;
        let (admitted, full) = match self.admit(session, || addition(&messages)).await {
            Ok(admitted) => (admitted, None),
            Err(full) if options.idempotency_key.is_none() => return Err(full.into()),
            // What is stored already needs no room, and whoever asks again has to learn that it is.
            Err(full) => (None, Some(full)),
        };
        let now = self.clock.now();
        let once = options.idempotency_key.as_ref().map(|key| Once {
            key: key.clone(),
            fingerprint: fingerprint(&messages),
            only: full.is_some(),
        });
        let own_ids: Vec<Option<String>> = messages.iter().map(Message::own_id).collect();
        let first_id = Uuid::now_v7();
        let records = messages
            .into_iter()
            .zip(0_u128..)
            .map(|(message, index)| Record::new(message, id_after(first_id, index), now))
            .collect();
        let batch = Batch {
            records,
            once,
            ttl: options.ttl,
            max_messages: options.max_messages,
            hint: self.hint(),
            count: options.count,
            user: options.user.clone(),
        };
        let receipt = match (self.store.append(At { key: &key, now }, batch).await, full) {
            (Err(StoreError::OnceUnknown), Some(full)) => return Err(full.into()),
            (receipt, _) => receipt?,
        };
        if let Some(summaries) = self.summaries.as_ref().filter(|_| receipt.due) {
            summaries.due.notify_one();
        }
        if receipt.repeated {
            self.stats.repeated.one();
        } else {
            self.stats.appended.add(own_ids.len() as u64);
        }
        let ids = own_ids
            .into_iter()
            .zip(0_u128..)
            .map(|(own, index)| match own {
                Some(own) => MessageId::Own(own),
                None => MessageId::Given(id_after(receipt.first_id, index)),
            })
            .collect();
        let Receipt { first_seq, repeated, messages, .. } = receipt;
        if let Some(admitted) = admitted.filter(|_| !repeated) {
            admitted.stored(first_seq == 1);
        }
        Ok(Appended { first_seq, ids, repeated, messages })
    }

    fn check_append(&self, messages: &[Message], options: &AppendOptions) -> Result<()> {
        let limits = &self.limits;
        if messages.is_empty() {
            return Err(Error::Nothing("append: give at least one message"));
        }
        check_size("append", messages.len(), "messages", limits.messages_per_append)?;
        let mut bytes = 0;
        for message in messages {
            let length = message.payload().len();
            check_size("message", length, "bytes", limits.message_bytes)?;
            bytes += length;
        }
        check_size("append", bytes, "bytes", limits.append_bytes)?;
        if let Some(key) = &options.idempotency_key {
            if key.is_empty() {
                return Err(Error::Invalid {
                    field: "the idempotency key",
                    must: "a text that is not empty",
                });
            }
            check_size("idempotency key", key.len(), "bytes", limits.idempotency_key_bytes)?;
        }
        check_max_messages(options.max_messages)
    }

    /// The newest whole turns, oldest first. An unknown session reads as an empty one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a window of nothing; any error of the store.
    pub async fn window(&self, session: &SessionId, window: Window) -> Result<Page> {
        if matches!(window, Window::Turns(0) | Window::Messages(0)) {
            return Err(Error::Invalid { field: "the window", must: "at least 1" });
        }
        let key = self.key(session)?;
        let slice = self.store.read(At { key: &key, now: self.clock.now() }, Range::Window(window)).await?;
        Ok(Page::of_window(slice))
    }

    /// A page of messages, oldest first: up to `limit` of them after or before a sequence number.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit of nothing, [`Error::TooLarge`] for one beyond [`Limits::page`].
    pub async fn messages(&self, session: &SessionId, from: Direction, limit: u32) -> Result<Page> {
        let key = self.key(session)?;
        self.check_page(limit)?;
        page::read(&*self.store, At { key: &key, now: self.clock.now() }, from, limit).await
    }

    /// One message; `None` if the session has none of that sequence number, or no longer.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if something stands there that cannot be read.
    pub async fn get(&self, session: &SessionId, seq: Seq) -> Result<Option<StoredMessage>> {
        let key = self.key(session)?;
        let at = At { key: &key, now: self.clock.now() };
        Ok(self.record(at, seq).await?.and_then(|record| StoredMessage::new(seq, record)))
    }

    /// Replaces a message's content or metadata; its sequence number, id and time stay, and when it was edited
    /// is recorded.
    ///
    /// # Errors
    /// [`StoreError::NoMessage`] if there is no such message; [`Error::Message`] for a content that it cannot have.
    pub async fn edit(&self, session: &SessionId, seq: Seq, edit: &Edit) -> Result<StoredMessage> {
        if edit.content.is_none() && edit.metadata.is_none() {
            return Err(Error::Nothing("edit: give content or metadata"));
        }
        for (field, value) in [("content", &edit.content), ("metadata", &edit.metadata)] {
            let one = value.as_ref().is_none_or(|value| serde_json::from_str::<&RawValue>(value).is_ok());
            if !one {
                let error = MessageError::Invalid { field, must: "one JSON value" };
                return Err(Error::Message { index: 0, error });
            }
        }
        let change = |old: &Record, now| {
            let message = old.message.as_ref().ok_or(StoreError::NoMessage(seq))?;
            let mut json = message.bytes().to_vec();
            for (field, value) in [("content", &edit.content), ("metadata", &edit.metadata)] {
                if let Some(value) = value {
                    json = replace_field(&json, field, value.as_bytes());
                }
            }
            check_size("message", json.len(), "bytes", self.limits.message_bytes)?;
            let message = Message::parse(json.into()).map_err(|error| Error::Message { index: 0, error })?;
            let message = message.pushed(old.message.as_ref().and_then(Message::pushed_at));
            Ok(Record { message: Some(message), edited_at: Some(now), ..old.clone() })
        };
        let record = self.change(session, seq, change).await?;
        StoredMessage::new(seq, record).ok_or_else(|| StoreError::NoMessage(seq).into())
    }

    /// Deletes a message. Its sequence number is not given again.
    ///
    /// # Errors
    /// [`StoreError::NoMessage`] if there is no such message, or no longer.
    pub async fn delete(&self, session: &SessionId, seq: Seq) -> Result<()> {
        self.change(session, seq, |old, _| Ok(old.deleted())).await?;
        self.note_removal();
        Ok(())
    }

    /// Puts what `change` makes of a message in its place, trying again if somebody else was faster.
    async fn change(
        &self,
        session: &SessionId,
        seq: Seq,
        change: impl Fn(&Record, crate::Timestamp) -> Result<Record>,
    ) -> Result<Record> {
        let key = self.key(session)?;
        for _ in 0..TRIES {
            let at = At { key: &key, now: self.clock.now() };
            let Some(old) = self.record(at, seq).await?.filter(|record| record.message.is_some()) else {
                return Err(StoreError::NoMessage(seq).into());
            };
            let new = change(&old, at.now)?;
            match self.store.replace(at, seq, &old, &new).await? {
                Replaced::Done => return Ok(new),
                Replaced::Changed => {}
            }
        }
        Err(busy(&format!("message {seq}")))
    }

    async fn record(&self, at: At<'_>, seq: Seq) -> Result<Option<Record>> {
        let Some(before) = seq.checked_sub(1) else {
            return Ok(None);
        };
        let slice = self.store.read(at, Range::After(before, 1)).await?;
        match slice.entries.into_iter().find(|entry| entry.seq == seq).map(|entry| entry.record) {
            None => Ok(None),
            Some(Ok(record)) => Ok(Some(record)),
            Some(Err(_)) => Err(Error::Unreadable(seq)),
        }
    }

    /// Removes the newest message, or the newest turn whole, and gives it back, oldest first; nothing if the
    /// session has no messages.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn pop(&self, session: &SessionId, what: Pop) -> Result<Vec<StoredMessage>> {
        let key = self.key(session)?;
        let popped = self.store.pop(At { key: &key, now: self.clock.now() }, what).await?;
        self.note_removal();
        Ok(popped.into_iter().filter_map(StoredMessage::of_entry).collect())
    }

    /// Copies a session up to and with a sequence number (whole with `None`) to a new one, and gives the last
    /// sequence number copied.
    ///
    /// # Errors
    /// [`StoreError::NoSession`], [`StoreError::SessionExists`], [`StoreError::NoMessage`].
    pub async fn fork(&self, session: &SessionId, to: &SessionId, upto: Option<Seq>) -> Result<Seq> {
        let key = self.key(session)?;
        let target = self.key(to)?;
        let admitted = self.admit_copy(session, to).await?;
        let last = self.store.fork(At { key: &key, now: self.clock.now() }, to, upto).await?;
        if let Some(admitted) = admitted {
            admitted.stored(true);
        }
        self.mark_due(&target).await;
        Ok(last)
    }

    /// Removes a session and everything that belongs to it, and says how many messages it had; `None` if
    /// there is no such session.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn clear(&self, session: &SessionId) -> Result<Option<u64>> {
        let key = self.key(session)?;
        let cleared = self.store.clear(At { key: &key, now: self.clock.now() }).await?;
        self.note_removal();
        Ok(cleared)
    }

    /// Sets or removes a session's time to live. Setting it starts its clock.
    ///
    /// # Errors
    /// [`StoreError::NoSession`] if there is no such session.
    pub async fn set_ttl(&self, session: &SessionId, ttl: TtlChange) -> Result<()> {
        self.configure(session, &Configure { ttl, ..Configure::default() }).await
    }

    /// Changes a session's time to live, maximum of messages or metadata, all in one step.
    ///
    /// # Errors
    /// [`StoreError::NoSession`] if there is no such session; [`Error::Invalid`] for metadata that is no object.
    pub async fn configure(&self, session: &SessionId, change: &Configure) -> Result<()> {
        let key = self.key(session)?;
        check_max_messages(change.max_messages)?;
        if let Change::Set(metadata) = &change.metadata {
            let object = serde_json::from_str::<serde::de::IgnoredAny>(metadata).is_ok()
                && metadata.trim_start().starts_with('{');
            if !object {
                return Err(Error::Invalid { field: "metadata", must: "an object" });
            }
            check_size("metadata", metadata.len(), "bytes", self.limits.metadata_bytes)?;
        }
        self.store.configure(At { key: &key, now: self.clock.now() }, change).await?;
        if change.policy != Change::Keep {
            self.mark_due(&key).await;
        }
        Ok(())
    }

    /// What is known of a session; `None` if there is no such session.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn describe(&self, session: &SessionId) -> Result<Option<Description>> {
        let key = self.key(session)?;
        Ok(self.store.describe(At { key: &key, now: self.clock.now() }).await?)
    }

    /// A page of the sessions, newest activity first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit of nothing, [`Error::TooLarge`] for one beyond [`Limits::page`].
    pub async fn sessions(&self, query: &SessionQuery) -> Result<SessionPage> {
        self.check_page(query.limit)?;
        Ok(self.store.sessions(&self.scope, self.clock.now(), query).await?)
    }

    /// Answers when the store does.
    ///
    /// # Errors
    /// Whatever keeps the store from answering.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    /// Looks at the store's version and at settings that could lose data.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn inspect(&self) -> Result<Vec<Finding>> {
        Ok(self.store.inspect().await?)
    }

    fn key(&self, session: &SessionId) -> Result<SessionKey> {
        check_size("session id", session.as_str().len(), "bytes", self.limits.session_id_bytes)?;
        Ok(self.scope.session(session))
    }

    fn check_page(&self, limit: u32) -> Result<()> {
        if limit == 0 {
            return Err(Error::Invalid { field: "limit", must: "at least 1" });
        }
        check_size("limit", limit as usize, "entries", self.limits.page as usize)
    }
}

fn check_size(what: &'static str, size: usize, unit: &str, max: usize) -> Result<()> {
    if size > max {
        return Err(Error::TooLarge { what, size: format!("{size} {unit}"), max });
    }
    Ok(())
}

/// What an append adds: the JSON of its messages, each behind the header of a record.
fn addition(messages: &[Message]) -> Addition {
    let header = crate::record::HEADER as u64;
    let bytes = messages.iter().map(|message| message.payload().len() as u64 + header).sum();
    Addition { messages: messages.len() as u64, bytes }
}

/// Somebody else was faster each time.
fn busy(what: &str) -> Error {
    let reason = format!("{what} changed {TRIES} times meanwhile");
    Error::Store(StoreError::Busy { store: "the session".to_owned(), reason })
}

fn check_max_messages(change: Change<u64>) -> Result<()> {
    if change == Change::Set(0) {
        return Err(Error::Invalid { field: "max_messages", must: "at least 1" });
    }
    Ok(())
}

/// The id of the message at `index` of an append whose first has `first`.
pub(crate) fn id_after(first: Uuid, index: u128) -> Uuid {
    Uuid::from_u128(first.as_u128().wrapping_add(index))
}

/// What tells one append's messages from another's: SHA-1 over their lengths and bytes, as a version 5 UUID.
fn fingerprint(messages: &[Message]) -> Uuid {
    let mut all = Vec::with_capacity(messages.iter().map(|message| message.payload().len() + 8).sum());
    for message in messages {
        all.extend_from_slice(&(message.payload().len() as u64).to_be_bytes());
        all.extend_from_slice(message.payload());
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &all)
}
