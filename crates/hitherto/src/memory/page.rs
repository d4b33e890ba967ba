//! A part of a session as callers see it: only messages that can be read, and whether there are more.

use super::Result;
use super::stored::StoredMessage;
use crate::store::{At, Entry, Range, Seq, Slice, Store};

/// Messages of a session, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The messages.
    pub messages: Vec<StoredMessage>,
    /// Whether there are more messages where these come from: older ones for a window or a page before a
    /// sequence number, newer ones for a page after one.
    pub more: bool,
    /// How many places among these hold something that cannot be read. They are kept.
    pub unreadable: u64,
}

/// From where a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The oldest messages after that sequence number; 0 begins at the beginning.
    After(Seq),
    /// The newest messages before that sequence number; `Seq::MAX` begins at the end.
    Before(Seq),
}

/// Past deleted places a page reads so many in one go at least, so that long runs of them are crossed quickly.
const STRIDE: u32 = 64;

impl Page {
    /// The sequence number of the first message.
    pub fn first_seq(&self) -> Option<Seq> {
        self.messages.first().map(|message| message.seq)
    }

    /// The sequence number of the last message.
    pub fn last_seq(&self) -> Option<Seq> {
        self.messages.last().map(|message| message.seq)
    }

    /// A window reaches to the end of the session, so what it does not hold of the session is older.
    pub(super) fn of_window(slice: Slice) -> Self {
        let unreadable = slice.entries.iter().filter(|entry| entry.is_unreadable()).count() as u64;
        let messages: Vec<_> = slice.entries.into_iter().filter_map(StoredMessage::of_entry).collect();
        let held = slice.last.saturating_sub(slice.base).saturating_sub(slice.deleted);
        Self { more: held > messages.len() as u64 + unreadable, messages, unreadable }
    }
}

/// A part of a session as it is read: what is wanted of it, oldest first.
pub(super) struct Walk<T> {
    pub(super) wanted: Vec<T>,
    pub(super) more: bool,
    pub(super) unreadable: u64,
    /// What the newest read said of the session: the place before its oldest, its newest, and how many are deleted.
    pub(super) base: Seq,
    pub(super) last: Seq,
    pub(super) deleted: u64,
}

/// Reads a page of messages.
pub(super) async fn read(store: &dyn Store, at: At<'_>, from: Direction, limit: u32) -> Result<Page> {
    let walk = walk(store, at, from, limit, StoredMessage::of_entry).await?;
    Ok(Page { messages: walk.wanted, more: walk.more, unreadable: walk.unreadable })
}

/// Reads a page, crossing the places of which nothing is wanted until it is full or the session ends.
pub(super) async fn walk<T: Send>(
    store: &dyn Store,
    at: At<'_>,
    from: Direction,
    limit: u32,
    want: impl Fn(Entry) -> Option<T> + Send + Sync,
) -> Result<Walk<T>> {
    let mut page = Walk { wanted: Vec::new(), more: false, unreadable: 0, base: 0, last: 0, deleted: 0 };
    // Unreadable places since the last message: they count here only if this page goes on past them, for
    // the next page begins after that message.
    let mut unreadable = 0;
    let (mut from, mut crossing) = (from, false);
    'full: loop {
        let missing =
            limit.saturating_add(1).saturating_sub(u32::try_from(page.wanted.len()).unwrap_or(limit));
        // The first read is of what a page without deleted places takes; what is still missing is further off.
        let places = if crossing { missing.max(STRIDE) } else { missing };
        crossing = true;
        let range = match from {
            Direction::After(seq) => Range::After(seq, places),
            Direction::Before(seq) => Range::Before(seq, places),
        };
        let mut slice = store.read(at, range).await?;
        (page.base, page.last, page.deleted) = (slice.base, slice.last, slice.deleted);
        let ended = match (from, slice.entries.first(), slice.entries.last()) {
            (_, None, _) | (_, _, None) => break,
            (Direction::After(_), _, Some(last)) => {
                from = Direction::After(last.seq);
                last.seq >= slice.last
            }
            (Direction::Before(_), Some(first), _) => {
                from = Direction::Before(first.seq);
                slice.entries.reverse();
                first_is_oldest(slice.entries.last().map(|entry| entry.seq), slice.base)
            }
        };
        for entry in slice.entries {
            let is_unreadable = entry.is_unreadable();
            match want(entry) {
                Some(_) if page.wanted.len() >= limit as usize => {
                    page.more = true;
                    break 'full;
                }
                Some(wanted) => {
                    page.wanted.push(wanted);
                    page.unreadable += std::mem::take(&mut unreadable);
                }
                None if is_unreadable => unreadable += 1,
                None => {}
            }
        }
        if ended {
            break;
        }
    }
    if !page.more {
        page.unreadable += unreadable;
    }
    if matches!(from, Direction::Before(_)) {
        page.wanted.reverse();
    }
    Ok(page)
}

fn first_is_oldest(first: Option<Seq>, base: Seq) -> bool {
    first.is_none_or(|seq| seq <= base + 1)
}
