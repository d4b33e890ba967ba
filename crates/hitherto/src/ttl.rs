//! How long a session lives, and what starts its clock again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What restarts a session's time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Restart {
    /// Every write does.
    #[default]
    Write,
    /// Every write and every read of its messages does.
    Read,
    /// Nothing does: the session ends when its time has run from when it was set.
    Never,
}

impl Restart {
    /// The name under which stores and settings know it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Never => "never",
        }
    }

    /// The one of that name; the default for a name that is none.
    pub(crate) fn parse(name: &str) -> Self {
        match name {
            "read" => Self::Read,
            "never" => Self::Never,
            _ => Self::Write,
        }
    }
}

/// A time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl {
    millis: u64,
    restart: Restart,
}

/// A time to live that is nothing or more than a session can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a time to live must be between 1 ms and 100 years")]
pub struct TtlError;

/// 100 years: longer than anything that is kept, and far from every overflow on the way to Redis.
const MAX_MILLIS: u64 = 100 * 366 * 86_400 * 1000;

impl Ttl {
    /// A time to live of 1 ms to 100 years that every write restarts.
    pub fn new(length: Duration) -> Result<Self, TtlError> {
        let millis = u64::try_from(length.as_millis()).map_err(|_| TtlError)?;
        if millis == 0 || millis > MAX_MILLIS {
            return Err(TtlError);
        }
        Ok(Self { millis, restart: Restart::Write })
    }

    /// A time to live of so many seconds, at least one.
    pub fn from_secs(secs: u64) -> Result<Self, TtlError> {
        Self::new(Duration::from_secs(secs))
    }

    /// The same length, restarted by something else.
    pub fn restarted_by(self, restart: Restart) -> Self {
        Self { restart, ..self }
    }

    /// How long.
    pub fn length(self) -> Duration {
        Duration::from_millis(self.millis)
    }

    /// How long, in milliseconds.
    pub fn as_millis(self) -> u64 {
        self.millis
    }

    /// What restarts it.
    pub fn restart(self) -> Restart {
        self.restart
    }
}

/// What a write does to a session's time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TtlChange {
    /// Leaves it as the session has it, restarting its clock if it is of that kind.
    #[default]
    Keep,
    /// Sets it, starting its clock; an append that repeats the time to live of a session whose clock
    /// never restarts leaves the clock running.
    Set(Ttl),
    /// Sets it and starts its clock, whatever the session had before.
    Start(Ttl),
    /// Removes it: the session no longer expires.
    Remove,
}
