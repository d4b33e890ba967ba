//! Sessions as the keys of a Redis: what the commands of list clients mean, whatever wire they come over.
//!
//! Invariants: a key names a session through one table (`profile`); commands reach sessions through the engine alone;
//! nothing here knows RESP, HTTP or a store; and what people said is in no log line.

mod profile;

mod command;
mod reply;
mod table;

mod client;
mod cursors;
mod glob;
mod holds;
mod pins;
mod repeats;
mod variant;
mod view;

mod slice;

mod change;
mod elements;
mod expiry;
mod hash;
mod keys;
mod push;
mod read;
mod server;
mod transaction;

mod errors;
mod lanes;
mod run;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hitherto::{ChatMemory, Encoding, SummaryRole};
use tokio::sync::OnceCell;

use crate::limits::Limiter;
use crate::settings::Settings;

pub use profile::{Order, Part, Profile, Profiles, Reads};

pub(crate) use client::Client;
pub(crate) use command::Command;
pub(crate) use reply::Reply;

/// How a keyspace serves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeyspaceOptions {
    /// Which keys are which sessions, and how they are read. Default: the built-in table.
    pub profiles: Profiles,
    /// In which role a context gives the summary. Default system.
    pub summary: SummaryRole,
    /// How tokens are counted where a profile bounds its contexts by them. Default o200k.
    pub encoding: Encoding,
    /// The most bytes of one reply; a longer one is an error that says to ask for a part. Default 64 MiB.
    pub reply_limit: usize,
    /// The most bytes of one command, arguments and all. Default 4 MiB.
    pub command_limit: usize,
    /// By when a command that needs several answers of the store has ended. Default 4 s.
    pub deadline: Duration,
    /// Who holds tenants to their requests a second. Default nobody.
    pub limiter: Limiter,
}

impl Default for KeyspaceOptions {
    fn default() -> Self {
        Self {
            profiles: Profiles::default(),
            summary: SummaryRole::System,
            encoding: Encoding::default(),
            reply_limit: 64 << 20,
            command_limit: 4 << 20,
            deadline: Duration::from_secs(4),
            limiter: Limiter::default(),
        }
    }
}

impl From<&Settings> for KeyspaceOptions {
    fn from(settings: &Settings) -> Self {
        Self {
            profiles: Profiles::default().with(settings.profiles.clone()),
            summary: settings.summary_role,
            encoding: settings.summaries.encoding,
            command_limit: settings.body_limit,
            deadline: settings.deadline * 2,
            ..Self::default()
        }
    }
}

/// The sessions of a memory as keys. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Keyspace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    memory: ChatMemory,
    options: KeyspaceOptions,
    variants: variant::Variants,
    translations: view::Translations,
    holds: holds::Holds,
    repeats: repeats::Repeats,
    cursors: cursors::Cursors,
    pins: pins::Pins,
    /// The table of tokens, loaded when it is first needed.
    table: OnceCell<()>,
    started: Instant,
    ids: AtomicU64,
    clients: AtomicU64,
    commands: AtomicU64,
}

impl Keyspace {
    /// The sessions of that memory.
    pub fn new(memory: ChatMemory, options: KeyspaceOptions) -> Self {
        Self(Arc::new(Shared {
            memory,
            options,
            variants: variant::Variants::default(),
            translations: view::Translations::default(),
            holds: holds::Holds::default(),
            repeats: repeats::Repeats::default(),
            cursors: cursors::Cursors::default(),
            pins: pins::Pins::default(),
            table: OnceCell::new(),
            started: Instant::now(),
            ids: AtomicU64::new(0),
            clients: AtomicU64::new(0),
            commands: AtomicU64::new(0),
        }))
    }

    /// How it serves.
    pub fn options(&self) -> &KeyspaceOptions {
        &self.0.options
    }

    /// A client that has just connected.
    pub(crate) fn connect(&self) -> Client {
        self.0.clients.fetch_add(1, Ordering::Relaxed);
        let mut client = Client::new(self.0.ids.fetch_add(1, Ordering::Relaxed) + 1);
        client.home = Some(self.clone());
        client
    }

    /// A client that is gone; `broken` if it may not have seen the replies to what it sent last.
    pub(crate) fn disconnect(mut client: Client, broken: bool) {
        client.broken = broken;
    }

    fn forget(&self, client: &mut Client) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
        self.0.holds.release(client);
        if client.broken {
            self.0.repeats.doubt(std::mem::take(&mut client.unseen));
        }
    }

    fn memory(&self) -> &ChatMemory {
        &self.0.memory
    }
}
