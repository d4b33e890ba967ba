//! What clients ask of the server itself: `HELLO`, `AUTH`, `SELECT`, `CLIENT`, `COMMAND`, `INFO`, `PING` and their kin.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use hitherto::Timestamp;

use super::command::{Command, shown, wrong_number};
use super::read::Outcome;
use super::table::{COMMANDS, Entry};
use super::{Client, Keyspace, Reply};

/// The version of Redis whose commands these are, for clients that look.
const REDIS_VERSION: &str = "7.0.15";
/// How many databases `SELECT` takes. All hold the same sessions; a profile may be for one of them.
const DATABASES: u32 = 16;
/// The longest name of a client, in bytes.
const NAME: usize = 256;

impl Keyspace {
    pub(super) fn ping(command: &Command) -> Outcome {
        match command.rest(1) {
            [] => Ok(Reply::Word("PONG")),
            [text] => Ok(Reply::Bulk(text.clone())),
            _ => Err(wrong_number("ping")),
        }
    }

    /// `HELLO [version [AUTH user password] [SETNAME name]]`.
    pub(super) async fn hello(&self, client: &mut Client, command: &Command) -> Outcome {
        let mut protocol = client.protocol;
        let (mut name, mut credential) = (None, None);
        if !command.rest(1).is_empty() {
            protocol = match command.integer(1) {
                Ok(2) => 2,
                Ok(3) => 3,
                Ok(_) => return Err(Reply::error("NOPROTO unsupported protocol version")),
                Err(_) => {
                    return Err(Reply::error("ERR Protocol version is not an integer or out of range"));
                }
            };
            let mut at = 2;
            while !command.rest(at).is_empty() {
                match command.upper(at).as_str() {
                    "AUTH" if command.rest(at).len() > 2 => {
                        credential = Some((command.word(at + 1), command.word(at + 2)));
                        at += 3;
                    }
                    "SETNAME" if command.rest(at).len() > 1 => {
                        name = Some(client_name(command.word(at + 1))?);
                        at += 2;
                    }
                    option => {
                        return Err(Reply::error(format!(
                            "ERR Syntax error in HELLO option '{}'",
                            shown(option.as_bytes())
                        )));
                    }
                }
            }
        }
        match credential {
            Some((user, token)) => self.enter(client, user, token).await?,
            None => self.greets(client).await?,
        }
        client.protocol = protocol;
        if let Some(name) = name {
            client.name = name;
        }
        let pair = |key: &str, value: Reply| (Reply::text(key), value);
        Ok(Reply::Map(vec![
            pair("server", Reply::text("redis")),
            pair("version", Reply::text(REDIS_VERSION)),
            pair("proto", Reply::Int(client.protocol.into())),
            pair("id", Reply::count(client.id)),
            pair("mode", Reply::text("standalone")),
            pair("role", Reply::text("master")),
            pair("modules", Reply::List(Vec::new())),
        ]))
    }

    pub(super) fn select(client: &mut Client, command: &Command) -> Outcome {
        let database = command.integer(1)?;
        match u32::try_from(database).ok().filter(|database| *database < DATABASES) {
            Some(database) => {
                client.database = database;
                Ok(Reply::OK)
            }
            None => Err(Reply::error("ERR DB index is out of range")),
        }
    }

    pub(super) fn client(client: &mut Client, command: &Command) -> Outcome {
        let words = command.rest(2);
        match (command.upper(1).as_str(), words) {
            ("ID", []) => Ok(Reply::count(client.id)),
            ("GETNAME", []) if client.name.is_empty() => Ok(Reply::Null),
            ("GETNAME", []) => Ok(Reply::text(&client.name)),
            ("SETNAME", [name]) => {
                client.name = client_name(name)?;
                Ok(Reply::OK)
            }
            ("SETINFO", [_, _]) | ("NO-EVICT" | "NO-TOUCH", [_]) => Ok(Reply::OK),
            ("INFO" | "LIST", []) => Ok(Reply::text(&format!(
                "id={} name={} db={} resp={} multi={}\n",
                client.id,
                client.name,
                client.database,
                client.protocol,
                client.transaction.as_ref().map_or(-1, |t| i64::try_from(t.commands.len()).unwrap_or(-1)),
            ))),
            ("ID" | "GETNAME" | "SETNAME" | "SETINFO" | "NO-EVICT" | "NO-TOUCH" | "INFO" | "LIST", _) => {
                Err(wrong_number(&format!("client|{}", command.upper(1).to_lowercase())))
            }
            _ => Err(unknown_subcommand("CLIENT", command)),
        }
    }

