//! Reading: one transaction of plain commands, which cost the server a third of what a script does.
//!
//! How many elements a window has is known only once they are read, so the read asks for as many as the
//! last window of the same session needed, or else for as many as turns of two messages need. Where that
//! was too little, it reads what is missing.

use std::sync::atomic::{AtomicU64, Ordering};

use redis::Value;

use super::keys::Keys;
use super::link::{Kind, transaction};
use super::meta::{State, decode, integer, number};
use super::route::Route;
use super::summary;
use crate::store::{Entry, Range, Result, Seq, Slice, SummaryState};
use crate::ttl::Restart;
use crate::window::{Cut, Step, Unfolded, Window};

/// A part of a session, its summary if that was asked for, and whether reading restarts the session's clock.
#[derive(Default)]
pub(super) struct Found {
    pub(super) slice: Slice,
    pub(super) summary: SummaryState,
    pub(super) restarts: bool,
}

/// What is read, of which session.
struct Reading<'a> {
    link: &'a Route,
    keys: &'a Keys,
    guesses: &'a Guesses,
    /// Whether its summary is, too.
    summary: bool,
}

/// Which elements of the list are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// Those from a position up to, not including, another.
    Between(u64, u64),
    /// The last so many.
    Last(u64),
}

impl Span {
    /// What `LRANGE` is told.
    fn bounds(self) -> (i64, i64) {
        match self {
            Self::Between(from, to) if from < to => (signed(from), signed(to) - 1),
            // Nothing: a beginning after the end.
            Self::Between(..) | Self::Last(0) => (1, 0),
            Self::Last(count) => (-signed(count), -1),
        }
    }

    /// The positions that this is in a list of that length.
    fn within(self, length: u64) -> (u64, u64) {
        match self {
            Self::Between(from, to) => (from.min(length), to.min(length)),
            Self::Last(count) => (length.saturating_sub(count), length),
        }
    }
}

/// What one transaction saw.
struct Seen {
    base: Seq,
    length: u64,
    deleted: u64,
    restarts: bool,
    summary: SummaryState,
    /// The watermark, read or not.
    upto: Seq,
    values: Vec<Value>,
}

impl Seen {
    fn last(&self) -> Seq {
        self.base + self.length
    }
}

/// Reads a part of a session.
pub(super) async fn read(
    link: &Route,
    keys: &Keys,
    guesses: &Guesses,
    range: Range,
    summary: bool,
) -> Result<Found> {
    let reading = Reading { link, keys, guesses, summary };
    match range {
        Range::Window(window) => read_window(&reading, window, None).await,
        Range::Unfolded(turns, extra) => read_window(&reading, Window::Turns(turns), Some(extra)).await,
        Range::After(seq, limit) => {
            read_places(&reading, |base, _| {
                let from = seq.saturating_sub(base);
                Span::Between(from, from.saturating_add(limit.into()))
            })
            .await
        }
        Range::Before(seq, limit) => {
            read_places(&reading, |base, length| {
                let to = seq.saturating_sub(1).saturating_sub(base);
                if to >= length {
                    Span::Last(limit.into())
                } else {
                    Span::Between(to.saturating_sub(limit.into()), to)
                }
            })
            .await
        }
    }
}

/// No session has more places than this.
pub(super) const MOST: u64 = 1 << 48;

fn signed(number: u64) -> i64 {
    i64::try_from(number.min(MOST)).unwrap_or(i64::MAX)
}

/// Reads places whose positions depend on what the session is like: at first for one that has lost none at
/// its beginning and is long enough, which most are, and again if it is not so.
async fn read_places(reading: &Reading<'_>, span: impl Fn(Seq, u64) -> Span) -> Result<Found> {
    let mut wanted = span(0, MOST);
    loop {
        let Some(seen) = see(reading, wanted).await? else {
            return Ok(Found::default());
        };
        let right = span(seen.base, seen.length);
        let (from, to) = right.within(seen.length);
        if wanted.within(seen.length) == (from, to) || from >= to {
            let first = seen.base + from + 1;
            let seen = if from >= to { Seen { values: Vec::new(), ..seen } } else { seen };
            return Ok(found(seen, first));
        }
        wanted = right;
    }
}

