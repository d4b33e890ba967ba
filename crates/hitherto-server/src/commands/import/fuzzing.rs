//! A line of a file to import, for `crate::fuzzing`.

use hitherto::{Message, SessionId};

use super::line::Line;

/// The longest message here.
const LONGEST: usize = 64 << 10;

/// A line, with a session of its own and with one that is given.
pub fn import(data: &[u8]) {
    let given = SessionId::parse("given").ok();
    for session in [None, given.as_ref()] {
        let Ok(line) = Line::parse(data, session, LONGEST) else { continue };
        assert!(session.is_none_or(|session| *session == line.session), "it goes where it is told");
        let again = Message::parse(line.message.json().to_owned().into());
        assert_eq!(again.map(|again| again.role()), Ok(line.message.role()), "what is imported is a message");
    }
}
