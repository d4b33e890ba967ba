//! Places of a session written down so that a case reads in one line: `1u 2a 3- 4!` is a user's message, an
//! answer, a deleted message and something unreadable.

use std::fmt::Write as _;

use hitherto::Role;
use hitherto::store::Entry;

/// The role that a letter stands for.
pub fn role(letter: char) -> Role {
    match letter {
        's' => Role::System,
        'u' => Role::User,
        'a' => Role::Assistant,
        't' => Role::Tool,
        other => panic!("{other:?} is no role: write s, u, a or t"),
    }
}

/// The letter of a role.
pub fn letter(role: Role) -> char {
    match role {
        Role::System => 's',
        Role::User => 'u',
        Role::Assistant => 'a',
        Role::Tool => 't',
    }
}

/// The places, in one line.
pub fn write<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    let mut out = String::new();
    for entry in entries {
        let sign = match &entry.record {
            Err(_) => '!',
            Ok(record) if record.message.is_none() => '-',
            Ok(record) => letter(record.role),
        };
        let gap = if out.is_empty() { "" } else { " " };
        write!(out, "{gap}{}{sign}", entry.seq).unwrap();
    }
    out
}

/// The places from the first one with a message that can be read: what stands before it is nobody's window.
pub fn from_first_live(entries: &[Entry]) -> &[Entry] {
    let first = entries.iter().position(|entry| entry.live().is_some()).unwrap_or(entries.len());
    &entries[first..]
}

/// A slice has no gaps and stands in order.
pub fn check_whole(entries: &[Entry]) {
    for pair in entries.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq + 1, "a gap in {}", write(entries));
    }
}
