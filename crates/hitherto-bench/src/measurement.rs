//! One measurement of one work on one server.
//!
//! Each starts its own Redis and its own server, fills them, and ends them: nothing that an earlier one left
//! behind (memory, fragmentation, a lucky address layout) reaches a later one.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tempfile::TempDir;

use crate::check::{ASKED, Checker, Shape};
use crate::corpus::{Corpus, session_name};
use crate::cpu;
use crate::durable::Durable;
use crate::http::{self, Client};
use crate::load::{Load, Tally};
use crate::process::{Program, Server, Store};
use crate::redis_server::Redis;
use crate::requests::{Mix, Plan, Requests};
use crate::rounds::Settings;
use crate::works::{Kept, Work};

/// Messages an append, while sessions are filled: the API's limit.
const FILL: u64 = 1000;

/// Sessions whose length is counted after a load that appended.
const COUNTED: usize = 20;

/// What one measurement found.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Figure {
    pub(crate) per_second: f64,
    /// Processor time an operation, in microseconds: of the server (or the loop that stands for it), of Redis,
    /// and of the load.
    pub(crate) server_us: f64,
    pub(crate) redis_us: Option<f64>,
    pub(crate) load_us: Option<f64>,
    /// Memory of the server at the end.
    pub(crate) resident_kib: Option<u64>,
}

/// One work on one server, ready to run.
pub(crate) struct Measurement {
    ran: Tally,
    kind: Kind,
}

enum Kind {
    Served(Box<Served>),
    /// The loop that stands for the yardstick where there is no Redis.
    Durable(Durable),
}

/// The fields go in this order: first the load, then the server, then what it works on.
struct Served {
    work: &'static Work,
    shape: Shape,
    /// What the server wants to be shown.
    token: Option<String>,
    load: Load<Requests>,
    /// Processor time of the server and of Redis when the warm-up was over.
    before: Vec<Duration>,
    server: Server,
    redis: Option<Redis>,
    _dir: TempDir,
}

impl Measurement {
    /// The yardstick, filled and warm.
    pub(crate) fn of_bare(work: &'static Work, settings: &Settings) -> Result<Self> {
        if work.store == Kept::Redis {
            return Self::of_server(work, &Program::bare()?, settings);
        }
        let mut durable = Durable::open(&settings.disk)?;
        durable.run(settings.warm_up)?;
        Ok(Measurement { ran: Tally::default(), kind: Kind::Durable(durable) })
    }

    /// A server, filled and warm.
    pub(crate) fn of_server(work: &'static Work, program: &Program, settings: &Settings) -> Result<Self> {
        let dir = TempDir::with_prefix_in("hitherto-bench-", &settings.disk)?;
        let file = dir.path().join("bench.db");
        let redis = (work.store == Kept::Redis).then(Redis::start).transpose()?;
        let store = redis.as_ref().map_or(Store::File(&file), Store::Redis);
        let program = &Program { folds: work.folds, ..program.clone() };
        // Before the server starts, so that it never serves without.
        let wants = work.token && program.shape == Shape::Hitherto;
        let token = wants.then(|| program.make_token(&store)).transpose()?;
        let server = Server::start(program, &store)?;
        let corpus = Rc::new(Corpus::new());
        match (program.shape, &redis) {
            (Shape::Bare, Some(redis)) => fill_redis(work, &corpus, redis).context("filling Redis")?,
            _ => {
                fill_server(work, &corpus, server.address, token.as_deref()).context("filling the server")?
            }
        }
        let mut load = Requests::open(plan(work, program.shape, corpus, server.address, token.as_deref()))?;
        load.run(settings.warm_up)?;
        let mut served =
            Served { work, shape: program.shape, token, load, before: Vec::new(), server, redis, _dir: dir };
        served.before = served.cpu()?;
        Ok(Measurement { ran: Tally::default(), kind: Kind::Served(Box::new(served)) })
    }

    /// Runs for one slice of the measured time.
    pub(crate) fn run(&mut self, slice: Duration) -> Result<()> {
        self.ran += match &mut self.kind {
            Kind::Served(served) => served.load.run(slice)?,
            Kind::Durable(durable) => durable.run(slice)?,
        };
        Ok(())
    }

