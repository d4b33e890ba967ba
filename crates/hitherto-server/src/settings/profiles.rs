//! Profiles of the Redis protocol of the user's own: `[profiles.NAME]` in the settings file.
//!
//! Invariant: they are tried before the built-in ones, in the order of their names.

use anyhow::{Context as _, bail};
use hitherto::Dialect;

use crate::keyspace::{Order, Profile, Reads};

/// Reads the tables of all profiles.
///
/// # Errors
/// Names the place: an unknown key, a value that a key cannot have.
pub(super) fn read(profiles: &toml::Value) -> anyhow::Result<Vec<Profile>> {
    let toml::Value::Table(profiles) = profiles else {
        bail!("profiles must be tables such as [profiles.bot]");
    };
    profiles
        .iter()
        .map(|(name, own)| {
            let place = || format!("[profiles.{name}]");
            let toml::Value::Table(own) = own else { bail!("{} must be a table", place()) };
            profile(name, own).with_context(place)
        })
        .collect()
}

fn profile(name: &str, own: &toml::Table) -> anyhow::Result<Profile> {
    const KEYS: &str = "keys must be the pattern of its keys with one {session} in it, such as bot:{session}";
    let pattern = own.get("keys").and_then(toml::Value::as_str).context(KEYS)?;
    let (before, after) =
        pattern.split_once("{session}").filter(|(_, after)| !after.contains("{session}")).context(KEYS)?;
    let mut profile = Profile::new(name, before, after, Order::AsPushed);
    for (key, value) in own {
        let text = value.as_str();
        let number = || value.as_integer().and_then(|number| u32::try_from(number).ok());
        match key.as_str() {
            "keys" => {}
            "order" => {
                profile.order = match text {
                    Some("newest-first") => Order::NewestFirst,
                    Some("oldest-first") => Order::OldestFirst,
                    Some("as-pushed") => Order::AsPushed,
                    _ => bail!("order must be newest-first, oldest-first or as-pushed"),
                };
            }
            "reads" => {
                profile.reads = match text {
                    Some("context") => Reads::Context,
                    Some("history") => Reads::History,
                    Some("by-dialect") => Reads::ByDialect,
                    _ => bail!("reads must be context, history or by-dialect"),
                };
            }
            "dialect" => {
                let dialect = text.and_then(Dialect::parse).filter(|dialect| *dialect != Dialect::Opaque);
                let Some(dialect) = dialect else {
                    let known: Vec<&str> = Dialect::ALL
                        .iter()
                        .filter(|dialect| **dialect != Dialect::Opaque)
                        .map(|dialect| dialect.as_str())
                        .collect();
                    bail!("dialect must be one of {}", known.join(", "));
                };
                profile.dialects = vec![dialect];
            }
            "max_tokens" => {
                profile.tokens = Some(
                    number()
                        .filter(|tokens| *tokens > 0)
                        .context("max_tokens must be a whole number from 1")?,
                );
            }
            "database" => {
                let database = number().filter(|database| *database < 16);
                profile.database = Some(database.context("database must be a number from 0 to 15")?);
            }
            other => {
                bail!("unknown key {other}; known are keys, order, reads, dialect, max_tokens, database");
            }
        }
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> anyhow::Result<Vec<Profile>> {
        let table: toml::Table = text.parse().unwrap();
        read(table.get("profiles").unwrap())
    }

    #[test]
    fn reads_every_key() {
        let found = read_text(
            "[profiles.llama]\nkeys = 'l:{session}:x'\norder = 'oldest-first'\nreads = 'history'\n\
             dialect = 'llamaindex'\nmax_tokens = 900\ndatabase = 1",
        )
        .unwrap();
        let mut expected = Profile::new("llama", "l:", ":x", Order::OldestFirst);
        expected.reads = Reads::History;
        expected.dialects = vec![Dialect::LlamaIndex];
        (expected.tokens, expected.database) = (Some(900), Some(1));
        assert_eq!(found, vec![expected]);
    }

    #[test]
    fn says_what_is_wrong() {
        let check = |text: &str, expected: &str| {
            let error = format!("{:#}", read_text(text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        };
        check("profiles = 7", "must be tables");
        check("[profiles.a]", "keys must be");
        check("[profiles.a]\nkeys = 'x'", "keys must be");
        check("[profiles.a]\nkeys = '{session}{session}'", "keys must be");
        check("[profiles.a]\nkeys = '{session}'\norder = 'odd'", "order must be");
        check("[profiles.a]\nkeys = '{session}'\nreads = 1", "reads must be");
        check("[profiles.a]\nkeys = '{session}'\ndialect = 'opaque'", "dialect must be one of hitherto, ");
        check("[profiles.a]\nkeys = '{session}'\nmax_tokens = 0", "max_tokens must be");
        check("[profiles.a]\nkeys = '{session}'\ndatabase = 16", "database must be");
        check("[profiles.a]\nkeys = '{session}'\nx = 1", "unknown key x");
    }
}
