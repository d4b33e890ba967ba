//! One session of a source into the store.
//!
//! Invariant: it is read twice. First only looked at: its order, what is no message, and a print of each element, by
//! which what the store has already is found; then read again and stored, as far as the prints are the same. So
//! nothing is stored of a session that is refused, and a list that changes meanwhile is noticed.

use hitherto::layout::{Beside, Evidence, Kept, Key, Layout, Plan, Print, Verdict, What, align};
use hitherto::{
    AppendOptions, Change, ChatMemory, Configure, Direction, Message, Seq, SessionId, StoreError, Ttl,
    TtlChange,
};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;
use uuid::Uuid;

use super::find::Found;
use super::walk::{BadValue, Walk};
use super::{Source, reading, shown};
use crate::commands::again::again;
use crate::commands::interrupt::Interrupt;
use crate::target::TargetError;

/// A batch has at most so many messages,
const MESSAGES: usize = 500;
/// and so many bytes, unless one message alone has more.
const BYTES: usize = 1 << 20;
/// How many elements of the store are asked for at a time.
const PAGE: u32 = 100;

/// What is known of a session of a source when it was looked at.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// What is no message, and what was left out.
    pub(super) bad: Vec<BadValue>,
    prints: Vec<Print>,
    evidence: Evidence,
    messages: u64,
    left_out: u64,
}

/// Why a session was not, or not wholly, brought along.
#[derive(Debug)]
pub(super) enum Refusal {
    /// For a reason that concerns it alone.
    Session(String),
    /// The store or the source failed.
    Failed(TargetError),
    /// Somebody asked for the end.
    Interrupted,
}

impl From<TargetError> for Refusal {
    fn from(error: TargetError) -> Self {
        Self::Failed(error)
    }
}

impl From<hitherto::Error> for Refusal {
    fn from(error: hitherto::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Where it is brought to.
#[derive(Debug)]
pub(super) struct Bringing<'a> {
    pub(super) source: &'a Source,
    pub(super) layout: &'a Layout,
    pub(super) memory: &'a ChatMemory,
    pub(super) interrupt: &'a Interrupt,
    /// The names of the sorted sets that may have sessions among their members, by the glob that finds them.
    pub(super) sets: Vec<(String, Vec<bytes::Bytes>)>,
    /// How many elements were stored in all.
    pub(super) stored: AtomicU64,
}

impl Look {
    /// Whether there is nothing in it that the layout's clients would read.
    pub(super) fn is_foreign(&self) -> bool {
        self.messages == 0 && !self.prints.is_empty()
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.prints.is_empty() && self.left_out == 0
    }

    /// What its messages say of their order.
    pub(super) fn verdict(&self) -> Verdict {
        self.evidence.verdict()
    }
}

impl Bringing<'_> {
    fn longest(&self) -> usize {
        self.memory.limits().message_bytes
    }

    /// Looks at a session.
    pub(super) async fn look(&self, found: &Found) -> Result<Look, Refusal> {
        let mut look = Look::default();
        let mut walk = Walk::new(self.source, self.layout, found, self.longest()).await?;
        while let Some(page) = walk.next().await? {
            self.heed()?;
            for message in &page.messages {
                look.prints.push(Print::of(message.payload()));
                look.messages += u64::from(self.is_own(message));
                look.evidence.take(message);
            }
            look.bad.extend(page.bad);
            look.left_out += page.left_out;
        }
        Ok(look)
    }

    fn is_own(&self, message: &Message) -> bool {
        !message.is_opaque() && self.layout.profile().speaks(message.dialect())
    }

    fn heed(&self) -> Result<(), Refusal> {
        if self.interrupt.is_asked() { Err(Refusal::Interrupted) } else { Ok(()) }
    }

