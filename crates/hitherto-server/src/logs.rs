//! Log lines, on standard error.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, Settings};

/// Starts logging as the settings say. Once a process: a second call changes nothing.
///
/// # Errors
/// If the directives cannot be read.
pub(crate) fn start(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(&settings.log).context("log")?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // It fails only where logging was started before.
    let _ = match settings.log_format {
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
        LogFormat::Human => {
            lines.with_target(false).with_ansi(settings.color.on(std::io::stderr().is_terminal())).try_init()
        }
    };
    Ok(())
}
