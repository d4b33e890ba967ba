//! The servers that the tests run on.
//!
//! Each lies at `<folder>/<name>/bin/<redis|valkey>-server`; `crates/hitherto-testkit/src/servers.rs` looks there.
//! They are Debian's packages, unpacked by `get-redis.sh` and not installed: installing redis-server on Debian
//! starts a service on port 6379, and needs root.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::workspace;

/// A server to test on.
pub(crate) struct Server {
    /// Its folder.
    pub(crate) name: &'static str,
    /// `redis` or `valkey`.
    program: &'static str,
    /// The suite of Debian that has this version.
    suite: &'static str,
    /// Tests fail without it, and do not just skip it.
    required: bool,
}

/// All of them, the required one first.
pub(crate) const SERVERS: [Server; 3] = [
    Server { name: "redis-7", program: "redis", suite: "bookworm", required: true },
    Server { name: "redis-8", program: "redis", suite: "experimental", required: false },
    Server { name: "valkey-9", program: "valkey", suite: "sid", required: false },
];

/// A version, major and minor.
type Version = (u32, u32);

/// What may stand in for Redis 7 when it is on PATH: the oldest that Hitherto supports, up to any 7.
const OLDEST: Version = (6, 2);
const TOO_NEW: Version = (8, 0);

impl Server {
    fn folder(&self) -> PathBuf {
        workspace::servers_folder().join(self.name)
    }

    fn binary(&self) -> PathBuf {
        self.folder().join("bin").join(format!("{}-server", self.program))
    }

    /// Whether the tests will find it.
    pub(crate) fn is_there(&self) -> bool {
        self.binary().exists()
    }

    /// Its version, if it runs.
    pub(crate) fn version(&self) -> Option<String> {
        version_of(&self.binary())
    }

    fn fetch(&self) -> Result<(), String> {
        if let Some(version) = self.version() {
            println!("{}: {version}, in {}", self.name, self.folder().display());
            return Ok(());
        }
        if self.required
            && let Some((path, version)) = suitable_on_path()
        {
            println!("{}: {version}, from {}", self.name, path.display());
            return self.link_to(&path).map_err(|e| format!("cannot link to {}: {e}", path.display()));
        }
        println!(
            "{}: installing Debian's {}-server ({}) into {} (nothing outside it changes)",
            self.name,
            self.program,
            self.suite,
            self.folder().display()
        );
        let start = Instant::now();
        let script = workspace::root().join("xtask/get-redis.sh");
        workspace::run(Command::new(script).arg(self.program).arg(self.suite).arg(self.folder())).map_err(|e| {
            format!(
                "{e}\n{} could not be fetched. On another system than Debian, put a {}-server on PATH or at {}.",
                self.name,
                self.program,
                self.binary().display()
            )
        })?;
        let version = self.version().ok_or_else(|| format!("{} does not run", self.binary().display()))?;
        println!("{}: {version}, fetched in {:.1} s", self.name, start.elapsed().as_secs_f64());
        Ok(())
    }

    /// Makes the folder point at a server that the machine has.
    fn link_to(&self, server: &Path) -> io::Result<()> {
        if self.folder().exists() {
            fs::remove_dir_all(self.folder())?;
        }
        let bin = self.folder().join("bin");
        fs::create_dir_all(&bin)?;
        symlink(server, self.binary())?;
        for tool in ["redis-cli", "redis-benchmark"] {
            if let Some(path) = workspace::on_path(tool) {
                symlink(path, bin.join(tool))?;
            }
        }
        Ok(())
    }
}

/// Makes sure that Redis 7, or every server, is there.
pub(crate) fn fetch(all: bool) -> Result<(), String> {
    SERVERS.iter().filter(|server| all || server.required).try_for_each(Server::fetch)
}

fn suitable_on_path() -> Option<(PathBuf, String)> {
    let path = workspace::on_path("redis-server")?;
    let version = version_of(&path)?;
    is_suitable(&version).then_some((path, version))
}

fn is_suitable(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (OLDEST..TOO_NEW).contains(&(major, minor)),
        _ => false,
    }
}

fn version_of(binary: &Path) -> Option<String> {
    version_in(&workspace::output(Command::new(binary).arg("--version"))?)
}

/// The version in a line such as `Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0`.
fn version_in(line: &str) -> Option<String> {
    line.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_a_server_says() {
        assert_eq!(version_in("Redis server v=7.0.15 sha=0:0 bits=64"), Some("7.0.15".to_owned()));
        assert_eq!(version_in("Valkey server v=9.1.2 sha=0:0"), Some("9.1.2".to_owned()));
        assert_eq!(version_in("something else"), None);
    }

    #[test]
    fn only_a_redis_from_6_2_to_7_stands_in_for_redis_7() {
        for (version, suitable) in [
            ("5.0.14", false),
            ("6.0.16", false),
            ("6.2.0", true),
            ("7.0.15", true),
            ("7.4.2", true),
            ("8.0.0", false),
            ("255.255.255", false),
            ("7", false),
            ("x.y", false),
        ] {
            assert_eq!(is_suitable(version), suitable, "{version}");
        }
    }
}
