//! Pushes whose replies a client may not have seen, because its connection broke: the same push, first thing on
//! another connection, is the same push.
//!
//! Clients that lose a connection send again what they saw no reply to, and plain Redis stores it twice. Only a
//! connection that broke (was reset, or could not be written to) counts: a client that closes its connection has
//! seen its replies, and may well say the same thing twice.
//! Invariant: a push is answered from here once at most, only as long as everything before it on its connection was,
//! and only with what is still stored.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hitherto::{Direction, Scope, Seq, SessionId};
use tokio::time::Instant;

use super::command::Command;
use super::table::Op;
use super::{Client, Keyspace, Reply, errors};

/// How long after a break a push is known again.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many are remembered at most.
const MOST: usize = 10_000;

/// How many elements may have been pushed after one that is looked for again.
const SINCE: u32 = 256;

/// What tells one push from another: two hashes with keys that nobody knows.
pub(super) type Fingerprint = [u64; 2];

/// A push: what was pushed where, and what was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) push: Fingerprint,
    pub(super) length: u64,
}

/// Whether a push is one that was carried out before.
pub(super) enum Repeated {
    No,
    /// It was, and something else is to be carried out before it is answered.
    Later,
    /// It was, and that is how long the list was then.
    Was(u64),
}

#[derive(Debug, Default)]
pub(super) struct Repeats {
    hashers: [RandomState; 2],
    doubts: Mutex<Doubts>,
}

#[derive(Debug, Default)]
struct Doubts {
    /// The replies to equal pushes, oldest first.
    known: HashMap<Fingerprint, VecDeque<(u64, Instant)>>,
    order: VecDeque<(Fingerprint, Instant)>,
}

impl Repeats {
    /// What tells a push from others: whose it is, its key, its end and its elements.
    pub(super) fn fingerprint(
        &self,
        scope: &Scope,
        key: &[u8],
        at_head: bool,
        elements: &[Bytes],
    ) -> Fingerprint {
        self.hashers.each_ref().map(|hasher| hasher.hash_one((scope, key, at_head, elements)))
    }

    fn lock(&self) -> MutexGuard<'_, Doubts> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes pushes that were stored and whose replies may be lost.
    pub(super) fn doubt(&self, marks: Vec<Mark>) {
        if marks.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut doubts = self.lock();
        doubts.forget(now);
        for mark in marks {
            doubts.known.entry(mark.push).or_default().push_back((mark.length, now));
            doubts.order.push_back((mark.push, now));
        }
    }

    /// Whether that push is one of those.
    pub(super) fn knows(&self, push: Fingerprint) -> bool {
        let mut doubts = self.lock();
        doubts.forget(Instant::now());
        doubts.known.contains_key(&push)
    }

    /// The reply to that push, if it is one of those; it is forgotten then.
    pub(super) fn known(&self, push: Fingerprint) -> Option<u64> {
        let mut doubts = self.lock();
        if doubts.known.is_empty() {
            return None;
        }
        doubts.forget(Instant::now());
        let replies = doubts.known.get_mut(&push)?;
        let (length, _) = replies.pop_front()?;
        if replies.is_empty() {
            doubts.known.remove(&push);
        }
        Some(length)
    }

    /// Whether anything is remembered, so that fingerprints are worth making.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().known.is_empty()
    }
}

impl Doubts {
    fn forget(&mut self, now: Instant) {
        while let Some((push, at)) = self.order.front().copied() {
            if now.saturating_duration_since(at) < REMEMBERED && self.order.len() < MOST {
                break;
            }
            self.order.pop_front();
            if let Some(replies) = self.known.get_mut(&push) {
                if replies.front().is_some_and(|(_, noted)| *noted <= at) {
                    replies.pop_front();
                }
                if replies.is_empty() {
                    self.known.remove(&push);
                }
            }
        }
    }
}

impl Keyspace {
    /// Whether a push is one whose reply a broken connection may have lost; not where what it pushed is gone by now.
    pub(super) async fn repeated(
        &self,
        client: &mut Client,
        session: &SessionId,
        push: &Command,
        op: Op,
        leads: bool,
    ) -> Result<Repeated, Reply> {
        if !client.fresh {
            return Ok(Repeated::No);
        }
        let repeats = &self.shared.repeats;
        let elements = push.rest(2);
        let known = if repeats.is_empty() {
            None
        } else {
            Some(repeats.fingerprint(self.memory().scope(), push.word(1), op == Op::LPush, elements))
        };
        let Some(known) = known.filter(|push| repeats.knows(*push)) else {
            client.fresh = false;
            return Ok(Repeated::No);
        };
        if !leads {
            return Ok(Repeated::Later);
        }
        let was = if self.is_there(session, elements).await? { repeats.known(known) } else { None };
        client.fresh = was.is_some();
        Ok(was.map_or(Repeated::No, Repeated::Was))
    }

    /// Whether these elements stand next to one another near the newer end of a session.
    async fn is_there(&self, session: &SessionId, elements: &[Bytes]) -> Result<bool, Reply> {
        let many = u32::try_from(elements.len()).unwrap_or(u32::MAX).saturating_add(SINCE);
        let many = many.min(self.memory().limits().page);
        let newest = Direction::Before(Seq::MAX);
        let found = self.memory().elements(session, newest, many).await.map_err(errors::reply)?;
        let stored: Vec<&Bytes> = found.elements.iter().map(|element| element.message.payload()).collect();
        Ok(stored.windows(elements.len().max(1)).any(|some| some.iter().copied().eq(elements)))
    }

    /// Notes what was pushed by commands whose replies are on their way to the client.
    pub(super) fn note(&self, client: &mut Client, commands: &[Command], replies: &[Reply]) {
        let scope = self.memory().scope();
        for (command, reply) in commands.iter().zip(replies) {
            if let (Reply::Int(length), Ok(entry)) = (reply, command.entry())
                && matches!(entry.op, Op::LPush | Op::RPush)
            {
                let push = self.shared.repeats.fingerprint(
                    scope,
                    command.word(1),
                    entry.op == Op::LPush,
                    command.rest(2),
                );
                client.unseen.push(Mark { push, length: length.unsigned_abs() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_doubted_push_is_known_once_and_for_a_minute() {
        let repeats = Repeats::default();
        let mark = |text: &'static str, length| Mark {
            push: repeats.fingerprint(&Scope::default(), b"k", true, &[Bytes::from_static(text.as_bytes())]),
            length,
        };
        let (one, other) = (mark("a", 3), mark("b", 4));
        repeats.doubt(vec![one, other, one]);
        assert_eq!(repeats.known(one.push), Some(3));
        assert_eq!(repeats.known(one.push), Some(3));
        assert_eq!(repeats.known(one.push), None);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(repeats.known(other.push), None);
        assert!(repeats.is_empty());
    }

    #[test]
    fn pushes_are_told_apart() {
        let parts = |texts: &[&'static str]| -> Vec<Bytes> {
            texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect()
        };
        let repeats = Repeats::default();
        let other = Scope { tenant: hitherto::Tenant::parse("other").unwrap(), ..Scope::default() };
        let all = [
            repeats.fingerprint(&Scope::default(), b"k", true, &parts(&["a", "b"])),
            repeats.fingerprint(&Scope::default(), b"k", true, &parts(&["ab"])),
            repeats.fingerprint(&Scope::default(), b"k", false, &parts(&["ab"])),
            repeats.fingerprint(&Scope::default(), b"ka", true, &parts(&["b"])),
            repeats.fingerprint(&other, b"ka", true, &parts(&["b"])),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one));
        }
    }
}