    pub(super) fn command(command: &Command) -> Outcome {
        match (command.upper(1).as_str(), command.rest(2)) {
            ("", []) => Ok(Reply::List(COMMANDS.iter().map(described).collect())),
            ("COUNT", []) => Ok(Reply::count(COMMANDS.len() as u64)),
            ("LIST", _) => Ok(Reply::texts(COMMANDS.iter().map(|entry| entry.name))),
            ("INFO", []) => Ok(Reply::List(COMMANDS.iter().map(described).collect())),
            ("INFO", names) => Ok(Reply::List(
                names
                    .iter()
                    .map(|name| super::table::find(name).map_or(Reply::NullList, described))
                    .collect(),
            )),
            ("DOCS", _) => Ok(Reply::Map(Vec::new())),
            _ => Err(unknown_subcommand("COMMAND", command)),
        }
    }

    pub(super) fn time() -> Reply {
        let now = Timestamp::now().as_millis();
        let micros = now.rem_euclid(1000) * 1000;
        Reply::List(vec![Reply::text(&now.div_euclid(1000).to_string()), Reply::text(&micros.to_string())])
    }

    pub(super) fn info(&self, command: &Command) -> Reply {
        let wanted: Vec<String> = (1..=command.rest(1).len()).map(|at| command.upper(at)).collect();
        let has = |section: &str| {
            wanted.is_empty()
                || wanted
                    .iter()
                    .any(|word| word == section || matches!(word.as_str(), "ALL" | "DEFAULT" | "EVERYTHING"))
        };
        // What all tenants do together is no tenant's business.
        let count = |number: &std::sync::atomic::AtomicU64| {
            if self.grant.tenant.is_some() {
                "0".to_owned()
            } else {
                number.load(Ordering::Relaxed).to_string()
            }
        };
        let shared = &self.shared;
        let sections: [(&str, Vec<(&str, String)>); 7] = [
            (
                "Server",
                vec![
                    ("redis_version", REDIS_VERSION.to_owned()),
                    ("redis_mode", "standalone".to_owned()),
                    ("hitherto_version", env!("CARGO_PKG_VERSION").to_owned()),
                    ("process_id", std::process::id().to_string()),
                    ("uptime_in_seconds", shared.started.elapsed().as_secs().to_string()),
                ],
            ),
            ("Clients", vec![("connected_clients", count(&shared.clients))]),
            ("Persistence", vec![("loading", "0".to_owned())]),
            ("Stats", vec![("total_commands_processed", count(&shared.commands))]),
            ("Replication", vec![("role", "master".to_owned()), ("connected_slaves", "0".to_owned())]),
            ("Cluster", vec![("cluster_enabled", "0".to_owned())]),
            (
                "Hitherto",
                vec![
                    ("translated_messages", count(&shared.translations.messages)),
                    ("translation_losses", count(&shared.translations.losses)),
                ],
            ),
        ];
        let mut out = String::new();
        for (section, fields) in sections.iter().filter(|(section, _)| has(&section.to_uppercase())) {
            if !out.is_empty() {
                out.push_str("\r\n");
            }
            out.push_str(&format!("# {section}\r\n"));
            for (name, value) in fields {
                out.push_str(&format!("{name}:{value}\r\n"));
            }
        }
        Reply::Bulk(Bytes::from(out))
    }
}

fn client_name(name: &[u8]) -> Result<String, Reply> {
    let good = |byte: &u8| (b'!'..=b'~').contains(byte);
    match std::str::from_utf8(name) {
        Ok(text) if name.iter().all(good) && name.len() <= NAME => Ok(text.to_owned()),
        _ => Err(Reply::error("ERR Client names cannot contain spaces, newlines or special characters.")),
    }
}

fn unknown_subcommand(name: &str, command: &Command) -> Reply {
    Reply::error(format!("ERR unknown subcommand '{}'. Try {name} HELP.", shown(command.word(1))))
}

fn described(entry: &Entry) -> Reply {
    let (first, last, step) = entry.keys;
    Reply::List(vec![
        Reply::text(entry.name),
        Reply::Int(entry.arity),
        Reply::texts(entry.flags.iter().copied()),
        Reply::Int(first),
        Reply::Int(last),
        Reply::Int(step),
    ])
}

/// How many commands wait at most for `EXEC`.
pub(super) const QUEUE: usize = 10_000;
