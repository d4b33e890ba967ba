//! A gate before what a tenant adds: who embeds the engine may hold tenants to limits of its own.
//!
//! Invariant: what a gate refuses is not stored; reading and removing are never asked for.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use super::ChatMemory;
use crate::session::{SessionId, Tenant};

/// What is about to be added to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addition {
    /// How many messages.
    pub messages: u64,
    /// The size of their records, in bytes.
    pub bytes: u64,
}

/// What became of what was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is stored, in a session that was there.
    Stored,
    /// It is stored, and began a session.
    Began,
    /// Nothing is stored, or it was before, or nobody can say.
    Not,
}

/// Why something is not admitted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the tenant is full: it has {used} {what} of the {limit} that it may have; reading goes on, and clearing makes room"
)]
pub struct Full {
    /// Of what there is too much: `sessions`, `messages` or `bytes`.
    pub what: &'static str,
    /// How much there is.
    pub used: u64,
    /// How much there may be.
    pub limit: u64,
    /// After what time it is looked at again.
    pub retry_after: Duration,
}

/// Whoever is asked before something is added to a tenant's sessions.
#[async_trait]
pub trait Gate: Send + Sync + Debug {
    /// Whether the tenant is held to anything; of one that is not, nothing else is asked.
    fn guards(&self, tenant: &Tenant) -> bool;

    /// Whether so much may be added to a session of that memory's tenant. What is admitted is settled in any case.
    ///
    /// # Errors
    /// [`Full`] says of what there is too much.
    async fn admit(&self, memory: &ChatMemory, session: &SessionId, add: Addition) -> Result<(), Full>;

    /// What became of something that was admitted.
    fn settle(&self, tenant: &Tenant, add: Addition, settled: Settled);

    /// Something of the tenant's was removed, so there may be room.
    fn removed(&self, tenant: &Tenant);
}

/// Something that was admitted. Dropped without having been settled, it counts as not stored: so a caller that gives up
/// in the middle leaves nothing reserved.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    gate: &'a dyn Gate,
    tenant: &'a Tenant,
    add: Addition,
    settled: Settled,
}

impl Admitted<'_> {
    /// It is stored.
    pub(super) fn stored(mut self, began: bool) {
        self.settled = if began { Settled::Began } else { Settled::Stored };
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.gate.settle(self.tenant, self.add, self.settled);
    }
}

impl ChatMemory {
    /// The gate, if there is one and it guards this tenant.
    fn gate(&self) -> Option<&dyn Gate> {
        self.gate.as_deref().filter(|gate| gate.guards(&self.scope.tenant))
    }

    /// Asks the gate; `add` is worked out only where there is one.
    pub(super) async fn admit(
        &self,
        session: &SessionId,
        add: impl FnOnce() -> Addition,
    ) -> Result<Option<Admitted<'_>>, Full> {
        let Some(gate) = self.gate() else {
            return Ok(None);
        };
        let add = add();
        gate.admit(self, session, add).await?;
        Ok(Some(Admitted { gate, tenant: &self.scope.tenant, add, settled: Settled::Not }))
    }

    /// The same for a copy of a session. One that does not exist is left to the store to refuse.
    pub(super) async fn admit_copy(
        &self,
        of: &SessionId,
        to: &SessionId,
    ) -> super::Result<Option<Admitted<'_>>> {
        if self.gate().is_none() {
            return Ok(None);
        }
        let Some(known) = self.describe(of).await? else {
            return Ok(None);
        };
        let add = Addition { messages: known.messages, bytes: known.bytes };
        Ok(self.admit(to, || add).await?)
    }

    /// Tells the gate that something was removed.
    pub(super) fn note_removal(&self) {
        if let Some(gate) = self.gate() {
            gate.removed(&self.scope.tenant);
        }
    }
}
