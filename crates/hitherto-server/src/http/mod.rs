//! The HTTP door: one file a resource, JSON in and out, errors as problem documents.
//!
//! Invariants: stored JSON is spliced into answers and never printed again; a request can break nothing but
//! itself; axum is known to this module only; what people said is in no log line.

mod answer;
mod body;
mod entrance;
mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod locate;
mod path;
pub(crate) mod problem;
mod query;

mod append;
mod context;
mod fork;
mod limits;
mod message;
mod pop;
mod read;
mod session;
mod sessions;
mod summary;
pub(crate) mod users;

mod listing;
mod search;
mod spoken;

mod motorhead;
mod redis_rest;
mod zep;

mod docs;
mod front;
mod health;
pub(crate) mod metrics;
mod openapi;
mod openapi_schemas;
mod openapi_summaries;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
pub(crate) use axum::body::Body;
use axum::routing::{delete, get, post};
use hitherto::{ChatMemory, Encoding, SummaryRole, Tenant, Ttl};
use tokio::sync::{OnceCell, Semaphore};

use crate::access::{Gate, Need};
use crate::keyspace::Keyspace;
use crate::limits::Limiter;
use crate::metrics::Metrics;
use crate::settings::{Backend, Settings};
pub(crate) use front::Front;
use problem::{Code, Problem};

/// The shortest deadline of a fold that is waited for.
const FOLD_AT_LEAST: Duration = Duration::from_secs(60);

/// How many searches and long lists run at a time: each may read some ten thousand entries.
const SEARCHES: usize = 4;

/// What the door serves, and how.
#[derive(Debug)]
pub struct Door {
    memory: ChatMemory,
    options: Options,
    /// As many folds as are waited for may run at a time.
    folds: Semaphore,
    /// As many searches and long lists may run at a time.
    searches: Arc<Semaphore>,
    /// The encodings whose tables were loaded, or are being loaded.
    warm: [OnceCell<()>; 2],
    /// The sessions as keys, where Redis' commands are served.
    keyspace: Option<Keyspace>,
    /// What is counted.
    metrics: Arc<Metrics>,
    health: health::Health,
    sample: metrics::Sample,
    gate: Gate,
}

/// How the door serves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The time to live that an append sets if it says nothing. Default none.
    pub ttl: Option<Ttl>,
    /// The maximum of messages that an append sets if it says nothing. Default none.
    pub max_messages: Option<u64>,
    /// The largest body, in bytes. Default 4 MiB.
    pub body_limit: usize,
    /// By when the body has arrived. Default 30 s.
    pub body_timeout: Duration,
    /// When a connection without a complete request header is closed. Default 60 s.
    pub idle_timeout: Duration,
    /// The most connections at a time. Default 10,000.
    pub max_connections: usize,
    /// By when the store has answered; a request that needs several of its answers may take twice as long.
    /// Default 2 s.
    pub deadline: Duration,
    /// How tokens are counted where a request does not say. Default o200k.
    pub encoding: Encoding,
    /// By when a fold that is waited for has ended. Default 5 min.
    pub fold_deadline: Duration,
    /// How many folds that are waited for run at a time. Default 4.
    pub fold_concurrency: usize,
    /// Whether the API of Motorhead is served, too. Default true.
    pub motorhead: bool,
    /// Whether the memory API of Zep, version 1, is served, too. Default true.
    pub zep: bool,
    /// In which role a summary is given where a protocol leaves the choice. Default system.
    pub summary_role: SummaryRole,
    /// From when on a request is slow enough for a line in the log; `None` for never. Default 1 s.
    pub slow_request: Option<Duration>,
    /// Which tenants' sessions the metrics count. Default none.
    pub metrics_tenants: Vec<Tenant>,
    /// What the metrics call the store. Default `custom`.
    pub store: &'static str,
    /// Who holds tenants to their requests a second. Default nobody.
    pub limiter: Limiter,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ttl: None,
            max_messages: None,
            body_limit: 4 << 20,
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            max_connections: 10_000,
            deadline: Duration::from_secs(2),
            encoding: Encoding::default(),
            fold_deadline: Duration::from_secs(300),
            fold_concurrency: 4,
            motorhead: true,
            zep: true,
            summary_role: SummaryRole::System,
            slow_request: Some(Duration::from_secs(1)),
            metrics_tenants: Vec::new(),
            store: "custom",
            limiter: Limiter::default(),
        }
    }
}

