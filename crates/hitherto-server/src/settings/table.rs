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
    /// All; its flag only `serve` and `fold`, which fold.
    Folders,
}

/// Which command asks for its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// `serve`.
    Server,
    /// `fold`.
    Folder,
    /// Any other.
    Client,
}

impl Caller {
    /// The caller that a command of that name is.
    pub fn of(command: &str) -> Self {
        match command {
            "serve" => Self::Server,
            "fold" => Self::Folder,
            _ => Self::Client,
        }
    }
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

const ON_OFF: Kind = Kind::Choice(&["on", "off"]);
const SECONDS: Kind = Kind::Number { unit: "SECONDS", min: 1, max: 3_153_600_000 };

/// All options, in the order of help and of the reference page.
pub const OPTIONS: &[Setting] = &[
    Setting {
        name: "listen",
        env: "HITHERTO_LISTEN",
        kind: Kind::Address,
        default: Some("127.0.0.1:8700"),
        help: "Where the server listens; port 0 takes any free one. An address beyond loopback needs tokens, or insecure_no_auth.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "resp_listen",
        env: "HITHERTO_RESP_LISTEN",
        kind: Kind::AddressOrOff,
        default: Some("127.0.0.1:8701"),
        help: "Where the server speaks the Redis protocol to unmodified clients; port 0 takes any free one, `off` speaks it nowhere. An address beyond loopback needs tokens, or insecure_no_auth.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "tls_certificate",
        env: "HITHERTO_TLS_CERTIFICATE",
        kind: Kind::Path,
        help: "The server's certificate, PEM, with those between it and its authority behind it: both ports then speak TLS 1.2 and 1.3, and nothing else. Needs tls_key. New files in its place are taken over while the server runs.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "tls_key",
        env: "HITHERTO_TLS_KEY",
        kind: Kind::Path,
        help: "The file with the private key of tls_certificate, PEM, without a password.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "tls_ports",
        env: "HITHERTO_TLS_PORTS",
        kind: Kind::Choice(&["both", "http", "redis"]),
        default: Some("both"),
        help: "Which ports have TLS where there is a certificate.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "tls_client_ca",
        env: "HITHERTO_TLS_CLIENT_CA",
        kind: Kind::Path,
        help: "The authorities that sign clients' certificates, PEM. Without it no client is asked for one.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "tls_client_auth",
        env: "HITHERTO_TLS_CLIENT_AUTH",
        kind: Kind::Choice(&["required", "optional"]),
        default: Some("required"),
        help: "Whether a client must have a certificate where tls_client_ca is given; one that it has must be right in any case.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "redis_rest",
        env: "HITHERTO_REDIS_REST",
        kind: ON_OFF,
        default: Some("on"),
        help: "Whether the same commands are served over HTTP, as Upstash's clients send them.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "resp_idle_timeout",
        env: "HITHERTO_RESP_IDLE_TIMEOUT",
        kind: Kind::Number { unit: "SECONDS", min: 0, max: 86_400 },
        default: Some("0"),
        help: "A connection of the Redis protocol that says nothing for so long is closed; 0 never closes one, as Redis does.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "motorhead",
        env: "HITHERTO_MOTORHEAD",
        kind: ON_OFF,
        default: Some("on"),
        help: "Whether the server speaks the API of Motorhead, too: see docs/clients/motorhead.md.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "zep",
        env: "HITHERTO_ZEP",
        kind: ON_OFF,
        default: Some("on"),
        help: "Whether the server speaks the memory API of Zep, version 1, too: see docs/clients/zep.md.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "summary_role",
        env: "HITHERTO_SUMMARY_ROLE",
        kind: Kind::Choice(&["system", "user", "assistant", "off"]),
        default: Some("system"),
        help: "In which role a summary is given where the protocol leaves the choice: some models refuse a second system message.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "demo",
        env: "HITHERTO_DEMO",
        kind: Kind::Switch,
        default: Some("false"),
        help: "Load the Apollo 13 air-to-ground conversation as session `apollo13`, once, and print four lines to try.",
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
        help: "Use this Redis or Valkey instead of the embedded store: redis://[user:password@]host[:port][/db], rediss://… for TLS, unix:///path[?db=n], redis-cluster://…host,host…, redis+sentinel://…host,host…/name. See docs/redis.md.",
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
        name: "acknowledge",
        env: "HITHERTO_ACKNOWLEDGE",
        kind: Kind::Acknowledge,
        default: Some("primary"),
        help: "Who has a write before it is answered with success: the Redis primary alone, or so many of its replicas, too (replicas:1).",
        ..PLAIN
    },
    Setting {
        name: "acknowledge_ms",
        env: "HITHERTO_ACKNOWLEDGE_MS",
        kind: Kind::Number { unit: "MILLISECONDS", min: 1, max: 200_000 },
        default: Some("500"),
        help: "How long a write waits for the replicas, at most a third of deadline_ms; then it is answered with an error, though the primary has it.",
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
        name: "server_ca",
        env: "HITHERTO_SERVER_CA",
        kind: Kind::Path,
        help: "Certificate authorities to trust for an https:// server instead of the system's, PEM.",
        who: Who::Clients,
        ..PLAIN
    },
    Setting {
        name: "server_cert",
        env: "HITHERTO_SERVER_CERT",
        kind: Kind::Path,
        help: "A client certificate for the server, PEM; needs server_key.",
        who: Who::Clients,
        ..PLAIN
    },
    Setting {
        name: "server_key",
        env: "HITHERTO_SERVER_KEY",
        kind: Kind::Path,
        help: "The file with the private key of server_cert, PEM.",
        who: Who::Clients,
        ..PLAIN
    },
    Setting {
        name: "token",
        env: "HITHERTO_TOKEN",
        help: "The token to show to the server. Others on the machine can read flags; prefer the environment or token_file.",
        who: Who::Clients,
        secret: true,
        excludes: &["token_file"],
        ..PLAIN
    },
    Setting {
        name: "token_file",
        env: "HITHERTO_TOKEN_FILE",
        kind: Kind::Path,
        help: "A file that holds the token to show to the server, and nothing else.",
        who: Who::Clients,
        excludes: &["token"],
        ..PLAIN
    },
    Setting {
        name: "require_tokens",
        env: "HITHERTO_REQUIRE_TOKENS",
        kind: Kind::Switch,
        default: Some("false"),
        help: "Let nobody in without a token, even where none was made yet. Without this, tokens are required as soon as the store has one: see docs/security.md.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "jwt_keys",
        env: "HITHERTO_JWT_KEYS",
        help: "Take signed tokens (JWT: RS256, ES256, EdDSA) too, verified with these keys: a file or an https address, of a JWK set or of PEM. Then a token is required.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "jwt_issuer",
        env: "HITHERTO_JWT_ISSUER",
        help: "Who must have issued a signed token (iss).",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "jwt_audience",
        env: "HITHERTO_JWT_AUDIENCE",
        help: "For whom a signed token must be (aud). One that names an audience is refused without this.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "jwt_tenant_claim",
        env: "HITHERTO_JWT_TENANT_CLAIM",
        default: Some("tenant"),
        help: "Which claim of a signed token names its tenant.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "insecure_no_auth",
        env: "HITHERTO_INSECURE_NO_AUTH",
        kind: Kind::Switch,
        default: Some("false"),
        help: "Listen beyond loopback, and answer to every name, although no token is required: whoever reaches the server reads and changes everything.",
        who: Who::Server,
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
        help: "By when the body of a request has arrived, counted from its header; and how long a client may take nothing of its answer.",
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
        name: "summaries",
        env: "HITHERTO_SUMMARIES",
        kind: ON_OFF,
        default: Some("on"),
        help: "Whether sessions are summarised that say nothing about it themselves.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "window",
        env: "HITHERTO_WINDOW",
        kind: Kind::Number { unit: "TURNS", min: 1, max: 1000 },
        default: Some("10"),
        help: "How many of the newest turns of a session stay verbatim; what is older goes into its summary.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "fold_after_turns",
        env: "HITHERTO_FOLD_AFTER_TURNS",
        kind: Kind::Number { unit: "TURNS", min: 1, max: 1000 },
        default: Some("4"),
        help: "Fold a session into its summary when so many turns have left the window.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "fold_after_tokens",
        env: "HITHERTO_FOLD_AFTER_TOKENS",
        kind: Kind::Number { unit: "TOKENS", min: 1, max: 1_000_000 },
        default: Some("2000"),
        help: "Fold a session when so many tokens have left the window, however few the turns.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "summary_tokens",
        env: "HITHERTO_SUMMARY_TOKENS",
        kind: Kind::Number { unit: "TOKENS", min: 32, max: 16_000 },
        default: Some("600"),
        help: "How many tokens a summary may have.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "encoding",
        env: "HITHERTO_ENCODING",
        kind: Kind::Choice(&["o200k", "cl100k", "estimate"]),
        default: Some("o200k"),
        help: "How tokens are counted where nobody says: exactly for OpenAI's newer (o200k) or older (cl100k) models, or by an estimate that is more rather than less.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "model",
        env: "HITHERTO_MODEL",
        help: "The model that writes summaries, as its API names it; needs model_url. Without one the extractive summariser does, which needs no network.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "model_url",
        env: "HITHERTO_MODEL_URL",
        kind: Kind::Url,
        help: "The address of the model's API, such as https://api.openai.com/v1 or http://127.0.0.1:11434; needs model.",
        who: Who::Folders,
        secret: true,
        ..PLAIN
    },
    Setting {
        name: "model_api",
        env: "HITHERTO_MODEL_API",
        kind: Kind::Choice(&["openai", "azure", "anthropic"]),
        default: Some("openai"),
        help: "The protocol of the model's API: OpenAI's chat completions and what is compatible, Azure's form of it, or Anthropic's messages.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "model_key",
        env: "HITHERTO_MODEL_KEY",
        help: "The key of the model's API. Others on the machine can read flags; prefer the environment or model_key_file.",
        who: Who::Folders,
        secret: true,
        excludes: &["model_key_file"],
        ..PLAIN
    },
    Setting {
        name: "model_key_file",
        env: "HITHERTO_MODEL_KEY_FILE",
        kind: Kind::Path,
        help: "A file that holds the key of the model's API, and nothing else.",
        who: Who::Folders,
        excludes: &["model_key"],
        ..PLAIN
    },
    Setting {
        name: "model_headers",
        env: "HITHERTO_MODEL_HEADERS",
        kind: Kind::Lines { one: "NAME: VALUE" },
        help: "Headers that are sent to the model's API besides.",
        who: Who::Folders,
        secret: true,
        ..PLAIN
    },
    Setting {
        name: "model_body",
        env: "HITHERTO_MODEL_BODY",
        kind: Kind::Object,
        help: "Fields of the body of every request to the model's API, such as {\"temperature\":0.2}; each replaces the one of that name, and null takes it out.",
        who: Who::Folders,
        secret: true,
        ..PLAIN
    },
    Setting {
        name: "model_ca",
        env: "HITHERTO_MODEL_CA",
        kind: Kind::Path,
        help: "Certificate authorities to trust for the model's API instead of the system's, PEM.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "model_timeout",
        env: "HITHERTO_MODEL_TIMEOUT",
        kind: Kind::Number { unit: "SECONDS", min: 1, max: 3600 },
        default: Some("60"),
        help: "By when the model has answered whole.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "model_input_tokens",
        env: "HITHERTO_MODEL_INPUT_TOKENS",
        kind: Kind::Number { unit: "TOKENS", min: 256, max: 1_000_000 },
        default: Some("6000"),
        help: "How many tokens of transcript the model is given at once; longer messages are given in parts.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "model_output_tokens",
        env: "HITHERTO_MODEL_OUTPUT_TOKENS",
        kind: Kind::Number { unit: "TOKENS", min: 32, max: 1_000_000 },
        help: "How many tokens the model may write, hidden thoughts included. If nothing is said, twice summary_tokens, and more where thoughts count.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "stand_in_after",
        env: "HITHERTO_STAND_IN_AFTER",
        kind: Kind::Number { unit: "FAILURES", min: 0, max: 1000 },
        default: Some("3"),
        help: "After so many failures of the model in a row the extractive summariser makes the summary in its stead; 0 waits for the model for ever.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "fold_concurrency",
        env: "HITHERTO_FOLD_CONCURRENCY",
        kind: Kind::Number { unit: "SESSIONS", min: 1, max: 256 },
        default: Some("4"),
        help: "How many sessions are folded at a time.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "fold_retry_first",
        env: "HITHERTO_FOLD_RETRY_FIRST",
        kind: Kind::Number { unit: "SECONDS", min: 1, max: 86_400 },
        default: Some("5"),
        help: "How long folding a session waits after a first failure, twice as long after each further one, unless the model asks for longer.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "fold_retry_most",
        env: "HITHERTO_FOLD_RETRY_MOST",
        kind: Kind::Number { unit: "SECONDS", min: 1, max: 86_400 },
        default: Some("600"),
        help: "How long it waits at most.",
        who: Who::Folders,
        ..PLAIN
    },
    Setting {
        name: "tenant_requests_per_second",
        env: "HITHERTO_TENANT_REQUESTS_PER_SECOND",
        kind: Kind::Number { unit: "REQUESTS", min: 0, max: 1_000_000 },
        default: Some("0"),
        help: "How many requests a second of one tenant each server answers, and as many at once; 0 any number. A command of the Redis protocol is a request.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "tenant_sessions",
        env: "HITHERTO_TENANT_SESSIONS",
        kind: Kind::Number { unit: "SESSIONS", min: 0, max: 1 << 52 },
        default: Some("0"),
        help: "How many sessions one tenant may have; 0 any number. Beyond it sessions that are there may grow, and none is begun.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "tenant_messages",
        env: "HITHERTO_TENANT_MESSAGES",
        kind: Kind::Number { unit: "MESSAGES", min: 0, max: 1 << 52 },
        default: Some("0"),
        help: "How many messages one tenant may have in all its sessions; 0 any number. Beyond it nothing is appended until something is removed.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "tenant_bytes",
        env: "HITHERTO_TENANT_BYTES",
        kind: Kind::Size { min: 0, max: 1 << 52 },
        default: Some("0"),
        help: "How large all messages of one tenant may be together, as they are stored; 0 any size. Beyond it nothing is appended until something is removed.",
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
        name: "slow_request_ms",
        env: "HITHERTO_SLOW_REQUEST_MS",
        kind: Kind::Number { unit: "MILLISECONDS", min: 0, max: 3_600_000 },
        default: Some("1000"),
        help: "From when on a request gets a warning in the log, with its operation and ids; 0 is never. Every request has a line at debug.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "metrics_listen",
        env: "HITHERTO_METRICS_LISTEN",
        kind: Kind::AddressOrOff,
        default: Some("off"),
        help: "Where /metrics, /healthz and /readyz are besides, such as 127.0.0.1:9700; off for nowhere. Nothing there needs a token and nothing shows what people say; let only the monitoring reach it.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "metrics_tenants",
        env: "HITHERTO_METRICS_TENANTS",
        kind: Kind::Lines { one: "TENANT" },
        help: "Tenants whose sessions the metrics count, besides those that the settings file names.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "otlp",
        env: "HITHERTO_OTLP",
        kind: Kind::Url,
        help: "A collector that gets traces by OTLP over HTTP, such as http://127.0.0.1:4318; only of a binary that was built with the feature otlp.",
        who: Who::Server,
        ..PLAIN
    },
    Setting {
        name: "otlp_headers",
        env: "HITHERTO_OTLP_HEADERS",
        kind: Kind::Lines { one: "NAME: VALUE" },
        help: "Headers that are sent to the collector besides.",
        who: Who::Server,
        secret: true,
        ..PLAIN
    },
    Setting {
        name: "audit_file",
        env: "HITHERTO_AUDIT_FILE",
        kind: Kind::Path,
        help: "Append audit lines to this file rather than to the log: JSON, one line for each change of a token, clear, erasure, export and import.",
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
