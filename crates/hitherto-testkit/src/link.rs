//! One client's way through the proxy.
//!
//! Invariant: whatever is counted is counted before it is passed on, so a client that has its reply finds it in
//! the counts.
//! The proxy decides which links there are; a link decides what happens to its bytes.

use std::cell::Cell;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::proxy::{Break, Mode, Shared};

/// What is read at once.
const CHUNK: usize = 64 * 1024;
/// How many chunks wait for a delay before the client has to.
const WAITING_CHUNKS: usize = 64;

/// What the two directions of one link know of each other.
#[derive(Default)]
struct Turn {
    /// The last bytes went to the client, so the next ones from it begin a round trip.
    client_begins: Cell<bool>,
    /// A request went up whose reply is not to come down as it should.
    armed: Cell<Option<Armed>>,
    /// Bytes were swallowed. Passing on later ones would tear a request or a reply, so none are.
    deaf: Cell<bool>,
    /// The reply has come: let what was sent be carried out, then close.
    finish: Notify,
}

/// What becomes of the next reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Armed {
    /// It is lost.
    Cut,
    /// It is lost, and that has been counted.
    Counted,
    /// Half of it is lost.
    Half,
    /// It comes through, and the link ends.
    CutAfter,
    /// It is lost, and so are those that follow, but the link stays open upward.
    HalfClose,
}

struct Chunk {
    bytes: Vec<u8>,
    due: Instant,
}

/// Runs until either side closes its end or the link is cut on purpose.
pub(crate) async fn run(client: TcpStream, upstream: SocketAddr, shared: Arc<Shared>) -> io::Result<()> {
    let turn = Turn::default();
    turn.client_begins.set(true);
    client.set_nodelay(true)?;
    let (mut from_client, to_client) = client.into_split();
    if matches!(shared.mode(), Mode::Silent) {
        turn.deaf.set(true);
        return read_requests(&mut from_client, None, &turn, &shared).await;
    }
    let server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    let (from_server, to_server) = server.into_split();
    let (queue, queued) = mpsc::channel(WAITING_CHUNKS);
    tokio::select! {
        ended = read_requests(&mut from_client, Some(queue), &turn, &shared) => ended,
        failed = write_requests(queued, to_server, &turn) => failed,
        ended = pass_replies(from_server, to_client, &turn, &shared) => ended,
    }
}

/// Reads what the client sends until it closes. It never waits for the server.
async fn read_requests(
    from_client: &mut OwnedReadHalf,
    queue: Option<mpsc::Sender<Chunk>>,
    turn: &Turn,
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    let mut marker = MarkerSearch::default();
    loop {
        let length = from_client.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let bytes = &buffer[..length];
        // Before it is counted: a test that waits for the count and then changes the mode means the next bytes.
        let mode = shared.mode();
        let round_trip = turn.client_begins.replace(false);
        shared.count(|stats| {
            stats.bytes_up += length as u64;
            stats.round_trips += u64::from(round_trip);
        });
        let (mut delay, mut times) = (Duration::ZERO, 1);
        match mode {
            Mode::Pass | Mode::Refuse => {}
            Mode::Silent => turn.deaf.set(true),
            Mode::Delay(by) => delay = by,
            Mode::CutBeforeReply { marker: None, .. } => turn.armed.set(Some(Armed::Cut)),
            Mode::CutBeforeReply { marker: Some(wanted), .. } => {
                if marker.find(&wanted, bytes) {
                    turn.armed.set(Some(Armed::Cut));
                }
            }
            Mode::Break { how, .. } => match how {
                Break::BeforeRequest if shared.take_cut() => return finish(queue, turn).await,
                Break::Twice if shared.take_cut() => {
                    turn.armed.set(Some(Armed::Counted));
                    times = 2;
                }
                Break::BeforeRequest | Break::Twice => {}
                Break::DuringReply => turn.armed.set(Some(Armed::Half)),
                Break::AfterReply => turn.armed.set(Some(Armed::CutAfter)),
                Break::HalfClose => turn.armed.set(Some(Armed::HalfClose)),
            },
        }
        if let (false, Some(queue)) = (turn.deaf.get(), &queue) {
            for _ in 0..times {
                let chunk = Chunk { bytes: bytes.to_vec(), due: Instant::now() + delay };
                // The other end goes only when the link is being closed after a cut.
                let _ = queue.send(chunk).await;
            }
        }
    }
}

/// Ends the link from the client's side: what was sent before is carried out, then the server closes.
async fn finish(queue: Option<mpsc::Sender<Chunk>>, turn: &Turn) -> io::Result<()> {
    let Some(queue) = queue else { return Ok(()) };
    turn.armed.set(Some(Armed::Counted));
    // Without a sender the other end sends what is left and then says that no more will come.
    drop(queue);
    future::pending().await
}

/// Sends each chunk on when it is due; after a cut, sends what is left and says that no more will come.
async fn write_requests(
    mut queued: mpsc::Receiver<Chunk>,
    mut to_server: OwnedWriteHalf,
    turn: &Turn,
) -> io::Result<()> {
    loop {
        tokio::select! {
            biased;
            chunk = queued.recv() => {
                let Some(chunk) = chunk else { break };
                tokio::time::sleep_until(chunk.due).await;
                to_server.write_all(&chunk.bytes).await?;
            }
            () = turn.finish.notified() => break,
        }
    }
    to_server.shutdown().await?;
    // The server's end of the link says when it is over.
    future::pending().await
}

/// Passes on what the server answers until it closes, or until a reply comes that is to be lost.
async fn pass_replies(
    mut from_server: OwnedReadHalf,
    mut to_client: OwnedWriteHalf,
    turn: &Turn,
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = from_server.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        if let Some(armed) = turn.armed.take()
            && (armed == Armed::Counted || shared.take_cut())
        {
            let kept = match armed {
                Armed::Cut | Armed::Counted | Armed::HalfClose => 0,
                Armed::Half => length / 2,
                Armed::CutAfter => length,
            };
            shared.count(|stats| stats.bytes_down += kept as u64);
            to_client.write_all(&buffer[..kept]).await?;
            if armed == Armed::HalfClose {
                to_client.shutdown().await?;
            } else {
                // A server carries out everything that it received before the end of the stream, so once it has
                // closed, the request is done, also if this reply was that of an earlier one.
                turn.finish.notify_one();
            }
            while from_server.read(&mut buffer).await? > 0 {}
            return Ok(());
        }
        if turn.deaf.get() || matches!(shared.mode(), Mode::Silent) {
            turn.deaf.set(true);
            continue;
        }
        shared.count(|stats| stats.bytes_down += length as u64);
        turn.client_begins.set(true);
        to_client.write_all(&buffer[..length]).await?;
    }
}

/// Looks for a marker that may be spread over two chunks.
#[derive(Default)]
struct MarkerSearch {
    tail: Vec<u8>,
}

impl MarkerSearch {
    fn find(&mut self, marker: &[u8], bytes: &[u8]) -> bool {
        self.tail.extend_from_slice(bytes);
        let found = self.tail.windows(marker.len().max(1)).any(|part| part == marker);
        let keep = if found { 0 } else { self.tail.len().min(marker.len().saturating_sub(1)) };
        self.tail.drain(..self.tail.len() - keep);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_across_chunks_and_only_once() {
        let mut search = MarkerSearch::default();
        assert!(!search.find(b"APPEND", b"xxAPP"));
        assert!(search.find(b"APPEND", b"ENDxx"));
        assert!(!search.find(b"APPEND", b"ENDxx"));
        assert!(search.find(b"APPEND", b"APPEND"));
    }
}
