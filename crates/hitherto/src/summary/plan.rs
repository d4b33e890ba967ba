//! What of a session is to be folded: pure, over what one read shows of it.
//!
//! Invariant (I4): what is folded follows the summary without a gap, and is never in the window.

use super::Policy;
use crate::store::{Seq, Slice, SummaryState};

/// The messages that are to go into the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// They come after this one.
    pub(crate) after: Seq,
    /// And this is the last.
    pub(crate) upto: Seq,
    /// Whether the summary is made anew rather than continued, because a message that it covers has changed.
    pub(crate) anew: bool,
    /// Whether enough has left the window by the count of turns; if not, its tokens decide.
    pub(crate) enough: bool,
    /// The size of their records, in bytes.
    pub(crate) bytes: u64,
    /// How many turns begin among them.
    pub(crate) turns: u64,
    /// How many places to read at a time, so that it is not too much at once.
    pub(crate) page: u32,
    /// The size of the session's records up to `upto`, and how many turns begin in them.
    pub(crate) covered: Covered,
}

/// How much of a log a summary stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) turns: u64,
    pub(crate) bytes: u64,
}

/// How much is read at a time: so many bytes about, and so many places at most.
const PAGE_BYTES: u64 = 256 << 10;
const PAGE: u32 = 64;

/// What is to be folded of a session, of which `window` are the newest [`Policy::window`] turns. `None` if
/// nothing has left the window.
pub(crate) fn plan(policy: &Policy, window: &Slice, state: &SummaryState) -> Option<Plan> {
    let current = state.current.as_ref();
    let folded = current.map_or(0, |summary| summary.upto);
    let boundary = window.entries.first().map_or(window.last, |entry| entry.seq.saturating_sub(1));
    let anew = state.stale && current.is_some();
    let after = if anew { window.base } else { folded.max(window.base) };
    let upto = if anew { boundary.max(folded) } else { boundary };
    if upto <= after && !anew {
        return None;
    }
    let inside = window.entries.iter().filter_map(|entry| entry.live());
    let (turns, bytes) = inside.fold((0, 0), |(turns, bytes), record| {
        (turns + u64::from(record.begins_turn()), bytes + record.size() as u64)
    });
    let covered =
        Covered { turns: state.turns.saturating_sub(turns), bytes: state.bytes.saturating_sub(bytes) };
    let before = current.map_or(0, |summary| summary.turns);
    let leaving = covered.turns.saturating_sub(before);
    let bytes = covered.bytes.saturating_sub(current.map_or(0, |summary| summary.bytes));
    let places = window.last.saturating_sub(window.base).max(1);
    let average = state.bytes.div_ceil(places).max(1);
    let page = u32::try_from(PAGE_BYTES / average).unwrap_or(u32::MAX).clamp(1, PAGE);
    let enough = anew || leaving >= u64::from(policy.fold_after_turns);
    Some(Plan { after, upto, anew, enough, bytes, turns: leaving, page, covered })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, Role};
    use crate::record::Record;
    use crate::store::Entry;
    use crate::summary::Summary;
    use crate::time::Timestamp;

    /// A session of `turns` plain turns after `base` removed places, summarised up to `upto`, with a window of 3.
    fn check(base: Seq, turns: u64, upto: Seq, stale: bool, expected: Option<(Seq, Seq, bool, bool)>) {
        let policy = Policy { window: 3, fold_after_turns: 4, ..Policy::default() };
        let last = base + turns * 2;
        let begin = last.saturating_sub(6).max(base);
        let entry = |seq| {
            let role = if seq % 2 == 1 { Role::User } else { Role::Assistant };
            let record = Record::new(Message::new(role, "x"), uuid::Uuid::nil(), Timestamp::from_millis(0));
            Entry { seq, record: Ok(record) }
        };
        let window = Slice { entries: (begin + 1..=last).map(entry).collect(), base, last, deleted: 0 };
        let current = (upto > 0).then(|| Summary {
            id: uuid::Uuid::nil(),
            text: "so far".to_owned(),
            upto,
            tokens: 2,
            by: "test".to_owned(),
            stand_in: false,
            made_at: Timestamp::from_millis(0),
            turns: upto.saturating_sub(base) / 2,
            bytes: 0,
        });
        let state = SummaryState { current, stale, turns, ..SummaryState::default() };
        let plan = plan(&policy, &window, &state);
        let found = plan.map(|plan| (plan.after, plan.upto, plan.anew, plan.enough));
        assert_eq!(found, expected, "base {base}, {turns} turns, upto {upto}, stale {stale}");
    }

    #[test]
    fn plans() {
        check(0, 0, 0, false, None);
        check(0, 3, 0, false, None);
        check(0, 4, 0, false, Some((0, 2, false, false)));
        check(0, 7, 0, false, Some((0, 8, false, true)));
        check(0, 7, 8, false, None);
        check(0, 9, 8, false, Some((8, 12, false, false)));
        check(0, 11, 8, false, Some((8, 16, false, true)));
        // What a maximum of messages has removed is not waited for.
        check(10, 7, 0, false, Some((10, 18, false, true)));
        check(10, 7, 4, false, Some((10, 18, false, true)));
        check(10, 7, 12, false, Some((12, 18, false, false)));
        // A stale summary is made anew, up to where it was at least.
        check(0, 7, 8, true, Some((0, 8, true, true)));
        check(0, 2, 4, true, Some((0, 4, true, true)));
        check(0, 11, 8, true, Some((0, 16, true, true)));
        check(4, 11, 8, true, Some((4, 20, true, true)));
        check(0, 7, 0, true, Some((0, 8, false, true)));
    }
}
