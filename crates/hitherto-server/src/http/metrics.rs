//! `GET /metrics`, and the listener that has nothing but it and what tells of health.
//!
//! Invariants: the numbers are of the whole server, so no tenant's credential shows them; and whoever asks often
//! costs the store a few questions every five seconds at most.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use hitherto::{Tenant, Timestamp};
use tokio::sync::Mutex;

use super::{Door, answer, health, nothing_here};
use crate::metrics::{MEDIA_TYPE, Sampled, Sources, write};

/// How long what the store was asked for the page holds.
const HOLDS: Duration = Duration::from_secs(5);

/// What the store was last asked for the page.
#[derive(Debug, Default)]
pub(super) struct Sample(Mutex<Option<(Instant, Sampled)>>);

/// What the listener for metrics has.
pub(crate) fn router(door: Arc<Door>) -> Router {
    Router::new()
        .route("/metrics", get(page))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(|| async { nothing_here() })
        .with_state(door)
}

/// Whether the main listener shows metrics: for as long as nobody needs a token there, and while the store is down if
/// nobody needed one before.
async fn is_open(door: &Door) -> bool {
    door.gate.admit(None).await.is_ok() || door.gate.was_open()
}

/// The page on the main listener.
pub(super) async fn beside(state: State<Arc<Door>>) -> Result<Response, super::problem::Problem> {
    if is_open(&state).await { Ok(page(state).await) } else { Err(nothing_here()) }
}

async fn page(State(door): State<Arc<Door>>) -> Response {
    let sampled = door.sampled().await;
    let memory = &door.memory;
    let sources = Sources {
        metrics: &door.metrics,
        stats: memory.stats(),
        traffic: memory.traffic(),
        usage: memory.model_usage(),
        sampled: &sampled,
        store: door.options.store,
    };
    answer::with_type(StatusCode::OK, MEDIA_TYPE, write(&sources))
}

impl Door {
    /// What the store says for the page. A store that does not answer says nothing, within its deadline.
    async fn sampled(&self) -> Sampled {
        let problems = self.unready().await;
        let (ready, up) = (problems.is_empty(), self.silence().await.is_none());
        let mut last = self.sample.0.lock().await;
        if let Some((when, sampled)) = &*last
            && (when.elapsed() < HOLDS || !up)
        {
            return Sampled { store_up: up, ready, ..sampled.clone() };
        }
        let ask = async {
            let mut sampled = Sampled { store_up: up, ready, ..Sampled::default() };
            if let Ok((behind, due)) = self.memory.lag().await {
                let now = Timestamp::now();
                let waited = due.oldest.map_or(0, |since| now.as_millis().saturating_sub(since.as_millis()));
                sampled.behind = behind;
                sampled.due = Some(due);
                sampled.due_for = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
            }
            for tenant in &self.options.metrics_tenants {
                sampled.sessions.extend(self.count(tenant).await);
            }
            sampled
        };
        let asked = tokio::time::timeout(self.options.deadline, ask);
        match if up { asked.await.ok() } else { None } {
            Some(sampled) => {
                *last = Some((Instant::now(), sampled.clone()));
                sampled
            }
            None => Sampled { store_up: up, ready, ..Sampled::default() },
        }
    }

    async fn count(&self, tenant: &Tenant) -> Option<(String, u64)> {
        let sessions = self.memory.clone().for_tenant(tenant.clone()).count_sessions().await.ok()?;
        Some((tenant.as_str().to_owned(), sessions))
    }
}
