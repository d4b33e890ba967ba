//! Real servers and real faults for the tests of Hitherto.
//!
//! It is a tool for tests: it panics where a test should fail, and prints.
//! It starts processes of its own, on ports and in folders of their own, and ends only those.
//! It holds no stand-in for a Redis: what passes here passed on the real thing.
//!
//! ```no_run
//! use hitherto_testkit::{RedisServer, available};
//!
//! for kind in available() {
//!     let server = RedisServer::start(kind);
//!     assert_eq!(server.command(&["SET", "greeting", "hello"]).text(), "OK");
//!     server.kill();
//! }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `servers` | which servers there are on this machine |
//! | `port` | ports that no other test takes |
//! | `redis_server` | one server process: start, kill, pause, restart |
//! | `redis_settings` | what a server is started with |
//! | `cluster`, `slots` | a cluster: kill its primaries, move its slots, add and remove nodes |
//! | `sentinel` | a primary, its replicas, and the Sentinels that watch them |
//! | `client` | a RESP2 client small enough to trust |
//! | `tls`, `tls_client` | a certificate authority and its certificates; a client with TLS |
//! | `proxy`, `link` | a TCP proxy that makes faults |
//! | `fake_model` | a model that speaks the real protocols and says what a test tells it to |
//! | `suite` | what every store has to do, in small cases |
//! | `model` | a naive model, and random operations that compare a store with it |
//! | `loss` | sessions that live and are summarised while servers and stores are killed |
//! | `faults` | writers that append while something breaks, and what must be stored after |
//!
//! The servers come from `cargo xtask servers`; see [`ServerKind`].

mod servers;

mod client;
mod port;
mod redis_aof;
mod redis_server;
mod redis_settings;
mod tls;
mod tls_client;

mod cluster;
mod sentinel;
mod slots;

mod link;
mod proxy;

mod fake_model;

pub mod suite;

pub mod model;

pub mod loss;

pub mod faults;

pub use client::{Client, Reply};
pub use cluster::{Cluster, ClusterSettings};
pub use fake_model::{Behaviour, Counts, FakeModel, Hold, ModelRequest};
pub use proxy::{Break, FaultProxy, Mode, Stats};
pub use redis_server::RedisServer;
pub use redis_settings::RedisSettings;
pub use sentinel::Sentinels;
pub use servers::{ServerKind, available};
pub use slots::{SlotMove, slot_of};
pub use tls::Certificates;
pub use tls_client::{TlsClient, TlsConnection, ask};
