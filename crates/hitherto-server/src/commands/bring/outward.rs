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
use hitherto::store::redis::foreign::ListEnd;
use hitherto::{ChatMemory, Description, Direction, Element, Message, Seq, SessionId, Timestamp};

use super::{Sink, reading, shown};
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
struct Tally {
    sessions: u64,
    written: u64,
    there: u64,
    translated: u64,
    refused: u64,
    losses: BTreeMap<(String, &'static str), u64>,
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
    let interrupt = Interrupt::on_signals()?;
    let listed = args.sessions.is_empty();
    let sessions =
        if listed { export::all(&Target::Store(memory.clone())).await? } else { args.sessions.clone() };
    let mut outward = Outward {
        memory,
        layout: &args.layout,
        sink,
        progress: Progress::new(out.look().progress, Unit::Messages(0)),
        tally: Tally::default(),
    };
    let mut whole = true;
    for session in &sessions {
        if interrupt.is_asked() {
            whole = false;
            break;
        }
        if let Err(why) = outward.session(session, listed).await.context("the export stopped")? {
            outward.tally.refused += 1;
            let text = format!("session {}: {why}", shown(session.as_str().as_bytes()));
            outward.progress.aside(|| out.note(&text));
        }
    }
    outward.progress.finish();
    let Outward { sink, tally, .. } = outward;
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
struct Leaving<'a> {
    session: &'a SessionId,
    kept: Kept,
    ttl: Option<Duration>,
}

struct Outward<'a> {
    memory: &'a ChatMemory,
    layout: &'a Layout,
    sink: Sink,
    progress: Progress,
    tally: Tally,
}

