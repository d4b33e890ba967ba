//! The least that any program between clients of Redis and a Redis can do: it passes bytes on.
//!
//! Commands of all clients go over one connection, as they came, in the order in which they came; replies go back to
//! whoever asked. Nothing is looked at but where a command or a reply ends. What of Redis' rate is left of that is what
//! is left of a machine's cores once the same bytes have crossed the kernel twice more: no door can do better.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

const BUFFER: usize = 64 << 10;

/// Who waits for so many replies.
type Waiting = (usize, oneshot::Sender<Bytes>);

/// What is on its way to Redis and back.
#[derive(Default)]
struct Way {
    /// Commands that were not written yet, and who waits for their replies.
    next: Mutex<(Vec<u8>, Vec<Waiting>)>,
    written: Mutex<VecDeque<Waiting>>,
    wake: Notify,
}

/// Serves until it is killed, on a runtime with its defaults, as a real server would.
pub(crate) fn serve(redis: SocketAddr, listen: SocketAddr) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(run(redis, listen))
}

async fn run(redis: SocketAddr, listen: SocketAddr) -> Result<()> {
    let stream = TcpStream::connect(redis).await.with_context(|| format!("connecting to {redis}"))?;
    stream.set_nodelay(true)?;
    let (from, to) = stream.into_split();
    let way = Arc::new(Way::default());
    let listener = TcpListener::bind(listen).await?;
    let clients = async {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(client(stream, Arc::clone(&way)));
        }
    };
    tokio::select! {
        ended = send(to, &way) => ended,
        ended = give_back(from, &way) => ended,
        ended = clients => ended,
    }
}

async fn client(mut stream: TcpStream, way: Arc<Way>) -> Result<()> {
    let mut came = BytesMut::with_capacity(BUFFER);
    while stream.read_buf(&mut came).await? > 0 {
        let (mut commands, mut end) = (0, 0);
        while let Some(length) = whole(&came[end..]) {
            (commands, end) = (commands + 1, end + length);
        }
        if commands == 0 {
            continue;
        }
        let (answer, answered) = oneshot::channel();
        {
            let mut next = way.next.lock().unwrap();
            next.0.extend_from_slice(&came[..end]);
            next.1.push((commands, answer));
        }
        came.advance(end);
        way.wake.notify_one();
        stream.write_all(&answered.await?).await?;
    }
    Ok(())
}

async fn send(mut to: OwnedWriteHalf, way: &Way) -> Result<()> {
    loop {
        way.wake.notified().await;
        let (bytes, waiting) = std::mem::take(&mut *way.next.lock().unwrap());
        way.written.lock().unwrap().extend(waiting);
        to.write_all(&bytes).await?;
    }
}

async fn give_back(mut from: OwnedReadHalf, way: &Way) -> Result<()> {
    let mut came = BytesMut::with_capacity(BUFFER);
    loop {
        ensure!(from.read_buf(&mut came).await? > 0, "Redis has closed the connection");
        loop {
            let replies = way.written.lock().unwrap().front().map(|(replies, _)| *replies);
            let end = replies
                .and_then(|replies| (0..replies).try_fold(0, |end, _| Some(end + whole(&came[end..])?)));
            let Some(end) = end else { break };
            let waiting = way.written.lock().unwrap().pop_front();
            if let Some((_, answer)) = waiting {
                // A client that is gone does not wait.
                let _ = answer.send(came.split_to(end).freeze());
            }
        }
        came.reserve(BUFFER / 4);
    }
}

/// How long the value is that these bytes begin with; nothing while it has not come whole.
fn whole(bytes: &[u8]) -> Option<usize> {
    let line = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let number = || -> Option<usize> {
        let digits = bytes.get(1..line.checked_sub(2)?)?;
        // A length below nothing is nothing that follows.
        Some(std::str::from_utf8(digits).ok()?.parse().unwrap_or(0))
    };
    let end = match bytes.first()? {
        b'$' if bytes.get(1) != Some(&b'-') => line + number()? + 2,
        b'*' => (0..number()?).try_fold(line, |end, _| Some(end + whole(bytes.get(end..)?)?))?,
        _ => line,
    };
    (end <= bytes.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_end() {
        for value in [
            "+OK\r\n",
            ":12\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "*0\r\n",
            "$3\r\na\r\n\r\n",
            "*2\r\n:1\r\n*1\r\n$0\r\n\r\n",
        ] {
            assert_eq!(whole(format!("{value}:1\r\n").as_bytes()), Some(value.len()), "{value:?}");
            for cut in 0..value.len() {
                assert_eq!(whole(&value.as_bytes()[..cut]), None, "{value:?} cut at {cut}");
            }
        }
    }
}