fn found(seen: Seen, first: Seq) -> Found {
    let (base, last, deleted) = (seen.base, seen.last(), seen.deleted);
    let entries =
        (first..).zip(seen.values).map(|(seq, value)| Entry { seq, record: decode(value) }).collect();
    Found { slice: Slice { entries, base, last, deleted }, summary: seen.summary, restarts: seen.restarts }
}

/// The newest whole turns; with `extra`, as many more as the summary does not cover, up to so many places.
async fn read_window(reading: &Reading<'_>, window: Window, extra: Option<u32>) -> Result<Found> {
    let log = reading.keys.log();
    // Windows that reach back to the summary are remembered apart from others.
    let name = extra.map_or_else(|| log.clone(), |_| format!("{log} unfolded"));
    let mut guess = reading.guesses.guess(&name, window);
    loop {
        let Some(seen) = see(reading, Span::Last(guess)).await? else {
            return Ok(Found::default());
        };
        let unfolded = extra.map(|extra| Unfolded { upto: seen.upto, extra });
        let whole = seen.values.len() as u64 >= seen.length;
        let first = seen.last().saturating_sub(seen.values.len() as u64) + 1;
        let mut found = found(seen, first);
        match cut(&mut found.slice.entries, window, unfolded) {
            Some(needed) => {
                reading.guesses.learn(&name, window, needed);
                return Ok(found);
            }
            None if whole => {
                // A session that is shorter than its window: the next read asks for all of it at once, too.
                reading.guesses.learn(&name, window, usize::try_from(guess).unwrap_or(usize::MAX));
                return Ok(found);
            }
            None => guess = guess.saturating_mul(4).min(MOST),
        }
    }
}

/// Leaves the window of these newest places, and says how many it needed; `None` if it begins before them.
fn cut(entries: &mut Vec<Entry>, window: Window, unfolded: Option<Unfolded>) -> Option<usize> {
    let mut cut = Cut::new(window, unfolded);
    for (passed, entry) in entries.iter().rev().enumerate() {
        let Some(record) = entry.live() else {
            continue;
        };
        let needed = match cut.step(entry.seq, record.role, record.size()) {
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
async fn see(reading: &Reading<'_>, span: Span) -> Result<Option<Seen>> {
    let Reading { link, keys, .. } = *reading;
    let mut pipeline = transaction();
    if reading.summary {
        pipeline.cmd("HMGET").arg(keys.meta()).arg("state").arg(&summary::FIELDS);
    } else {
        pipeline.cmd("HGET").arg(keys.meta()).arg("state");
    }
    let log = keys.log();
    pipeline.cmd("LLEN").arg(&log);
    let (from, to) = span.bounds();
    pipeline.cmd("LRANGE").arg(&log).arg(from).arg(to);
    let mut answers = link.transact(Kind::Read, pipeline).await?.into_iter();
    let mut next = || answers.next().unwrap_or(Value::Nil);
    let (state, length, values) = (next(), next(), link.array(next())?);
    let (state, fields) = if reading.summary {
        let mut fields = link.array(state)?;
        (if fields.is_empty() { Value::Nil } else { fields.remove(0) }, fields)
    } else {
        (state, Vec::new())
    };
    let Some(state) = State::read(&state, keys)? else {
        return Ok(None);
    };
    Ok(Some(Seen {
        base: state.base,
        length: number(integer(&length)),
        deleted: state.deleted,
        summary: if reading.summary {
            summary::state(&state, &fields, keys)?
        } else {
            SummaryState::default()
        },
        upto: state.folded.upto,
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
    fn guess(&self, log: &str, window: Window) -> u64 {
        let (place, tag) = self.place(log, window);
        let known = place.map_or(0, |place| place.load(Ordering::Relaxed));
        if known >> 32 == tag {
            return (known & u64::from(u32::MAX)).max(1);
        }
        match window {
            Window::Turns(turns) => u64::from(turns) * 2,
            Window::Messages(messages) => u64::from(messages),
            // Most messages are longer; where they are not, the next guess knows.
            Window::Bytes(bytes) => (bytes / 200).clamp(8, 512),
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
            Window::Bytes(bytes) => crc32fast::hash(&bytes.to_be_bytes()),
        };
        let hash = crc32fast::hash(log.as_bytes()) ^ size.wrapping_mul(0x9e37_79b9);
        (self.table.get(hash as usize % self.table.len().max(1)), u64::from(hash))
    }
}
