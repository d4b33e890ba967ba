//! Summaries of the engine's sessions: folding now, looking at a summary, replacing it, and taking that back.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{ChatMemory, Result, TRIES, busy, check_size};
use crate::error::Error;
use crate::session::{SessionId, SessionKey};
use crate::store::{At, Change, Commit, Committed, Configure, Range, Reader, Seq, StoreError, SummaryState};
use crate::summary::{
    BY_HAND, Effort, Folded, Folder, Hint, Pass, Policy, PolicyChange, Resting, Summaries, Summariser,
    Summary, SummaryOptions, Work, Worker,
};

/// How long a fold that is waited for waits before it looks whether another one has ended.
const BUSY: Duration = Duration::from_millis(100);

/// What a fold that was waited for has done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fold {
    /// How many times the summary was committed; 0 if nothing had left the window.
    pub commits: u32,
    /// What is known of the summary now.
    pub summary: SummaryState,
}

impl ChatMemory {
    /// The same memory, whose sessions are summarised by that summariser. `stand_in` makes the summary where the
    /// summariser has failed [`SummaryOptions::stand_in_after`] times in a row.
    ///
    /// Appends then tell the store which sessions are due; a [`Worker`], here or in another process, folds them.
    #[must_use]
    pub fn with_summaries(
        mut self,
        options: SummaryOptions,
        summariser: Arc<dyn Summariser>,
        stand_in: Option<Arc<dyn Summariser>>,
    ) -> Self {
        let due = tokio::sync::Notify::new();
        self.summaries = Some(Arc::new(Summaries {
            options,
            summariser,
            stand_in,
            due,
            stats: Arc::clone(&self.stats.folding),
        }));
        self
    }

    /// Folds what is due, of all tenants and memory keys of the store, until the worker is stopped or dropped.
    ///
    /// # Errors
    /// [`Error::SummariesOff`] without [`Self::with_summaries`].
    pub fn start_worker(&self) -> Result<Worker> {
        Ok(Worker::start(self.work()?))
    }

    /// Folds everything that is due now or will be looked at within a minute and a half, and says how many
    /// sessions were looked at, and how many of them could not be folded: one pass, for a clock that starts it.
    ///
    /// # Errors
    /// [`Error::SummariesOff`]; any error of the store's due-list.
    pub async fn fold_due(&self) -> Result<Pass> {
        Ok(self.work()?.pass().await?)
    }

    fn work(&self) -> Result<Work> {
        let summaries = self.summaries.as_ref().ok_or(Error::SummariesOff)?;
        Ok(Work {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            summaries: Arc::clone(summaries),
            resting: Resting::default(),
        })
    }

    /// Folds all that has left a session's window, now, and waits for it; also where it is little, and where the
    /// session's policy is off. Waits for another fold of the same session.
    ///
    /// # Errors
    /// [`Error::SummariesOff`]; [`Error::Summariser`] if it failed, with everything as it was;
    /// [`StoreError::NoSession`] if there is no such session.
    pub async fn fold(&self, session: &SessionId) -> Result<Fold> {
        let summaries = self.summaries.as_ref().ok_or(Error::SummariesOff)?;
        let key = self.key(session)?;
        if self.describe(session).await?.is_none() {
            return Err(StoreError::NoSession.into());
        }
        let folder = Folder { store: &*self.store, clock: &self.clock, summaries };
        let effort = Effort { forced: true, commits: u32::MAX };
        let mut commits = 0;
        loop {
            match folder.fold(&key, effort).await? {
                Folded::Done(more) | Folded::More(more) => {
                    commits += more;
                    let summary = self.summary(session).await?;
                    return Ok(Fold { commits, summary });
                }
                Folded::Busy(_) => tokio::time::sleep(BUSY).await,
                Folded::Failed(error, _) => return Err(Error::Summariser(error)),
            }
        }
    }

