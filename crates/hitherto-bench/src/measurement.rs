//! One measurement of one work on one server.
//!
//! Each starts its own Redis and its own server, fills them, and ends them: nothing that an earlier one left
//! behind (memory, fragmentation, a lucky address layout) reaches a later one.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tempfile::TempDir;

use crate::check::{ASKED, Checker, Shape};
use crate::corpus::{Corpus, session_name};
use crate::cpu;
use crate::durable;
use crate::http::{self, Client};
use crate::load::{self, Mix, Plan, Tally};
use crate::process::{Program, Redis, Server, Store};
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

/// One measurement of the yardstick.
pub(crate) fn of_bare(work: &Work, settings: &Settings) -> Result<Figure> {
    match work.store {
        Kept::Redis => of_server(work, &Program::bare()?, settings),
        Kept::File => {
            let (appends, elapsed, cpu) = durable::run(&settings.disk, settings.duration)?;
            Ok(Figure {
                per_second: appends as f64 / elapsed.as_secs_f64(),
                server_us: micros(cpu, appends),
                redis_us: None,
                load_us: None,
                resident_kib: None,
            })
        }
    }
}

/// One measurement of a server.
pub(crate) fn of_server(work: &Work, program: &Program, settings: &Settings) -> Result<Figure> {
    let dir = TempDir::with_prefix_in("hitherto-bench-", &settings.disk)?;
    let file = dir.path().join("bench.db");
    let redis = (work.store == Kept::Redis).then(Redis::start).transpose()?;
    let store = redis.as_ref().map_or(Store::File(&file), Store::Redis);
    let server = Server::start(program, &store)?;
    let corpus = Corpus::new();
    match (program.shape, &redis) {
        (Shape::Bare, Some(redis)) => fill_redis(work, &corpus, redis).context("filling Redis")?,
        _ => fill_server(work, &corpus, server.address).context("filling the server")?,
    }
    let mut watch = vec![server.pid()];
    watch.extend(redis.as_ref().map(Redis::pid));
    let growing = work.mix != Mix::Read;
    let plan = Plan {
        address: server.address,
        connections: work.connections,
        mix: work.mix,
        appends: (0..work.sessions).map(|session| append_request(&corpus, session)).collect(),
        reads: (0..work.sessions).map(|session| read_request(work, program.shape, session)).collect(),
        warm_up: settings.warm_up,
        duration: settings.duration,
        checker: Checker { corpus: &corpus, shape: program.shape, seeded: work.seeded, growing },
        watch,
    };
    let tally = load::run(&plan)?;
    if program.shape == Shape::Hitherto {
        count(work, &tally, server.address).context("counting what was acknowledged")?;
    }
    Ok(Figure {
        per_second: tally.ops as f64 / tally.elapsed.as_secs_f64(),
        server_us: micros(tally.watched[0], tally.ops),
        redis_us: tally.watched.get(1).map(|cpu| micros(*cpu, tally.ops)),
        load_us: Some(micros(tally.load, tally.ops)),
        resident_kib: Some(cpu::resident_kib(server.pid())?),
    })
}

fn micros(cpu: Duration, ops: u64) -> f64 {
    cpu.as_secs_f64() * 1e6 / ops as f64
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

fn fill_server(work: &Work, corpus: &Corpus, address: SocketAddr) -> Result<()> {
    let mut client = Client::connect(address)?;
    for session in 0..work.sessions {
        for from in (1..=work.seeded).step_by(FILL as usize) {
            let body = corpus.body(session, from, work.seeded.min(from + FILL - 1));
            client.expect(201, &http::post(&path(session), &body))?;
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

/// Nothing acknowledged may be missing, and nothing may be there twice.
fn count(work: &Work, tally: &Tally, address: SocketAddr) -> Result<()> {
    let mut client = Client::connect(address)?;
    for session in 0..work.sessions.min(COUNTED) {
        let expected = work.seeded + 2 * tally.acknowledged[session];
        if expected > 0 {
            let request = http::get(&format!("{}?last_messages=2", path(session)));
            let last = Checker::last_seq(client.expect(200, &request)?)?;
            ensure!(last == expected, "session {session} ends at {last}; {expected} were acknowledged");
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
