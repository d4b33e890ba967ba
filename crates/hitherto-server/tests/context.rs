//! The context over HTTP: its shapes, its budgets, its formats, and what cannot be asked.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "support/broken.rs"]
mod broken;
#[path = "support/serving.rs"]
mod serving;
#[path = "support/stores.rs"]
mod stores;
mod support;

use std::sync::Arc;

use broken::Broken;
use hitherto::summary::SummaryOptions;
use hitherto::{Encoding, StoreError};
use hitherto_server::Options;
use serde_json::{Value, json};
use stores::{Served, embedded, everywhere, on, turns};
use support::{Answer, call, get, post};

const CONTEXT: &str = "/v1/sessions/s/context";

/// Thirty turns, of which the oldest twenty are in the summary.
fn everywhere_folded() -> Vec<Served> {
    let all = everywhere(&SummaryOptions::default(), &Options::default(), &None);
    for served in &all {
        turns(&served.server, "s", 1..=30);
        post(served.server.address, "/v1/sessions/s/fold", "").expect(200);
    }
    all
}

fn context(served: &Served, query: &str) -> Value {
    get(served.server.address, &format!("{CONTEXT}{query}")).expect(200).json()
}

fn seqs(context: &Value) -> Vec<u64> {
    context["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

#[test]
fn gives_the_summary_and_what_follows_its_watermark() {
    for served in everywhere_folded() {
        let answer = get(served.server.address, CONTEXT).expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.body.starts_with(r#"{"session":"s","summary":{"text":""#), "{}", answer.body);
        let found = answer.json();
        assert_eq!((&found["summary"]["upto"], &found["summary"]["by"]), (&json!(40), &json!("extractive")));
        assert_eq!(seqs(&found), (41..=60).collect::<Vec<_>>(), "{}", served.kind);
        assert_eq!(found["messages"][0]["role"], "user");
        let explain = &found["explain"];
        assert_eq!((&explain["turns"], &explain["messages"]), (&json!(10), &json!(20)));
        assert_eq!(
            (&explain["encoding"], &explain["exact"], &explain["summary"]),
            (&json!("o200k"), &json!(true), &json!("given"))
        );
        assert_eq!(
            (
                &explain["left_to_summary"]["from"],
                &explain["left_to_summary"]["to"],
                &explain["left_to_summary"]["messages"]
            ),
            (&json!(1), &json!(40), &json!(40))
        );
        assert_eq!((&found["tokens"], explain.get("left_out")), (&explain["used"], None));
    }
}

#[test]
fn holds_its_budget_and_names_what_is_left_out() {
    for served in everywhere_folded() {
        for budget in [1_u64, 10, 100, 300, 700, 1000, 4000, 100_000] {
            for format in ["messages", "text", "openai", "anthropic", "langchain"] {
                let found = context(&served, &format!("?max_tokens={budget}&format={format}"));
                let explain = &found["explain"];
                assert!(found["tokens"].as_u64().unwrap() <= budget, "{budget} {format}: {found}");
                assert_eq!(explain["budget"], budget);
                let parts = |name: &str| explain[name].as_array().cloned().unwrap_or_default();
                let left =
                    parts("left_out").iter().map(|left| left["messages"].as_u64().unwrap()).sum::<u64>()
                        + explain["left_to_summary"]["messages"].as_u64().unwrap_or(0);
                assert_eq!(explain["messages"].as_u64().unwrap() + left, 60, "{budget} {format}: {explain}");
            }
        }
        let all = context(&served, "?max_tokens=100000&summary=off");
        assert_eq!((seqs(&all).len(), all.get("summary")), (60, None));
    }
}

#[test]
fn gives_turns_and_policies_of_sessions() {
    for served in everywhere_folded() {
        let found = context(&served, "?last_turns=3");
        assert_eq!(
            (seqs(&found), &found["summary"]["upto"]),
            ((55..=60).collect(), &json!(40)),
            "{}",
            served.kind
        );
        // What is neither in the summary nor given is named.
        assert_eq!(found["explain"]["left_out"][0]["from"], 41);
        assert_eq!(found["explain"]["left_out"][0]["to"], 54);
        let body = br#"{"summaries":{"window":15}}"#;
        call(served.server.address, "PATCH", "/v1/sessions/s", &[], body).expect(200);
        assert_eq!(context(&served, "")["explain"]["turns"], 15, "the session's own window");
    }
}

#[test]
fn speaks_the_formats_of_others() {
    for served in everywhere_folded() {
        let prompt = |query: &str| {
            let found = context(&served, query);
            assert!(found.get("messages").is_none(), "{found}");
            found["prompt"].clone()
        };
        let text = prompt("?last_turns=1&format=text");
        let text = text.as_str().unwrap();
        assert!(
            text.contains("Summary of the conversation so far:") && text.contains("Flight 30 leaves"),
            "{text}"
        );
        let openai = prompt("?last_turns=1&format=openai");
        assert_eq!(openai[0]["role"], "system");
        assert_eq!(
            openai[2],
            json!({"role": "assistant", "content": "Booked seat 30C for Ada on flight 30."})
        );
        assert_eq!(prompt("?last_turns=1&format=openai&summary=user")[0]["role"], "user");
        assert_eq!(prompt("?last_turns=1&format=openai&summary=off").as_array().unwrap().len(), 2);
        let anthropic = prompt("?last_turns=1&format=anthropic");
        assert!(anthropic["system"].as_str().unwrap().contains("Summary of the conversation"), "{anthropic}");
        assert_eq!(anthropic["messages"].as_array().unwrap().len(), 2);
        let langchain = prompt("?last_turns=1&format=langchain");
        assert_eq!(langchain[1]["type"], "human", "{langchain}");
    }
}

#[test]
fn counts_in_the_encoding_that_is_asked_for() {
    let mut door = Options::default();
    door.encoding = Encoding::Cl100k;
    let served = embedded(&SummaryOptions::default(), &door, &None);
    turns(&served.server, "s", 1..=3);
    let check = |query: &str, encoding: &str, exact: bool| {
        let found = context(&served, query);
        assert_eq!(
            (&found["explain"]["encoding"], &found["explain"]["exact"]),
            (&json!(encoding), &json!(exact))
        );
        found["tokens"].as_u64().unwrap()
    };
    let default = check("", "cl100k", true);
    assert_eq!(check("?model=gpt-4", "cl100k", true), default);
    check("?model=gpt-5-mini", "o200k", true);
    check("?encoding=o200k", "o200k", true);
    assert!(check("?model=some-llama", "estimate", false) > default);
}

#[test]
fn a_session_that_does_not_exist_has_an_empty_context() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        let found = context(&served, "");
        assert_eq!((&found["messages"], found.get("summary")), (&json!([]), None));
        assert_eq!(found["explain"]["summary"], "none");
        get(served.server.address, "/v1/sessions/s").problem(404, "session_not_found");
    }
}

#[test]
fn what_cannot_be_asked() {
    let served = embedded(&SummaryOptions::default(), &Options::default(), &None);
    let at = served.server.address;
    let check =
        |query: &str, code: &str| -> Answer { get(at, &format!("{CONTEXT}{query}")).problem(400, code) };
    assert_eq!(check("?max_tokens=4000001", "invalid_parameter").json()["limit"], 4_000_000);
    check("?max_tokens=0", "invalid_parameter");
    check("?max_tokens=-1", "invalid_parameter");
    check("?last_turns=1001", "invalid_parameter");
    check("?format=html", "invalid_parameter");
    check("?summary=tool", "invalid_parameter");
    check("?encoding=gpt2", "invalid_parameter");
    check("?max_tokens=100&last_turns=2", "conflicting_parameters");
    check("?model=gpt-4o&encoding=o200k", "conflicting_parameters");
    check("?tokens=5", "unknown_parameter");
    check("?model=%ff", "invalid_parameter");
    get(at, "/v1/sessions//context").problem(400, "invalid_session_id");
    let answer = call(at, "POST", CONTEXT, &[], b"").problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
}

#[test]
fn what_the_store_says_is_said() {
    let down = StoreError::Unreachable { store: "r".to_owned(), reason: "x".to_owned() };
    let server = on(Arc::new(Broken::Fails(down)), Options::default());
    for query in ["", "?max_tokens=10", "?last_turns=1"] {
        let answer = get(server.address, &format!("{CONTEXT}{query}")).problem(503, "store_unreachable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    let server = on(Arc::new(Broken::Unreadable), Options::default());
    let found = get(server.address, CONTEXT).expect(200).json();
    assert_eq!((&found["messages"][0]["seq"], &found["explain"]["messages"]), (&json!(2), &json!(1)));
    let left = &found["explain"]["left_out"][0];
    assert_eq!((&left["from"], &left["to"], &left["messages"]), (&json!(1), &json!(1), &json!(1)));
}
