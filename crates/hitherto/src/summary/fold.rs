//! Folding one session: what has left its window goes into its summary, oldest first.
//!
//! Invariant (I4): a summary is committed only over the one that it was made from, and only if nothing that its
//! summariser was given has changed since. Whatever goes wrong leaves the session as it was.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use uuid::Uuid;

use super::background;
use super::options::Summaries;
use super::plan::{Covered, Plan, plan};
use super::portion::{Portion, Portions};
use super::{Piece, Policy, Summariser, SummariserError, Summary};
use crate::session::SessionKey;
use crate::store::{
    At, Begun, Commit, Committed, Lease, Range, Reader, Result, Seq, Slice, Store, StoreError, SummaryState,
};
use crate::time::{Clock, Timestamp};
use crate::window::Window;

/// What a call of [`fold`] may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Folds whatever has left the window, even if it is little.
    pub(crate) forced: bool,
    /// Commits so many times at most.
    pub(crate) commits: u32,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Folded {
    /// Nothing is left to fold, or too little. How many times a summary was committed before.
    Done(u32),
    /// More is left, and the effort is spent.
    More(u32),
    /// Somebody else is folding it, until then at most.
    Busy(Timestamp),
    /// The summariser failed, so many times in a row by now.
    Failed(SummariserError, u32),
}

/// Who folds, and with what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folder<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) clock: &'a Clock,
    pub(crate) summaries: &'a Summaries,
}

/// A session that is being folded.
struct Session<'a> {
    by: Folder<'a>,
    key: &'a SessionKey,
    policy: Policy,
    token: Uuid,
}

/// What one look found.
struct Look {
    plan: Option<Plan>,
    state: SummaryState,
    policy: Policy,
}

/// What the summariser did so far.
struct Attempts {
    /// How often it has failed in a row.
    failures: u32,
    /// Whether another one makes what is left of this fold, so that it does not wait for every piece.
    standing_in: bool,
}

/// Why folding stops.
enum Stop {
    Store(StoreError),
    Summariser(SummariserError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SummariserError> for Stop {
    fn from(error: SummariserError) -> Self {
        Self::Summariser(error)
    }
}

impl Folder<'_> {
    /// Folds a session. Dropping this leaves the session as it is, and its lease to end by itself.
    pub(crate) async fn fold(&self, key: &SessionKey, effort: Effort) -> Result<Folded> {
        let mut commits = 0;
        loop {
            let look = self.look(key).await?;
            let Some(plan) = look.plan.filter(|_| look.policy.enabled || effort.forced) else {
                return Ok(Folded::Done(commits));
            };
            if commits >= effort.commits {
                return Ok(Folded::More(commits));
            }
            if !plan.enough && !effort.forced && plan.bytes < u64::from(look.policy.fold_after_tokens) {
                // No text has more tokens than bytes.
                return Ok(Folded::Done(commits));
            }
            if plan.enough {
                self.summaries.stats.behind.found(key, plan.turns, self.clock.now());
            }
            let expected = look.state.current.as_ref().map(|summary| summary.id);
            let mut session = Session { by: *self, key, policy: look.policy, token: Uuid::new_v4() };
            let mut attempts = match session.begin(plan.upto, expected).await? {
                Begun::Changed => continue,
                Begun::Busy(until) => return Ok(Folded::Busy(until)),
                Begun::Yours { failures } => Attempts { failures, standing_in: false },
            };
            let step = session.planned(plan.upto, effort, &mut commits, &mut attempts).await;
            let failed = matches!(step, Err(Stop::Summariser(_)));
            self.store.end_fold(self.at(key), session.token, failed).await?;
            match step {
                // Too little after all.
                Ok(false) => return Ok(Folded::Done(commits)),
                Ok(true) => {}
                Err(Stop::Store(error)) => return Err(error),
                Err(Stop::Summariser(error)) => return Ok(Folded::Failed(error, attempts.failures + 1)),
            }
        }
    }

    fn at<'k>(&self, key: &'k SessionKey) -> At<'k> {
        At { key, now: self.clock.now() }
    }

    /// One read, and what follows from it; a second one if the session's window is one of its own.
    async fn look(&self, key: &SessionKey) -> Result<Look> {
        let mut policy = self.summaries.policy(&key.scope.tenant);
        let (mut window, mut state) = self.window(key, policy.window).await?;
        let own = policy.with(&state.policy);
        if own.window != policy.window {
            (window, state) = self.window(key, own.window).await?;
        }
        policy = own;
        Ok(Look { plan: plan(&policy, &window, &state), state, policy })
    }

    async fn window(&self, key: &SessionKey, turns: u32) -> Result<(Slice, SummaryState)> {
        let range = Range::Window(Window::Turns(turns));
        self.store.read_with_summary(self.at(key), range, Reader::Folder).await
    }
}

