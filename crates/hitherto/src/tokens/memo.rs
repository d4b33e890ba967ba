//! What was counted before: a message is counted once, and its count is found by what it says.
//!
//! Invariant: a count belongs to bytes, never to a place of a session, so that no edit makes it wrong. The memo is
//! bounded, and takes no memory before something is counted.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use super::Encoding;
use crate::session::Tenant;

/// How many parts it has, so that calls on several threads seldom wait for one another.
const SHARDS: usize = 16;

/// How many counts one generation of one part holds; there are two generations.
const GENERATION: usize = 2_048;

/// Counts by what was counted: at most 65,536 of them (about 3 MB). Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memo {
    shared: Arc<Shared>,
    /// Whose counts it finds: nobody tells by time what another tenant has said.
    owner: Tenant,
}

/// The hash is keyed anew in each process, so that nobody can make up two texts with one hash.
#[derive(Debug, Default)]
struct Shared {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

/// Bytes, by two hashes and their length, and how they were counted.
type Key = (u64, u64, usize, Encoding, u8);

/// When the young are full they become the old, and the old are forgotten.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Key, usize>,
    old: HashMap<Key, usize>,
}

impl Shard {
    fn get(&mut self, key: &Key) -> Option<usize> {
        if let Some(count) = self.young.get(key) {
            return Some(*count);
        }
        let count = self.old.remove(key)?;
        self.put(*key, count);
        Some(count)
    }

    fn put(&mut self, key: Key, count: usize) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, count);
    }
}

impl Memo {
    /// The same memo for another tenant, who finds its own counts only.
    pub(crate) fn of(self, owner: &Tenant) -> Self {
        Self { owner: owner.clone(), ..self }
    }

    /// The count of `bytes` in that encoding, in one of several `ways` of counting them; `count` is called if it
    /// is not known.
    pub(crate) fn count(
        &self,
        encoding: Encoding,
        way: u8,
        bytes: &[u8],
        count: impl FnOnce() -> usize,
    ) -> usize {
        let hash = self.shared.hasher.hash_one((&self.owner, bytes));
        let second = self.shared.hasher.hash_one((bytes, hash));
        let key = (hash, second, bytes.len(), encoding, way);
        let shard = self.shared.shards.get(hash as usize % SHARDS);
        let lock = |shard: &'_ Mutex<Shard>, key: &Key| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).get(key)
        };
        if let Some(known) = shard.and_then(|shard| lock(shard, &key)) {
            return known;
        }
        // Counted outside the lock: two that count the same at once get the same.
        let count = count();
        if let Some(shard) = shard {
            shard.lock().unwrap_or_else(PoisonError::into_inner).put(key, count);
        }
        count
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let lock = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap();
            shard.young.len() + shard.old.len()
        };
        self.shared.shards.iter().map(lock).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_once_and_apart() {
        let memo = Memo::default();
        let clone = memo.clone();
        let check = |memo: &Memo, encoding, way, bytes: &[u8], given: usize, expected: usize| {
            assert_eq!(memo.count(encoding, way, bytes, || given), expected);
        };
        check(&memo, Encoding::O200k, 0, b"one", 1, 1);
        check(&clone, Encoding::O200k, 0, b"one", 2, 1);
        check(&memo, Encoding::Cl100k, 0, b"one", 3, 3);
        check(&memo, Encoding::O200k, 1, b"one", 4, 4);
        check(&memo, Encoding::O200k, 0, b"two", 5, 5);
        let other = clone.of(&Tenant::parse("other").unwrap());
        check(&other, Encoding::O200k, 0, b"one", 6, 6);
        check(&memo, Encoding::O200k, 0, b"one", 7, 1);
    }

    #[test]
    fn is_bounded() {
        let memo = Memo::default();
        assert_eq!(memo.len(), 0);
        for number in 0..200_000_usize {
            memo.count(Encoding::O200k, 0, &number.to_be_bytes(), || number);
        }
        assert!(memo.len() <= 2 * SHARDS * GENERATION);
        assert!(memo.len() > SHARDS * GENERATION / 2);
        assert_eq!(memo.count(Encoding::O200k, 0, &199_999_usize.to_be_bytes(), || 0), 199_999);
    }
}
