//! Summaries: the current one and the one before, in rows of their own.
//!
//! Invariant: `summary_upto` of a session is the watermark of its current summary, 0 without one. What the summary
//! covers of what is held, in turns and bytes, stands in the session's row too, so that an append sees it.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::session::{self, Folded, SessionRow};
use super::{Commit, Committed, FileResult, Seq, SummaryState, due, lease, message, signed, unsigned};
use crate::record::Record;
use crate::session::SessionKey;
use crate::summary::Summary;
use crate::time::Timestamp;

const CURRENT: &str = "current";
const PREVIOUS: &str = "previous";

/// What is known of a session's summary.
pub(super) fn state(file: &Connection, row: &SessionRow) -> FileResult<SummaryState> {
    let [mut current, previous] = both(file, row.id)?;
    if let Some(current) = &mut current {
        // What a maximum has removed since is no longer among what it covers.
        (current.turns, current.bytes) = (row.folded.turns, row.folded.bytes);
    }
    Ok(SummaryState {
        current,
        previous,
        stale: row.folded.stale,
        policy: row.folded.policy(),
        turns: row.turns,
        bytes: row.bytes,
    })
}

/// The id of a session's summary.
pub(super) fn current_id(file: &Connection, session: i64) -> FileResult<Option<Uuid>> {
    let id: Option<[u8; 16]> = file
        .prepare_cached("SELECT id FROM summary WHERE session = ?1 AND place = ?2")?
        .query_row(params![session, CURRENT], |row| row.get(0))
        .optional()?;
    Ok(id.map(Uuid::from_bytes))
}

/// The current summary and the one before.
fn both(file: &Connection, session: i64) -> FileResult<[Option<Summary>; 2]> {
    let mut both = [None, None];
    let mut statement = file.prepare_cached(
        "SELECT id, text, upto, tokens, made_by, stand_in, made_at, turns, bytes, place
         FROM summary WHERE session = ?1",
    )?;
    for found in statement.query_map([session], |row| Ok((from_row(row)?, row.get::<_, String>(9)?)))? {
        let (summary, place) = found?;
        let [current, previous] = &mut both;
        let place = if place == CURRENT { current } else { previous };
        *place = Some(summary);
    }
    Ok(both)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Summary> {
    Ok(Summary {
        id: Uuid::from_bytes(row.get(0)?),
        text: row.get(1)?,
        upto: unsigned(row.get(2)?),
        tokens: unsigned(row.get(3)?),
        by: row.get(4)?,
        stand_in: row.get(5)?,
        made_at: Timestamp::from_millis(row.get(6)?),
        turns: unsigned(row.get(7)?),
        bytes: unsigned(row.get(8)?),
    })
}

fn put(file: &Connection, session: i64, place: &str, summary: Option<&Summary>) -> FileResult<()> {
    let Some(summary) = summary else {
        let sql = "DELETE FROM summary WHERE session = ?1 AND place = ?2";
        file.prepare_cached(sql)?.execute(params![session, place])?;
        return Ok(());
    };
    file.prepare_cached(
        "INSERT OR REPLACE INTO summary
            (session, place, id, text, upto, tokens, made_by, stand_in, made_at, turns, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        session,
        place,
        summary.id.as_bytes(),
        summary.text,
        signed(summary.upto),
        signed(summary.tokens),
        summary.by,
        summary.stand_in,
        summary.made_at.as_millis(),
        signed(summary.turns),
        signed(summary.bytes),
    ])?;
    Ok(())
}

/// Puts a summary in the place of the one that is expected there.
pub(super) fn commit(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    commit: &Commit,
) -> FileResult<Committed> {
    let Some(mut row) = session::find(file, key, now)? else {
        return Ok(Committed::Changed);
    };
    let good = match commit.lease {
        Some(token) => lease::is_good(file, row.id, token)?,
        None => true,
    };
    if !good || commit.summary.upto > row.last || current_id(file, row.id)? != commit.expected {
        return Ok(Committed::Changed);
    }
    put(file, row.id, CURRENT, Some(&commit.summary))?;
    put(file, row.id, PREVIOUS, commit.previous.as_ref())?;
    row.folded = Folded {
        upto: commit.summary.upto,
        turns: commit.summary.turns,
        bytes: commit.summary.bytes,
        stale: commit.stale,
        failures: commit.failures,
        ..row.folded
    };
    row.folded.save(file, row.id)?;
    Ok(Committed::Done)
}

/// Notes that `seq`, or it and newer messages, were changed.
pub(super) fn changed(file: &Connection, row: &mut SessionRow, seq: Seq, now: Timestamp) -> FileResult<()> {
    let covered = seq <= row.folded.upto;
    if covered {
        row.folded.stale = true;
        row.folded.save(file, row.id)?;
        due::mark(file, row.id, now)?;
    }
    lease::note_change(file, row.id, seq, covered)
}

/// Gives a copy of a session the summaries that do not cover more than it has.
pub(super) fn copy(file: &Connection, from: &SessionRow, to: &mut SessionRow) -> FileResult<()> {
    let [current, previous] =
        both(file, from.id)?.map(|summary| summary.filter(|summary| summary.upto <= to.last));
    to.folded.failures = 0;
    match (current, previous) {
        (Some(current), previous) => {
            put(file, to.id, CURRENT, Some(&current))?;
            put(file, to.id, PREVIOUS, previous.as_ref())?;
        }
        (None, Some(previous)) => {
            put(file, to.id, CURRENT, Some(&previous))?;
            to.folded.upto = previous.upto;
            (to.folded.turns, to.folded.bytes) = covered(file, to.id, previous.upto)?;
        }
        (None, None) => {
            let (policy, hint) = (to.folded.policy.take(), to.folded.hint);
            to.folded = Folded { policy, hint, ..Folded::default() };
        }
    }
    to.folded.save(file, to.id)
}

/// How many turns begin among the messages up to a number, and the size of their records.
fn covered(file: &Connection, session: i64, upto: Seq) -> FileResult<(u64, u64)> {
    let sql = format!("SELECT {} FROM message WHERE session = ?1 AND seq <= ?2", message::COLUMNS);
    let mut statement = file.prepare_cached(&sql)?;
    let (mut turns, mut bytes) = (0, 0);
    for entry in statement.query_map(params![session, signed(upto)], message::entry)? {
        if let Ok(record) = entry?.record {
            turns += u64::from(record.begins_turn());
            bytes += Record::size(&record) as u64;
        }
    }
    Ok((turns, bytes))
}