    /// What all slices together came to. Processor time is counted between the slices too: what a server puts off
    /// until it is idle is a cost like any other.
    pub(crate) fn finish(self) -> Result<Figure> {
        let Tally { ops, elapsed, cpu } = self.ran;
        let micros = |cpu: Duration| cpu.as_secs_f64() * 1e6 / ops as f64;
        let mut figure = Figure {
            per_second: ops as f64 / elapsed.as_secs_f64(),
            server_us: micros(cpu),
            redis_us: None,
            load_us: None,
            resident_kib: None,
        };
        if let Kind::Served(served) = self.kind {
            let mut used = served.cpu()?.into_iter().zip(&served.before).map(|(now, before)| now - *before);
            figure.server_us = used.next().map(micros).context("no server was watched")?;
            figure.redis_us = used.next().map(micros);
            figure.load_us = Some(micros(cpu));
            figure.resident_kib = Some(cpu::resident_kib(served.server.pid())?);
            if served.shape == Shape::Hitherto {
                served.count().context("counting what was acknowledged")?;
            }
        }
        Ok(figure)
    }
}

impl Served {
    fn cpu(&self) -> Result<Vec<Duration>> {
        let redis = self.redis.as_ref().map(Redis::pid);
        [self.server.pid()].into_iter().chain(redis).map(cpu::of_process).collect()
    }

    /// Nothing acknowledged may be missing, and nothing may be there twice.
    fn count(&self) -> Result<()> {
        let mut client = Client::connect(self.server.address)?;
        for (session, acknowledged) in self.load.talk.acknowledged().iter().take(COUNTED).enumerate() {
            let expected = self.work.seeded + 2 * acknowledged;
            if expected > 0 {
                let request = http::get(&format!("{}?last_messages=2", path(session)));
                let request = http::by(self.token.as_deref(), request);
                let last = Checker::last_seq(client.expect(200, &request)?)?;
                ensure!(last == expected, "session {session} ends at {last}; {expected} were acknowledged");
            }
        }
        Ok(())
    }
}

fn plan(work: &Work, shape: Shape, corpus: Rc<Corpus>, address: SocketAddr, token: Option<&str>) -> Plan {
    let append = |session| http::by(token, append_request(&corpus, session));
    let read = |session| http::by(token, read_request(work, shape, session));
    Plan {
        address,
        connections: work.connections,
        mix: work.mix,
        appends: (0..work.sessions).map(append).collect(),
        reads: (0..work.sessions).map(read).collect(),
        checker: Checker { corpus, shape, seeded: work.seeded, growing: work.mix != Mix::Read },
    }
}

fn path(session: usize) -> String {
    format!("/v1/sessions/{}/messages", session_name(session))
}

fn append_request(corpus: &Corpus, session: usize) -> Vec<u8> {
    http::post(&path(session), &corpus.body(session, 1, 2))
}

/// Asks for 20 messages. Where the yardstick grows, an element of it is a whole exchange, and 10 are asked for:
/// both servers are to answer the same bytes.
fn read_request(work: &Work, shape: Shape, session: usize) -> Vec<u8> {
    let elements = if shape == Shape::Bare && work.mix == Mix::HalfAndHalf { ASKED / 2 } else { ASKED };
    http::get(&format!("{}?last_messages={elements}", path(session)))
}

fn fill_server(work: &Work, corpus: &Corpus, address: SocketAddr, token: Option<&str>) -> Result<()> {
    let mut client = Client::connect(address)?;
    for session in 0..work.sessions {
        for from in (1..=work.seeded).step_by(FILL as usize) {
            let body = corpus.body(session, from, work.seeded.min(from + FILL - 1));
            client.expect(201, &http::by(token, http::post(&path(session), &body)))?;
        }
    }
    Ok(())
}

fn fill_redis(work: &Work, corpus: &Corpus, redis: &Redis) -> Result<()> {
    let mut connection = redis::Client::open(redis.url.as_str())?.get_connection()?;
    for session in 0..work.sessions {
        let mut push = redis::cmd("RPUSH");
        push.arg(session_name(session));
        for seq in 1..=work.seeded {
            match work.mix {
                Mix::HalfAndHalf if seq % 2 == 1 => push.arg(corpus.body(session, seq, seq + 1)),
                Mix::HalfAndHalf => &mut push,
                _ => push.arg(&corpus.message(session, seq).json),
            };
        }
        if work.seeded > 0 {
            push.exec(&mut connection)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::works::WORKS;

    #[test]
    fn the_yardstick_reads_as_many_messages_as_the_server() {
        let half = WORKS.iter().find(|work| work.name == "half").unwrap();
        let request = |shape| String::from_utf8(read_request(half, shape, 3)).unwrap();
        assert!(request(Shape::Bare).starts_with("GET /v1/sessions/chat-0003/messages?last_messages=10 "));
        assert!(
            request(Shape::Hitherto).starts_with("GET /v1/sessions/chat-0003/messages?last_messages=20 ")
        );
    }
}
