//! Log lines, on standard error.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::access::audit;
use crate::settings::{LogFormat, Settings};

/// Starts logging as the settings say. Once a process: a second call changes nothing.
///
/// # Errors
/// If the directives cannot be read, or the file of audit lines not be opened.
pub(crate) fn start(settings: &Settings, serves: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(&settings.log).context("log")?;
    let terminal = std::io::stderr().is_terminal();
    // Audit lines are written as they always are, and by a layer of their own.
    let filter = filter.and(filter_fn(|metadata| metadata.target() != audit::TARGET));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
        LogFormat::Human => {
            lines.with_target(false).with_ansi(settings.color.on(terminal)).with_filter(filter).boxed()
        }
    };
    // A person at a terminal sees what a command does; nobody keeps what is written there.
    let audited = serves || settings.audit_file.is_some() || !terminal;
    let audit = audited.then(|| audit::layer(settings.audit_file.as_deref())).transpose()?;
    // It fails only where logging was started before.
    let _ = tracing_subscriber::registry().with(lines).with(audit).try_init();
    Ok(())
}
