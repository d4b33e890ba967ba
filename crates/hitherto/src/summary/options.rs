//! How sessions are summarised: the policies, the summariser, and how folding behaves when it fails.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::retry::BackOff;
use super::{Policy, PolicyChange, Summariser};
use crate::session::Tenant;
use crate::stats::Folding;
use crate::tokens::Encoding;

/// How sessions are summarised. [`ChatMemory::with_summaries`](crate::ChatMemory::with_summaries) takes it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SummaryOptions {
    /// The policy of all sessions that have none of their own.
    pub policy: Policy,
    /// What tenants have of their own.
    pub tenants: HashMap<Tenant, PolicyChange>,
    /// How tokens of summaries are counted. Default o200k.
    pub encoding: Encoding,
    /// After so many failures in a row the stand-in makes the summary; 0 never. Default 3.
    pub stand_in_after: u32,
    /// How long folding waits after a first failure; twice as long after each further one. Default 5 s.
    pub retry_first: Duration,
    /// How long it waits at most. Default 10 min.
    pub retry_most: Duration,
    /// For how long one server has a session to itself; it has to be longer than one answer of the summariser
    /// takes. Default 2 min.
    pub lease: Duration,
    /// How many sessions a server folds at a time. Default 4.
    pub concurrency: usize,
    /// How often a server looks for sessions that others have marked. Default 1 s.
    pub poll: Duration,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            tenants: HashMap::new(),
            encoding: Encoding::default(),
            stand_in_after: 3,
            retry_first: Duration::from_secs(5),
            retry_most: Duration::from_secs(600),
            lease: Duration::from_secs(120),
            concurrency: 4,
            poll: Duration::from_secs(1),
        }
    }
}

/// The options together with what writes the summaries; shared by all that fold.
#[derive(Debug)]
pub(crate) struct Summaries {
    pub(crate) options: SummaryOptions,
    pub(crate) summariser: Arc<dyn Summariser>,
    /// What makes the summary while the summariser fails; `None` if that is the same.
    pub(crate) stand_in: Option<Arc<dyn Summariser>>,
    /// Wakes the worker of this process.
    pub(crate) due: Notify,
    /// What folding has done.
    pub(crate) stats: Arc<Folding>,
}

impl Summaries {
    /// The policy of a tenant's sessions.
    pub(crate) fn policy(&self, tenant: &Tenant) -> Policy {
        match self.options.tenants.get(tenant) {
            Some(change) => self.options.policy.with(change),
            None => self.options.policy,
        }
    }

    pub(crate) fn back_off(&self) -> BackOff {
        BackOff { first: self.options.retry_first, most: self.options.retry_most }
    }
}
