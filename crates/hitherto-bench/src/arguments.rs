//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::{resp, works};

/// How long and how often something is measured.
pub(crate) struct Pace {
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
}

impl Pace {
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self> {
        let quick = matches.get_flag("quick");
        let seconds = matches.get_one::<f64>("seconds").copied().unwrap_or(if quick { 1.0 } else { 3.0 });
        let rounds = matches.get_one::<usize>("rounds").copied().unwrap_or(if quick { 2 } else { 5 });
        if !(0.1..=600.0).contains(&seconds) || rounds == 0 {
            bail!("--seconds takes 0.1 to 600, --rounds at least 1");
        }
        Ok(Pace {
            rounds,
            warm_up: Duration::from_secs_f64(if quick { 0.3 } else { 0.7 }),
            duration: Duration::from_secs_f64(seconds),
        })
    }
}

fn flag(name: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue)
}

fn path(name: &'static str) -> Arg {
    Arg::new(name).long(name).value_parser(value_parser!(PathBuf))
}

/// What every measurement of servers takes; the names are those of its rows.
fn measuring(command: Command, names: Vec<&'static str>) -> Command {
    command
        .after_help(
            "Redis is $HITHERTO_SERVERS_DIR/redis-7/bin/redis-server if that variable is set, \
             else the redis-server of PATH.",
        )
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
                .value_parser(names)
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
}

pub(crate) fn command() -> Command {
    let resp = Command::new("resp").about("Lists through the Redis door, beside a plain Redis");
    measuring(Command::new("hitherto-bench"), works::names())
        .about("Measures Hitherto against a bare yardstick, as ratios in one run")
        .args_conflicts_with_subcommands(true)
        .arg(flag("stand-in").hide(true).help("Measure the yardstick against itself: shows the noise"))
        .subcommand(measuring(resp, resp::names()))
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
        .subcommand(
            Command::new("pass")
                .hide(true)
                .about("Passes the bytes of clients of Redis on")
                .arg(Arg::new("redis").long("redis").required(true).value_parser(value_parser!(SocketAddr)))
                .arg(
                    Arg::new("listen").long("listen").required(true).value_parser(value_parser!(SocketAddr)),
                ),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_fits_together() {
        command().debug_assert();
    }
}
