//! A RESP2 client small enough to trust.
//!
//! Tests look into Redis with it, past the client library that is under test.
//! One command at a time, blocking, over plain TCP; every wait has a deadline.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long one read or write may take. A paused server shows as a time-out, not as a test that hangs.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`
    Status(String),
    /// `-ERR …`, with its code.
    Error(String),
    /// `:1`
    Integer(i64),
    /// A string of any bytes.
    Bulk(Vec<u8>),
    /// Nothing: a key or a list that is not there.
    Nil,
    /// A list of replies.
    Array(Vec<Reply>),
}

impl Reply {
    /// The text of a status or a string.
    ///
    /// # Panics
    ///
    /// If it is anything else, an error included.
    pub fn text(&self) -> String {
        match self {
            Self::Status(text) => text.clone(),
            Self::Bulk(bytes) => String::from_utf8(bytes.clone()).expect("a reply in UTF-8"),
            other => panic!("expected a text, the server answered {other:?}"),
        }
    }

    /// The number.
    ///
    /// # Panics
    ///
    /// If it is no number.
    pub fn integer(&self) -> i64 {
        match self {
            Self::Integer(number) => *number,
            other => panic!("expected a number, the server answered {other:?}"),
        }
    }

    /// The texts of a list, such as the answer to `KEYS` or `HGETALL`.
    ///
    /// # Panics
    ///
    /// If it is no list, or an element is no text.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::Array(replies) => replies.iter().map(Self::text).collect(),
            other => panic!("expected a list, the server answered {other:?}"),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects. No command is sent yet.
    pub fn connect(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, DEADLINE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends one command and waits for its reply. An error of the server is a [`Reply::Error`], not an `Err`.
    pub fn command<A: AsRef<[u8]>>(&mut self, words: &[A]) -> io::Result<Reply> {
        self.send(words)?;
        self.receive()
    }

    /// Sends one command without waiting, for tests that cut or pause in between.
    pub fn send<A: AsRef<[u8]>>(&mut self, words: &[A]) -> io::Result<()> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            let word = word.as_ref();
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request)
    }

    /// Waits for one reply, ten seconds at the most.
    pub fn receive(&mut self) -> io::Result<Reply> {
        read_reply(&mut self.stream)
    }

    /// Waits for one reply for so long. `None` says that nothing came; the connection is then spent.
    pub fn receive_within(&mut self, limit: Duration) -> io::Result<Option<Reply>> {
        self.stream.get_ref().set_read_timeout(Some(limit))?;
        let reply = match self.receive() {
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(None),
            other => other.map(Some),
        };
        self.stream.get_ref().set_read_timeout(Some(DEADLINE))?;
        reply
    }
}

fn read_reply(from: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let Some(line) = line.strip_suffix("\r\n") else {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the link ended before the reply did"));
    };
    let garbled = || io::Error::new(io::ErrorKind::InvalidData, format!("not RESP2: {line:?}"));
    let (kind, rest) = line.split_at_checked(1).ok_or_else(garbled)?;
    match kind {
        "+" => return Ok(Reply::Status(rest.to_owned())),
        "-" => return Ok(Reply::Error(rest.to_owned())),
        _ => {}
    }
    let number: i64 = rest.parse().map_err(|_| garbled())?;
    match (kind, usize::try_from(number)) {
        (":", _) => Ok(Reply::Integer(number)),
        ("$" | "*", Err(_)) => Ok(Reply::Nil),
        ("$", Ok(length)) => {
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes)?;
            bytes.truncate(length);
            Ok(Reply::Bulk(bytes))
        }
        ("*", Ok(length)) => {
            Ok(Reply::Array((0..length).map(|_| read_reply(from)).collect::<io::Result<_>>()?))
        }
        _ => Err(garbled()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wire: &str, expected: Reply) {
        assert_eq!(read_reply(&mut wire.as_bytes()).unwrap(), expected, "{wire:?}");
    }

    #[test]
    fn every_kind_of_reply_is_read() {
        check("+OK\r\n", Reply::Status("OK".into()));
        check("-ERR no\r\n", Reply::Error("ERR no".into()));
        check(":-3\r\n", Reply::Integer(-3));
        check("$-1\r\n", Reply::Nil);
        check("*-1\r\n", Reply::Nil);
        check("$0\r\n\r\n", Reply::Bulk(vec![]));
        check("$4\r\na\r\nb\r\n", Reply::Bulk(b"a\r\nb".to_vec()));
        check(
            "*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
            Reply::Array(vec![Reply::Integer(1), Reply::Array(vec![Reply::Bulk(b"x".to_vec())])]),
        );
    }

    #[test]
    fn a_reply_that_is_cut_or_garbled_is_an_error() {
        for wire in ["", "+OK", "$4\r\nab", "*2\r\n:1\r\n", "\r\n", ":x\r\n", "?1\r\n", "é\r\n"] {
            assert!(read_reply(&mut wire.as_bytes()).is_err(), "{wire:?}");
        }
    }
}
