//! The Redis of a measurement: what a server keeps its messages in, and itself the yardstick of the Redis door.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::cpu::Pid;
use crate::process::{Running, free_address};

/// A Redis of its own: empty, on a free port.
pub(crate) struct Redis {
    running: Running,
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
    _dir: TempDir,
}

impl Redis {
    /// One that writes nothing to disk.
    pub(crate) fn start() -> Result<Self> {
        let dir = TempDir::with_prefix("hitherto-bench-redis-")?;
        Self::start_in(dir, &["--appendonly", "no"])
    }

    /// One that answers a write once it is on the disk of this folder.
    pub(crate) fn start_durable(disk: &Path) -> Result<Self> {
        let dir = TempDir::with_prefix_in("hitherto-bench-redis-", disk)?;
        Self::start_in(dir, &["--appendonly", "yes", "--appendfsync", "always"])
    }

    fn start_in(dir: TempDir, kept: &[&str]) -> Result<Self> {
        let address = free_address()?;
        let log = dir.path().join("log");
        let mut command = Command::new(binary());
        command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
        command.args(["--save", ""]).args(kept).arg("--dir").arg(dir.path());
        let running = Running::spawn(&mut command, &log)?;
        let url = format!("redis://{address}");
        let client = redis::Client::open(url.as_str())?;
        running
            .wait_until_ready(&log, || Ok(redis::cmd("PING").exec(&mut client.get_connection()?)?))
            .context("redis-server")?;
        Ok(Redis { running, address, url, _dir: dir })
    }

    pub(crate) fn pid(&self) -> Pid {
        self.running.pid
    }
}

/// The version that `redis-server --version` says.
pub(crate) fn version() -> Result<String> {
    let binary = binary();
    let output = Command::new(&binary).arg("--version").output().with_context(|| {
        format!("running {}: install redis-server, or set HITHERTO_SERVERS_DIR", binary.display())
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="));
    Ok(version.context("redis-server does not say its version")?.to_owned())
}

fn binary() -> PathBuf {
    match env::var_os("HITHERTO_SERVERS_DIR") {
        Some(dir) => Path::new(&dir).join("redis-7/bin/redis-server"),
        None => PathBuf::from("redis-server"),
    }
}
