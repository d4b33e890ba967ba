//! Just enough HTTP/1.1 to be a client: requests as bytes, answers with a content length.
//!
//! The load shares two cores with what it measures, so it cannot afford a real client. Chunked answers are an
//! error rather than supported: neither server sends them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// How long any single answer may take before the measurement is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

const MAX_HEAD: usize = 8 * 1024;

/// The head of an answer: its status, and where its body lies in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) body_start: usize,
    pub(crate) body_len: usize,
}

impl Head {
    /// Length of head and body together.
    pub(crate) fn total(&self) -> usize {
        self.body_start + self.body_len
    }
}

/// The head at the beginning of `bytes`, or `None` while it is incomplete.
pub(crate) fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        ensure!(bytes.len() < MAX_HEAD, "the answer's head does not end within {MAX_HEAD} bytes");
        return Ok(None);
    };
    let mut lines = bytes[..end].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let status_line = lines.next().unwrap_or_default();
    let status = status_line
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(number)
        .with_context(|| format!("not a status line: {}", status_line.escape_ascii()))?;
    let mut body_len = None;
    for line in lines {
        if let Some((name, value)) = line.split_at_checked(15)
            && name.eq_ignore_ascii_case(b"content-length:")
        {
            body_len = number(value.trim_ascii());
        }
    }
    let body_len = body_len.context("the answer has no content length")?;
    Ok(Some(Head { status: status as u16, body_start: end + 4, body_len }))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A `GET` as bytes.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A `POST` of JSON as bytes.
pub(crate) fn post(path: &str, json: &str) -> Vec<u8> {
    let length = json.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}"
    )
    .into_bytes()
}

/// The same request, which shows a token, if there is one to show.
pub(crate) fn by(token: Option<&str>, mut request: Vec<u8>) -> Vec<u8> {
    if let Some(token) = token
        && let Some(line) = request.windows(2).position(|end| end == b"\r\n")
    {
        let header = format!("authorization: Bearer {token}\r\n");
        request.splice(line + 2..line + 2, header.into_bytes());
    }
    request
}

/// A blocking connection, for everything that is not under measurement.
pub(crate) struct Client {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client { stream, bytes: Vec::new() })
    }

    /// Sends a request and returns the status and the body of its answer.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request)?;
        self.bytes.clear();
        let mut part = [0; 16 * 1024];
        loop {
            let read = self.stream.read(&mut part)?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            self.bytes.extend_from_slice(&part[..read]);
            if let Some(head) = parse_head(&self.bytes)?
                && self.bytes.len() >= head.total()
            {
                return Ok((head.status, &self.bytes[head.body_start..head.total()]));
            }
        }
    }

    /// Sends a request whose answer must have this status, and returns its body.
    pub(crate) fn expect(&mut self, status: u16, request: &[u8]) -> Result<&[u8]> {
        let (answered, body) = self.send(request)?;
        ensure!(answered == status, "{answered} instead of {status}: {}", String::from_utf8_lossy(body));
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &str, expected: Option<(u16, usize)>) {
        let head = parse_head(bytes.as_bytes()).unwrap();
        assert_eq!(head.map(|head| (head.status, head.body_len)), expected, "{bytes}");
    }

    #[test]
    fn a_head_is_read_in_any_case_and_order() {
        check("HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", Some((201, 0)));
        check(
            "HTTP/1.1 200 OK\r\ncontent-type: a/b\r\nContent-Length:17\r\ndate: x\r\n\r\n{\"a\":1",
            Some((200, 17)),
        );
        check("HTTP/1.1 503 \r\nCONTENT-LENGTH: 2 \r\n\r\n", Some((503, 2)));
    }

    #[test]
    fn a_token_is_a_header() {
        assert_eq!(by(None, get("/a")), get("/a"));
        let request = String::from_utf8(by(Some("t"), post("/a", "{}"))).unwrap();
        assert!(
            request.starts_with("POST /a HTTP/1.1\r\nauthorization: Bearer t\r\nhost: localhost\r\n"),
            "{request}"
        );
        assert!(request.ends_with("\r\n\r\n{}"), "{request}");
    }

    #[test]
    fn an_incomplete_head_is_awaited() {
        check("", None);
        check("HTTP/1.1 200 OK\r\ncontent-le", None);
        check("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n", None);
    }

    #[test]
    fn the_body_begins_behind_the_empty_line() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        let head = parse_head(bytes).unwrap().unwrap();
        assert_eq!(&bytes[head.body_start..head.total()], b"abc");
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for bytes in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 abc OK\r\ncontent-length: 3\r\n\r\n",
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\n",
        ] {
            parse_head(bytes.as_bytes()).unwrap_err();
        }
        parse_head(&[b'x'; MAX_HEAD]).unwrap_err();
    }
}
