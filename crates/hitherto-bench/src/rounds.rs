//! Rounds: every work on the yardstick and then on the server, again and again.
//!
//! Within a round, the two run side by side and take turns every half second, so a neighbour that takes the
//! machine for some seconds meets both; one whole measurement after the other had rounds of the yardstick against
//! itself differ by a quarter. Every round starts both anew. Ratios are taken within a round; what is reported is
//! their median, with the least and the greatest.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::check::Shape;
use crate::cpu;
use crate::measurement::{Figure, Measurement};
use crate::process::Program;
use crate::redis_server;
use crate::rest::{self, AtRest};
use crate::works::{Goal, Kept, Selection, Work};

/// How long one side runs before it is the other's turn.
const SLICE: Duration = Duration::from_millis(500);

/// How to measure, and what.
pub(crate) struct Settings {
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    pub(crate) works: Selection,
    pub(crate) server: Program,
    /// Where embedded stores and the `fdatasync` yardstick are.
    pub(crate) disk: PathBuf,
}

/// Everything that was found, unrounded.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    /// The yardstick stood in for the server: the ratios show the noise.
    pub(crate) stand_in: bool,
    pub(crate) works: Vec<WorkFigures>,
    pub(crate) at_rest: Vec<RestFigures>,
    /// What other processes and other guests of the host took, as a part of all cores' time.
    pub(crate) taken_by_others: f64,
}

/// What it was measured on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) kernel: String,
    pub(crate) redis: String,
}

/// One work, a figure a round.
#[derive(Debug, Default, Serialize)]
pub(crate) struct WorkFigures {
    pub(crate) name: &'static str,
    pub(crate) bare: Vec<Figure>,
    pub(crate) hitherto: Vec<Figure>,
}

/// Servers at rest, a figure a round.
#[derive(Debug, Serialize)]
pub(crate) struct RestFigures {
    pub(crate) store: &'static str,
    pub(crate) bare: Vec<AtRest>,
    pub(crate) hitherto: Vec<AtRest>,
}

/// The middle of some figures, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// The spread of at least one figure.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let median = match figures.len() % 2 {
            1 => figures[middle],
            _ => (figures.get(middle.checked_sub(1)?)? + figures.get(middle)?) / 2.0,
        };
        Some(Spread { median, min: *figures.first()?, max: *figures.last()? })
    }
}

/// Measures all that is selected.
pub(crate) fn measure(settings: &Settings) -> Result<Figures> {
    let machine = machine()?;
    let bare = Program::bare()?;
    let stand_in = settings.server.shape == Shape::Bare;
    let name = |name| WorkFigures { name, ..WorkFigures::default() };
    let mut works: Vec<WorkFigures> = settings.works.works.iter().map(|work| name(work.name)).collect();
    let rest = |store| RestFigures { store, bare: Vec::new(), hitherto: Vec::new() };
    let mut at_rest = if settings.works.rest { vec![rest("Redis"), rest("embedded")] } else { Vec::new() };

    let (begin, others) = (Instant::now(), cpu::of_others()?);
    for round in 1..=settings.rounds {
        for group in groups(&settings.works.works) {
            for (work, figure) in measure_group(&group, settings)? {
                let figures = works.iter_mut().find(|figures| figures.name == work.name).unwrap();
                let [bare, hitherto] = figure;
                let ratio = hitherto.per_second / bare.per_second;
                eprintln!(
                    "round {round} of {}: {} bare {:.0}/s, hitherto {:.0}/s, ratio {ratio:.2}",
                    settings.rounds, work.name, bare.per_second, hitherto.per_second
                );
                figures.bare.push(bare);
                figures.hitherto.push(hitherto);
            }
        }
        for figures in &mut at_rest {
            if figures.store == "Redis" {
                figures.bare.push(rest::measure(&bare, Kept::Redis, settings)?);
                figures.hitherto.push(rest::measure(&settings.server, Kept::Redis, settings)?);
            } else if !stand_in {
                figures.hitherto.push(rest::measure(&settings.server, Kept::File, settings)?);
            }
        }
    }
    let core_time = begin.elapsed().as_secs_f64() * machine.cores as f64;
    Ok(Figures {
        taken_by_others: cpu::of_others()?.saturating_sub(others).as_secs_f64() / core_time,
        machine,
        rounds: settings.rounds,
        seconds: settings.duration.as_secs_f64(),
        stand_in,
        works,
        at_rest,
    })
}

/// Works that are compared to one another share their slices.
fn groups(works: &[&'static Work]) -> Vec<Vec<&'static Work>> {
    let mut groups: Vec<Vec<&Work>> = Vec::new();
    for work in works {
        match (work.goal, groups.last_mut()) {
            (Goal::OfWork(..), Some(group)) => group.push(work),
            _ => groups.push(vec![work]),
        }
    }
    groups
}

/// The yardstick's and the server's figure for each work of a group.
fn measure_group(group: &[&'static Work], settings: &Settings) -> Result<Vec<(&'static Work, [Figure; 2])>> {
    let stand_in = settings.server.shape == Shape::Bare;
    let mut pairs = Vec::new();
    for work in group {
        let bare = Measurement::of_bare(work, settings).with_context(|| format!("{}, bare", work.name))?;
        let hitherto = match (stand_in, work.store) {
            // The yardstick has no store in a file: the loop is measured against itself.
            (true, Kept::File) => Measurement::of_bare(work, settings),
            _ => Measurement::of_server(work, &settings.server, settings),
        };
        pairs.push((*work, [bare, hitherto.with_context(|| format!("{}, hitherto", work.name))?]));
    }
    for slice in slices(settings.duration) {
        for (work, pair) in &mut pairs {
            for measurement in pair {
                measurement.run(slice).with_context(|| work.name)?;
            }
        }
    }
    let finish = |(work, [bare, hitherto]): (&'static Work, [Measurement; 2])| {
        let figures = bare.finish().and_then(|bare| Ok([bare, hitherto.finish()?]));
        Ok((work, figures.with_context(|| work.name)?))
    };
    pairs.into_iter().map(finish).collect()
}

/// The slices that a measured time falls into.
pub(crate) fn slices(duration: Duration) -> impl Iterator<Item = Duration> {
    let slices = duration.div_duration_f64(SLICE).ceil().max(1.0) as u32;
    std::iter::repeat_n(duration / slices, slices as usize)
}

/// What this is measured on.
pub(crate) fn machine() -> Result<Machine> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(Machine {
        cores: std::thread::available_parallelism()?.get(),
        processor: model.map_or("unknown processor", |(_, model)| model).to_owned(),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        redis: redis_server::version()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(figures: &[f64], median: f64, min: f64, max: f64) {
        assert_eq!(Spread::of(figures.iter().copied()), Some(Spread { median, min, max }), "{figures:?}");
    }

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two() {
        check(&[3.0], 3.0, 3.0, 3.0);
        check(&[9.0, 1.0, 4.0], 4.0, 1.0, 9.0);
        check(&[4.0, 1.0, 2.0, 9.0], 3.0, 1.0, 9.0);
        check(&[1.0, 1.0, 1.0, 1.0, 100.0], 1.0, 1.0, 100.0);
    }

    #[test]
    fn nothing_has_no_spread() {
        assert_eq!(Spread::of([]), None);
    }
}
