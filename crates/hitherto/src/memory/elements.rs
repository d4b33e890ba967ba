//! A session as a list of elements: what clients of a list pushed, messages or not, as it came.
//!
//! Invariant: an element that is no message is one all the same; only what is deleted, or cannot be read back, is
//! passed over.

use super::{ChatMemory, Result, TRIES, busy, check_size, page};
use crate::memory::Direction;
use crate::message::Message;
use crate::record::Record;
use crate::session::SessionId;
use crate::store::{At, Entry, Replaced, Seq};
use crate::time::Timestamp;

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
        let mut record = entry.record.ok()?;
        let message = record.message.take()?;
        Some(Self { seq: entry.seq, created_at: record.created_at, message, header: record })
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
        Ok(Elements { elements: wanted, more, base, last, deleted })
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

    /// Takes up to `count` elements from the newer or the older end, in the order in which they are taken.
    ///
    /// # Errors
    /// Any error of the store; [`StoreError::Busy`](crate::StoreError::Busy) if others are faster each time.
    pub async fn take(&self, session: &SessionId, end: End, count: u32) -> Result<Vec<Element>> {
        let from = match end {
            End::Newest => Direction::Before(Seq::MAX),
            End::Oldest => Direction::After(0),
        };
        let mut taken = Vec::new();
        let mut failures = 0;
        while taken.len() < count as usize {
            let limit =
                count.saturating_sub(u32::try_from(taken.len()).unwrap_or(count)).min(self.limits.page);
            let mut found = self.elements(session, from, limit).await?.elements;
            if end == End::Newest {
                found.reverse();
            }
            if found.is_empty() {
                break;
            }
            for element in found {
                if self.take_element(session, &element).await? {
                    taken.push(element);
                } else {
                    failures += 1;
                    if failures >= TRIES {
                        return Err(busy("the end of the session"));
                    }
                    break;
                }
            }
        }
        Ok(taken)
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
