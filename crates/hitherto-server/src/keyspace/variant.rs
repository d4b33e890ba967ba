//! How a session's list looks to its clients: which end is the newest, in which dialect, and what a read of it is.
//!
//! The messages themselves say it (each notes at which end it was pushed), so a guess that is kept here from the last
//! look costs a second look at most, never a wrong answer.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};

use hitherto::{Dialect, ListEnd, Message, SessionKey};

use super::profile::{Order, Profile, Reads};

/// How a list looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) newest_first: bool,
    pub(super) dialect: Dialect,
    pub(super) context: bool,
}

impl Variant {
    /// How a list of that profile looks, by the newest message that tells.
    pub(super) fn of(profile: &Profile, newest: Option<&Message>) -> Self {
        let newest_first = match profile.order {
            Order::NewestFirst => true,
            Order::OldestFirst => false,
            Order::AsPushed => newest.and_then(Message::pushed_at) != Some(ListEnd::Tail),
        };
        let default = profile.dialects.first().copied().unwrap_or(Dialect::LangChainJs);
        let dialect = newest
            .filter(|message| !message.is_opaque())
            .map(Message::dialect)
            .filter(|dialect| profile.dialects.is_empty() || profile.dialects.contains(dialect))
            .unwrap_or(default);
        let context = match profile.reads {
            Reads::Context => true,
            Reads::History => false,
            Reads::ByDialect => matches!(dialect, Dialect::LangChainJs | Dialect::LangChainPython),
        };
        Self { newest_first, dialect, context }
    }

    /// Whether a message tells how a list of that profile looks: one that was pushed under such a key, or is in one of
    /// its dialects.
    pub(super) fn is_told_by(profile: &Profile, message: &Message) -> bool {
        match profile.order {
            Order::AsPushed => message.pushed_at().is_some(),
            _ => profile.dialects.contains(&message.dialect()),
        }
    }

    /// Whether lists of that profile all look the same.
    pub(super) fn is_fixed(profile: &Profile) -> bool {
        profile.dialects.len() == 1 && profile.order != Order::AsPushed
    }

    fn code(self) -> u64 {
        1 | u64::from(self.newest_first) << 1
            | u64::from(self.context) << 2
            | u64::from(self.dialect.code()) << 8
    }

    fn from_code(code: u64) -> Option<Self> {
        let dialect = Dialect::from_code(u8::try_from(code >> 8 & 0xff).ok()?)?;
        (code & 1 == 1).then_some(Self { newest_first: code & 2 != 0, context: code & 4 != 0, dialect })
    }
}

/// What was seen of the sessions that were looked at lately.
#[derive(Debug)]
pub(super) struct Variants {
    hasher: RandomState,
    /// The upper half of an entry tells sessions apart that share a place.
    table: Box<[AtomicU64]>,
}

impl Default for Variants {
    fn default() -> Self {
        Self { hasher: RandomState::new(), table: (0..8192).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Variants {
    /// What was seen last of that session under that profile.
    pub(super) fn seen(&self, profile: &Profile, session: &SessionKey) -> Option<Variant> {
        let (slot, tag) = self.slot(profile, session)?;
        let entry = slot.load(Ordering::Relaxed);
        if entry >> 32 == tag { Variant::from_code(entry & u64::from(u32::MAX)) } else { None }
    }

    pub(super) fn learn(&self, profile: &Profile, session: &SessionKey, variant: Variant) {
        if let Some((slot, tag)) = self.slot(profile, session) {
            slot.store(tag << 32 | variant.code(), Ordering::Relaxed);
        }
    }

    fn slot(&self, profile: &Profile, session: &SessionKey) -> Option<(&AtomicU64, u64)> {
        let hash = self.hasher.hash_one((&profile.name, session));
        let place = usize::try_from(hash % self.table.len().max(1) as u64).ok()?;
        Some((self.table.get(place)?, hash >> 32))
    }
}
