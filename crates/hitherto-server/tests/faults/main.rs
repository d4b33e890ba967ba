//! The table of faults: real servers, real Redis, and writers that retry as a sensible client does.
//!
//! Each test is a row: it lets a fault happen while at least two thousand appends are made, then reads every session
//! whole, through the server and past it, and holds it against what was acknowledged. `cargo xtask faults` runs the
//! same tests on a release build, with more appends if wanted, and writes what they measure into `docs/reliability.md`;
//! it knows them by their names.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod clock;
mod cluster;
mod crowd;
mod forgotten;
mod killed;
mod link;
mod power;
mod reckoning;
mod rolling;
mod sentinel;

use std::path::{Path, PathBuf};

use hitherto_testkit::faults::{Plan, Setup};
use hitherto_testkit::{RedisServer, RedisSettings, ServerKind};

/// How many appends a row makes at least.
const APPENDS: u64 = 2_000;

/// The plan of a row: as many appends as are wanted.
fn plan() -> Plan {
    let wanted = std::env::var("HITHERTO_FAULTS_APPENDS").ok();
    Plan::new(wanted.map_or(APPENDS, |wanted| wanted.parse().expect("HITHERTO_FAULTS_APPENDS is a number")))
}

/// The server under test: the one that was built with this test, or another.
fn binary() -> PathBuf {
    std::env::var_os("HITHERTO_FAULTS_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_hitherto").into(), PathBuf::from)
}

/// A Redis that has on its disk whatever it has acknowledged.
fn durable_redis() -> RedisServer {
    RedisSettings::new(ServerKind::Redis7).append_only().start()
}

/// A server on that Redis.
fn on_redis(url: &str) -> Setup {
    Setup::new(&binary(), &["--redis", url])
}

/// A server on that file.
fn on_file(path: &Path) -> Setup {
    Setup::new(&binary(), &["--db", path.to_str().expect("a path in UTF-8")])
}

/// Does what blocks, such as waiting for a process.
fn now<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}
