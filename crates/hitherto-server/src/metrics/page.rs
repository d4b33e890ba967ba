//! The page that Prometheus reads: what was counted, in its text format.
//!
//! Invariant: what is shown is declared in `families`, label for label.

use std::time::Duration;

use hitherto::stats::{BOUNDS, BROKEN, FAILURES, Lag, Measured, Stats, Traffic};
use hitherto::store::Due;
use hitherto::summary::Usage;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::families::{FAMILIES, Family, Kind};
use super::process::{self, Process};
use super::{LISTENERS, Metrics};

/// The media type of the page.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What was asked of the store and of the server for the page, and may be a few seconds old.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sampled {
    /// Whether the store answers.
    pub(crate) store_up: bool,
    /// Whether the server is ready.
    pub(crate) ready: bool,
    /// What waits on the store's due-list.
    pub(crate) due: Option<Due>,
    /// What this server could not fold yet.
    pub(crate) behind: Lag,
    /// For how long the first on the due-list has waited.
    pub(crate) due_for: Duration,
    /// Sessions of the tenants that may be shown.
    pub(crate) sessions: Vec<(String, u64)>,
}

/// Everything that the page is made from.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) metrics: &'a Metrics,
    pub(crate) stats: &'a Stats,
    pub(crate) traffic: &'a Traffic,
    pub(crate) usage: Option<Usage>,
    pub(crate) sampled: &'a Sampled,
    /// Which kind of store there is.
    pub(crate) store: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    Whole(u64),
    Broken(f64),
    Times(Measured),
}

/// One sample: values of the family's labels, in their order, and what was measured.
type Sample = (Vec<String>, Value);

/// The samples of a page, by family.
#[derive(Debug)]
struct Page(Vec<(Family, Vec<Sample>)>);

