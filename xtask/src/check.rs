//! `cargo xtask check`: what has to be true before a change goes in.
//!
//! The steps run in order and the first that fails ends it. The summary says what was not tested.

use std::time::{Duration, Instant};

use crate::clients::{self, Clients};
use crate::servers::{self, SERVERS};
use crate::{deb, manifests, tools, workspace};

/// A name, what Cargo is to do, and variables for it.
struct Step {
    name: &'static str,
    cargo: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
}

/// The step after which the clients run: they test the binary that this one builds.
const BEFORE_CLIENTS: &str = "tests";

const STEPS: [Step; 7] = [
    Step { name: "format", cargo: &["fmt", "--all", "--check"], variables: &[] },
    Step {
        name: "lints",
        cargo: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        variables: &[],
    },
    Step { name: "tests", cargo: &["nextest", "run", "--workspace", "--locked"], variables: &[] },
    Step {
        name: "traces",
        cargo: &[
            "nextest",
            "run",
            "-p",
            "hitherto-server",
            "--features",
            "otlp",
            "--test",
            "otlp",
            "--locked",
        ],
        variables: &[],
    },
    Step {
        name: "examples in documentation",
        cargo: &["test", "--doc", "--workspace", "--locked"],
        variables: &[],
    },
    Step {
        name: "documentation",
        cargo: &["doc", "--workspace", "--no-deps", "--locked"],
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Step {
        name: "licences and sources",
        cargo: &["deny", "--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"],
        variables: &[],
    },
];

pub(crate) fn run(all_servers: bool) -> Result<(), String> {
    let start = Instant::now();
    let mut durations = vec![timed("what is needed", || prepare(all_servers))?];
    for step in &STEPS {
        durations.push(timed(step.name, || {
            let mut command = workspace::cargo(step.cargo);
            command.envs(step.variables.iter().copied());
            println!("{}", workspace::line_of(&command));
            workspace::run(&mut command)
        })?);
        if step.name == BEFORE_CLIENTS {
            durations.push(timed("clients", || clients::run(&Clients::default()))?);
            durations.push(timed("packages", manifests::run)?);
            if deb::untestable().is_none() {
                durations.push(timed("Debian package", || deb::run(&deb::Deb::CHECK))?);
            }
        }
    }
    summarise(&durations, start.elapsed());
    Ok(())
}

fn prepare(all_servers: bool) -> Result<(), String> {
    tools::rust_components()?;
    servers::fetch(all_servers)?;
    tools::curl()?;
    clients::prepare(&Clients::default())?;
    manifests::prepare()?;
    tools::nextest()?;
    tools::deny()
}

fn timed(
    name: &'static str,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<(&'static str, Duration), String> {
    println!("\n== {name}");
    let start = Instant::now();
    let done = work();
    let took = start.elapsed();
    match done {
        Ok(()) => {
            println!("== {name}: passed in {}", seconds(took));
            Ok((name, took))
        }
        Err(why) => Err(format!("{name}, after {}: {why}", seconds(took))),
    }
}

fn summarise(durations: &[(&str, Duration)], total: Duration) {
    println!("\n== summary");
    for (name, took) in durations {
        println!("  {name:<26}{:>9}", seconds(*took));
    }
    let (tested, skipped): (Vec<_>, Vec<_>) = SERVERS.iter().partition(|server| server.is_there());
    for server in tested {
        println!(
            "  tested on {} ({})",
            server.name,
            server.version().as_deref().unwrap_or("of an unknown version")
        );
    }
    if !skipped.is_empty() {
        let names: Vec<_> = skipped.iter().map(|server| server.name).collect();
        println!(
            "  SKIPPED {} of {} servers: {} (not fetched; cargo xtask check --all-servers)",
            names.len(),
            SERVERS.len(),
            names.join(", ")
        );
    }
    if let Some(why) = deb::untestable() {
        println!("  SKIPPED the Debian package: {why}");
    }
    println!("  not checked: security advisories, which need the network (cargo deny check advisories)");
    println!("All passed in {}.", seconds(total));
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
