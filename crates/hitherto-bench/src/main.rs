//! Measurements: what a stored turn costs, as ratios to a server that does almost nothing.
//!
//! Absolute figures say more about the machine than about the code, so every figure of the server stands beside
//! one of the yardstick ([`bare`]), taken seconds apart, under the same load, in the same run.
//!
//! * [`bare`] is the yardstick, [`durable`] the one for the embedded store
//! * [`pass`] is how much of a Redis any program before it leaves
//! * [`corpus`] is what is said, [`http`] how it travels, [`load`] sends what [`requests`] are, [`check`] looks at
//!   the answers
//! * [`process`] and [`redis_server`] start what is measured, [`cpu`] reads what it used
//! * [`works`] are the rows of the table, [`measurement`] measures one of them once, [`rest`] a server at rest
//! * [`rounds`] measures everything in turn, [`table`] prints it
//! * [`summary`] is a measurement of its own: what a summary keeps; so is [`resp`]: the Redis door beside Redis
//! * [`arguments`] is the command line

mod arguments;
mod bare;
mod check;
mod corpus;
mod cpu;
mod durable;
mod http;
mod load;
mod measurement;
mod pass;
mod process;
mod redis_server;
mod requests;
mod resp;
mod rest;
mod rounds;
mod summary;
mod table;
mod works;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ArgMatches;

use arguments::Pace;

fn main() -> Result<()> {
    let matches = arguments::command().get_matches();
    if let Some(("bare", arguments)) = matches.subcommand() {
        let redis: &String = arguments.get_one("redis").unwrap();
        let listen: &SocketAddr = arguments.get_one("listen").unwrap();
        return bare::serve(redis, *listen);
    }
    if let Some(("pass", arguments)) = matches.subcommand() {
        let (redis, listen): (&SocketAddr, &SocketAddr) =
            (arguments.get_one("redis").unwrap(), arguments.get_one("listen").unwrap());
        return pass::serve(*redis, *listen);
    }
    if let Some(("summary", arguments)) = matches.subcommand() {
        return summary::run(arguments.get_one("json"), arguments.get_one("show").copied());
    }
    let resp = matches.subcommand_matches("resp");
    if cfg!(debug_assertions) && !resp.unwrap_or(&matches).get_flag("quick") {
        bail!("this is a debug build, which measures nothing; use `cargo xtask bench` or add --quick");
    }
    process::stop_children_on_signal()?;
    let outcome = match resp {
        Some(arguments) => measure_resp(arguments),
        None => measure(&matches),
    };
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

fn measure_resp(arguments: &ArgMatches) -> Result<()> {
    let Pace { rounds, warm_up, duration } = Pace::of(arguments)?;
    let (only, server, disk) = (only(arguments), server(arguments)?, disk(arguments)?);
    let settings = resp::Settings { rounds, warm_up, duration, only, server, disk };
    resp::run(&settings, arguments.get_one("json"))
}

fn settings(matches: &ArgMatches) -> Result<rounds::Settings> {
    let Pace { rounds, warm_up, duration } = Pace::of(matches)?;
    let server = match matches.get_flag("stand-in") {
        true => process::Program::bare()?,
        false => server(matches)?,
    };
    let works = works::select(&only(matches));
    Ok(rounds::Settings { rounds, warm_up, duration, works, server, disk: disk(matches)? })
}

fn only(matches: &ArgMatches) -> Vec<String> {
    matches.get_many("only").into_iter().flatten().cloned().collect()
}

fn server(matches: &ArgMatches) -> Result<process::Program> {
    let path = match matches.get_one::<PathBuf>("server-bin") {
        Some(path) => path.clone(),
        None => process::build_server()?,
    };
    Ok(process::Program::hitherto(path))
}

fn disk(matches: &ArgMatches) -> Result<PathBuf> {
    match matches.get_one::<PathBuf>("disk") {
        Some(path) => Ok(path.clone()),
        None => process::target_dir(),
    }
}
