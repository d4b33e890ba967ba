//! The Redis that people run: clusters, Sentinels, replicas, restricted users, and servers that are sick.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where something is wrong")]

mod acknowledge;
mod cluster;
mod managed;
mod moving;
mod sentinel;
mod sick;
mod suite;
mod writer;
