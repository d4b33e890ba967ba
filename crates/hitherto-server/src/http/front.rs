//! Before the routes: the entrance, and around every request its id, its time, its error, and a line if it was slow.
//!
//! One service around the router rather than layers in it: axum puts layers around each route, and each costs every
//! request two boxes and a copy of all that is behind it.
//!
//! Invariants: nothing reaches a route but through here. Nothing of a request's or an answer's body is looked at; of the
//! path, a slow request's line has the session's id, shortened.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::Service;
use tower_service::Service as _;
use tracing::Instrument as _;

use super::problem::Code;
use super::{Door, entrance, path, router};
use crate::metrics::{self, DoorName, OPERATIONS};
use crate::origin::Origin;

/// The header of a request's id.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header of the trace that a request belongs to.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// How much of a session's id a line has.
const ID_SHOWN: usize = 128;

/// A request whose body has yet to come.
type IncomingRequest = axum::http::Request<Incoming>;

/// The whole door, for connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    router: Router,
    door: Arc<Door>,
}

impl Front {
    pub(crate) fn new(door: Arc<Door>) -> Self {
        Self { router: router(Arc::clone(&door)), door }
    }

    /// Lets a request in and answers it.
    async fn answer(mut router: Router, door: &Door, request: IncomingRequest) -> Response {
        let mut request: Request = request.map(Body::new);
        match entrance::admit(door, &mut request).await {
            None => router.call(request).await.unwrap_or_else(|never| match never {}),
            Some(refused) => refused,
        }
    }
}

impl Service<IncomingRequest> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: IncomingRequest) -> Self::Future {
        let begun = Instant::now();
        let operation = metrics::find(request.method().as_str(), request.uri().path());
        let header = |name: &HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
        let origin = Origin::request(header(&REQUEST_ID), header(&TRACEPARENT));
        let span = span(operation, &origin);
        let id = match &origin {
            Origin::Request { id, .. } => HeaderValue::from_maybe_shared(id.bytes().clone()).ok(),
            Origin::Connection(..) => None,
        };
        let (router, door, uri) = (self.router.clone(), Arc::clone(&self.door), request.uri().clone());
        let work = async move {
            let mut response = Self::answer(router, &door, request).await;
            let took = begun.elapsed();
            let failed = failed(&response);
            let seen = Seen { operation, took, status: response.status().as_u16(), failed };
            seen.note(&door, &uri);
            if let Some(id) = id {
                response.headers_mut().insert(REQUEST_ID.clone(), id);
            }
            Ok(response)
        };
        // One that nobody traces is not wrapped once more: that would cost it a copy.
        if span.is_none() { Box::pin(origin.of(work)) } else { Box::pin(origin.of(work.instrument(span))) }
    }
}

/// What was seen of a request.
struct Seen {
    operation: usize,
    took: Duration,
    status: u16,
    /// Whether it failed, and with which code.
    failed: Option<Option<Code>>,
}

impl Seen {
    fn note(&self, door: &Door, uri: &Uri) {
        let Some(operation) = OPERATIONS.get(self.operation) else { return };
        // Where Redis' commands came over HTTP, each of them was counted already; a problem came before any did.
        if operation.door != DoorName::Rest || self.failed.flatten().is_some() {
            door.metrics.request(self.operation, self.took, self.failed);
        }
        let (name, api, status) = (operation.name, operation.door.as_str(), self.status);
        let code = self.failed.flatten().map(Code::as_str);
        let took_ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(target: "hitherto::requests", door = api, operation = name, status, code, took_ms, "answered");
        if door.options.slow_request.is_some_and(|slow| self.took >= slow) {
            let session = session_of(uri.path(), operation.route);
            tracing::warn!(door = api, operation = name, status, code, took_ms, session, "a slow request");
        }
    }
}

/// Whether an answer is an error, and of which code.
fn failed(response: &Response) -> Option<Option<Code>> {
    let code = response.extensions().get::<Code>().copied();
    (code.is_some() || response.status().as_u16() >= 400).then_some(code)
}

/// The session's id in a path of that route, shortened.
fn session_of(path: &str, route: &str) -> Option<String> {
    let place = route.split('/').position(|part| part == "{id}" || part == "{*rest}")?;
    let raw = path.split('/').nth(place)?;
    let id: String = path::decode(raw, false)?.chars().take(ID_SHOWN).collect();
    Some(id)
}

/// The request for who traces; nothing where nobody does.
fn span(operation: usize, origin: &Origin) -> tracing::Span {
    let span = tracing::info_span!(
        target: "hitherto::trace",
        "request",
        otel.name = tracing::field::Empty,
        otel.kind = "server",
        door = tracing::field::Empty,
        operation = tracing::field::Empty,
        request_id = tracing::field::Empty,
    );
    if let (false, Some(operation)) = (span.is_disabled(), OPERATIONS.get(operation)) {
        span.record("otel.name", operation.name);
        span.record("door", operation.door.as_str());
        span.record("operation", operation.name);
        if let Origin::Request { id, trace } = origin {
            span.record("request_id", id.as_str());
            #[cfg(feature = "otlp")]
            crate::logs::otlp::follow(&span, *trace);
            #[cfg(not(feature = "otlp"))]
            let _ = trace;
        }
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_requests_session() {
        let check = |path: &str, route: &str, expected: Option<&str>| {
            assert_eq!(session_of(path, route).as_deref(), expected, "{path}");
        };
        check("/v1/sessions/a%20b/messages", "/v1/sessions/{id}/messages", Some("a b"));
        check("/sessions/s/memory", "/sessions/{*rest}", Some("s"));
        check("/v1/sessions", "/v1/sessions", None);
        let long = format!("/v1/sessions/{}", "é".repeat(300));
        assert_eq!(session_of(&long, "/v1/sessions/{id}").unwrap().chars().count(), ID_SHOWN);
    }
}
