//! The slots of a cluster: which one a key has, and moving one while clients go on.

use std::ops::Range;
use std::sync::Arc;

use crate::client::Reply;
use crate::cluster::Cluster;
use crate::redis_server::RedisServer;

/// How many slots a cluster has.
pub(crate) const SLOTS: u16 = 16_384;

/// The slot of a key: CRC-16 (XMODEM) of what stands in its first braces, or of all of it.
pub fn slot_of(key: &str) -> u16 {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty())
        .unwrap_or(key);
    let crc =
        tag.bytes().fold(0_u16, |crc, byte| {
            (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            })
        });
    crc % SLOTS
}

/// The slots of each of so many primaries.
pub(crate) fn shares(primaries: u16) -> Vec<Range<u16>> {
    let bound =
        |index: u16| u16::try_from(u32::from(SLOTS) * u32::from(index) / u32::from(primaries)).unwrap();
    (0..primaries).map(|index| bound(index)..bound(index + 1)).collect()
}

/// Slots on their way from one node to another. While it lives, the first answers `ASK` for keys that have gone, and
/// `TRYAGAIN` to commands whose keys are half here and half there.
#[derive(Debug)]
#[must_use = "slots are moved by finish()"]
pub struct SlotMove<'a> {
    cluster: &'a Cluster,
    slots: Vec<u16>,
    from: Arc<RedisServer>,
    to: Arc<RedisServer>,
}

impl<'a> SlotMove<'a> {
    pub(crate) fn begin(
        cluster: &'a Cluster,
        slots: &[u16],
        from: Arc<RedisServer>,
        to: Arc<RedisServer>,
    ) -> Self {
        set(&to, slots, "IMPORTING", &cluster.id_of(&from));
        set(&from, slots, "MIGRATING", &cluster.id_of(&to));
        Self { cluster, slots: slots.to_vec(), from, to }
    }

    /// The keys that have not gone yet, some of each slot.
    pub fn keys_left(&self) -> Vec<String> {
        let commands = self.slots.iter().map(|slot| format!("CLUSTER GETKEYSINSLOT {slot} 100"));
        pipelined(&self.from, commands).iter().flat_map(Reply::texts).collect()
    }

    /// Moves one key.
    ///
    /// # Panics
    ///
    /// If the node that gives it away refuses.
    pub fn migrate(&self, key: &str) {
        let port = self.to.port().to_string();
        let (user, password) = self.to.credentials();
        let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000"];
        match (user, password) {
            (Some(user), Some(password)) => words.extend(["AUTH2", user, password]),
            (None, Some(password)) => words.extend(["AUTH", password]),
            _ => {}
        }
        words.extend(["KEYS", key]);
        let answer = self.from.command(&words);
        // NOKEY: it has ended, or somebody has removed it.
        assert!(matches!(answer, Reply::Status(_)), "MIGRATE: {answer:?}");
    }

    /// Moves the keys that are left, and gives the slots over.
    pub fn finish(self) {
        loop {
            let keys = self.keys_left();
            if keys.is_empty() {
                break;
            }
            keys.iter().for_each(|key| self.migrate(key));
        }
        let id = self.cluster.id_of(&self.to);
        // Whoever gets them first, then whoever gives them, then the others: there is no moment without an owner.
        set(&self.to, &self.slots, "NODE", &id);
        set(&self.from, &self.slots, "NODE", &id);
        for node in self.cluster.primaries() {
            set(&node, &self.slots, "NODE", &id);
        }
    }
}

fn set(server: &RedisServer, slots: &[u16], what: &str, id: &str) {
    let commands = slots.iter().map(|slot| format!("CLUSTER SETSLOT {slot} {what} {id}"));
    for answer in pipelined(server, commands) {
        assert_eq!(answer, Reply::Status("OK".to_owned()), "{what} {id} on port {}", server.port());
    }
}

/// Commands sent together: a node writes its file of the cluster once for all that come at once.
fn pipelined(server: &RedisServer, commands: impl Iterator<Item = String>) -> Vec<Reply> {
    let mut client = server.connect();
    let mut sent = 0;
    for command in commands {
        client.send(&command.split(' ').collect::<Vec<_>>()).expect("a node that takes commands");
        sent += 1;
    }
    (0..sent).map(|_| client.receive().expect("a node that answers")).collect()
}

/// A command that has to be answered with OK.
pub(crate) fn ok(server: &RedisServer, words: &[&str]) {
    let answer = server.command(words);
    assert_eq!(answer, Reply::Status("OK".to_owned()), "{words:?} on port {}", server.port());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_leave_no_slot_out() {
        for primaries in 1..8 {
            let shares = shares(primaries);
            assert_eq!(shares.first().unwrap().start, 0);
            assert_eq!(shares.last().unwrap().end, SLOTS);
            assert!(shares.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }
}
