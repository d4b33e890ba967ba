//! A primary, its replicas, and the Sentinels that watch them.
//!
//! Invariant: a method that lets another server become the primary returns when the Sentinels agree that it is, and
//! it says so itself.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Reply;
use crate::cluster::is_in_step;
use crate::redis_server::RedisServer;
use crate::redis_settings::RedisSettings;
use crate::servers::ServerKind;
use crate::slots::ok;

/// How long Sentinels may take to agree, and a failover to end.
const AGREE_LIMIT: Duration = Duration::from_secs(60);
/// How often they are looked at.
const AGREE_POLL: Duration = Duration::from_millis(20);
/// After how long a silent server counts as down.
const DOWN_AFTER_MS: u32 = 2000;
/// How many Sentinels watch, and how many of them have to agree.
const SENTINELS: usize = 3;
const QUORUM: usize = 2;

/// What the Sentinels call the primary.
const NAME: &str = "mymaster";

/// Servers of which one is the primary, and three Sentinels. They die when this is dropped.
#[derive(Debug)]
pub struct Sentinels {
    // Dropped first: nobody is to be made a primary while the servers end.
    sentinels: Vec<RedisServer>,
    servers: Vec<RedisServer>,
    credentials: String,
    /// Whether all of them find each other by TLS.
    is_tls: bool,
}

impl Sentinels {
    /// A bare primary with so many replicas.
    pub fn start(kind: ServerKind, replicas: usize) -> Self {
        Self::start_with(&RedisSettings::new(kind), &RedisSettings::new(kind), replicas)
    }

    /// The primary and its replicas are such servers; of the other settings, the Sentinels have the credentials. With
    /// TLS in both, all of them find each other by it.
    pub fn start_with(server: &RedisSettings, sentinel: &RedisSettings, replicas: usize) -> Self {
        let (user, password) = server.credentials();
        let is_tls = server.has_tls();
        let secured = |settings: &RedisSettings| match is_tls {
            true => settings.clone().directive("tls-replication", "yes"),
            false => settings.clone(),
        };
        let mut settings = secured(server).directive("repl-diskless-sync-delay", "0");
        settings = user.into_iter().fold(settings, |settings, user| settings.directive("masteruser", user));
        settings =
            password.into_iter().fold(settings, |settings, word| settings.directive("masterauth", word));
        let primary = settings.clone().start();
        let port = place(&primary, is_tls).port();
        let mut servers = vec![primary];
        for _ in 0..replicas {
            servers.push(settings.clone().directive("replicaof", &format!("127.0.0.1 {port}")).start());
        }
        let mut lines = vec![
            format!("monitor {NAME} 127.0.0.1 {port} {QUORUM}"),
            format!("down-after-milliseconds {NAME} {DOWN_AFTER_MS}"),
            format!("failover-timeout {NAME} 5000"),
        ];
        lines.extend(user.map(|user| format!("auth-user {NAME} {user}")));
        lines.extend(password.map(|password| format!("auth-pass {NAME} {password}")));
        // Sentinels talk to each other with the credentials that they ask for themselves.
        let (user, password) = sentinel.credentials();
        lines.extend(user.map(|user| format!("sentinel-user {user}")));
        lines.extend(password.map(|password| format!("sentinel-pass {password}")));
        let all = Self { sentinels: Vec::new(), servers, credentials: server.credentials.in_url(), is_tls };
        all.await_all("the replicas are in step", || all.replicas_are_in_step());
        let sentinel = secured(sentinel).sentinel(lines);
        let sentinels: Vec<_> = (0..SENTINELS).map(|_| sentinel.clone().start()).collect();
        let all = Self { sentinels, ..all };
        for sentinel in &all.sentinels {
            // They look every ten seconds by themselves, which is long for a test.
            let pace =
                ["info-period", "200", "ping-period", "200", "ask-period", "200", "publish-period", "200"];
            ok(sentinel, &[&["SENTINEL", "DEBUG"], pace.as_slice()].concat());
        }
        all.await_agreement();
        all
    }

    /// `redis+sentinel://…/mymaster`, or `rediss+sentinel://…` where they have TLS, with the servers' credentials and all
    /// Sentinels.
    pub fn url(&self) -> String {
        let place = |sentinel| place(sentinel, self.is_tls).to_string();
        let hosts: Vec<_> = self.sentinels.iter().map(place).collect();
        let scheme = if self.is_tls { "rediss+sentinel" } else { "redis+sentinel" };
        format!("{scheme}://{}{}/{NAME}", self.credentials, hosts.join(","))
    }

    /// The Sentinels.
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// The servers: first the one that was the primary in the beginning.
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// The number of the server that the Sentinels call the primary.
    ///
    /// # Panics
    ///
    /// If no Sentinel lives.
    pub fn primary(&self) -> usize {
        let named = self.sentinels.iter().find_map(named_by).expect("a Sentinel that lives");
        self.number_of(named)
    }

