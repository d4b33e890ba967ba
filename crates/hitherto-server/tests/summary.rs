//! Summaries over HTTP: folding now, reading, putting by hand, taking back, a session's own policy, and what fails.
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
use std::time::Duration;

use broken::Broken;
use hitherto::ChatMemory;
use hitherto::summary::{Api, ModelOptions, ModelSummariser, SummaryOptions};
use hitherto_server::Options;
use hitherto_testkit::{Behaviour, FakeModel};
use serde_json::{Value, json};
use serving::Serving;
use stores::{Served, embedded, everywhere, on, turns};
use support::{Answer, call, get, post};

const S: &str = "/v1/sessions/s";

fn put(served: &Served, text: &str, upto: u64) -> Answer {
    let body = json!({"text": text, "upto": upto}).to_string();
    call(served.server.address, "PUT", &format!("{S}/summary"), &[], body.as_bytes())
}

fn patch(served: &Served, body: &str) -> Answer {
    call(served.server.address, "PATCH", S, &[], body.as_bytes())
}

fn fold(served: &Served) -> Answer {
    post(served.server.address, &format!("{S}/fold"), "")
}

fn shown(served: &Served) -> Answer {
    get(served.server.address, &format!("{S}/summary"))
}

#[test]
fn folds_what_has_left_the_window_and_shows_it() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        let at = served.server.address;
        turns(&served.server, "s", 1..=15);
        shown(&served).problem(404, "summary_not_found");
        assert_eq!(get(at, S).expect(200).json().get("summary_upto"), None);
        let folded = fold(&served).expect(200);
        let found = folded.json();
        assert_eq!(
            (&found["session"], &found["folded"], &found["stale"]),
            (&json!("s"), &json!(1), &json!(false))
        );
        let summary = &found["summary"];
        assert_eq!((&summary["upto"], &summary["by"]), (&json!(10), &json!("extractive")), "{}", served.kind);
        assert_eq!(summary["stand_in"], false);
        let text = summary["text"].as_str().unwrap();
        assert!(text.contains("Gate 7") && !text.contains("Gate 42"), "{text}");
        assert!(
            summary["tokens"].as_u64().unwrap() > 0 && summary["updated_at"].as_str().unwrap().ends_with('Z')
        );
        assert_eq!(found.get("previous"), None);
        // Nothing more has left the window.
        let again = fold(&served).expect(200).json();
        assert_eq!((&again["folded"], &again["summary"]), (&json!(0), summary));
        let read = shown(&served).expect(200);
        assert_eq!(read.header("content-type"), Some("application/json"));
        assert_eq!(read.body, folded.body.replace("\"folded\":1,", ""));
        let described = get(at, S).expect(200).json();
        assert_eq!((&described["summary_upto"], &described["summary_stale"]), (&json!(10), &json!(false)));
        assert_eq!(get(at, "/v1/sessions").expect(200).json()["sessions"][0], described);
        // The next fold continues this summary, and keeps it as the version before.
        turns(&served.server, "s", 16..=20);
        let next = fold(&served).expect(200).json();
        assert_eq!((&next["summary"]["upto"], &next["previous"]), (&json!(20), summary));
    }
}

#[test]
fn a_summary_by_hand_and_back() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        turns(&served.server, "s", 1..=12);
        let first = fold(&served).expect(200).json()["summary"].clone();
        let found = put(&served, "  Ada flies. \n", 6).expect(200).json();
        assert_eq!((&found["summary"]["text"], &found["summary"]["upto"]), (&json!("Ada flies."), &json!(6)));
        assert_eq!((&found["summary"]["by"], &found["previous"]), (&json!("hand"), &first));
        assert_eq!(found["summary"]["tokens"], 3);
        let rollback = || post(served.server.address, &format!("{S}/summary/rollback"), "");
        let back = rollback().expect(200).json();
        assert_eq!((&back["summary"], back.get("previous")), (&first, None), "{}", served.kind);
        rollback().problem(409, "no_earlier_summary");
        // What was put by hand is where the next fold goes on.
        put(&served, "Ada flies.", 2).expect(200);
        let next = fold(&served).expect(200).json();
        assert_eq!((&next["summary"]["upto"], &next["previous"]["by"]), (&json!(4), &json!("hand")));
    }
}

#[test]
fn an_edit_below_the_watermark_makes_it_stale_and_a_fold_makes_it_anew() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        let at = served.server.address;
        turns(&served.server, "s", 1..=12);
        let text = fold(&served).expect(200).json()["summary"]["text"].as_str().unwrap().to_owned();
        assert!(text.contains("Gate 7"), "{text}");
        call(
            at,
            "PATCH",
            &format!("{S}/messages/1"),
            &[],
            br#"{"content":"Flight 1 was cancelled on May 1."}"#,
        )
        .expect(200);
        assert_eq!(shown(&served).expect(200).json()["stale"], true, "{}", served.kind);
        assert_eq!(get(at, S).expect(200).json()["summary_stale"], true);
        let anew = fold(&served).expect(200).json();
        assert_eq!((&anew["stale"], anew.get("previous")), (&json!(false), None));
        let text = anew["summary"]["text"].as_str().unwrap();
        assert!(text.contains("cancelled") && !text.contains("Gate 7"), "{text}");
    }
}

