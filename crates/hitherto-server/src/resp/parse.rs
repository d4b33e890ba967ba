//! Commands out of bytes: arrays of bulk strings, and lines of words as people type them.
//!
//! Invariant: a length is checked before anything is kept or waited for because of it; nothing here recurses; and the
//! words of a command are slices of what was read.

use bytes::{Bytes, BytesMut};

use crate::keyspace::Command;

/// The most words of a command.
const WORDS: usize = 1 << 16;
/// The longest line: a length, or a command as people type it.
const LINE: usize = 64 << 10;

/// What was found at the beginning of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A command, which was taken from the bytes.
    Command(Command),
    /// Not enough for one yet.
    Incomplete,
}

/// Why bytes are no command; the connection cannot go on after it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

impl Malformed {
    fn new(why: &str) -> Self {
        Self(format!("ERR Protocol error: {why}"))
    }
}

/// Takes the next command of at most `limit` bytes.
pub(super) fn next(buffer: &mut BytesMut, limit: usize) -> Result<Next, Malformed> {
    loop {
        let (taken, words) = match buffer.first() {
            None => return Ok(Next::Incomplete),
            Some(b'*') => match array(buffer, limit)? {
                Some(found) => found,
                None => return Ok(Next::Incomplete),
            },
            Some(_) => match line(buffer)? {
                Some(found) => found,
                None => return Ok(Next::Incomplete),
            },
        };
        let frame = buffer.split_to(taken).freeze();
        let words: Vec<Bytes> = words
            .into_iter()
            .map(|word| match word {
                Word::At(from, to) => frame.slice(from.min(taken)..to.min(taken)),
                Word::Own(text) => text.into(),
            })
            .collect();
        // An empty command is passed over, as Redis does.
        if !words.is_empty() {
            return Ok(Next::Command(Command::new(words)));
        }
    }
}

/// A word: where it stands, or, typed in quotes, what it is.
enum Word {
    At(usize, usize),
    Own(Vec<u8>),
}

type Found = Option<(usize, Vec<Word>)>;

/// `*2\r\n$4\r\nLLEN\r\n$1\r\nk\r\n`
fn array(bytes: &[u8], limit: usize) -> Result<Found, Malformed> {
    let Some((count, mut at)) = number(bytes, 1, "invalid multibulk length")? else { return Ok(None) };
    let Ok(count) = usize::try_from(count) else { return Ok(Some((at, Vec::new()))) };
    if count > WORDS {
        return Err(Malformed::new("invalid multibulk length"));
    }
    let mut words = Vec::with_capacity(count.min(64));
    let mut size = 0;
    for _ in 0..count {
        match bytes.get(at) {
            None => return Ok(None),
            Some(b'$') => {}
            Some(other) => {
                return Err(Malformed::new(&format!(
                    "expected '$', got '{}'",
                    char::from(*other).escape_default()
                )));
            }
        }
        let Some((length, begin)) = number(bytes, at + 1, "invalid bulk length")? else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| Malformed::new("invalid bulk length"))?;
        size += length;
        if length > limit || size > limit {
            return Err(Malformed(format!("ERR Protocol error: a command has at most {limit} bytes here")));
        }
        let end = begin + length;
        match bytes.get(end..end + 2) {
            None => return Ok(None),
            Some(b"\r\n") => {}
            Some(_) => return Err(Malformed::new("a bulk string does not end where it says")),
        }
        words.push(Word::At(begin, end));
        at = end + 2;
    }
    Ok(Some((at, words)))
}

/// The number in a line that begins there, and where the next line does.
fn number(bytes: &[u8], from: usize, wrong: &str) -> Result<Option<(i64, usize)>, Malformed> {
    let rest = bytes.get(from..).unwrap_or_default();
    // No number is longer.
    let head = rest.get(..32).unwrap_or(rest);
    let Some(end) = head.iter().position(|byte| *byte == b'\r') else {
        return if head.len() == 32 { Err(Malformed::new(wrong)) } else { Ok(None) };
    };
    match rest.get(end + 1) {
        None => return Ok(None),
        Some(b'\n') => {}
        Some(_) => return Err(Malformed::new(wrong)),
    }
    let digits = rest.get(..end).and_then(|digits| std::str::from_utf8(digits).ok());
    let number = digits.filter(|digits| !digits.starts_with('+')).and_then(|digits| digits.parse().ok());
    number.map(|number| Some((number, from + end + 2))).ok_or_else(|| Malformed::new(wrong))
}

