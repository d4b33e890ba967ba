//! The page of metrics beside its golden file, its document, and the dashboard.

use std::collections::BTreeSet;

use hitherto::stats::{Stats, Traffic};
use hitherto::summary::Usage;

use super::families::{FAMILIES, Family, Kind};
use super::*;
use crate::http::problem::Code;

fn all() -> Vec<Family> {
    FAMILIES.iter().map(|family| family()).collect()
}

/// The names of a family's samples on the page.
fn sample_names(family: &Family) -> Vec<String> {
    let name = family.name;
    match family.kind {
        Kind::Counter => vec![format!("{name}_total")],
        Kind::Gauge => vec![name.to_owned()],
        Kind::Histogram => ["bucket", "sum", "count"].map(|part| format!("{name}_{part}")).to_vec(),
    }
}

/// A page of a server that has done one thing of each kind.
fn page() -> String {
    let metrics = Arc::new(Metrics::default());
    metrics.request(1, Duration::from_millis(3), None);
    metrics.request(1, Duration::from_millis(30), Some(Some(Code::InvalidJson)));
    metrics.request(0, Duration::from_millis(1), Some(None));
    metrics.command(DoorName::Resp, 0, Duration::from_micros(90), None);
    metrics.command(DoorName::Resp, 0, Duration::from_micros(90), Some("WRONGTYPE of something"));
    metrics.command(DoorName::Rest, unknown_command(), Duration::ZERO, Some("made-up code"));
    let _open = metrics.connected(DoorName::Resp);
    drop(metrics.connected(DoorName::Http));
    let (stats, traffic) = (Stats::default(), Traffic::default());
    stats.appended.add(5);
    traffic.writes.note(Duration::from_millis(2));
    let sampled =
        Sampled { store_up: true, sessions: vec![("acme \"1\"".to_owned(), 7)], ..Sampled::default() };
    write(&Sources {
        metrics: &metrics,
        stats: &stats,
        traffic: &traffic,
        usage: Some(Usage { tokens_in: 100, tokens_out: 10 }),
        sampled: &sampled,
        store: "embedded",
    })
}

#[test]
fn names_help_and_labels_are_what_they_were() {
    let lines = all().into_iter().map(|family| {
        let labels = family.labels.join(", ");
        format!("{} {:?} {{{labels}}}\n    {}", sample_names(&family).join(" "), family.kind, family.help)
    });
    insta::assert_snapshot!("families", lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_page_shows_what_was_counted() {
    let page = page();
    let has = |line: &str| assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    has(r#"hitherto_requests_total{door="http",operation="appendMessages"} 2"#);
    has(r#"hitherto_request_errors_total{door="http",operation="appendMessages",code="invalid_json"} 1"#);
    has(r#"hitherto_request_errors_total{door="http",operation="other",code="other"} 1"#);
    has(r#"hitherto_request_errors_total{door="resp",operation="auth",code="WRONGTYPE"} 1"#);
    has(r#"hitherto_request_errors_total{door="rest",operation="unknown",code="other"} 1"#);
    has(r#"hitherto_request_duration_seconds_bucket{door="http",operation="appendMessages",le="0.0025"} 0"#);
    has(r#"hitherto_request_duration_seconds_bucket{door="http",operation="appendMessages",le="0.005"} 1"#);
    has(r#"hitherto_request_duration_seconds_bucket{door="http",operation="appendMessages",le="+Inf"} 2"#);
    has(r#"hitherto_request_duration_seconds_sum{door="http",operation="appendMessages"} 0.033"#);
    has(r#"hitherto_connections{door="resp"} 1"#);
    has(r#"hitherto_connections{door="http"} 0"#);
    has(r#"hitherto_connections_accepted_total{door="http"} 1"#);
    has("hitherto_messages_appended_total 5");
    has(r#"hitherto_store_round_trips_total{kind="write"} 1"#);
    has(r#"hitherto_model_tokens_total{direction="in"} 100"#);
    has(r#"hitherto_sessions{tenant="acme \"1\""} 7"#);
    has("hitherto_store_up 1");
    has("# TYPE hitherto_requests_total counter");
}

/// Every sample is of a family that is declared, with its labels; every family has a sample; none is there twice.
#[test]
fn the_page_shows_what_is_declared() {
    let page = page();
    let mut shown = BTreeSet::new();
    let mut samples = BTreeSet::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (sample, _) = line.rsplit_once(' ').unwrap();
        assert!(samples.insert(sample), "twice: {sample}");
        let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
        let family = all().into_iter().find(|family| sample_names(family).iter().any(|own| own == name));
        let family = family.unwrap_or_else(|| panic!("not declared: {name}"));
        let labels = labels.split("\",").filter_map(|label| label.split_once("=\"")).map(|(name, _)| name);
        let labels: Vec<&str> = labels.filter(|name| *name != "le").collect();
        assert_eq!(labels, family.labels, "{line}");
        shown.insert(family.name);
    }
    // On a system that does not tell what a process takes, these are left out.
    let all: BTreeSet<&str> = all().iter().map(|family| family.name).collect();
    assert_eq!(shown, all);
}

#[test]
fn the_document_has_every_metric() {
    let mut table = String::from("| metric | kind | labels | what it says |\n|---|---|---|---|\n");
    for family in all() {
        let name = match family.kind {
            Kind::Counter => format!("{}_total", family.name),
            _ => family.name.to_owned(),
        };
        let kind = format!("{:?}", family.kind).to_lowercase();
        let labels = family.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        table.push_str(&format!("| `{name}` | {kind} | {labels} | {} |\n", family.help));
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once("<!-- metrics -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end -->\n").unwrap();
    crate::same_as_in_docs("metrics.md", &format!("{before}<!-- metrics -->\n{table}<!-- end -->\n{after}"));
}

/// Every word of an expression that looks like a metric of ours is one.
fn check_expression(expression: &str) {
    let known: BTreeSet<String> = all().iter().flat_map(sample_names).collect();
    let words = expression.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours: Vec<&str> =
        words.filter(|word| word.starts_with("hitherto_") || word.starts_with("process_")).collect();
    assert!(!ours.is_empty(), "no metric in {expression}");
    for name in ours {
        assert!(known.contains(name), "{name} in {expression}");
    }
}

#[test]
fn the_dashboard_shows_metrics_that_are_there() {
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../../../docs/grafana.json")).unwrap();
    let mut expressions = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            check_expression(target["expr"].as_str().unwrap());
            expressions += 1;
        }
    }
    assert!(expressions > 15, "{expressions}");
}

#[test]
fn the_alerts_are_about_metrics_that_are_there() {
    let document = include_str!("../../../../docs/metrics.md");
    let rules: Vec<&str> = document.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(rules.len() > 5, "{rules:?}");
    rules.into_iter().for_each(check_expression);
}
