//! Reads a file in chunks of bounded size, on a thread of its own: reading a terminal or a pipe may block
//! for as long as it likes, and must not keep an interruption from being heard.

use std::io::{self, BufRead, Read as _};

use hitherto::SessionId;
use tokio::sync::mpsc;

use super::line::{BadLine, Line};

/// Some lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// The lines that can be imported, in order.
    pub(crate) lines: Vec<Line>,
    /// The numbers of those that cannot, and why not.
    pub(crate) bad: Vec<(u64, BadLine)>,
    /// How long all of them are.
    pub(crate) bytes: u64,
}

/// How lines are read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// Where all of them go, whatever they say.
    pub(crate) session: Option<SessionId>,
    /// The longest message.
    pub(crate) longest: usize,
    /// Whether nothing is read after a bad line.
    pub(crate) strict: bool,
}

/// A chunk ends after so many lines,
const LINES: usize = 5000;
/// or so many bytes. At most three chunks are in memory: one at work, one waiting, one being read.
const BYTES: u64 = 4 << 20;
/// What an export adds to a message, at most: the session id with all of it escaped, and more than the rest.
const ADDED: usize = SessionId::MAX_BYTES * 6 + 1024;

/// Begins to read.
///
/// # Errors
/// If there can be no thread.
pub(crate) fn read(
    input: Box<dyn BufRead + Send>,
    reading: Reading,
) -> io::Result<mpsc::Receiver<io::Result<Chunk>>> {
    let (send, receive) = mpsc::channel(1);
    // Never joined: a thread that waits for a terminal ends with the process.
    std::thread::Builder::new().name("import".to_owned()).spawn(move || {
        let mut lines = Lines { input, reading, number: 0 };
        loop {
            let (chunk, more) = match lines.chunk() {
                Ok((chunk, more)) => (Ok(chunk), more),
                Err(error) => (Err(error), false),
            };
            if send.blocking_send(chunk).is_err() || !more {
                return;
            }
        }
    })?;
    Ok(receive)
}

struct Lines {
    input: Box<dyn BufRead + Send>,
    reading: Reading,
    number: u64,
}

impl Lines {
    /// The next chunk, and whether there may be more.
    fn chunk(&mut self) -> io::Result<(Chunk, bool)> {
        let mut chunk = Chunk::default();
        let most = self.reading.longest + ADDED;
        while chunk.lines.len() < LINES && chunk.bytes < BYTES {
            let mut bytes = Vec::new();
            let read = (&mut self.input).take(most as u64 + 1).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok((chunk, false));
            }
            self.number += 1;
            chunk.bytes += read as u64;
            let line = if bytes.len() > most && bytes.last() != Some(&b'\n') {
                chunk.bytes += self.skip_line()?;
                Err(BadLine::TooLong(self.reading.longest))
            } else {
                let text = bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| self.number == 1).unwrap_or(&bytes);
                if text.trim_ascii().is_empty() {
                    continue;
                }
                Line::parse(text, self.reading.session.as_ref(), self.reading.longest)
            };
            match line {
                Ok(line) => chunk.lines.push(line),
                Err(error) => {
                    chunk.bad.push((self.number, error));
                    if self.reading.strict {
                        return Ok((chunk, false));
                    }
                }
            }
        }
        Ok((chunk, true))
    }

    /// Reads on to the end of a line without keeping it.
    fn skip_line(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(skipped);
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.input.consume(used);
            skipped += used as u64;
            if end.is_some() {
                return Ok(skipped);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_are_read_in_bounded_memory() {
        let good = r#"{"role":"user","content":"x"}"#;
        let long = "y".repeat(200_000);
        let file = format!("\u{feff}{good}\r\n\n{long}\n{good}\n{long}");
        let reading = Reading { session: Some(SessionId::parse("s").unwrap()), longest: 1000, strict: false };
        let mut lines =
            Lines { input: Box::new(io::Cursor::new(file.clone())), reading: reading.clone(), number: 0 };
        let (chunk, more) = lines.chunk().unwrap();
        assert!(!more);
        assert_eq!(chunk.lines.len(), 2);
        assert_eq!(chunk.bytes, file.len() as u64);
        let bad: Vec<u64> = chunk.bad.iter().map(|(number, _)| *number).collect();
        assert_eq!(bad, [3, 5]);
        let reading = Reading { strict: true, ..reading };
        let mut lines = Lines { input: Box::new(io::Cursor::new(file)), reading, number: 0 };
        assert_eq!(lines.chunk().unwrap().0.lines.len(), 1);
    }
}
