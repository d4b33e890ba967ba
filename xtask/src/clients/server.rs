//! The binary under test, on one store, with all that it needs: ended when this is dropped.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::install;
use crate::workspace;

/// How long a server may take to say that it listens.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Where the server under test keeps its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// A file in a folder of its own.
    Embedded,
    /// A Redis 7 of its own, on a Unix socket: there is no port that another process could take first.
    Redis,
}

/// Both of them.
pub(crate) const STORES: [Store; 2] = [Store::Embedded, Store::Redis];

impl Store {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Redis => "redis",
        }
    }
}

/// A server that listens.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) store: Store,
    /// `http://…`
    pub(crate) http: String,
    /// `redis://…`
    pub(crate) redis: String,
    pub(crate) folder: PathBuf,
    // In the order in which they have to end.
    processes: Vec<Child>,
}

impl Running {
    /// Starts the binary on this store, and waits until it says where it listens.
    pub(crate) fn start(binary: &Path, store: Store) -> Result<Self, String> {
        // Short, because the path of a Unix socket has to be.
        let folder =
            std::env::temp_dir().join(format!("hitherto-clients-{}-{}", std::process::id(), store.name()));
        let made = fs::create_dir(&folder).and_then(|()| fs::create_dir_all(install::folder().join("logs")));
        made.map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut running =
            Self { store, http: String::new(), redis: String::new(), folder, processes: Vec::new() };
        running.certificate()?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--resp-listen", "127.0.0.1:0"]);
        match store {
            Store::Embedded => command.arg("--db").arg(running.folder.join("hitherto.db")),
            Store::Redis => command.arg("--redis").arg(running.redis_of_its_own()?),
        };
        // Settings of whoever runs this are not those under test.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HITHERTO_"))
        {
            command.env_remove(name);
        }
        command.current_dir(&running.folder);
        let log = install::folder().join(format!("logs/hitherto-{}.log", store.name()));
        let mut addresses = Addresses::default();
        let child = start(&mut command, &log, |line| addresses.hear(line))?;
        running.processes.insert(0, child);
        (running.http, running.redis) = (addresses.http, addresses.redis);
        println!("  it listens on {} and {}; its log: {}", running.http, running.redis, log.display());
        Ok(running)
    }

    /// The certificate for the tests over TLS, for `localhost` and `127.0.0.1`.
    pub(crate) fn certificate_file(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    /// The private key of [`certificate_file`](Self::certificate_file).
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Whether something of it has ended by itself, which no test of a client has to survive.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.processes.iter_mut().any(|process| !matches!(process.try_wait(), Ok(None)))
    }

    fn certificate(&self) -> Result<(), String> {
        let mut command = Command::new("openssl");
        command.args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ]);
        command
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout"])
            .arg(self.key_file());
        command.arg("-out").arg(self.certificate_file());
        match command.output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(format!("no certificate: {}", String::from_utf8_lossy(&output.stderr))),
            Err(e) => Err(format!("openssl cannot be run: {e}")),
        }
    }

    fn redis_of_its_own(&mut self) -> Result<String, String> {
        let socket = self.folder.join("redis.sock");
        let mut command = Command::new(redis_tools().join("redis-server"));
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&socket);
        command.arg("--dir").arg(&self.folder);
        let log = install::folder().join("logs/redis-server.log");
        self.processes
            .push(start(&mut command, &log, |line| line.contains("ready to accept connections at"))?);
        Ok(format!("unix://{}", socket.display()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It fails only when the process is gone already, which is what was asked for.
            let _ = process.kill();
            let _ = process.wait();
        }
        if let Err(e) = fs::remove_dir_all(&self.folder) {
            println!("{} could not be removed: {e}", self.folder.display());
        }
    }
}

/// The folder with redis-server, redis-cli and redis-benchmark.
pub(crate) fn redis_tools() -> PathBuf {
    workspace::servers_folder().join("redis-7/bin")
}

/// Where the server says that it listens.
#[derive(Debug, Default)]
struct Addresses {
    http: String,
    redis: String,
}

impl Addresses {
    /// Takes what a line has of them, and answers whether both are known.
    fn hear(&mut self, line: &str) -> bool {
        for (scheme, slot) in [("http://", &mut self.http), ("redis://", &mut self.redis)] {
            if slot.is_empty()
                && !line.starts_with("Sessions are")
                && let Some(start) = line.find(scheme)
            {
                let address = line.get(start..).unwrap_or_default();
                let end = address.find(char::is_whitespace).unwrap_or(address.len());
                *slot = address.get(..end).unwrap_or_default().trim_end_matches(['.', ',', ';']).to_owned();
            }
        }
        !self.http.is_empty() && !self.redis.is_empty()
    }
}

/// Starts a process and waits until it has said what it is waited for.
fn start(command: &mut Command, log: &Path, is_ready: impl FnMut(&str) -> bool) -> Result<Child, String> {
    let line = workspace::line_of(command);
    let errors = File::create(log).and_then(|_| OpenOptions::new().append(true).open(log));
    let errors = errors.map_err(|e| format!("{}: {e}", log.display()))?;
    let output = errors.try_clone().map_err(|e| format!("{}: {e}", log.display()))?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
    let mut child = command.spawn().map_err(|e| format!("`{line}` cannot be run: {e}"))?;
    let heard = follow(&mut child, output);
    match await_line(&heard, is_ready) {
        Ok(()) => Ok(child),
        Err(why) => {
            let _ = child.kill();
            let _ = child.wait();
            let said = fs::read_to_string(log).unwrap_or_default();
            Err(format!("`{line}` {why}; it said:\n{said}"))
        }
    }
}

/// Writes what the process says into its log, as long as it lives, and hands each line on.
fn follow(child: &mut Child, mut log: File) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Neither matters to the server: a full disk shows elsewhere, and nobody listens after the start.
                let _ = writeln!(log, "{line}");
                let _ = sender.send(line);
            }
        });
    }
    receiver
}

fn await_line(heard: &Receiver<String>, mut is_ready: impl FnMut(&str) -> bool) -> Result<(), String> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        match heard.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if is_ready(&line) => return Ok(()),
            Ok(_) => {}
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Err(format!("was not ready within {START_LIMIT:?}"));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err("ended at once".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_addresses_are_taken_from_what_the_server_says() {
        let mut addresses = Addresses::default();
        assert!(!addresses.hear("Hitherto 0.1.0 listens on http://127.0.0.1:8700"));
        assert!(
            !addresses
                .hear("Sessions are in Redis at redis://127.0.0.1:6379. See http://127.0.0.1:8700/docs")
        );
        assert!(addresses.hear("Redis clients: redis://127.0.0.1:8701."));
        assert_eq!(addresses.http, "http://127.0.0.1:8700");
        assert_eq!(addresses.redis, "redis://127.0.0.1:8701");
    }
}
