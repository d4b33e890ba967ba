//! Reading: one transaction of plain commands, which cost the server a fifth of what a script does.
//!
//! How many elements a window has is known only once they are read, so the read asks for as many as the
//! last window of the same session needed, or else for as many as turns of two messages need. Where that
//! was too little, it reads what is missing.

use std::sync::atomic::{AtomicU64, Ordering};

use redis::{Pipeline, Value};

use super::keys::Keys;
use super::link::{Kind, Link};
use super::meta::{State, decode, integer, number};
use crate::store::{Entry, Range, Result, Seq, Slice};
use crate::ttl::Restart;
use crate::window::{Cut, Step, Window};

/// A part of a session, and whether reading it restarts the session's clock.
pub(super) struct Found {
    pub(super) slice: Slice,
    pub(super) restarts: bool,
}

/// The places of a session by their position in the list, both ends included; negative from the end.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: i64,
    to: i64,
}

/// What one transaction saw.
struct Seen {
    base: Seq,
    length: u64,
    deleted: u64,
    restarts: bool,
    values: Vec<Value>,
}

impl Seen {
    fn last(&self) -> Seq {
        self.base + self.length
    }
}

/// Reads a part of a session.
pub(super) async fn read(link: &Link, keys: &Keys, guesses: &Guesses, range: Range) -> Result<Found> {
    match range {
        Range::Window(window) => read_window(link, keys, guesses, window).await,
        Range::After(seq, limit) => {
            // Where the list begins is nearly always 0; if not, the second try knows.
            let span = |base: Seq| {
                let from = seq.saturating_sub(base);
                Span { from: signed(from), to: signed(from.saturating_add(u64::from(limit))) - 1 }
            };
            read_places(link, keys, span).await
        }
        Range::Before(seq, limit) => {
            let span = |base: Seq| {
                let to = seq.saturating_sub(base).saturating_sub(1);
                Span { from: signed(to.saturating_sub(u64::from(limit))), to: signed(to) - 1 }
            };
            if seq > MOST {
                return read_places(link, keys, |_| Span { from: -i64::from(limit), to: -1 }).await;
            }
            read_places(link, keys, span).await
        }
    }
}

/// No session has more places than this.
const MOST: u64 = 1 << 52;

fn signed(number: u64) -> i64 {
    i64::try_from(number.min(MOST)).unwrap_or(i64::MAX)
}

async fn read_places(link: &Link, keys: &Keys, span: impl Fn(Seq) -> Span) -> Result<Found> {
    let mut base = 0;
    loop {
        let wanted = span(base);
        let Some(seen) = see(link, keys, wanted).await? else {
            return Ok(Found { slice: Slice::default(), restarts: false });
        };
        if seen.base != base && wanted.from >= 0 {
            base = seen.base;
            continue;
        }
        let first = if wanted.from >= 0 {
            seen.base + number(wanted.from) + 1
        } else {
            seen.last().saturating_sub(seen.values.len() as u64) + 1
        };
        return Ok(found(seen, first));
    }
}

fn found(seen: Seen, first: Seq) -> Found {
    let (base, last, deleted) = (seen.base, seen.last(), seen.deleted);
    let entries =
        (first..).zip(seen.values).map(|(seq, value)| Entry { seq, record: decode(value) }).collect();
    Found { slice: Slice { entries, base, last, deleted }, restarts: seen.restarts }
}

async fn read_window(link: &Link, keys: &Keys, guesses: &Guesses, window: Window) -> Result<Found> {
    let log = keys.log();
    let mut guess = guesses.guess(&log, window);
    loop {
        let Some(seen) = see(link, keys, Span { from: -guess, to: -1 }).await? else {
            return Ok(Found { slice: Slice::default(), restarts: false });
        };
        let whole = seen.values.len() as u64 >= seen.length;
        let first = seen.last().saturating_sub(seen.values.len() as u64) + 1;
        let mut found = found(seen, first);
        match cut(&mut found.slice.entries, window) {
            Some(needed) => {
                guesses.learn(&log, window, needed);
                return Ok(found);
            }
            None if whole => return Ok(found),
            None => guess = guess.saturating_mul(4).min(signed(MOST)),
        }
    }
}

/// Leaves the window of these newest places, and says how many it needed; `None` if it begins before them.
fn cut(entries: &mut Vec<Entry>, window: Window) -> Option<usize> {
    let mut cut = Cut::new(window);
    for (passed, entry) in entries.iter().rev().enumerate() {
        let Some(record) = entry.live() else {
            continue;
        };
        let needed = match cut.step(record.role) {
            Step::Inside => continue,
            Step::First => passed + 1,
            Step::Outside => 0,
        };
        let outside = entries.len() - needed;
        entries.drain(..outside);
        return Some(needed);
    }
    None
}

/// One transaction: what the hash says, how long the list is, and the places themselves.
async fn see(link: &Link, keys: &Keys, span: Span) -> Result<Option<Seen>> {
    let mut pipeline = Pipeline::with_capacity(3);
    pipeline.atomic();
    pipeline.cmd("HGET").arg(keys.meta()).arg("state");
    let log = keys.log();
    pipeline.cmd("LLEN").arg(&log);
    pipeline.cmd("LRANGE").arg(&log).arg(span.from).arg(span.to);
    let mut answers = link.transact(Kind::Repeatable, &pipeline).await?.into_iter();
    let mut next = || answers.next().unwrap_or(Value::Nil);
    let (state, length, values) = (next(), next(), link.array(next())?);
    let Some(state) = State::read(&state, keys)? else {
        return Ok(None);
    };
    Ok(Some(Seen {
        base: state.base,
        length: number(integer(&length)),
        deleted: state.deleted,
        restarts: state.ttl.is_some_and(|ttl| ttl.restart() == Restart::Read),
        values,
    }))
}

/// How many elements windows needed, for the sessions that were read lately: only ever a guess.
#[derive(Debug)]
pub(super) struct Guesses {
    /// The upper half of an entry tells sessions and windows apart that share a place; the lower is the number.
    table: Box<[AtomicU64]>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { table: (0..4096).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Guesses {
    /// A plain exchange is two messages; a window by messages begins with a turn most of the time.
    fn guess(&self, log: &str, window: Window) -> i64 {
        let (place, tag) = self.place(log, window);
        let known = place.map_or(0, |place| place.load(Ordering::Relaxed));
        if known >> 32 == tag {
            return i64::from(known as u32).max(1);
        }
        match window {
            Window::Turns(turns) => i64::from(turns).saturating_mul(2),
            Window::Messages(messages) => i64::from(messages),
        }
        .max(1)
    }

    fn learn(&self, log: &str, window: Window, needed: usize) {
        let (place, tag) = self.place(log, window);
        if let (Some(place), Ok(needed)) = (place, u32::try_from(needed)) {
            place.store(tag << 32 | u64::from(needed), Ordering::Relaxed);
        }
    }

    fn place(&self, log: &str, window: Window) -> (Option<&AtomicU64>, u64) {
        let size = match window {
            Window::Turns(turns) => turns,
            Window::Messages(messages) => !messages,
        };
        let hash = crc32fast::hash(log.as_bytes()) ^ size.wrapping_mul(0x9e37_79b9);
        (self.table.get(hash as usize % self.table.len().max(1)), u64::from(hash))
    }
}
