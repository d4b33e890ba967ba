//! The table: what was measured, beside what has to be reached.

use std::fmt::Write;

use crate::measurement::Figure;
use crate::rest::AtRest;
use crate::rounds::{Figures, Machine, RestFigures, Spread, WorkFigures};
use crate::works::{Goal, Kept, WORKS, Work};

const HEADINGS: [&str; 7] = ["work", "bare", "hitherto", "ratio (min–max)", "by CPU", "to reach", "reached"];

/// Above this part of all cores' time for others, a run says so. With 77 % taken, rounds of the yardstick against
/// itself lay between 0.56 and 1.46.
const MOSTLY_OURS: f64 = 0.10;

/// What a server at rest may cost: a name, which figure, its unit, and at most how much.
type RestGoal = (&'static str, fn(&AtRest) -> f64, &'static str, f64);

const REST_GOALS: [RestGoal; 3] = [
    ("at rest: memory", |rest| rest.resident_mib, "MB", 20.0),
    ("from start to first answer", |rest| rest.first_answer_ms, "ms", 60.0),
    ("binary", |rest| rest.binary_mib, "MB", 30.0),
];

/// A row of a table like this.
pub(crate) type Row = [String; HEADINGS.len()];

/// All of it as text, in Markdown that also reads well in a terminal.
pub(crate) fn render(figures: &Figures) -> String {
    let mut out = head(&figures.machine, figures.rounds, figures.seconds, figures.taken_by_others);
    if figures.stand_in {
        out.push_str("The yardstick stood in for hitherto: the ratios show the noise.\n\n");
    }
    let works = figures.works.iter().map(|work| work_row(work, figures));
    let rest = figures.at_rest.iter().flat_map(|rest| REST_GOALS.map(|goal| rest_row(rest, goal)));
    let rows: Vec<Row> = works.chain(rest.flatten()).collect();
    out.push_str(&markdown(HEADINGS, &rows));
    out.push_str(
        "\nMedians. In parentheses: microseconds of processor time an operation, of the server + of Redis;\n\
         \"by CPU\" is the ratio of these, turned over: it is free of what the load uses, and less shaken by neighbours.\n",
    );
    let load = figures.works.iter().flat_map(|work| work.bare.iter().chain(&work.hitherto));
    if let Some(load) = Spread::of(load.filter_map(|figure| figure.load_us)) {
        let Spread { median, min, max } = load;
        writeln!(
            out,
            "The load itself used {median:.1} µs an operation ({min:.1}–{max:.1}) of the same cores."
        )
        .unwrap();
    }
    out
}

/// What stands over a table: where and how it was measured, and whether to believe it.
pub(crate) fn head(machine: &Machine, rounds: usize, seconds: f64, taken_by_others: f64) -> String {
    let mut out = format!(
        "{} cores ({}), Linux {}, Redis {}; {rounds} rounds of {seconds} s a measurement; {:.0} % taken by others\n\n",
        machine.cores,
        machine.processor,
        machine.kernel,
        machine.redis,
        taken_by_others * 100.0
    );
    if taken_by_others > MOSTLY_OURS {
        out.push_str(
            "Something else kept the machine busy: repeat this in a quiet hour before believing it.\n\n",
        );
    }
    out
}

fn work_row(figures: &WorkFigures, all: &Figures) -> Row {
    let work = WORKS.iter().find(|work| work.name == figures.name).unwrap();
    let (base, suffix) = base(work, figures, all);
    let ratio = ratio(&figures.hitherto, base, |figure| figure.per_second);
    // Turned over, so that more is better here too.
    let by_cpu = ratio_of_cpu(work, base, &figures.hitherto);
    let rate = Spread::of(figures.hitherto.iter().map(|figure| figure.per_second)).unwrap();
    let (to_reach, reached) = match work.goal {
        Goal::OfBare(part) => (format!("≥ {part:.2} × bare"), ratio.median >= part),
        Goal::OfWork(other, part) => (format!("≥ {part:.2} × {other}"), ratio.median >= part),
        Goal::PerSecond(least) => (format!("≥ {}/s", thousands(least)), rate.median >= least),
    };
    let Spread { median, min, max } = ratio;
    [
        work.title.to_owned(),
        cell(&figures.bare),
        cell(&figures.hitherto),
        format!("{median:.2} ({min:.2}–{max:.2}){suffix}"),
        by_cpu,
        to_reach,
        yes(reached),
    ]
}

/// The figures that the goal compares to, and a word on them unless they are the yardstick's.
fn base<'a>(work: &Work, figures: &'a WorkFigures, all: &'a Figures) -> (&'a [Figure], String) {
    match work.goal {
        Goal::OfWork(other, _) => {
            let base = all.works.iter().find(|figures| figures.name == other).unwrap();
            (&base.hitherto, format!(" of {other}"))
        }
        _ => (&figures.bare, String::new()),
    }
}

