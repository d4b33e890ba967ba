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
/// What one attempt gets of what is left, at least.
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
        if kind == Kind::Write { self.until } else { half(self.until) }
    }
}

/// Half of the time that is left: what a server gets that may turn out to be silent.
pub(super) fn half(until: Instant) -> Instant {
    let now = Instant::now();
    until.min(now + (until.saturating_duration_since(now) / 2).max(LEAST))
}

/// How the attempts of one call failed, so that its error tells what is known of all of them.
#[derive(Default)]
pub(super) struct Failures {
    /// Whether one may have been carried out after all: then no later one can say that nothing is stored.
    in_doubt: bool,
    /// The last that says more than that time was up. The last attempt of all is cut off by the end of the call, and
    /// knows least.
    telling: Option<StoreError>,
}

impl Failures {
    /// After an attempt that failed so: waits for the next, or is the error of the call.
    pub(super) async fn again(
        &mut self,
        error: StoreError,
        kind: Kind,
        patience: &mut Patience,
    ) -> Result<()> {
        self.note(&error);
        if errors::may_repeat(&error, kind) && patience.wait().await { Ok(()) } else { Err(self.end(error)) }
    }

    /// Notes how an attempt failed.
    fn note(&mut self, error: &StoreError) {
        self.in_doubt |= error.outcome() == Outcome::Unknown;
        if !errors::is_late(error) {
            self.telling = Some(error.clone());
        }
    }

    /// The error of the call, of which the last attempt failed so.
    fn end(&mut self, last: StoreError) -> StoreError {
        let error = match self.telling.take() {
            Some(telling) if errors::is_late(&last) && last.outcome() == Outcome::NotStored => telling,
            _ => last,
        };
        if self.in_doubt { errors::in_doubt(error) } else { error }
    }

    /// The answer of the call, which says that the last attempt was refused.
    pub(super) fn end_refused(self, link: &Link, answer: Value) -> Result<Value> {
        let first = match &answer {
            Value::Array(answers) => answers.iter().find(|answer| matches!(answer, Value::ServerError(_))),
            answer => Some(answer),
        };
        match first {
            Some(Value::ServerError(error)) if self.in_doubt => {
                let error = error.clone().into();
                Err(errors::in_doubt(errors::explain(link.name(), &error, Outcome::Unknown)))
            }
            _ => Ok(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(outcome: Outcome) -> StoreError {
        StoreError::TimedOut { store: "r".to_owned(), deadline: Duration::from_secs(2), outcome }
    }

    fn refused() -> StoreError {
        StoreError::Unreachable { store: "r".to_owned(), reason: "refused".to_owned() }
    }

    fn call(attempts: &[StoreError], last: StoreError) -> StoreError {
        let mut failures = Failures::default();
        attempts.iter().for_each(|error| failures.note(error));
        failures.end(last)
    }

    #[test]
    fn a_call_that_runs_out_of_time_says_why() {
        use Outcome::{NotStored, Unknown};
        let loading = StoreError::Loading { store: "r".to_owned() };
        assert_eq!(call(&[], late(NotStored)), late(NotStored));
        assert_eq!(call(&[refused(), loading.clone(), late(NotStored)], late(NotStored)), loading);
        // The last attempt says something itself, or was sent: that is the news.
        assert_eq!(call(&[refused()], loading.clone()), loading);
        assert_eq!(call(&[refused()], late(Unknown)), late(Unknown));
        // What may have been stored is not said to be lost because something else is known, too.
        let found = call(&[late(Unknown), refused()], late(NotStored));
        assert!(
            matches!(&found, StoreError::Disconnected { reason, .. } if reason == "refused"),
            "{found:?}"
        );
        assert_eq!(found.outcome(), Unknown);
    }
}
