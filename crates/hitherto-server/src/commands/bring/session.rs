//! One session of a source into the store.
//!
//! Invariant: it is read twice. First only looked at: its order, what is no message, and a print of each element, by
//! which what the store has already is found; then read again and stored, as far as the prints are the same. So
//! nothing is stored of a session that is refused, and a list that changes meanwhile is noticed.

use std::sync::atomic::AtomicU64;

use hitherto::layout::{Beside, Evidence, Kept, Key, Layout, Plan, Print, Verdict, What, align};
use hitherto::{Change, ChatMemory, Configure, Direction, Message, Seq, SessionId};
use tokio::time::Instant;

use super::batch::Batch;
use super::find::Found;
use super::walk::{BadValue, Walk};
use super::{Source, reading, shown};
use crate::commands::again::again;
use crate::commands::interrupt::Interrupt;
use crate::target::TargetError;

/// How many elements of the store are asked for at a time.
const PAGE: u32 = 100;

/// What is known of a session of a source when it was looked at.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// What is no message, and what was left out.
    pub(super) bad: Vec<BadValue>,
    pub(super) prints: Vec<Print>,
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
    pub(super) fn longest(&self) -> usize {
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

    pub(super) fn heed(&self) -> Result<(), Refusal> {
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