#[test]
fn a_session_has_a_policy_of_its_own() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        turns(&served.server, "s", 1..=8);
        assert_eq!(fold(&served).expect(200).json()["folded"], 0);
        let own = json!({"window": 2, "summary_tokens": 64, "enabled": false});
        let found = patch(&served, &json!({"summaries": own}).to_string()).expect(200).json();
        assert_eq!(found["summaries"], own, "{}", served.kind);
        assert_eq!(get(served.server.address, S).expect(200).json()["summaries"], own);
        let folded = fold(&served).expect(200).json();
        assert_eq!(folded["summary"]["upto"], 12);
        assert!(folded["summary"]["tokens"].as_u64().unwrap() <= 64);
        // Whole, not by field; and beside other settings.
        let found = patch(&served, r#"{"summaries":{"window":3},"metadata":{"a":1}}"#).expect(200).json();
        assert_eq!((&found["summaries"], &found["metadata"]), (&json!({"window": 3}), &json!({"a": 1})));
        let found = patch(&served, r#"{"summaries":null}"#).expect(200).json();
        assert_eq!(found.get("summaries"), None);
    }
}

#[test]
fn what_cannot_be_asked() {
    for served in everywhere(&SummaryOptions::default(), &Options::default(), &None) {
        let at = served.server.address;
        for (method, path, body) in [
            ("GET", "summary", ""),
            ("PUT", "summary", r#"{"text":"x","upto":1}"#),
            ("POST", "summary/rollback", ""),
            ("POST", "fold", ""),
        ] {
            let send = |path: &str, body: &str| call(at, method, path, &[], body.as_bytes());
            send(&format!("{S}/{path}"), body).problem(404, "session_not_found");
            send(&format!("{S}/{path}?x=1"), body).problem(400, "unknown_parameter");
            send(&format!("/v1/sessions//{path}"), body).problem(400, "invalid_session_id");
            send(&format!("/v1/sessions/{}/{path}", "x".repeat(513)), body)
                .problem(414, "session_id_too_long");
            if method != "GET" {
                send(&format!("{S}/{path}"), "{").problem(400, "invalid_json");
                send(&format!("{S}/{path}"), r#"{"x":1}"#).problem(400, "unknown_field");
            }
        }
        turns(&served.server, "s", 1..=3);
        let check = |body: &str, status, code: &str| {
            call(at, "PUT", &format!("{S}/summary"), &[], body.as_bytes()).problem(status, code);
        };
        check("", 400, "invalid_json");
        check("{}", 400, "missing_field");
        check(r#"{"text":"x"}"#, 400, "missing_field");
        check(r#"{"upto":1}"#, 400, "missing_field");
        check(r#"{"text":" \n","upto":1}"#, 400, "invalid_field");
        check(r#"{"text":1,"upto":1}"#, 400, "invalid_field");
        check(r#"{"text":"x","upto":0}"#, 400, "invalid_field");
        check(r#"{"text":"x","upto":1.5}"#, 400, "invalid_field");
        check(r#"{"text":"x","upto":7}"#, 404, "message_not_found");
        check(&json!({"text": "x".repeat(65_537), "upto": 1}).to_string(), 413, "summary_too_large");
        shown(&served).problem(404, "summary_not_found");
        post(at, &format!("{S}/summary/rollback"), "").problem(409, "no_earlier_summary");
        let check = |body: &str, code: &str, detail: &str| {
            let answer = patch(&served, body).problem(400, code);
            assert!(answer.json()["detail"].as_str().unwrap().contains(detail), "{answer:?}");
        };
        check(r#"{"summaries":1}"#, "invalid_field", "summaries must be an object");
        check(r#"{"summaries":{"windw":1}}"#, "unknown_field", "known are enabled, window");
        check(r#"{"summaries":{"window":0}}"#, "invalid_field", "window must be");
        check(
            r#"{"summaries":{"window":5000000000}}"#,
            "invalid_field",
            "window must be from 1 to 1,000 turns",
        );
        check(r#"{"summaries":{"enabled":1}}"#, "invalid_field", "enabled must be true or false");
        check(r#"{"summaries":{"summary_tokens":31}}"#, "invalid_field", "summary_tokens must be from 32");
        let answer = call(at, "DELETE", &format!("{S}/summary"), &[], b"").problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("GET,HEAD,PUT"));
    }
}

#[test]
fn a_program_without_a_summariser_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server =
        Serving::of(ChatMemory::embedded(folder.path().join("chat.db")).unwrap(), Options::default());
    turns(&server, "s", 1..=15);
    post(server.address, &format!("{S}/fold"), "").problem(409, "summaries_off");
    // A summary by hand needs none.
    call(server.address, "PUT", &format!("{S}/summary"), &[], br#"{"text":"x","upto":1}"#).expect(200);
}

/// A model at that address. The key is one that must be seen nowhere.
fn model(fake: &FakeModel, timeout: Duration) -> stores::Other {
    let mut options = ModelOptions::new(Api::OpenAi, &fake.openai(), "some-model").key(fake.key());
    options.timeout = timeout;
    Some(Arc::new(ModelSummariser::new(options).unwrap()))
}

#[test]
fn a_model_that_fails_changes_nothing_and_is_said() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fake = FakeModel::start();
    let mut options = SummaryOptions::default();
    options.stand_in_after = 4;
    for served in everywhere(&options, &Options::default(), &model(&fake, Duration::from_secs(2))) {
        turns(&served.server, "s", 1..=15);
        let check = |behaviour: Behaviour, retry: &str, detail: &str| {
            fake.next(behaviour);
            let answer = fold(&served).problem(502, "summariser_failed");
            assert_eq!(answer.header("retry-after"), Some(retry), "{answer:?}");
            assert!(answer.body.contains(detail), "{answer:?}");
            assert!(!answer.body.contains(fake.key()) && !answer.body.contains("Gate"), "{answer:?}");
            shown(&served).problem(404, "summary_not_found");
        };
        check(Behaviour::status(429).with_header("retry-after", "7"), "7", "429");
        check(Behaviour::says("NONE"), "5", "answered nothing");
        check(Behaviour::silent(), "5", "no answer within 2000 ms");
        // The fourth failure in a row brings the stand-in.
        fake.next(Behaviour::refuses());
        let stood_in = fold(&served).expect(200).json()["summary"].clone();
        assert_eq!(
            (&stood_in["by"], &stood_in["stand_in"]),
            (&json!("extractive"), &json!(true)),
            "{}",
            served.kind
        );
        turns(&served.server, "s", 16..=20);
        fake.next(Behaviour::says("Ada has seats on flights 1 to 10."));
        let written = fold(&served).expect(200).json();
        assert_eq!(
            (&written["summary"]["by"], &written["summary"]["stand_in"]),
            (&json!("some-model"), &json!(false))
        );
        assert_eq!((&written["summary"]["upto"], &written["previous"]), (&json!(20), &stood_in));
    }
}

#[test]
fn a_fold_is_waited_for_no_longer_than_its_deadline() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fake = FakeModel::start();
    fake.always(Behaviour::silent());
    let mut door = Options::default();
    door.fold_deadline = Duration::from_millis(300);
    let served = embedded(&SummaryOptions::default(), &door, &model(&fake, Duration::from_secs(60)));
    turns(&served.server, "s", 1..=15);
    let answer = fold(&served).problem(504, "deadline_exceeded");
    assert!(answer.json().get("stored").is_none(), "{answer:?}");
    // Others are served meanwhile, and nothing has changed.
    shown(&served).problem(404, "summary_not_found");
}

/// Somebody asks for a fold and hangs up: it goes on, so that the session does not wait for the end of a lease.
#[test]
fn a_fold_goes_on_when_nobody_waits_for_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fake = FakeModel::start();
    fake.always(Behaviour::says("Ada flies often."));
    let served =
        embedded(&SummaryOptions::default(), &Options::default(), &model(&fake, Duration::from_secs(60)));
    turns(&served.server, "s", 1..=15);
    let hold = fake.hold();
    let mut wire = support::Wire::open(served.server.address);
    wire.send(&support::request("POST", &format!("{S}/fold"), &[], b""));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fake.until_requests(1));
    drop(wire);
    drop(hold);
    // A second fold waits for the first.
    let found: Value = fold(&served).expect(200).json();
    assert_eq!(found["summary"]["text"], "Ada flies often.");
    assert_eq!(fake.counts().requests, 1);
}

#[test]
fn a_store_that_hangs_is_waited_for_no_longer_than_the_deadline() {
    let mut options = Options::default();
    options.deadline = Duration::from_millis(100);
    options.fold_deadline = Duration::from_millis(200);
    let server = on(Arc::new(Broken::Hangs), options);
    for (method, path, body) in [
        ("GET", "summary", ""),
        ("PUT", "summary", r#"{"text":"x","upto":1}"#),
        ("POST", "summary/rollback", ""),
        ("POST", "fold", ""),
        ("GET", "context", ""),
        ("GET", "context?max_tokens=10", ""),
    ] {
        call(server.address, method, &format!("{S}/{path}"), &[], body.as_bytes())
            .problem(504, "deadline_exceeded");
    }
}
