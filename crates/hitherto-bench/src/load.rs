//! The load: many keep-alive connections, one request in flight on each, driven by one thread on epoll.
//!
//! It shares the machine's cores with the servers under measurement, so what it uses is missing there: requests
//! are built beforehand, and one operation is one `write`, one `read` and a part of one `epoll_wait`. What it
//! still uses is reported beside the figures.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::cpu;
use crate::http::PATIENCE;

/// One answer in so many is read in full.
pub(crate) const SAMPLE: u64 = 500;

/// What is said on the connections.
pub(crate) trait Talk {
    /// What is known of one connection.
    type State;

    /// Sends what comes next on a connection that is waiting for nothing.
    fn send(&mut self, connection: &mut Connection<Self::State>) -> Result<()>;

    /// Reads what has come; true if that completes the answer.
    fn receive(&mut self, connection: &mut Connection<Self::State>) -> Result<bool>;

    /// Operations that were answered so far.
    fn answers(&self) -> u64;
}

/// A connection, and what is known of it.
pub(crate) struct Connection<S> {
    pub(crate) stream: TcpStream,
    pub(crate) state: S,
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
pub(crate) struct Load<T: Talk> {
    poll: Poll,
    connections: Vec<Connection<T::State>>,
    pub(crate) talk: T,
}

impl<T: Talk> Load<T> {
    /// Opens one connection for each state.
    pub(crate) fn open(address: SocketAddr, states: impl Iterator<Item = T::State>, talk: T) -> Result<Self> {
        let poll = Poll::new()?;
        let open = |(index, state)| {
            let stream = open(address, &poll, Token(index))?;
            Ok(Connection { stream, state })
        };
        let connections = states.enumerate().map(open).collect::<Result<_>>()?;
        Ok(Load { connections, poll, talk })
    }

    /// Sends for so long, then waits for the answers that are still outstanding; they count.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<Tally> {
        let mut events = Events::with_capacity(self.connections.len());
        let (begin, answers, cpu) = (Instant::now(), self.talk.answers(), cpu::of_this_thread()?);
        for connection in &mut self.connections {
            self.talk.send(connection)?;
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
                if !self.talk.receive(connection)? {
                    continue;
                }
                if sending {
                    self.talk.send(connection)?;
                } else {
                    outstanding -= 1;
                }
            }
        }
        Ok(Tally {
            ops: self.talk.answers() - answers,
            elapsed: begin.elapsed(),
            cpu: cpu::of_this_thread()? - cpu,
        })
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, more: Tally) {
        self.ops += more.ops;
        self.elapsed += more.elapsed;
        self.cpu += more.cpu;
    }
}

/// xorshift64: every load asks for the same sessions in the same order.
pub(crate) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Random(0x9E37_79B9_7F4A_7C15)
    }
}

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn open(address: SocketAddr, poll: &Poll, token: Token) -> Result<TcpStream> {
    // Connected while blocking: a burst of half-open connections is no part of what is measured.
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry().register(&mut stream, token, Interest::READABLE)?;
    Ok(stream)
}
