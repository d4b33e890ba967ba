//! `cargo xtask soak`: the loss harness for longer than a test takes, with lines that say how it goes.
//!
//! It is the test of `crates/hitherto/tests/loss.rs`, told by variables to go on.

use crate::{servers, workspace};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Soak {
    minutes: u64,
    store: String,
    seed: Option<u64>,
}

impl Soak {
    /// Reads `[--minutes N] [--store redis|embedded|both] [--seed S]`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut soak = Self { minutes: 10, store: "both".to_owned(), seed: None };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{pair:?} has no value"));
            };
            let number = || value.parse::<u64>().map_err(|_| format!("{name} takes a number, not {value:?}"));
            match name.as_str() {
                "--minutes" => soak.minutes = number()?.max(1),
                "--seed" => soak.seed = Some(number()?),
                "--store" if ["redis", "embedded", "both"].contains(&value.as_str()) => {
                    soak.store.clone_from(value);
                }
                _ => return Err(format!("{name} {value} is not known here")),
            }
        }
        Ok(soak)
    }
}

pub(crate) fn run(soak: &Soak) -> Result<(), String> {
    servers::fetch(false)?;
    let mut command =
        workspace::cargo(&["test", "--release", "--locked", "-p", "hitherto", "--test", "loss", "--"]);
    command.args(["--nocapture", "nothing_is_lost_on"]);
    match soak.store.as_str() {
        "redis" => drop(command.args(["--skip", "embedded"])),
        "embedded" => drop(command.args(["--skip", "redis"])),
        _ => {}
    }
    command.env("HITHERTO_SOAK_MINUTES", soak.minutes.to_string());
    if let Some(seed) = soak.seed {
        command.env("HITHERTO_SEED", seed.to_string());
    }
    println!("{} minutes of life, then the reckoning: {}", soak.minutes, workspace::line_of(&command));
    workspace::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_understood() {
        let parse = |line: &str| Soak::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let soak = |minutes, store: &str, seed| Ok(Soak { minutes, store: store.to_owned(), seed });
        assert_eq!(parse(""), soak(10, "both", None));
        assert_eq!(parse("--minutes 60 --store redis --seed 7"), soak(60, "redis", Some(7)));
        for line in ["--minutes", "--minutes x", "--store file", "--hours 1"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
