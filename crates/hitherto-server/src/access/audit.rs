//! The audit line: who did what to whose data, and when.
//!
//! Invariant: ids and numbers only, never what was said, and never a token. Each is an event of the target `audit`, which
//! is written as JSON on a line of its own whatever is logged besides.

use std::path::Path;
use std::sync::Mutex;

use anyhow::Context as _;
use hitherto::access::Credential;
use hitherto::{Erasure, SessionId, Tenant};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::registry::LookupSpan;

use super::Grant;
use crate::private;

/// The target of its events.
pub(crate) const TARGET: &str = "audit";

/// Who did it.
#[derive(Debug, Clone)]
pub(crate) enum Who<'a> {
    /// Whoever sent a request.
    Grant(&'a Grant),
    /// Whoever ran a command on the machine.
    Command,
}

impl Who<'_> {
    /// In one word: the token's id, the subject of a signed token, `nobody` where nothing had to be shown, or `command`.
    fn shown(&self) -> String {
        match self {
            Self::Command => "command".to_owned(),
            Self::Grant(Grant { id: Some(id), .. }) => format!("token:{id}"),
            Self::Grant(Grant { subject: Some(subject), .. }) => format!("subject:{subject}"),
            Self::Grant(_) => "nobody".to_owned(),
        }
    }
}

/// A token was made.
pub(crate) fn token_created(who: &Who<'_>, made: &Credential) {
    tracing::info!(
        target: TARGET,
        action = "token_created",
        who = who.shown(),
        tenant = made.tenant.as_str(),
        token = %made.id,
        scopes = %made.scopes,
        expires_at = made.expires_at.map(tracing::field::display),
        "audit"
    );
}

/// A token was revoked.
pub(crate) fn token_revoked(who: &Who<'_>, revoked: &Credential) {
    tracing::info!(
        target: TARGET,
        action = "token_revoked",
        who = who.shown(),
        tenant = revoked.tenant.as_str(),
        token = %revoked.id,
        "audit"
    );
}

/// A session was cleared, with so many messages.
pub(crate) fn cleared(who: &Who<'_>, tenant: &Tenant, session: &SessionId, messages: u64) {
    tracing::info!(
        target: TARGET,
        action = "session_cleared",
        who = who.shown(),
        tenant = tenant.as_str(),
        session = session.as_str(),
        messages,
        "audit"
    );
}

/// Sessions were exported: so many, with so many messages; in that layout, where it is another program's.
pub(crate) fn exported(
    who: &Who<'_>,
    tenant: Option<&Tenant>,
    layout: Option<&str>,
    sessions: u64,
    messages: u64,
) {
    moved("exported", who, tenant, layout, sessions, messages);
}

/// Messages were imported: so many were stored, of so many sessions, whatever was there already; from that layout, where
/// it is another program's.
pub(crate) fn imported(
    who: &Who<'_>,
    tenant: Option<&Tenant>,
    layout: Option<&str>,
    sessions: u64,
    messages: u64,
) {
    moved("imported", who, tenant, layout, sessions, messages);
}

fn moved(
    action: &'static str,
    who: &Who<'_>,
    tenant: Option<&Tenant>,
    layout: Option<&str>,
    sessions: u64,
    messages: u64,
) {
    tracing::info!(
        target: TARGET,
        action,
        who = who.shown(),
        tenant = tenant.map(Tenant::as_str),
        layout,
        sessions,
        messages,
        "audit"
    );
}

/// What a user had was erased, or a piece of it. The id of the user is in the line: without it the line would say nothing.
pub(crate) fn erased(who: &Who<'_>, tenant: &Tenant, erasure: &Erasure) {
    tracing::info!(
        target: TARGET,
        action = "user_erased",
        who = who.shown(),
        tenant = tenant.as_str(),
        user = erasure.user.as_str(),
        sessions = erasure.sessions,
        messages = erasure.messages,
        bytes = erasure.bytes,
        done = erasure.done,
        "audit"
    );
}

/// Where audit lines go, whatever else is logged: to that file, or else to standard error.
///
/// # Errors
/// If the file cannot be opened.
pub(crate) fn layer<S>(path: Option<&Path>) -> anyhow::Result<impl Layer<S> + Send + Sync + use<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let writer = match path {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(path) => {
            let file = private::file()
                .append(true)
                .open(path)
                .with_context(|| format!("audit_file {} cannot be used", path.display()))?;
            BoxMakeWriter::new(Mutex::new(file))
        }
    };
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer);
    Ok(lines.with_filter(
        filter_fn(|metadata| metadata.target() == TARGET).with_max_level_hint(LevelFilter::INFO),
    ))
}