/// `LLEN k\r\n`, with quotes where words have spaces.
fn line(bytes: &[u8]) -> Result<Found, Malformed> {
    let head = bytes.get(..LINE).unwrap_or(bytes);
    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
        return if head.len() == LINE { Err(Malformed::new("too big inline request")) } else { Ok(None) };
    };
    let text = bytes.get(..end).unwrap_or_default();
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let mut words = Vec::new();
    let mut rest = text.iter().copied().peekable();
    loop {
        while rest.next_if(u8::is_ascii_whitespace).is_some() {}
        let Some(first) = rest.peek().copied() else { break };
        let mut word = Vec::new();
        if first == b'"' || first == b'\'' {
            rest.next();
            loop {
                match rest.next() {
                    Some(quote) if quote == first => break,
                    Some(b'\\') if first == b'"' => word.push(match rest.next() {
                        Some(b'n') => b'\n',
                        Some(b't') => b'\t',
                        Some(b'r') => b'\r',
                        Some(other) => other,
                        None => return Err(Malformed::new("unbalanced quotes in request")),
                    }),
                    Some(byte) => word.push(byte),
                    None => return Err(Malformed::new("unbalanced quotes in request")),
                }
            }
        } else {
            while let Some(byte) = rest.next_if(|byte| !byte.is_ascii_whitespace()) {
                word.push(byte);
            }
        }
        words.push(Word::Own(word));
    }
    Ok(Some((end + 1, words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Next {
        Next::Command(Command::new(
            words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect(),
        ))
    }

    fn read(bytes: &[u8]) -> Result<Next, String> {
        next(&mut BytesMut::from(bytes), 100).map_err(|malformed| malformed.0)
    }

    #[test]
    fn commands() {
        let check =
            |bytes: &str, expected: Next| assert_eq!(read(bytes.as_bytes()), Ok(expected), "{bytes:?}");
        check("*2\r\n$4\r\nLLEN\r\n$1\r\nk\r\n", command(&["LLEN", "k"]));
        check("*1\r\n$0\r\n\r\n", command(&[""]));
        check("*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n", command(&["PING"]));
        check("*1\r\n$6\r\na\r\nb\r\n\r\n", command(&["a\r\nb\r\n"]));
        check("PING\r\n", command(&["PING"]));
        check("\r\n\nPING\n", command(&["PING"]));
        check("  ECHO   \"a \\\"b\\n\" 'c \\d'\r\n", command(&["ECHO", "a \"b\n", "c \\d"]));
    }

    #[test]
    fn every_beginning_of_a_command_waits_for_the_rest() {
        for whole in ["*2\r\n$4\r\nLLEN\r\n$10\r\n0123456789\r\n", "LLEN k\r\n"] {
            for end in 0..whole.len() {
                assert_eq!(read(&whole.as_bytes()[..end]), Ok(Next::Incomplete), "{end} bytes of {whole:?}");
            }
        }
    }

    #[test]
    fn commands_follow_one_another() {
        let mut buffer = BytesMut::from(&b"*1\r\n$4\r\nPING\r\nECHO x\r\n*1\r\n$4\r\nQU"[..]);
        assert_eq!(next(&mut buffer, 100), Ok(command(&["PING"])));
        assert_eq!(next(&mut buffer, 100), Ok(command(&["ECHO", "x"])));
        assert_eq!(next(&mut buffer, 100), Ok(Next::Incomplete));
        buffer.extend_from_slice(b"IT\r\n");
        assert_eq!(next(&mut buffer, 100), Ok(command(&["QUIT"])));
        assert!(buffer.is_empty());
    }

    #[test]
    fn what_is_malformed_is_said() {
        let check = |bytes: &[u8], expected: &str| {
            let Err(found) = read(bytes) else { panic!("{bytes:?} was read") };
            assert!(found.starts_with("ERR Protocol error: ") && found.contains(expected), "{found}");
        };
        check(b"*x\r\n", "invalid multibulk length");
        check(b"*99999999999999999999\r\n", "invalid multibulk length");
        check(b"*100000\r\n", "invalid multibulk length");
        check(b"*+1\r\n", "invalid multibulk length");
        check(b"*1\rx", "invalid multibulk length");
        check(&[b"*".as_slice(), &[b'1'; 40]].concat(), "invalid multibulk length");
        check(b"*1\r\n:1\r\n", "expected '$', got ':'");
        check(b"*1\r\n*1\r\n", "expected '$', got '*'");
        check(b"*1\r\n$-1\r\n", "invalid bulk length");
        check(b"*1\r\n$101\r\n", "at most 100 bytes");
        check(
            b"*2\r\n$60\r\n012345678901234567890123456789012345678901234567890123456789\r\n$60\r\n",
            "at most 100 bytes",
        );
        check(b"*1\r\n$1\r\nab\r\n", "does not end where it says");
        check(b"ECHO \"x\r\n", "unbalanced quotes");
        check(&[b'x'; LINE], "too big inline request");
    }
}
