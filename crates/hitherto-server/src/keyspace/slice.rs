//! A part of a list by positions, as Redis counts them: from 0 at the head, from -1 at the tail.
//!
//! Here the head is the oldest element; lists that hold the newest first are looked at from the other end.

use hitherto::{ChatMemory, Direction, Element, Elements, Result, Seq, SessionId};

/// How much is read of a list at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) bytes: usize,
    pub(super) page: u32,
}

/// How many elements are read first, and about how many bytes at a time after that: elements may be large.
const FIRST: usize = 128;
const BYTES: usize = 4 << 20;

impl Bound {
    /// How many of so many elements are read next, after some of so many bytes.
    fn page(&self, missing: u64, elements: usize, bytes: usize) -> u32 {
        let page = match elements {
            0 => FIRST,
            some => (BYTES / (bytes / some).max(1)).max(FIRST / 8),
        };
        let page = u32::try_from(page).unwrap_or(u32::MAX).min(self.page).max(1);
        u32::try_from(missing).unwrap_or(u32::MAX).clamp(1, page)
    }
}

/// What was found of a list.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The elements, oldest first; nothing in the place of one that cannot be read.
    pub(super) elements: Vec<Option<Element>>,
    /// How many the list has, where that had to be known.
    pub(super) length: Option<u64>,
    /// Whether there were more bytes than the bound.
    pub(super) too_much: bool,
}

/// The elements from `start` to `stop`, both included and counted from the oldest.
pub(super) async fn between(
    memory: &ChatMemory,
    session: &SessionId,
    start: i64,
    stop: i64,
    bound: Bound,
) -> Result<Found> {
    if start < 0 && stop < 0 {
        return newest(memory, session, start.unsigned_abs(), stop.unsigned_abs() - 1, bound).await;
    }
    if start >= 0 && stop == -1 {
        return oldest(memory, session, start.unsigned_abs(), u64::MAX, bound).await;
    }
    if start >= 0 && stop >= 0 {
        let (start, stop) = (start.unsigned_abs(), stop.unsigned_abs());
        return match stop.checked_sub(start) {
            Some(more) => oldest(memory, session, start, more + 1, bound).await,
            None => Ok(Found::default()),
        };
    }
    // One end counted from each side: the length decides.
    let length = length(memory, session).await?;
    let absolute = |position: i64| {
        if position < 0 {
            i64::try_from(length).unwrap_or(i64::MAX).saturating_add(position)
        } else {
            position
        }
    };
    let (start, stop) = (absolute(start).max(0).unsigned_abs(), absolute(stop));
    match u64::try_from(stop).ok().and_then(|stop| stop.checked_sub(start)) {
        Some(more) => oldest(memory, session, start, more + 1, bound).await,
        None => Ok(Found::default()),
    }
}

/// How many elements a list has.
pub(super) async fn length(memory: &ChatMemory, session: &SessionId) -> Result<u64> {
    Ok(memory.describe(session).await?.map_or(0, |found| found.messages))
}

/// All but the newest `skip` of the newest `count`.
async fn newest(
    memory: &ChatMemory,
    session: &SessionId,
    count: u64,
    skip: u64,
    bound: Bound,
) -> Result<Found> {
    let mut found = Found::default();
    let (mut before, mut passed, mut bytes) = (Seq::MAX, 0, 0);
    while passed < count {
        let limit = bound.page(count - passed, found.elements.len(), bytes);
        let page = memory.places(session, Direction::Before(before), limit).await?;
        found.length.get_or_insert(page.length());
        let more = page.more;
        let places = places(page);
        let Some((first, _)) = places.first() else { break };
        before = *first;
        for (_, element) in places.into_iter().rev() {
            passed += 1;
            if passed > skip {
                bytes += size(element.as_ref());
                found.elements.push(element);
            }
        }
        found.too_much = bytes > bound.bytes;
        if found.too_much || !more {
            break;
        }
    }
    found.elements.reverse();
    Ok(found)
}

/// `count` elements after the oldest `skip`.
async fn oldest(
    memory: &ChatMemory,
    session: &SessionId,
    skip: u64,
    count: u64,
    bound: Bound,
) -> Result<Found> {
    let mut found = Found::default();
    let limit = |missing: u64| bound.page(missing, 0, 0);
    // Where nothing is deleted, a position is a sequence number; most sessions have also kept their beginning.
    let mut page = memory.places(session, Direction::After(skip), limit(count)).await?;
    found.length = Some(page.length());
    if skip >= page.length() || count == 0 {
        return Ok(found);
    }
    let mut passed = skip;
    if page.deleted > 0 {
        passed = 0;
        page = memory.places(session, Direction::After(0), bound.page).await?;
    } else if page.base > 0 {
        page = memory.places(session, Direction::After(page.base + skip), limit(count)).await?;
    }
    let mut bytes = 0;
    loop {
        let more = page.more;
        let places = places(page);
        let Some((last, _)) = places.last() else { break };
        let last = *last;
        for (_, element) in places {
            if passed >= skip && (found.elements.len() as u64) < count {
                bytes += size(element.as_ref());
                found.elements.push(element);
            }
            passed += 1;
        }
        found.too_much = bytes > bound.bytes;
        if found.too_much || !more || found.elements.len() as u64 >= count {
            break;
        }
        let missing =
            count.saturating_sub(found.elements.len() as u64).saturating_add(skip.saturating_sub(passed));
        let limit = bound.page(missing, found.elements.len(), bytes);
        page = memory.places(session, Direction::After(last), limit).await?;
    }
    Ok(found)
}

/// The places of a page, oldest first, and what stands there, where that can be read.
fn places(page: Elements) -> Vec<(Seq, Option<Element>)> {
    let elements = page.elements.into_iter().map(|element| (element.seq, Some(element)));
    let mut places: Vec<_> = elements.chain(page.unreadable.into_iter().map(|seq| (seq, None))).collect();
    places.sort_unstable_by_key(|(seq, _)| *seq);
    places
}

fn size(element: Option<&Element>) -> usize {
    element.map_or(0, |element| element.message.payload().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_of_few_large_elements_or_of_many_small_ones() {
        let bound = Bound { bytes: 1, page: 1000 };
        for (missing, elements, bytes, expected) in [
            (0, 0, 0, 1),
            (20, 0, 0, 20),
            (u64::MAX, 0, 0, 128),
            (u64::MAX, 128, 128 * 300, 1000),
            (u64::MAX, 128, 128 << 20, 16),
            (u64::MAX, 128, 128 << 16, 64),
            (7, 128, 128 * 300, 7),
        ] {
            assert_eq!(bound.page(missing, elements, bytes), expected, "{missing} {elements} {bytes}");
        }
    }
}
