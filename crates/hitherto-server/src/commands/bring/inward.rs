//! `import --from`: sessions as other programs keep them, into the store.
//!
//! Invariant: a session that cannot be brought along, or not wholly, is named and makes the exit code 1; the others
//! go on. Only a wrong order stops all of it: every other session would be turned round, too.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use hitherto::ChatMemory;
use hitherto::layout::{Layout, Verdict, What};
use tokio::time::Instant;

use super::find::{Finder, Found};
use super::session::{Bringing, Refusal};
use super::{Source, reading, shown};
use crate::access::audit::{self, Who};
use crate::commands::interrupt::Interrupt;
use crate::commands::output::Output;
use crate::commands::progress::{Progress, Unit};
use crate::commands::words::{count, grouped};

/// What `import --from` is given.
#[derive(Debug)]
pub(crate) struct BringArgs {
    /// Where from.
    pub(crate) source: Source,
    /// How it lies there.
    pub(crate) layout: Layout,
    /// Only keys that match this glob.
    pub(crate) glob: Option<String>,
    /// Whether an order that looks wrong is taken all the same.
    pub(crate) force: bool,
}

/// How many things of a kind are named; the rest is counted.
const NAMED: u64 = 20;

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    sessions: u64,
    there: u64,
    bad: u64,
    different: u64,
    passed: u64,
    doubtful: u64,
}

/// Brings all sessions of the source along.
///
/// # Errors
/// If the source or the store fails for longer than a few seconds, or the order is the wrong one.
pub(crate) async fn run(memory: &ChatMemory, args: &BringArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    run_until(memory, args, out, &Interrupt::on_signals()?).await
}