/// The spread of the ratios within each round.
pub(crate) fn ratio(figures: &[Figure], base: &[Figure], of: fn(&Figure) -> f64) -> Spread {
    Spread::of(figures.iter().zip(base).map(|(figure, base)| of(figure) / of(base))).unwrap()
}

/// A loop on a disk is no server, so its processor time is nothing to compare to.
fn ratio_of_cpu(work: &Work, figures: &[Figure], base: &[Figure]) -> String {
    match work.store {
        Kept::File => "–".to_owned(),
        Kept::Redis => {
            let cpu = |figure: &Figure| figure.server_us + figure.redis_us.unwrap_or_default();
            format!("{:.2}", ratio(figures, base, cpu).median)
        }
    }
}

/// Rate and processor time, medians.
pub(crate) fn cell(figures: &[Figure]) -> String {
    let median = |of: fn(&Figure) -> Option<f64>| {
        Spread::of(figures.iter().filter_map(of)).map(|spread| spread.median)
    };
    let rate = median(|figure| Some(figure.per_second)).unwrap_or_default();
    let server = median(|figure| Some(figure.server_us)).unwrap_or_default();
    let redis = median(|figure| figure.redis_us).map(|redis| format!(" + {redis:.1}")).unwrap_or_default();
    format!("{}/s ({server:.1}{redis} µs)", thousands(rate))
}

fn rest_row(figures: &RestFigures, (title, of, unit, most): RestGoal) -> Option<Row> {
    let spread = Spread::of(figures.hitherto.iter().map(of))?;
    if title == "binary" && figures.store != "Redis" {
        return None;
    }
    let show = |Spread { median, min, max }| format!("{median:.1} {unit} ({min:.1}–{max:.1})");
    // The yardstick's binary is the bench, whose size says nothing.
    let bare = Spread::of(figures.bare.iter().map(of)).filter(|_| title != "binary");
    let title = if title == "binary" { title.to_owned() } else { format!("{title}, {}", figures.store) };
    let bare = bare.map_or("–".to_owned(), show);
    let none = || "–".to_owned();
    Some([title, bare, show(spread), none(), none(), format!("≤ {most} {unit}"), yes(spread.median <= most)])
}

pub(crate) fn yes(reached: bool) -> String {
    if reached { "yes".to_owned() } else { "NO".to_owned() }
}

pub(crate) fn markdown(headings: [&str; HEADINGS.len()], rows: &[Row]) -> String {
    let headings = headings.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&headings]).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let line = |row: &Row| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let rule = format!("|{}|\n", rules.join("|"));
    line(&headings) + &rule + &rows.iter().map(line).collect::<String>()
}

/// 78012.3 as `78,012`.
fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(rates: &[f64]) -> Vec<Figure> {
        let figure = |rate: &f64| Figure {
            per_second: *rate,
            server_us: 12.6,
            redis_us: Some(4.1),
            load_us: Some(5.0),
            resident_kib: None,
        };
        rates.iter().map(figure).collect()
    }

    fn work(name: &'static str, bare: &[f64], hitherto: &[f64]) -> WorkFigures {
        WorkFigures { name, bare: figures(bare), hitherto: figures(hitherto) }
    }

    fn rendered(works: Vec<WorkFigures>) -> String {
        let text = |text: &str| text.to_owned();
        let machine = Machine { cores: 2, processor: text("P"), kernel: text("6"), redis: text("7.0.15") };
        let at_rest = Vec::new();
        render(&Figures {
            machine,
            rounds: 3,
            seconds: 3.0,
            stand_in: false,
            works,
            at_rest,
            taken_by_others: 0.004,
        })
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_not_of_the_medians() {
        let out = rendered(vec![work("append-off", &[100.0, 1000.0, 100.0], &[80.0, 690.0, 60.0])]);
        assert!(out.contains("| 0.69 (0.60–0.80) | 1.00   | ≥ 0.70 × bare | NO "), "{out}");
        let out = rendered(vec![work("append-off", &[78_012.0], &[60_000.0])]);
        assert!(
            out.contains("| 78,012/s (12.6 + 4.1 µs) | 60,000/s (12.6 + 4.1 µs) | 0.77 (0.77–0.77)"),
            "{out}"
        );
        assert!(out.contains("| yes "), "{out}");
    }

    #[test]
    fn long_sessions_are_compared_to_short_ones_and_durable_appends_to_a_rate() {
        let out = rendered(vec![
            work("read-200", &[54_000.0], &[45_000.0]),
            work("read-10000", &[51_000.0], &[44_000.0]),
            work("durable", &[2100.0], &[4999.0]),
        ]);
        assert!(out.contains("| 0.98 (0.98–0.98) of read-200 | 1.00   | ≥ 0.90 × read-200 | yes "), "{out}");
        assert!(out.contains("| ≥ 5,000/s         | NO "), "{out}");
    }

    #[test]
    fn thousands_are_parted() {
        for (figure, expected) in [(0.4, "0"), (999.0, "999"), (1000.0, "1,000"), (1_234_567.0, "1,234,567")]
        {
            assert_eq!(thousands(figure), expected);
        }
    }
}
