//! Where the values come from: flags, environment, file, defaults, in this order.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::{Context as _, bail};
use clap::ArgMatches;
use clap::parser::ValueSource;
use hitherto::Tenant;

use super::flags::{has, has_flag};
use super::tenants::OfTenant;
use super::{Caller, Kind, OPTIONS, Setting, profiles, tenants};
use crate::keyspace::Profile;

/// Where a value comes from; the greater beats the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The table.
    Default,
    /// The settings file.
    File,
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
}

/// The value of every option that has one, checked by its kind, and where it comes from.
#[derive(Clone, Default)]
pub struct Layers {
    values: BTreeMap<&'static str, (Source, String)>,
    tenants: Vec<(Tenant, OfTenant)>,
    profiles: Vec<Profile>,
}

impl Layers {
    /// Gathers the values of the options that a command has.
    ///
    /// # Errors
    /// Says which flag, variable or key has a value that it cannot have, and what it must be; names
    /// unknown keys of the file.
    pub fn gather(
        flags: &ArgMatches,
        env: impl Fn(&str) -> Option<OsString>,
        caller: Caller,
    ) -> anyhow::Result<Self> {
        let mut layers = Self::default();
        for option in OPTIONS {
            if let Some(default) = option.default {
                layers.put(option, Source::Default, default, || "the table of options".to_owned())?;
            }
        }
        let mut own = Self::default();
        for option in OPTIONS.iter().filter(|option| has(option, caller)) {
            if let Some(value) = env(option.env).filter(|value| !value.is_empty()) {
                let value =
                    value.into_string().ok().with_context(|| format!("{} is not UTF-8", option.env))?;
                own.put(option, Source::Environment, &value, || option.env.to_owned())?;
            }
            // A command may have an argument of its own of that name.
            if let Some(value) = flag_value(flags, option).filter(|_| has_flag(option, caller)) {
                own.put(option, Source::Flag, &value, || format!("--{}", option.flag()))?;
            }
        }
        if let Some(path) = own.get("config") {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("the settings file {path} cannot be read"))?;
            layers.add_file(&text, caller).with_context(|| format!("the settings file {path}"))?;
        }
        layers.values.append(&mut own.values);
        Ok(layers)
    }

    /// Adds the values of a settings file; those of options that the command has not are checked and left out,
    /// so that one file serves every command.
    ///
    /// # Errors
    /// For text that is no TOML, for unknown keys, and for values that a key cannot have.
    pub(super) fn add_file(&mut self, text: &str, caller: Caller) -> anyhow::Result<()> {
        // The parser's own message shows the line it stumbles over, which may hold a password.
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |head| head.split('\n').count());
            anyhow::anyhow!("line {line}: {}", error.message())
        })?;
        let known = |key: &str| OPTIONS.iter().find(|option| option.in_file() && option.name == key);
        let unknown: Vec<&str> = table
            .keys()
            .map(String::as_str)
            .filter(|key| !matches!(*key, "tenants" | "profiles") && known(key).is_none())
            .collect();
        if !unknown.is_empty() {
            bail!("unknown key {}", unknown.join(", "));
        }
        for (key, value) in &table {
            let Some(option) = known(key) else { continue };
            let Some(value) = plain(option.kind, value) else {
                bail!("{key} must be {}", option.kind.must());
            };
            let mut target = Self::default();
            let kept = if has(option, caller) { &mut *self } else { &mut target };
            kept.put(option, Source::File, &value, || key.clone())?;
        }
        if let Some(tenants) = table.get("tenants") {
            self.tenants = tenants::read(tenants)?;
        }
        if let Some(profiles) = table.get("profiles") {
            self.profiles = profiles::read(profiles)?;
        }
        Ok(())
    }

    fn put(
        &mut self,
        option: &Setting,
        source: Source,
        value: &str,
        name: impl Fn() -> String,
    ) -> anyhow::Result<()> {
        let value = option.kind.accept(value).map_err(|must| anyhow::anyhow!("{} {must}", name()))?;
        self.values.insert(option.name, (source, value));
        Ok(())
    }

    /// The value of an option.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(_, value)| value.as_str())
    }

    /// Where the value of an option comes from.
    pub(super) fn source(&self, name: &str) -> Option<Source> {
        self.values.get(name).map(|(source, _)| *source)
    }

    /// What tenants have of their own.
    pub(super) fn tenants(&self) -> &[(Tenant, OfTenant)] {
        &self.tenants
    }

    /// Profiles of the Redis protocol.
    pub(super) fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The value of an option that is a number or a size.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

/// A value of the file as a flag would give it; `None` for one of a type that the option never has.
pub(super) fn plain(kind: Kind, value: &toml::Value) -> Option<String> {
    match (kind, value) {
        (Kind::Choice(&["on", "off"]), toml::Value::Boolean(on)) => {
            Some(if *on { "on" } else { "off" }.to_owned())
        }
        (_, toml::Value::String(text)) => Some(text.clone()),
        (_, toml::Value::Integer(number)) => Some(number.to_string()),
        (_, toml::Value::Boolean(switch)) => Some(switch.to_string()),
        (Kind::Lines { .. }, toml::Value::Array(lines)) => {
            lines.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>().map(|lines| lines.join("\n"))
        }
        (Kind::Object, toml::Value::Table(table)) => serde_json::to_string(table).ok(),
        _ => None,
    }
}

fn flag_value(flags: &ArgMatches, option: &Setting) -> Option<String> {
    if flags.try_contains_id(option.name).ok()?
        && flags.value_source(option.name) == Some(ValueSource::CommandLine)
    {
        return match option.kind {
            Kind::Switch => Some(flags.get_flag(option.name).to_string()),
            Kind::Lines { .. } => flags
                .get_many::<String>(option.name)
                .map(|lines| lines.cloned().collect::<Vec<_>>().join("\n")),
            _ => flags.get_one::<String>(option.name).cloned(),
        };
    }
    None
}
