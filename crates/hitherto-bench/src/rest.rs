//! A server at rest: how soon it answers, what it keeps in memory, how large it is.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tempfile::TempDir;

use crate::cpu;
use crate::process::{Program, Server, Store};
use crate::redis_server::Redis;
use crate::rounds::Settings;
use crate::works::Kept;

/// After the first answer: until what is done only at start is over.
const SETTLING: Duration = Duration::from_millis(500);

/// What a server that does nothing costs.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct AtRest {
    pub(crate) first_answer_ms: f64,
    pub(crate) resident_mib: f64,
    pub(crate) binary_mib: f64,
}

/// Starts a server on an empty store and looks at it.
pub(crate) fn measure(program: &Program, kept: Kept, settings: &Settings) -> Result<AtRest> {
    let dir = TempDir::with_prefix_in("hitherto-bench-", &settings.disk)?;
    let file = dir.path().join("bench.db");
    let redis = (kept == Kept::Redis).then(Redis::start).transpose()?;
    let store = redis.as_ref().map_or(Store::File(&file), Store::Redis);
    let server = Server::start(program, &store)?;
    thread::sleep(SETTLING);
    Ok(AtRest {
        first_answer_ms: server.first_answer.as_secs_f64() * 1e3,
        resident_mib: cpu::resident_kib(server.pid())? as f64 / 1024.0,
        binary_mib: fs::metadata(&program.path)?.len() as f64 / (1024.0 * 1024.0),
    })
}
