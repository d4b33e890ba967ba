//! The one thread that writes: it takes what is waiting, does it in one transaction, commits once, and only
//! then answers (I1). While the disk is busy with one commit, the next group gathers.

use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Savepoint, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::schema::Database;
use super::{FileError, FileResult, Outcome, Result, StoreError, sweep};
use crate::stats::Trip;
use crate::time::Timestamp;

/// How many writes may wait; further callers wait for a place, within their deadline.
const WAITING: usize = 1024;
/// How many writes go into one commit at most.
const GROUP: usize = 256;
/// How often a quiet store looks for what has expired.
const IDLE: Duration = Duration::from_secs(5);

/// The writing thread, and the way to it. Dropping it finishes what waits and joins the thread.
#[derive(Debug)]
pub(super) struct Writer {
    database: Arc<Database>,
    jobs: Option<mpsc::Sender<Job>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

/// A write that waits: its time, if it has one, what it does, whether that is no part of a transaction, and its place
/// among those that wait.
struct Job {
    now: Option<Timestamp>,
    work: Box<dyn Work>,
    alone: bool,
    _place: OwnedSemaphorePermit,
}

/// A write, in two steps: done inside the transaction, answered after the commit.
trait Work: Send {
    fn start(&mut self, file: &mut Connection) -> FileResult<()>;
    fn start_alone(&mut self, file: &Connection);
    fn answer(self: Box<Self>, committed: std::result::Result<(), StoreError>);
}

struct Task<F, T> {
    state: Arc<AtomicU8>,
    work: Option<F>,
    result: Option<Result<T>>,
    database: Arc<Database>,
    reply: oneshot::Sender<Result<T>>,
}

const WAITS: u8 = 0;
const RUNS: u8 = 1;
const GIVEN_UP: u8 = 2;

impl<F, T> Work for Task<F, T>
where
    F: FnOnce(&Connection) -> FileResult<T> + Send,
    T: Send,
{
    /// Fails only with what stops the whole group; a write that fails by itself undoes itself.
    fn start(&mut self, file: &mut Connection) -> FileResult<()> {
        let Some(work) = self.begin() else {
            return Ok(());
        };
        let step = SavepointGuard::begin(file)?;
        match work(step.file()) {
            Ok(done) => {
                step.keep()?;
                self.result = Some(Ok(done));
            }
            // A disk that is full or fails may have ended the transaction of the whole group.
            Err(error) if step.undo().is_err() => return Err(error),
            Err(error) => {
                self.result = Some(Err(self.database.explain(error)));
            }
        }
        Ok(())
    }

    fn start_alone(&mut self, file: &Connection) {
        if let Some(work) = self.begin() {
            self.result = Some(self.database.wrap(|| work(file)));
        }
    }

    fn answer(self: Box<Self>, committed: std::result::Result<(), StoreError>) {
        if let Some(result) = self.result {
            // Nobody waits any more where the deadline has passed.
            let _ = self.reply.send(committed.and(result));
        } else if let Err(error) = committed {
            let _ = self.reply.send(Err(error));
        }
    }
}

impl<F, T> Task<F, T> {
    /// What is to be done, unless whoever waited for it has given up.
    fn begin(&mut self) -> Option<F> {
        let waits = self.state.compare_exchange(WAITS, RUNS, Ordering::AcqRel, Ordering::Acquire).is_ok();
        self.work.take().filter(|_| waits)
    }
}

/// One write inside the group's transaction.
struct SavepointGuard<'a>(Savepoint<'a>);

impl<'a> SavepointGuard<'a> {
    fn begin(file: &'a mut Connection) -> FileResult<Self> {
        Ok(Self(file.savepoint_with_name("write")?))
    }

    fn file(&self) -> &Connection {
        &self.0
    }

    fn keep(self) -> FileResult<()> {
        Ok(self.0.commit()?)
    }

    fn undo(mut self) -> FileResult<()> {
        self.0.rollback()?;
        Ok(self.0.commit()?)
    }
}

impl Writer {
    /// Opens the file for writing and starts the thread.
    pub(super) fn start(database: Arc<Database>) -> Result<Self> {
        let mut file = database.open_writer()?;
        let (jobs, waiting) = mpsc::channel();
        let for_thread = Arc::clone(&database);
        let thread = std::thread::Builder::new()
            .name("hitherto-writer".to_owned())
            .spawn(move || write_all(&for_thread, &mut file, &waiting))
            .map_err(|error| StoreError::Failed { store: database.name(), reason: error.to_string() })?;
        let places = Arc::new(Semaphore::new(WAITING));
        Ok(Self { database, jobs: Some(jobs), places, thread: Some(thread) })
    }

