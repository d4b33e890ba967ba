//! A store under test, and the conversations held in it: what lets a case say a thing in a line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hitherto::store::{
    At, Batch, Change, Configure, Erased, Mark, Once, Pop, Range, Receipt, Replaced, Result, Seq, Slice,
    StoreError,
};
use hitherto::{
    ChatMemory, Clock, Description, Listed, Message, Record, Restart, Role, Scope, SessionId, SessionKey,
    SessionPage, SessionQuery, Store, Tenant, Timestamp, Ttl, TtlChange, UserId, Window,
};
use uuid::Uuid;

use super::bench::{Bench, Junk};
use super::notation;

/// A store under test. Clones share it.
#[derive(Clone)]
pub struct Subject {
    bench: Arc<dyn Bench>,
}

/// A session of a store under test.
#[derive(Clone)]
pub struct Chat {
    /// The store.
    pub on: Subject,
    /// The session.
    pub key: SessionKey,
}

impl Subject {
    /// What stands on that bench.
    pub fn new(bench: impl Bench) -> Self {
        Self { bench: Arc::new(bench) }
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        self.bench.store()
    }

    /// The time that a call made now carries.
    pub fn now(&self) -> Timestamp {
        self.bench.now()
    }

    /// Lets so many seconds pass.
    pub async fn advance(&self, secs: u64) {
        self.bench.advance(Duration::from_secs(secs)).await;
    }

    /// What there is behind the store besides the list of sessions.
    pub async fn leftovers(&self) -> Vec<String> {
        self.bench.leftovers().await
    }

    /// How far apart two times may be.
    pub fn slack(&self) -> Duration {
        self.bench.slack()
    }

    /// Whether two times are the same, as far as the bench can tell.
    pub fn same_time(&self, one: Timestamp, other: Timestamp) -> bool {
        Duration::from_millis(one.as_millis().abs_diff(other.as_millis())) <= self.slack()
    }

    /// Whether two descriptions tell the same, as far as the bench can tell.
    pub fn same_description(&self, one: &Description, other: &Description) -> bool {
        let near = match (one.expires_at, other.expires_at) {
            (Some(one), Some(other)) => self.same_time(one, other),
            (one, other) => one == other,
        };
        let mut same = one.clone();
        same.expires_at = other.expires_at;
        near && same == *other
    }

    /// A session of the default scope.
    pub fn chat(&self, session: &str) -> Chat {
        self.chat_in(&Scope::default(), session)
    }

    /// A session of a scope.
    pub fn chat_in(&self, scope: &Scope, session: &str) -> Chat {
        Chat { on: self.clone(), key: scope.session(&SessionId::parse(session).unwrap()) }
    }

    /// The engine over the store, with the bench's clock.
    pub fn memory(&self) -> ChatMemory {
        let bench = Arc::clone(&self.bench);
        ChatMemory::new(self.store()).with_clock(Clock::from_fn(move || bench.now()))
    }

    /// One page of the default scope's sessions.
    pub async fn page(&self, query: &SessionQuery) -> SessionPage {
        self.store().sessions(&Scope::default(), self.now(), query).await.unwrap()
    }

    /// Erases everything of a user, piece by piece, and says what that was.
    pub async fn erase(&self, tenant: &Tenant, name: &str) -> Erased {
        let (mut all, mut from) = (Erased::default(), Mark::default());
        for _ in 0..10_000 {
            let piece = self.store().erase(tenant, &user(name), self.now(), &from).await.unwrap();
            all.sessions += piece.sessions;
            all.messages += piece.messages;
            all.bytes += piece.bytes;
            all.left = piece.left;
            match piece.next {
                None => return all,
                Some(next) => from = next,
            }
        }
        panic!("the erasure has no end");
    }

    /// How many sessions, messages and bytes a tenant has.
    pub async fn usage(&self, tenant: &Tenant) -> (u64, u64, u64) {
        let (mut all, mut from) = ((0, 0, 0), Mark::default());
        for _ in 0..10_000 {
            let piece = self.store().usage(tenant, self.now(), &from).await.unwrap();
            all = (all.0 + piece.sessions, all.1 + piece.messages, all.2 + piece.bytes);
            match piece.next {
                None => return all,
                Some(next) => from = next,
            }
        }
        panic!("counting has no end");
    }

