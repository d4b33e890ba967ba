//! What a command is called with: the settings, its own arguments, and where it writes.

use std::io::Write as _;

use clap::ArgMatches;

use crate::settings::Settings;

/// One call of a command.
#[derive(Debug)]
pub struct Call {
    /// The settings.
    pub settings: Settings,
    command: String,
    arguments: ArgMatches,
}

impl Call {
    /// A call with these settings and arguments.
    pub(super) fn new(command: &str, settings: Settings, arguments: ArgMatches) -> Self {
        Self { settings, command: command.to_owned(), arguments }
    }

    /// The name of the command.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The value of one of the command's own arguments.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.arguments.try_get_one::<String>(name).ok().flatten().map(String::as_str)
    }

    /// The values of one that can be given many times.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let values = self.arguments.try_get_many::<String>(name).ok().flatten();
        values.into_iter().flatten().map(String::as_str).collect()
    }

    /// The value of one that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }

    /// Whether a switch was given.
    pub fn switch(&self, name: &str) -> bool {
        self.arguments.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false)
    }
}

/// Writes to standard output. A reader that went away is its own business, so nothing is made of a failure.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Writes an error to standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {text}");
}
