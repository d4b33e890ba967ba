//! Writing: each function is one step of a transaction, done whole or not at all.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::session::{self, SessionRow};
use super::{
    Batch, Configure, Entry, FileError, FileResult, Pop, Receipt, Replaced, Seq, StoreError, due, message,
    signed, summary, sweep, unsigned, user,
};
use crate::record::Record;
use crate::retention::{Oldest, places_to_trim};
use crate::session::SessionKey;
use crate::store::{Change, Once};
use crate::time::Timestamp;
use crate::ttl::{Restart, TtlChange};
use crate::window::{Cut, Step, Window};

/// How long an idempotency key is remembered: 24 hours.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;

pub(super) fn append(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    batch: &Batch,
) -> FileResult<Receipt> {
    let mut row = session::find_or_create(file, key, now)?;
    let new_user = user::claim(&mut row, batch.user.as_ref())?;
    if let Some(once) = &batch.once
        && let Some(receipt) = repeat(file, &row, once, now)?
    {
        return Ok(receipt);
    }
    if batch.once.as_ref().is_some_and(|once| once.only) {
        return Err(FileError::Store(StoreError::OnceUnknown));
    }
    let first_seq = row.last + 1;
    for record in &batch.records {
        row.last += 1;
        message::put(file, row.id, row.last, record)?;
        row.turns += u64::from(record.begins_turn());
        row.bytes += record.size() as u64;
    }
    set(&mut row.max_messages, &batch.max_messages);
    row.written(now, append_ttl(&row, batch.ttl, now));
    trim(file, &mut row)?;
    row.save(file)?;
    if new_user {
        user::save(file, &row)?;
    }
    let first_id = batch.records.first().map(|record| record.id).unwrap_or_default();
    if let Some(once) = &batch.once {
        remember(file, &row, once, first_seq, first_id, now)?;
    }
    let due = row.is_due(batch.hint);
    if due {
        due::mark(file, row.id, now)?;
    }
    let messages = batch.count.then(|| row.held());
    Ok(Receipt { first_seq, first_id, repeated: false, due, messages })
}

/// What an append's change of the time to live comes to: repeating one whose clock never restarts keeps it.
fn append_ttl(row: &SessionRow, change: TtlChange, now: Timestamp) -> TtlChange {
    match change {
        TtlChange::Set(ttl)
            if ttl.restart() == Restart::Never
                && row.ttl == Some(ttl)
                && row.expires_at.is_some_and(|end| end > now) =>
        {
            TtlChange::Keep
        }
        change => change,
    }
}

fn set<T: Clone>(value: &mut Option<T>, change: &Change<T>) {
    match change {
        Change::Keep => {}
        Change::Set(new) => *value = Some(new.clone()),
        Change::Remove => *value = None,
    }
}

fn repeat(file: &Connection, row: &SessionRow, once: &Once, now: Timestamp) -> FileResult<Option<Receipt>> {
    let found = file
        .prepare_cached(
            "SELECT fingerprint, first_seq, first_id FROM once
             WHERE session = ?1 AND key = ?2 AND expires_at > ?3",
        )?
        .query_row(params![row.id, once.key, now.as_millis()], |found| {
            Ok((found.get::<_, [u8; 16]>(0)?, found.get(1)?, found.get::<_, [u8; 16]>(2)?))
        })
        .optional()?;
    match found {
        None => Ok(None),
        Some((fingerprint, _, _)) if fingerprint != *once.fingerprint.as_bytes() => {
            Err(FileError::Store(StoreError::OnceMismatch))
        }
        Some((_, first_seq, first_id)) => Ok(Some(Receipt {
            first_seq: unsigned(first_seq),
            first_id: Uuid::from_bytes(first_id),
            repeated: true,
            due: false,
            messages: None,
        })),
    }
}

fn remember(
    file: &Connection,
    row: &SessionRow,
    once: &Once,
    first_seq: Seq,
    first_id: Uuid,
    now: Timestamp,
) -> FileResult<()> {
    file.prepare_cached(
        "INSERT OR REPLACE INTO once (session, key, fingerprint, first_seq, first_id, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        row.id,
        once.key,
        once.fingerprint.as_bytes(),
        signed(first_seq),
        first_id.as_bytes(),
        now.plus_millis(REMEMBERED_MS).as_millis(),
    ])?;
    Ok(())
}

/// Removes the oldest turns of a session that holds more than its maximum.
fn trim(file: &Connection, row: &mut SessionRow) -> FileResult<()> {
    let excess = row.max_messages.map_or(0, |max| row.held().saturating_sub(max));
    if excess == 0 {
        return Ok(());
    }
    let sql = format!("SELECT {} FROM message WHERE session = ?1 ORDER BY seq", message::COLUMNS);
    let mut statement = file.prepare_cached(&sql)?;
    let mut passed = Vec::new();
    let oldest = statement.query_map([row.id], message::entry)?.map(|entry| {
        let entry = entry?;
        let counts = entry.record.as_ref().map_or(true, |record| record.message.is_some());
        let begins_turn = entry.live().is_some_and(Record::begins_turn);
        let size = entry.record.as_ref().map_or(0, Record::size) as u64;
        passed.push((entry.seq, counts, begins_turn, size));
        Ok::<_, rusqlite::Error>(Oldest { counts, begins_turn })
    });
    let places = places_to_trim(excess, oldest)?;
    let mut covered = false;
    for (seq, counts, begins_turn, size) in passed.into_iter().take(places) {
        row.base = seq;
        row.deleted -= u64::from(!counts).min(row.deleted);
        row.turns -= u64::from(begins_turn).min(row.turns);
        row.bytes -= size.min(row.bytes);
        if seq <= row.folded.upto {
            covered = true;
            row.folded.turns -= u64::from(begins_turn).min(row.folded.turns);
            row.folded.bytes -= size.min(row.folded.bytes);
        }
    }
    if covered {
        row.folded.save(file, row.id)?;
    }
    file.prepare_cached("DELETE FROM message WHERE session = ?1 AND seq <= ?2")?
        .execute(params![row.id, signed(row.base)])?;
    user::note_removal(file, row)
}