    /// Stores what is new of a session that was looked at, and says how much was there already.
    pub(super) async fn bring(&self, found: &Found, look: &Look, began: Instant) -> Result<u64, Refusal> {
        let session = SessionId::parse(&found.session)
            .map_err(|error| Refusal::Session(format!("it cannot be a session here: {error}")))?;
        let info = again(async || Ok(self.memory.describe(&session).await?)).await?;
        let now = hitherto::Timestamp::now();
        let name = self.layout.profile().name;
        let metadata = info.as_ref().and_then(|info| info.metadata.as_deref());
        let before = metadata.and_then(|metadata| Kept::read(metadata, name, now));
        let origin = before.as_ref().and_then(|kept| kept.key.as_deref());
        if origin.is_some() && origin != found.kept.as_deref() {
            let origin = shown(origin.unwrap_or_default().as_bytes());
            return Err(Refusal::Session(format!(
                "it was brought along from the key {origin} before; use another --memory-key for this one"
            )));
        }
        let (stored, last) = self.stored(&session).await?;
        let new = match align(&stored, &look.prints) {
            Plan::From(new) => new,
            Plan::Different(index) => {
                return Err(Refusal::Session(format!(
                    "the store has something else at its element {} and is left as it is",
                    index + 1
                )));
            }
        };
        let kept = Kept { key: found.kept.clone(), keys: self.beside(found).await? };
        let summary = self.layout.summary(&found.session, &kept.keys);
        let earlier = summary.filter(|_| last == 0).map(Layout::earlier);
        let batch = Batch::new(last + 1, earlier);
        let stored = self.append(found, look, &session, (new, batch), began).await?;
        if (info.is_some() || stored) && !kept.is_empty() {
            let new = kept.put(metadata, name, now);
            if metadata != Some(new.as_str()) {
                let change = Configure { metadata: Change::Set(new), ..Configure::default() };
                again(async || Ok(self.memory.configure(&session, &change).await?)).await?;
            }
            if summary.is_some() {
                self.summarise(&session).await?;
            }
        }
        Ok(new as u64)
    }

    /// The prints of what the session has, and its newest place. A summary that came along is no element of the source.
    async fn stored(&self, session: &SessionId) -> Result<(Vec<Option<Print>>, Seq), Refusal> {
        let mut prints = Vec::new();
        let mut after = 0;
        loop {
            let from = Direction::After(after);
            let page = again(async || Ok(self.memory.elements(session, from, PAGE).await?)).await?;
            prints.extend(
                page.elements
                    .iter()
                    .filter(|element| !Layout::is_earlier(&element.message))
                    .map(|element| (!element.is_edited()).then(|| Print::of(element.message.payload()))),
            );
            match page.elements.last().filter(|_| page.more) {
                Some(last) => after = last.seq,
                None => return Ok((prints, page.last)),
            }
        }
    }

    /// Appends the elements from index `new` on, behind what the batch has already, and says whether there were any.
    async fn append(
        &self,
        found: &Found,
        look: &Look,
        session: &SessionId,
        (new, mut batch): (usize, Batch),
        began: Instant,
    ) -> Result<bool, Refusal> {
        if new >= look.prints.len() {
            return Ok(false);
        }
        let mut walk = Walk::new(self.source, self.layout, found, self.longest()).await?;
        let mut prints = look.prints.iter().enumerate();
        while let Some(page) = walk.next().await? {
            for message in page.messages {
                // What was pushed since it was looked at comes with the next run.
                let Some((index, print)) = prints.next() else { break };
                if *print != Print::of(message.payload()) {
                    self.send(&mut batch, found, session, began).await?;
                    let text = "it was changed while it was read; run the command again";
                    return Err(Refusal::Session(text.to_owned()));
                }
                if index < new {
                    continue;
                }
                if batch.is_full(&message, self.memory.limits().messages_per_append) {
                    self.send(&mut batch, found, session, began).await?;
                    self.heed()?;
                }
                batch.bytes += message.payload().len();
                batch.messages.push(message);
            }
        }
        self.send(&mut batch, found, session, began).await?;
        Ok(true)
    }

