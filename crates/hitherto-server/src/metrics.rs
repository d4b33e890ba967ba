//! What the server does, as numbers for Prometheus: one place where everything is counted and declared.
//!
//! Invariants: counting on the way of a request is a few additions to numbers that are there from the start, with no
//! lock and no lookup by text; names and labels are those of `families`; nothing that a client sends becomes a label.
//! The library counts for itself ([`hitherto::stats`]); it is read when the page is.

mod families;
mod operations;
mod page;
mod process;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use hitherto::stats::{Counter, Latency};

use crate::http::problem::{CODES, Code};

pub(crate) use operations::{DoorName, OPERATIONS, command_name, find, unknown_command, unread_command};
pub(crate) use page::{MEDIA_TYPE, Sampled, Sources, write};

/// The codes with which commands fail, as their replies begin with them; any other is `other`. A reply with a code that
/// is not here stops a build for tests.
const REPLY_CODES: [&str; 16] = [
    "ERR",
    "WRONGTYPE",
    "NOAUTH",
    "WRONGPASS",
    "NOPERM",
    "NOPROTO",
    "EXECABORT",
    "LOADING",
    "BUSY",
    "READONLY",
    "OOM",
    "TRYAGAIN",
    "NOREPLICAS",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "MISCONF",
];

/// The doors that have a listener; the others come over that of HTTP.
const LISTENERS: [DoorName; 2] = [DoorName::Http, DoorName::Resp];

/// Everything that one server counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: SystemTime,
    http: Vec<Cell>,
    resp: Vec<Cell>,
    rest: Vec<Cell>,
    listeners: [Listener; LISTENERS.len()],
}

/// One operation of one door.
#[derive(Debug)]
pub(crate) struct Cell {
    latency: Latency,
    /// By code, in the order of `codes`, and one more for any other; there from the first error on.
    errors: OnceLock<Box<[Counter]>>,
    codes: Codes,
}

/// Whose codes an operation's errors have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codes {
    Problems,
    Replies,
}

/// The connections of a door.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    open: AtomicU64,
    accepted: Counter,
}

/// A connection that is open; it is not when this is dropped.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Metrics>, DoorName);

impl Default for Metrics {
    fn default() -> Self {
        let cells = |codes, number| (0..number).map(|_| Cell::new(codes)).collect();
        Self {
            started: SystemTime::now(),
            http: cells(Codes::Problems, OPERATIONS.len()),
            resp: cells(Codes::Replies, operations::COMMANDS.len()),
            rest: cells(Codes::Replies, operations::COMMANDS.len()),
            listeners: Default::default(),
        }
    }
}

impl Metrics {
    /// A request over HTTP was answered: its place in [`OPERATIONS`], how long that took, and its error if it is one.
    pub(crate) fn request(&self, operation: usize, took: Duration, error: Option<Option<Code>>) {
        if let Some(cell) = self.http.get(operation) {
            let place = error.map(|code| code.map_or(CODES.len(), |code| code as usize));
            cell.note(took, place);
        }
    }

    /// A command of the Redis doors was answered: its place in the table of commands, how long that took, and the reply
    /// if it is an error.
    pub(crate) fn command(&self, door: DoorName, command: usize, took: Duration, error: Option<&str>) {
        let cells = if door == DoorName::Rest { &self.rest } else { &self.resp };
        if let Some(cell) = cells.get(command) {
            let place = error.map(|reply| {
                let code = reply_code(reply);
                REPLY_CODES.iter().position(|known| *known == code).unwrap_or(REPLY_CODES.len())
            });
            cell.note(took, place);
        }
    }

    /// A connection was accepted; it is open for as long as what this gives lives.
    pub(crate) fn connected(self: &Arc<Self>, door: DoorName) -> Connected {
        let listener = self.listener(door);
        listener.accepted.one();
        listener.open.fetch_add(1, Ordering::Relaxed);
        Connected(Arc::clone(self), door)
    }

    fn listener(&self, door: DoorName) -> &Listener {
        let [http, resp] = &self.listeners;
        if door == DoorName::Resp { resp } else { http }
    }

    /// Every operation, with its door and its name.
    fn cells(&self) -> impl Iterator<Item = (DoorName, &'static str, &Cell)> {
        let http = OPERATIONS.iter().zip(&self.http).map(|(found, cell)| (found.door, found.name, cell));
        let commands =
            |door, cells| operations::COMMANDS.iter().zip(cells).map(move |(name, cell)| (door, *name, cell));
        http.chain(commands(DoorName::Resp, &self.resp)).chain(commands(DoorName::Rest, &self.rest))
    }
}

/// The code that an error of the Redis doors begins with, if it is one that is known.
pub(crate) fn reply_code(reply: &str) -> &'static str {
    let code = reply.split(' ').next().unwrap_or_default();
    REPLY_CODES.iter().find(|known| **known == code).copied().unwrap_or("other")
}

impl Cell {
    fn new(codes: Codes) -> Self {
        Self { latency: Latency::default(), errors: OnceLock::new(), codes }
    }

    fn note(&self, took: Duration, error: Option<usize>) {
        self.latency.note(took);
        if let Some(place) = error {
            let all = self.errors.get_or_init(|| (0..=self.names()).map(|_| Counter::default()).collect());
            if let Some(counter) = all.get(place) {
                counter.one();
            }
        }
    }

    fn names(&self) -> usize {
        match self.codes {
            Codes::Problems => CODES.len(),
            Codes::Replies => REPLY_CODES.len(),
        }
    }

    /// The errors that there were, by code.
    fn errors(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let name = |place: usize| match self.codes {
            Codes::Problems => CODES.get(place).map(|code| code.as_str()),
            Codes::Replies => REPLY_CODES.get(place).copied(),
        };
        let all = self.errors.get().map_or(&[][..], |all| all);
        all.iter()
            .enumerate()
            .map(move |(place, counter)| (name(place).unwrap_or("other"), counter.get()))
            .filter(|(_, count)| *count > 0)
    }
}

impl Listener {
    fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.listener(self.1).open.fetch_sub(1, Ordering::Relaxed);
    }
}
