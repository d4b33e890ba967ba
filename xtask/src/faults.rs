//! `cargo xtask faults`: the table of faults, with more appends than a test makes if wanted, and what was measured.
//!
//! It runs the tests of `crates/hitherto-server/tests/faults`, told by variables which server to run and where to write
//! their figures, and puts the table into `docs/reliability.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{servers, workspace};

/// A row: the test, the fault, and the store.
type Row = (&'static str, &'static str, &'static str);

/// All rows, in the order of the table.
const ROWS: [Row; 20] = [
    ("server_killed_embedded", "kill -9 of the Hitherto server", "embedded"),
    ("server_killed_redis", "kill -9 of the Hitherto server", "Redis"),
    ("redis_killed", "kill -9 of Redis (`appendfsync always`)", "Redis"),
    (
        "power_cut",
        "power cut: only what was synced is there, the rest is missing, torn or garbage",
        "embedded",
    ),
    ("link_cut", "link cut before, during and after the reply; half closed; request twice", "Redis"),
    ("redis_paused", "Redis paused", "Redis"),
    ("redis_silent", "Redis silent", "Redis"),
    ("redis_slow", "Redis slow", "Redis"),
    ("sentinel_failover", "Sentinel failover, graceful, twice", "Sentinel"),
    ("sentinel_primary_killed", "Sentinel failover by kill -9 of the primary", "Sentinel"),
    ("cluster_primary_killed", "kill -9 of a primary of a cluster", "Cluster"),
    ("cluster_slots_moved", "slots moved under load", "Cluster"),
    ("cluster_node_comes_and_goes", "node added, node removed", "Cluster"),
    ("redis_flushed", "Redis flushed", "Redis"),
    ("redis_restarted_empty", "Redis started again without its data", "Redis"),
    ("rolling_restart", "rolling restart of all servers on one store", "Redis"),
    ("clock_set_embedded", "clock of the server set", "embedded"),
    ("clock_set_redis", "clock of the server set", "Redis"),
    ("crowd_embedded", "2,000 clients, 800 of them slow, silent or half open", "embedded"),
    ("crowd_redis", "2,000 clients, 800 of them slow, silent or half open", "Redis"),
];

const PAGE: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- figures: written by `cargo xtask faults` -->\n";
const END: &str = "<!-- end of the figures -->\n";

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    rows: Vec<String>,
    appends: Option<u64>,
    binary: Option<PathBuf>,
}

impl Faults {
    /// Reads `[--row NAME]... [--appends N] [--binary PATH]`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut faults = Self::default();
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{pair:?} has no value"));
            };
            match name.as_str() {
                "--row" if ROWS.iter().any(|(row, ..)| row == value) => faults.rows.push(value.clone()),
                "--row" => {
                    let names: Vec<_> = ROWS.iter().map(|(row, ..)| *row).collect();
                    return Err(format!("there is no row {value:?}; there are {}", names.join(", ")));
                }
                "--appends" => {
                    let number =
                        value.parse().map_err(|_| format!("{name} takes a number, not {value:?}"))?;
                    faults.appends = Some(number);
                }
                "--binary" => faults.binary = Some(value.into()),
                _ => return Err(format!("{name} {value} is not known here")),
            }
        }
        Ok(faults)
    }
}

pub(crate) fn run(faults: &Faults) -> Result<(), String> {
    servers::fetch(false)?;
    let binary = match &faults.binary {
        Some(binary) => binary.canonicalize().map_err(|e| format!("{}: {e}", binary.display()))?,
        None => {
            workspace::run(&mut workspace::cargo(&[
                "build",
                "--release",
                "--locked",
                "-p",
                "hitherto-server",
            ]))?;
            workspace::target_folder().join("release/hitherto")
        }
    };
    let reports = workspace::target_folder().join("faults");
    drop(fs::remove_dir_all(&reports));
    fs::create_dir_all(&reports).map_err(|e| format!("{}: {e}", reports.display()))?;
    let tested = workspace::run(&mut tests(faults, &binary, &reports));
    let (table, measured) = table(&reports);
    println!("\n{table}");
    tested?;
    if faults.rows.is_empty() {
        if measured != ROWS.len() {
            return Err(format!("{measured} rows gave figures, not all {}", ROWS.len()));
        }
        write_page(&table)?;
        println!("Written into {PAGE}.");
    }
    Ok(())
}

/// The tests, one after the other, so that none is measured while another takes its processor.
fn tests(faults: &Faults, binary: &Path, reports: &Path) -> Command {
    let mut command =
        workspace::cargo(&["test", "--locked", "-p", "hitherto-server", "--test", "faults", "--"]);
    command.args(["--nocapture", "--test-threads", "1"]).args(&faults.rows);
    command.env("HITHERTO_FAULTS_BINARY", binary).env("HITHERTO_FAULTS_REPORT", reports);
    if let Some(appends) = faults.appends {
        command.env("HITHERTO_FAULTS_APPENDS", appends.to_string());
    }
    command
}