/// The page.
pub(crate) fn write(sources: &Sources<'_>) -> String {
    let all = FAMILIES.iter().map(|family| family()).map(|family| (family, samples(&family, sources)));
    let page = Page(all.filter(|(_, samples)| !samples.is_empty()).collect());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(page));
    let mut out = String::with_capacity(16 << 10);
    // Writing to a string cannot fail.
    let _ = prometheus_text::encode(&mut out, &registry);
    out
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (family, samples) in &self.0 {
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(family.name, family.help, None, kind)?;
            for (values, value) in samples {
                let labels: Vec<(&str, &str)> =
                    family.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
                if labels.is_empty() {
                    value.encode(family.kind, &mut metric)?;
                } else {
                    value.encode(family.kind, &mut metric.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}

impl Value {
    fn encode(self, kind: Kind, sample: &mut MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        match (kind, self) {
            (Kind::Counter, Self::Whole(number)) => {
                sample.encode_counter::<NoLabelSet, _, u64>(&number, None)
            }
            (Kind::Counter, Self::Broken(number)) => {
                sample.encode_counter::<NoLabelSet, _, u64>(&number, None)
            }
            (_, Self::Whole(number)) => sample.encode_gauge(&number),
            (_, Self::Broken(number)) => sample.encode_gauge(&number),
            (_, Self::Times(times)) => {
                let ends = BOUNDS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
                let buckets: Vec<(f64, u64)> = ends.zip(times.buckets).collect();
                let sum = times.micros as f64 / 1e6;
                sample.encode_histogram::<NoLabelSet>(sum, times.count(), &buckets, None)
            }
        }
    }
}

fn one(value: Value) -> Vec<Sample> {
    vec![(Vec::new(), value)]
}

fn whole(number: u64) -> Vec<Sample> {
    one(Value::Whole(number))
}

fn flag(yes: bool) -> Vec<Sample> {
    whole(yes.into())
}

fn named<'a>(all: impl IntoIterator<Item = (&'a str, Value)>) -> Vec<Sample> {
    all.into_iter().map(|(name, value)| (vec![name.to_owned()], value)).collect()
}

/// What a family has to show; nothing where there is nothing to say.
fn samples(family: &Family, from: &Sources<'_>) -> Vec<Sample> {
    let (metrics, stats, traffic, sampled) = (from.metrics, from.stats, from.traffic, from.sampled);
    let folding = &stats.folding;
    let trips = || [("read", traffic.reads.read()), ("write", traffic.writes.read())];
    match family.name {
        "hitherto_requests" => of_operations(metrics, |cell, out| {
            out.push((Vec::new(), Value::Whole(cell.latency.read().count())));
        }),
        "hitherto_request_errors" => of_operations(metrics, |cell, out| {
            out.extend(cell.errors().map(|(code, number)| (vec![code.to_owned()], Value::Whole(number))));
        }),
        "hitherto_request_duration_seconds" => of_operations(metrics, |cell, out| {
            out.push((Vec::new(), Value::Times(cell.latency.read())));
        }),
        "hitherto_connections" => {
            named(LISTENERS.map(|door| (door.as_str(), Value::Whole(metrics.listener(door).open()))))
        }
        "hitherto_connections_accepted" => {
            named(LISTENERS.map(|door| (door.as_str(), Value::Whole(metrics.listener(door).accepted.get()))))
        }
        "hitherto_store_up" => flag(sampled.store_up),
        "hitherto_store_round_trips" => {
            named(trips().map(|(kind, times)| (kind, Value::Whole(times.count()))))
        }
        "hitherto_store_round_trip_duration_seconds" => {
            named(trips().map(|(kind, times)| (kind, Value::Times(times))))
        }
        "hitherto_store_errors" => {
            let counts = traffic.failures.iter().map(|count| Value::Whole(count.get()));
            named(BROKEN.into_iter().zip(counts))
        }
        "hitherto_store_connects" => whole(traffic.connects.get()),
        "hitherto_store_connect_failures" => whole(traffic.refusals.get()),
        "hitherto_messages_appended" => whole(stats.appended.get()),
        "hitherto_appends_repeated" => whole(stats.repeated.get()),
        "hitherto_elements_unreadable" => whole(traffic.unreadable.get()),
        "hitherto_sessions" => {
            named(sampled.sessions.iter().map(|(tenant, count)| (tenant.as_str(), Value::Whole(*count))))
        }
        "hitherto_messages_folded" => whole(folding.messages.get()),
        "hitherto_turns_folded" => whole(folding.turns.get()),
        "hitherto_summaries_committed" => whole(folding.commits.get()),
        "hitherto_summary_lag_turns" => whole(sampled.behind.turns),
        "hitherto_summary_lag_seconds" => {
            one(Value::Broken(sampled.behind.waited.max(sampled.due_for).as_secs_f64()))
        }
        "hitherto_summary_lag_sessions" => {
            whole(sampled.behind.sessions + sampled.due.map_or(0, |due| due.sessions))
        }
        "hitherto_summariser_failures" => {
            let counts = folding.failures.iter().map(|count| Value::Whole(count.get()));
            named(FAILURES.into_iter().zip(counts))
        }
        "hitherto_summariser_stand_ins" => whole(folding.stand_ins.get()),
        "hitherto_model_tokens" => from.usage.map_or_else(Vec::new, |usage| {
            named([("in", Value::Whole(usage.tokens_in)), ("out", Value::Whole(usage.tokens_out))])
        }),
        "hitherto_folds_died" => whole(folding.died.get()),
        "hitherto_ready" => flag(sampled.ready),
        "hitherto_task_up" => named([("folds", Value::Whole((!folding.worker_is_dead()).into()))]),
        "hitherto_panics" => whole(crate::logs::panics()),
        "hitherto_build_info" => {
            vec![(vec![env!("CARGO_PKG_VERSION").to_owned(), from.store.to_owned()], Value::Whole(1))]
        }
        _ => of_process(family, metrics),
    }
}

fn of_process(family: &Family, metrics: &Metrics) -> Vec<Sample> {
    let process = Process::now();
    let known = |number: Option<u64>| number.map_or_else(Vec::new, whole);
    match family.name {
        "process_start_time_seconds" => one(Value::Broken(process::since_1970(metrics.started))),
        "process_cpu_seconds" => one(Value::Broken(process.cpu.as_secs_f64())),
        "process_resident_memory_bytes" => known(process.resident_bytes),
        "process_open_fds" => known(process.open_fds),
        "process_max_fds" => known(process.max_fds),
        _ => Vec::new(),
    }
}

/// The samples of each operation that was ever asked for, with its door and name before their own labels.
fn of_operations(metrics: &Metrics, of: impl Fn(&super::Cell, &mut Vec<Sample>)) -> Vec<Sample> {
    let mut out = Vec::new();
    for (door, operation, cell) in metrics.cells() {
        if cell.latency.read().count() == 0 {
            continue;
        }
        let mut own = Vec::new();
        of(cell, &mut own);
        out.extend(own.into_iter().map(|(more, value)| {
            let names = [door.as_str().to_owned(), operation.to_owned()];
            (names.into_iter().chain(more).collect(), value)
        }));
    }
    out
}
