//! What tenants are held to: requests a second, and how much they have.
//!
//! Invariants: a tenant without limits costs a look into a table that nobody writes to, and nothing where no tenant has
//! any. What a tenant has is counted by this process, in the background, and what it adds itself is added at once; what
//! other servers add or remove is known with the next count. Nothing here is a promise to the byte.

mod bucket;
mod quota;
mod tally;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hitherto::{Addition, ChatMemory, Full, Gate, SessionId, Settled, Tenant};
use tokio::sync::watch;

use crate::settings::{TenantLimits, TenantLimitsTable};
use bucket::Bucket;
use quota::{Quota, TooMuch};
use tally::{Need, Tally};

pub(crate) use quota::Amount;

/// How long an append waits for the first count of its tenant; then it goes on without.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many tenants are remembered of those that the settings do not name; beyond that all are forgotten, and counted
/// again when they come.
const REMEMBERED: usize = 100_000;

/// Holds tenants to their limits. Cheap to clone; clones share everything. The default holds nobody to anything.
#[derive(Debug, Clone, Default)]
pub struct Limiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    table: TenantLimitsTable,
    started: Instant,
    /// The tenants that the settings name.
    named: HashMap<Tenant, Arc<Held>>,
    /// The others, as they come.
    others: RwLock<HashMap<Tenant, Arc<Held>>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self::new(TenantLimitsTable::default())
    }
}

/// One tenant.
#[derive(Debug)]
struct Held {
    limits: TenantLimits,
    quota: Quota,
    bucket: Option<Bucket>,
    tally: Mutex<Tally>,
    /// Changes with every count.
    counted: watch::Sender<()>,
}

/// One request too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooSoon {
    /// How many requests a second there may be.
    pub(crate) limit: u32,
    /// After what time there may be another.
    pub(crate) wait: Duration,
}

/// What a tenant may have and has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) limits: TenantLimits,
    /// What it has, and how long ago that was counted; `None` if it could not be counted in time.
    pub(crate) used: Option<(Amount, Duration)>,
}

