//! The Redis-protocol door, as its clients meet it.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where something is wrong"
)]

mod listening;

mod conversations;
mod like_redis;
mod limits;
mod promises;
mod turns;