async fn run_until(
    memory: &ChatMemory,
    args: &BringArgs,
    out: &mut Output,
    interrupt: &Interrupt,
) -> anyhow::Result<ExitCode> {
    let mut inward = Inward {
        bringing: Bringing {
            source: &args.source,
            layout: &args.layout,
            memory,
            interrupt,
            sets: sets(args).await.context("the source cannot be read")?,
            stored: AtomicU64::new(0),
        },
        force: args.force,
        progress: Progress::new(out.look().progress, Unit::Unknown),
        tally: Tally::default(),
    };
    let result = inward.all(Finder::new(&args.source, &args.layout, args.glob.as_deref()), out).await;
    inward.progress.finish();
    let (tally, stored) = (inward.tally, inward.bringing.stored.load(Ordering::Relaxed));
    // Also where it broke off: what was stored is stored.
    let layout = args.layout.profile().name;
    audit::imported(&Who::Command, Some(&memory.scope().tenant), Some(layout), tally.sessions, stored);
    writeln!(out, "{}", summary(tally, stored))?;
    let whole = result.context("the import stopped; the same command again goes on where it was")?;
    if !whole {
        out.note("Interrupted. The same command again goes on: what is stored is skipped.");
        return Ok(Interrupt::exit_code());
    }
    if tally.doubtful > 0 && tally.doubtful == tally.sessions {
        out.note(&format!(
            "Every session begins with an answer and ends with a question. If they are the wrong way round, {} \
             is not the layout that they are in.",
            args.layout.profile().name
        ));
    }
    if tally.sessions == 0 {
        let pattern = args.glob.clone().unwrap_or_else(|| args.layout.pattern());
        out.note(&format!("There is no session of {} among the keys {pattern}", args.layout.profile().name));
    }
    Ok(if tally.bad == 0 && tally.different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summary(tally: Tally, stored: u64) -> String {
    format!(
        "{}: stored {}, already there {}, {}, {} different, {} passed over",
        count(tally.sessions, "session"),
        grouped(stored),
        grouped(tally.there),
        count(tally.bad, "bad element"),
        count(tally.different, "session"),
        count(tally.passed, "key")
    )
}

/// The sorted sets that name sessions and whose own names are not known.
async fn sets(args: &BringArgs) -> anyhow::Result<Vec<(String, Vec<bytes::Bytes>)>> {
    let mut all = Vec::new();
    for beside in args.layout.beside("").into_iter().filter(|beside| beside.what == What::AnyMember) {
        let (mut names, mut cursor) = (Vec::new(), 0);
        loop {
            let (next, keys) = reading(async || args.source.scan(cursor, &beside.key).await).await?;
            names.extend(keys);
            if next == 0 {
                break;
            }
            cursor = next;
        }
        names.sort();
        names.dedup();
        all.push((beside.key, names));
    }
    Ok(all)
}

struct Inward<'a> {
    bringing: Bringing<'a>,
    force: bool,
    progress: Progress,
    tally: Tally,
}

impl Inward<'_> {
    /// Whether it came to the end; `false` if it was interrupted.
    async fn all(&mut self, mut finder: Finder<'_>, out: &mut Output) -> anyhow::Result<bool> {
        loop {
            let found = finder.next().await?;
            for (key, why) in finder.passed() {
                self.pass(&key, &why, out);
            }
            let Some(found) = found else { return Ok(true) };
            let began = Instant::now();
            match self.one(&found, began, out).await? {
                Ok(()) => {}
                Err(Refusal::Interrupted) => return Ok(false),
                Err(Refusal::Failed(error)) if !error.is_of_one_session() => return Err(error.into()),
                Err(Refusal::Failed(error)) => self.refuse(&found, &error.to_string(), out),
                Err(Refusal::Session(why)) => self.refuse(&found, &why, out),
            }
            let Tally { sessions, there, .. } = self.tally;
            let stored = self.bringing.stored.load(Ordering::Relaxed);
            let text = format!(
                "{}, {} stored, {} already there",
                count(sessions, "session"),
                grouped(stored),
                grouped(there)
            );
            self.progress.advance(1, text);
            if self.bringing.interrupt.is_asked() {
                return Ok(false);
            }
        }
    }

    async fn one(
        &mut self,
        found: &Found,
        began: Instant,
        out: &mut Output,
    ) -> anyhow::Result<Result<(), Refusal>> {
        let look = match self.bringing.look(found).await {
            Ok(look) => look,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let profile = self.bringing.layout.profile();
        if look.is_empty() {
            return Ok(Ok(()));
        }
        if look.is_foreign() {
            self.pass(&found.key, &format!("nothing in it is a message of {}", profile.name), out);
            return Ok(Ok(()));
        }
        match look.verdict() {
            Verdict::Opposite(why) if !self.force => bail!(
                "{} is the wrong way round: {why}. {}--force takes it as it is",
                shown(&found.key),
                match profile.opposite {
                    Some(other) => format!("Read from its other end it is of the layout {other}; "),
                    None => String::new(),
                }
            ),
            Verdict::Doubtful => self.tally.doubtful += 1,
            _ => {}
        }
        self.tally.sessions += 1;
        for bad in &look.bad {
            self.tally.bad += 1;
            self.say(self.tally.bad, &format!("{}: {}", bad.place, bad.why), "bad elements", out);
        }
        Ok(self.bringing.bring(found, &look, began).await.map(|there| self.tally.there += there))
    }

    fn pass(&mut self, key: &[u8], why: &str, out: &mut Output) {
        self.tally.passed += 1;
        self.say(self.tally.passed, &format!("{} is passed over: {why}", shown(key)), "keys", out);
    }

    fn refuse(&mut self, found: &Found, why: &str, out: &mut Output) {
        self.tally.different += 1;
        let text = format!("session {}: {why}", shown(found.session.as_bytes()));
        self.progress.aside(|| out.note(&text));
    }

    /// Says one of many.
    fn say(&self, number: u64, text: &str, many: &str, out: &mut Output) {
        let more = format!("more {many} follow; they are counted");
        match number.cmp(&(NAMED + 1)) {
            std::cmp::Ordering::Less => self.progress.aside(|| out.note(text)),
            std::cmp::Ordering::Equal => self.progress.aside(|| out.note(&more)),
            std::cmp::Ordering::Greater => {}
        }
    }
}
