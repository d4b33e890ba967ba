//! What an address says: which servers, and how one is let in.
//!
//! | address | servers |
//! |---|---|
//! | `redis://[user:password@]host[:port][/db]` | one; a node of a cluster stands for its cluster |
//! | `redis-cluster://[user:password@]host[:port],host[:port]…` | a cluster, known by some of its nodes |
//! | `redis+sentinel://[user:password@]host[:port],…/name[/db][?sentinel_user=…&sentinel_password=…]` | the primary that Sentinels call so |
//!
//! Each with `rediss` for TLS; `unix:///path` is one server. Invariant: nothing that is said of an address that
//! cannot be used repeats it, for it may hold a password.

use std::sync::Arc;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion,
    RedisConnectionInfo, TlsCertificates,
};

use super::dial::{Demand, Dial};
use super::link::Link;
use super::options::RedisOptions;
use crate::store::{Result, StoreError};

/// Where a Sentinel listens if the address does not say.
const SENTINEL_PORT: &str = ":26379";

/// Which servers an address names.
pub(super) enum Servers {
    /// One server, or one node of a cluster.
    One(ConnectionInfo),
    /// Some nodes of a cluster.
    Cluster(Vec<ConnectionInfo>),
    /// Sentinels, and what they call the primary.
    Sentinel(Vec<ConnectionInfo>, String),
}

/// How servers are entered: user, password, database, certificates.
#[derive(Clone)]
pub(super) struct Entry {
    settings: RedisConnectionInfo,
    tls: Option<TlsCertificates>,
    options: RedisOptions,
}

impl std::fmt::Debug for Entry {
    /// Without what lets one in.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Entry {
    /// Whether there is a password, and a user that was made for this.
    pub(super) fn is_let_in(&self) -> (bool, bool) {
        let user = self.settings.username();
        (self.settings.password().is_some(), user.is_some_and(|user| user != "default"))
    }

    /// The server at that place.
    pub(super) fn link(&self, host: &str, port: u16, demand: Demand) -> Result<Arc<Link>> {
        let host = host.to_owned();
        let addr = match &self.tls {
            None => ConnectionAddr::Tcp(host, port),
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        };
        // Any address is good enough to begin with.
        let info = "redis://localhost".into_connection_info().map_err(|error| unusable(&error))?;
        self.link_to(info.set_addr(addr).set_redis_settings(self.settings.clone()), demand)
    }

    /// The server that such an address names.
    pub(super) fn link_to(&self, info: ConnectionInfo, demand: Demand) -> Result<Arc<Link>> {
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let addr = info.addr().clone();
        let client = match (&addr, &self.tls) {
            (ConnectionAddr::TcpTls { .. }, Some(certificates)) => {
                Client::build_with_tls(info, certificates.clone())
            }
            _ => Client::open(info),
        };
        let client = client.map_err(|error| unusable(&error))?;
        Ok(Arc::new(Link::new(Dial::new(client, &addr, demand), self.options.deadline)))
    }
}

/// Reads an address, and the certificates that go with it.
pub(super) fn parse(options: &RedisOptions) -> Result<(Servers, Entry)> {
    let refused = |reason: String| StoreError::Unreachable { store: "Redis".to_owned(), reason };
    let (servers, settings, is_tls) = servers(&options.url).map_err(refused)?;
    let has_certificates = options.ca.is_some() || options.client_certificate.is_some();
    let tls = if is_tls {
        Some(certificates(options).map_err(refused)?)
    } else if has_certificates {
        return Err(refused(
            "certificates were given, but the address does not begin with rediss".to_owned(),
        ));
    } else {
        None
    };
    Ok((servers, Entry { settings, tls, options: options.clone() }))
}

type Parsed = (Servers, RedisConnectionInfo, bool);
type Said<T> = std::result::Result<T, String>;

/// An address in its pieces.
struct Pieces<'a> {
    /// `redis`, `rediss`, `unix` …
    scheme: &'a str,
    /// `user:password@`, or nothing.
    user: String,
    hosts: Vec<&'a str>,
    /// From the path on.
    tail: &'a str,
}

impl Pieces<'_> {
    /// The address of one of the hosts.
    fn host(&self, user: &str, host: &str, tail: &str) -> Said<ConnectionInfo> {
        connection_info(&format!("{}://{user}{host}{tail}", self.scheme))
    }
}

fn servers(url: &str) -> Said<Parsed> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).unwrap_or_default();
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let user = if user.is_empty() { String::new() } else { format!("{user}@") };
    let pieces = |scheme| Pieces { scheme, user, hosts: hosts.split(',').collect(), tail };
    match scheme {
        "redis+sentinel" | "redis-sentinel" => sentinels(&pieces("redis")),
        "rediss+sentinel" | "rediss-sentinel" => sentinels(&pieces("rediss")),
        "redis-cluster" => cluster(&pieces("redis")),
        "rediss-cluster" => cluster(&pieces("rediss")),
        plain if hosts.contains(',') => cluster(&pieces(plain)),
        _ => {
            let info = connection_info(url)?;
            let (settings, is_tls) = (info.redis_settings().clone(), is_tls(&info));
            Ok((Servers::One(info), settings, is_tls))
        }
    }
}

fn cluster(address: &Pieces<'_>) -> Said<Parsed> {
    let node = |host: &&str| address.host(&address.user, host, address.tail);
    let nodes: Vec<_> = address.hosts.iter().map(node).collect::<Said<_>>()?;
    let first = nodes.first().ok_or("the address names no node of the cluster")?;
    let (settings, is_tls) = (first.redis_settings().clone(), is_tls(first));
    Ok((Servers::Cluster(nodes), settings, is_tls))
}

