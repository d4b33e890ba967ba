//! Tenants against each other, at every door: what one has stored is neither seen, changed nor counted by another (I6).
//!
//! The requests are taken from the tables by which the doors describe themselves, so that one which is added later is
//! tried, too.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where something is wrong"
)]

#[path = "../support/process.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;

mod tenants;

mod commands;
mod hostile;
mod http;
mod redis;
mod scopes;
mod without;
