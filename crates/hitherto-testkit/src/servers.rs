//! Which servers the tests can run on.
//!
//! `cargo xtask servers` puts each one at `<folder>/<name>/bin/<redis|valkey>-server`, where the folder is
//! `target/servers` of the workspace or whatever `HITHERTO_SERVERS_DIR` says.
//! Invariant: a test never passes for want of a server. Without Redis 7 it fails; without another one it says so.

use std::path::{Path, PathBuf};

/// A kind of server, named like the folder that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerKind {
    /// Redis 7, as in Debian 12. Every test needs it.
    Redis7,
    /// The newest Redis in Debian.
    Redis8,
    /// The newest Valkey in Debian.
    Valkey9,
}

impl ServerKind {
    /// Every kind there is, fetched or not.
    pub const ALL: [Self; 3] = [Self::Redis7, Self::Redis8, Self::Valkey9];

    /// `redis-7`, `redis-8` or `valkey-9`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis7 => "redis-7",
            Self::Redis8 => "redis-8",
            Self::Valkey9 => "valkey-9",
        }
    }

    /// The path of its server binary, whether or not there is one.
    pub fn binary(self) -> PathBuf {
        self.binary_in(&folder())
    }

    fn binary_in(self, folder: &Path) -> PathBuf {
        let file = match self {
            Self::Redis7 | Self::Redis8 => "redis-server",
            Self::Valkey9 => "valkey-server",
        };
        folder.join(self.name()).join("bin").join(file)
    }
}

/// The kinds to run a test on, Redis 7 first. It says which ones are missing.
///
/// # Panics
///
/// Without Redis 7: a test that ran on nothing would prove nothing.
pub fn available() -> Vec<ServerKind> {
    let (present, missing) = look_in(&folder());
    for kind in missing {
        eprintln!("SKIPPED {}: not fetched (cargo xtask check --all-servers)", kind.name());
    }
    present
}

/// The kinds that are there, and those that are not.
fn look_in(folder: &Path) -> (Vec<ServerKind>, Vec<ServerKind>) {
    let (present, missing): (Vec<_>, Vec<_>) =
        ServerKind::ALL.into_iter().partition(|kind| kind.binary_in(folder).exists());
    assert!(
        present.contains(&ServerKind::Redis7),
        "no Redis 7 at {}: run `cargo xtask servers`",
        ServerKind::Redis7.binary_in(folder).display()
    );
    (present, missing)
}

fn folder() -> PathBuf {
    match std::env::var_os("HITHERTO_SERVERS_DIR") {
        Some(folder) => folder.into(),
        None => concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/servers").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn put(folder: &Path, path: &str) {
        fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        fs::write(folder.join(path), "").unwrap();
    }

    #[test]
    fn what_was_not_fetched_is_told_apart_from_what_was() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "redis-7/bin/redis-server");
        put(folder.path(), "valkey-9/bin/valkey-server");
        let (present, missing) = look_in(folder.path());
        assert_eq!(present, [ServerKind::Redis7, ServerKind::Valkey9]);
        assert_eq!(missing, [ServerKind::Redis8]);
    }

    #[test]
    #[should_panic(expected = "run `cargo xtask servers`")]
    fn without_redis_7_a_test_fails_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "valkey-9/bin/valkey-server");
        look_in(folder.path());
    }
}