fn sentinels(address: &Pieces<'_>) -> Said<Parsed> {
    let (path, query) = address.tail.split_once('?').unwrap_or((address.tail, ""));
    let path = path.trim_start_matches('/');
    let (name, db) = path.split_once('/').unwrap_or((path, ""));
    if name.is_empty() {
        return Err("the address names no primary: redis+sentinel://host:port,host:port/name".to_owned());
    }
    let (mut user, mut password, mut others) = ("", "", Vec::new());
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sentinel_user", value)) => user = value,
            Some(("sentinel_password", value)) => password = value,
            _ => others.push(parameter),
        }
    }
    let tail = if others.is_empty() { format!("/{db}") } else { format!("/{db}?{}", others.join("&")) };
    let host = address.hosts.first().ok_or("the address names no Sentinel")?;
    let server = address.host(&address.user, host, &tail)?;
    let user = if password.is_empty() { String::new() } else { format!("{user}:{password}@") };
    let sentinel = |host: &&str| {
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        let port = if has_port { "" } else { SENTINEL_PORT };
        address.host(&user, &format!("{host}{port}"), "")
    };
    let all: Vec<_> = address.hosts.iter().map(sentinel).collect::<Said<_>>()?;
    Ok((Servers::Sentinel(all, name.to_owned()), server.redis_settings().clone(), is_tls(&server)))
}

fn is_tls(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}

fn connection_info(url: &str) -> Said<ConnectionInfo> {
    // What the library says of a bad address does not repeat it, so no password gets out.
    let info = url.into_connection_info().map_err(|error| error.to_string())?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(
            "#insecure is not supported: certificates are always verified; give the CA instead".to_owned()
        );
    }
    // RESP3 tells when a connection is closed; every server from Redis 6 on speaks it.
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("hitherto", env!("CARGO_PKG_VERSION"));
    Ok(info.set_redis_settings(settings))
}

fn unusable(error: &redis::RedisError) -> StoreError {
    StoreError::Unreachable { store: "Redis".to_owned(), reason: error.to_string() }
}

fn certificates(options: &RedisOptions) -> Said<TlsCertificates> {
    // Without a provider chosen by the application, the one that this crate brings.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let root_cert = options.ca.as_deref().map(read).transpose()?;
    let client_tls = match &options.client_certificate {
        None => None,
        Some((certificate, key)) => {
            Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? })
        }
    };
    Ok(TlsCertificates { client_tls, root_cert })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The servers that an address names, the database, and the user and password of servers and of Sentinels.
    fn read(url: &str) -> String {
        let shown = |info: &ConnectionInfo| {
            let settings = info.redis_settings();
            format!("{} {:?} {:?}", info.addr(), settings.username(), settings.password()).replace('"', "")
        };
        match servers(url) {
            Err(why) => why,
            Ok((servers, settings, is_tls)) => {
                let all = match servers {
                    Servers::One(info) => format!("one {}", shown(&info)),
                    Servers::Cluster(nodes) => {
                        format!("cluster {}", nodes.iter().map(shown).collect::<Vec<_>>().join(", "))
                    }
                    Servers::Sentinel(all, name) => {
                        format!("{name} of {}", all.iter().map(shown).collect::<Vec<_>>().join(", "))
                    }
                };
                let (user, password) = (settings.username(), settings.password());
                let entry = format!("{user:?} {password:?} {}", settings.db()).replace('"', "");
                format!("{all}; {entry}{}", if is_tls { " tls" } else { "" })
            }
        }
    }

    #[test]
    fn addresses_name_one_server_a_cluster_or_sentinels() {
        let none = "None None";
        for (url, expected) in [
            ("redis://h", format!("one h:6379 {none}; {none} 0")),
            ("redis://u:p@h:1/3", "one h:1 Some(u) Some(p); Some(u) Some(p) 3".to_owned()),
            ("redis-cluster://h:1", format!("cluster h:1 {none}; {none} 0")),
            ("redis://h:1,i:2", format!("cluster h:1 {none}, i:2 {none}; {none} 0")),
            (
                "rediss-cluster://u:p%40@h,[::1]:7",
                "cluster h:6379 Some(u) Some(p@), ::1:7 Some(u) Some(p@); Some(u) Some(p@) 0 tls".to_owned(),
            ),
            ("redis+sentinel://h/mymaster", format!("mymaster of h:26379 {none}; {none} 0")),
            (
                "rediss+sentinel://u:p@h:1,[::1]/m/2?sentinel_user=s&sentinel_password=t%26",
                "m of h:1 Some(s) Some(t&), ::1:26379 Some(s) Some(t&); Some(u) Some(p) 2 tls".to_owned(),
            ),
            ("redis-sentinel://h/m?sentinel_password=t", format!("m of h:26379 None Some(t); {none} 0")),
        ] {
            assert_eq!(read(url), expected, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_repeating_it() {
        for url in [
            "redis+sentinel://h",
            "redis-cluster://u:hush@:1,",
            "redis://u:hush@h:x",
            "hush",
            "rediss://h/#insecure",
        ] {
            let why = servers(url).err().unwrap_or_else(|| panic!("{url} was taken"));
            assert!(!why.contains("hush"), "{why}");
        }
    }
}
