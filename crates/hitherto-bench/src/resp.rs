//! `bench resp`: what lists cost through the Redis door, beside a plain Redis that answers the same commands.
//!
//! Redis keeps a list in its own memory and has nobody to ask; the door goes through the engine to a store. What is
//! measured is how much of Redis's rate is left of that, for the same client, in the same run.
//!
//! * [`wire`] are commands and replies as bytes, [`said`] what is pushed and what has to come back
//! * [`talk`] is the client, on the event loop of [`crate::load`]
//! * [`works`] are the rows of the table, [`side`] one of the two servers of a row
//! * [`idle`] opens connections that say nothing
//! * [`report`] prints the table

mod idle;
mod report;
mod said;
mod side;
mod talk;
mod wire;
mod works;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::cpu;
use crate::process::Program;
use crate::rounds::{self, Machine, WorkFigures};
use side::Side;
use works::{Idle, Row, Work};

/// How to measure, and what.
pub(crate) struct Settings {
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    /// Names of rows; all for none.
    pub(crate) only: Vec<String>,
    pub(crate) server: Program,
    /// Where files are measured.
    pub(crate) disk: PathBuf,
}

/// Everything that was found, unrounded. What stands under `bare` in a work is the plain Redis.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    machine: Machine,
    rounds: usize,
    seconds: f64,
    works: Vec<WorkFigures>,
    idle: Vec<IdleFigures>,
    taken_by_others: f64,
}

/// Connections that say nothing, a figure a round.
#[derive(Debug, Serialize)]
struct IdleFigures {
    name: &'static str,
    redis: Vec<idle::Figure>,
    hitherto: Vec<idle::Figure>,
}

/// All names that `--only` takes.
pub(crate) fn names() -> Vec<&'static str> {
    works::ROWS.iter().map(Row::name).collect()
}

/// Measures what is selected and prints it.
pub(crate) fn run(settings: &Settings, json: Option<&PathBuf>) -> Result<()> {
    let machine = rounds::machine()?;
    let named = |row: &&Row| settings.only.is_empty() || settings.only.iter().any(|only| only == row.name());
    let rows: Vec<&'static Row> = works::ROWS.iter().filter(named).collect();
    let (mut works, mut idle) = (Vec::new(), Vec::new());
    for row in &rows {
        match row {
            Row::Work(work) => works.push((work, WorkFigures { name: work.name, ..WorkFigures::default() })),
            Row::Idle(row) => {
                idle.push((row, IdleFigures { name: row.name, redis: Vec::new(), hitherto: Vec::new() }))
            }
        }
    }
    let (begin, others) = (Instant::now(), cpu::of_others()?);
    for round in 1..=settings.rounds {
        for (work, figures) in &mut works {
            measure(work, round, settings, figures).with_context(|| work.name)?;
        }
        for (row, figures) in &mut idle {
            measure_idle(row, settings, figures).with_context(|| row.name)?;
        }
    }
    let core_time = begin.elapsed().as_secs_f64() * machine.cores as f64;
    let figures = Figures {
        taken_by_others: cpu::of_others()?.saturating_sub(others).as_secs_f64() / core_time,
        machine,
        rounds: settings.rounds,
        seconds: settings.duration.as_secs_f64(),
        works: works.into_iter().map(|(_, figures)| figures).collect(),
        idle: idle.into_iter().map(|(_, figures)| figures).collect(),
    };
    print!("{}", report::render(&figures));
    if let Some(path) = json {
        let json = serde_json::to_string_pretty(&figures)?;
        std::fs::write(path, json).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// One round of one work, both sides in turn.
fn measure(work: &Work, round: usize, settings: &Settings, figures: &mut WorkFigures) -> Result<()> {
    let other = if work.passes { Side::passing(work, settings)? } else { Side::hitherto(work, settings)? };
    let mut sides = [Side::redis(work, settings)?, other];
    for slice in rounds::slices(settings.duration) {
        for side in &mut sides {
            side.run(slice)?;
        }
    }
    let [redis, hitherto] = sides;
    let (redis, hitherto) = (redis.finish().context("Redis")?, hitherto.finish().context("hitherto")?);
    eprintln!(
        "round {round} of {}: {} Redis {:.0}/s, hitherto {:.0}/s, ratio {:.2}",
        settings.rounds,
        work.name,
        redis.per_second,
        hitherto.per_second,
        hitherto.per_second / redis.per_second
    );
    figures.bare.push(redis);
    figures.hitherto.push(hitherto);
    Ok(())
}

fn measure_idle(row: &Idle, settings: &Settings, figures: &mut IdleFigures) -> Result<()> {
    figures.redis.push(idle::of_redis(row, settings)?);
    figures.hitherto.push(idle::of_hitherto(row, settings)?);
    Ok(())
}
