//! Where the part of a session begins that its summary does not cover: pure, over its places, newest first.
//!
//! Invariant (I5): it begins with a turn, or with all that there is. The newest turns that were asked for come
//! whether they are covered or not; of what comes beyond them, the number of places is bounded.

use crate::message::Role;
use crate::store::Seq;
use crate::window::Step;

/// Walks a session from its newest place towards its oldest and says where [`crate::store::Range::Unfolded`]
/// begins.
#[derive(Debug, Clone)]
pub(crate) struct Unfolded {
    turns: u32,
    extra: u64,
    upto: Seq,
    begun: u32,
    beyond: u64,
}

impl Unfolded {
    /// Begins at the end of a session whose summary covers the messages up to `upto`; 0 without one.
    pub(crate) fn new(turns: u32, extra: u32, upto: Seq) -> Self {
        Self { turns, extra: extra.into(), upto, begun: 0, beyond: 0 }
    }

    /// Takes the next older place, with the role of the message that stands there; none for a deleted or
    /// unreadable one.
    pub(crate) fn step(&mut self, seq: Seq, role: Option<Role>) -> Step {
        if self.turns == 0 && self.beyond == 0 && (seq <= self.upto || self.extra == 0) {
            return Step::Outside;
        }
        self.beyond += u64::from(self.begun >= self.turns);
        if role != Some(Role::User) {
            return Step::Inside;
        }
        self.begun = self.begun.saturating_add(1);
        let covered = seq.saturating_sub(1) <= self.upto;
        let enough = self.begun >= self.turns && (covered || self.beyond >= self.extra);
        if enough { Step::First } else { Step::Inside }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letters of a session's roles, oldest first (`-` is deleted), and the part that is read of it.
    fn check(session: &str, upto: Seq, turns: u32, extra: u32, expected: &str) {
        let mut unfolded = Unfolded::new(turns, extra, upto);
        let mut begin = session.len();
        for (at, letter) in session.char_indices().rev() {
            let role = match letter {
                's' => Some(Role::System),
                'u' => Some(Role::User),
                'a' => Some(Role::Assistant),
                '-' => None,
                _ => Some(Role::Tool),
            };
            match unfolded.step(at as Seq + 1, role) {
                Step::Inside => begin = at,
                Step::First => {
                    begin = at;
                    break;
                }
                Step::Outside => break,
            }
        }
        assert_eq!(session.get(begin..), Some(expected), "{session} up to {upto}, {turns} and {extra} more");
    }

    #[test]
    fn what_is_not_covered() {
        check("", 0, 1, 99, "");
        check("uauaua", 0, 1, 99, "uauaua");
        check("uauaua", 2, 1, 99, "uaua");
        check("uauaua", 3, 1, 99, "uaua");
        check("uauaua", 4, 1, 99, "ua");
        check("uauaua", 6, 1, 99, "ua");
        check("uauaua", Seq::MAX, 1, 99, "ua");
        check("saua", 1, 1, 99, "saua");
        check("saua", 2, 1, 99, "ua");
        check("uau--", 2, 1, 99, "u--");
        check("ua-aua", 2, 1, 99, "ua-aua");
    }

    #[test]
    fn turns_that_are_covered() {
        check("uauaua", 6, 2, 0, "uaua");
        check("uauaua", 6, 2, 99, "uaua");
        check("uauaua", 4, 9, 0, "uauaua");
        check("aaa", 3, 1, 0, "aaa");
    }

    #[test]
    fn bounds() {
        check("uauaua", 0, 1, 0, "ua");
        check("uauaua", 0, 1, 1, "uaua");
        check("uauaua", 0, 1, 2, "uaua");
        check("uauaua", 0, 1, 3, "uauaua");
        check("uattauaua", 0, 2, 1, "uattauaua");
        check("ua--ua", 0, 1, 1, "ua--ua");
        check("uauaua", 0, 1, u32::MAX, "uauaua");
    }

    #[test]
    fn no_turns() {
        check("uauaua", 6, 0, 99, "");
        check("uauaua", 5, 0, 99, "ua");
        check("uauaua", 2, 0, 99, "uaua");
        check("uauaua", 2, 0, 1, "ua");
        check("uauaua", 2, 0, 0, "");
    }
}
