//! A session as a list of elements: what clients of a list pushed, messages or not, as it came.
//!
//! Invariant: an element that is no message is one all the same; only what is deleted, or cannot be read back, is
//! passed over.

use tokio::task::JoinSet;

use super::{ChatMemory, Result, TRIES, busy, check_size, page};
use crate::memory::Direction;
use crate::message::Message;
use crate::record::Record;
use crate::session::SessionId;
use crate::store::{At, Entry, Replaced, Seq};
use crate::time::Timestamp;

/// How many elements are taken at a time: as many as a store writes in one go, or nearly.
const TOGETHER: usize = 128;

/// One element of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its sequence number.
    pub seq: Seq,
    /// When it was made.
    pub created_at: Timestamp,
    /// What was pushed; [`Message::payload`] has its bytes.
    pub message: Message,
    /// The record without its message.
    header: Record,
}

/// A part of a session as elements, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elements {
    /// The elements.
    pub elements: Vec<Element>,
    /// The places among these that cannot be read, where these were asked for by their places.
    pub unreadable: Vec<Seq>,
    /// Whether there are more where these come from.
    pub more: bool,
    /// The sequence number before the oldest place that the session still holds.
    pub base: Seq,
    /// The newest sequence number that the session ever gave; 0 for one that does not exist.
    pub last: Seq,
    /// How many of the places between the two are deleted.
    pub deleted: u64,
}

impl Elements {
    /// How many elements the whole session has; one that cannot be read back counts.
    pub fn length(&self) -> u64 {
        self.last.saturating_sub(self.base).saturating_sub(self.deleted)
    }
}

impl Element {
    /// Whether it was edited since it came.
    pub fn is_edited(&self) -> bool {
        self.header.edited_at.is_some()
    }

    /// The record as it lies in the store.
    fn record(&self) -> Record {
        Record { message: Some(self.message.clone()), ..self.header.clone() }
    }

    fn of_entry(entry: Entry) -> Option<Self> {
        Self::of_record(entry.seq, entry.record.ok()?)
    }

    fn of_record(seq: Seq, mut record: Record) -> Option<Self> {
        let message = record.message.take()?;
        Some(Self { seq, created_at: record.created_at, message, header: record })
    }
}

impl ChatMemory {
    /// A page of elements, oldest first: up to `limit` of them after or before a sequence number. An unknown session
    /// has none.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a limit of nothing,
    /// [`Error::TooLarge`](crate::Error::TooLarge) for one beyond [`Limits::page`](crate::Limits::page).
    pub async fn elements(&self, session: &SessionId, from: Direction, limit: u32) -> Result<Elements> {
        let key = self.key(session)?;
        self.check_page(limit)?;
        let at = At { key: &key, now: self.clock.now() };
        let walk = page::walk(&*self.store, at, from, limit, Element::of_entry).await?;
        let page::Walk { wanted, more, base, last, deleted, .. } = walk;
        Ok(Elements { elements: wanted, unreadable: Vec::new(), more, base, last, deleted })
    }

    /// The same by places: one that cannot be read is one of the `limit`, as [`Elements::length`] counts it, and is
    /// among [`Elements::unreadable`]. So who counts positions finds each element at one of them.
    ///
    /// # Errors
    /// Those of [`Self::elements`].
    pub async fn places(&self, session: &SessionId, from: Direction, limit: u32) -> Result<Elements> {
        let key = self.key(session)?;
        self.check_page(limit)?;
        let at = At { key: &key, now: self.clock.now() };
        let place = |entry: Entry| match entry.record {
            Ok(record) => Element::of_record(entry.seq, record).map(Ok),
            Err(_) => Some(Err(entry.seq)),
        };
        let walk = page::walk(&*self.store, at, from, limit, place).await?;
        let page::Walk { wanted, more, base, last, deleted, .. } = walk;
        let mut found = Elements { more, base, last, deleted, ..Elements::default() };
        for place in wanted {
            match place {
                Ok(element) => found.elements.push(element),
                Err(seq) => found.unreadable.push(seq),
            }
        }
        Ok(found)
    }

