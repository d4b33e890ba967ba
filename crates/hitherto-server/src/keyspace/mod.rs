//! Sessions as the keys of a Redis: what the commands of list clients mean, whatever wire they come over.
//!
//! Invariants: a key names a session through one table (`profile`), and of the tenant alone whose credential its client
//! showed (`admission`); what tenants share is kept by the session in full; commands reach sessions through the engine alone;
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

mod admission;
mod errors;
mod lanes;
mod run;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hitherto::{ChatMemory, Encoding, SessionId, SessionKey, SummaryRole};
use tokio::sync::OnceCell;

use crate::access::{Gate, Grant};
use crate::limits::Limiter;
use crate::metrics::{DoorName, Metrics};
use crate::settings::Settings;

pub use profile::{Order, Part, Profile, Profiles, Reads};

pub(crate) use client::Client;
pub(crate) use command::Command;
pub(crate) use reply::Reply;
pub(crate) use table::names as command_names;

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
    /// From when on a command is slow enough for a line in the log; `None` for never. Default 1 s.
    pub slow_command: Option<Duration>,
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
            slow_command: Some(Duration::from_secs(1)),
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
            slow_command: settings.slow_request,
            ..Self::default()
        }
    }
}

/// The sessions of a memory as keys: of one tenant, as whom it is looked at. Cheap to clone; clones, and what other
/// tenants look at, share everything that is theirs alike.
#[derive(Debug, Clone)]
pub struct Keyspace {
    shared: Arc<Shared>,
    /// The memory of whoever looks.
    memory: ChatMemory,
    /// What whoever looks may do.
    grant: Arc<Grant>,
    gate: Gate,
}

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
    metrics: Arc<Metrics>,
}

impl Keyspace {
    /// The sessions of that memory.
    pub fn new(memory: ChatMemory, options: KeyspaceOptions) -> Self {
        let shared = Arc::new(Shared {
            memory: memory.clone(),
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
            metrics: Arc::default(),
        });
        Self { shared, memory, grant: Arc::new(Grant::nobody()), gate: Gate::default() }
    }

    /// The same behind a gate. Without one it lets everybody in, and only trusted programs may reach it.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// How it serves.
    pub fn options(&self) -> &KeyspaceOptions {
        &self.shared.options
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    /// A client that has just connected, by that door.
    pub(crate) fn connect(&self, door: DoorName) -> Client {
        self.shared.clients.fetch_add(1, Ordering::Relaxed);
        let mut client = Client::new(self.shared.ids.fetch_add(1, Ordering::Relaxed) + 1);
        client.door = door;
        client.home = Some(self.clone());
        client
    }

    /// A client that is gone; `broken` if it may not have seen the replies to what it sent last.
    pub(crate) fn disconnect(mut client: Client, broken: bool) {
        client.broken = broken;
    }

    fn forget(&self, client: &mut Client) {
        self.shared.clients.fetch_sub(1, Ordering::Relaxed);
        self.shared.holds.release(client);
        if client.broken {
            self.shared.repeats.doubt(std::mem::take(&mut client.unseen));
        }
    }

    fn memory(&self) -> &ChatMemory {
        &self.memory
    }

    /// The session in full, as the tables that all tenants share have it.
    fn key(&self, session: &SessionId) -> SessionKey {
        self.memory.scope().session(session)
    }
}
