//! How long a call goes on trying, and how it waits in between.

use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::errors;
use super::link::{Kind, Link};
use crate::store::{Outcome, Result, StoreError};

/// The first wait; each is twice as long as the one before.
const FIRST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(100);
/// What one attempt gets at least of what is left.
const LEAST: Duration = Duration::from_millis(250);

/// The patience of one call.
pub(super) struct Patience {
    until: Instant,
    next: Duration,
}

impl Patience {
    pub(super) fn until(until: Instant) -> Self {
        Self { until, next: FIRST }
    }

    /// Waits a while; `false` if there is no time for it.
    pub(super) async fn wait(&mut self) -> bool {
        let woken = Instant::now() + self.next;
        if woken >= self.until {
            return false;
        }
        self.next = (self.next * 2).min(LONGEST);
        tokio::time::sleep_until(woken).await;
        true
    }

    /// By when one attempt has to end. What can be sent again leaves time for that: a server that is silent may have
    /// been replaced. What cannot has all of it.
    pub(super) fn share(&self, kind: Kind) -> Instant {
        if kind == Kind::Write {
            return self.until;
        }
        let now = Instant::now();
        let left = self.until.saturating_duration_since(now);
        self.until.min(now + (left / 2).max(LEAST))
    }
}

/// Whether an earlier attempt of the same call may have been carried out after all: then no later one can say that
/// nothing is stored.
#[derive(Default)]
pub(super) struct Doubt(bool);

impl Doubt {
    /// Notes how an attempt failed.
    pub(super) fn note(&mut self, error: &StoreError) {
        self.0 |= error.outcome() == Outcome::Unknown;
    }

    /// The error of the call.
    pub(super) fn of(&self, error: StoreError) -> StoreError {
        if self.0 { errors::in_doubt(error) } else { error }
    }

    /// The answer of the call, which says that the last attempt was refused.
    pub(super) fn of_refusal(&self, link: &Link, answer: Value) -> Result<Value> {
        let first = match &answer {
            Value::Array(answers) => answers.iter().find(|answer| matches!(answer, Value::ServerError(_))),
            answer => Some(answer),
        };
        match first {
            Some(Value::ServerError(error)) if self.0 => {
                let error = error.clone().into();
                Err(errors::in_doubt(errors::explain(link.name(), &error, Outcome::Unknown)))
            }
            _ => Ok(answer),
        }
    }
}
