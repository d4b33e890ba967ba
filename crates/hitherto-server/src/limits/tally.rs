//! How much a tenant has, as far as this process knows: what was counted last, and what was added since. Pure; the time is
//! an argument.

use std::time::Duration;

use hitherto::{Addition, Settled};

use super::quota::Amount;

/// What is counted is counted again after so many times what counting took,
const REST: u32 = 50;
/// but not sooner than this, nor later than that.
const SOONEST: Duration = Duration::from_secs(10);
const LATEST: Duration = Duration::from_secs(3600);
/// Where something was removed and there seems to be no room, it is counted again after so many times what counting took.
const PRESSING: u32 = 10;

/// What one process knows of what a tenant has.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counted: Amount,
    /// What was admitted and is not settled.
    pending: Amount,
    /// When it was counted, and how long that took.
    last: Option<(Duration, Duration)>,
    /// When counting failed last.
    failed: Option<Duration>,
    /// Whether something was removed since.
    removed: bool,
    /// Whether somebody is counting.
    counting: bool,
}

/// Whether it has to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It was, lately.
    Nothing,
    /// By and by.
    Soon,
    /// It never was.
    First,
}

impl Tally {
    /// How much there is, and what is on its way.
    pub(super) fn used(&self) -> Amount {
        Amount {
            sessions: self.counted.sessions,
            messages: self.counted.messages.saturating_add(self.pending.messages),
            bytes: self.counted.bytes.saturating_add(self.pending.bytes),
        }
    }

    /// When it was counted.
    pub(super) fn counted_at(&self) -> Option<Duration> {
        self.last.map(|(at, _)| at)
    }

    pub(super) fn need(&self, now: Duration) -> Need {
        let rested = |since: Duration, rest: Duration| now.saturating_sub(since) >= rest;
        match (self.last, self.failed) {
            (_, Some(failed)) if !rested(failed, SOONEST) => Need::Nothing,
            (None, _) => Need::First,
            (Some((at, cost)), _) if rested(at, rest(cost)) => Need::Soon,
            _ => Need::Nothing,
        }
    }

    /// Whether counting again may show room that is not known of.
    pub(super) fn may_have_room(&self, now: Duration) -> bool {
        let rested = |(at, cost): (Duration, Duration)| now.saturating_sub(at) >= cost * PRESSING;
        self.removed && self.last.is_none_or(rested)
    }

    /// When it is counted again at the latest.
    pub(super) fn again_in(&self, now: Duration) -> Duration {
        let due = self.last.map_or(SOONEST, |(at, cost)| (at + rest(cost)).saturating_sub(now));
        due.max(Duration::from_secs(1))
    }

    /// Takes the right to count, which one has at a time.
    pub(super) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.counting, true) && {
            self.removed = false;
            true
        }
    }

    /// What was counted, from `began` until `now`; `None` if that failed. What was stored meanwhile may be missing from it
    /// until it is counted again.
    pub(super) fn finish(&mut self, counted: Option<Amount>, began: Duration, now: Duration) {
        self.counting = false;
        match counted {
            Some(counted) => {
                self.counted = counted;
                self.failed = None;
                self.last = Some((now, now.saturating_sub(began)));
            }
            None => {
                self.failed = Some(now);
                self.removed = true;
            }
        }
    }

    pub(super) fn admit(&mut self, add: Addition) {
        self.pending.messages = self.pending.messages.saturating_add(add.messages);
        self.pending.bytes = self.pending.bytes.saturating_add(add.bytes);
    }

    pub(super) fn settle(&mut self, add: Addition, settled: Settled) {
        self.pending.messages = self.pending.messages.saturating_sub(add.messages);
        self.pending.bytes = self.pending.bytes.saturating_sub(add.bytes);
        if settled != Settled::Not {
            self.counted.messages = self.counted.messages.saturating_add(add.messages);
            self.counted.bytes = self.counted.bytes.saturating_add(add.bytes);
        }
        if settled == Settled::Began {
            self.counted.sessions = self.counted.sessions.saturating_add(1);
        }
    }

    pub(super) fn removed(&mut self) {
        self.removed = true;
    }
}

fn rest(cost: Duration) -> Duration {
    cost.saturating_mul(REST).clamp(SOONEST, LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn counted(messages: u64) -> Option<Amount> {
        Some(Amount { sessions: 1, messages, bytes: 10 * messages })
    }

    #[test]
    fn counting_rests_in_proportion_to_what_it_costs() {
        let check = |cost: u64, rest: u64| {
            let mut tally = Tally::default();
            assert_eq!(tally.need(secs(0)), Need::First);
            assert!(tally.begin() && !tally.begin());
            tally.finish(counted(1), secs(100), secs(100 + cost));
            let end = 100 + cost;
            assert_eq!(tally.need(secs(end + rest - 1)), Need::Nothing, "{cost}");
            assert_eq!(tally.need(secs(end + rest)), Need::Soon, "{cost}");
            assert_eq!(tally.again_in(secs(end)), secs(rest));
            assert!(tally.begin());
        };
        check(0, 10);
        check(1, 50);
        check(60, 3000);
        check(600, 3600);
    }

    #[test]
    fn what_is_on_its_way_counts() {
        let mut tally = Tally::default();
        tally.begin();
        tally.finish(counted(5), secs(0), secs(0));
        let add = Addition { messages: 2, bytes: 7 };
        tally.admit(add);
        tally.admit(add);
        assert_eq!(tally.used(), Amount { sessions: 1, messages: 9, bytes: 64 });
        tally.settle(add, Settled::Not);
        tally.settle(add, Settled::Began);
        assert_eq!(tally.used(), Amount { sessions: 2, messages: 7, bytes: 57 });
    }

    #[test]
    fn a_removal_is_a_reason_to_look_again() {
        let mut tally = Tally::default();
        tally.begin();
        tally.finish(counted(5), secs(0), secs(2));
        assert!(!tally.may_have_room(secs(100)));
        tally.removed();
        assert!(!tally.may_have_room(secs(21)) && tally.may_have_room(secs(22)));
        tally.begin();
        assert!(!tally.may_have_room(secs(100)));
        tally.finish(None, secs(100), secs(101));
        assert_eq!((tally.need(secs(105)), tally.need(secs(111))), (Need::Nothing, Need::Soon));
        assert!(tally.may_have_room(secs(111)));
    }
}
