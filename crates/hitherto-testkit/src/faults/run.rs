//! Writers at once, and what they tell of how it goes.
//!
//! Invariant: writers go on until the fault is over, so much was acknowledged, and a part of that after the fault.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::http::Answer;
use super::sent::Sent;
use super::writer;

/// How long nothing may be acknowledged before a run fails: longer than any fault and all waits of the writers.
const STANDSTILL: Duration = Duration::from_secs(90);

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many write at once.
    pub writers: u32,
    /// Into how many sessions, each shared by some of them.
    pub sessions: u32,
    /// How many appends at least, and a quarter of those after the fault.
    pub appends: u64,
    /// How long each writer waits after an append.
    pub pause: Option<Duration>,
    /// What every session's name begins with.
    pub prefix: String,
    /// The log of the server's disk, if it has one.
    pub disk_log: Option<PathBuf>,
}

impl Plan {
    /// Sixteen writers in eight sessions.
    pub fn new(appends: u64) -> Self {
        Self { writers: 16, sessions: 8, appends, pause: None, prefix: "s".to_owned(), disk_log: None }
    }
}

/// What writers share.
#[derive(Debug)]
pub(super) struct Shared {
    plan: Plan,
    targets: Vec<SocketAddr>,
    over: AtomicBool,
    acknowledged: watch::Sender<u64>,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    /// When appends were acknowledged, in order, and how long each took from its first try.
    times: Vec<(Instant, Duration)>,
    /// Answers that were errors, by code.
    refused: BTreeMap<String, u64>,
    /// Tries without an answer.
    broken: BTreeMap<String, u64>,
}

impl Shared {
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    pub(super) fn session(&self, writer: u32, number: u32) -> String {
        format!("{}{}", self.plan.prefix, (writer + number) % self.plan.sessions)
    }

    pub(super) fn pause(&self) -> Option<Duration> {
        self.plan.pause
    }

    /// Where a try goes: another server after each failure, as behind a balancer.
    pub(super) fn target(&self, writer: u32, failures: u32) -> SocketAddr {
        self.targets[(writer as usize + failures as usize) % self.targets.len()]
    }

    pub(super) fn logged(&self) -> u64 {
        let log = self.plan.disk_log.as_ref();
        log.and_then(|log| std::fs::metadata(log).ok()).map_or(0, |found| found.len())
    }

    pub(super) fn note(&self, sent: &Sent) {
        if let Some(acknowledged) = sent.acknowledged {
            let took = acknowledged.at.duration_since(sent.began);
            self.tally.lock().unwrap().times.push((acknowledged.at, took));
            self.acknowledged.send_modify(|count| *count += 1);
        }
    }

    pub(super) fn refused(&self, answer: &Answer) {
        let code = answer.json()["code"].as_str().unwrap_or("no code").to_owned();
        *self.tally.lock().unwrap().refused.entry(code).or_default() += 1;
    }

    pub(super) fn broken(&self, kind: io::ErrorKind) {
        *self.tally.lock().unwrap().broken.entry(kind.to_string()).or_default() += 1;
    }
}

/// Writers that write.
#[derive(Debug)]
pub struct Run {
    shared: Arc<Shared>,
    writers: JoinSet<Vec<Sent>>,
    began: Instant,
}

/// What a run gave.
#[derive(Debug)]
pub struct Figures {
    /// All that was sent.
    pub sent: Vec<Sent>,
    /// How many appends were acknowledged.
    pub acknowledged: u64,
    /// How many never were.
    pub given_up: u64,
    /// Answers that were errors, by code.
    pub refused: BTreeMap<String, u64>,
    /// Tries that ended without an answer, by what the system said.
    pub broken: BTreeMap<String, u64>,
    /// The longest time in which nothing was acknowledged.
    pub unavailable: Duration,
    /// How long appends took, all tries included: half of them, 99 of 100, all.
    pub took: [Duration; 3],
}

impl Figures {
    /// The names of all sessions that were written to.
    pub fn sessions(&self) -> BTreeSet<String> {
        self.sent.iter().map(|sent| sent.session.clone()).collect()
    }
}

impl Run {
    /// Lets writers begin, against these servers.
    pub fn start(plan: Plan, targets: Vec<SocketAddr>) -> Self {
        let count = plan.writers;
        let shared = Arc::new(Shared {
            plan,
            targets,
            over: AtomicBool::new(false),
            acknowledged: watch::Sender::new(0),
            tally: Mutex::default(),
        });
        let mut writers = JoinSet::new();
        for writer in 0..count {
            let shared = Arc::clone(&shared);
            writers.spawn(async move { writer::write(&shared, writer).await });
        }
        Self { shared, writers, began: Instant::now() }
    }

    /// How many appends have been acknowledged.
    pub fn count(&self) -> u64 {
        *self.shared.acknowledged.borrow()
    }

    /// Waits until so many appends have been acknowledged in all.
    ///
    /// # Panics
    /// If nothing is acknowledged for a long time.
    pub async fn acknowledged(&self, count: u64) {
        let mut acknowledged = self.shared.acknowledged.subscribe();
        while *acknowledged.borrow_and_update() < count {
            let changed = tokio::time::timeout(STANDSTILL, acknowledged.changed()).await;
            let so_far = self.count();
            assert!(changed.is_ok(), "nothing was acknowledged for {STANDSTILL:?}, after {so_far} appends");
        }
    }

    /// Waits until so many more have been.
    pub async fn more(&self, count: u64) {
        self.acknowledged(self.count() + count).await;
    }

    /// A share of what the plan asks for, in hundredths.
    pub fn share(&self, hundredths: u64) -> u64 {
        self.shared.plan.appends * hundredths / 100
    }

    /// The fault is over: lets the writers go on for a while, stops them, and says what they did.
    pub async fn finish(mut self) -> Figures {
        self.more(self.share(25)).await;
        self.acknowledged(self.shared.plan.appends).await;
        self.shared.over.store(true, Ordering::SeqCst);
        let mut sent = Vec::new();
        while let Some(written) = self.writers.join_next().await {
            sent.extend(written.expect("a writer"));
        }
        let tally = std::mem::take(&mut *self.shared.tally.lock().unwrap());
        let mut took: Vec<Duration> = tally.times.iter().map(|(_, took)| *took).collect();
        took.sort_unstable();
        let at = |hundredths: usize| took[(took.len() - 1) * hundredths / 100];
        Figures {
            acknowledged: tally.times.len() as u64,
            given_up: sent.len() as u64 - tally.times.len() as u64,
            unavailable: longest_gap(self.began, tally.times.iter().map(|(at, _)| *at)),
            took: [at(50), at(99), at(100)],
            refused: tally.refused,
            broken: tally.broken,
            sent,
        }
    }
}

fn longest_gap(began: Instant, times: impl Iterator<Item = Instant>) -> Duration {
    let mut times: Vec<Instant> = times.collect();
    times.push(began);
    times.sort_unstable();
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}
