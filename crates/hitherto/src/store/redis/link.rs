//! One server, and what is sent to it.
//!
//! Invariant (I10): every exchange ends by the time that it is given, whatever the server does. It is sent again only
//! if that cannot do it twice.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{Arg, Cmd, Pipeline, RedisResult, Value};
use tokio::time::Instant;

use super::dial::{Dial, Live, Wire};
use super::errors;
use super::lane::{Acknowledge, Lane};
use crate::stats::Trip;
use crate::store::{Outcome, Result, StoreError};

/// What happens if a call is sent, and nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes nothing that anybody asked for: it is sent again.
    Read,
    /// It writes, and doing it twice is doing it once: it is sent again.
    Once,
    /// It writes: it is not sent again.
    Write,
}

/// What is sent in one round trip.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request<'a> {
    /// One command.
    One(&'a Cmd),
    /// Commands that are answered one by one.
    Many(&'a Pipeline),
    /// Commands from `MULTI` to `EXEC`.
    Transaction(&'a Pipeline),
}

/// A request, and how it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending<'a> {
    pub(super) kind: Kind,
    pub(super) request: Request<'a>,
    /// Whether the server is to answer although the slot is not its own yet.
    pub(super) asking: bool,
    /// On how many replicas it has to be.
    pub(super) acknowledge: Option<Acknowledge>,
    /// By when it has ended.
    pub(super) until: Instant,
}

impl Request<'_> {
    /// The name of its first command, for who traces.
    fn name(self) -> String {
        let first = match self {
            Self::One(command) => command.args_iter().next(),
            Self::Many(commands) | Self::Transaction(commands) => {
                commands.cmd_iter().next().and_then(|command| command.args_iter().next())
            }
        };
        match first {
            Some(Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => String::new(),
        }
    }

    /// How many answers it has.
    pub(super) fn len(self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(commands) | Self::Transaction(commands) => commands.len(),
        }
    }

    /// Its commands.
    pub(super) fn commands(self) -> Box<dyn Iterator<Item = Cmd> + Send + 'static> {
        match self {
            Self::One(command) => Box::new(std::iter::once(command.clone())),
            Self::Many(commands) | Self::Transaction(commands) => {
                Box::new(commands.cmd_iter().cloned().collect::<Vec<_>>().into_iter())
            }
        }
    }

    /// The answer to it, from the answers to its commands.
    pub(super) fn answer(self, mut answers: Vec<Value>) -> Value {
        match self {
            Self::One(_) => answers.pop().unwrap_or_default(),
            Self::Many(_) | Self::Transaction(_) => Value::Array(answers),
        }
    }
}

impl Sending<'_> {
    /// Whether it may be sent again although nobody knows what became of it.
    fn is_repeatable(&self) -> bool {
        self.kind != Kind::Write
    }

    async fn send(&self, live: &Live) -> RedisResult<Value> {
        let mut connection = live.connection.clone();
        match self.request {
            _ if self.asking => Box::pin(self.send_asking(&mut connection)).await,
            Request::One(command) => connection.send_packed_command(command).await,
            Request::Many(commands) | Request::Transaction(commands) => {
                connection.req_packed_commands(commands, 0, commands.len()).await.map(Value::Array)
            }
        }
    }

    async fn send_asking(&self, connection: &mut MultiplexedConnection) -> RedisResult<Value> {
        let mut all = Pipeline::with_capacity(1 + self.request.len());
        all.cmd("ASKING");
        self.request.commands().for_each(|command| {
            all.add_command(command);
        });
        let mut answers = connection.req_packed_commands(&all, 0, all.len()).await?;
        Ok(self.request.answer(answers.split_off(answers.len().min(1))))
    }
}

/// The way to one server.
#[derive(Debug)]
pub(super) struct Link {
    dial: Arc<Dial>,
    wire: Wire,
    lane: Lane,
    /// As errors name it.
    deadline: Duration,
}

