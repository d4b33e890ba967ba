//! Around every request: its id, its time, its error, and a line if it was slow.
//!
//! Invariant: nothing of a request's or an answer's body is looked at; of the path, a slow request's line has the
//! session's id, shortened.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::Response;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument as _;

use super::Door;
use super::path;
use super::problem::Code;
use crate::metrics::{self, DoorName, OPERATIONS};
use crate::origin::Origin;

/// The header of a request's id.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header of the trace that a request belongs to.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// How much of a session's id a line has.
const ID_SHOWN: usize = 128;

/// Puts what is around a request there.
#[derive(Debug, Clone)]
pub(super) struct Observe(pub(super) Arc<Door>);

/// A route with that around it.
#[derive(Debug, Clone)]
pub(super) struct Observed<S> {
    inner: S,
    door: Arc<Door>,
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, door: Arc::clone(&self.0) }
    }
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let begun = Instant::now();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let matched = route.as_ref().map(MatchedPath::as_str);
        let operation = metrics::find(request.method().as_str(), matched, request.uri().path());
        let header = |name: &HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
        let origin = Origin::request(header(&REQUEST_ID), header(&TRACEPARENT));
        let span = span(operation, &origin);
        let (door, uri) = (Arc::clone(&self.door), request.uri().clone());
        let answer = self.inner.call(request);
        let id = match &origin {
            Origin::Request { id, .. } => HeaderValue::from_maybe_shared(id.bytes().clone()).ok(),
            Origin::Connection(..) => None,
        };
        let work = async move {
            let mut response = answer.await?;
            let took = begun.elapsed();
            let failed = failed(&response);
            let seen = Seen { operation, took, status: response.status().as_u16(), failed };
            seen.note(&door, &uri, route.as_ref().map(MatchedPath::as_str));
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
    fn note(&self, door: &Door, uri: &Uri, route: Option<&str>) {
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
            let session = route.and_then(|route| session_of(uri.path(), route));
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
