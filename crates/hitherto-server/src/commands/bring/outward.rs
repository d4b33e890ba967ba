//! `export --to`: sessions as other programs keep them.
//!
//! Invariant: a message that came from those programs goes back as the bytes that it came as; any other is
//! translated, and what that loses is counted by field. A session that cannot be written whole is named and makes the
//! exit code 1.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use hitherto::layout::{Kept, Key, Layout, Order, Shape, Value};
use hitherto::{ChatMemory, Description, Direction, Element, Message, Seq, SessionId, Timestamp};

use super::{Sink, shown};
use crate::access::audit::{self, Who};
use crate::commands::again::again;
use crate::commands::export;
use crate::commands::interrupt::Interrupt;
use crate::commands::output::Output;
use crate::commands::progress::{Progress, Unit};
use crate::commands::words::{count, grouped};
use crate::target::Target;

/// What `export --to` is given.
#[derive(Debug)]
pub(crate) struct GiveArgs {
    /// The sessions; all of them if none is named.
    pub(crate) sessions: Vec<SessionId>,
    /// How they are to lie.
    pub(crate) layout: Layout,
}

/// How many elements are asked for at a time: each may have a megabyte.
const PAGE: u32 = 100;

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sessions: u64,
    pub(super) written: u64,
    pub(super) there: u64,
    pub(super) translated: u64,
    pub(super) refused: u64,
    pub(super) losses: BTreeMap<(String, &'static str), u64>,
}

/// Writes the sessions.
///
/// # Errors
/// If the store or the destination fails for longer than a few seconds.
pub(crate) async fn run(
    memory: &ChatMemory,
    args: &GiveArgs,
    sink: Sink,
    out: &mut Output,
) -> anyhow::Result<ExitCode> {
    let interrupt = &Interrupt::on_signals()?;
    let listed = args.sessions.is_empty();
    let sessions =
        if listed { export::all(&Target::Store(memory.clone())).await? } else { args.sessions.clone() };
    let mut outward = Outward {
        memory,
        layout: &args.layout,
        interrupt,
        sink,
        progress: Progress::new(out.look().progress, Unit::Messages(0)),
        tally: Tally::default(),
    };
    let result = outward.all(&sessions, listed, out).await;
    outward.progress.finish();
    let Outward { sink, tally, .. } = outward;
    // Also where it broke off: what was written is written.
    let layout = args.layout.profile().name;
    audit::exported(
        &Who::Command,
        Some(&memory.scope().tenant),
        Some(layout),
        tally.sessions,
        tally.written + tally.there,
    );
    let whole = result.context("the export stopped")?;
    writeln!(out, "{}", summary(&tally))?;
    if !whole {
        out.note("Interrupted. The same command again goes on with lists; what is there already stays.");
        return Ok(Interrupt::exit_code());
    }
    sink.finish()?;
    if !tally.losses.is_empty() {
        out.note("What the translated messages do not say any more:");
        for ((field, why), number) in &tally.losses {
            out.note(&format!("  {}: {why} ({})", shown(field.as_bytes()), grouped(*number)));
        }
    }
    Ok(if tally.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summary(tally: &Tally) -> String {
    format!(
        "{}: written {}, already there {}, {} translated, {} refused",
        count(tally.sessions, "session"),
        grouped(tally.written),
        grouped(tally.there),
        grouped(tally.translated),
        grouped(tally.refused)
    )
}

/// A session that is being written.
pub(super) struct Leaving<'a> {
    pub(super) session: &'a SessionId,
    pub(super) kept: Kept,
    pub(super) ttl: Option<Duration>,
}

pub(super) struct Outward<'a> {
    pub(super) memory: &'a ChatMemory,
    pub(super) layout: &'a Layout,
    pub(super) interrupt: &'a Interrupt,
    pub(super) sink: Sink,
    pub(super) progress: Progress,
    pub(super) tally: Tally,
}