impl Session<'_> {
    /// Takes the lease, or lengthens it.
    async fn begin(&self, upto: Seq, expected: Option<Uuid>) -> Result<Begun> {
        let at = self.by.at(self.key);
        let until = at.now.plus(self.by.summaries.options.lease);
        let lease = Lease { token: self.token, until, upto };
        self.by.store.begin_fold(at, &lease, expected).await
    }

    /// Looks again and folds. What was changed before the lease was taken, nobody tells the commit of: so the plan
    /// that counts is made under the lease.
    async fn planned(
        &mut self,
        upto: Seq,
        effort: Effort,
        commits: &mut u32,
        attempts: &mut Attempts,
    ) -> Result<bool, Stop> {
        let look = self.by.look(self.key).await?;
        let Some(plan) = look.plan.filter(|_| look.policy.enabled || effort.forced) else {
            return Ok(true);
        };
        self.policy = look.policy;
        let expected = look.state.current.as_ref().map(|summary| summary.id);
        if plan.upto > upto && !matches!(self.begin(plan.upto, expected).await?, Begun::Yours { .. }) {
            return Ok(true);
        }
        self.step(&plan, &look.state, effort, commits, attempts).await
    }

    /// Folds what the plan says, portion by portion, and says whether it is worth looking again: whether anything
    /// was committed, or has changed meanwhile.
    async fn step(
        &self,
        plan: &Plan,
        state: &SummaryState,
        effort: Effort,
        commits: &mut u32,
        attempts: &mut Attempts,
    ) -> Result<bool, Stop> {
        let options = &self.by.summaries.options;
        let mut current = state.current.clone();
        let mut made = Made::of(current.as_ref().filter(|_| !plan.anew));
        let mut portions = Portions::new(self.by.summaries.summariser.input_tokens(), options.encoding);
        let mut read = plan.after;
        let mut enough = plan.enough || effort.forced;
        loop {
            while read < plan.upto
                && (!portions.full() || !enough && portions.tokens() < self.policy.fold_after_tokens as usize)
            {
                (read, portions) = self.read(read, plan.upto, plan.page, portions).await?;
            }
            if !enough && portions.tokens() < self.policy.fold_after_tokens as usize {
                return Ok(false);
            }
            enough = true;
            let all = read >= plan.upto;
            let Some(portion) = portions.next(all) else {
                // Nothing stands there any more: the summary of it, if there was one, has nothing to say.
                if plan.anew {
                    return self.commit_nothing(plan, current.as_ref()).await;
                }
                return Ok(false);
            };
            let ends = portion.ends_turn;
            made = self.summarise(made, portion, attempts).await?;
            if !ends {
                self.begin(plan.upto, current.as_ref().map(|summary| summary.id)).await?;
                continue;
            }
            if made.upto >= plan.upto || (all && portions.tokens() == 0) {
                made.upto = plan.upto;
                made.covered = plan.covered;
            }
            let summary = made.summary(self.by.clock.now(), options.encoding);
            let commit = Commit {
                expected: current.as_ref().map(|summary| summary.id),
                lease: Some(self.token),
                summary: summary.clone(),
                // What was made from a message that has changed is not kept.
                previous: current.filter(|_| !state.stale),
                stale: false,
                failures: attempts.failures,
            };
            if self.by.store.commit_summary(self.by.at(self.key), &commit).await? == Committed::Changed {
                return Ok(true);
            }
            self.count(&commit.summary, commit.previous.as_ref());
            *commits += 1;
            if summary.upto >= plan.upto || *commits >= effort.commits {
                return Ok(true);
            }
            // The next portion continues this summary, under the same lease.
            match self.begin(plan.upto, Some(summary.id)).await? {
                Begun::Yours { .. } => {}
                Begun::Busy(_) | Begun::Changed => return Ok(true),
            }
            current = Some(summary);
        }
    }

    /// Counts what a summary stands for that the one before it did not.
    fn count(&self, summary: &Summary, before: Option<&Summary>) {
        let stats = &self.by.summaries.stats;
        let (upto, turns) = before.map_or((0, 0), |before| (before.upto, before.turns));
        stats.commits.one();
        stats.messages.add(summary.upto.saturating_sub(upto));
        stats.turns.add(summary.turns.saturating_sub(turns));
    }

    /// Reads the next places into the portions, and says up to where.
    async fn read(
        &self,
        after: Seq,
        upto: Seq,
        places: u32,
        mut portions: Portions,
    ) -> Result<(Seq, Portions), Stop> {
        let at = self.by.at(self.key);
        let places = places.min(u32::try_from(upto - after).unwrap_or(u32::MAX));
        let (mut slice, _) =
            self.by.store.read_with_summary(at, Range::After(after, places), Reader::Folder).await?;
        // Where a maximum of messages has removed some meanwhile, what comes after them is read in their place.
        slice.entries.retain(|entry| entry.seq <= upto);
        // A session that has become shorter meanwhile has nothing more; the commit will find out.
        let last = slice.entries.last().map_or(upto, |entry| entry.seq);
        let taken = background::run(move || {
            portions.take_in(slice.entries);
            portions
        });
        let portions = taken.await.ok_or(SummariserError::Died)?;
        Ok((last.min(upto), portions))
    }

    /// What the summary becomes with a portion more.
    async fn summarise(&self, before: Made, portion: Portion, attempts: &mut Attempts) -> Result<Made, Stop> {
        let mut made = Made {
            upto: portion.upto,
            covered: Covered {
                turns: before.covered.turns + portion.turns,
                bytes: before.covered.bytes + portion.bytes,
            },
            ..before
        };
        // The parts of a message that is too long come one after another.
        let pieces = if portion.lines.iter().any(|line| line.part.is_some()) {
            portion.lines.into_iter().map(|line| vec![line]).collect()
        } else {
            vec![portion.lines]
        };
        for lines in pieces.into_iter().filter(|lines| !lines.is_empty()) {
            let previous = Some(made.text).filter(|text| !text.is_empty());
            let budget = self.policy.summary_tokens as usize;
            let piece = Piece::new(previous, lines, budget, self.by.summaries.options.encoding);
            (made.text, made.by, made.stand_in) = self.ask(&piece, attempts).await?;
        }
        Ok(made)
    }

    /// The summariser's text for a piece, or the stand-in's if the summariser has failed often enough.
    async fn ask(
        &self,
        piece: &Piece,
        attempts: &mut Attempts,
    ) -> Result<(String, String, bool), SummariserError> {
        let summaries = self.by.summaries;
        if !attempts.standing_in {
            let answer = checked(&*summaries.summariser, piece).await;
            let error = match answer {
                Ok(text) => {
                    attempts.failures = 0;
                    return Ok((text, summaries.summariser.name(), false));
                }
                Err(error) => error,
            };
            summaries.stats.failed(&error);
            let often = summaries.options.stand_in_after;
            if summaries.stand_in.is_none() || often == 0 || attempts.failures + 1 < often {
                return Err(error);
            }
            let session = &self.key.session;
            tracing::warn!(%session, %error, "the summariser fails, and another one stands in");
            // The next fold tries the summariser once, and does not wait again.
            attempts.failures = attempts.failures.saturating_add(1);
            attempts.standing_in = true;
            summaries.stats.stand_ins.one();
        }
        match &summaries.stand_in {
            Some(stand_in) => Ok((checked(&**stand_in, piece).await?, stand_in.name(), true)),
            None => Err(SummariserError::Empty),
        }
    }

    /// Every message that a summary stood for is gone, so it has nothing to say any more.
    async fn commit_nothing(&self, plan: &Plan, current: Option<&Summary>) -> Result<bool, Stop> {
        let made = Made { upto: plan.upto, covered: plan.covered, ..Made::of(None) };
        let commit = Commit {
            expected: current.map(|summary| summary.id),
            lease: Some(self.token),
            summary: made.summary(self.by.clock.now(), self.by.summaries.options.encoding),
            previous: None,
            stale: false,
            failures: 0,
        };
        self.by.store.commit_summary(self.by.at(self.key), &commit).await?;
        Ok(true)
    }
}