    /// What is known of a session's summary; nothing for one that does not exist or has none.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn summary(&self, session: &SessionId) -> Result<SummaryState> {
        let key = self.key(session)?;
        let at = At { key: &key, now: self.clock.now() };
        let (_, state) = self.store.read_with_summary(at, Range::After(Seq::MAX, 0), Reader::Folder).await?;
        Ok(state)
    }

    /// Puts a text in the place of a session's summary, standing for messages 1 to `upto`; the one before it can be
    /// had back by [`Self::rollback_summary`].
    ///
    /// # Errors
    /// [`StoreError::NoSession`]; [`StoreError::NoMessage`] for an `upto` that the session has not;
    /// [`Error::TooLarge`] and [`Error::Invalid`] for the text.
    pub async fn put_summary(&self, session: &SessionId, text: &str, upto: Seq) -> Result<Summary> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::Invalid { field: "text", must: "a text that is not empty" });
        }
        check_size("summary", text.len(), "bytes", self.limits.summary_bytes)?;
        let found = self.describe(session).await?.ok_or(StoreError::NoSession)?;
        if upto == 0 || upto > found.last_seq {
            return Err(StoreError::NoMessage(upto).into());
        }
        let encoding =
            self.summaries.as_ref().map(|summaries| summaries.options.encoding).unwrap_or_default();
        let tokens = encoding.count(text) as u64;
        self.change_summary(session, |at, state| {
            let share = upto.saturating_sub(found.first_seq.saturating_sub(1)).min(found.last_seq);
            let places = (found.last_seq + 1).saturating_sub(found.first_seq).max(1);
            let summary = Summary {
                id: Uuid::now_v7(),
                text: text.to_owned(),
                upto,
                tokens,
                by: BY_HAND.to_owned(),
                stand_in: false,
                made_at: at.now,
                // About: nobody has read the messages. They only hint at when to fold next.
                turns: state.turns.saturating_mul(share) / places,
                bytes: state.bytes.saturating_mul(share) / places,
            };
            // A stale one is not kept: what was changed or deleted may stand in it.
            Ok((summary, state.current.clone().filter(|_| !state.stale), false))
        })
        .await
    }

    /// Puts the version before a session's summary back in its place.
    ///
    /// # Errors
    /// [`Error::NoEarlierSummary`] if there is none.
    pub async fn rollback_summary(&self, session: &SessionId) -> Result<Summary> {
        // What made the newer one stale may be in the older one, too.
        self.change_summary(session, |_, state| {
            let previous = state.previous.clone().ok_or(Error::NoEarlierSummary)?;
            Ok((previous, None, state.stale))
        })
        .await
    }

    /// Puts what `change` makes of a summary in its place: the summary, the version before it, and whether it is
    /// stale.
    async fn change_summary(
        &self,
        session: &SessionId,
        change: impl Fn(At<'_>, &SummaryState) -> Result<(Summary, Option<Summary>, bool)>,
    ) -> Result<Summary> {
        let key = self.key(session)?;
        for _ in 0..TRIES {
            let at = At { key: &key, now: self.clock.now() };
            let state = self.summary(session).await?;
            let (summary, previous, stale) = change(at, &state)?;
            let expected = state.current.as_ref().map(|summary| summary.id);
            let commit =
                Commit { expected, lease: None, summary: summary.clone(), previous, stale, failures: 0 };
            if self.store.commit_summary(at, &commit).await? == Committed::Done {
                self.mark_due(&key).await;
                return Ok(summary);
            }
            if self.store.describe(at).await?.is_none() {
                return Err(StoreError::NoSession.into());
            }
        }
        Err(busy("its summary"))
    }

    /// Sets what a session's summaries have of their own, or removes it.
    ///
    /// # Errors
    /// [`StoreError::NoSession`]; [`Error::Invalid`] for values that a policy cannot have.
    pub async fn set_policy(&self, session: &SessionId, policy: Change<PolicyChange>) -> Result<()> {
        let policy = self.policy_change(policy)?;
        self.configure(session, &Configure { policy, ..Configure::default() }).await
    }

    /// Has a session looked at that something else than an append may have made due.
    pub(super) async fn mark_due(&self, key: &SessionKey) {
        let Some(summaries) = &self.summaries else { return };
        match self.store.mark_due(key, self.clock.now()).await {
            Ok(()) => summaries.due.notify_one(),
            // The session's next append tells it.
            Err(error) => tracing::warn!(session = %key.session, %error, "the due-list was not told"),
        }
    }

    /// A change of a session's policy as [`Self::configure`] takes it, with the hint that follows from it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for values that a policy cannot have.
    pub fn policy_change(&self, policy: Change<PolicyChange>) -> Result<Change<(PolicyChange, Hint)>> {
        Ok(match policy {
            Change::Keep => Change::Keep,
            Change::Remove => Change::Remove,
            Change::Set(change) => {
                let policy = self.policy().with(&change);
                policy.check().map_err(|(field, must)| Error::Invalid { field, must })?;
                Change::Set((change, policy.hint()))
            }
        })
    }

    /// The policy of sessions that have none of their own.
    pub fn policy(&self) -> Policy {
        self.summaries.as_ref().map_or_else(Policy::default, |summaries| summaries.policy(&self.scope.tenant))
    }

    /// What an append tells the store of when its session is due.
    pub(super) fn hint(&self) -> Option<Hint> {
        self.summaries.as_ref().map(|summaries| summaries.policy(&self.scope.tenant).hint())
    }
}
