//! What a server is started with, and the configuration file that says so.
//!
//! The defaults are a server as bare as it gets: no password, nothing on disk, one port on 127.0.0.1.
//! A file and not arguments: a restart reads the same one, and no password shows in the list of processes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::redis_server::RedisServer;
use crate::servers::ServerKind;
use crate::tls::Certificates;

/// How to start a [`RedisServer`].
///
/// ```no_run
/// use hitherto_testkit::{RedisSettings, ServerKind};
///
/// let server = RedisSettings::new(ServerKind::Redis7).append_only().password("secret").start();
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until start()"]
pub struct RedisSettings {
    pub(crate) kind: ServerKind,
    append_only: bool,
    pub(crate) unix_socket: bool,
    pub(crate) credentials: Credentials,
    pub(crate) tls: Option<TlsFiles>,
    directives: Vec<(String, String)>,
    /// What makes it a Sentinel instead of a server: its own lines.
    pub(crate) sentinel: Option<Vec<String>>,
}

/// Who may use the server.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// Anybody.
    None,
    /// Whoever knows the password of the user `default`.
    Password(String),
    /// One user, who may do everything; `default` is off.
    User { name: String, password: String },
}

/// The files of the TLS port.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
    ask_clients: bool,
}

impl RedisSettings {
    /// A bare server of this kind.
    pub fn new(kind: ServerKind) -> Self {
        Self {
            kind,
            append_only: false,
            unix_socket: false,
            credentials: Credentials::None,
            tls: None,
            directives: Vec::new(),
            sentinel: None,
        }
    }

    /// A Sentinel, which has these lines besides.
    pub(crate) fn sentinel(mut self, lines: Vec<String>) -> Self {
        self.sentinel = Some(lines);
        self
    }

    /// The credentials as a server's replicas and Sentinels need them: name and password, each if there is one.
    pub(crate) fn credentials(&self) -> (Option<&str>, Option<&str>) {
        match &self.credentials {
            Credentials::None => (None, None),
            Credentials::Password(password) => (None, Some(password)),
            Credentials::User { name, password } => (Some(name), Some(password)),
        }
    }

    /// Every write is on disk before it is answered (`appendonly yes`, `appendfsync always`).
    pub fn append_only(mut self) -> Self {
        self.append_only = true;
        self
    }

    /// `requirepass`.
    pub fn password(mut self, password: &str) -> Self {
        self.credentials = Credentials::Password(password.to_owned());
        self
    }

    /// An ACL user who may do everything; nobody else may do anything.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.credentials = Credentials::User { name: name.to_owned(), password: password.to_owned() };
        self
    }

    /// Also listens on a Unix socket, [`RedisServer::unix_socket`].
    pub fn unix_socket(mut self) -> Self {
        self.unix_socket = true;
        self
    }

    /// Also listens on a TLS port. Clients need no certificate. The certificates must outlive the server.
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.tls = Some(TlsFiles {
            ca: certificates.ca(),
            cert: certificates.server_cert(),
            key: certificates.server_key(),
            ask_clients: false,
        });
        self
    }

    pub(crate) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Also listens on a TLS port, for clients with a certificate of the same authority.
    pub fn mutual_tls(self, certificates: &Certificates) -> Self {
        let mut settings = self.tls(certificates);
        settings.tls.iter_mut().for_each(|tls| tls.ask_clients = true);
        settings
    }

    /// Any other line of the configuration file, such as `("maxmemory", "10mb")`. The value goes in as it is.
    pub fn directive(mut self, name: &str, value: &str) -> Self {
        self.directives.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// If it does not answer in time, with its log.
    pub fn start(self) -> RedisServer {
        RedisServer::start_with(self)
    }

    /// The configuration file.
    pub(crate) fn file(&self, folder: &Path, port: u16, tls_port: Option<u16>) -> String {
        let mut file = String::new();
        let mut line = |name: &str, value: &str| writeln!(file, "{name} {value}").unwrap();
        line("bind", "127.0.0.1");
        line("port", &port.to_string());
        line("dir", &quoted(folder));
        if let Some(lines) = &self.sentinel {
            // A Sentinel refuses what is about data.
            lines.iter().for_each(|text| line("sentinel", text));
        } else {
            line("save", "\"\"");
            line("appendonly", if self.append_only { "yes" } else { "no" });
            line("appendfsync", "always");
        }
        if self.unix_socket {
            line("unixsocket", &quoted(&folder.join("redis.sock")));
        }
        match &self.credentials {
            Credentials::None => {}
            Credentials::Password(password) => line("requirepass", password),
            Credentials::User { name, password } => {
                line("user", "default off");
                line("user", &format!("{name} on >{password} ~* &* +@all"));
            }
        }
        if let (Some(tls), Some(tls_port)) = (&self.tls, tls_port) {
            line("tls-port", &tls_port.to_string());
            line("tls-ca-cert-file", &quoted(&tls.ca));
            line("tls-cert-file", &quoted(&tls.cert));
            line("tls-key-file", &quoted(&tls.key));
            line("tls-auth-clients", if tls.ask_clients { "yes" } else { "no" });
        }
        for (name, value) in &self.directives {
            line(name, value);
        }
        file
    }
}

impl Credentials {
    /// The arguments of `AUTH`.
    pub(crate) fn auth(&self) -> Option<Vec<&str>> {
        match self {
            Self::None => None,
            Self::Password(password) => Some(vec!["AUTH", password]),
            Self::User { name, password } => Some(vec!["AUTH", name, password]),
        }
    }

    /// What stands before the host in an address: nothing, `:password@` or `name:password@`.
    pub(crate) fn in_url(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Password(password) => format!(":{}@", percent_encoded(password)),
            Self::User { name, password } => {
                format!("{}:{}@", percent_encoded(name), percent_encoded(password))
            }
        }
    }
}

fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_str().expect("a path in UTF-8"))
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
        out
    })
}
