//! The project's own commands: `cargo xtask help`.
//!
//! Invariant: nothing outside the workspace's `target` folder is changed, except that a missing rustfmt or clippy
//! is added to the Rust toolchain, missing programs are installed from Debian's packages, and Cargo, npm and pip
//! keep their caches where they always do.
//! Whatever is installed is announced first.

mod workspace;

mod servers;
mod tools;

mod bench;
mod check;
mod clients;
mod deb;
mod faults;
mod fuzz;
mod manifests;
mod soak;

use std::process::ExitCode;

const HELP: &str = "\
The project's own commands.

  cargo xtask check [--all-servers]
      Everything that continuous integration checks: formatting, lints, tests, clients, documentation, licences.
      Fetches what is missing first. With --all-servers the tests also run on the newest Redis and Valkey.

  cargo xtask bench [ARGUMENTS...]
      The measurements of crates/hitherto-bench, built for release. The arguments go to it.

  cargo xtask bench resp [ARGUMENTS...]
      The same for lists through the Redis door, beside a plain Redis that answers the same commands.

  cargo xtask bench summary [--show TOKENS] [--json FILE]
      How many facts of the example conversations a summary keeps, beside the usual methods.

  cargo xtask soak [--minutes N] [--store redis|embedded|both] [--seed S]
      The loss harness for N minutes (10 without), built for release: sessions are summarised while servers and
      the store are killed, and nothing may be lost.

  cargo xtask faults [--row NAME]... [--appends N] [--binary PATH]
      What is survived: writers append while servers, stores and links break, and nothing acknowledged may be lost,
      doubled or in disorder. Against a release build, or the server at PATH; 2,000 appends a row, or N. All rows
      together write their figures into docs/reliability.md.

  cargo xtask fuzz [--seconds N] [--target NAME]... [--minimise]
      Every fuzz target of fuzz/ for N seconds (60 without), from the corpus in the repository. Needs a C++ compiler.
      With --minimise the corpus becomes the few of the files kept and found that together reach the most.

  cargo xtask clients [--only NAME]... [--binary PATH] [--store embedded|redis|both]
      Other people's clients, unmodified, against the built server (or the one at PATH) on both stores.
      Fetches what they need into target/clients first; --only runs those whose name begins with NAME.

  cargo xtask deb [--debug-build] [--test]
      The Debian package, in target/debian. With --test it is installed into a root of its own (as root), started,
      upgraded, removed and purged; --debug-build takes the binary that tests use.

  cargo xtask packages
      Whether the Kubernetes manifest, the Compose file and the Containerfile in packages/ are valid.

  cargo xtask servers [--all]
      Fetches what the tests run on: Redis 7, with --all also the newest Redis and Valkey.

  cargo xtask help
      This page.

Servers land in target/servers, or in the folder that HITHERTO_SERVERS_DIR names; tools in target/tools.
A Redis between 6.2 and 7 that is on PATH is used as it is.
";

/// Why a command did not do what it should.
enum Failure {
    /// It was called in a way that it does not know.
    Usage(String),
    /// It was understood and went wrong.
    Failed(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(why)) => {
            eprintln!("{why}\n\n{HELP}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(why)) => {
            eprintln!("\nFAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(Failure::Usage("which command?".to_owned()));
    };
    match command.as_str() {
        "check" => Ok(check::run(flag(rest, "--all-servers")?)?),
        "bench" => Ok(bench::run(rest)?),
        "soak" => Ok(soak::run(&soak::Soak::parse(rest).map_err(Failure::Usage)?)?),
        "faults" => Ok(faults::run(&faults::Faults::parse(rest).map_err(Failure::Usage)?)?),
        "fuzz" => Ok(fuzz::run(&fuzz::Fuzz::parse(rest).map_err(Failure::Usage)?)?),
        "clients" => Ok(clients::run(&clients::Clients::parse(rest).map_err(Failure::Usage)?)?),
        "deb" => Ok(deb::run(&deb::Deb::parse(rest).map_err(Failure::Usage)?)?),
        "packages" => match rest.first() {
            Some(other) => Err(Failure::Usage(format!("{other:?} is not known here"))),
            None => Ok(manifests::run()?),
        },
        "servers" => Ok(servers::fetch(flag(rest, "--all")?)?),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(Failure::Usage(format!("there is no command {other:?}"))),
    }
}

/// Whether the only flag that a command knows was given.
fn flag(arguments: &[String], name: &str) -> Result<bool, Failure> {
    match arguments.iter().find(|argument| *argument != name) {
        Some(other) => Err(Failure::Usage(format!("{other:?} is not known here, only {name} is"))),
        None => Ok(!arguments.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_not_known_is_refused_before_anything_runs() {
        for line in [
            "",
            "chekc",
            "check --all",
            "check --all-servers now",
            "servers --all-servers",
            "soak now",
            "deb now",
            "packages now",
            "clients all",
            "faults all",
            "fuzz all",
        ] {
            assert!(matches!(run(&words(line)), Err(Failure::Usage(_))), "{line:?} was accepted");
        }
    }

    #[test]
    fn a_flag_is_there_or_not() {
        assert!(matches!(flag(&words(""), "--all"), Ok(false)));
        assert!(matches!(flag(&words("--all"), "--all"), Ok(true)));
    }
}
