//! Measurements: what a stored turn costs, as ratios to a server that does almost nothing.
//!
//! Absolute figures say more about the machine than about the code, so every figure of the server stands beside
//! one of the yardstick ([`bare`]), taken seconds apart, under the same load, in the same run.
//!
//! * [`bare`] is the yardstick, [`durable`] the one for the embedded store
//! * [`corpus`] is what is said, [`http`] how it travels, [`load`] sends it, [`check`] looks at the answers
//! * [`process`] starts what is measured, [`cpu`] reads what it used
//! * [`works`] are the rows of the table, [`measurement`] measures one of them once, [`rest`] a server at rest
//! * [`rounds`] measures everything in turn, [`table`] prints it
//! * [`summary`] is a measurement of its own: what a summary keeps

mod bare;
mod check;
mod corpus;
mod cpu;
mod durable;
mod http;
mod load;
mod measurement;
mod process;
mod rest;
mod rounds;
mod summary;
mod table;
mod works;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

fn main() -> Result<()> {
    let matches = command().get_matches();
    if let Some(("bare", arguments)) = matches.subcommand() {
        let redis: &String = arguments.get_one("redis").unwrap();
        let listen: &SocketAddr = arguments.get_one("listen").unwrap();
        return bare::serve(redis, *listen);
    }
    if let Some(("summary", arguments)) = matches.subcommand() {
        return summary::run(arguments.get_one("json"), arguments.get_one("show").copied());
    }
    if cfg!(debug_assertions) && !matches.get_flag("quick") {
        bail!("this is a debug build, which measures nothing; use `cargo xtask bench` or add --quick");
    }
    process::stop_children_on_signal()?;
    let outcome = measure(&matches);
    if process::stopped_by_signal() {
        bail!("stopped by a signal; nothing was reported");
    }
    outcome
}

fn measure(matches: &ArgMatches) -> Result<()> {
    let settings = settings(matches)?;
    let figures = rounds::measure(&settings)?;
    print!("{}", table::render(&figures));
    if let Some(path) = matches.get_one::<PathBuf>("json") {
        let json = serde_json::to_string_pretty(&figures)?;
        std::fs::write(path, json).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn settings(matches: &ArgMatches) -> Result<rounds::Settings> {
    let quick = matches.get_flag("quick");
    let seconds = matches.get_one::<f64>("seconds").copied().unwrap_or(if quick { 1.0 } else { 3.0 });
    let rounds = matches.get_one::<usize>("rounds").copied().unwrap_or(if quick { 2 } else { 5 });
    if !(0.1..=600.0).contains(&seconds) || rounds == 0 {
        bail!("--seconds takes 0.1 to 600, --rounds at least 1");
    }
    let stand_in = matches.get_flag("stand-in");
    let only: Vec<String> = matches.get_many("only").into_iter().flatten().cloned().collect();
    let server = match (stand_in, matches.get_one::<PathBuf>("server-bin")) {
        (true, _) => process::Program::bare()?,
        (false, Some(path)) => process::Program::hitherto(path.clone()),
        (false, None) => process::Program::hitherto(process::build_server()?),
    };
    let disk = match matches.get_one::<PathBuf>("disk") {
        Some(path) => path.clone(),
        None => process::target_dir()?,
    };
    Ok(rounds::Settings {
        rounds,
        warm_up: Duration::from_secs_f64(if quick { 0.3 } else { 0.7 }),
        duration: Duration::from_secs_f64(seconds),
        works: works::select(&only),
        server,
        disk,
    })
}

fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let path = |name: &'static str| Arg::new(name).long(name).value_parser(value_parser!(PathBuf));
    Command::new("hitherto-bench")
        .about("Measures Hitherto against a bare yardstick, as ratios in one run")
        .after_help(
            "Redis is $HITHERTO_SERVERS_DIR/redis-7/bin/redis-server if that variable is set, \
             else the redis-server of PATH.",
        )
        .args_conflicts_with_subcommands(true)
        .arg(flag("quick").help("2 short rounds, for a look while developing"))
        .arg(
            Arg::new("rounds")
                .long("rounds")
                .value_name("N")
                .value_parser(value_parser!(usize))
                .help("Interleaved rounds [default: 5]"),
        )
        .arg(
            Arg::new("seconds")
                .long("seconds")
                .value_name("S")
                .value_parser(value_parser!(f64))
                .help("Length of one measurement [default: 3]"),
        )
        .arg(
            Arg::new("only")
                .long("only")
                .value_name("NAME")
                .action(ArgAction::Append)
                .value_parser(works::names())
                .help("Measure this work only; may be given more than once"),
        )
        .arg(
            path("server-bin")
                .value_name("FILE")
                .help("The server to measure [default: build it, and take that]"),
        )
        .arg(
            path("disk")
                .value_name("DIR")
                .help("Where embedded stores are measured [default: target folder]"),
        )
        .arg(path("json").value_name("FILE").help("Also write all raw figures there"))
        .arg(flag("stand-in").hide(true).help("Measure the yardstick against itself: shows the noise"))
        .subcommand(
            Command::new("summary")
                .about("How many facts of a conversation its summary keeps, beside the usual methods")
                .arg(
                    Arg::new("show")
                        .long("show")
                        .value_name("TOKENS")
                        .value_parser(value_parser!(usize))
                        .help("Print the summaries of so many tokens instead"),
                )
                .arg(path("json").value_name("FILE").help("Also write all figures there")),
        )
        .subcommand(
            Command::new("bare")
                .hide(true)
                .about("The yardstick server")
                .arg(Arg::new("redis").long("redis").required(true))
                .arg(
                    Arg::new("listen").long("listen").required(true).value_parser(value_parser!(SocketAddr)),
                ),
        )
}
