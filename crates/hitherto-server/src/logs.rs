//! Log lines, on standard error: every line of a request says which request.
//!
//! Invariants: no line says what people said, nor a token or a password. So the lines of other crates are capped at
//! `debug`, whatever is asked for: below that they may show bytes that pass through them, and no version of theirs
//! promises not to. A panic is told by its place: its words may quote what it was about.

mod lines;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::settings::{LogFormat, Settings};
use lines::Lines;

/// Under this target stand the spans of traces. They are for the collector of traces, and no log line shows them.
pub(crate) const TRACE: &str = "hitherto::trace";

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Starts logging as the settings say. Once a process: a second call changes nothing.
///
/// # Errors
/// If the directives cannot be read.
pub(crate) fn start(settings: &Settings) -> anyhow::Result<()> {
    #[cfg(not(feature = "otlp"))]
    if settings.otlp.is_some() {
        anyhow::bail!("otlp: this binary was built without it; build one with `--features otlp`");
    }
    let filter = EnvFilter::builder().parse(&settings.log).context("log")?;
    // With a hint of its own this one lets the other's stand, so that lines nobody asked for cost nothing.
    let capped = filter_fn(may_be_shown).with_max_level_hint(LevelFilter::TRACE);
    let filter = filter.and(capped);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.log_format {
        LogFormat::Json => {
            lines.json().flatten_event(true).map_event_format(Lines::json).with_filter(filter).boxed()
        }
        LogFormat::Human => {
            let ansi = settings.color.on(std::io::stderr().is_terminal());
            let lines = lines.with_target(false).with_ansi(ansi);
            lines.map_event_format(|lines| Lines::human(lines.with_ansi(ansi))).with_filter(filter).boxed()
        }
    };
    let all = tracing_subscriber::registry().with(lines);
    #[cfg(feature = "otlp")]
    let all = all.with(otlp::layer(settings)?);
    // It fails only where logging was started before.
    let _ = all.try_init();
    Ok(())
}

/// Sends what of traces has not been sent yet.
pub(crate) fn stop() {
    #[cfg(feature = "otlp")]
    otlp::stop();
}

/// Whether a line may be shown, whatever was asked for.
fn may_be_shown(of: &Metadata<'_>) -> bool {
    let target = of.target();
    let own =
        target.strip_prefix("hitherto").is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '_']));
    if own { !target.starts_with(TRACE) } else { *of.level() <= Level::DEBUG }
}

/// Makes panics count, and tells of them by their place alone.
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(place, thread = thread.name(), "a panic, which is a defect: please report its place");
        if LevelFilter::current() == LevelFilter::OFF {
            // Nothing is logged, or not yet.
            crate::commands::complain(&format!("a panic at {place}, which is a defect: please report it"));
        }
    }));
}

/// How many panics there were.
pub(crate) fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}
