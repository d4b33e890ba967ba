//! The way to the servers, whichever they are: one, the primary that Sentinels name, or a cluster.
//!
//! Invariant (I10): every call ends within the deadline. What is above this knows of no server but that it has a name,
//! and that keys of one session are together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redis::{Arg, Cmd, ConnectionInfo, Pipeline, RedisError, Value};
use tokio::time::Instant;

use super::address::{self, Entry, Servers};
use super::cluster::Cluster;
use super::dial::Demand;
use super::errors;
use super::lane::Acknowledge;
use super::link::{Kind, Link, Request, Sending};
use super::options::RedisOptions;
use super::refusal::Refusal;
use super::safety::Safety;
use super::sentinel::Sentinel;
use super::slot;
use crate::stats::Traffic;
use crate::store::{Outcome, Result, StoreError};

/// Which part of the deadline a write may wait for replicas at most: it may have to wait for the group before it, too.
const SHARE: u32 = 3;

/// The way to the servers.
pub(super) struct Route {
    name: String,
    deadline: Duration,
    acknowledge: Option<Acknowledge>,
    safety: Safety,
    traffic: Arc<Traffic>,
    way: Way,
    /// The cluster, where the servers are one, as said or as found.
    cluster: OnceLock<Cluster>,
    /// Whether it is known that the one server is no node of a cluster.
    is_alone: AtomicBool,
}

enum Way {
    One { link: Arc<Link>, entry: Entry, info: Box<ConnectionInfo> },
    Sentinel(Sentinel),
    Cluster,
}

