//! Cursors of `SCAN`: numbers that stand for places in the list of sessions.
//!
//! A number cannot hold a place, so the newest of them are remembered; one that is forgotten begins again, which a
//! scan may: it promises no more than that what stays is seen at least once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use hitherto::Place;

/// How many scans that are under way are remembered.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Cursors(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    last: u64,
    known: HashMap<u64, Place>,
    order: VecDeque<u64>,
}

impl Cursors {
    /// A number for that place.
    pub(super) fn note(&self, place: Place) -> u64 {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.last += 1;
        let cursor = places.last;
        places.known.insert(cursor, place);
        places.order.push_back(cursor);
        if places.order.len() > MOST
            && let Some(oldest) = places.order.pop_front()
        {
            places.known.remove(&oldest);
        }
        cursor
    }

    /// The place of that number; it can be asked for again, as a client that saw no reply does.
    pub(super) fn place(&self, cursor: u64) -> Option<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).known.get(&cursor).cloned()
    }
}
