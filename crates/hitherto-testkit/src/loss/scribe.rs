//! A summariser that writes down what it was given, and that may be slow, fail or lie.
//!
//! Invariant: whatever it answers well says in its text what it stands for; what it must never be given, such as a
//! message twice or more than it takes, it tells to the count of wrongs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hitherto::summary::{Piece, Summariser, SummariserError};
use tokio::sync::{Semaphore, watch};

use super::chance::Chance;
use super::count::{Count, add};
use super::ledger::Ledger;

/// How it answers one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mood {
    /// Well, at once.
    Well,
    /// Well, after that time.
    After(Duration),
    /// Well, once [`Scribe::release`] lets it.
    Held,
    /// With an error.
    Fails(SummariserError),
    /// With another text.
    Says(String),
    /// With more tokens than are allowed.
    Floods,
    /// It panics.
    Dies,
}

/// The summariser.
#[derive(Debug)]
pub struct Scribe {
    name: &'static str,
    input_tokens: usize,
    count: Arc<Count>,
    /// What comes next, before everything else.
    next: Mutex<VecDeque<Mood>>,
    /// What it does when nothing comes next; wild if there is none.
    usual: Mutex<Option<Mood>>,
    chance: Mutex<Chance>,
    /// Whether all is well, whatever was said before.
    calm: AtomicBool,
    gate: Semaphore,
    begun: watch::Sender<usize>,
    pieces: Mutex<Vec<Piece>>,
    keeps: AtomicBool,
    asked: AtomicUsize,
}

impl Scribe {
    /// One that answers well.
    pub fn new(name: &'static str, input_tokens: usize, count: &Arc<Count>) -> Self {
        Self {
            name,
            input_tokens,
            count: Arc::clone(count),
            next: Mutex::default(),
            usual: Mutex::new(Some(Mood::Well)),
            chance: Mutex::new(Chance::new(0, 0)),
            calm: AtomicBool::new(false),
            gate: Semaphore::new(0),
            begun: watch::Sender::new(0),
            pieces: Mutex::default(),
            keeps: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        }
    }

    /// The same, answering at random.
    #[must_use]
    pub fn wild(self, seed: u64) -> Self {
        *lock(&self.usual) = None;
        *lock(&self.chance) = Chance::new(seed, 77);
        self
    }

    /// The same, keeping all pieces that it is given.
    #[must_use]
    pub fn keeping(self) -> Self {
        self.keeps.store(true, Ordering::SeqCst);
        self
    }

    /// How it answers from now on.
    pub fn usually(&self, mood: Mood) {
        *lock(&self.usual) = Some(mood);
    }

    /// How it answers next, after what was said before.
    pub fn next(&self, mood: Mood) {
        lock(&self.next).push_back(mood);
    }

    /// Answers well from now on.
    pub fn calm(&self) {
        self.calm.store(true, Ordering::SeqCst);
        self.release(10_000);
    }

    /// Lets so many held answers go.
    pub fn release(&self, answers: usize) {
        self.gate.add_permits(answers);
    }

    /// Waits until it has been asked so many times.
    pub async fn asked(&self, times: usize) {
        // The sender lives as long as this does.
        let _ = self.begun.subscribe().wait_for(|begun| *begun >= times).await;
    }

    /// How many times it was asked.
    pub fn times(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What it was given, if it keeps that.
    pub fn pieces(&self) -> Vec<Piece> {
        lock(&self.pieces).clone()
    }

    fn mood(&self) -> Mood {
        if self.calm.load(Ordering::SeqCst) {
            return Mood::Well;
        }
        let next = lock(&self.next).pop_front();
        next.or_else(|| lock(&self.usual).clone()).unwrap_or_else(|| wild(&mut lock(&self.chance)))
    }

    /// The summary as it should be.
    fn ledger(&self, piece: &Piece) -> Result<Ledger, String> {
        if piece.lines.is_empty() {
            return Err("a piece of no lines".to_owned());
        }
        let tokens: usize = piece.lines.iter().map(|line| piece.encoding.count(&line.text)).sum();
        if tokens > self.input_tokens {
            return Err(format!("a piece of {tokens} tokens, where {} go in", self.input_tokens));
        }
        let mut ledger = piece.previous.as_deref().map_or(Ok(Ledger::default()), open)?;
        for line in &piece.lines {
            ledger.give(line)?;
        }
        Ok(ledger)
    }
}

/// The ledger of a text that may end with a message in parts.
fn open(text: &str) -> Result<Ledger, String> {
    Ledger::read(text)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer at random: well two times in three.
fn wild(chance: &mut Chance) -> Mood {
    let status = |status, retry_after| {
        Mood::Fails(SummariserError::Status { status, reason: "harness".to_owned(), retry_after })
    };
    match chance.below(100) {
        0..60 => Mood::Well,
        60..74 => Mood::After(Duration::from_millis(chance.between(1, 25))),
        74..76 => Mood::After(Duration::from_millis(chance.between(330, 450))),
        76..79 => Mood::Fails(SummariserError::TimedOut(Duration::from_secs(1))),
        79..83 => status(429, Some(Duration::from_millis(chance.between(10, 150)))),
        83..86 => status(500, None),
        86..88 => Mood::Fails(SummariserError::Refused),
        88..90 => Mood::Says(String::new()),
        90..92 => Mood::Says("NONE".to_owned()),
        92..94 => Mood::Says(" \n\t".to_owned()),
        94..96 => Mood::Floods,
        96..97 => Mood::Fails(SummariserError::NotText("<html>".to_owned())),
        97..98 => Mood::Fails(SummariserError::Unreachable("refused".to_owned())),
        98..99 => Mood::Says("None.".to_owned()),
        _ => Mood::Dies,
    }
}

#[async_trait]
impl Summariser for Scribe {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn input_tokens(&self) -> usize {
        self.input_tokens
    }

    async fn summarise(&self, piece: &Piece) -> Result<String, SummariserError> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if self.keeps.load(Ordering::SeqCst) {
            lock(&self.pieces).push(piece.clone());
        }
        let mood = self.mood();
        self.begun.send_replace(asked);
        let text = match self.ledger(piece) {
            Ok(ledger) => ledger.to_string(),
            Err(what) => {
                self.count.wrong(format!("{}: {what}", self.name));
                return Err(SummariserError::Refused);
            }
        };
        let failed = || add(&self.count.failures);
        match mood {
            Mood::Well => {}
            Mood::After(wait) => tokio::time::sleep(wait).await,
            Mood::Held => self.gate.acquire().await.expect("a gate that is never closed").forget(),
            Mood::Fails(error) => {
                failed();
                return Err(error);
            }
            Mood::Says(other) => {
                failed();
                return Ok(other);
            }
            Mood::Floods => {
                failed();
                return Ok(format!("{text}{}", " 0:0".repeat(piece.budget)));
            }
            Mood::Dies => {
                failed();
                // Without the hook, which would print it.
                std::panic::resume_unwind(Box::new("the summariser dies"));
            }
        }
        add(if self.name == "stand-in" { &self.count.stand_ins } else { &self.count.answers });
        Ok(text)
    }
}
