//! The table: lists through the door beside a plain Redis, and what has to be reached.

use std::fmt::Write;

use super::works::{Idle, ROWS, Row, Work};
use super::{Figures, IdleFigures, idle};
use crate::rounds::{Spread, WorkFigures};
use crate::table;
use crate::works::Kept;

const HEADINGS: [&str; 7] = ["work", "Redis", "hitherto", "ratio (min–max)", "by CPU", "to reach", "reached"];

/// All of it as text, in Markdown that also reads well in a terminal.
pub(super) fn render(figures: &Figures) -> String {
    let mut out = table::head(&figures.machine, figures.rounds, figures.seconds, figures.taken_by_others);
    let rows: Vec<table::Row> = ROWS
        .iter()
        .filter_map(|row| match row {
            Row::Work(work) => {
                figures.works.iter().find(|found| found.name == work.name).map(|found| work_row(work, found))
            }
            Row::Idle(idle) => {
                figures.idle.iter().find(|found| found.name == idle.name).map(|found| idle_row(idle, found))
            }
        })
        .collect();
    out.push_str(&table::markdown(HEADINGS, &rows));
    out.push_str(
        "\n64 connections to 1,000 sessions, each connection with sessions of its own; summaries are off unless it says on.\n\
         Medians. In parentheses: microseconds of processor time an operation, of the server + of its Redis;\n\
         \"by CPU\" is the ratio of these, turned over: it is free of what the load uses, and less shaken by neighbours.\n",
    );
    for (name, of) in [("Redis", true), ("hitherto", false)] {
        let all = figures.works.iter().flat_map(|work| if of { &work.bare } else { &work.hitherto });
        if let Some(Spread { median, min, max }) = Spread::of(all.filter_map(|figure| figure.load_us)) {
            writeln!(
                out,
                "The load on {name} itself used {median:.1} µs an operation ({min:.1}–{max:.1}) of the same cores."
            )
            .unwrap();
        }
    }
    out
}

fn work_row(work: &Work, figures: &WorkFigures) -> table::Row {
    let ratio = table::ratio(&figures.hitherto, &figures.bare, |figure| figure.per_second);
    let by_cpu = match work.store {
        // What a write to a disk takes is no processor time.
        Kept::File if !work.does.reads() => "–".to_owned(),
        _ => {
            let cpu =
                |figure: &crate::measurement::Figure| figure.server_us + figure.redis_us.unwrap_or_default();
            format!("{:.2}", table::ratio(&figures.bare, &figures.hitherto, cpu).median)
        }
    };
    let Spread { median, min, max } = ratio;
    let (to_reach, reached) = match work.goal {
        Some(part) => (format!("≥ {part:.2} × Redis"), table::yes(median >= part)),
        None => ("–".to_owned(), "–".to_owned()),
    };
    [
        work.title.to_owned(),
        table::cell(&figures.bare),
        table::cell(&figures.hitherto),
        format!("{median:.2} ({min:.2}–{max:.2})"),
        by_cpu,
        to_reach,
        reached,
    ]
}

fn idle_row(idle: &Idle, figures: &IdleFigures) -> table::Row {
    let cell = |figures: &[idle::Figure]| {
        let before = Spread::of(figures.iter().map(|figure| figure.before_mib)).unwrap();
        let Spread { median, min, max } = Spread::of(figures.iter().map(|figure| figure.mib)).unwrap();
        (format!("{median:.1} MB ({min:.1}–{max:.1}), {:.1} before", before.median), median)
    };
    let ((redis, _), (hitherto, median)) = (cell(&figures.redis), cell(&figures.hitherto));
    [
        idle.title.to_owned(),
        redis,
        hitherto,
        "–".to_owned(),
        "–".to_owned(),
        format!("< {} MB", idle.most_mib),
        table::yes(median < idle.most_mib),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurement::Figure;
    use crate::rounds::Machine;

    fn rendered(works: Vec<WorkFigures>, idle: Vec<IdleFigures>) -> String {
        let text = |text: &str| text.to_owned();
        let machine = Machine { cores: 2, processor: text("P"), kernel: text("6"), redis: text("7.0.15") };
        render(&Figures { machine, rounds: 1, seconds: 3.0, works, idle, taken_by_others: 0.0 })
    }

    #[test]
    fn goals_stand_beside_the_figures() {
        let figure = |per_second, server_us, redis_us| Figure {
            per_second,
            server_us,
            redis_us,
            load_us: Some(5.0),
            resident_kib: None,
        };
        let work = |name| WorkFigures {
            name,
            bare: vec![figure(100_000.0, 5.0, None)],
            hitherto: vec![figure(59_000.0, 8.0, Some(2.0))],
        };
        let out = rendered(vec![work("append"), work("append-folding")], Vec::new());
        assert!(
            out.contains(
                "| 100,000/s (5.0 µs) | 59,000/s (8.0 + 2.0 µs) | 0.59 (0.59–0.59) | 0.50   | ≥ 0.60 × Redis | NO "
            ),
            "{out}"
        );
        assert!(out.contains("| 0.50   | –              | – "), "{out}");
    }

    #[test]
    fn idle_connections_are_judged_by_all_of_the_memory() {
        let figure = |mib| idle::Figure { before_mib: 10.0, mib };
        let idle = |mib| IdleFigures { name: "idle", redis: vec![figure(20.0)], hitherto: vec![figure(mib)] };
        assert!(rendered(Vec::new(), vec![idle(99.9)]).contains("| < 100 MB | yes "));
        assert!(rendered(Vec::new(), vec![idle(100.1)]).contains("| < 100 MB | NO "));
    }
}
