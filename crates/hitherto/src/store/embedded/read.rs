//! Reading: a few connections beside the writer's, each read in one transaction.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};
use tokio::sync::Semaphore;

use super::schema::{self, Database};
use super::session::{self, SessionRow};
use super::{FileResult, Outcome, Range, Result, Slice, StoreError, message, signed};
use crate::session::SessionKey;
use crate::stats::Trip;
use crate::store::Entry;
use crate::time::Timestamp;
use crate::ttl::Restart;
use crate::window::{Cut, Step, Unfolded, Window};

/// Connections that read. Their number bounds the threads that reading takes.
#[derive(Debug)]
pub(super) struct Readers {
    database: Arc<Database>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

const READERS: usize = 4;

impl Readers {
    /// Opens the first; the others are opened when they are needed.
    pub(super) fn open(database: Arc<Database>) -> Result<Self> {
        let first = database.open_reader()?;
        Ok(Self {
            database,
            idle: Arc::new(Mutex::new(vec![first])),
            permits: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// Reads in one transaction, so that all of it is of one moment.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> FileResult<T> + Send + 'static,
    ) -> Result<T> {
        let deadline = self.database.options.deadline;
        let (database, idle) = (Arc::clone(&self.database), Arc::clone(&self.idle));
        let permits = Arc::clone(&self.permits);
        let reading = pin!(async move {
            let permit = permits.acquire_owned().await;
            let done = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                let pooled = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let pooled =
                    pooled.filter(|file| !database.options.read_only || !schema::sees_old_tables(file));
                let file = match pooled {
                    Some(file) => file,
                    None => database.open_reader()?,
                };
                let result = database.wrap(|| {
                    let moment = file.unchecked_transaction()?;
                    let found = work(&moment)?;
                    moment.commit()?;
                    Ok(found)
                });
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(file);
                result
            });
            done.await
        });
        let read = pin!(async {
            match tokio::time::timeout(deadline, reading).await {
                Ok(Ok(result)) => result,
                Ok(Err(stopped)) => {
                    Err(StoreError::Failed { store: self.database.name(), reason: stopped.to_string() })
                }
                Err(_) => Err(StoreError::TimedOut {
                    store: self.database.name(),
                    deadline,
                    outcome: Outcome::NotStored,
                }),
            }
        });
        self.database.traffic.trip(Trip::Read, || "read".to_owned(), read).await
    }
}

/// What a read found.
pub(super) enum Found<T> {
    /// What was looked for.
    There(T),
    /// The same, of a session whose clock this read restarts.
    Restarts(T),
}

/// What `look` sees of a session, as it is; nothing of an unknown one.
pub(super) fn read<T: Default>(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    look: impl FnOnce(&Connection, &SessionRow) -> FileResult<T>,
) -> FileResult<Found<T>> {
    let Some(row) = session::find(file, key, now)? else {
        return Ok(Found::There(T::default()));
    };
    let restarts = row.ttl.is_some_and(|ttl| ttl.restart() == Restart::Read);
    let seen = look(file, &row)?;
    Ok(if restarts { Found::Restarts(seen) } else { Found::There(seen) })
}

/// The same, restarting the session's clock.
pub(super) fn read_and_restart<T: Default>(
    file: &Connection,
    key: &SessionKey,
    now: Timestamp,
    look: impl FnOnce(&Connection, &SessionRow) -> FileResult<T>,
) -> FileResult<T> {
    let Some(mut row) = session::find(file, key, now)? else {
        return Ok(T::default());
    };
    row.restart(now);
    row.save(file)?;
    look(file, &row)
}

/// A part of a session.
pub(super) fn slice(file: &Connection, row: &SessionRow, range: Range) -> FileResult<Slice> {
    let entries = match range {
        Range::Unfolded(turns, extra) => {
            let unfolded = Unfolded { upto: row.folded.upto, extra };
            newest(file, row.id, Cut::new(Window::Turns(turns), Some(unfolded)))?
        }
        Range::Window(window) => newest(file, row.id, Cut::new(window, None))?,
        Range::After(seq, limit) => {
            let sql = format!(
                "SELECT {} FROM message WHERE session = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
                message::COLUMNS
            );
            places(file, &sql, row.id, seq, limit)?
        }
        Range::Before(seq, limit) => {
            let sql = format!(
                "SELECT {} FROM message WHERE session = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
                message::COLUMNS
            );
            let mut entries = places(file, &sql, row.id, seq, limit)?;
            entries.reverse();
            entries
        }
    };
    Ok(Slice { entries, base: row.base, last: row.last, deleted: row.deleted })
}

fn places(file: &Connection, sql: &str, session: i64, seq: u64, limit: u32) -> FileResult<Vec<Entry>> {
    let mut statement = file.prepare_cached(sql)?;
    let rows = statement.query_map(params![session, signed(seq), limit], message::entry)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The places from the newest back to where the cut is, oldest first.
fn newest(file: &Connection, session: i64, mut cut: Cut) -> FileResult<Vec<Entry>> {
    let mut done = false;
    let mut entries = message::newest_first(file, session, |entry| {
        if done {
            return None;
        }
        if let Ok(Some((seq, role, size))) =
            entry.as_ref().map(|entry| entry.live().map(|record| (entry.seq, record.role, record.size())))
        {
            match cut.step(seq, role, size) {
                Step::Inside => {}
                Step::First => done = true,
                Step::Outside => return None,
            }
        }
        Some(entry.map_err(Into::into))
    })?;
    entries.reverse();
    Ok(entries)
}
