//! One real server process, and what can happen to it.
//!
//! Invariant: whatever this starts it ends, and it signals nothing else.
//! A server stays in the process group of its test, so a runner that ends a hanging test ends its servers too.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};
use tempfile::TempDir;

use crate::client::{Client, Reply};
use crate::port::PortLease;
use crate::redis_aof;
use crate::redis_settings::RedisSettings;
use crate::servers::ServerKind;

/// How long a start may take, loading an append-only file included.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How often a start is looked at: there is no event to wait for until the server listens.
const START_POLL: Duration = Duration::from_millis(5);
/// How many ports are tried when others take them first.
const START_ATTEMPTS: usize = 5;

/// Lets time pass for every key at once. In a script, so that nothing sees half of it.
const ADVANCE: &str = "
    local by = tonumber(ARGV[1])
    for _, key in ipairs(redis.call('KEYS', '*')) do
        local left = redis.call('PTTL', key)
        if left >= 0 then
            if left > by then redis.call('PEXPIRE', key, left - by) else redis.call('DEL', key) end
        end
    end
    return redis.status_reply('OK')";

/// A server of its own for one test. It dies when this is dropped.
///
/// All methods take `&self`, so that one task can kill it while others write to it.
#[derive(Debug)]
pub struct RedisServer {
    settings: RedisSettings,
    port: PortLease,
    tls_port: Option<PortLease>,
    process: Mutex<Child>,
    // Dropped last: the process has to be gone before its folder.
    folder: TempDir,
}

impl RedisServer {
    /// Starts a bare server; see [`RedisSettings`] for any other.
    pub fn start(kind: ServerKind) -> Self {
        RedisSettings::new(kind).start()
    }

    pub(crate) fn start_with(settings: RedisSettings) -> Self {
        let folder =
            tempfile::Builder::new().prefix("hitherto-redis-").tempdir().expect("a folder for a server");
        for _ in 0..START_ATTEMPTS {
            let port = PortLease::take();
            let tls_port = settings.tls.as_ref().map(|_| PortLease::take());
            let file = settings.file(folder.path(), port.number, tls_port.as_ref().map(|port| port.number));
            fs::write(folder.path().join("redis.conf"), file).unwrap();
            match launch(&settings, folder.path(), port.number) {
                Ok(child) => return Self { settings, port, tls_port, process: Mutex::new(child), folder },
                Err(log) if log.contains("Address already in use") => {}
                Err(log) => panic!("{} did not start:\n{log}", settings.kind.name()),
            }
        }
        panic!("{} found its port taken {START_ATTEMPTS} times", settings.kind.name());
    }

    /// What it is.
    pub fn kind(&self) -> ServerKind {
        self.settings.kind
    }

    /// The port without TLS. It stays the same over a restart.
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// The address without TLS.
    pub fn addr(&self) -> SocketAddr {
        local(self.port.number)
    }

    /// The address with TLS.
    ///
    /// # Panics
    ///
    /// If it was started without.
    pub fn tls_addr(&self) -> SocketAddr {
        local(self.tls_port.as_ref().expect("a server started with .tls()").number)
    }

    /// The Unix socket.
    ///
    /// # Panics
    ///
    /// If it was started without.
    pub fn unix_socket(&self) -> PathBuf {
        assert!(self.settings.unix_socket, "a server started with .unix_socket()");
        self.folder.path().join("redis.sock")
    }

    /// `redis://…`, with the credentials.
    pub fn url(&self) -> String {
        self.url_via(self.addr())
    }

    /// `redis://…` with the credentials, but through something else that listens, such as a proxy.
    pub fn url_via(&self, addr: SocketAddr) -> String {
        format!("redis://{}{addr}", self.settings.credentials.in_url())
    }

    /// `rediss://…`, with the credentials.
    ///
    /// # Panics
    ///
    /// If it was started without TLS.
    pub fn tls_url(&self) -> String {
        format!("rediss://{}{}", self.settings.credentials.in_url(), self.tls_addr())
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.lock().unwrap().id()
    }

    /// The folder with its configuration, its log and its append-only files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection of the test's own, authenticated.
    ///
    /// # Panics
    ///
    /// If the server is down.
    pub fn connect(&self) -> Client {
        connect(&self.settings, self.port()).expect("a server that runs")
    }

    /// One command on a connection of its own. An error of the server is a [`Reply::Error`].
    ///
    /// # Panics
    ///
    /// If the server is down, or paused for ten seconds.
    pub fn command<A: AsRef<[u8]>>(&self, words: &[A]) -> Reply {
        self.connect().command(words).expect("a server that answers")
    }

    /// One command on a connection of its own, for a server that may be down.
    ///
    /// # Errors
    ///
    /// If it is, or ends meanwhile, or does not answer.
    pub fn try_command<A: AsRef<[u8]>>(&self, words: &[A]) -> io::Result<Reply> {
        connect(&self.settings, self.port())?.command(words)
    }

