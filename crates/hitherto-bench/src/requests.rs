//! What the load says over HTTP, and what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};

use crate::check::Checker;
use crate::http::{self, Head};
use crate::load::{self, Load, Random, SAMPLE, Talk};

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

/// A request in flight.
#[derive(Default)]
pub(crate) struct Asked {
    session: usize,
    appending: bool,
    /// What has come of an answer that did not come in one piece, and its head once that is there.
    partial: Vec<u8>,
    head: Option<Head>,
}

type Connection = load::Connection<Asked>;

/// What goes out and what came back.
pub(crate) struct Requests {
    plan: Plan,
    random: Random,
    answers: u64,
    acknowledged: Vec<u64>,
    scratch: Vec<u8>,
}

impl Requests {
    /// Opens the connections of a load.
    pub(crate) fn open(plan: Plan) -> Result<Load<Self>> {
        let (address, connections) = (plan.address, plan.connections);
        let requests = Requests {
            random: Random::default(),
            answers: 0,
            acknowledged: vec![0; plan.appends.len()],
            scratch: vec![0; 64 * 1024],
            plan,
        };
        Load::open(address, (0..connections).map(|_| Asked::default()), requests)
    }

    /// Appends that were acknowledged so far, by session.
    pub(crate) fn acknowledged(&self) -> &[u64] {
        &self.acknowledged
    }
}

impl Talk for Requests {
    type State = Asked;

    fn answers(&self) -> u64 {
        self.answers
    }

    /// Sends the next request. It is small and the connection is idle, so it always fits in one piece.
    fn send(&mut self, connection: &mut Connection) -> Result<()> {
        let random = self.random.next();
        connection.state.appending = match self.plan.mix {
            Mix::Append => true,
            Mix::Read => false,
            Mix::HalfAndHalf => random & 1 == 1,
        };
        let requests = if connection.state.appending { &self.plan.appends } else { &self.plan.reads };
        connection.state.session = (random >> 32) as usize % requests.len();
        let request = &requests[connection.state.session];
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
            if connection.state.partial.is_empty()
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
                connection.state.head = Some(head);
            }
            let mut partial = std::mem::take(&mut connection.state.partial);
            partial.extend_from_slice(came);
            if connection.state.head.is_none() {
                connection.state.head = http::parse_head(&partial)?;
            }
            if let Some(head) = connection.state.head.take_if(|head| partial.len() >= head.total()) {
                take(
                    &self.plan.checker,
                    &mut self.answers,
                    &mut self.acknowledged,
                    connection,
                    head,
                    &partial,
                )?;
                partial.clear();
                connection.state.partial = partial;
                return Ok(true);
            }
            connection.state.partial = partial;
        }
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
    let session = connection.state.session;
    let body = &bytes[head.body_start..];
    let expected = if connection.state.appending { 201 } else { 200 };
    if head.status != expected {
        bail!("session {session}: {} instead of {expected}: {}", head.status, String::from_utf8_lossy(body));
    }
    *answers += 1;
    if connection.state.appending {
        acknowledged[session] += 1;
    }
    if (*answers).is_multiple_of(SAMPLE) {
        let outcome = match connection.state.appending {
            true => checker.append(session, body),
            false => checker.read(session, body),
        };
        outcome.with_context(|| format!("a wrong answer for session {session}"))?;
    }
    Ok(())
}
