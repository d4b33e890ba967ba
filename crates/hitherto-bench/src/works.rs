//! The works: what is measured, on what, and what has to be reached.

use crate::requests::Mix;

/// What a work has to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// This part of the yardstick's rate.
    OfBare(f64),
    /// This part of the server's own rate in another work.
    OfWork(&'static str, f64),
    /// This rate, whatever the yardstick's.
    PerSecond(f64),
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) goal: Goal,
    pub(crate) store: Kept,
    pub(crate) mix: Mix,
    pub(crate) connections: usize,
    pub(crate) sessions: usize,
    /// Messages that a session holds before the load.
    pub(crate) seeded: u64,
    /// Whether the server summarises.
    pub(crate) folds: bool,
    /// Whether the server wants a token, and the load shows one.
    pub(crate) token: bool,
}

/// Where a work keeps its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Redis,
    File,
}

/// The works, in the order of the table.
pub(crate) const WORKS: &[Work] = &[
    Work {
        name: "append-off",
        title: "append one exchange to one of 1,000 sessions, summaries off",
        goal: Goal::OfBare(0.70),
        store: Kept::Redis,
        mix: Mix::Append,
        connections: 64,
        sessions: 1000,
        seeded: 0,
        folds: false,
        token: false,
    },
    Work {
        name: "append",
        title: "the same with summaries on",
        goal: Goal::OfWork("append-off", 0.95),
        store: Kept::Redis,
        mix: Mix::Append,
        connections: 64,
        sessions: 1000,
        seeded: 0,
        folds: true,
        token: false,
    },
    Work {
        name: "token",
        title: "append as in the first row, with a token that the server wants",
        goal: Goal::OfWork("append-off", 0.95),
        store: Kept::Redis,
        mix: Mix::Append,
        connections: 64,
        sessions: 1000,
        seeded: 0,
        folds: false,
        token: true,
    },
    Work {
        name: "read-200",
        title: "read the last 20 messages of sessions of 200",
        goal: Goal::OfBare(0.75),
        store: Kept::Redis,
        mix: Mix::Read,
        connections: 64,
        sessions: 1000,
        seeded: 200,
        folds: true,
        token: false,
    },
    Work {
        name: "read-10000",
        title: "the same of sessions of 10,000",
        goal: Goal::OfWork("read-200", 0.90),
        store: Kept::Redis,
        mix: Mix::Read,
        connections: 64,
        sessions: 20,
        seeded: 10_000,
        folds: true,
        token: false,
    },
    Work {
        name: "half",
        title: "half and half, 500 connections",
        goal: Goal::OfBare(0.70),
        store: Kept::Redis,
        mix: Mix::HalfAndHalf,
        connections: 500,
        sessions: 1000,
        seeded: 200,
        folds: true,
        token: false,
    },
    Work {
        name: "durable",
        title: "embedded: durable appends, 64 writers (bare: one fsync an append)",
        goal: Goal::PerSecond(5000.0),
        store: Kept::File,
        mix: Mix::Append,
        connections: 64,
        sessions: 1000,
        seeded: 0,
        folds: true,
        token: false,
    },
];

/// The name of the row about a server that does nothing; it is no work.
pub(crate) const REST: &str = "rest";

/// Which rows to measure.
pub(crate) struct Selection {
    pub(crate) works: Vec<&'static Work>,
    pub(crate) rest: bool,
}

/// All names that `--only` takes.
pub(crate) fn names() -> Vec<&'static str> {
    WORKS.iter().map(|work| work.name).chain([REST]).collect()
}

/// The works of these names, with those that they are compared to; all for no name.
pub(crate) fn select(only: &[String]) -> Selection {
    let named = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    let compared = |name: &str| {
        let to = |work: &&Work| matches!(work.goal, Goal::OfWork(other, _) if other == name);
        WORKS.iter().filter(to).any(|work| named(work.name))
    };
    let works = WORKS.iter().filter(|work| named(work.name) || compared(work.name)).collect();
    Selection { works, rest: named(REST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_work_brings_what_it_is_compared_to() {
        let check = |only: &[&str], expected: &[&str], rest: bool| {
            let only: Vec<String> = only.iter().map(ToString::to_string).collect();
            let selection = select(&only);
            let names: Vec<&str> = selection.works.iter().map(|work| work.name).collect();
            assert_eq!((names.as_slice(), selection.rest), (expected, rest), "{only:?}");
        };
        check(&["read-10000"], &["read-200", "read-10000"], false);
        check(&["append", "rest"], &["append-off", "append"], true);
        check(&["token"], &["append-off", "token"], false);
        check(&[], &["append-off", "append", "token", "read-200", "read-10000", "half", "durable"], true);
    }
}