impl std::fmt::Debug for Route {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route")
            .field("name", &self.name)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Route {
    /// Checks the options; connections are made by the calls that need them.
    pub(super) fn new(options: &RedisOptions) -> Result<Self> {
        let (servers, entry) = address::parse(options)?;
        let (cluster, traffic) = (OnceLock::new(), Arc::clone(entry.traffic()));
        let mut safety = match &servers {
            Servers::One(info) => Safety::of(info),
            Servers::Cluster(all) | Servers::Sentinel(all, _) => {
                let mut each = all.iter().map(Safety::of);
                let first = each.next().unwrap_or_default();
                Safety { is_local: first.is_local && each.all(|one| one.is_local), ..first }
            }
        };
        if matches!(servers, Servers::Sentinel(..)) {
            (safety.has_password, safety.has_user) = entry.is_let_in();
        }
        safety.fails_over = !matches!(servers, Servers::One(_));
        safety.acknowledged_by = options.acknowledge_replicas;
        let (name, way) = match servers {
            Servers::One(info) => {
                let link = entry.link_to(info.clone(), Demand::Standalone)?;
                (link.name().to_owned(), Way::One { link, entry, info: Box::new(info) })
            }
            Servers::Cluster(nodes) => {
                let name = format!("Redis Cluster at {}", places(&nodes));
                let _ = cluster.set(Cluster::new(name.clone(), entry, nodes)?);
                (name, Way::Cluster)
            }
            Servers::Sentinel(all, primary) => {
                let name = format!("Redis that Sentinels call {primary}");
                let sentinel = Sentinel::new(name.clone(), entry, all, primary)?;
                (name, Way::Sentinel(sentinel))
            }
        };
        let acknowledge = (options.acknowledge_replicas > 0).then(|| Acknowledge {
            replicas: options.acknowledge_replicas,
            within: options.acknowledge_timeout.min(options.deadline / SHARE),
        });
        let (deadline, is_alone) = (options.deadline, AtomicBool::new(false));
        Ok(Self { name, deadline, acknowledge, safety, traffic, way, cluster, is_alone })
    }

    /// What errors call the servers: their address, without credentials.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What was exchanged with the servers.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// How the servers are reached.
    pub(super) fn safety(&self) -> Safety {
        self.safety.clone()
    }

    /// An answer that no version of the server should give.
    pub(super) fn failed(&self, reason: &str) -> StoreError {
        StoreError::Failed { store: self.name.clone(), reason: reason.to_owned() }
    }

    /// The elements of an answer that is a list.
    pub(super) fn array(&self, value: Value) -> Result<Vec<Value>> {
        match value {
            Value::Array(values) => Ok(values),
            other => Err(self.failed(&format!("expected a list, got {}", errors::kind_of(&other)))),
        }
    }

    /// The answer, unless it is an error.
    pub(super) fn checked(&self, value: Value) -> Result<Value> {
        match value {
            Value::ServerError(error) => {
                Err(errors::explain(&self.name, &RedisError::from(error), Outcome::NotStored))
            }
            value => Ok(value),
        }
    }

    /// Whether the servers are a cluster; connects to find out.
    pub(super) async fn is_cluster(&self) -> Result<bool> {
        if self.cluster.get().is_some() {
            return Ok(true);
        }
        match &self.way {
            Way::One { link, .. } if !self.is_alone.load(Ordering::Relaxed) => {
                Box::pin(self.look(link)).await
            }
            _ => Ok(false),
        }
    }

    async fn look(&self, link: &Link) -> Result<bool> {
        match link.connect(Instant::now() + self.deadline).await {
            Ok(()) => {
                self.is_alone.store(true, Ordering::Relaxed);
                Ok(false)
            }
            Err(_) if link.is_cluster() => self.switch().map(|_| true),
            Err(error) => Err(error),
        }
    }

    /// One command; an error that the server answers is an error.
    pub(super) async fn call(&self, kind: Kind, command: &Cmd) -> Result<Value> {
        self.checked(self.send(kind, command).await?)
    }

    /// One command; an error that the server answers is a [`Value::ServerError`].
    pub(super) async fn send(&self, kind: Kind, command: &Cmd) -> Result<Value> {
        self.exchange(kind, Request::One(command), false).await
    }

    /// Commands answered one by one, each answer possibly a [`Value::ServerError`]: in one round trip, or in a cluster
    /// in one to each node.
    pub(super) async fn send_all(&self, kind: Kind, commands: &Pipeline) -> Result<Vec<Value>> {
        self.is_cluster().await?;
        if let Some(cluster) = self.cluster.get() {
            return Box::pin(cluster.scatter(kind, commands, Instant::now() + self.deadline)).await;
        }
        let request = Request::Many(commands);
        let answers = self.exchange(kind, request, false).await?;
        match self.cluster.get() {
            // It has turned out to be one just now: what was refused goes to where it belongs.
            Some(cluster) if Refusal::of_answer(&answers, request, kind).is_some() => {
                Box::pin(cluster.scatter(kind, commands, Instant::now() + self.deadline)).await
            }
            _ => self.array(answers),
        }
    }

    /// A write, and what goes with it but matters less: in one round trip where there is one server, else side by side.
    /// Gives the answer to the write, and whether the rest was done.
    pub(super) async fn send_with(
        &self,
        kind: Kind,
        write: &Cmd,
        also: &[Cmd],
        acknowledged: bool,
    ) -> Result<(Value, bool)> {
        if also.is_empty() {
            return Ok((self.exchange(kind, Request::One(write), acknowledged).await?, true));
        }
        let is_err = |answer: &Value| matches!(answer, Value::ServerError(_));
        let pipeline = |commands: &mut dyn Iterator<Item = &Cmd>| {
            let mut all = Pipeline::with_capacity(1 + also.len());
            commands.for_each(|command| {
                all.add_command(command.clone());
            });
            all
        };
        if !self.is_cluster().await? {
            let all = pipeline(&mut std::iter::once(write).chain(also));
            let answers = self.array(self.exchange(kind, Request::Many(&all), acknowledged).await?)?;
            let mut answers = answers.into_iter();
            let answer = answers.next().unwrap_or_default();
            let was_moved = Refusal::of_answer(&answer, Request::One(write), kind).is_some();
            if !was_moved || self.cluster.get().is_none() {
                return Ok((answer, !answers.any(|answer| is_err(&answer))));
            }
        }
        let rest = pipeline(&mut also.iter());
        Box::pin(async {
            let rest = tokio::time::timeout(self.deadline / 4, self.send_all(Kind::Read, &rest));
            let (answer, rest) = tokio::join!(self.exchange(kind, Request::One(write), acknowledged), rest);
            Ok((answer?, rest.is_ok_and(|rest| rest.is_ok_and(|answers| !answers.iter().any(is_err)))))
        })
        .await
    }

    /// Commands in one round trip that see one moment; they were added to a [`transaction`](super::link::transaction)
    /// and are about keys of one slot.
    ///
    /// Its two ends are plain commands here: redis-rs' own transactions stop the connection's task where the
    /// server refuses the first of them.
    pub(super) async fn transact(&self, kind: Kind, mut commands: Pipeline) -> Result<Vec<Value>> {
        commands.cmd("EXEC");
        let mut answers = self.array(self.exchange(kind, Request::Transaction(&commands), false).await?)?;
        let last = answers.pop();
        // What was refused says more than that the transaction was.
        for answer in answers {
            match self.checked(answer) {
                Err(StoreError::Full { .. }) if kind == Kind::Read => {
                    return Box::pin(self.read_in_script(&commands)).await;
                }
                answer => drop(answer?),
            }
        }
        let values = self.array(self.checked(last.unwrap_or_default())?)?;
        values.into_iter().map(|value| self.checked(value)).collect()
    }

    /// What the commands of a transaction read: a server that is full takes no transactions, for queuing costs memory.
    async fn read_in_script(&self, commands: &Pipeline) -> Result<Vec<Value>> {
        let mut script = redis::cmd("EVAL");
        let reads: Vec<&Cmd> =
            commands.cmd_iter().filter(|command| slot::key_of(command).is_some()).collect();
        script.arg(include_str!("lua/read.lua")).arg(reads.len());
        for read in &reads {
            script.arg(slot::key_of(read).unwrap_or_default());
        }
        for read in reads {
            script.arg(read.args_iter().len());
            for word in read.args_iter() {
                if let Arg::Simple(word) = word {
                    script.arg(word);
                }
            }
        }
        self.array(self.call(Kind::Read, &script).await?)
    }

    /// The servers that hold the keys, and how often that has changed.
    pub(super) async fn holders(&self) -> Result<(Vec<Arc<Link>>, u64)> {
        if self.is_cluster().await?
            && let Some(cluster) = self.cluster.get()
        {
            return Box::pin(cluster.primaries(Instant::now() + self.deadline)).await;
        }
        Ok((Vec::new(), 0))
    }

    /// One command to one of the [`holders`](Self::holders).
    pub(super) async fn call_at(&self, link: &Link, command: &Cmd) -> Result<Value> {
        let sending = self.sending(Kind::Read, Request::One(command), false);
        match link.exchange(sending).await? {
            Value::ServerError(error) => {
                Err(errors::explain(link.name(), &RedisError::from(error), Outcome::NotStored))
            }
            value => Ok(value),
        }
    }

    fn sending<'a>(&self, kind: Kind, request: Request<'a>, acknowledged: bool) -> Sending<'a> {
        let acknowledge = self.acknowledge.filter(|_| acknowledged);
        Sending { kind, request, asking: false, acknowledge, until: Instant::now() + self.deadline }
    }

    /// The ways that are long are boxed: a call to one server, which most are, is no larger for them.
    async fn exchange(&self, kind: Kind, request: Request<'_>, acknowledged: bool) -> Result<Value> {
        let sending = self.sending(kind, request, acknowledged);
        if let Some(cluster) = self.cluster.get() {
            return Box::pin(cluster.exchange(sending)).await;
        }
        let link = match &self.way {
            Way::One { link, .. } => link,
            Way::Sentinel(sentinel) => return Box::pin(sentinel.exchange(sending)).await,
            Way::Cluster => return Err(self.failed("there is no cluster")),
        };
        let answer = match link.exchange(sending).await {
            // Only what was not looked at before, as all but single commands are.
            Err(_) if link.is_cluster() => return Box::pin(self.switch()?.exchange(sending)).await,
            answer => answer?,
        };
        match Refusal::of_answer(&answer, request, kind) {
            Some(Refusal::Moved(_) | Refusal::Ask(_)) => match (self.switch()?, request) {
                // Whoever sent them sends each of them to where it belongs.
                (_, Request::Many(_)) => Ok(answer),
                (cluster, _) => Box::pin(cluster.exchange(sending)).await,
            },
            Some(Refusal::ReadOnly) => {
                // The name may by now stand for another server.
                link.hang_up();
                link.exchange(sending).await
            }
            _ => Ok(answer),
        }
    }

    /// The one server has turned out to be a node of a cluster.
    fn switch(&self) -> Result<&Cluster> {
        if let (None, Way::One { entry, info, .. }) = (self.cluster.get(), &self.way) {
            let cluster = Cluster::new(self.name.clone(), entry.clone(), vec![(**info).clone()])?;
            if self.cluster.set(cluster).is_ok() {
                tracing::info!(store = self.name, "it is a node of a cluster, which is followed");
            }
        }
        self.cluster.get().ok_or_else(|| self.failed("there is no cluster"))
    }
}

/// Hosts and ports.
fn places(nodes: &[ConnectionInfo]) -> String {
    nodes.iter().map(|node| node.addr().to_string()).collect::<Vec<_>>().join(", ")
}
