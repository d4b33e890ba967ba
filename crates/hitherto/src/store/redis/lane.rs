//! Writes that replicas have to have: a connection of their own, on which `WAIT` stands behind them.
//!
//! `WAIT` holds up the connection on which it is sent, and speaks only of what was written on that connection. So
//! such writes go in groups: what gathers while one group is waited for is the next, and ends with one `WAIT` for
//! all of it. Nothing else waits for it.
//!
//! Invariant: a write that was not waited for until enough replicas had it is an error.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionLike as _;
use redis::{Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::oneshot;

use super::dial::{Dial, Wire};
use super::link::Sending;
use super::meta::integer;
use crate::store::{Result, StoreError};

/// How many writes are one group at most.
const GROUP: usize = 256;
/// By how much longer than `WAIT` itself its answer may take, before the connection counts as dead.
const GRACE: Duration = Duration::from_secs(2);

/// What a write waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledge {
    pub(super) replicas: u32,
    /// For how long.
    pub(super) within: Duration,
}

/// The connection for such writes.
#[derive(Debug)]
pub(super) struct Lane {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    wire: Wire,
    name: String,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Job>,
    /// Whether somebody sends what waits.
    driven: bool,
}

/// A write that waits for its group.
#[derive(Debug)]
struct Job {
    commands: Vec<Cmd>,
    acknowledge: Acknowledge,
    sent: Arc<AtomicBool>,
    reply: oneshot::Sender<Done>,
}

/// The answers to the commands of a write, and how many replicas have it; or why there are none.
type Done = Result<RedisResult<(Vec<Value>, i64)>>;

impl Lane {
    pub(super) fn new(dial: Arc<Dial>) -> Self {
        let name = dial.name().to_owned();
        Self { shared: Arc::new(Shared { wire: Wire::new(dial), name, queue: Mutex::default() }) }
    }

    pub(super) fn hang_up(&self) {
        self.shared.wire.hang_up();
    }

    /// Sends a write, and waits for the replicas. `sent` is set when it goes out.
    pub(super) async fn send(
        &self,
        sending: &Sending<'_>,
        acknowledge: Acknowledge,
        sent: &Arc<AtomicBool>,
    ) -> Result<RedisResult<Value>> {
        let asking = sending.asking.then(|| redis::cmd("ASKING"));
        let commands: Vec<Cmd> = asking.into_iter().chain(sending.request.commands()).collect();
        let (reply, done) = oneshot::channel();
        let job = Job { commands, acknowledge, sent: Arc::clone(sent), reply };
        self.add(job);
        let broke = || RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        let (mut answers, replicas) = match done.await.map_err(|_| broke()) {
            Ok(Ok(Ok(answers))) => answers,
            Ok(Ok(Err(error))) | Err(error) => return Ok(Err(error)),
            Ok(Err(error)) => return Err(error),
        };
        if sending.asking {
            answers.drain(..answers.len().min(1));
        }
        // The write stands first; what goes along matters less.
        let did_nothing = matches!(answers.first(), Some(Value::ServerError(_)));
        if !did_nothing && replicas < i64::from(acknowledge.replicas) {
            return Err(StoreError::NotReplicated {
                store: self.shared.name.clone(),
                wanted: acknowledge.replicas,
                replicas: u32::try_from(replicas).unwrap_or(0),
            });
        }
        Ok(Ok(sending.request.answer(answers)))
    }

    fn add(&self, job: Job) {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push(job);
        if !queue.driven {
            queue.driven = true;
            tokio::spawn(drive(Arc::clone(&self.shared)));
        }
    }
}

/// Sends group after group until nothing waits.
async fn drive(shared: Arc<Shared>) {
    loop {
        let group: Vec<Job> = {
            let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever has given up meanwhile is not sent: that is what was said of it.
            queue.waiting.retain(|job| !job.reply.is_closed());
            let count = queue.waiting.len().min(GROUP);
            queue.driven = count > 0;
            queue.waiting.drain(..count).collect()
        };
        if group.is_empty() {
            return;
        }
        send_group(&shared, group).await;
    }
}

async fn send_group(shared: &Shared, mut group: Vec<Job>) {
    let replicas = group.iter().map(|job| job.acknowledge.replicas).max().unwrap_or(0);
    let within = group.iter().map(|job| job.acknowledge.within).max().unwrap_or_default();
    let limit = within + GRACE;
    let live = match tokio::time::timeout(GRACE, shared.wire.awake()).await {
        Ok(Ok(live)) => live,
        // Their own deadlines have told them, or will.
        Err(_) => return,
        Ok(Err(error)) => {
            for job in group {
                let _ = job.reply.send(Err(error.clone()));
            }
            return;
        }
    };
    let mut all = Pipeline::with_capacity(group.len() + 1);
    group.retain(|job| !job.reply.is_closed());
    for job in &group {
        job.sent.store(true, Ordering::Relaxed);
        for command in &job.commands {
            all.add_command(command.clone());
        }
    }
    all.cmd("WAIT").arg(replicas).arg(u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
    let mut connection = live.connection.clone();
    let answers = match tokio::time::timeout(limit, connection.req_packed_commands(&all, 0, all.len())).await
    {
        Ok(Ok(answers)) => answers,
        broken => {
            shared.wire.discard(&live);
            let error = broken.ok().and_then(std::result::Result::err);
            let error = error.unwrap_or_else(|| std::io::Error::from(std::io::ErrorKind::TimedOut).into());
            for job in group {
                let _ = job.reply.send(Ok(Err(error.clone())));
            }
            return;
        }
    };
    live.heard();
    let mut answers = answers.into_iter();
    let count = group.iter().map(|job| job.commands.len()).sum();
    let mut of_group: Vec<Value> = answers.by_ref().take(count).collect();
    // A server that is no primary any more says so instead.
    let acknowledged = answers.next().map_or(0, |answer| integer(&answer));
    for job in group {
        let rest = of_group.split_off(job.commands.len().min(of_group.len()));
        let own = std::mem::replace(&mut of_group, rest);
        let _ = job.reply.send(Ok(Ok((own, acknowledged))));
    }
}
