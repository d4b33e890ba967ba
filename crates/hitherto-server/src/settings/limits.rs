//! What tenants are held to, as the settings say it.

use std::collections::HashMap;

use anyhow::Context as _;
use hitherto::Tenant;

use super::Layers;

/// The limits of one tenant; 0 is without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TenantLimits {
    /// Requests a second, of each server.
    pub requests_per_second: u32,
    /// Sessions.
    pub sessions: u64,
    /// Messages in all of them.
    pub messages: u64,
    /// Bytes of their records.
    pub bytes: u64,
}

impl TenantLimits {
    /// Whether it may have only so much.
    pub fn has_quota(&self) -> bool {
        self.sessions > 0 || self.messages > 0 || self.bytes > 0
    }
}

/// The limits of all tenants.
#[derive(Debug, Clone, Default)]
pub struct TenantLimitsTable {
    /// Those of a tenant that has none of its own.
    pub others: TenantLimits,
    /// Those of the tenants that the settings name.
    pub named: HashMap<Tenant, TenantLimits>,
}

/// What a tenant has of its own; what is not set is as for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TenantLimitsChange {
    pub(super) requests_per_second: Option<u32>,
    pub(super) sessions: Option<u64>,
    pub(super) messages: Option<u64>,
    pub(super) bytes: Option<u64>,
}

impl TenantLimitsTable {
    /// Resolves what was gathered.
    ///
    /// # Errors
    /// None that the options' own checks leave.
    pub(super) fn resolve(layers: &Layers) -> anyhow::Result<Self> {
        let number = |name: &'static str| layers.number(name).with_context(|| format!("{name} has no value"));
        let others = TenantLimits {
            requests_per_second: u32::try_from(number("tenant_requests_per_second")?).unwrap_or(u32::MAX),
            sessions: number("tenant_sessions")?,
            messages: number("tenant_messages")?,
            bytes: number("tenant_bytes")?,
        };
        let named = layers.tenants().iter().map(|(tenant, own)| {
            let own = own.limits;
            let limits = TenantLimits {
                requests_per_second: own.requests_per_second.unwrap_or(others.requests_per_second),
                sessions: own.sessions.unwrap_or(others.sessions),
                messages: own.messages.unwrap_or(others.messages),
                bytes: own.bytes.unwrap_or(others.bytes),
            };
            (tenant.clone(), limits)
        });
        Ok(Self { others, named: named.collect() })
    }
}