impl Held {
    fn new(limits: TenantLimits) -> Self {
        let TenantLimits { requests_per_second, sessions, messages, bytes } = limits;
        Self {
            limits,
            quota: Quota { sessions, messages, bytes },
            bucket: NonZeroU32::new(requests_per_second).map(Bucket::new),
            tally: Mutex::default(),
            counted: watch::Sender::new(()),
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn new(table: TenantLimitsTable) -> Self {
        let named = table.named.iter().map(|(tenant, limits)| (tenant.clone(), Arc::new(Held::new(*limits))));
        Self { named: named.collect(), others: RwLock::default(), started: Instant::now(), table }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// What is known of a tenant, whether it is held to anything or not.
    fn any(&self, tenant: &Tenant) -> Arc<Held> {
        if let Some(held) = self.named.get(tenant) {
            return Arc::clone(held);
        }
        if let Some(held) = self.others.read().unwrap_or_else(PoisonError::into_inner).get(tenant) {
            return Arc::clone(held);
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if others.len() >= REMEMBERED {
            others.clear();
        }
        let new = || Arc::new(Held::new(self.table.others));
        Arc::clone(others.entry(tenant.clone()).or_insert_with(new))
    }

    /// The tenant, if it is held to something of that kind.
    fn held(&self, tenant: &Tenant, to: fn(&TenantLimits) -> bool) -> Option<Arc<Held>> {
        let limits = self.table.named.get(tenant).unwrap_or(&self.table.others);
        to(limits).then(|| self.any(tenant))
    }

    /// Counts what the tenant of a memory has, in the background, unless somebody does already. Whoever waits for it
    /// subscribes before.
    fn count(self: &Arc<Self>, held: &Arc<Held>, memory: &ChatMemory) {
        if !held.tally().begin() {
            return;
        }
        let (shared, held, memory) = (Arc::clone(self), Arc::clone(held), memory.clone());
        let began = shared.now();
        tokio::spawn(async move {
            let counted = match memory.usage().await {
                Ok(found) => {
                    Some(Amount { sessions: found.sessions, messages: found.messages, bytes: found.bytes })
                }
                Err(error) => {
                    tracing::warn!(%error, "what a tenant has could not be counted; it will be tried again");
                    None
                }
            };
            held.tally().finish(counted, began, shared.now());
            held.counted.send_replace(());
        });
    }

    /// Counts, and waits for it, but not for ever.
    async fn count_now(self: &Arc<Self>, held: &Arc<Held>, memory: &ChatMemory, patience: Duration) {
        let mut counted = held.counted.subscribe();
        self.count(held, memory);
        // Too late is as if it were not counted; the sender is never gone.
        drop(tokio::time::timeout(patience, counted.changed()).await);
    }

    /// Whether so much more may be added. A session that is there may grow where no other may be begun.
    async fn fits(
        &self,
        held: &Held,
        memory: &ChatMemory,
        session: &SessionId,
        add: Addition,
    ) -> Result<(), TooMuch> {
        let used = held.tally().used();
        held.quota.holds(used, add)?;
        if let Err(full) = held.quota.begins(used) {
            // Only here is it worth a look. If the store does not say, the append will hear of it.
            let there = memory.describe(session).await.map_or(true, |known| known.is_some());
            if !there {
                return Err(full);
            }
        }
        Ok(())
    }
}

impl Limiter {
    /// Holds tenants to those limits.
    pub fn new(table: TenantLimitsTable) -> Self {
        Self(Arc::new(Shared::new(table)))
    }

    /// A request of a tenant's.
    ///
    /// # Errors
    /// If it is one too many.
    pub(crate) fn request(&self, tenant: &Tenant) -> Result<(), TooSoon> {
        let Some(held) = self.0.held(tenant, |limits| limits.requests_per_second > 0) else {
            return Ok(());
        };
        let Some(bucket) = &held.bucket else {
            return Ok(());
        };
        let too_soon = |wait| TooSoon { limit: held.limits.requests_per_second, wait };
        bucket.take(self.0.now()).map_err(too_soon)
    }

    /// Requests that were done together with one that was let through.
    pub(crate) fn also(&self, tenant: &Tenant, requests: u64) {
        if requests > 0
            && let Some(held) = self.0.held(tenant, |limits| limits.requests_per_second > 0)
            && let Some(bucket) = &held.bucket
        {
            bucket.owe(self.0.now(), requests);
        }
    }

    /// The memory, asking this limiter before anything is added; as it is, if no tenant has such a limit.
    #[must_use]
    pub fn guard(&self, memory: ChatMemory) -> ChatMemory {
        let any = |limits: &TenantLimits| limits.has_quota();
        if any(&self.0.table.others) || self.0.table.named.values().any(any) {
            return memory.with_gate(Arc::new(self.clone()));
        }
        memory
    }

    /// What the tenant of a memory may have and has; counted now, if it was not counted lately.
    pub(crate) async fn standing(&self, memory: &ChatMemory, patience: Duration) -> Standing {
        let held = self.0.any(&memory.scope().tenant);
        let need = held.tally().need(self.0.now());
        if need != Need::Nothing {
            self.0.count_now(&held, memory, patience).await;
        }
        let tally = held.tally();
        let age = tally.counted_at().map(|at| self.0.now().saturating_sub(at));
        Standing { limits: held.limits, used: age.map(|age| (tally.used(), age)) }
    }
}

#[async_trait]
impl Gate for Limiter {
    fn guards(&self, tenant: &Tenant) -> bool {
        self.0.table.named.get(tenant).unwrap_or(&self.0.table.others).has_quota()
    }

    async fn admit(&self, memory: &ChatMemory, session: &SessionId, add: Addition) -> Result<(), Full> {
        let held = self.0.any(&memory.scope().tenant);
        if !held.quota.is_any() {
            return Ok(());
        }
        let need = held.tally().need(self.0.now());
        match need {
            Need::First => self.0.count_now(&held, memory, PATIENCE).await,
            Need::Soon => self.0.count(&held, memory),
            Need::Nothing => {}
        }
        let mut fits = self.0.fits(&held, memory, session, add).await;
        if fits.is_err() {
            let may_have_room = held.tally().may_have_room(self.0.now());
            if may_have_room {
                self.0.count_now(&held, memory, PATIENCE).await;
                fits = self.0.fits(&held, memory, session, add).await;
            }
        }
        match fits {
            Ok(()) => {
                held.tally().admit(add);
                Ok(())
            }
            Err(TooMuch { what, used, limit }) => {
                let retry_after = held.tally().again_in(self.0.now());
                Err(Full { what, used, limit, retry_after })
            }
        }
    }

    fn settle(&self, tenant: &Tenant, add: Addition, settled: Settled) {
        self.0.any(tenant).tally().settle(add, settled);
    }

    fn removed(&self, tenant: &Tenant) {
        self.0.any(tenant).tally().removed();
    }
}
