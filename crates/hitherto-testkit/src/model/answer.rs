//! What a store and the model answer, in a form in which the two can be compared.

use std::time::Duration;

use hitherto::store::{
    Committed, Entry, Place, Receipt, Replaced, Result, Seq, SessionPage, Slice, SummaryState,
};
use hitherto::summary::{PolicyChange, Summary};
use hitherto::{Description, Timestamp, Ttl, UserId};
use uuid::Uuid;

/// What a description tells; only a store can make one itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) messages: u64,
    pub(super) turns: u64,
    pub(super) deleted: u64,
    pub(super) first_seq: Seq,
    pub(super) last_seq: Seq,
    pub(super) bytes: u64,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) ttl: Option<Ttl>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) max_messages: Option<u64>,
    pub(super) metadata: Option<String>,
    pub(super) policy: PolicyChange,
    pub(super) summary_upto: Seq,
    pub(super) summary_stale: bool,
    pub(super) user: Option<UserId>,
}

impl From<Description> for Known {
    fn from(known: Description) -> Self {
        Self {
            messages: known.messages,
            turns: known.turns,
            deleted: known.deleted,
            first_seq: known.first_seq,
            last_seq: known.last_seq,
            bytes: known.bytes,
            created_at: known.created_at,
            updated_at: known.updated_at,
            ttl: known.ttl,
            expires_at: known.expires_at,
            max_messages: known.max_messages,
            metadata: known.metadata,
            policy: known.policy,
            summary_upto: known.summary_upto,
            summary_stale: known.summary_stale,
            user: known.user,
        }
    }
}

/// An answer to one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// There was nothing to ask.
    Nothing,
    Receipt(Result<Receipt>),
    Slice(Slice),
    /// The versions of a summary by their ids, and whether it is stale.
    Summary([Option<Uuid>; 2], bool),
    Committed(Committed),
    Replaced(Replaced),
    Popped(Vec<Entry>),
    Forked(Result<Seq>),
    Cleared(Option<u64>),
    /// How many sessions, messages and bytes.
    Erased(u64, u64, u64),
    Configured(Result<()>),
    Described(Option<Known>),
    /// The sessions of a scope, by id.
    Listed(Vec<(String, Known)>),
}

impl Answer {
    pub(super) fn summary(state: &SummaryState) -> Self {
        let id = |summary: &Option<Summary>| summary.as_ref().map(|summary| summary.id);
        Self::Summary([id(&state.current), id(&state.previous)], state.stale)
    }

    /// A page says nothing of the places before its first message; which of them a store gives is its own affair.
    pub(super) fn window(mut slice: Slice) -> Self {
        let first = slice.entries.iter().position(|entry| entry.live().is_some());
        slice.entries.drain(..first.unwrap_or(slice.entries.len()));
        Self::Slice(slice)
    }

    /// Whether the two say the same, where times may be apart by `slack`.
    pub(super) fn agrees(&self, other: &Self, slack: Duration) -> bool {
        match (self, other) {
            (Self::Described(Some(one)), Self::Described(Some(other))) => agree(one, other, slack),
            (Self::Listed(ones), Self::Listed(others)) => {
                ones.len() == others.len()
                    && ones
                        .iter()
                        .zip(others)
                        .all(|(one, other)| one.0 == other.0 && agree(&one.1, &other.1, slack))
            }
            _ => self == other,
        }
    }
}

fn agree(one: &Known, other: &Known, slack: Duration) -> bool {
    let close = |one: Timestamp, other: Timestamp| {
        Duration::from_millis(one.as_millis().abs_diff(other.as_millis())) <= slack
    };
    let ends = match (one.expires_at, other.expires_at) {
        (Some(one), Some(other)) => close(one, other),
        (one, other) => one == other,
    };
    let same = Known {
        created_at: other.created_at,
        updated_at: other.updated_at,
        expires_at: other.expires_at,
        ..one.clone()
    };
    ends && close(one.created_at, other.created_at)
        && close(one.updated_at, other.updated_at)
        && same == *other
}

/// The pages of a list as one, checked for their order, newest activity first, to the minute and where times may be
/// apart by `slack`; not without that.
pub(super) fn in_order(pages: Vec<SessionPage>, limit: u32, slack: Option<Duration>) -> Vec<(String, Known)> {
    const MINUTE: i64 = 60_000;
    let slack = slack.map_or(i64::MAX / 2, |slack| i64::try_from(slack.as_millis()).unwrap());
    let mut all: Vec<(String, Known)> = Vec::new();
    let mut place: Option<Place> = None;
    for page in pages {
        assert!(page.sessions.len() <= limit as usize, "a page of {limit} holds {}", page.sessions.len());
        assert!(page.next.is_none() || page.next < place || place.is_none(), "a page leads back");
        for listed in page.sessions {
            let known = Known::from(listed.description);
            if let Some((id, before)) = all.last() {
                let later = known.updated_at.as_millis() - before.updated_at.as_millis();
                assert!(
                    later <= MINUTE + slack,
                    "{id:?} is listed before {} of {later} ms later",
                    listed.session
                );
            }
            all.push((listed.session.to_string(), known));
        }
        place = page.next;
    }
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}
