//! Cutting what is to be folded into portions that a summariser can take in, oldest first.
//!
//! Invariant: every message that can be read is in exactly one portion, whole or in all of its parts; a portion
//! ends with a turn, unless a turn is too long for one.

use std::collections::VecDeque;

use super::Line;
use crate::memory::StoredMessage;
use crate::store::{Entry, Seq};
use crate::tokens::Encoding;

/// What a line costs besides its text: the speaker and the line break.
const LINE_TOKENS: usize = 8;

/// Some messages in a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Portion {
    /// Their lines; none for messages of which nothing is left.
    pub(crate) lines: Vec<Line>,
    /// The last place that it goes up to, readable or not.
    pub(crate) upto: Seq,
    /// How many turns begin in it.
    pub(crate) turns: u64,
    /// The size of its records, in bytes.
    pub(crate) bytes: u64,
    /// Whether it ends where a turn does.
    pub(crate) ends_turn: bool,
}

/// A place that waits to be put into a portion.
#[derive(Debug)]
struct Waiting {
    seq: Seq,
    line: Option<Line>,
    begins_turn: bool,
    tokens: usize,
    bytes: u64,
}

/// Takes places in and gives portions out.
#[derive(Debug)]
pub(crate) struct Portions {
    /// How many tokens a portion may have.
    room: usize,
    encoding: Encoding,
    waiting: VecDeque<Waiting>,
    tokens: usize,
}

impl Portions {
    pub(crate) fn new(room: usize, encoding: Encoding) -> Self {
        Self { room: room.max(64), encoding, waiting: VecDeque::new(), tokens: 0 }
    }

    /// Takes in the next places.
    pub(crate) fn take_in(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let (seq, live) = (entry.seq, entry.live());
            let begins_turn = live.is_some_and(|record| record.begins_turn());
            let bytes = live.map_or(0, |record| record.size() as u64);
            let line = StoredMessage::of_entry(entry)
                .map(|message| Line::of(&message))
                .filter(|line| !line.text.trim().is_empty());
            let tokens = line.as_ref().map_or(0, |line| self.encoding.count(&line.text) + LINE_TOKENS);
            self.tokens += tokens;
            self.waiting.push_back(Waiting { seq, line, begins_turn, tokens, bytes });
        }
    }

    /// Whether a whole portion waits, so that no more has to be taken in for the next.
    pub(crate) fn full(&self) -> bool {
        self.tokens > self.room
    }

    /// How many tokens wait.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    /// The next portion of what has been taken in; `None` when nothing is left. With `all`, nothing more will be
    /// taken in, and what is left may be the last.
    pub(crate) fn next(&mut self, all: bool) -> Option<Portion> {
        let (mut tokens, mut fits, mut turn) = (0, 0, 0);
        for (index, waiting) in self.waiting.iter().enumerate() {
            if waiting.begins_turn && index > 0 {
                turn = index;
            }
            tokens += waiting.tokens;
            if tokens > self.room {
                break;
            }
            fits = index + 1;
        }
        let count = if all && fits == self.waiting.len() {
            fits
        } else if turn > 0 {
            turn
        } else {
            // One turn that is too long: as much of it as fits, or its first message in parts.
            fits.max(1)
        };
        let mut portion = Portion::default();
        for _ in 0..count {
            let waiting = self.waiting.pop_front()?;
            self.tokens -= waiting.tokens;
            portion.upto = waiting.seq;
            portion.turns += u64::from(waiting.begins_turn);
            portion.bytes += waiting.bytes;
            match waiting.line {
                Some(line) if waiting.tokens > self.room => {
                    portion.lines.extend(parts(&line, self.room - LINE_TOKENS, self.encoding));
                }
                line => portion.lines.extend(line),
            }
        }
        portion.ends_turn = match self.waiting.front() {
            Some(next) => next.begins_turn,
            None => all,
        };
        (count > 0).then_some(portion)
    }
}

/// A line in parts of at most so many tokens, of about the same length where the text is equally dense.
fn parts(line: &Line, room: usize, encoding: Encoding) -> Vec<Line> {
    let mut texts = Vec::new();
    let count = encoding.count(&line.text).div_ceil(room.max(1)).max(1);
    let length = line.text.len().div_ceil(count).max(1);
    let mut rest = line.text.as_str();
    while !rest.is_empty() {
        let (mut part, mut after) = split(rest, length);
        // Some of a text may have more tokens than its share.
        while encoding.count(part) > room && part.chars().nth(1).is_some() {
            (part, _) = split(part, part.len() / 2);
            after = rest.get(part.len()..).unwrap_or_default();
        }
        texts.push(part.to_owned());
        rest = after;
    }
    let of = u32::try_from(texts.len()).unwrap_or(u32::MAX);
    (1..).zip(texts).map(|(part, text)| Line { text, part: Some((part, of)), ..line.clone() }).collect()
}

