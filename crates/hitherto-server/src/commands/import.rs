//! `import`: messages from JSON Lines into their sessions, each of them once however often it is run.
//!
//! Invariant: a line is stored at its place or not at all (see `place`). Every batch has an idempotency key
//! made of its session, its first place and its bytes, so that one can be sent again when nobody knows
//! whether it arrived. Memory: three chunks of the file, one page of a session, a few words a session.

mod batch;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod line;
mod lines;
mod place;
mod places;
mod same;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use hitherto::{SessionId, Ttl};

use super::again::again;
use super::interrupt::Interrupt;
use super::output::Output;
use super::progress::{Progress, Unit};
use super::visible;
use super::words::{count, grouped};
use crate::access::audit::{self, Who};
use crate::target::{Target, TargetError};
use batch::Batch;
use line::Line;
pub(crate) use line::SESSION_USER;
use lines::{Chunk, Reading};
use place::{Standing, Verdict, Walk};

/// What `import` is given.
#[derive(Debug, Clone)]
pub(crate) struct ImportArgs {
    /// The file; `-` is standard input.
    pub(crate) file: PathBuf,
    /// The session that all lines go to, whatever they say.
    pub(crate) session: Option<SessionId>,
    /// The time to live of the sessions that are written to.
    pub(crate) ttl: Option<Ttl>,
    /// Stop at the first line that cannot be imported.
    pub(crate) strict: bool,
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    stored: u64,
    there: u64,
    bad: u64,
    different: u64,
    refused: u64,
}

/// Imports the file. Lines that cannot be imported and sessions that hold something else are said on
/// standard error, and make the exit code 1; all others are stored.
///
/// # Errors
/// If the file cannot be read, or the store or server fails for longer than a few seconds.
pub(crate) async fn run(target: &Target, args: &ImportArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    run_until(target, args, out, Interrupt::on_signals()?).await
}

async fn run_until(
    target: &Target,
    args: &ImportArgs,
    out: &mut Output,
    interrupt: Interrupt,
) -> anyhow::Result<ExitCode> {
    let (input, unit) = open(&args.file, out)?;
    let longest = target.bounds().message_bytes;
    let reading = Reading { session: args.session.clone(), longest, strict: args.strict };
    let mut chunks = lines::read(input, reading).context("the file cannot be read")?;
    let progress = Progress::new(out.look().progress, unit);
    let mut import = Import {
        target,
        ttl: args.ttl,
        interrupt,
        standings: HashMap::new(),
        tally: Tally::default(),
        progress,
    };
    let result = loop {
        let mut interrupt = import.interrupt.clone();
        let chunk = tokio::select! {
            biased;
            () = interrupt.asked() => break Ok(()),
            chunk = chunks.recv() => chunk,
        };
        let Some(chunk) = chunk else { break Ok(()) };
        let done = match chunk.context("the file cannot be read") {
            Ok(chunk) => import.chunk(chunk, out).await,
            Err(error) => Err(error),
        };
        if done.is_err() {
            break done;
        }
    };
    import.progress.finish();
    let interrupted = import.interrupt.is_asked();
    let tally = import.tally;
    // Also where it broke off: what was stored is stored.
    audit::imported(&Who::Command, target.tenant(), None, import.standings.len() as u64, tally.stored);
    writeln!(out, "{}", summary(tally))?;
    result.context("the import stopped; the same command again goes on where it was")?;
    if interrupted {
        out.note("Interrupted. The same command again goes on: what is stored is skipped.");
        return Ok(Interrupt::exit_code());
    }
    let fine = tally.bad == 0 && tally.different == 0 && tally.refused == 0;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summary(tally: Tally) -> String {
    let mut text = format!(
        "stored {}, already there {}, {}, {} different",
        grouped(tally.stored),
        grouped(tally.there),
        count(tally.bad, "bad line"),
        count(tally.different, "session")
    );
    if tally.refused > 0 {
        text.push_str(&format!(", {} refused", grouped(tally.refused)));
    }
    text
}

fn open(file: &Path, out: &mut Output) -> anyhow::Result<(Box<dyn BufRead + Send>, Unit)> {
    if file == Path::new("-") {
        return Ok((out.take_input()?, Unit::Unknown));
    }
    let cannot = || format!("{} cannot be read", file.display());
    let opened = File::open(file).with_context(cannot)?;
    let about = opened.metadata().with_context(cannot)?;
    let unit = if about.is_file() { Unit::Bytes(about.len()) } else { Unit::Unknown };
    Ok((Box::new(BufReader::with_capacity(64 << 10, opened)), unit))
}

/// How many bad lines are shown.
const BAD_SHOWN: u64 = 20;

struct Import<'a> {
    target: &'a Target,
    ttl: Option<Ttl>,
    interrupt: Interrupt,
    standings: HashMap<SessionId, Standing>,
    tally: Tally,
    progress: Progress,
}

