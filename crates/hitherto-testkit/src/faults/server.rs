//! One `hitherto serve`, and what can happen to it.
//!
//! Invariant: it keeps its ports and its folder over a restart, and whatever this starts it ends.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::port::PortLease;

/// How long a server may take to end once it was told to: what it accepted, and what is being folded.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How often is looked whether it has ended.
const STOP_POLL: Duration = Duration::from_millis(5);

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Setup {
    binary: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Setup {
    /// That binary, on a store that the arguments name.
    pub fn new(binary: &Path, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { binary: binary.to_owned(), arguments, variables: Vec::new() }
    }

    /// With one more variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A server process. It dies when this is dropped.
#[derive(Debug)]
pub struct Hitherto {
    setup: Setup,
    http: PortLease,
    resp: PortLease,
    process: Mutex<Process>,
    // Dropped last: the process has to be gone before its log.
    folder: TempDir,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Kept open: a server that cannot say a line would end.
    _said: BufReader<ChildStdout>,
}

impl Hitherto {
    /// Starts a server and waits until it listens.
    ///
    /// # Panics
    /// If it ends instead, with its log.
    pub fn start(setup: &Setup) -> Self {
        let folder = tempfile::Builder::new().prefix("hitherto-server-").tempdir().expect("a folder");
        let (http, resp) = (PortLease::take(), PortLease::take());
        let process = Mutex::new(launch(setup, folder.path(), http.number, resp.number));
        Self { setup: setup.clone(), http, resp, process, folder }
    }

    /// Where it speaks HTTP.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.http.number).into()
    }

    /// Where it speaks the Redis protocol.
    pub fn resp_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.resp.number).into()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.lock().unwrap().child.id()
    }

    /// All that it has logged since its first start.
    pub fn log(&self) -> String {
        fs::read_to_string(log_file(self.folder.path())).unwrap_or_default()
    }

    /// How much memory it has had at the most, in KiB.
    pub fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).expect("a line of the system")
    }

    /// How many sockets it has open now.
    pub fn connections(&self) -> usize {
        sockets_of(self.pid())
    }

    /// Waits until it has so many sockets open, or fewer.
    ///
    /// # Panics
    /// If that takes longer.
    pub fn until_connections(&self, count: usize, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.connections() > count {
            let left = self.connections();
            assert!(Instant::now() < deadline, "after {limit:?} {left} connections are open, not {count}");
            std::thread::sleep(STOP_POLL * 20);
        }
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&self) {
        kill(&mut self.process.lock().unwrap().child);
    }

    /// Tells it to end (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// If it does not end in time, or not well.
    pub fn stop(&self) {
        let child = &mut self.process.lock().unwrap().child;
        rustix::process::kill_process(Pid::from_child(child), Signal::TERM).expect("a server that runs");
        let deadline = Instant::now() + STOP_LIMIT;
        loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                assert!(status.success(), "the server ended with {status}:\n{}", self.log());
                return;
            }
            assert!(Instant::now() < deadline, "the server did not end within {STOP_LIMIT:?}");
            std::thread::sleep(STOP_POLL);
        }
    }

    /// Starts it again, on the same ports, after it was stopped or killed.
    pub fn start_again(&self) {
        *self.process.lock().unwrap() =
            launch(&self.setup, self.folder.path(), self.http.number, self.resp.number);
    }
}

impl Drop for Hitherto {
    fn drop(&mut self) {
        // Not unwrapped: a second panic while a test already fails would hide the first.
        if let Ok(process) = self.process.get_mut() {
            kill(&mut process.child);
        }
    }
}

/// How many sockets a process has open; none if there is no such process.
pub fn sockets_of(process: u32) -> usize {
    let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else { return 0 };
    let socket = |path: PathBuf| path.to_string_lossy().starts_with("socket:");
    open.flatten().filter(|file| fs::read_link(file.path()).is_ok_and(socket)).count()
}

fn kill(child: &mut Child) {
    // It fails only when the process is gone already, which is what was asked for.
    let _ = child.kill();
    let _ = child.wait();
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

fn launch(setup: &Setup, folder: &Path, http: u16, resp: u16) -> Process {
    let log: File = OpenOptions::new().create(true).append(true).open(log_file(folder)).expect("a log file");
    let mut command = Command::new(&setup.binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HITHERTO_")) {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .args(["serve", "--listen", &format!("127.0.0.1:{http}")])
        .args(["--resp-listen", &format!("127.0.0.1:{resp}")])
        .args(&setup.arguments)
        .envs(setup.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut child =
        command.spawn().unwrap_or_else(|error| panic!("{} cannot be run: {error}", setup.binary.display()));
    let mut said = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    // It listens before it says so.
    while !line.contains("redis://") {
        line.clear();
        if said.read_line(&mut line).unwrap_or(0) == 0 {
            let status = child.wait();
            let log = fs::read_to_string(log_file(folder)).unwrap_or_default();
            panic!("the server ended at once: {status:?}\n{log}");
        }
    }
    Process { child, _said: said }
}