pub(super) fn replace(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    seq: Seq,
    old: &Record,
    new: &Record,
) -> FileResult<Replaced> {
    let Some(mut row) = session::find(file, key, now)? else {
        return Ok(Replaced::Changed);
    };
    let sql = format!("SELECT {} FROM message WHERE session = ?1 AND seq = ?2", message::COLUMNS);
    let found =
        file.prepare_cached(&sql)?.query_row(params![row.id, signed(seq)], message::entry).optional()?;
    if found.is_none_or(|entry| entry.record.as_ref() != Ok(old)) {
        return Ok(Replaced::Changed);
    }
    put_over(file, &mut row, seq, old, new)?;
    summary::changed(file, &mut row, seq, now)?;
    row.written(now, TtlChange::Keep);
    row.save(file)?;
    Ok(Replaced::Done)
}

/// Puts one record in the place of another and keeps the counts right.
fn put_over(file: &Connection, row: &mut SessionRow, seq: Seq, old: &Record, new: &Record) -> FileResult<()> {
    message::put(file, row.id, seq, new)?;
    let gone = |record: &Record| u64::from(record.message.is_none());
    row.deleted = (row.deleted + gone(new)).saturating_sub(gone(old));
    row.turns = (row.turns + u64::from(new.begins_turn())).saturating_sub(u64::from(old.begins_turn()));
    row.bytes = (row.bytes + new.size() as u64).saturating_sub(old.size() as u64);
    user::note_removal(file, row)
}

pub(super) fn pop(file: &Connection, key: &SessionKey, now: Timestamp, what: Pop) -> FileResult<Vec<Entry>> {
    let Some(mut row) = session::find(file, key, now)? else {
        return Ok(Vec::new());
    };
    let (mut cut, mut done) = (Cut::new(Window::Turns(1), None), false);
    let mut popped = message::newest_first(file, row.id, |entry| {
        if done {
            return None;
        }
        if let Ok(entry) = &entry
            && let Some(record) = entry.live()
        {
            done = what == Pop::Message || cut.step(entry.seq, record.role, record.size()) == Step::First;
        }
        Some(entry.map_err(Into::into))
    })?;
    popped.retain(|entry| entry.live().is_some());
    popped.reverse();
    for entry in &popped {
        if let Ok(record) = &entry.record {
            put_over(file, &mut row, entry.seq, record, &record.deleted())?;
        }
    }
    if let Some(oldest) = popped.first() {
        summary::changed(file, &mut row, oldest.seq, now)?;
        row.written(now, TtlChange::Keep);
        row.save(file)?;
    }
    Ok(popped)
}

pub(super) fn fork(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    to: &SessionKey,
    upto: Option<Seq>,
) -> FileResult<Seq> {
    let from = session::find(file, key, now)?.ok_or(StoreError::NoSession)?;
    let upto = upto.unwrap_or(from.last);
    if upto <= from.base || upto > from.last {
        return Err(FileError::Store(StoreError::NoMessage(upto)));
    }
    if session::find(file, to, now)?.is_some() {
        return Err(FileError::Store(StoreError::SessionExists));
    }
    let mut row = SessionRow {
        id: session::find_or_create(file, to, now)?.id,
        last: upto,
        created_at: now,
        deleted: 0,
        turns: 0,
        bytes: 0,
        ..from.clone()
    };
    file.prepare_cached(
        "INSERT INTO message SELECT ?1, seq, role, dialect, own, id, created_at, edited_at, json
         FROM message WHERE session = ?2 AND seq <= ?3",
    )?
    .execute(params![row.id, from.id, signed(upto)])?;
    let sql = format!("SELECT {} FROM message WHERE session = ?1", message::COLUMNS);
    let mut statement = file.prepare_cached(&sql)?;
    for entry in statement.query_map([row.id], message::entry)? {
        if let Ok(record) = entry?.record {
            row.deleted += u64::from(record.message.is_none());
            row.turns += u64::from(record.begins_turn());
            row.bytes += record.size() as u64;
        }
    }
    row.updated_at = now;
    row.restart(now);
    row.save(file)?;
    user::save(file, &row)?;
    summary::copy(file, &from, &mut row)?;
    Ok(upto)
}

pub(super) fn clear(file: &Connection, key: &SessionKey, now: Timestamp) -> FileResult<Option<u64>> {
    let Some(row) = session::find(file, key, now)? else {
        return Ok(None);
    };
    sweep::remove(file, &row)?;
    Ok(Some(row.held()))
}

pub(super) fn configure(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    change: &Configure,
) -> FileResult<()> {
    let mut row = session::find(file, key, now)?.ok_or(StoreError::NoSession)?;
    set(&mut row.max_messages, &change.max_messages);
    set(&mut row.metadata, &change.metadata);
    let own = match &change.policy {
        Change::Keep => None,
        Change::Set((policy, hint)) => Some((Some(policy), Some(*hint))),
        Change::Remove => Some((None, None)),
    };
    if let Some((policy, hint)) = own {
        // Numbers and booleans are always JSON.
        row.folded.policy = policy.and_then(|policy| serde_json::to_string(policy).ok());
        row.folded.hint = hint;
        row.folded.save(file, row.id)?;
    }
    row.written(now, change.ttl);
    trim(file, &mut row)?;
    row.save(file)
}
