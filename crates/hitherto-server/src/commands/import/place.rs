//! Which place of its session a line has, and so whether it is stored already.
//!
//! Line k of a session is its place k: so a file that is imported again, days later or after it was
//! interrupted, stores nothing twice. A file that was exported may leave out places whose messages were
//! deleted; where it goes back to the session it came from, its lines are at the places that they name.
//! Both are followed until one is contradicted; where both are, the session holds something else.

use hitherto::{Seq, SessionId};

use super::line::Line;
use super::places::Places;
use super::same::same;
use crate::target::{Target, TargetError};

/// How far a session of the file is.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// How many of its lines were seen.
    lines: u64,
    /// The newest place that the session has.
    pub(crate) last: Seq,
    /// Whether the lines so far can be places 1, 2, 3 …
    counted: bool,
    /// Whether the lines so far can be at the places that they name.
    named: bool,
    /// The place that the line before named.
    name: Seq,
    /// Why nothing more is imported into it.
    pub(crate) stopped: bool,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is stored already.
    There,
    /// It is the next of the session.
    Next,
    /// Something else stands at its place, which is this one.
    Different(Seq),
}

/// The walks over a session for some of its lines: one by count, one by name where that differs.
pub(crate) struct Walk<'a> {
    counted: Places<'a>,
    named: Places<'a>,
}

impl<'a> Walk<'a> {
    /// Begins where the next line stands.
    pub(crate) fn new(target: &'a Target, session: &'a SessionId) -> Self {
        Self { counted: Places::new(target, session), named: Places::new(target, session) }
    }
}

impl Standing {
    /// Before the first line of a session that has places up to `last`.
    pub(crate) fn new(last: Seq) -> Self {
        Self { lines: 0, last, counted: true, named: true, name: 0, stopped: false }
    }

    /// Takes the next line. After [`Verdict::Next`] the session counts as having it.
    ///
    /// # Errors
    /// If the session cannot be read.
    pub(crate) async fn take(&mut self, line: &Line, walk: &mut Walk<'_>) -> Result<Verdict, TargetError> {
        self.lines += 1;
        let (was_counted, was_named) = (self.counted, self.named && line.seq.is_some());
        let counted = match self.counted {
            true => verdict(self.lines, self.last, line, &mut walk.counted).await?,
            false => Verdict::Different(self.lines),
        };
        self.counted = !matches!(counted, Verdict::Different(_));
        let named = match line.seq.filter(|seq| self.named && *seq > self.name) {
            None => Verdict::Different(self.lines),
            Some(seq) => {
                self.name = seq;
                if seq == self.lines && self.counted {
                    counted
                } else {
                    verdict(seq, self.last, line, &mut walk.named).await?
                }
            }
        };
        self.named = !matches!(named, Verdict::Different(_));
        let verdict = match (self.counted, self.named) {
            (true, _) => counted,
            (false, true) => named,
            // Said in the terms of the line, if it names a place.
            (false, false) if was_counted && !was_named => counted,
            (false, false) => named,
        };
        match verdict {
            Verdict::Next => self.last += 1,
            Verdict::Different(_) => self.stopped = true,
            Verdict::There => {}
        }
        Ok(verdict)
    }
}

async fn verdict(
    place: Seq,
    last: Seq,
    line: &Line,
    places: &mut Places<'_>,
) -> Result<Verdict, TargetError> {
    if place > last {
        return Ok(if place == last + 1 { Verdict::Next } else { Verdict::Different(place) });
    }
    Ok(match places.at(place).await? {
        Some(stored) if !same(line, stored) => Verdict::Different(place),
        _ => Verdict::There,
    })
}
