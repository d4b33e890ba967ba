//! The real binary as a server process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A server process; killed when this is dropped.
pub struct Process {
    pub child: Child,
    /// Where it speaks HTTP.
    pub address: SocketAddr,
    /// Where it speaks the Redis protocol.
    pub redis: SocketAddr,
    pub out: BufReader<ChildStdout>,
}

/// The binary, in a folder, without settings from around it.
pub fn hitherto(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hitherto"));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HITHERTO_")) {
        command.env_remove(name);
    }
    command
}

impl Process {
    /// Starts a server on any free port and waits until it says where.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = hitherto(folder);
        command.args(["serve", "--listen", "127.0.0.1:0", "--resp-listen", "127.0.0.1:0"]).args(arguments);
        command.stderr(Stdio::inherit());
        Self::launch(command)
    }

    /// Starts a server by that command, which has free ports and says what becomes of its log.
    pub fn launch(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let address = announced(&mut out, "http");
        let redis = announced(&mut out, "redis");
        Self { child, address, redis, out }
    }

    pub fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits for the end, and gives the exit status and what was printed since the first line.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

/// The address behind that scheme, with TLS or without, at the end of the next line.
fn announced(out: &mut BufReader<ChildStdout>, scheme: &str) -> SocketAddr {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let (before, address) =
        line.trim().rsplit_once("://").unwrap_or_else(|| panic!("no address in {line:?}"));
    assert!(before.trim_end_matches('s').ends_with(scheme.trim_end_matches('s')), "{line:?}");
    address.parse().unwrap()
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already where a test waited for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
