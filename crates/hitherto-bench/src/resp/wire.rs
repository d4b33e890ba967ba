//! Just enough of the Redis protocol to be a client: commands as bytes, and where replies end.
//!
//! Replies are followed byte by byte and not kept: a client that shares its cores with the servers has no time to
//! make objects of them. What they say is checked by comparing the bytes of a sample with what has to come.

use anyhow::{Context, Result, bail, ensure};

/// The longest line of a reply that is no error.
const LINE: usize = 32;

/// A command.
pub(super) fn command(words: &[&[u8]]) -> Vec<u8> {
    list(words)
}

/// A list of strings, which is also what a command looks like.
pub(super) fn list(elements: &[&[u8]]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", elements.len()).into_bytes();
    for element in elements {
        out.extend_from_slice(format!("${}\r\n", element.len()).as_bytes());
        out.extend_from_slice(element);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// An integer.
pub(super) fn integer(number: u64) -> Vec<u8> {
    format!(":{number}\r\n").into_bytes()
}

/// How far the replies to a batch of commands have come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Replies {
    /// Values that have not ended yet, those of lists included as far as their lists have begun.
    values: usize,
    /// Bytes of a string that are still to come, with the line end behind it.
    string: usize,
    /// The beginning of a line that came in pieces.
    line: Vec<u8>,
}

impl Replies {
    /// So many replies are awaited.
    pub(super) fn of(commands: usize) -> Self {
        Replies { values: commands, ..Replies::default() }
    }

    /// Follows what has come; true if that completes the last reply.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> Result<bool> {
        while !bytes.is_empty() {
            ensure!(self.values > 0, "{} bytes too many behind a reply", bytes.len());
            if self.string > 0 {
                let (of_string, rest) = bytes.split_at(self.string.min(bytes.len()));
                self.string -= of_string.len();
                self.values -= usize::from(self.string == 0);
                bytes = rest;
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                self.line.extend_from_slice(bytes);
                return Ok(false);
            };
            let (line, rest) = bytes.split_at(end + 1);
            bytes = rest;
            if self.line.is_empty() {
                self.begin(line)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.begin(&whole)?;
            }
        }
        Ok(self.values == 0)
    }

    /// A line: a whole value, or the beginning of one.
    fn begin(&mut self, line: &[u8]) -> Result<()> {
        let unknown = || format!("not a reply: {}", line.escape_ascii());
        let (kind, rest) = line.split_first().with_context(unknown)?;
        if *kind == b'-' {
            bail!("the server refused: {}", String::from_utf8_lossy(rest).trim_end());
        }
        ensure!(line.len() <= LINE && line.ends_with(b"\r\n"), unknown());
        let length = std::str::from_utf8(rest).ok().and_then(|text| text.trim_end().parse::<i64>().ok());
        match (kind, length) {
            (b'+', _) | (b':', Some(_)) | (b'$' | b'*', Some(-1)) => self.values -= 1,
            (b'$', Some(length @ 0..)) => self.string = length as usize + 2,
            (b'*', Some(length @ 0..)) => self.values = self.values + length as usize - 1,
            _ => bail!(unknown()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows it whole, byte by byte, and cut in two at every place.
    fn check(commands: usize, text: &str) {
        let bytes = text.as_bytes();
        assert!(Replies::of(commands).follow(bytes).unwrap(), "{text:?}");
        let mut one_by_one = Replies::of(commands);
        for (at, byte) in bytes.iter().enumerate() {
            let done = one_by_one.follow(&[*byte]).unwrap();
            assert_eq!(done, at + 1 == bytes.len(), "{text:?} at {at}");
        }
        for cut in 1..bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let mut replies = Replies::of(commands);
            assert!(!replies.follow(first).unwrap(), "{text:?} cut at {cut}");
            assert!(replies.follow(second).unwrap(), "{text:?} cut at {cut}");
        }
    }

    #[test]
    fn replies_end_where_they_end() {
        check(1, "+PONG\r\n");
        check(1, ":1234\r\n");
        check(1, "$-1\r\n");
        check(1, "*-1\r\n");
        check(1, "$0\r\n\r\n");
        check(1, "$5\r\na\r\nb\n\r\n");
        check(1, "*2\r\n$1\r\na\r\n*2\r\n:1\r\n$2\r\nbb\r\n");
    }

    #[test]
    fn several_replies_are_awaited_together() {
        check(3, ":1\r\n:2\r\n:3\r\n");
        check(2, "*0\r\n*1\r\n$3\r\nabc\r\n");
        assert!(!Replies::of(2).follow(b":1\r\n").unwrap());
    }

    #[test]
    fn what_is_wrong_is_an_error() {
        for bytes in ["-ERR no\r\n", ":1\r\n:2\r\n", "?\r\n", "$x\r\n", "$-2\r\n", ":1\n", "\r\n"] {
            Replies::of(1).follow(bytes.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn commands_are_lists_of_strings() {
        assert_eq!(
            command(&[b"LPUSH", "k".as_bytes(), "é".as_bytes()]),
            "*3\r\n$5\r\nLPUSH\r\n$1\r\nk\r\n$2\r\né\r\n".as_bytes()
        );
        assert_eq!(integer(12), b":12\r\n");
    }
}