/// The table of all rows that have a report, and how many those are.
fn table(reports: &Path) -> (String, usize) {
    let mut out = String::from(
        "| fault | store | acknowledged | lost | doubled | in disorder | failed tries | unavailable | an append took (half / 99 of 100 / all) | |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut measured = 0;
    for (row, fault, store) in ROWS {
        let Some(line) = fs::read_to_string(reports.join(format!("{row}.tsv"))).ok().and_then(|line| {
            let fields: Vec<&str> = line.trim_end_matches('\n').split('\t').collect();
            line_of(fault, store, &fields)
        }) else {
            continue;
        };
        out.push_str(&line);
        measured += 1;
    }
    (out, measured)
}

/// A row of the table from the fields of a report, which `report.rs` of the test kit writes.
fn line_of(fault: &str, store: &str, fields: &[&str]) -> Option<String> {
    let [acknowledged, lost, doubled, disordered, failures, unavailable, half, most, all, note] = *fields
    else {
        return None;
    };
    let times: Vec<String> = [half, most, all].into_iter().map(milliseconds).collect();
    let mut line = String::new();
    let (took, unavailable) = (times.join(" / "), milliseconds(unavailable));
    writeln!(
        line,
        "| {fault} | {store} | {acknowledged} | {lost} | {doubled} | {disordered} | {failures} | {unavailable} | {took} | {note} |"
    )
    .ok()?;
    Some(line)
}

fn milliseconds(text: &str) -> String {
    match text.parse::<u64>() {
        Ok(ms) if ms >= 1000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{text} ms"),
    }
}

/// Puts the table in the place of the one that the page has.
fn write_page(table: &str) -> Result<(), String> {
    let path = workspace::root().join(PAGE);
    let page = fs::read_to_string(&path).map_err(|e| format!("{PAGE}: {e}"))?;
    let (before, rest) = page.split_once(BEGIN).ok_or(format!("{PAGE} has no place for the figures"))?;
    let (_, after) = rest.split_once(END).ok_or(format!("{PAGE} has no end of the figures"))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let redis = servers::SERVERS.first().and_then(servers::Server::version).unwrap_or_default();
    let machine =
        format!("Measured on {cores} cores with Redis {redis}; servers, writers and stores share them.\n\n");
    fs::write(&path, format!("{before}{BEGIN}{machine}{table}{END}{after}"))
        .map_err(|e| format!("{PAGE}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Faults, String> {
        Faults::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        assert_eq!(parse(""), Ok(Faults::default()));
        let expected = Faults {
            rows: vec!["power_cut".to_owned(), "link_cut".to_owned()],
            appends: Some(9),
            binary: Some("x".into()),
        };
        assert_eq!(parse("--row power_cut --appends 9 --row link_cut --binary x"), Ok(expected));
        for line in ["--row", "--row nothing", "--appends x", "power_cut", "--store redis"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    /// Every test is a row, and every row a test.
    #[test]
    fn the_rows_are_the_tests() {
        let folder = workspace::root().join("crates/hitherto-server/tests/faults");
        let mut tests = Vec::new();
        for file in fs::read_dir(folder).expect("the tests") {
            let text = fs::read_to_string(file.expect("a file").path()).expect("a file");
            let found = text.split("#[tokio::test").skip(1).filter_map(|rest| rest.split("async fn ").nth(1));
            tests.extend(found.filter_map(|rest| Some(rest.split('(').next()?.to_owned())));
        }
        let mut rows: Vec<_> = ROWS.iter().map(|(row, ..)| (*row).to_owned()).collect();
        rows.sort();
        tests.sort();
        assert_eq!(rows, tests);
    }

    #[test]
    fn the_page_has_a_line_for_every_row() {
        let page = fs::read_to_string(workspace::root().join(PAGE)).expect(PAGE);
        assert!(page.contains(BEGIN) && page.contains(END));
        for (_, fault, store) in ROWS {
            assert!(page.contains(&format!("| {fault} | {store} |")), "{fault}, {store}");
        }
    }

    #[test]
    fn a_report_becomes_a_line() {
        let fields = ["2000", "0", "0", "0", "7", "1234", "5", "60", "999", "5 kills"];
        assert_eq!(
            line_of("a fault", "Redis", &fields).as_deref(),
            Some("| a fault | Redis | 2000 | 0 | 0 | 0 | 7 | 1.2 s | 5 ms / 60 ms / 999 ms | 5 kills |\n")
        );
        assert_eq!(line_of("a fault", "Redis", &["2000"]), None);
    }
}
