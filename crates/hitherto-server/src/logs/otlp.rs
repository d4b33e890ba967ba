//! Traces for a collector, by OTLP over HTTP: a span for each request, and one for each round trip to the store in it.
//!
//! Only in binaries built with the feature `otlp`. Invariant: a span has names, times, ids and codes, and nothing of
//! what people said; the types of OpenTelemetry stay in this file.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, bail};
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use secrecy::ExposeSecret as _;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::TRACE;
use crate::origin::TraceParent;
use crate::settings::{Otlp, Settings};

/// By when the collector has taken what it is sent.
const TIMEOUT: Duration = Duration::from_secs(10);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// What sends spans, if the settings name a collector.
///
/// # Errors
/// If its address or headers cannot be used. A collector that does not answer is no error: spans are dropped then.
pub(super) fn layer<S>(settings: &Settings) -> anyhow::Result<Option<Box<dyn Layer<S> + Send + Sync>>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let Some(otlp) = &settings.otlp else { return Ok(None) };
    let provider = provider_of(otlp)?;
    let tracer = provider.tracer("hitherto");
    // Logging is started once a process, and so is this.
    let _ = PROVIDER.set(provider);
    let spans = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(|of| of.target().starts_with(TRACE)));
    Ok(Some(spans.boxed()))
}

fn provider_of(otlp: &Otlp) -> anyhow::Result<SdkTracerProvider> {
    let http = reqwest::blocking::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("otlp")?;
    let headers: HashMap<String, String> =
        otlp.headers.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(http)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint(&otlp.url)?)
        .with_timeout(TIMEOUT)
        .with_headers(headers)
        .build()
        .map_err(|_| anyhow::anyhow!("otlp: the address or a header cannot be used"))?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("hitherto").with_attribute(version).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Where spans are sent: under the usual path, unless the address has one of its own.
fn endpoint(url: &str) -> anyhow::Result<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if authority.contains('@') {
        // Errors of the way there name the address.
        bail!("otlp: give user and password as a header in otlp_headers, not in the address");
    }
    Ok(if path.is_empty() { format!("{}/v1/traces", url.trim_end_matches('/')) } else { url.to_owned() })
}

/// Makes a request's span a part of the trace that the request says it belongs to.
pub(crate) fn follow(span: &Span, parent: Option<TraceParent>) {
    let Some(parent) = parent else { return };
    let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, from) = (TraceId::from(parent.trace), SpanId::from(parent.span));
    let remote = SpanContext::new(trace, from, flags, true, TraceState::default());
    // It fails only where the span is nobody's.
    let _ = span.set_parent(Context::new().with_remote_span_context(remote));
}

/// Sends what has not been sent yet, and ends.
pub(super) fn stop() {
    if let Some(provider) = PROVIDER.get() {
        // What the collector does not take now is lost, and nothing else is.
        let _ = provider.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_to_the_usual_place_or_the_one_that_is_named() {
        let check = |url: &str, expected: &str| assert_eq!(endpoint(url).unwrap(), expected, "{url}");
        check("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces");
        check("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces");
        check("https://collector/otlp/traces", "https://collector/otlp/traces");
        assert!(!endpoint("http://user:s3cret@h").unwrap_err().to_string().contains("s3cret"));
    }
}