    /// The ids of a user's sessions in the default scope, in the order in which they are listed.
    pub async fn names_of(&self, name: &str) -> Vec<String> {
        let query = SessionQuery { user: Some(user(name)), limit: 100, ..SessionQuery::default() };
        let all = self.listed_by(&Scope::default(), query).await;
        all.into_iter().map(|listed| listed.session.to_string()).collect()
    }

    /// All sessions of a scope that begin with `prefix`, page after page of `limit`.
    pub async fn listed(&self, scope: &Scope, prefix: &str, limit: u32) -> Vec<Listed> {
        let query = SessionQuery { prefix: prefix.to_owned(), limit, ..SessionQuery::default() };
        self.listed_by(scope, query).await
    }

    /// All sessions that a query is about, page after page.
    pub async fn listed_by(&self, scope: &Scope, mut query: SessionQuery) -> Vec<Listed> {
        let limit = query.limit;
        let mut all = Vec::new();
        for _ in 0..1000 {
            let page = self.store().sessions(scope, self.now(), &query).await.unwrap();
            assert!(page.sessions.len() <= limit as usize, "a page of {limit} has {}", page.sessions.len());
            all.extend(page.sessions);
            match page.next {
                None => return all,
                next => query.after = next,
            }
        }
        panic!("the list of sessions has no end");
    }

    /// The ids of all sessions of the default scope, in the order in which they are listed.
    pub async fn names(&self) -> Vec<String> {
        let all = self.listed(&Scope::default(), "", 100).await;
        all.into_iter().map(|listed| listed.session.to_string()).collect()
    }
}

/// A user.
pub fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// A record of that role and text, stored now.
pub fn record(role: Role, text: &str, now: Timestamp) -> Record {
    Record::new(Message::new(role, text), new_id(), now)
}

/// An id that no other record has. Ids of a batch count up, so one call leaves room for a large batch.
pub fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let next = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + (next << 24))
}

/// The records of messages, with ids that count up.
pub fn records(messages: impl IntoIterator<Item = Message>, now: Timestamp) -> Vec<Record> {
    let first = new_id().as_u128();
    messages
        .into_iter()
        .zip(0..)
        .map(|(message, index)| Record::new(message, Uuid::from_u128(first + index), now))
        .collect()
}

/// A time to live of so many seconds.
pub fn secs(secs: u64) -> Ttl {
    Ttl::from_secs(secs).unwrap()
}

/// A time to live of so many seconds, restarted by that.
pub fn ttl(secs: u64, restart: Restart) -> TtlChange {
    TtlChange::Set(Ttl::from_secs(secs).unwrap().restarted_by(restart))
}

/// An idempotency key; `what` is what it stands for.
pub fn once(key: &str, what: u128) -> Option<Once> {
    Some(Once { key: key.to_owned(), fingerprint: Uuid::from_u128(what), only: false })
}