    /// Deletes an element if it still is what was read, and says whether it did: who takes elements from a list gets
    /// each once.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn take_element(&self, session: &SessionId, element: &Element) -> Result<bool> {
        let key = self.key(session)?;
        let at = At { key: &key, now: self.clock.now() };
        let gone = element.header.deleted();
        Ok(self.store.replace(at, element.seq, &element.record(), &gone).await? == Replaced::Done)
    }

    /// Puts another message in the place of an element, and says whether the element still was what was read.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge); any error of the store.
    pub async fn replace_element(
        &self,
        session: &SessionId,
        element: &Element,
        message: Message,
    ) -> Result<bool> {
        check_size("message", message.payload().len(), "bytes", self.limits.message_bytes)?;
        let key = self.key(session)?;
        let at = At { key: &key, now: self.clock.now() };
        if message.role() != element.header.role {
            return Err(crate::Error::Invalid { field: "the message", must: "of the same role as before" });
        }
        let new = Record { message: Some(message), edited_at: Some(at.now), ..element.header.clone() };
        Ok(self.store.replace(at, element.seq, &element.record(), &new).await? == Replaced::Done)
    }

    /// Takes these elements, many at a time, and gives those that were still what was read, in the order given.
    ///
    /// # Errors
    /// Any error of the store, if it took none: those that were taken are nowhere else, so they are given.
    pub async fn take_elements(&self, session: &SessionId, elements: Vec<Element>) -> Result<Vec<Element>> {
        let (mut taken, mut tasks) = (Vec::new(), JoinSet::new());
        let (mut waiting, mut failed) = (elements.into_iter().enumerate(), None);
        loop {
            while tasks.len() < TOGETHER
                && failed.is_none()
                && let Some((index, element)) = waiting.next()
            {
                let (memory, session) = (self.clone(), session.clone());
                tasks.spawn(async move {
                    let took = memory.take_element(&session, &element).await;
                    took.map(|took| took.then_some((index, element)))
                });
            }
            match tasks.join_next().await {
                None => break,
                Some(Ok(Ok(took))) => taken.extend(took),
                Some(Ok(Err(error))) => failed = Some(error),
                Some(Err(stopped)) => failed = Some(busy(&format!("the session ({stopped})"))),
            }
        }
        if let Some(error) = failed.filter(|_| taken.is_empty()) {
            return Err(error);
        }
        taken.sort_unstable_by_key(|(index, _)| *index);
        Ok(taken.into_iter().map(|(_, element)| element).collect())
    }

    /// Takes up to `count` elements from the newer or the older end, in the order in which they are taken: fewer where
    /// the session ends, or the store fails after some of them.
    ///
    /// # Errors
    /// Any error of the store; [`StoreError::Busy`](crate::StoreError::Busy) if others are faster each time.
    pub async fn take(&self, session: &SessionId, end: End, count: u32) -> Result<Vec<Element>> {
        let from = match end {
            End::Newest => Direction::Before(Seq::MAX),
            End::Oldest => Direction::After(0),
        };
        let (mut taken, mut failures) = (Vec::new(), 0);
        loop {
            let missing = count.saturating_sub(u32::try_from(taken.len()).unwrap_or(count));
            if missing == 0 {
                return Ok(taken);
            }
            let found = self.elements(session, from, missing.min(self.limits.page)).await;
            let took = match found {
                Ok(found) if found.elements.is_empty() => return Ok(taken),
                Ok(Elements { mut elements, .. }) => {
                    if end == End::Newest {
                        elements.reverse();
                    }
                    self.take_elements(session, elements).await
                }
                Err(error) => Err(error),
            };
            match took {
                Ok(some) if some.is_empty() => failures += 1,
                Ok(some) => taken.extend(some),
                Err(error) if taken.is_empty() => return Err(error),
                Err(_) => return Ok(taken),
            }
            if failures >= TRIES {
                return if taken.is_empty() { Err(busy("the end of the session")) } else { Ok(taken) };
            }
        }
    }
}

/// An end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where messages are appended.
    Newest,
    /// Where it began.
    Oldest,
}