impl Import<'_> {
    /// Session by session, each in the order of the file.
    async fn chunk(&mut self, chunk: Chunk, out: &mut Output) -> anyhow::Result<()> {
        for (number, error) in &chunk.bad {
            self.tally.bad += 1;
            // A file of the wrong kind has nothing but bad lines, and says so soon enough.
            let note = match self.tally.bad.cmp(&(BAD_SHOWN + 1)) {
                Ordering::Less => format!("line {number}: {error}"),
                Ordering::Equal => "more bad lines follow; they are counted".to_owned(),
                Ordering::Greater => continue,
            };
            self.progress.aside(|| out.note(&note));
        }
        let mut order = Vec::new();
        let mut sessions: HashMap<SessionId, Vec<Line>> = HashMap::new();
        for line in chunk.lines {
            let lines = sessions.entry(line.session.clone()).or_default();
            if lines.is_empty() {
                order.push(line.session.clone());
            }
            lines.push(line);
        }
        for session in &order {
            if self.interrupt.is_asked() {
                return Ok(());
            }
            self.session(session, sessions.remove(session).unwrap_or_default(), out).await?;
        }
        let Tally { stored, there, .. } = self.tally;
        self.progress
            .advance(chunk.bytes, format!("{} stored, {} already there", grouped(stored), grouped(there)));
        Ok(())
    }

    /// A failure that concerns this session alone is said, and the others go on.
    async fn session(
        &mut self,
        session: &SessionId,
        lines: Vec<Line>,
        out: &mut Output,
    ) -> anyhow::Result<()> {
        let mut standing = match self.standings.remove(session) {
            Some(standing) => standing,
            None => match again(async || self.target.describe(session).await).await {
                Ok(info) => Standing::new(info.map_or(0, |info| info.last_seq)),
                Err(error) => {
                    let mut standing = Standing::new(0);
                    self.refuse(session, &mut standing, error, out)?;
                    standing
                }
            },
        };
        if let Err(error) = self.lines(session, &mut standing, lines, out).await {
            self.refuse(session, &mut standing, error, out)?;
        }
        self.standings.insert(session.clone(), standing);
        Ok(())
    }

    async fn lines(
        &mut self,
        session: &SessionId,
        standing: &mut Standing,
        lines: Vec<Line>,
        out: &mut Output,
    ) -> Result<(), TargetError> {
        let mut walk = Walk::new(self.target, session);
        let mut batch = Batch::new(standing.last + 1);
        for line in lines {
            if standing.stopped {
                break;
            }
            match standing.take(&line, &mut walk).await? {
                Verdict::There => self.tally.there += 1,
                Verdict::Next => {
                    if batch.is_full(&line.message, self.target.bounds().messages) {
                        if self.interrupt.is_asked() {
                            return Ok(());
                        }
                        self.send(session, standing, &mut batch, out).await?;
                    }
                    batch.push(line.message, line.user);
                }
                Verdict::Different(seq) => {
                    self.tally.different += 1;
                    let text = format!("it holds something else at {seq} and is left as it is");
                    self.say(session, &text, out);
                }
            }
        }
        self.send(session, standing, &mut batch, out).await
    }

    async fn send(
        &mut self,
        session: &SessionId,
        standing: &mut Standing,
        batch: &mut Batch,
        out: &mut Output,
    ) -> Result<(), TargetError> {
        if batch.is_empty() {
            return Ok(());
        }
        let sent = batch.send(self.target, session, self.ttl).await?;
        self.tally.stored += sent.messages;
        if !sent.in_place && !standing.stopped {
            standing.stopped = true;
            self.tally.different += 1;
            self.say(session, "somebody else writes to it; no more is imported into it", out);
        }
        Ok(())
    }

    fn refuse(
        &mut self,
        session: &SessionId,
        standing: &mut Standing,
        error: TargetError,
        out: &mut Output,
    ) -> anyhow::Result<()> {
        if !error.is_of_one_session() {
            return Err(error.into());
        }
        standing.stopped = true;
        self.tally.refused += 1;
        self.say(session, &error.to_string(), out);
        Ok(())
    }

    fn say(&self, session: &SessionId, text: &str, out: &mut Output) {
        let text = format!("session {}: {text}", visible::line(session.as_str()));
        self.progress.aside(|| out.note(&text));
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
