//! Which turns and how much of the summary go into so many tokens: pure, over costs.
//!
//! Invariant: the newest turn comes first, then the summary, then older turns, newest first; a turn is whole.

use super::assemble::Turns;
use super::shorten;
use super::view::{Counter, View};
use super::{SUMMARY_LEAD_IN, SummaryRole};
use crate::memory::StoredMessage;
use crate::message::Role;

/// What goes into a context.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    /// Which turn is the first given; as many as there are if none is.
    pub(super) first: usize,
    /// The newest turn, if it had to be shortened.
    pub(super) newest: Option<Vec<StoredMessage>>,
    /// What is given of the summary.
    pub(super) summary: Option<String>,
    /// Why the summary is not given, or not whole.
    pub(super) why: Option<&'static str>,
}

/// A summary that is shortened to fewer tokens than this says nothing.
const LEAST_SUMMARY: usize = 24;

/// Why a summary is left out that nobody wanted.
pub(super) const OFF: &str = "not asked for";
pub(super) const NOT_NEEDED: &str = "every message is given";
const NO_ROOM: &str = "over budget";
const TOO_LONG: &str = "more than two thirds of the budget";

/// The summary as a message.
pub(super) fn summary_view(text: &str, role: SummaryRole) -> View {
    let role = match role {
        SummaryRole::User => Role::User,
        SummaryRole::Assistant => Role::Assistant,
        SummaryRole::System | SummaryRole::Off => Role::System,
    };
    View::of_text(role, format!("{SUMMARY_LEAD_IN}\n{text}"))
}

/// What goes into `room` tokens. Costs add up here; where a format joins texts, the caller counts what came of it and
/// asks again.
pub(super) fn plan(
    turns: &Turns<'_>,
    summary: Option<&str>,
    role: SummaryRole,
    room: usize,
    counter: &Counter<'_>,
) -> Draft {
    let mut draft = Draft { first: turns.len(), ..Draft::default() };
    let Some(newest) = turns.len().checked_sub(1) else {
        return Draft { why: summary.map(|_| NO_ROOM), ..draft };
    };
    let Some(mut left) = room.checked_sub(counter.base()) else {
        return Draft { why: summary.map(|_| NO_ROOM), ..draft };
    };
    let cost = |turn: usize| -> usize {
        turns.messages(turn).iter().map(|message| counter.message(&message.message)).sum()
    };
    let Some(after) = left.checked_sub(cost(newest)) else {
        draft.newest = shorten::turn(turns.messages(newest), left, counter);
        draft.first = if draft.newest.is_some() { newest } else { turns.len() };
        return Draft { why: summary.map(|_| NO_ROOM), ..draft };
    };
    left = after;
    draft.first = newest;
    // As far back as it goes without a summary, which is not needed if that is all of the session.
    let older = |from: usize, mut left: usize| {
        let mut first = from;
        while let Some(turn) = first.checked_sub(1) {
            let Some(after) = left.checked_sub(cost(turn)) else { break };
            (left, first) = (after, turn);
        }
        first
    };
    let Some(summary) = summary else {
        return Draft { first: older(newest, left), ..draft };
    };
    if role == SummaryRole::Off {
        return Draft { first: older(newest, left), why: Some(OFF), ..draft };
    }
    if turns.say_all() && older(newest, left) == 0 {
        return Draft { first: 0, why: Some(NOT_NEEDED), ..draft };
    }
    let given = |text: &str| counter.view(&summary_view(text, role)) + text_break(counter);
    // A summary of the default length has room in a budget of 1,000.
    let share = room * 2 / 3;
    draft.why = Some(if left < share { NO_ROOM } else { TOO_LONG });
    draft.summary = fitting(summary, left.min(share), given, counter);
    let beside = |draft: &Draft| left.saturating_sub(draft.summary.as_deref().map_or(0, given));
    draft.first = older(newest, beside(&draft));
    if draft.summary.as_deref() != Some(summary) {
        // Where the next older turn is too long for what is left, the summary has the use of it.
        let turns: usize = (draft.first..newest).map(cost).sum();
        draft.summary = fitting(summary, left.saturating_sub(turns), given, counter).or(draft.summary);
    }
    if draft.summary.as_deref() == Some(summary) {
        draft.why = None;
    }
    draft
}

/// As much of the summary as is given in `most` tokens.
fn fitting(
    summary: &str,
    most: usize,
    given: impl Fn(&str) -> usize,
    counter: &Counter<'_>,
) -> Option<String> {
    if given(summary) <= most {
        return Some(summary.to_owned());
    }
    let mut limit = most.saturating_sub(given(""));
    while limit >= LEAST_SUMMARY {
        let short = shorten::lines(summary, limit, counter);
        match given(&short).saturating_sub(most) {
            0 => return Some(short),
            over => limit = limit.saturating_sub(over),
        }
    }
    None
}

/// The empty line after a summary in a text.
fn text_break(counter: &Counter<'_>) -> usize {
    usize::from(counter.format == super::Format::Text)
}