/// What a summariser says, unless it says nothing or too much.
async fn checked(summariser: &dyn Summariser, piece: &Piece) -> Result<String, SummariserError> {
    let mut answer = summariser.summarise(piece);
    // A summariser that panics has failed like any other: its session is tried again later, or the stand-in has it.
    let answer = poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
            .unwrap_or(Poll::Ready(Err(SummariserError::Died)))
    });
    let text = answer.await?;
    let text = text.trim();
    if says_nothing(text) {
        return Err(SummariserError::Empty);
    }
    let tokens = piece.encoding.count(text);
    if tokens > piece.budget {
        return Err(SummariserError::TooLong { tokens, budget: piece.budget });
    }
    Ok(text.to_owned())
}

/// Whether a text is what models say when there is nothing to say, rather than a summary.
fn says_nothing(text: &str) -> bool {
    let text = text.trim_matches(|letter: char| !letter.is_alphanumeric());
    text.is_empty() || text.eq_ignore_ascii_case("none")
}

/// A summary that is being made.
struct Made {
    text: String,
    by: String,
    stand_in: bool,
    upto: Seq,
    covered: Covered,
}

impl Made {
    /// What it continues.
    fn of(summary: Option<&Summary>) -> Self {
        match summary {
            Some(summary) => Self {
                text: summary.text.clone(),
                by: summary.by.clone(),
                stand_in: summary.stand_in,
                upto: summary.upto,
                covered: Covered { turns: summary.turns, bytes: summary.bytes },
            },
            None => Self {
                text: String::new(),
                by: String::new(),
                stand_in: false,
                upto: 0,
                covered: Covered { turns: 0, bytes: 0 },
            },
        }
    }

    fn summary(&self, made_at: Timestamp, encoding: crate::Encoding) -> Summary {
        Summary {
            id: Uuid::now_v7(),
            text: self.text.clone(),
            upto: self.upto,
            tokens: encoding.count(&self.text) as u64,
            by: self.by.clone(),
            stand_in: self.stand_in,
            made_at,
            turns: self.covered.turns,
            bytes: self.covered.bytes,
        }
    }
}