impl Outward<'_> {
    /// Writes the sessions. Whether it came to the end; `false` if it was interrupted.
    async fn all(&mut self, sessions: &[SessionId], listed: bool, out: &mut Output) -> anyhow::Result<bool> {
        for session in sessions {
            if self.interrupt.is_asked() {
                return Ok(false);
            }
            if let Err(why) = self.session(session, listed).await? {
                if self.interrupt.is_asked() {
                    return Ok(false);
                }
                self.tally.refused += 1;
                let text = format!("session {}: {why}", shown(session.as_str().as_bytes()));
                self.progress.aside(|| out.note(&text));
            }
        }
        Ok(true)
    }

    /// Writes one session, or says why not.
    async fn session(&mut self, session: &SessionId, listed: bool) -> anyhow::Result<Result<(), String>> {
        let info = again(async || Ok(self.memory.describe(session).await?)).await?;
        let Some(info) = info else {
            // One that was listed has ended meanwhile.
            return Ok(if listed { Ok(()) } else { Err("there is no such session".to_owned()) });
        };
        let now = Timestamp::now();
        let kept = info.metadata.as_deref().and_then(|all| Kept::read(all, self.layout.profile().name, now));
        let left = info.expires_at.map(|ends| ends.as_millis() - now.as_millis());
        let leaving = Leaving {
            session,
            kept: kept.unwrap_or_default(),
            ttl: left.map(|left| Duration::from_millis(u64::try_from(left).unwrap_or(1).max(1))),
        };
        self.progress.extend(info.messages);
        let beside = self.beside(&leaving, &info).await?;
        for key in &beside {
            if let Err(why) = self.sink.check(key).await? {
                return Ok(Err(why));
            }
        }
        let done = match self.layout.profile().shape {
            Shape::List(order) => self.list(&leaving, order).await?,
            _ => self.documents(&leaving).await?,
        };
        if done.is_ok() {
            for key in &beside {
                self.sink.put(key).await?;
            }
            self.tally.sessions += 1;
        }
        Ok(done)
    }

    /// Says why nothing more is written, if somebody asked for the end.
    pub(super) fn heed(&self) -> Result<(), String> {
        if self.interrupt.is_asked() { Err("it was interrupted".to_owned()) } else { Ok(()) }
    }

    /// The keys beside it: those that it came with, or else those that clients need.
    async fn beside(&self, leaving: &Leaving<'_>, info: &Description) -> anyhow::Result<Vec<Key>> {
        let id = leaving.session.as_str();
        let mut keys = leaving.kept.keys.clone();
        if keys.is_empty() {
            keys = self.layout.made_beside(id, info.created_at, info.updated_at);
            keys.iter_mut().for_each(|key| {
                if !matches!(key.value, Value::Zset(_)) {
                    key.ttl = leaving.ttl;
                }
            });
        }
        let state = again(async || Ok(self.memory.summary(leaving.session).await?)).await?;
        let summary = state.current.and_then(|summary| self.layout.summary_key(id, &summary.text));
        if let Some(summary) = summary {
            keys.retain(|key| key.name != summary.name);
            keys.push(summary);
        }
        Ok(keys)
    }

    /// Some elements of a session. Where summaries have keys of their own, one that came along is no element.
    pub(super) async fn page(
        &self,
        session: &SessionId,
        from: Direction,
    ) -> anyhow::Result<(Vec<Element>, Option<Seq>)> {
        let page = again(async || Ok(self.memory.elements(session, from, PAGE).await?)).await?;
        let mut elements = page.elements;
        let end = if matches!(from, Direction::Before(_)) { elements.first() } else { elements.last() };
        let next = end.filter(|_| page.more).map(|element| element.seq);
        if self.layout.has_summaries() {
            elements.retain(|element| !Layout::is_earlier(&element.message));
        }
        Ok((elements, next))
    }

    async fn list(&mut self, leaving: &Leaving<'_>, order: Order) -> anyhow::Result<Result<(), String>> {
        let default = || self.layout.key(leaving.session.as_str());
        let key = Bytes::from(leaving.kept.key.clone().unwrap_or_else(default));
        match &self.sink {
            Sink::Redis(..) => self.push(leaving, &key, order).await,
            Sink::Dump(_) => self.dump(leaving, &key, order).await,
        }
    }
}

/// A message as the layout's clients write it.
pub(super) fn translated(
    layout: &Layout,
    session: &SessionId,
    element: &Element,
    tally: &mut Tally,
) -> Bytes {
    let message: &Message = &element.message;
    if layout.profile().speaks(message.dialect()) {
        return message.payload().clone();
    }
    let translated = message.in_dialect(layout.profile().dialect());
    tally.translated += 1;
    for loss in translated.losses {
        *tally.losses.entry((loss.field, loss.why)).or_default() += 1;
    }
    layout.completed(session.as_str(), translated.payload, element.seq, element.created_at)
}
