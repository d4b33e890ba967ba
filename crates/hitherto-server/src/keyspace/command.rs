//! A command as it came: its name and arguments, and reading the arguments.

use bytes::Bytes;

use super::Reply;
use super::table::{self, Entry};

/// A command and its arguments, the name first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    words: Vec<Bytes>,
}

pub(super) const NOT_INTEGER: &str = "ERR value is not an integer or out of range";
pub(super) const SYNTAX: &str = "ERR syntax error";

impl Command {
    /// The command of these words; at least one.
    pub(crate) fn new(words: Vec<Bytes>) -> Self {
        Self { words }
    }

    /// How many bytes of memory it takes: a word takes some although it is empty.
    pub(super) fn size(&self) -> usize {
        self.words.iter().map(|word| word.len() + size_of::<Bytes>()).sum()
    }

    /// The same command with bytes of its own, for one that is kept: those that it came in may be a few of many, all of
    /// which would be kept with them.
    pub(super) fn detached(&self) -> Self {
        Self { words: self.words.iter().map(|word| Bytes::copy_from_slice(word)).collect() }
    }

    /// What is known of it, if it is served and has as many arguments as it must.
    pub(super) fn entry(&self) -> Result<&'static Entry, Reply> {
        let name = self.words.first().map_or(&b""[..], |name| name);
        let Some(entry) = table::find(name) else {
            return Err(Reply::error(format!(
                "ERR unknown command '{}': this is Hitherto, chat memory behind Redis' protocol; it keeps lists of \
                 messages, and COMMAND LIST says what it answers",
                shown(name)
            )));
        };
        let words = self.words.len();
        let fits = match usize::try_from(entry.arity) {
            Ok(exactly) => words == exactly,
            Err(_) => words >= usize::try_from(-entry.arity).unwrap_or(usize::MAX),
        };
        if fits { Ok(entry) } else { Err(wrong_number(entry.name)) }
    }

    /// The argument of that place; the name is 0. An empty one where there is none.
    pub(super) fn word(&self, at: usize) -> &Bytes {
        static EMPTY: Bytes = Bytes::new();
        self.words.get(at).unwrap_or(&EMPTY)
    }

    /// The arguments from a place on.
    pub(super) fn rest(&self, from: usize) -> &[Bytes] {
        self.words.get(from..).unwrap_or_default()
    }

    /// The argument of that place as a whole number, as Redis reads one.
    pub(super) fn integer(&self, at: usize) -> Result<i64, Reply> {
        integer(self.word(at)).ok_or_else(|| Reply::error(NOT_INTEGER))
    }

    /// Whether every word after its name is a key.
    pub(super) fn is_of_many_keys(&self) -> bool {
        self.entry().is_ok_and(|entry| entry.keys.1 == -1)
    }

    /// The argument of that place in capitals.
    pub(super) fn upper(&self, at: usize) -> String {
        String::from_utf8_lossy(self.word(at)).to_ascii_uppercase()
    }
}

/// A whole number without a plus, white space or leading zeros.
fn integer(text: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then_some(number)
}

pub(super) fn wrong_number(name: &str) -> Reply {
    Reply::error(format!("ERR wrong number of arguments for '{name}' command"))
}

/// A word of a client's as an error shows it: short, and in one line.
pub(super) fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word)
        .chars()
        .take(64)
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        Command::new(line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect())
    }

    #[test]
    fn arguments_are_counted() {
        let check = |line: &str, expected: Option<&str>| {
            let got = command(line).entry().err();
            assert_eq!(got, expected.map(Reply::error), "{line}");
        };
        check("lrange k 0 -1", None);
        check("LRANGE k 0 -1", None);
        check("LRANGE k 0", Some("ERR wrong number of arguments for 'lrange' command"));
        check("LRANGE k 0 -1 2", Some("ERR wrong number of arguments for 'lrange' command"));
        check("LPUSH k", Some("ERR wrong number of arguments for 'lpush' command"));
        check("LPUSH k a b c", None);
        let Err(Reply::Error(unknown)) = command("SET k v").entry() else { panic!("SET is served") };
        assert!(unknown.starts_with("ERR unknown command 'SET': this is Hitherto"), "{unknown}");
    }

    #[test]
    fn integers_are_read_as_redis_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("+1", None),
            ("01", None),
            ("1.5", None),
            ("abc", None),
            ("", None),
            (" 1", None),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text:?}");
        }
    }
}
