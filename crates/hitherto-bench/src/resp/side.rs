//! One of the two servers of a row, filled and under load.

use std::env;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::Settings;
use super::said::Elements;
use super::talk::{Lists, SESSIONS};
use super::wire::{self, Replies};
use super::works::Work;
use crate::corpus::session_name;
use crate::cpu::{self, Pid};
use crate::http::PATIENCE;
use crate::load::{Load, Tally};
use crate::measurement::Figure;
use crate::process::{Program, Running, Server, Store, free_address};
use crate::redis_server::Redis;
use crate::works::Kept;

/// Sessions whose length is asked for after a load.
const COUNTED: usize = 20;

/// A server that speaks the Redis protocol. The fields go in this order: first the server, then what it works on.
pub(super) struct Served {
    server: Option<Server>,
    pass: Option<Pass>,
    redis: Option<Redis>,
    _dir: Option<TempDir>,
}

impl Served {
    /// A plain Redis, durable if the server beside it is.
    pub(super) fn redis(store: Kept, settings: &Settings) -> Result<Self> {
        let redis = match store {
            Kept::Redis => Redis::start()?,
            Kept::File => Redis::start_durable(&settings.disk)?,
        };
        Ok(Served { server: None, pass: None, redis: Some(redis), _dir: None })
    }

    /// Hitherto on a store of its own.
    pub(super) fn hitherto(store: Kept, folds: bool, settings: &Settings) -> Result<Self> {
        let dir = TempDir::with_prefix_in("hitherto-bench-", &settings.disk)?;
        let file = dir.path().join("bench.db");
        let redis = (store == Kept::Redis).then(Redis::start).transpose()?;
        let program = Program { folds, ..settings.server.clone() };
        let server = Server::start(&program, &redis.as_ref().map_or(Store::File(&file), Store::Redis))?;
        Ok(Served { server: Some(server), pass: None, redis, _dir: Some(dir) })
    }

    /// A Redis behind a program that passes bytes on.
    fn passing() -> Result<Self> {
        let redis = Redis::start()?;
        let pass = Pass::start(&redis)?;
        Ok(Served { server: None, pass: Some(pass), redis: Some(redis), _dir: None })
    }

    pub(super) fn address(&self) -> Result<SocketAddr> {
        let pass = self.pass.as_ref().map(|pass| pass.address);
        let server = self.server.as_ref().map(|server| server.resp).or(pass);
        server.or_else(|| self.redis.as_ref().map(|redis| redis.address)).context("nothing is served")
    }

    /// The process that clients talk to, and then what that one talks to.
    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> {
        let server =
            self.server.as_ref().map(Server::pid).or(self.pass.as_ref().map(|pass| pass.running.pid));
        server.into_iter().chain(self.redis.as_ref().map(Redis::pid))
    }

    fn cpu(&self) -> Result<Vec<Duration>> {
        self.pids().map(cpu::of_process).collect()
    }
}

/// The program that passes bytes on: this very executable.
struct Pass {
    running: Running,
    address: SocketAddr,
    _dir: TempDir,
}

impl Pass {
    fn start(redis: &Redis) -> Result<Self> {
        let (dir, address) = (TempDir::with_prefix("hitherto-bench-pass-")?, free_address()?);
        let log = dir.path().join("log");
        let mut command = Command::new(env::current_exe()?);
        command.args(["pass", "--redis", &redis.address.to_string(), "--listen", &address.to_string()]);
        let running = Running::spawn(&mut command, &log)?;
        running.wait_until_ready(&log, || {
            expect(&mut connect(address)?, &wire::command(&[b"PING"]), b"+PONG\r\n")
        })?;
        Ok(Pass { running, address, _dir: dir })
    }
}

/// A server with its load, warm.
pub(super) struct Side {
    load: Load<Lists>,
    ran: Tally,
    /// Processor time of the processes when the warm-up was over.
    before: Vec<Duration>,
    served: Served,
}

impl Side {
    pub(super) fn redis(work: &Work, settings: &Settings) -> Result<Self> {
        Self::open(work, settings, Served::redis(work.store, settings)?).context("Redis")
    }

    pub(super) fn hitherto(work: &Work, settings: &Settings) -> Result<Self> {
        Self::open(work, settings, Served::hitherto(work.store, work.folds, settings)?).context("hitherto")
    }

    pub(super) fn passing(work: &Work, settings: &Settings) -> Result<Self> {
        Self::open(work, settings, Served::passing()?).context("passing on")
    }

    fn open(work: &Work, settings: &Settings, served: Served) -> Result<Self> {
        let address = served.address()?;
        if work.seeded > 0 {
            fill(work.seeded, address).context("filling it")?;
        }
        let mut load = Lists::open(work, address)?;
        load.run(settings.warm_up)?;
        Ok(Side { load, ran: Tally::default(), before: served.cpu()?, served })
    }

    /// Runs for one slice of the measured time.
    pub(super) fn run(&mut self, slice: Duration) -> Result<()> {
        self.ran += self.load.run(slice)?;
        Ok(())
    }

    /// What all slices together came to. Processor time is counted between the slices too: what a server puts off
    /// until it is idle is a cost like any other.
    pub(super) fn finish(self) -> Result<Figure> {
        let Tally { ops, elapsed, cpu } = self.ran;
        let micros = |cpu: Duration| cpu.as_secs_f64() * 1e6 / ops as f64;
        let mut used = self.served.cpu()?.into_iter().zip(&self.before).map(|(now, before)| now - *before);
        let server = self.served.pids().next().context("nothing was watched")?;
        let figure = Figure {
            per_second: ops as f64 / elapsed.as_secs_f64(),
            server_us: used.next().map(micros).context("nothing was watched")?,
            redis_us: used.next().map(micros),
            load_us: Some(micros(cpu)),
            resident_kib: Some(cpu::resident_kib(server)?),
        };
        count(self.load.talk.lengths(), self.served.address()?).context("counting what was acknowledged")?;
        Ok(figure)
    }
}

/// Pushes what the sessions hold before a load.
fn fill(seeded: u64, address: SocketAddr) -> Result<()> {
    let elements = Elements::default();
    let mut stream = connect(address)?;
    for session in 0..SESSIONS {
        expect(&mut stream, &elements.fill(session, seeded), &wire::integer(seeded))?;
    }
    Ok(())
}

/// Nothing acknowledged may be missing, and nothing may be there twice.
fn count(lengths: &[u64], address: SocketAddr) -> Result<()> {
    let mut stream = connect(address)?;
    for (session, length) in lengths.iter().take(COUNTED).enumerate() {
        let command = wire::command(&[b"LLEN", session_name(session).as_bytes()]);
        expect(&mut stream, &command, &wire::integer(*length))?;
    }
    Ok(())
}

/// A blocking connection, for everything that is not under measurement.
pub(super) fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends a command that must be answered so.
pub(super) fn expect(stream: &mut TcpStream, command: &[u8], reply: &[u8]) -> Result<()> {
    stream.write_all(command)?;
    let (mut came, mut part, mut replies) = (Vec::new(), [0; 4096], Replies::of(1));
    loop {
        let read = stream.read(&mut part)?;
        ensure!(read > 0, "the server closed the connection");
        came.extend_from_slice(&part[..read]);
        if replies.follow(&part[..read])? {
            ensure!(came == reply, "{} instead of {}", came.escape_ascii(), reply.escape_ascii());
            return Ok(());
        }
    }
}
