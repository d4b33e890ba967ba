//! What tenants have of their own: `[tenants.NAME]` in the settings file.
//!
//! Invariant: a key of a tenant takes the values that the option of the same name takes.

use anyhow::{Context as _, bail};
use hitherto::Tenant;
use hitherto::summary::PolicyChange;

use super::OPTIONS;
use super::layers::plain;
use super::limits::TenantLimitsChange;

/// The keys that a tenant may have.
pub(super) const KEYS: [&str; 9] = [
    "summaries",
    "window",
    "fold_after_turns",
    "fold_after_tokens",
    "summary_tokens",
    "tenant_requests_per_second",
    "tenant_sessions",
    "tenant_messages",
    "tenant_bytes",
];

/// What one tenant has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct OfTenant {
    pub(super) policy: PolicyChange,
    pub(super) limits: TenantLimitsChange,
}

/// Reads the tables of all tenants.
///
/// # Errors
/// Names the place: a name that no tenant has, an unknown key, a value that a key cannot have.
pub(super) fn read(tenants: &toml::Value) -> anyhow::Result<Vec<(Tenant, OfTenant)>> {
    let toml::Value::Table(tenants) = tenants else {
        bail!("tenants must be tables such as [tenants.acme]");
    };
    tenants
        .iter()
        .map(|(name, own)| {
            let place = || format!("[tenants.{name}]");
            let tenant = Tenant::parse(name).with_context(place)?;
            let toml::Value::Table(own) = own else { bail!("{} must be a table", place()) };
            Ok((tenant, change(own).with_context(place)?))
        })
        .collect()
}

fn change(own: &toml::Table) -> anyhow::Result<OfTenant> {
    let mut of = OfTenant::default();
    let (change, limits) = (&mut of.policy, &mut of.limits);
    for (key, value) in own {
        let option = OPTIONS.iter().find(|option| option.name == key && KEYS.contains(&option.name));
        let Some(option) = option else {
            bail!("unknown key {key}; known are {}", KEYS.join(", "));
        };
        let text = plain(option.kind, value)
            .ok_or_else(|| format!("must be {}", option.kind.must()))
            .and_then(|text| option.kind.accept(&text))
            .map_err(|must| anyhow::anyhow!("{key} {must}"))?;
        let (number, large) = (text.parse().ok(), text.parse().ok());
        match option.name {
            "summaries" => change.enabled = Some(text == "on"),
            "window" => change.window = number,
            "fold_after_turns" => change.fold_after_turns = number,
            "fold_after_tokens" => change.fold_after_tokens = number,
            "summary_tokens" => change.summary_tokens = number,
            "tenant_requests_per_second" => limits.requests_per_second = number,
            "tenant_sessions" => limits.sessions = large,
            "tenant_messages" => limits.messages = large,
            _ => limits.bytes = large,
        }
    }
    Ok(of)
}