impl Outward<'_> {
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
    async fn page(
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
            Sink::Dump(_) => self.dump(leaving, &key, order).await.map(Ok),
        }
    }

    /// Pushes what a list has not yet.
    async fn push(
        &mut self,
        leaving: &Leaving<'_>,
        key: &Bytes,
        order: Order,
    ) -> anyhow::Result<Result<(), String>> {
        let Sink::Redis(writer, replace) = &self.sink else { return Ok(Ok(())) };
        let reader = writer.reader();
        let names = std::slice::from_ref(key);
        let about = reading(async || reader.about(names).await).await?.pop();
        let kind = about.map_or_else(|| "none".to_owned(), |about| about.kind);
        if kind != "none" && kind != "list" && !replace {
            return Ok(Err(format!("{} is there and is a {kind}; --replace writes over it", shown(key))));
        }
        let mut anew = *replace;
        let there =
            if anew || kind == "none" { 0 } else { reading(async || reader.length(key).await).await? };
        let end = if order == Order::NewestFirst { ListEnd::Head } else { ListEnd::Tail };
        let (mut from, mut at) = (Direction::After(0), 0_u64);
        loop {
            let (elements, next) = self.page(leaving.session, from).await?;
            let values: Vec<Bytes> = elements
                .iter()
                .map(|element| translated(self.layout, leaving.session, element, &mut self.tally))
                .collect();
            let known = usize::try_from(there.saturating_sub(at)).unwrap_or(usize::MAX).min(values.len());
            let (known, new) = values.split_at_checked(known).unwrap_or_default();
            if !known.is_empty() {
                let (first, last) = (signed(at), signed(at + known.len() as u64 - 1));
                let (first, last) =
                    if end == ListEnd::Head { (-last - 1, -first - 1) } else { (first, last) };
                let mut found = reading(async || reader.list(key, first, last).await).await?;
                if end == ListEnd::Head {
                    found.reverse();
                }
                if found != known {
                    let text = "is there and holds something else; --replace writes over it";
                    return Ok(Err(format!("{} {text}", shown(key))));
                }
                self.tally.there += known.len() as u64;
            }
            at += values.len() as u64;
            if !new.is_empty() {
                // Not tried again by itself: nobody knows whether it was pushed. The same command goes on with it.
                let pushed = writer.push(key, end, new, leaving.ttl, anew).await?;
                anew = false;
                self.tally.written += new.len() as u64;
                if pushed.length != at {
                    return Ok(Err(format!("somebody else writes to {}", shown(key))));
                }
            }
            self.progress.advance(values.len() as u64, shown(key));
            match next {
                Some(last) => from = Direction::After(last),
                None if there > at => {
                    return Ok(Err(format!(
                        "{} is there and has more elements than the session",
                        shown(key)
                    )));
                }
                None => return Ok(Ok(())),
            }
        }
    }

    /// Writes a list into a dump, from its head on.
    async fn dump(&mut self, leaving: &Leaving<'_>, key: &Bytes, order: Order) -> anyhow::Result<()> {
        let mut json = Vec::new();
        Key::write_head(key, "list", leaving.ttl, &mut json);
        json.push(b'[');
        let newest_first = order == Order::NewestFirst;
        let mut from = if newest_first { Direction::Before(u64::MAX) } else { Direction::After(0) };
        let mut begun = false;
        loop {
            let (mut elements, next) = self.page(leaving.session, from).await?;
            if newest_first {
                elements.reverse();
            }
            for element in &elements {
                if std::mem::replace(&mut begun, true) {
                    json.push(b',');
                } else if let Sink::Dump(dump) = &mut self.sink {
                    // Not before there is an element: an empty list is no key.
                    dump.separate()?;
                }
                Key::write_element(
                    &translated(self.layout, leaving.session, element, &mut self.tally),
                    &mut json,
                );
            }
            self.tally.written += elements.len() as u64;
            self.progress.advance(elements.len() as u64, shown(key));
            if next.is_none() {
                json.extend_from_slice(b"]}");
            }
            if let Sink::Dump(dump) = &mut self.sink
                && begun
            {
                dump.write(&std::mem::take(&mut json))?;
            }
            match next {
                Some(last) if newest_first => from = Direction::Before(last),
                Some(last) => from = Direction::After(last),
                None => return Ok(()),
            }
        }
    }

    /// Writes a key a message: first all of them are looked at, then written.
    async fn documents(&mut self, leaving: &Leaving<'_>) -> anyhow::Result<Result<(), String>> {
        let id = leaving.session.as_str();
        let index = (self.layout.profile().shape == Shape::Index).then(|| Bytes::from(self.layout.key(id)));
        for writes in [false, true] {
            let mut from = Direction::After(0);
            let mut tally = Tally::default();
            loop {
                let (elements, next) = self.page(leaving.session, from).await?;
                for element in &elements {
                    let payload = translated(self.layout, leaving.session, element, &mut tally);
                    let written = match self.layout.written(id, leaving.kept.key.as_deref(), &payload) {
                        Ok(written) => written,
                        Err(why) => {
                            return Ok(Err(format!("message {} cannot be written: {why}", element.seq)));
                        }
                    };
                    let member = index.clone().zip(written.member);
                    let member = member.map(|(name, member)| Key {
                        name,
                        ttl: None,
                        value: Value::Zset(vec![member]),
                    });
                    for key in written.keys.into_iter().chain(member) {
                        let key = Key { ttl: leaving.ttl, ..key };
                        if writes {
                            self.sink.put(&key).await?;
                        } else if let Err(why) = self.sink.check(&key).await? {
                            return Ok(Err(why));
                        }
                    }
                }
                if writes {
                    self.progress.advance(elements.len() as u64, shown(id.as_bytes()));
                    tally.written += elements.len() as u64;
                }
                match next {
                    Some(last) => from = Direction::After(last),
                    None => break,
                }
            }
            if writes {
                self.tally.written += tally.written;
                self.tally.translated += tally.translated;
                for (loss, number) in tally.losses {
                    *self.tally.losses.entry(loss).or_default() += number;
                }
            }
        }
        Ok(Ok(()))
    }
}

/// A message as the layout's clients write it.
fn translated(layout: &Layout, session: &SessionId, element: &Element, tally: &mut Tally) -> Bytes {
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

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