impl From<&Settings> for Options {
    fn from(settings: &Settings) -> Self {
        Self {
            ttl: settings.ttl,
            max_messages: settings.max_messages,
            body_limit: settings.body_limit,
            body_timeout: settings.body_timeout,
            idle_timeout: settings.idle_timeout,
            max_connections: settings.max_connections,
            deadline: settings.deadline,
            encoding: settings.summaries.encoding,
            // A fold is a few answers of the model, one after another.
            fold_deadline: (settings.summaries.model_timeout * 5).max(FOLD_AT_LEAST),
            fold_concurrency: settings.summaries.concurrency,
            motorhead: settings.motorhead,
            zep: settings.zep,
            summary_role: settings.summary_role,
            slow_request: settings.slow_request,
            metrics_tenants: settings.metrics_tenants.clone(),
            store: match &settings.backend {
                Backend::Embedded(_) => "embedded",
                Backend::Redis(_) => "redis",
                Backend::Server(_) => "server",
            },
            limiter: Limiter::default(),
        }
    }
}

/// A route of an API of another server: its method and path, what it needs of a credential, and what it does.
type Compatible = (&'static str, &'static str, Option<Need>, &'static str);

/// A route of any of the APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Its method, in capitals.
    pub method: &'static str,
    /// Its path; what is in braces is the caller's.
    pub path: &'static str,
    /// Which scopes it needs. `None` for what needs a token and no scope, for what depends on the body, and for health.
    pub need: Option<Need>,
    /// Whether it is answered without a token whatever is required.
    pub is_health: bool,
}

/// All routes that a door can have, from the tables that they are described by.
pub fn routes() -> Vec<Route> {
    let own = openapi::OPERATIONS.iter().map(|operation| (operation.method, operation.path, operation.need));
    let compatible = [motorhead::ROUTES, zep::ROUTES, redis_rest::ROUTES].concat();
    let compatible = compatible.into_iter().map(|(method, path, need, _)| (method, path, need));
    let pages = [("GET", "/docs", None), ("GET", "/openapi.json", None)];
    let all = own.chain(compatible).chain(pages).map(|(method, path, need)| {
        let method = match method {
            "get" => "GET",
            "post" => "POST",
            "put" => "PUT",
            "patch" => "PATCH",
            "delete" => "DELETE",
            capitals => capitals,
        };
        Route { method, path, need, is_health: matches!(path, "/healthz" | "/readyz") }
    });
    all.collect()
}

impl Door {
    /// A door to that memory.
    pub fn new(memory: ChatMemory, options: Options) -> Self {
        let folds = Semaphore::new(options.fold_concurrency.clamp(1, Semaphore::MAX_PERMITS));
        let searches = Arc::new(Semaphore::new(SEARCHES));
        Self {
            memory,
            options,
            folds,
            searches,
            warm: Default::default(),
            keyspace: None,
            metrics: Arc::default(),
            health: health::Health::default(),
            sample: metrics::Sample::default(),
            gate: Gate::default(),
        }
    }

    /// The same door, which also serves Redis' commands, as Upstash's clients send them.
    #[must_use]
    pub fn with_keyspace(mut self, keyspace: Keyspace) -> Self {
        self.metrics = Arc::clone(keyspace.metrics());
        self.keyspace = Some(keyspace);
        self
    }

