//! The load: many keep-alive connections, one request in flight on each, driven by one thread on epoll.
//!
//! It shares the machine's cores with the servers under measurement, so what it uses is missing there: requests
//! are built beforehand, and one operation is one `write`, one `read` and a part of one `epoll_wait`. What it
//! still uses is reported beside the figures.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::check::Checker;
use crate::cpu;
use crate::http::{self, Head, PATIENCE};

/// One answer in so many is read in full.
const SAMPLE: u64 = 500;

/// What the connections do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    Append,
    Read,
    HalfAndHalf,
}

/// One load. Request `n` of `appends` and `reads` is for session `n`.
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) mix: Mix,
    pub(crate) appends: Vec<Vec<u8>>,
    pub(crate) reads: Vec<Vec<u8>>,
    pub(crate) checker: Checker,
}

/// What a load came to in some of its time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) ops: u64,
    pub(crate) elapsed: Duration,
    /// Processor time of the load itself.
    pub(crate) cpu: Duration,
}

/// A load with its connections open.
pub(crate) struct Load {
    poll: Poll,
    connections: Vec<Connection>,
    requests: Requests,
}

struct Connection {
    stream: TcpStream,
    session: usize,
    appending: bool,
    /// What has come of an answer that did not come in one piece, and its head once that is there.
    partial: Vec<u8>,
    head: Option<Head>,
}

/// What goes out and what came back.
struct Requests {
    plan: Plan,
    random: u64,
    answers: u64,
    acknowledged: Vec<u64>,
    scratch: Vec<u8>,
}

impl Load {
    pub(crate) fn open(plan: Plan) -> Result<Self> {
        let poll = Poll::new()?;
        let connections = (0..plan.connections).map(|index| open(plan.address, &poll, Token(index)));
        Ok(Load {
            connections: connections.collect::<Result<_>>()?,
            poll,
            requests: Requests {
                random: 0x9E37_79B9_7F4A_7C15,
                answers: 0,
                acknowledged: vec![0; plan.appends.len()],
                scratch: vec![0; 64 * 1024],
                plan,
            },
        })
    }

    /// Sends for so long, then waits for the answers that are still outstanding; they count.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<Tally> {
        let mut events = Events::with_capacity(self.connections.len());
        let (begin, answers, cpu) = (Instant::now(), self.requests.answers, cpu::of_this_thread()?);
        for connection in &mut self.connections {
            self.requests.send(connection)?;
        }
        let mut outstanding = self.connections.len();
        while outstanding > 0 {
            match self.poll.poll(&mut events, Some(PATIENCE)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            ensure!(!events.is_empty(), "no answer for {PATIENCE:?}");
            let sending = begin.elapsed() < duration;
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                if !self.requests.receive(connection)? {
                    continue;
                }
                if sending {
                    self.requests.send(connection)?;
                } else {
                    outstanding -= 1;
                }
            }
        }
        Ok(Tally {
            ops: self.requests.answers - answers,
            elapsed: begin.elapsed(),
            cpu: cpu::of_this_thread()? - cpu,
        })
    }

    /// Appends that were acknowledged so far, by session.
    pub(crate) fn acknowledged(&self) -> &[u64] {
        &self.requests.acknowledged
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, more: Tally) {
        self.ops += more.ops;
        self.elapsed += more.elapsed;
        self.cpu += more.cpu;
    }
}

fn open(address: SocketAddr, poll: &Poll, token: Token) -> Result<Connection> {
    // Connected while blocking: a burst of half-open connections is no part of what is measured.
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry().register(&mut stream, token, Interest::READABLE)?;
    Ok(Connection { stream, session: 0, appending: false, partial: Vec::new(), head: None })
}

impl Requests {
    /// Sends the next request. It is small and the connection is idle, so it always fits in one piece.
    fn send(&mut self, connection: &mut Connection) -> Result<()> {
        let random = self.next_random();
        connection.appending = match self.plan.mix {
            Mix::Append => true,
            Mix::Read => false,
            Mix::HalfAndHalf => random & 1 == 1,
        };
        let requests = if connection.appending { &self.plan.appends } else { &self.plan.reads };
        connection.session = (random >> 32) as usize % requests.len();
        let request = &requests[connection.session];
        let written = connection.stream.write(request).context("sending a request")?;
        ensure!(written == request.len(), "a request went out in pieces: {written} of {}", request.len());
        Ok(())
    }

    /// Reads what has come; true if that completes the answer.
    ///
    /// After a whole answer nothing more can come before the next request, which will be a new edge for epoll: so
    /// there is no second `read` just to learn that.
    fn receive(&mut self, connection: &mut Connection) -> Result<bool> {
        loop {
            let read = match connection.stream.read(&mut self.scratch) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error).context("reading an answer"),
            };
            let came = &self.scratch[..read];
            if connection.partial.is_empty()
                && let Some(head) = http::parse_head(came)?
            {
                if came.len() >= head.total() {
                    take(
                        &self.plan.checker,
                        &mut self.answers,
                        &mut self.acknowledged,
                        connection,
                        head,
                        came,
                    )?;
                    return Ok(true);
                }
                connection.head = Some(head);
            }
            let mut partial = std::mem::take(&mut connection.partial);
            partial.extend_from_slice(came);
            if connection.head.is_none() {
                connection.head = http::parse_head(&partial)?;
            }
            if let Some(head) = connection.head.take_if(|head| partial.len() >= head.total()) {
                take(
                    &self.plan.checker,
                    &mut self.answers,
                    &mut self.acknowledged,
                    connection,
                    head,
                    &partial,
                )?;
                partial.clear();
                connection.partial = partial;
                return Ok(true);
            }
            connection.partial = partial;
        }
    }

    /// xorshift64: every load asks for the same sessions in the same order.
    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// Counts a whole answer and checks it.
fn take(
    checker: &Checker,
    answers: &mut u64,
    acknowledged: &mut [u64],
    connection: &Connection,
    head: Head,
    bytes: &[u8],
) -> Result<()> {
    ensure!(bytes.len() == head.total(), "{} bytes too many in an answer", bytes.len() - head.total());
    let session = connection.session;
    let body = &bytes[head.body_start..];
    let expected = if connection.appending { 201 } else { 200 };
    if head.status != expected {
        bail!("session {session}: {} instead of {expected}: {}", head.status, String::from_utf8_lossy(body));
    }
    *answers += 1;
    if connection.appending {
        acknowledged[session] += 1;
    }
    if (*answers).is_multiple_of(SAMPLE) {
        let outcome = match connection.appending {
            true => checker.append(session, body),
            false => checker.read(session, body),
        };
        outcome.with_context(|| format!("a wrong answer for session {session}"))?;
    }
    Ok(())
}
