//! The Redis that people run: clusters, Sentinels, replicas, restricted users, and servers that are sick.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]
#![allow(unreachable_pub, reason = "what these modules share nobody else sees")]

mod acknowledge;
mod cluster;
mod managed;
mod moving;
mod sentinel;
mod sick;
mod suite;
mod writer;
