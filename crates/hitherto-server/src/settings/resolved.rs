//! The settings that a command works with: typed, and with secrets wrapped.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use hitherto::{Limits, MemoryKey, SummaryRole, Ttl};
use secrecy::SecretString;

use super::{Layers, Source, SummarySettings};
use crate::keyspace::Profile;

/// What a command works with. Printing it is safe.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where the server listens.
    pub listen: String,
    /// Where the server speaks the Redis protocol; `None` for nowhere.
    pub resp_listen: Option<String>,
    /// When a connection of the Redis protocol that says nothing is closed.
    pub resp_idle_timeout: Option<Duration>,
    /// Whether Redis' commands are served over HTTP.
    pub redis_rest: bool,
    /// In which role a summary is given where the protocol leaves the choice.
    pub summary_role: SummaryRole,
    /// Which keys of the Redis protocol are which sessions, besides the built-in ones.
    pub profiles: Vec<Profile>,
    /// Whether the demo conversation is loaded.
    pub demo: bool,
    /// Where the sessions are.
    pub backend: Backend,
    /// Certificate authorities for Redis.
    pub redis_ca: Option<PathBuf>,
    /// A client certificate for Redis, and its key.
    pub redis_client: Option<(PathBuf, PathBuf)>,
    /// How many replicas of Redis have a write before it is answered with success.
    pub acknowledge_replicas: u32,
    /// How long a write waits for them.
    pub acknowledge_timeout: Duration,
    /// Which set of sessions.
    pub memory_key: MemoryKey,
    /// The time to live that an append sets if it says nothing.
    pub ttl: Option<Ttl>,
    /// The maximum of messages that an append sets if it says nothing.
    pub max_messages: Option<u64>,
    /// By when a call to the store has succeeded or failed.
    pub deadline: Duration,
    /// The largest body of a request, in bytes.
    pub body_limit: usize,
    /// What the engine accepts.
    pub limits: Limits,
    /// When a connection without a complete request header is closed.
    pub idle_timeout: Duration,
    /// By when the body of a request has arrived.
    pub body_timeout: Duration,
    /// The most connections at a time.
    pub max_connections: usize,
    /// Whether the API of Motorhead is served.
    pub motorhead: bool,
    /// Whether the memory API of Zep is served.
    pub zep: bool,
    /// How sessions are summarised.
    pub summaries: SummarySettings,
    /// What is logged.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// When there are colours.
    pub color: Color,
}

/// Where the sessions are.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Backend {
    /// In an embedded file.
    Embedded(PathBuf),
    /// In Redis or Valkey at this address, which may hold a password.
    Redis(SecretString),
    /// Behind a running server at this address.
    Server(String),
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// When there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether there are colours on a stream that is a terminal or is none.
    pub fn on(self, terminal: bool) -> bool {
        match self {
            Self::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl Settings {
    /// Resolves what was gathered.
    ///
    /// # Errors
    /// Where two values contradict each other, or one needs another.
    pub fn resolve(layers: &Layers) -> anyhow::Result<Self> {
        let text = |name: &str| layers.get(name).unwrap_or_default().to_owned();
        let path = |name: &str| layers.get(name).map(PathBuf::from);
        let number = |name: &'static str| layers.number(name).with_context(|| format!("{name} has no value"));
        let size = |name| number(name).map(|value| usize::try_from(value).unwrap_or(usize::MAX));
        let redis_client = match (path("redis_cert"), path("redis_key")) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => bail!("redis_cert needs redis_key, the private key of the certificate"),
            (None, Some(_)) => bail!("redis_key needs redis_cert, the certificate that the key belongs to"),
        };
        let mut limits = Limits::default();
        limits.message_bytes = size("message_limit")?;
        limits.messages_per_append = size("messages_limit")?;
        limits.session_id_bytes = size("session_id_limit")?;
        limits.append_bytes = limits.append_bytes.max(size("body_limit")?);
        Ok(Self {
            listen: text("listen"),
            resp_listen: layers.get("resp_listen").filter(|value| *value != "off").map(str::to_owned),
            resp_idle_timeout: layers
                .number("resp_idle_timeout")
                .filter(|secs| *secs > 0)
                .map(Duration::from_secs),
            redis_rest: layers.get("redis_rest") == Some("on"),
            summary_role: layers.get("summary_role").and_then(SummaryRole::parse).unwrap_or_default(),
            profiles: layers.profiles().to_vec(),
            demo: layers.get("demo") == Some("true"),
            backend: backend(layers)?,
            redis_ca: path("redis_ca"),
            redis_client,
            acknowledge_replicas: layers
                .get("acknowledge")
                .and_then(|whom| whom.strip_prefix("replicas:")?.parse().ok())
                .unwrap_or(0),
            acknowledge_timeout: Duration::from_millis(number("acknowledge_ms")?),
            memory_key: MemoryKey::parse(&text("memory_key"))?,
            ttl: layers.number("ttl").map(Ttl::from_secs).transpose().context("ttl")?,
            max_messages: layers.number("max_messages"),
            deadline: Duration::from_millis(number("deadline_ms")?),
            body_limit: size("body_limit")?,
            limits,
            idle_timeout: Duration::from_secs(number("idle_timeout")?),
            body_timeout: Duration::from_secs(number("body_timeout")?),
            max_connections: size("max_connections")?,
            motorhead: layers.get("motorhead") != Some("off"),
            zep: layers.get("zep") != Some("off"),
            summaries: SummarySettings::resolve(layers)?,
            log: text("log"),
            log_format: if layers.get("log_format") == Some("json") {
                LogFormat::Json
            } else {
                LogFormat::Human
            },
            color: match layers.get("color") {
                Some("always") => Color::Always,
                Some("never") => Color::Never,
                _ => Color::Auto,
            },
        })
    }
}

/// The store named by the source that counts most; a source that names two contradicts itself.
fn backend(layers: &Layers) -> anyhow::Result<Backend> {
    let named = ["db", "redis", "server"].map(|name| (layers.source(name), name));
    let best = named.iter().filter_map(|(source, _)| *source).max().unwrap_or(Source::Default);
    let chosen: Vec<&str> =
        named.iter().filter(|(source, _)| *source == Some(best)).map(|(_, name)| *name).collect();
    let value = |name: &str| layers.get(name).unwrap_or_default().to_owned();
    match *chosen.as_slice() {
        ["redis"] => Ok(Backend::Redis(value("redis").into())),
        ["server"] => Ok(Backend::Server(value("server"))),
        ["db"] => Ok(Backend::Embedded(value("db").into())),
        _ => bail!(
            "{} are given side by side by the {}: give one of them, for there is one place where sessions are",
            chosen.join(" and "),
            match best {
                Source::Flag => "flags",
                Source::Environment => "environment",
                _ => "settings file",
            }
        ),
    }
}

#[cfg(test)]
#[path = "resolved_tests.rs"]
mod tests;
