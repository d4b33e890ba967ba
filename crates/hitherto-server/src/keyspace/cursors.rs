//! Cursors of `SCAN`: numbers that stand for places in the list of sessions.
//!
//! A number is at a tenant's own list and at nobody else's, and says nothing of how many others scan.
//! A number cannot hold a place, so the newest of them are remembered; one that is forgotten begins again, which a
//! scan may: it promises no more than that what stays is seen at least once.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use hitherto::{Place, Scope};

/// How many scans that are under way are remembered.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Cursors {
    hasher: RandomState,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    last: u64,
    known: HashMap<u64, (Scope, Place)>,
    order: VecDeque<u64>,
}

impl Cursors {
    /// A number for that place in the list of that scope.
    pub(super) fn note(&self, scope: &Scope, place: Place) -> u64 {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.last += 1;
        // Not in order, and never 0, which is the end; of 53 bits, for clients that read it as a floating-point number.
        let cursor = (self.hasher.hash_one(places.last) >> 11).max(1);
        places.known.insert(cursor, (scope.clone(), place));
        places.order.push_back(cursor);
        if places.order.len() > MOST
            && let Some(oldest) = places.order.pop_front()
        {
            places.known.remove(&oldest);
        }
        cursor
    }

    /// The place of that number; it can be asked for again, as a client that saw no reply does.
    pub(super) fn place(&self, scope: &Scope, cursor: u64) -> Option<Place> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.known.get(&cursor).filter(|(own, _)| own == scope).map(|(_, place)| place.clone())
    }
}

#[cfg(test)]
mod tests {
    use hitherto::{SessionId, Tenant, Timestamp};

    use super::*;

    #[test]
    fn a_cursor_is_of_one_scope() {
        let cursors = Cursors::default();
        let place = Place { active_at: Timestamp::from_millis(7), session: SessionId::parse("s").unwrap() };
        let other = Scope { tenant: Tenant::parse("other").unwrap(), ..Scope::default() };
        let cursor = cursors.note(&Scope::default(), place.clone());
        assert_eq!(cursors.place(&Scope::default(), cursor), Some(place.clone()));
        assert_eq!(cursors.place(&other, cursor), None);
        for _ in 0..MOST {
            cursors.note(&other, place.clone());
        }
        assert_eq!(cursors.place(&Scope::default(), cursor), None);
    }
}
