//! TLS of the server's own ports, with clients that people use: curl, redis-cli, reqwest, our own commands.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "../support/process.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;

mod log;

mod clients;
mod commands;
mod handshakes;
mod identities;
mod plain;
mod renewal;
