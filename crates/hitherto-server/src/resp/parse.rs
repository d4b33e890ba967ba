//! Commands out of bytes: arrays of bulk strings, and lines of words as people type them.
//!
//! Invariant: a length is checked before anything is kept or waited for because of it; nothing here recurses; and the
//! words of a command are slices of what was read.

use bytes::{Bytes, BytesMut};

use crate::keyspace::Command;

/// The most words of a command; fewer where it may have few bytes.
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

/// How far a command was read that has not arrived whole. Reading goes on there, so that a command that comes byte by
/// byte costs no more than one that comes at once.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// How many words it has, once that is known.
    count: Option<usize>,
    words: Vec<Word>,
    /// Where what was not read yet begins.
    at: usize,
    /// How many bytes the words have.
    size: usize,
}

/// Takes the next command of at most `limit` bytes, of which so much was read already.
pub(super) fn next(buffer: &mut BytesMut, begun: &mut Begun, limit: usize) -> Result<Next, Malformed> {
    loop {
        let whole = match buffer.first() {
            None => false,
            Some(b'*') => array(buffer, begun, limit)?,
            Some(_) => line(buffer, begun)?,
        };
        if !whole {
            return Ok(Next::Incomplete);
        }
        let Begun { words, at: taken, .. } = std::mem::take(begun);
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
#[derive(Debug)]
enum Word {
    At(usize, usize),
    Own(Vec<u8>),
}

/// `*2\r\n$4\r\nLLEN\r\n$1\r\nk\r\n`; whether it is whole.
fn array(bytes: &[u8], begun: &mut Begun, limit: usize) -> Result<bool, Malformed> {
    let count = match begun.count {
        Some(count) => count,
        None => {
            let Some((count, at)) = number(bytes, 1, "invalid multibulk length")? else { return Ok(false) };
            // Less than nothing is nothing, as in Redis.
            let count = usize::try_from(count).unwrap_or(0);
            // Words of no bytes take memory, too.
            if count > WORDS.min(limit / 8) {
                return Err(Malformed::new("invalid multibulk length"));
            }
            (begun.count, begun.at) = (Some(count), at);
            count
        }
    };
    while begun.words.len() < count {
        match bytes.get(begun.at) {
            None => return Ok(false),
            Some(b'$') => {}
            Some(other) => {
                return Err(Malformed::new(&format!(
                    "expected '$', got '{}'",
                    char::from(*other).escape_default()
                )));
            }
        }
        let Some((length, begin)) = number(bytes, begun.at + 1, "invalid bulk length")? else {
            return Ok(false);
        };
        let length = usize::try_from(length).map_err(|_| Malformed::new("invalid bulk length"))?;
        let size = begun.size.saturating_add(length);
        if size > limit {
            return Err(Malformed(format!("ERR Protocol error: a command has at most {limit} bytes here")));
        }
        let end = begin + length;
        match bytes.get(end..end + 2) {
            None => return Ok(false),
            Some(b"\r\n") => {}
            Some(_) => return Err(Malformed::new("a bulk string does not end where it says")),
        }
        begun.words.push(Word::At(begin, end));
        (begun.at, begun.size) = (end + 2, size);
    }
    Ok(true)
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

/// `LLEN k\r\n`, with quotes where words have spaces; whether it is whole.
fn line(bytes: &[u8], begun: &mut Begun) -> Result<bool, Malformed> {
    let head = bytes.get(..LINE).unwrap_or(bytes);
    let fresh = head.get(begun.at..).unwrap_or_default();
    let Some(end) = fresh.iter().position(|byte| *byte == b'\n').map(|found| begun.at + found) else {
        begun.at = head.len();
        return if head.len() == LINE { Err(Malformed::new("too big inline request")) } else { Ok(false) };
    };
    let text = bytes.get(..end).unwrap_or_default();
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if is_http(text) {
        return Err(Malformed::new("this is no HTTP port"));
    }
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
    (begun.words, begun.at) = (words, end + 1);
    Ok(true)
}

/// Whether a line is one of a request that a browser sends: any page may have one sent to this port, and its body must
/// not be carried out. Redis ends connections at the same two words.
fn is_http(line: &[u8]) -> bool {
    let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    word.eq_ignore_ascii_case(b"POST") || word.eq_ignore_ascii_case(b"Host:")
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
        next(&mut BytesMut::from(bytes), &mut Begun::default(), 100).map_err(|malformed| malformed.0)
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
        for (whole, key) in [("*2\r\n$4\r\nLLEN\r\n$10\r\n0123456789\r\n", "0123456789"), ("LLEN k\r\n", "k")]
        {
            // Read anew at each length, and read on from where the last reading stopped.
            let (mut buffer, mut begun) = (BytesMut::new(), Begun::default());
            for (end, byte) in whole.bytes().enumerate() {
                assert_eq!(read(&whole.as_bytes()[..end]), Ok(Next::Incomplete), "{end} bytes of {whole:?}");
                assert_eq!(next(&mut buffer, &mut begun, 100), Ok(Next::Incomplete));
                buffer.extend_from_slice(&[byte]);
            }
            assert_eq!(next(&mut buffer, &mut begun, 100), Ok(command(&["LLEN", key])));
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn commands_follow_one_another() {
        let mut begun = Begun::default();
        let mut next = |buffer: &mut BytesMut, limit| super::next(buffer, &mut begun, limit);
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
        check(b"POST / HTTP/1.1\r\n", "no HTTP port");
        check(b"host: x\r\n", "no HTTP port");
        check(&[b'x'; LINE], "too big inline request");
    }
}
