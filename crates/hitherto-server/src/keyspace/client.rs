//! What is known of one client: its protocol, its transaction, and what it may not have seen the reply to.

use hitherto::{Description, SessionId, SessionKey};

use super::repeats::Mark;
use super::{Command, Keyspace};
use crate::access::Pass;
use crate::metrics::DoorName;

/// A client of a keyspace. A wire makes one for each connection and gives it back when the connection ends; one that is
/// dropped, because whoever sent it gave up, is gone all the same.
#[derive(Debug)]
pub(crate) struct Client {
    /// Where it is to be missed when it goes, however it goes.
    pub(super) home: Option<Keyspace>,
    pub(super) id: u64,
    /// By which door it came.
    pub(super) door: DoorName,
    /// What it showed.
    pub(super) pass: Pass,
    pub(super) name: String,
    /// 2 or 3.
    pub(super) protocol: u8,
    pub(super) database: u32,
    /// The commands since `MULTI`.
    pub(super) transaction: Option<Transaction>,
    /// Whether its transaction is being carried out: its commands were let in when they were queued.
    pub(super) executing: bool,
    /// What `WATCH` saw.
    pub(super) watched: Vec<Watched>,
    /// Whether it has done nothing since but look.
    pub(super) just_watched: bool,
    /// The session whose turn this client has begun and not ended.
    pub(super) holding: Option<SessionKey>,
    /// The pushes whose replies it has not shown to have seen.
    pub(super) unseen: Vec<Mark>,
    /// Whether everything that it has pushed so far was known already.
    pub(super) fresh: bool,
    /// Whether it may not have seen the replies to what it sent last, if it goes now.
    pub(super) broken: bool,
    /// Whether the wire is to end once the replies are written.
    pub(super) closing: bool,
}

/// Commands that wait for `EXEC`.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) commands: Vec<Command>,
    pub(super) bytes: usize,
    /// Whether one was refused, so that `EXEC` refuses all.
    pub(super) spoiled: bool,
}

/// A session as `WATCH` saw it.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) session: SessionId,
    pub(super) seen: Option<Description>,
    /// Whether the client itself has changed it since.
    pub(super) changed: bool,
}

impl Client {
    pub(super) fn new(id: u64) -> Self {
        Self {
            home: None,
            id,
            door: DoorName::Resp,
            pass: Pass::Nobody,
            name: String::new(),
            protocol: 2,
            database: 0,
            transaction: None,
            executing: false,
            watched: Vec::new(),
            just_watched: false,
            holding: None,
            unseen: Vec::new(),
            fresh: true,
            broken: true,
            closing: false,
        }
    }

    /// The same client, which has shown that.
    #[must_use]
    pub(crate) fn by(mut self, pass: Pass) -> Self {
        self.pass = pass;
        self
    }

    /// Makes it as it was when it connected.
    pub(super) fn reset(&mut self) {
        self.name.clear();
        self.pass = Pass::Nobody;
        (self.protocol, self.database) = (2, 0);
        self.transaction = None;
        self.watched.clear();
    }

    /// Its number among the clients of this process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Which protocol its replies are in: 2 or 3.
    pub(crate) fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Whether the connection ends now.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// It sent something more, so it has seen the replies before.
    pub(crate) fn heard(&mut self) {
        self.unseen.clear();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.forget(self);
        }
    }
}