    /// Lets a replica take over while the primary lives, and waits until it has and the rest follow it. Gives its
    /// number.
    pub fn fail_over(&self) -> usize {
        let before = self.primary();
        let sentinel =
            self.sentinels.iter().find(|sentinel| sentinel.is_running()).expect("a Sentinel that lives");
        ok(sentinel, &["SENTINEL", "FAILOVER", NAME]);
        self.await_another(before)
    }

    /// Kills the primary like a power cut, and gives its number. Returns at once.
    pub fn kill_primary(&self) -> usize {
        let primary = self.primary();
        self.servers[primary].kill();
        primary
    }

    /// Waits until another server than that one is the primary, and gives its number.
    pub fn await_another(&self, before: usize) -> usize {
        self.await_all("another primary", || {
            self.sentinels_that_live()
                .all(|one| named_by(one).is_some_and(|named| self.number_of(named) != before))
        });
        self.await_agreement();
        self.primary()
    }

    /// Starts a killed server again, and waits until the Sentinels have made it a replica of the primary.
    pub fn restart(&self, number: usize) {
        self.servers[number].restart();
        self.await_agreement();
    }

    /// Waits until all Sentinels that live name the same server, it is a primary, and all others that live are its
    /// replicas and in step; and every Sentinel knows the others and all servers.
    pub fn await_agreement(&self) {
        self.await_all("agreement", || {
            let named: Vec<_> = self.sentinels_that_live().map(named_by).collect();
            let Some(Some(first)) = named.first().copied() else { return false };
            named.iter().all(|one| *one == Some(first))
                && role_of(&self.servers[self.number_of(first)]).as_deref() == Some("master")
                && self.replicas_are_in_step()
                && self.sentinels_that_live().all(|one| self.knows_all(one))
        });
    }

    fn knows_all(&self, sentinel: &RedisServer) -> bool {
        let Ok(Reply::Array(fields)) = sentinel.try_command(&["SENTINEL", "MASTER", NAME]) else {
            return false;
        };
        let fields: Vec<_> = fields.iter().map(Reply::text).collect();
        let is = |name: &str, at_least: usize| {
            fields
                .chunks(2)
                .any(|pair| pair[0] == name && pair[1].parse().is_ok_and(|found: usize| found >= at_least))
        };
        let living = self.servers.iter().filter(|server| server.is_running()).count();
        let fine = fields.chunks(2).any(|pair| pair[0] == "flags" && pair[1] == "master");
        fine && is("num-slaves", living - 1) && is("num-other-sentinels", SENTINELS - 1)
    }

    /// Whether every server that lives, but one, is a replica with a link, and that one has heard from all of them.
    fn replicas_are_in_step(&self) -> bool {
        let living: Vec<_> = self.servers.iter().filter(|server| server.is_running()).collect();
        let infos: Vec<_> = living
            .iter()
            .filter_map(|server| match server.try_command(&["INFO", "replication"]) {
                Ok(Reply::Bulk(info)) => String::from_utf8(info).ok(),
                _ => None,
            })
            .collect();
        let replicas = infos.iter().filter(|info| info.contains("role:slave")).count();
        infos.len() == living.len()
            && replicas + 1 == living.len()
            && infos.iter().all(|info| is_in_step(info))
    }

    fn sentinels_that_live(&self) -> impl Iterator<Item = &RedisServer> {
        self.sentinels.iter().filter(|sentinel| sentinel.is_running())
    }

    fn number_of(&self, addr: SocketAddr) -> usize {
        let is = |server: &RedisServer| place(server, self.is_tls) == addr;
        self.servers.iter().position(is).expect("a server of ours")
    }

    fn await_all(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + AGREE_LIMIT;
        while !is_so() {
            assert!(Instant::now() < deadline, "not within {AGREE_LIMIT:?}: {what}");
            thread::sleep(AGREE_POLL);
        }
    }
}

/// Where the others find a server.
fn place(server: &RedisServer, is_tls: bool) -> SocketAddr {
    if is_tls { server.tls_addr() } else { server.addr() }
}

/// Whom a Sentinel calls the primary.
fn named_by(sentinel: &RedisServer) -> Option<SocketAddr> {
    match sentinel.try_command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]) {
        Ok(answer @ Reply::Array(_)) => {
            let [host, port] = <[String; 2]>::try_from(answer.texts()).ok()?;
            Some((host.parse::<std::net::IpAddr>().ok()?, port.parse().ok()?).into())
        }
        _ => None,
    }
}

/// `master` or `slave`, as a server says of itself.
fn role_of(server: &RedisServer) -> Option<String> {
    match server.try_command(&["ROLE"]) {
        Ok(Reply::Array(words)) => words.first().map(Reply::text),
        _ => None,
    }
}
