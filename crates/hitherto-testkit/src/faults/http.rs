//! A client of HTTP small enough to trust: one request at a time on one connection.
//!
//! Invariant: after anything that went wrong the connection is gone, and the next request makes another; a
//! connection on which an answer may still come is never used again.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What `Retry-After` says.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A connection, when there is one.
#[derive(Debug, Default)]
pub struct Http {
    open: Option<(SocketAddr, BufReader<TcpStream>)>,
}

impl Http {
    /// One request. `headers` are whole lines.
    ///
    /// # Errors
    /// If there is no whole answer within the limit. The request may have been carried out all the same.
    pub async fn call(
        &mut self,
        to: SocketAddr,
        line: &str,
        headers: &[String],
        body: &[u8],
        limit: Duration,
    ) -> io::Result<Answer> {
        // Taken out, so that whatever ends this call early ends the connection, too.
        let open = self.open.take().filter(|(address, _)| *address == to);
        let exchange = async {
            let mut stream = match open {
                Some((_, stream)) => stream,
                None => connect(to).await?,
            };
            stream.get_mut().write_all(&request(line, headers, body)).await?;
            let (answer, closes) = read_answer(&mut stream).await?;
            Ok::<_, io::Error>((answer, (!closes).then_some((to, stream))))
        };
        let (answer, open) = timeout(limit, exchange).await.map_err(|_| io::ErrorKind::TimedOut)??;
        self.open = open;
        Ok(answer)
    }

    /// `GET`.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn get(&mut self, to: SocketAddr, path: &str, limit: Duration) -> io::Result<Answer> {
        self.call(to, &format!("GET {path}"), &[], b"", limit).await
    }
}

async fn connect(to: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn request(line: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
    let mut out =
        format!("{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for header in headers {
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// An answer, and whether the server closes the connection after it.
async fn read_answer(from: &mut BufReader<TcpStream>) -> io::Result<(Answer, bool)> {
    let garbled = || io::Error::from(io::ErrorKind::InvalidData);
    let first = read_line(from).await?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(garbled)?;
    let mut answer = Answer { status, retry_after: None, body: Vec::new() };
    let (mut length, mut closes) = (0, false);
    loop {
        let line = read_line(from).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().map_err(|_| garbled())?,
            "connection" => closes = value.eq_ignore_ascii_case("close"),
            "retry-after" => answer.retry_after = value.parse().ok().map(Duration::from_secs),
            _ => {}
        }
    }
    answer.body = vec![0; length];
    from.read_exact(&mut answer.body).await?;
    Ok((answer, closes))
}

async fn read_line(from: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line).await?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
