//! What lets a case about summaries, leases and the due-list say a thing in a line.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use hitherto::store::{
    Batch, Begun, Change, Claim, Commit, Committed, Configure, Lease, Range, Reader, Seq, SummaryState,
};
use hitherto::summary::{Hint, PolicyChange, Summary};
use hitherto::{Record, SessionKey, Timestamp};
use uuid::Uuid;

use super::subject::{Chat, Subject, new_id};

/// For how long a lease or a claim of a case is taken, in seconds.
pub const LEASE: u64 = 60;

/// How long a store may take to do in the background what it does there.
const SOON: Duration = Duration::from_secs(20);

/// A hint of so many turns, and of no number of bytes.
pub fn turns(turns: u32) -> Option<Hint> {
    Some(Hint { turns, bytes: u64::MAX })
}

/// A hint of so many bytes, and of no number of turns.
pub fn bytes(bytes: u64) -> Option<Hint> {
    Some(Hint { turns: u32::MAX, bytes })
}

/// The hint of a session that is not summarised.
pub const OFF: Hint = Hint { turns: u32::MAX, bytes: u64::MAX };

/// A policy of a session's own.
pub fn policy(window: u32) -> PolicyChange {
    let mut change = PolicyChange::default();
    change.window = Some(window);
    change
}

/// The token of a fold.
pub fn token(who: u128) -> Uuid {
    Uuid::from_u128(who)
}

impl Subject {
    /// So many seconds from now.
    pub fn in_secs(&self, secs: u64) -> Timestamp {
        self.now().plus_millis(i64::try_from(secs * 1000).unwrap())
    }

    /// Takes what is due now from the due-list.
    pub async fn claim(&self, limit: u32) -> Vec<Claim> {
        self.store().claim_due(self.now(), self.in_secs(LEASE), limit).await.unwrap()
    }

    /// The ids of what is taken from the due-list now.
    pub async fn claimed(&self, limit: u32) -> Vec<String> {
        self.claim(limit).await.into_iter().map(|claim| claim.key.session.to_string()).collect()
    }

    /// Takes that session from the due-list, to which a store may be about to put it. Nothing else may be due.
    pub async fn claim_soon(&self, chat: &Chat) -> Claim {
        let began = Instant::now();
        loop {
            let mut claims = self.claim(10).await;
            assert!(claims.iter().all(|claim| claim.key == chat.key), "{claims:?} besides {:?}", chat.key);
            if let Some(claim) = claims.pop() {
                assert!(claims.is_empty(), "{claim:?} was given twice at once");
                return claim;
            }
            assert!(began.elapsed() < SOON, "{:?} does not come to the due-list", chat.key);
            tokio::task::yield_now().await;
        }
    }

    /// Puts a session on the due-list.
    pub async fn mark(&self, chat: &Chat, due: Timestamp) {
        self.store().mark_due(&chat.key, due).await.unwrap();
    }

    /// Ends a claim.
    pub async fn settle(&self, claim: &Claim, again: Option<Timestamp>) {
        self.store().settle(claim, again).await.unwrap();
    }

    /// Settles whatever is on the due-list in the next hour.
    pub async fn settle_all(&self) {
        loop {
            let claims = self.store().claim_due(self.in_secs(3600), self.in_secs(7200), 100).await.unwrap();
            if claims.is_empty() {
                return;
            }
            let keys: HashSet<SessionKey> = claims.iter().map(|claim| claim.key.clone()).collect();
            assert_eq!(keys.len(), claims.len(), "a session was given twice at once");
            for claim in &claims {
                self.settle(claim, None).await;
            }
        }
    }
}

impl Chat {
    /// A summary of the messages up to a number; what it covers is counted from the log.
    pub async fn summary_of(&self, upto: Seq) -> Summary {
        let entries = self.read(Range::After(0, u32::try_from(upto).unwrap())).await.entries;
        let covered: Vec<&Record> = entries
            .iter()
            .filter(|entry| entry.seq <= upto)
            .filter_map(|entry| entry.record.as_ref().ok())
            .collect();
        let id = new_id();
        Summary {
            id,
            text: format!("what was said up to {upto}, {id}"),
            upto,
            tokens: 12,
            by: "the suite".to_owned(),
            stand_in: false,
            made_at: self.on.now(),
            turns: covered.iter().filter(|record| record.begins_turn()).count() as u64,
            bytes: covered.iter().map(|record| record.size() as u64).sum(),
        }
    }

