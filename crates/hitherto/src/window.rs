//! Where a window begins: pure, over the roles of the newest messages, newest first.
//!
//! Invariant (I5): a window begins with a turn. A turn is a user message and all that follows it up to the
//! next user message; what stands before the first user message of a session counts as one turn.

use crate::message::Role;
use crate::store::Seq;

/// How much of the end of a session is wanted; always whole turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// The newest so many turns.
    Turns(u32),
    /// The newest so many messages, and as many more as make their oldest turn whole.
    Messages(u32),
    /// The newest so many bytes of messages, and as many more as make their oldest turn whole.
    Bytes(u64),
}

/// Walks a session from its newest message towards its oldest and says where the window begins.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    window: Window,
    unfolded: Option<Unfolded>,
    turns: u32,
    messages: u32,
    bytes: u64,
    /// Where the window would begin if everything before it were folded.
    reached: Option<Seq>,
}

/// How far a window reaches back for what the summary does not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfolded {
    /// The summary's watermark.
    pub(crate) upto: Seq,
    /// After how many further places it stops all the same, at the next turn.
    pub(crate) extra: u32,
}

/// What [`Cut::step`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The message is in the window, and an older one may be too.
    Inside,
    /// The message is the window's first.
    First,
    /// The window is empty: nothing was asked for.
    Outside,
}

impl Cut {
    /// Begins at the end of a session.
    pub(crate) fn new(window: Window, unfolded: Option<Unfolded>) -> Self {
        Self { window, unfolded, turns: 0, messages: 0, bytes: 0, reached: None }
    }

    /// Takes the next older message, of so many bytes. Deleted and unreadable ones are not given to it.
    pub(crate) fn step(&mut self, seq: Seq, role: Role, bytes: usize) -> Step {
        let nothing = matches!(self.window, Window::Turns(0) | Window::Messages(0) | Window::Bytes(0));
        if nothing && self.reached.is_none() {
            if self.unfolded.is_none_or(|unfolded| seq <= unfolded.upto || unfolded.extra == 0) {
                return Step::Outside;
            }
            self.reached = Some(seq.saturating_add(1));
        }
        self.messages = self.messages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if role != Role::User {
            return Step::Inside;
        }
        self.turns = self.turns.saturating_add(1);
        let full = match self.window {
            Window::Turns(turns) => self.turns >= turns,
            Window::Messages(messages) => self.messages >= messages,
            Window::Bytes(bytes) => self.bytes >= bytes,
        };
        if !full {
            return Step::Inside;
        }
        let reached = *self.reached.get_or_insert(seq);
        match self.unfolded {
            Some(Unfolded { upto, extra })
                if seq > upto.saturating_add(1) && reached.saturating_sub(seq) < extra.into() =>
            {
                Step::Inside
            }
            _ => Step::First,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letters of a session's roles, oldest first, and the part of them that the window holds.
    fn check(session: &str, window: Window, expected: &str) {
        check_cut(session, Cut::new(window, None), expected);
    }

    fn check_cut(session: &str, mut cut: Cut, expected: &str) {
        let window = cut.window;
        let mut begin = session.len();
        for (at, letter) in session.char_indices().rev() {
            let role = match letter {
                's' => Role::System,
                'u' => Role::User,
                'a' => Role::Assistant,
                _ => Role::Tool,
            };
            match cut.step(at as Seq + 1, role, 100) {
                Step::Inside => begin = at,
                Step::First => {
                    begin = at;
                    break;
                }
                Step::Outside => break,
            }
        }
        assert_eq!(session.get(begin..), Some(expected), "{session} {window:?}");
    }

    #[test]
    fn turns() {
        check("", Window::Turns(3), "");
        check("uaua", Window::Turns(0), "");
        check("uauaua", Window::Turns(1), "ua");
        check("uauaua", Window::Turns(2), "uaua");
        check("uauaua", Window::Turns(9), "uauaua");
        check("uatta", Window::Turns(1), "uatta");
        check("uauatta", Window::Turns(1), "uatta");
        check("uauu", Window::Turns(2), "uu");
        check("saua", Window::Turns(1), "ua");
        check("saua", Window::Turns(2), "saua");
        check("aaa", Window::Turns(1), "aaa");
    }

    #[test]
    fn messages() {
        check("uaua", Window::Messages(0), "");
        check("uauaua", Window::Messages(1), "ua");
        check("uauaua", Window::Messages(2), "ua");
        check("uauaua", Window::Messages(3), "uaua");
        check("uauatta", Window::Messages(2), "uatta");
        check("saua", Window::Messages(3), "saua");
        check("uaua", Window::Messages(99), "uaua");
    }

    #[test]
    fn bytes() {
        // Every message here has 100.
        check("uaua", Window::Bytes(0), "");
        check("uauaua", Window::Bytes(1), "ua");
        check("uauaua", Window::Bytes(200), "ua");
        check("uauaua", Window::Bytes(201), "uaua");
        check("uauatta", Window::Bytes(150), "uatta");
        check("uaua", Window::Bytes(u64::MAX), "uaua");
    }

    #[test]
    fn unfolded() {
        let check = |session: &str, turns, upto, extra, expected: &str| {
            check_cut(session, Cut::new(Window::Turns(turns), Some(Unfolded { upto, extra })), expected);
        };
        check("uauauaua", 1, 8, 99, "ua");
        check("uauauaua", 1, 6, 99, "ua");
        check("uauauaua", 1, 4, 99, "uaua");
        check("uauauaua", 1, 0, 99, "uauauaua");
        // A watermark inside a turn: the turn comes whole.
        check("uauauaua", 1, 3, 99, "uauaua");
        check("uauauaua", 1, 5, 99, "uaua");
        // Bounded, at a whole turn.
        check("uauauaua", 1, 0, 0, "ua");
        check("uauauaua", 1, 0, 1, "uaua");
        check("uauauaua", 1, 0, 2, "uaua");
        check("uauauaua", 1, 0, 3, "uauaua");
        check("uauatttt", 1, 0, 1, "uauatttt");
        // No turns but what is not covered.
        check("uaua", 0, 4, 99, "");
        check("uaua", 0, 2, 99, "ua");
        check("uaua", 0, 0, 99, "uaua");
        check("uaua", 0, 0, 1, "ua");
    }
}
