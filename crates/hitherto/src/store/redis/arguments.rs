//! What scripts are told: few arguments, since each one costs the server something.

use super::meta::number;
use super::{meta, read};
use crate::store::{Batch, Change};
use crate::summary::Hint;
use crate::time::Timestamp;
use crate::ttl::TtlChange;

/// How long one set of idempotency keys is written to; the one before it is kept as long.
const DAY_MS: i64 = 86_400_000;

/// What a script is told of a time to live: '' leave it, '0' remove it, else its length; and what restarts it.
pub(super) fn ttl_arguments(change: TtlChange) -> (String, u8) {
    match change {
        TtlChange::Keep => (String::new(), 0),
        TtlChange::Remove => ("0".to_owned(), 0),
        TtlChange::Set(ttl) | TtlChange::Start(ttl) => {
            (ttl.as_millis().to_string(), meta::restart_code(ttl.restart()))
        }
    }
}

/// What the script of an append is told besides its records; `lua/append.lua` has the layout.
pub(super) fn pack_append(now: i64, turns: usize, bytes: usize, batch: &Batch, user: u8) -> Vec<u8> {
    fn put(out: &mut Vec<u8>, number: u64, width: usize) {
        let bytes = number.to_be_bytes();
        out.extend_from_slice(bytes.get(bytes.len() - width..).unwrap_or_default());
    }
    let (set_ttl, ttl, restart) = match batch.ttl {
        TtlChange::Keep => (0, 0, 0),
        TtlChange::Remove => (1, 0, 0),
        TtlChange::Set(ttl) => (1, ttl.as_millis(), meta::restart_code(ttl.restart())),
        TtlChange::Start(ttl) => (2, ttl.as_millis(), meta::restart_code(ttl.restart())),
    };
    let (set_max, max) = match batch.max_messages {
        Change::Keep => (0, 0),
        Change::Remove => (1, 0),
        Change::Set(max) => (1, max.min(read::MOST - 1)),
    };
    let (turns_due, bytes_due) = hint_numbers(batch.hint);
    let mut out = Vec::with_capacity(48);
    put(&mut out, number(now), 6);
    put(&mut out, turns as u64, 4);
    put(&mut out, bytes as u64, 6);
    put(&mut out, set_ttl, 1);
    put(&mut out, ttl, 6);
    put(&mut out, restart.into(), 1);
    put(&mut out, set_max, 1);
    put(&mut out, max, 6);
    put(&mut out, batch.once.as_ref().map_or(0, |once| 1 + u64::from(once.only)), 1);
    put(&mut out, number(now / DAY_MS), 4);
    put(&mut out, batch.hint.is_some().into(), 1);
    put(&mut out, turns_due, 4);
    put(&mut out, bytes_due, 6);
    put(&mut out, batch.count.into(), 1);
    put(&mut out, user.into(), 1);
    out
}

/// A hint as scripts take it: turns in 32 bits, bytes in 48.
pub(super) fn hint_numbers(hint: Option<Hint>) -> (u64, u64) {
    hint.map_or((0, 0), |hint| (hint.turns.into(), hint.bytes.min(read::MOST - 1)))
}

/// A time as scripts take it: they have no negative ones.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millis().max(0)
}

/// What a script is told of a maximum: '' leave it, '0' remove it.
pub(super) fn max_argument(change: Change<u64>) -> String {
    match change {
        Change::Keep => String::new(),
        Change::Remove => "0".to_owned(),
        // The state has 48 bits for it.
        Change::Set(max) => max.min(read::MOST - 1).to_string(),
    }
}