    /// Does a write and waits until it is on disk. Its time tells how late it is by the callers' clock.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        now: impl Into<Option<Timestamp>>,
        work: impl FnOnce(&Connection) -> FileResult<T> + Send + 'static,
    ) -> Result<T> {
        self.send(now.into(), false, work).await
    }

    /// Does something to the file that cannot be part of a transaction, between two groups of writes.
    pub(super) async fn run_alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> FileResult<T> + Send + 'static,
    ) -> Result<T> {
        self.send(None, true, work).await
    }

    async fn send<T: Send + 'static>(
        &self,
        now: Option<Timestamp>,
        alone: bool,
        work: impl FnOnce(&Connection) -> FileResult<T> + Send + 'static,
    ) -> Result<T> {
        let deadline = self.database.options.deadline;
        let state = Arc::new(AtomicU8::new(WAITS));
        let running = Arc::clone(&state);
        let writing = pin!(async {
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| self.stopped())?;
            let (reply, answer) = oneshot::channel();
            let database = Arc::clone(&self.database);
            let task = Task { state: running, work: Some(work), result: None, database, reply };
            let job = Job { now, work: Box::new(task), alone, _place: place };
            let jobs = self.jobs.as_ref().ok_or_else(|| self.stopped())?;
            jobs.send(job).map_err(|_| self.stopped())?;
            answer.await.map_err(|_| self.stopped())?
        });
        let written = pin!(async {
            match tokio::time::timeout(deadline, writing).await {
                Ok(result) => result,
                Err(_) => {
                    let given_up =
                        state.compare_exchange(WAITS, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire).is_ok();
                    let outcome = if given_up { Outcome::NotStored } else { Outcome::Unknown };
                    Err(StoreError::TimedOut { store: self.database.name(), deadline, outcome })
                }
            }
        });
        self.database.traffic.trip(Trip::Write, || "write".to_owned(), written).await
    }

    /// Fails if the thread has died, which is a defect: nothing is written any more, though all can be read.
    pub(super) fn check(&self) -> Result<()> {
        match &self.thread {
            Some(thread) if thread.is_finished() => Err(self.stopped()),
            _ => Ok(()),
        }
    }

    fn stopped(&self) -> StoreError {
        StoreError::Failed { store: self.database.name(), reason: "its writer has stopped".to_owned() }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread of the embedded store had died");
        }
    }
}

/// The thread: groups of writes until nobody is left to send any.
fn write_all(database: &Database, file: &mut Connection, waiting: &mpsc::Receiver<Job>) {
    let mut last: Option<(Timestamp, Instant)> = None;
    let mut wait = IDLE;
    let mut next: Option<Job> = None;
    loop {
        let first = match next.take().map_or_else(|| waiting.recv_timeout(wait), Ok) {
            Ok(mut job) if job.alone => {
                job.work.start_alone(file);
                job.work.answer(Ok(()));
                continue;
            }
            Ok(job) => job,
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                wait = if sweep_now(database, file, last) { Duration::ZERO } else { IDLE };
                continue;
            }
        };
        wait = IDLE;
        last = first.now.map(|now| (now, Instant::now())).or(last);
        let mut group = vec![first];
        let committed = commit_group(file, waiting, &mut group, &mut next).map_err(|error| {
            let error = match database.explain(error) {
                // How much of it is on the disk nobody can say.
                StoreError::Disk { store, reason, .. } => {
                    StoreError::Disk { store, reason, outcome: Outcome::Unknown }
                }
                error => error,
            };
            tracing::warn!(writes = group.len(), %error, "a commit of the embedded store failed");
            error
        });
        for job in group {
            job.work.answer(committed.clone());
        }
    }
    // Leaves one file behind rather than three.
    if let Err(error) = file.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
        tracing::debug!(%error, "the embedded store's journal stays beside it");
    }
}

fn commit_group(
    file: &mut Connection,
    waiting: &mpsc::Receiver<Job>,
    group: &mut Vec<Job>,
    after: &mut Option<Job>,
) -> FileResult<()> {
    file.execute_batch("BEGIN IMMEDIATE")?;
    let done = (|| {
        let mut next = 0;
        while let Some(job) = group.get_mut(next) {
            job.work.start(file)?;
            next += 1;
            if next == group.len()
                && next < GROUP
                && let Ok(job) = waiting.try_recv()
            {
                if job.alone {
                    *after = Some(job);
                    break;
                }
                group.push(job);
            }
        }
        file.execute_batch("COMMIT")?;
        Ok::<_, FileError>(())
    })();
    if done.is_err() && !file.is_autocommit() {
        file.execute_batch("ROLLBACK")?;
    }
    done
}

/// Removes a piece of what has expired by now: the time of the last call, and what has passed since.
/// The callers' clock rules, so that a store never removes what they still see.
fn sweep_now(database: &Database, file: &mut Connection, last: Option<(Timestamp, Instant)>) -> bool {
    let now = last.map_or_else(Timestamp::now, |(time, since)| time.plus(since.elapsed()));
    let swept = (|| {
        let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let more = sweep::sweep(&change, now)?;
        change.commit()?;
        Ok::<_, FileError>(more)
    })();
    swept.unwrap_or_else(|error| {
        tracing::debug!(error = %database.explain(error), "nothing swept from the embedded store");
        false
    })
}

#[cfg(test)]
mod tests {
    use crate::store::embedded::{EmbeddedOptions, EmbeddedStore, FileResult};
    use crate::store::{Store as _, StoreError};

    /// Reads go on without the writer, so a look at them alone would not find out.
    #[tokio::test]
    async fn a_store_whose_writer_has_died_does_not_say_that_it_answers() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(EmbeddedOptions::new(folder.path().join("chat.db"))).unwrap();
        store.ping().await.unwrap();
        let died = store.writer().unwrap().run(None, |_| -> FileResult<()> { panic!("on purpose") }).await;
        assert!(matches!(died, Err(StoreError::Failed { .. })), "{died:?}");
        // The thread ends right after whoever waited for it is told.
        let found = loop {
            match store.ping().await {
                Ok(()) => tokio::task::yield_now().await,
                Err(error) => break error,
            }
        };
        assert!(matches!(found, StoreError::Failed { .. }), "{found:?}");
    }
}