impl Link {
    pub(super) fn new(dial: Dial, deadline: Duration) -> Self {
        let dial = Arc::new(dial);
        Self { wire: Wire::new(Arc::clone(&dial)), lane: Lane::new(Arc::clone(&dial)), dial, deadline }
    }

    /// What errors call the server: its address, without credentials.
    pub(super) fn name(&self) -> &str {
        self.dial.name()
    }

    /// Host and port.
    pub(super) fn place(&self) -> (&str, u16) {
        self.dial.place()
    }

    /// Whether it turned out to be a node of a cluster, and is therefore not used alone.
    pub(super) fn is_cluster(&self) -> bool {
        self.dial.is_cluster()
    }

    /// Connects, and looks whether the server is what it has to be.
    pub(super) async fn connect(&self, until: Instant) -> Result<()> {
        match tokio::time::timeout_at(until, self.wire.live()).await {
            Ok(live) => live.map(drop),
            Err(_) => Err(self.silent(Outcome::NotStored)),
        }
    }

    /// The connection is not used again: the server is not what it was.
    pub(super) fn hang_up(&self) {
        self.wire.hang_up();
        self.lane.hang_up();
    }

    /// Sends a request, and counts that; an error that the server answers is a [`Value::ServerError`].
    pub(super) async fn exchange(&self, sending: Sending<'_>) -> Result<Value> {
        let trip = if sending.kind == Kind::Read { Trip::Read } else { Trip::Write };
        let call = pin!(self.send(sending));
        self.dial.traffic().trip(trip, || sending.request.name(), call).await
    }

    async fn send(&self, sending: Sending<'_>) -> Result<Value> {
        let sent = Arc::new(AtomicBool::new(false));
        let outcome = || match sending.kind {
            Kind::Once | Kind::Write if sent.load(Ordering::Relaxed) => Outcome::Unknown,
            _ => Outcome::NotStored,
        };
        let work = pin!(async {
            let mut again = sending.is_repeatable();
            loop {
                let broken = match self.attempt(&sending, &sent).await {
                    Ok(Ok(value)) => return Ok(value),
                    Ok(Err(error)) => error,
                    // It may have been done before the connection broke that could not be made again.
                    Err(error) if outcome() == Outcome::Unknown => return Err(errors::in_doubt(error)),
                    Err(error) => return Err(error),
                };
                if again && broken.is_unrecoverable_error() {
                    again = false;
                    continue;
                }
                return Err(errors::explain(self.name(), &broken, outcome()));
            }
        });
        match tokio::time::timeout_at(sending.until, work).await {
            Ok(result) => result,
            Err(_) => {
                // A server that does not answer may never do so on this connection: the next call makes another.
                self.wire.hang_up();
                Err(self.silent(outcome()))
            }
        }
    }

    async fn attempt(&self, sending: &Sending<'_>, sent: &Arc<AtomicBool>) -> Result<RedisResult<Value>> {
        if let Some(acknowledge) = sending.acknowledge {
            return Box::pin(self.lane.send(sending, acknowledge, sent)).await;
        }
        let live = match self.wire.ready(sending.is_repeatable()) {
            Some(live) => live,
            None if sending.is_repeatable() => Box::pin(self.wire.live()).await?,
            None => Box::pin(self.wire.awake()).await?,
        };
        sent.store(true, Ordering::Relaxed);
        let answer = sending.send(&live).await;
        match &answer {
            Err(error) if error.is_unrecoverable_error() => self.wire.discard(&live),
            _ => live.heard(),
        }
        Ok(answer)
    }

    fn silent(&self, outcome: Outcome) -> StoreError {
        StoreError::TimedOut { store: self.name().to_owned(), deadline: self.deadline, outcome }
    }
}

/// The beginning of a transaction.
pub(super) fn transaction() -> Pipeline {
    let mut commands = Pipeline::with_capacity(5);
    commands.cmd("MULTI");
    commands
}
