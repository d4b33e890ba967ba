//! The rows: what is measured, on what, and what has to be reached.

use crate::works::Kept;

/// Part of the rate of a plain Redis that appends and reads must have.
const OF_REDIS: f64 = 0.60;

/// One row of the table.
#[derive(Debug)]
pub(super) enum Row {
    Work(Work),
    Idle(Idle),
}

/// A load.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// The part of the yardstick's rate to reach, if there is a goal.
    pub(super) goal: Option<f64>,
    pub(super) does: Does,
    /// Where the server keeps its messages; its yardstick is as durable.
    pub(super) store: Kept,
    /// Messages that a session holds before the load.
    pub(super) seeded: u64,
    /// Commands that are sent together.
    pub(super) pipeline: usize,
    /// Whether the server summarises.
    pub(super) folds: bool,
    /// Whether in the place of the server is a program that only passes bytes on to Redis: what a door can reach at most.
    pub(super) passes: bool,
}

/// What the connections do, each in sessions of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// Turns: a person's message and then the model's, to one session after the other.
    Turns,
    /// One message to each session, and then one more to each.
    Scattered,
    /// `LRANGE key 0 19`: the exact history.
    History,
    /// `LRANGE key 0 -1`: all there is, as what goes into a prompt.
    Context,
}

/// Connections that said one thing and then say nothing.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) connections: usize,
    /// Whether the one thing was a push rather than a `PING`.
    pub(super) pushed: bool,
    /// The most memory that the server may have then.
    pub(super) most_mib: f64,
}

impl Does {
    pub(super) fn reads(self) -> bool {
        matches!(self, Does::History | Does::Context)
    }
}

impl Row {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Row::Work(work) => work.name,
            Row::Idle(idle) => idle.name,
        }
    }
}

/// An append without anything special.
const APPEND: Work = Work {
    name: "append",
    title: "append one message (LPUSH)",
    goal: Some(OF_REDIS),
    does: Does::Turns,
    store: Kept::Redis,
    seeded: 0,
    pipeline: 1,
    folds: false,
    passes: false,
};
const PASSING: Work = Work { goal: None, passes: true, ..APPEND };
const HISTORY: Work = Work {
    name: "history",
    title: "read 20 of sessions of 200 (LRANGE 0 19)",
    does: Does::History,
    seeded: 200,
    ..APPEND
};
const CONTEXT: Work = Work {
    name: "context",
    title: "read sessions of 20 as a context (LRANGE 0 -1)",
    does: Does::Context,
    seeded: 20,
    ..APPEND
};

/// The rows, in the order of the table.
pub(super) const ROWS: &[Row] = &[
    Row::Work(APPEND),
    Row::Work(HISTORY),
    Row::Work(CONTEXT),
    Row::Work(Work {
        name: "pass-append",
        title: "append through a program that passes bytes on",
        ..PASSING
    }),
    Row::Work(Work {
        name: "pass-history",
        title: "read 20 of 200 through it",
        does: Does::History,
        seeded: 200,
        ..PASSING
    }),
    Row::Work(Work {
        name: "append-folding",
        title: "append, summaries on",
        goal: None,
        folds: true,
        ..APPEND
    }),
    Row::Work(Work { name: "append-16", title: "append, 8 turns a pipeline", pipeline: 16, ..APPEND }),
    Row::Work(Work {
        name: "scattered-16",
        title: "append to 16 sessions a pipeline",
        does: Does::Scattered,
        goal: None,
        pipeline: 16,
        ..APPEND
    }),
    Row::Work(Work { name: "history-16", title: "read 20 of 200, 16 a pipeline", pipeline: 16, ..HISTORY }),
    Row::Work(Work { name: "context-16", title: "read a context, 16 a pipeline", pipeline: 16, ..CONTEXT }),
    Row::Work(Work {
        name: "file-append",
        title: "embedded: durable append (Redis: appendfsync always)",
        goal: None,
        store: Kept::File,
        ..APPEND
    }),
    Row::Work(Work {
        name: "file-history",
        title: "embedded: read 20 of sessions of 200",
        goal: None,
        store: Kept::File,
        ..HISTORY
    }),
    Row::Work(Work {
        name: "file-context",
        title: "embedded: read a context",
        goal: None,
        store: Kept::File,
        ..CONTEXT
    }),
    Row::Idle(Idle {
        name: "idle",
        title: "5,000 idle connections: memory, after a PING each",
        connections: 5000,
        pushed: false,
        most_mib: 100.0,
    }),
    Row::Idle(Idle {
        name: "idle-pushed",
        title: "the same after an LPUSH each",
        connections: 5000,
        pushed: true,
        most_mib: 100.0,
    }),
];
