//! The worker: folds the sessions that are due, a few at a time, while others read and write.
//!
//! Invariants: the due-list is in the store, so a worker that dies forgets nothing; a session that needs much
//! work waits behind the others after each few portions; nothing here is waited for by an append or a read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::{Effort, Folded, Folder, Resting, Summaries};
use crate::store::{At, Claim, Store, StoreError};
use crate::time::{Clock, Timestamp};

/// How many summaries of one session are committed before others have their turn.
const COMMITS: u32 = 4;
/// How long a session waits that another server is folding, or that the store could not tell about.
const SOON: Duration = Duration::from_secs(5);
/// How far ahead one pass looks: as far as the stores put off what may be due.
const AHEAD: Duration = Duration::from_secs(90);
/// How long a claim holds beyond the lease under which its session is folded.
const CLAIM_SPARE: Duration = Duration::from_secs(60);

/// Folds what is due, until it is stopped or dropped.
#[derive(Debug)]
pub struct Worker {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

/// What one pass over the due-list did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Pass {
    /// How many sessions it looked at.
    pub looked: u64,
    /// How many of them have a newer summary.
    pub folded: u64,
    /// How many failed, and are due again later.
    pub failed: u64,
}

/// What the worker's tasks share.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) summaries: Arc<Summaries>,
    pub(crate) resting: Resting,
}