    async fn send(
        &self,
        batch: &mut Batch,
        found: &Found,
        session: &SessionId,
        began: Instant,
    ) -> Result<(), Refusal> {
        if batch.messages.is_empty() {
            return Ok(());
        }
        let mut options = AppendOptions::default();
        options.idempotency_key = Some(batch.key(self.layout.profile().name, found));
        if let Some(ttl) = found.ttl {
            let left = ttl.saturating_sub(began.elapsed()).max(std::time::Duration::from_millis(1));
            options.ttl = Ttl::new(left).map_or(TtlChange::Keep, TtlChange::Start);
        }
        let done = again(async || Ok(self.memory.append(session, batch.messages.clone(), &options).await?));
        let done = match done.await {
            Err(TargetError::Memory(hitherto::Error::Store(StoreError::OnceMismatch))) => {
                let text = "another import writes to it; run the command again";
                return Err(Refusal::Session(text.to_owned()));
            }
            done => done?,
        };
        if done.first_seq != batch.first {
            let text = "somebody else writes to it; no more is brought into it";
            return Err(Refusal::Session(text.to_owned()));
        }
        batch.first += batch.messages.len() as u64;
        if !done.repeated {
            let elements = batch.messages.iter().filter(|message| !Layout::is_earlier(message));
            self.stored.fetch_add(elements.count() as u64, Ordering::Relaxed);
        }
        batch.messages.clear();
        batch.bytes = 0;
        Ok(())
    }

    /// What stands beside the messages.
    async fn beside(&self, found: &Found) -> Result<Vec<Key>, Refusal> {
        let mut keys = Vec::new();
        for beside in self.layout.beside(&found.session) {
            self.add(&beside, &found.session, &mut keys).await?;
        }
        for beside in self.layout.further(&keys) {
            self.add(&beside, &found.session, &mut keys).await?;
        }
        Ok(keys)
    }

    /// Makes the summary that came along the session's, if it has none: it stands for the message that says it.
    async fn summarise(&self, session: &SessionId) -> Result<(), Refusal> {
        let from = Direction::After(0);
        let first = again(async || Ok(self.memory.elements(session, from, 1).await?)).await?;
        let Some(first) = first.elements.first().filter(|first| Layout::is_earlier(&first.message)) else {
            return Ok(());
        };
        let state = again(async || Ok(self.memory.summary(session).await?)).await?;
        if state.current.is_none() {
            let text = first.message.text();
            again(async || Ok(self.memory.put_summary(session, &text, first.seq).await?)).await?;
        }
        Ok(())
    }

    async fn add(&self, beside: &Beside, session: &str, keys: &mut Vec<Key>) -> Result<(), Refusal> {
        let names = match beside.what {
            What::AnyMember => {
                let sets = self.sets.iter().find(|(glob, _)| *glob == beside.key);
                sets.map(|(_, names)| names.clone()).unwrap_or_default()
            }
            _ => vec![beside.key.clone().into()],
        };
        for name in names {
            let key = reading(async || self.source.beside(beside, name.clone(), session).await).await?;
            keys.extend(key);
        }
        Ok(())
    }
}

/// Messages that are appended together.
#[derive(Debug)]
struct Batch {
    first: Seq,
    messages: Vec<Message>,
    bytes: usize,
}

impl Batch {
    /// An empty one for the places from `first` on, or one with a summary of what was said before.
    fn new(first: Seq, earlier: Option<Message>) -> Self {
        let messages: Vec<Message> = earlier.into_iter().collect();
        Self { first, bytes: messages.iter().map(|message| message.payload().len()).sum(), messages }
    }

    fn is_full(&self, next: &Message, most: usize) -> bool {
        !self.messages.is_empty()
            && (self.messages.len() >= MESSAGES.min(most) || self.bytes + next.payload().len() > BYTES)
    }

    /// Tells this batch from every other: SHA-1 over its layout, key, session and place, as a version 5 UUID. A place
    /// is given once, so of two imports at once that want it for different messages only one has it.
    fn key(&self, layout: &str, found: &Found) -> String {
        let mut all = Vec::with_capacity(256);
        let mut field = |bytes: &[u8]| {
            all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            all.extend_from_slice(bytes);
        };
        field(layout.as_bytes());
        field(&found.key);
        field(found.session.as_bytes());
        field(&self.first.to_be_bytes());
        format!("bring-{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, &all))
    }
}
