//! The Hitherto server and command line, as a library so that tests and other programs can embed them.
//!
//! [`run`] serves a [`ChatMemory`](hitherto::ChatMemory) over HTTP on a listener until a future ends; the
//! binary `hitherto` is [`command_line`] and nothing else. Whoever embeds [`run`] gives its
//! [`Door`] a [`Gate`], or it a listener that only trusted programs reach.
//!
//! Invariant: axum and hyper stay in `http` and `server`, clap in `settings` and `commands`; and no log line
//! says what people said.

// One command waits for another inside: the compiler counts each layer of waiting.
#![recursion_limit = "256"]

pub mod settings;

mod access;

mod logs;
mod metrics;
mod origin;
mod store;
mod summariser;
mod target;

pub mod commands;

mod limits;

mod keyspace;

mod digits;
mod http;
mod keepalive;
mod patience;
mod private;
mod resp;
mod server;
mod tls;

mod demo;
mod systemd;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

pub use access::{Gate, GateOptions, Grant, JwtOptions, Need};
pub use commands::command_line;
pub use http::{Door, Options, Route, routes};
pub use keyspace::{Keyspace, KeyspaceOptions, Order, Part, Profile, Profiles, Reads};
pub use limits::Limiter;
pub use resp::{RespOptions, run_resp};
pub use server::run;
pub use store::{Access, open, shown};
pub use tls::{ClientAuth, Listener, Tls, TlsError, TlsFiles};

/// Compares a generated page with the one in `docs/`, or writes it with `HITHERTO_WRITE_DOCS=1`.
#[cfg(test)]
fn same_as_in_docs(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("HITHERTO_WRITE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/{name} differs from the code: run the tests once with HITHERTO_WRITE_DOCS=1"
    );
}