/// A text's first bytes, about so many and one letter at least, and the rest.
fn split(text: &str, length: usize) -> (&str, &str) {
    let mut at = length.clamp(1, text.len().max(1));
    while !text.is_char_boundary(at) && at < text.len() {
        at += 1;
    }
    text.split_at_checked(at).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, Role};
    use crate::record::{Record, Unreadable};
    use crate::time::Timestamp;

    /// A session in letters; a capital is a long message, a dot a deleted one, a bar an unreadable one.
    fn entries(session: &str) -> Vec<Entry> {
        let one = |(seq, letter): (Seq, char)| {
            let role = match letter.to_ascii_lowercase() {
                'u' => Role::User,
                't' => Role::Tool,
                _ => Role::Assistant,
            };
            let words = if letter.is_uppercase() { 300 } else { 10 };
            let text = if letter == 'e' { String::new() } else { "word ".repeat(words) };
            let record = Record::new(Message::new(role, &text), uuid::Uuid::nil(), Timestamp::from_millis(0));
            let record = match letter {
                '.' => Ok(record.deleted()),
                '|' => Err(Unreadable::Damaged),
                _ => Ok(record),
            };
            Entry { seq, record }
        };
        (1..).zip(session.chars()).map(one).collect()
    }

    #[test]
    fn no_part_is_too_long() {
        let check = |text: &str| {
            let record = Record::new(Message::user(text), uuid::Uuid::nil(), Timestamp::from_millis(0));
            let mut portions = Portions::new(100, Encoding::O200k);
            portions.take_in(vec![Entry { seq: 1, record: Ok(record) }]);
            let portion = portions.next(true).unwrap();
            assert!(portion.ends_turn, "the last message is the end of its turn");
            let whole: String = portion.lines.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(whole, text);
            for line in portion.lines {
                assert!(Encoding::O200k.count(&line.text) <= 100, "{}", line.text);
            }
        };
        // Half of it has many more tokens to a byte than the rest.
        check(&format!("{}{}", "conversation ".repeat(300), "x9!Q".repeat(200)));
        check(&"\u{1F9D1}\u{200D}\u{1F680}".repeat(300));
        check(&"word ".repeat(99));
    }

    /// The letter of a role.
    fn speaks(role: Role) -> char {
        role.as_str().chars().next().unwrap_or(' ')
    }

    /// What the portions of a session are, each as its letters, with a bar where no turn ends.
    fn check(session: &str, room: usize, expected: &[&str]) {
        let mut portions = Portions::new(room, Encoding::O200k);
        portions.take_in(entries(session));
        let mut found = Vec::new();
        while let Some(portion) = portions.next(true) {
            let mut letters: String = portion.lines.iter().map(|line| speaks(line.role)).collect();
            if !portion.ends_turn {
                letters.push('-');
            }
            found.push(letters);
        }
        assert_eq!(found, expected, "{session} {room}");
        assert_eq!(portions.tokens(), 0);
    }

    #[test]
    fn portions_end_with_turns() {
        // A short message has 18 or 19 tokens with its line, a long one about 310.
        check("", 100, &[]);
        check("uaua", 100, &["uaua"]);
        check("uauaua", 100, &["uaua", "ua"]);
        check("ua.|ua", 100, &["uaua"]);
        check("ue", 100, &["u"]);
        check("e", 100, &[""]);
        // A turn that is too long is cut between messages.
        check("uttttttua", 100, &["utttt-", "ttua"]);
        // A message that is too long comes alone, in parts.
        check("uUua", 100, &["u", "uuuu", "ua"]);
        check("uAua", 100, &["u-", "aaaa", "ua"]);
        check("uA", 100, &["u-", "aaaa"]);
    }

    #[test]
    fn parts_are_the_whole() {
        let mut portions = Portions::new(100, Encoding::O200k);
        portions.take_in(entries("U"));
        let portion = portions.next(true).unwrap();
        let whole: String = portion.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(whole, "word ".repeat(300));
        assert_eq!(portion.lines[1].part, Some((2, 4)));
        assert!(portion.lines.iter().all(|line| line.seq == 1));
    }

    #[test]
    fn what_is_still_to_come_is_waited_for() {
        let mut portions = Portions::new(100, Encoding::O200k);
        portions.take_in(entries("uaua"));
        assert!(!portions.full());
        portions.take_in(entries("uauaua").split_off(4));
        assert!(portions.full());
        assert_eq!(portions.next(false).unwrap().upto, 4);
        assert_eq!(portions.next(true).unwrap().upto, 6);
        assert_eq!(portions.next(true), None);
    }
}
