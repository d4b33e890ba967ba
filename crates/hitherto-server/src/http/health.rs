//! `GET /healthz` and `GET /readyz`: the process lives; requests would be served.
//!
//! Invariants: whoever asks often costs the store one question a second at most, and an answer comes within the
//! store's deadline, whatever the store does. What is told is true now: nothing has to be restarted for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tokio::sync::Mutex;

use super::problem::{Code, Problem};
use super::{Door, answer, zep};

/// How long what the store answered holds.
const HOLDS: Duration = Duration::from_secs(1);

/// What is known of the server's health.
#[derive(Debug, Default)]
pub(super) struct Health {
    draining: AtomicBool,
    /// When the store was last asked, and why it did not answer. Whoever asks meanwhile waits for that answer.
    asked: Mutex<Option<(Instant, Option<Problem>)>>,
}

impl Door {
    /// From now on the server is not ready: it finishes what it has accepted.
    pub fn drain(&self) {
        self.health.draining.store(true, Ordering::Release);
    }

    /// Why the process is of no use any more, if it is not.
    fn ailment(&self) -> Option<Problem> {
        self.memory.stats().folding.worker_is_dead().then(|| {
            Problem::new(Code::WorkerDied, "the worker that folds has died by a defect; restart the server")
        })
    }

    /// Why requests would not be served, worst first; nothing if they would be.
    pub(super) async fn unready(&self) -> Vec<Problem> {
        let draining = self.health.draining.load(Ordering::Acquire);
        let draining = draining.then(|| Problem::new(Code::ShuttingDown, "the server is shutting down"));
        [draining, self.ailment(), self.silence().await].into_iter().flatten().collect()
    }

    /// Why the store does not answer, if it does not.
    pub(super) async fn silence(&self) -> Option<Problem> {
        let mut asked = self.health.asked.lock().await;
        if let Some((when, why)) = &*asked
            && when.elapsed() < HOLDS
        {
            return why.clone();
        }
        // The store keeps its deadline, and says more; this is for one that does not.
        let deadline = self.options.deadline * 5 / 4;
        let why = match tokio::time::timeout(deadline, self.memory.ping()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Problem::from(error)),
            Err(_) => {
                let late = format!("the store did not answer within {} ms", deadline.as_millis());
                Some(Problem::new(Code::DeadlineExceeded, late))
            }
        };
        *asked = Some((Instant::now(), why.clone()));
        why
    }
}

pub(super) async fn alive(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    if let Some(problem) = door.ailment() {
        return Err(problem);
    }
    if door.options.zep {
        return Ok(zep::alive(request.headers()));
    }
    Ok(ok())
}

pub(super) async fn ready(State(door): State<Arc<Door>>) -> Result<Response, Problem> {
    let problems = door.unready().await;
    let reasons: Vec<&str> = problems.iter().map(|problem| problem.code().as_str()).collect();
    match problems.first() {
        None => Ok(ok()),
        Some(worst) => Err(worst.clone().unready().with("reasons", reasons)),
    }
}

/// Everything is as it should be.
pub(super) fn ok() -> Response {
    answer::json(StatusCode::OK, br#"{"status":"ok"}"#.to_vec())
}
