//! Connections that say one thing and then nothing: what they cost in memory.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::Settings;
use super::said::Elements;
use super::side::{Served, connect, expect};
use super::wire;
use super::works::Idle;
use crate::cpu;
use crate::works::Kept;

/// Until what a server does only once is over, and an allocator has given back what it will.
const SETTLING: Duration = Duration::from_millis(1500);

/// Resident memory of the process that holds the connections.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Figure {
    pub(super) before_mib: f64,
    pub(super) mib: f64,
}

/// A plain Redis.
pub(super) fn of_redis(row: &Idle, settings: &Settings) -> Result<Figure> {
    measure(row, &Served::redis(Kept::Redis, settings)?)
}

/// Hitherto on a Redis.
pub(super) fn of_hitherto(row: &Idle, settings: &Settings) -> Result<Figure> {
    measure(row, &Served::hitherto(Kept::Redis, false, settings)?)
}

fn measure(row: &Idle, served: &Served) -> Result<Figure> {
    let pid = served.pids().next().context("nothing is served")?;
    let resident = || cpu::resident_kib(pid).map(|kib| kib as f64 / 1024.0);
    let elements = Elements::default();
    thread::sleep(SETTLING);
    let before_mib = resident()?;
    let open = |session| {
        let mut stream = connect(served.address()?)?;
        match row.pushed {
            false => expect(&mut stream, &wire::command(&[b"PING"]), b"+PONG\r\n")?,
            true => expect(&mut stream, &elements.push(session, 1), &wire::integer(1))?,
        }
        Ok(stream)
    };
    let connections: Vec<_> = (0..row.connections).map(open).collect::<Result<_>>()?;
    thread::sleep(SETTLING);
    let figure = Figure { before_mib, mib: resident()? };
    drop(connections);
    Ok(figure)
}