    /// What is known of its summary, without the size of the log.
    pub async fn summary(&self) -> SummaryState {
        let nothing = Range::After(0, 0);
        let (_, state) = self.on.store().read_with_summary(self.at(), nothing, Reader::Client).await.unwrap();
        SummaryState { turns: 0, bytes: 0, ..state }
    }

    /// The watermarks of its summary and of the version before, 0 where there is none, and whether it is stale.
    pub async fn watermarks(&self) -> (Seq, Seq, bool) {
        let state = self.summary().await;
        let known = self.described().await;
        let upto = |summary: &Option<Summary>| summary.as_ref().map_or(0, |summary| summary.upto);
        assert_eq!((known.summary_upto, known.summary_stale), (upto(&state.current), state.stale));
        (upto(&state.current), upto(&state.previous), state.stale)
    }

    /// Whether a message that its summary covers was changed.
    pub async fn is_stale(&self) -> bool {
        self.watermarks().await.2
    }

    /// Commits.
    pub async fn commit(&self, commit: &Commit) -> Committed {
        self.on.store().commit_summary(self.at(), commit).await.unwrap()
    }

    /// Puts a new summary in the place of `old`, which becomes the version before, under nobody's lease.
    pub async fn put(&self, old: Option<&Summary>, upto: Seq) -> Committed {
        self.commit(&commit(old, &self.summary_of(upto).await)).await
    }

    /// Puts a new summary in the place of whatever stands there, which becomes the version before.
    pub async fn summarise(&self, upto: Seq) -> Summary {
        let (old, new) = (self.summary().await.current, self.summary_of(upto).await);
        assert_eq!(self.commit(&commit(old.as_ref(), &new)).await, Committed::Done, "up to {upto}");
        new
    }

    /// Takes the lease to fold what is not yet in `old`, up to a number.
    pub async fn begin(&self, who: u128, old: Option<&Summary>, upto: Seq) -> Begun {
        let lease = Lease { token: token(who), until: self.on.in_secs(LEASE), upto };
        self.on.store().begin_fold(self.at(), &lease, old.map(|old| old.id)).await.unwrap()
    }

    /// Takes the lease, which must be free.
    pub async fn must_begin(&self, who: u128, old: Option<&Summary>, upto: Seq) {
        let begun = self.begin(who, old, upto).await;
        assert!(matches!(begun, Begun::Yours { .. }), "{who} could not begin up to {upto}: {begun:?}");
    }

    /// Commits a fold under a lease, with a new summary up to a number.
    pub async fn finish(&self, who: u128, old: Option<&Summary>, upto: Seq) -> Committed {
        let commit = commit(old, &self.summary_of(upto).await);
        self.commit(&Commit { lease: Some(token(who)), ..commit }).await
    }

    /// Gives the lease back.
    pub async fn end(&self, who: u128, failed: bool) {
        self.on.store().end_fold(self.at(), token(who), failed).await.unwrap();
    }

    /// Appends messages with a hint, and says whether the session is due.
    pub async fn due_after(&self, roles: &str, hint: Option<Hint>) -> bool {
        self.send(Batch { hint, ..self.batch(roles) }).await.due
    }

    /// Changes what its summaries have of their own.
    pub async fn set_policy(&self, policy: Change<(PolicyChange, Hint)>) {
        self.configure(Configure { policy, ..Configure::default() }).await;
    }
}

/// A new summary for the place of `old`, which becomes the version before.
pub fn commit(old: Option<&Summary>, new: &Summary) -> Commit {
    Commit {
        expected: old.map(|old| old.id),
        lease: None,
        summary: new.clone(),
        previous: old.cloned(),
        stale: false,
        failures: 0,
    }
}