impl Worker {
    pub(crate) fn start(work: Work) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(watched(Arc::new(work), stopped));
        Self { stop, task: Some(task) }
    }

    /// Claims nothing more, waits for what is being folded until `grace` is over, and leaves the rest: its sessions
    /// are due again, for whoever comes next.
    pub async fn stop(mut self, grace: Duration) {
        // Nobody listens where the task has ended.
        let _ = self.stop.send(true);
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(grace, &mut task).await.is_err()
        {
            tracing::info!("folds that were not finished are left to be done again");
            task.abort();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Works until it is told to stop, and is loud where that ends by a defect: then nothing is folded any more.
async fn watched(work: Arc<Work>, stopped: watch::Receiver<bool>) {
    let folding = Arc::clone(&work.summaries.stats);
    // Whoever ends this task ends that one.
    let mut worker = JoinSet::new();
    worker.spawn(run(work, stopped));
    if worker.join_next().await.is_some_and(|ended| ended.is_err_and(|error| error.is_panic())) {
        folding.worker_died();
        tracing::error!("the worker that folds has died by a defect; nothing is folded until a restart");
    }
}

/// When a session is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// When something is appended to it.
    Never,
    /// At once, after others that wait.
    Now,
    /// Then.
    At(Timestamp),
}

async fn run(work: Arc<Work>, mut stopped: watch::Receiver<bool>) {
    let mut folding = JoinSet::new();
    let mut silent = false;
    while !*stopped.borrow() {
        let claimed = work.claim(work.clock.now(), folding.len()).await;
        let found = claimed.as_ref().is_ok_and(|claims| !claims.is_empty());
        match claimed {
            Ok(claims) => {
                silent = false;
                for claim in claims {
                    folding.spawn(Arc::clone(&work).fold(claim));
                }
            }
            // Said once, not at every look, while the store is away.
            Err(error) if !silent => {
                silent = true;
                tracing::warn!(%error, "the due-list cannot be read; nothing is folded until it can");
            }
            Err(_) => {}
        }
        let full = folding.len() >= work.most();
        if found && !full {
            continue;
        }
        tokio::select! {
            _ = stopped.changed() => {}
            Some(done) = folding.join_next(), if !folding.is_empty() => died(&work, done),
            () = work.summaries.due.notified(), if !full => {}
            () = tokio::time::sleep(work.summaries.options.poll), if !full => {}
        }
    }
    while let Some(done) = folding.join_next().await {
        died(&work, done);
    }
}

/// A fold that ended by a panic is a defect (a summariser's is caught where it is asked); the claim ends by itself.
fn died(work: &Work, done: Result<(), tokio::task::JoinError>) {
    if done.is_err_and(|error| error.is_panic()) {
        work.summaries.stats.died.one();
        // What a panic says may quote what it was about.
        tracing::error!("a fold died; its session is due again when its claim ends");
    }
}

impl Work {
    /// How many sessions are folded at a time.
    fn most(&self) -> usize {
        self.summaries.options.concurrency.max(1)
    }

    /// Takes as many of the sessions that are due by `now` as may be folded beside those that are being folded.
    async fn claim(&self, now: Timestamp, folding: usize) -> Result<Vec<Claim>, StoreError> {
        let limit = u32::try_from(self.most().saturating_sub(folding)).unwrap_or(u32::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let until = now.plus(self.summaries.options.lease + CLAIM_SPARE);
        self.store.claim_due(now, until, limit).await
    }

    /// Folds everything on the due-list once.
    pub(crate) async fn pass(self) -> Result<Pass, StoreError> {
        let work = Arc::new(self);
        let mut pass = Pass::default();
        // What is put off meanwhile is put off beyond this pass.
        let horizon = work.clock.now().plus(AHEAD);
        let mut folding = JoinSet::new();
        loop {
            for claim in work.claim(horizon, folding.len()).await? {
                pass.looked += 1;
                folding.spawn(Arc::clone(&work).finish(claim, horizon));
            }
            match folding.join_next().await {
                None => return Ok(pass),
                Some(Ok((folded, done))) => {
                    pass.folded += u64::from(folded);
                    pass.failed += u64::from(!done);
                }
                Some(Err(_)) => pass.failed += 1,
            }
        }
    }

    /// Folds a claimed session to its end, and says whether its summary is a newer one, and whether all succeeded.
    /// One that did not is due again after `horizon`.
    async fn finish(self: Arc<Self>, claim: Claim, horizon: Timestamp) -> (bool, bool) {
        let mut folded = false;
        loop {
            let (commits, again) = self.fold_claimed(&claim).await;
            folded |= commits > 0;
            match again {
                Again::Never => {
                    return (folded, self.store.settle(&claim, None).await.is_ok());
                }
                Again::Now => {}
                Again::At(time) => {
                    let later = time.max(horizon.plus(Duration::from_millis(1)));
                    // Settled or not, it did not succeed.
                    let _ = self.store.settle(&claim, Some(later)).await;
                    return (folded, false);
                }
            }
        }
    }

    /// Folds a claimed session, and says when it is due again.
    async fn fold(self: Arc<Self>, claim: Claim) {
        let (_, again) = self.fold_claimed(&claim).await;
        let again = match again {
            Again::Never => self.once_more(&claim).await,
            Again::Now => Some(self.clock.now()),
            Again::At(time) => Some(time),
        };
        if let Err(error) = self.store.settle(&claim, again).await {
            // The claim ends by itself, and the session is looked at again.
            let session = &claim.key.session;
            tracing::debug!(%session, %error, "a session stays claimed until its claim ends");
        }
    }

    /// When a session with nothing to fold is looked at all the same. A store may tell its list late of a session
    /// that is active, and the process that should have told may die before: so an active one stays on the list.
    async fn once_more(&self, claim: &Claim) -> Option<Timestamp> {
        let now = self.clock.now();
        match self.store.describe(At { key: &claim.key, now }).await {
            Ok(found) => found.map(|found| found.updated_at.plus(AHEAD)).filter(|again| *again > now),
            Err(_) => Some(now.plus(SOON)),
        }
    }

    /// Folds a claimed session, and says how many times its summary was committed, as far as is known, and when it is
    /// due again.
    async fn fold_claimed(&self, claim: &Claim) -> (u32, Again) {
        let folder = Folder { store: &*self.store, clock: &self.clock, summaries: &self.summaries };
        let session = &claim.key.session;
        if let Some(until) = self.resting.until(&claim.key, self.clock.now()) {
            return (0, Again::At(until));
        }
        let folded = folder.fold(&claim.key, Effort { forced: false, commits: COMMITS }).await;
        let now = self.clock.now();
        let commits = match &folded {
            Ok(Folded::Done(commits) | Folded::More(commits)) => *commits,
            _ => 0,
        };
        let again = match folded {
            Ok(Folded::Done(commits)) => {
                self.resting.wake(&claim.key);
                self.summaries.stats.behind.caught_up(&claim.key);
                if commits > 0 {
                    tracing::debug!(%session, commits, "folded");
                }
                Again::Never
            }
            Ok(Folded::More(_)) => Again::Now,
            Ok(Folded::Busy(until)) => Again::At(until.min(now.plus(SOON))),
            Ok(Folded::Failed(error, failures)) => {
                let jitter = uuid::Uuid::new_v4().as_u64_pair().0;
                let wait = self.summaries.back_off().delay(failures, error.retry_after(), jitter);
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(%session, failures, %error, wait_ms, "not folded; tried again later");
                self.resting.rest(&claim.key, now, now.plus(wait));
                self.summaries.stats.behind.put_off(&claim.key, now.plus(wait));
                Again::At(now.plus(wait))
            }
            Err(error) => {
                tracing::warn!(%session, %error, "not folded; tried again soon");
                Again::At(now.plus(SOON))
            }
        };
        (commits, again)
    }
}
