//! What the suite has to be able to do to a store beside using it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hitherto::store::Seq;
use hitherto::{SessionKey, Store, Timestamp};

/// What is put in the place of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Junk {
    /// Something that Hitherto did not write.
    Foreign,
    /// A record of a format that is still to come.
    Newer,
    /// A record whose payload is not what was written.
    Damaged,
}

impl Junk {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Foreign, Self::Newer, Self::Damaged];
}

/// A store on a bench: its time can be turned, its records can be spoiled, and one can look behind it.
///
/// A bench is new and empty, and one test has it for itself.
#[async_trait]
pub trait Bench: Send + Sync + 'static {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// The time that a call made now carries.
    fn now(&self) -> Timestamp;

    /// Lets time pass, for callers and for the store.
    async fn advance(&self, by: Duration);

    /// How far a time that the store gives may be from the one that the suite expects: nothing where the
    /// caller's time is the only one.
    fn slack(&self) -> Duration {
        Duration::ZERO
    }

    /// Puts junk in a place of a session, behind the store's back.
    async fn spoil(&self, key: &SessionKey, seq: Seq, junk: Junk);

    /// The keys or rows that there are besides the list of sessions, after the store has swept.
    async fn leftovers(&self) -> Vec<String>;
}