    /// Whether its process is there, paused or not.
    pub fn is_running(&self) -> bool {
        exited(&mut self.process.lock().unwrap()).is_none()
    }

    /// User and password, each if it has one.
    pub(crate) fn credentials(&self) -> (Option<&str>, Option<&str>) {
        self.settings.credentials()
    }

    /// Makes the server believe that this much time has passed: every expiry comes nearer, and what is due is gone.
    ///
    /// It moves the expiry of keys, not the clock: `TIME` still tells the real one.
    pub fn advance(&self, by: Duration) {
        let answer = self.command(&["EVAL", ADVANCE, "0", &by.as_millis().to_string()]);
        assert_eq!(answer, Reply::Status("OK".into()), "the script that moves time failed");
    }

    /// Kills it like a power cut (SIGKILL) and waits until it is gone. Killing it twice is no error.
    pub fn kill(&self) {
        kill(&mut self.process.lock().unwrap());
    }

    /// Stops it in its tracks (SIGSTOP): the kernel still accepts connections, but nothing answers.
    /// Returns when it has stopped.
    pub fn pause(&self) {
        self.signal(Signal::STOP, WaitOptions::UNTRACED);
    }

    /// Lets it go on after a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal(Signal::CONT, WaitOptions::CONTINUED);
    }

    /// Kills it if it runs, and starts it again on the same port and folder: with its append-only file if it has
    /// one, mended as `redis-check-aof --fix` would, otherwise with lost memory.
    pub fn restart(&self) {
        let mut process = self.process.lock().unwrap();
        kill(&mut process);
        redis_aof::mend(self.folder.path());
        *process = launch(&self.settings, self.folder.path(), self.port())
            .unwrap_or_else(|log| panic!("{} did not start again:\n{log}", self.kind().name()));
    }

    fn signal(&self, signal: Signal, until: WaitOptions) {
        let process = self.process.lock().unwrap();
        let pid = Pid::from_child(&process);
        rustix::process::kill_process(pid, signal).expect("a server that runs");
        let (_, status) = rustix::process::waitpid(Some(pid), until).unwrap().expect("a change of state");
        assert!(status.stopped() || status.continued(), "the server died instead: {status:?}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Not unwrapped: a second panic while a test already fails would hide the first.
        if let Ok(process) = self.process.get_mut() {
            kill(process);
        }
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn kill(process: &mut Child) {
    // It fails only when the process is gone already, which is what was asked for.
    let _ = process.kill();
    let _ = process.wait();
}

/// Starts the process and waits until it, and no other, answers on that port. The error is its log.
fn launch(settings: &RedisSettings, folder: &Path, port: u16) -> Result<Child, String> {
    let binary = settings.kind.binary();
    let log = folder.join("server.log");
    let output = File::create(&log).unwrap();
    let mut child = Command::new(&binary)
        .arg(folder.join("redis.conf"))
        .args(settings.sentinel.as_ref().map(|_| "--sentinel"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap_or_else(|e| panic!("cannot start {}: {e}; run `cargo xtask servers`", binary.display()));
    match await_answer(settings, port, &mut child) {
        Ok(()) => Ok(child),
        Err(why) => {
            kill(&mut child);
            Err(format!("{why}\n{}", fs::read_to_string(&log).unwrap_or_default()))
        }
    }
}

fn await_answer(settings: &RedisSettings, port: u16, child: &mut Child) -> Result<(), String> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(status) = exited(child) {
            return Err(format!("it ended at once: {status}"));
        }
        if answers(settings, port, child.id()).unwrap_or(false) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("no answer on port {port} within {START_LIMIT:?}"));
        }
        thread::sleep(START_POLL);
    }
}

fn exited(child: &mut Child) -> Option<ExitStatus> {
    child.try_wait().expect("a child of ours")
}

/// Whether the process with this id answers a PING. Another one on the same port is somebody else's server, and
/// one that loads its append-only file answers with an error.
fn answers(settings: &RedisSettings, port: u16, pid: u32) -> io::Result<bool> {
    let mut client = connect(settings, port)?;
    let Reply::Bulk(info) = client.command(&["INFO", "server"])? else { return Ok(false) };
    let ours = String::from_utf8_lossy(&info).lines().any(|line| line == format!("process_id:{pid}"));
    Ok(ours && client.command(&["PING"])? == Reply::Status("PONG".into()))
}

fn connect(settings: &RedisSettings, port: u16) -> io::Result<Client> {
    let mut client = Client::connect(local(port))?;
    if let Some(auth) = settings.credentials.auth() {
        match client.command(&auth)? {
            Reply::Status(_) => {}
            refused => {
                return Err(io::Error::other(format!("the server refused its own password: {refused:?}")));
            }
        }
    }
    Ok(client)
}