impl Chat {
    /// A call about this session, made now.
    pub fn at(&self) -> At<'_> {
        At { key: &self.key, now: self.on.now() }
    }

    /// A session of the same scope.
    pub fn beside(&self, session: &str) -> Self {
        self.on.chat_in(&self.key.scope, session)
    }

    /// A plain batch of a message for each letter of `roles` (`s`, `u`, `a`, `t`).
    pub fn batch(&self, roles: &str) -> Batch {
        let messages = roles
            .chars()
            .enumerate()
            .map(|(index, letter)| Message::new(notation::role(letter), &format!("{letter}{index}")));
        Batch {
            records: records(messages, self.on.now()),
            once: None,
            ttl: TtlChange::Keep,
            max_messages: Change::Keep,
            hint: None,
            count: false,
            user: None,
        }
    }

    /// Appends a batch.
    pub async fn try_send(&self, batch: Batch) -> Result<Receipt> {
        self.on.store().append(self.at(), batch).await
    }

    /// Appends a batch that must be accepted.
    pub async fn send(&self, batch: Batch) -> Receipt {
        self.try_send(batch).await.unwrap()
    }

    /// Appends a message for each letter of `roles`.
    pub async fn say(&self, roles: &str) -> Receipt {
        self.send(self.batch(roles)).await
    }

    /// Appends messages with a time to live.
    pub async fn say_for(&self, roles: &str, ttl: TtlChange) -> Receipt {
        self.send(Batch { ttl, ..self.batch(roles) }).await
    }

    /// Appends messages and names a user.
    pub async fn say_of(&self, roles: &str, name: &str) -> Result<Receipt> {
        self.try_send(Batch { user: Some(user(name)), ..self.batch(roles) }).await
    }

    /// Appends messages with an idempotency key.
    pub async fn say_once(&self, roles: &str, key: &str, what: u128) -> Result<Receipt> {
        self.try_send(Batch { once: once(key, what), ..self.batch(roles) }).await
    }

    /// Reads a part of it.
    pub async fn read(&self, range: Range) -> Slice {
        self.on.store().read(self.at(), range).await.unwrap()
    }

    /// All places that it holds.
    pub async fn all(&self) -> Slice {
        self.read(Range::After(0, 100_000)).await
    }

    /// All places that it holds, written down as in [`notation`].
    pub async fn held(&self) -> String {
        notation::write(&self.all().await.entries)
    }

    /// A part of it, written down.
    pub async fn part(&self, range: Range) -> String {
        notation::write(&self.read(range).await.entries)
    }

    /// A window, written down without the deleted and unreadable places that stand before it.
    pub async fn window(&self, window: Window) -> String {
        let slice = self.read(Range::Window(window)).await;
        notation::check_whole(&slice.entries);
        notation::write(notation::from_first_live(&slice.entries))
    }

    /// The record at a place, which must hold one.
    pub async fn record(&self, seq: Seq) -> Record {
        let slice = self.read(Range::After(seq - 1, 1)).await;
        let entry = slice.entries.first().unwrap_or_else(|| panic!("nothing stands at {seq}"));
        assert_eq!(entry.seq, seq, "something else came than was asked for");
        entry.record.clone().unwrap()
    }

    /// Puts one record in the place of another.
    pub async fn replace(&self, seq: Seq, old: &Record, new: &Record) -> Replaced {
        self.on.store().replace(self.at(), seq, old, new).await.unwrap()
    }

    /// Deletes a message.
    pub async fn delete(&self, seq: Seq) {
        let old = self.record(seq).await;
        assert_eq!(self.replace(seq, &old, &old.deleted()).await, Replaced::Done);
    }

    /// What an edit would make of a record.
    pub fn edited(&self, old: &Record, text: &str) -> Record {
        let message = Some(Message::new(old.role, text));
        Record { message, edited_at: Some(self.on.now()), ..old.clone() }
    }

    /// Edits a message.
    pub async fn edit(&self, seq: Seq, text: &str) {
        let old = self.record(seq).await;
        assert_eq!(self.replace(seq, &old, &self.edited(&old, text)).await, Replaced::Done);
    }

    /// Pops, and writes down what came back and can be read.
    pub async fn pop(&self, what: Pop) -> String {
        let popped = self.on.store().pop(self.at(), what).await.unwrap();
        let live: Vec<_> = popped.into_iter().filter(|entry| entry.live().is_some()).collect();
        notation::write(&live)
    }

    /// Copies it to a session of that id.
    pub async fn fork(&self, to: &Self, upto: Option<Seq>) -> Result<Seq> {
        self.on.store().fork(self.at(), &to.key.session, upto).await
    }

    /// Removes it.
    pub async fn clear(&self) -> Option<u64> {
        self.on.store().clear(self.at()).await.unwrap()
    }

    /// Changes its settings.
    pub async fn try_configure(&self, change: Configure) -> Result<(), StoreError> {
        self.on.store().configure(self.at(), &change).await
    }

    /// Changes its settings, which must exist.
    pub async fn configure(&self, change: Configure) {
        self.try_configure(change).await.unwrap();
    }

    /// Changes its time to live.
    pub async fn set_ttl(&self, ttl: TtlChange) {
        self.configure(Configure { ttl, ..Configure::default() }).await;
    }

    /// What is known of it.
    pub async fn description(&self) -> Option<Description> {
        self.on.store().describe(self.at()).await.unwrap()
    }

    /// What is known of it; it must exist.
    pub async fn described(&self) -> Description {
        self.description().await.unwrap()
    }

    /// Whether it exists.
    pub async fn exists(&self) -> bool {
        self.description().await.is_some()
    }

    /// When it ends.
    pub async fn expires_at(&self) -> Option<Timestamp> {
        self.described().await.expires_at
    }

    /// In how many whole seconds it ends, rounded; `None` if it does not.
    pub async fn ends_in(&self) -> Option<i64> {
        let end = self.expires_at().await?;
        Some((end.as_millis() - self.on.now().as_millis() + 500).div_euclid(1000))
    }

    /// Puts junk in a place.
    pub async fn spoil(&self, seq: Seq, junk: Junk) {
        self.on.bench.spoil(&self.key, seq, junk).await;
    }
}
