//! The table: every option is one entry here and nowhere else.

use super::Kind;

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its key in the settings file; the flag is the same with dashes.
    pub name: &'static str,
    /// Its environment variable.
    pub env: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its value when nobody gives one.
    pub default: Option<&'static str>,
    /// What it does, in one or two sentences.
    pub help: &'static str,
    /// Which commands have it.
    pub who: Who,
    /// Whether its value must never be printed.
    pub secret: bool,
    /// Options that cannot be given next to it.
    pub excludes: &'static [&'static str],
}

/// Which commands have an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// All of them.
    Everyone,
    /// Only `serve`.
    Server,
    /// All but `serve`.
    Clients,
}

impl Setting {
    /// The flag, without its two dashes.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether the settings file may have it. Where the file lies cannot stand in the file.
    pub fn in_file(&self) -> bool {
        self.name != "config"
    }
}

const PLAIN: Setting = Setting {
    name: "",
    env: "",
    kind: Kind::Text,
    default: None,
    help: "",
    who: Who::Everyone,
    secret: false,
    excludes: &[],
};

const SECONDS: Kind = Kind::Number { unit: "SECONDS", min: 1, max: 3_153_600_000 };

/// All options, in the order of help and of the reference page.
pub const OPTIONS: &[Setting] = &[
    Setting {
        name: "listen",
        env: "HITHERTO_LISTEN",
        kind: Kind::Address,
        default: Some("127.0.0.1:8700"),
        help: "Where the server listens; port 0 takes any free one. Only loopback addresses are accepted until there are credentials.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "demo",
        env: "HITHERTO_DEMO",
        kind: Kind::Switch,
        default: Some("false"),
        help: "Load the Apollo 13 air-to-ground conversation as session `apollo13`, once, and print three lines to try.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "db",
        env: "HITHERTO_DB",
        kind: Kind::Path,
        default: Some("hitherto.db"),
        help: "The file of the embedded store; it is made if it is not there.",
        excludes: &["redis", "server"],
        ..PLAIN
    },
    Setting {
        name: "redis",
        env: "HITHERTO_REDIS_URL",
        kind: Kind::Url,
        help: "Use this Redis or Valkey instead of the embedded store: redis://[user:password@]host[:port][/db], rediss://… for TLS, unix:///path[?db=n].",
        secret: true,
        excludes: &["db", "server"],
        ..PLAIN
    },
    Setting {
        name: "redis_ca",
        env: "HITHERTO_REDIS_CA",
        kind: Kind::Path,
        help: "Certificate authorities to trust for Redis instead of the system's, PEM.",
        ..PLAIN
    },
    Setting {
        name: "redis_cert",
        env: "HITHERTO_REDIS_CERT",
        kind: Kind::Path,
        help: "A client certificate for Redis, PEM; needs redis_key.",
        ..PLAIN
    },
    Setting {
        name: "redis_key",
        env: "HITHERTO_REDIS_KEY",
        kind: Kind::Path,
        help: "The file with the private key of redis_cert, PEM.",
        ..PLAIN
    },
    Setting {
        name: "server",
        env: "HITHERTO_SERVER",
        kind: Kind::Url,
        help: "Work through a running server instead of on a store, such as http://127.0.0.1:8700.",
        who: Who::Clients,
        excludes: &["db", "redis"],
        ..PLAIN
    },
    Setting {
        name: "memory_key",
        env: "HITHERTO_MEMORY_KEY",
        default: Some("chat_history"),
        help: "Sessions under one memory key do not see those under another. At most 128 bytes.",
        ..PLAIN
    },
    Setting {
        name: "ttl",
        env: "HITHERTO_TTL",
        kind: SECONDS,
        help: "The time to live set by every append over HTTP that says nothing about it. None by default: sessions stay.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "max_messages",
        env: "HITHERTO_MAX_MESSAGES",
        kind: Kind::Number { unit: "MESSAGES", min: 1, max: 1 << 40 },
        help: "The maximum of messages of a session set by every append over HTTP that says nothing about it; the oldest whole turns beyond it are removed. None by default: nothing is removed.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "deadline_ms",
        env: "HITHERTO_DEADLINE_MS",
        kind: Kind::Number { unit: "MILLISECONDS", min: 10, max: 600_000 },
        default: Some("2000"),
        help: "By when every call to the store has succeeded or failed.",
        ..PLAIN
    },
    Setting {
        name: "body_limit",
        env: "HITHERTO_BODY_LIMIT",
        kind: Kind::Size { min: 1 << 10, max: 1 << 30 },
        default: Some("4 MiB"),
        help: "The largest body of a request.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "message_limit",
        env: "HITHERTO_MESSAGE_LIMIT",
        kind: Kind::Size { min: 64, max: 256 << 20 },
        default: Some("1 MiB"),
        help: "The largest JSON of one message.",
        ..PLAIN
    },
    Setting {
        name: "messages_limit",
        env: "HITHERTO_MESSAGES_LIMIT",
        kind: Kind::Number { unit: "MESSAGES", min: 1, max: 100_000 },
        default: Some("1000"),
        help: "The most messages of one append.",
        ..PLAIN
    },
    Setting {
        name: "session_id_limit",
        env: "HITHERTO_SESSION_ID_LIMIT",
        kind: Kind::Size { min: 1, max: 4096 },
        default: Some("512 B"),
        help: "The longest session id, in bytes of UTF-8.",
        ..PLAIN
    },
    Setting {
        name: "idle_timeout",
        env: "HITHERTO_IDLE_TIMEOUT",
        kind: Kind::Number { unit: "SECONDS", min: 1, max: 86_400 },
        default: Some("60"),
        help: "A connection on which no complete request header arrives for so long is closed.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "body_timeout",
        env: "HITHERTO_BODY_TIMEOUT",
        kind: Kind::Number { unit: "SECONDS", min: 1, max: 86_400 },
        default: Some("30"),
        help: "By when the body of a request has arrived, counted from its header.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "max_connections",
        env: "HITHERTO_MAX_CONNECTIONS",
        kind: Kind::Number { unit: "CONNECTIONS", min: 1, max: 1_000_000 },
        default: Some("10000"),
        help: "The most connections at a time; further ones wait until one is closed.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "log",
        env: "HITHERTO_LOG",
        default: Some("info"),
        help: "What is logged, on standard error: error, warn, info, debug, trace, or directives such as info,hitherto=debug. What people say is never logged.",
        ..PLAIN
    },
    Setting {
        name: "log_format",
        env: "HITHERTO_LOG_FORMAT",
        kind: Kind::Choice(&["human", "json"]),
        default: Some("human"),
        help: "How log lines look.",
        ..PLAIN
    },
    Setting {
        name: "color",
        env: "HITHERTO_COLOR",
        kind: Kind::Choice(&["auto", "always", "never"]),
        default: Some("auto"),
        help: "Colours: on a terminal unless NO_COLOR is set, always, or never.",
        ..PLAIN
    },
    Setting {
        name: "config",
        env: "HITHERTO_CONFIG",
        kind: Kind::Path,
        help: "A settings file, TOML; unknown keys in it are an error.",
        ..PLAIN
    },
];
