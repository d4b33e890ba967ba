//! How far long work is, on a terminal. indicatif stays in this file.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line on standard error that says how far the work is.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Bytes of a file, of so many.
    Bytes(u64),
    /// Messages, of so many.
    Messages(u64),
    /// Nothing that has a known end.
    Unknown,
}

impl Progress {
    /// A line, or with `shown` false none.
    pub(crate) fn new(shown: bool, unit: Unit) -> Self {
        let (total, template) = match unit {
            Unit::Bytes(total) => (Some(total), "{bar:30} {bytes}/{total_bytes}  {msg}"),
            Unit::Messages(total) => (Some(total), "{bar:30} {human_pos}/{human_len}  {msg}"),
            Unit::Unknown => (None, "{spinner} {msg}"),
        };
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So much more was done.
    pub(crate) fn advance(&self, by: u64, message: String) {
        self.0.set_message(message);
        self.0.inc(by);
    }

    /// There is so much more to do than was thought.
    pub(crate) fn extend(&self, by: u64) {
        self.0.inc_length(by);
    }

    /// Takes the line away while something else is written.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