    /// The same door, which counts where others count, too.
    #[must_use]
    pub(crate) fn counting(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The same door behind a gate. Without one it lets everybody in, and only trusted programs may reach it.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// How it serves.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Sees that the table of an encoding is loaded, off the threads on which other requests wait. Not at the start:
    /// who never counts tokens has no use for its memory.
    async fn warm(&self, encoding: Encoding) {
        if let Some(cell) = self.table(encoding) {
            // If loading died, counting says why.
            let load = || async { drop(tokio::task::spawn_blocking(move || encoding.warm()).await) };
            cell.get_or_init(load).await;
        }
    }

    /// Begins to load the table that the next context needs, if it needs one that is not there.
    fn warm_soon(self: &Arc<Self>) {
        if self.table(self.options.encoding).is_some_and(|table| !table.initialized()) {
            let door = Arc::clone(self);
            tokio::spawn(async move { door.warm(door.options.encoding).await });
        }
    }

    /// Whether the table of an encoding was loaded; `None` for an encoding without one.
    fn table(&self, encoding: Encoding) -> Option<&OnceCell<()>> {
        match encoding {
            Encoding::O200k => self.warm.first(),
            Encoding::Cl100k => self.warm.last(),
            _ => None,
        }
    }

    /// Waits for the engine, but not for ever. Each call of the store has a deadline of its own and a better
    /// error; this one bounds requests that need several calls.
    async fn within<T>(&self, call: impl Future<Output = hitherto::Result<T>>) -> Result<T, Problem> {
        match tokio::time::timeout(self.options.deadline * 2, call).await {
            Ok(answer) => answer.map_err(Problem::from),
            Err(_) => Err(Problem::new(
                Code::DeadlineExceeded,
                format!("no answer within {} ms", self.options.deadline.as_millis() * 2),
            )
            .outcome_unknown()),
        }
    }
}

/// The documented operations: their names, methods and routes.
pub(crate) fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    openapi::OPERATIONS.iter().map(|operation| (operation.id, operation.method, operation.path))
}

/// The routes. [`Front`] stands before them.
fn router(door: Arc<Door>) -> Router {
    // An empty id is a path of its own to the router; here it gets the answer that other bad ids get.
    let messages = || get(read::messages).post(append::messages);
    let one = || get(message::show).patch(message::edit).delete(message::delete);
    let session = || get(session::describe).patch(session::configure).delete(session::clear);
    let summary = || get(summary::show).put(summary::put);
    let mut router = Router::new();
    if door.keyspace.is_some() {
        router = router.merge(redis_rest::routes());
    }
    if door.options.motorhead {
        router = router.merge(motorhead::routes());
    }
    if door.options.zep {
        router = router.merge(zep::routes());
    }
    router
        .route("/v1/sessions/{id}/messages", messages())
        .route("/v1/sessions//messages", messages())
        .route("/v1/sessions/{id}/messages/{seq}", one())
        .route("/v1/sessions//messages/{seq}", one())
        .route("/v1/sessions/{id}/pop", post(pop::pop))
        .route("/v1/sessions//pop", post(pop::pop))
        .route("/v1/sessions/{id}/fork", post(fork::fork))
        .route("/v1/sessions//fork", post(fork::fork))
        .route("/v1/sessions/{id}/context", get(context::context))
        .route("/v1/sessions//context", get(context::context))
        .route("/v1/sessions/{id}/summary", summary())
        .route("/v1/sessions//summary", summary())
        .route("/v1/sessions/{id}/summary/rollback", post(summary::rollback))
        .route("/v1/sessions//summary/rollback", post(summary::rollback))
        .route("/v1/sessions/{id}/fold", post(summary::fold))
        .route("/v1/sessions//fold", post(summary::fold))
        .route("/v1/sessions/{id}", session())
        .route("/v1/sessions/", session())
        .route("/v1/sessions", get(sessions::list))
        .route("/v1/users/{user}", delete(users::erase))
        .route("/v1/users/", delete(users::erase))
        .route("/v1/users/{user}/sessions", get(users::list))
        .route("/v1/users//sessions", get(users::list))
        .route("/v1/limits", get(limits::show))
        .route("/openapi.json", get(openapi::document))
        .route("/docs", get(docs::page))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::beside))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(door)
}

async fn no_route() -> Problem {
    nothing_here()
}

/// There is nothing at a path.
fn nothing_here() -> Problem {
    Problem::new(Code::NotFound, "there is nothing at this path; /docs lists what there is")
}

async fn no_method(method: axum::http::Method) -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        format!("this path does not take {method}; the Allow header says what it takes"),
    )
}
