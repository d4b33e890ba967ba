//! `cargo xtask clients`: other people's clients, unmodified and from their registries, against the real binary.
//!
//! Each client has one file of tests in `clients/`, written as its users would write it, and runs on each store.
//! Invariant: nothing is skipped. What is missing is installed or fails the command, and so does a client of which
//! no test ran. Everything that is started here is ended here.

mod install;
mod list;
mod outcome;
mod process;
mod server;

use std::path::PathBuf;
use std::time::Instant;

pub(crate) use self::install::environment;
use self::list::{CLIENTS, Client};
use self::server::{Running, STORES, Store};
use crate::{servers, workspace};

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clients {
    /// Only clients whose name begins like one of these; all of them without any.
    only: Vec<String>,
    /// The server to test, instead of one that is built.
    binary: Option<PathBuf>,
    /// One store instead of both.
    store: Option<Store>,
}

impl Clients {
    /// Reads `[--only NAME]... [--binary PATH] [--store embedded|redis|both]`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut clients = Self::default();
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{pair:?} has no value"));
            };
            match (name.as_str(), value.as_str()) {
                ("--only", start) if CLIENTS.iter().any(|client| client.name.starts_with(start)) => {
                    clients.only.push(value.clone());
                }
                ("--only", _) => {
                    let names: Vec<_> = CLIENTS.iter().map(|client| client.name).collect();
                    return Err(format!("no client begins with {value:?}; there are: {}", names.join(", ")));
                }
                ("--binary", _) => clients.binary = Some(value.into()),
                ("--store", "both") => clients.store = None,
                ("--store", "embedded") => clients.store = Some(Store::Embedded),
                ("--store", "redis") => clients.store = Some(Store::Redis),
                _ => return Err(format!("{name} {value} is not known here")),
            }
        }
        Ok(clients)
    }

    fn chosen(&self) -> Vec<&'static Client> {
        let is_chosen =
            |name: &str| self.only.is_empty() || self.only.iter().any(|start| name.starts_with(start));
        CLIENTS.iter().filter(|client| is_chosen(client.name)).collect()
    }
}

/// Makes sure that everything is there that the chosen clients need.
pub(crate) fn prepare(what: &Clients) -> Result<(), String> {
    servers::fetch(false)?;
    install::programs()?;
    install::packages(&what.chosen())
}

/// Prepares, and runs each client on each store.
pub(crate) fn run(what: &Clients) -> Result<(), String> {
    let start = Instant::now();
    prepare(what)?;
    let binary = match &what.binary {
        Some(binary) => binary.canonicalize().map_err(|e| format!("{}: {e}", binary.display()))?,
        None => built()?,
    };
    let chosen = what.chosen();
    let stores: Vec<Store> =
        STORES.into_iter().filter(|store| what.store.is_none_or(|only| only == *store)).collect();
    let mut outcomes = Vec::new();
    for store in &stores {
        println!("\nstarting {} on {}", binary.display(), store.name());
        let mut server = Running::start(&binary, *store)?;
        for client in &chosen {
            let mut outcome = process::test(client, &server)?;
            let ended = server.has_ended();
            if ended {
                outcome.trouble = Some("the server ended".to_owned());
            }
            outcome.tell(client, *store);
            outcomes.push((client.name, *store, outcome));
            if ended {
                break;
            }
        }
    }
    outcome::table(&chosen, &stores, &outcomes);
    let failed = outcomes.iter().filter(|(_, _, outcome)| !outcome.passed()).count();
    let tests: usize = outcomes.iter().map(|(_, _, outcome)| outcome.passed).sum();
    let line = format!(
        "clients: {} of {} passed ({tests} tests) in {:.0} s",
        outcomes.len() - failed,
        outcomes.len(),
        start.elapsed().as_secs_f64()
    );
    if failed == 0 && !outcomes.is_empty() {
        println!("{line}");
        return Ok(());
    }
    Err(line)
}

fn built() -> Result<PathBuf, String> {
    let mut command = workspace::cargo(&["build", "--locked", "-p", "hitherto-server", "--bin", "hitherto"]);
    println!("{}", workspace::line_of(&command));
    workspace::run(&mut command)?;
    Ok(workspace::target_folder().join("debug/hitherto"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Clients, String> {
        Clients::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        assert_eq!(parse(""), Ok(Clients::default()));
        let asked = parse("--only flowise --binary x/hitherto --store redis --only n8n").unwrap();
        assert_eq!(asked.store, Some(Store::Redis));
        assert_eq!(asked.binary, Some("x/hitherto".into()));
        assert_eq!(asked.chosen().iter().map(|client| client.name).collect::<Vec<_>>(), ["flowise", "n8n"]);
        for line in ["--only", "--only nobody", "--store file", "--all", "--all yes"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn without_a_choice_it_is_all_of_them() {
        assert_eq!(Clients::default().chosen().len(), CLIENTS.len());
    }
}
