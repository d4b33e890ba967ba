//! The commands of the command line: what they print on standard error, log lines and errors, holds no mark. Standard
//! output may: it is what was asked for.

use std::path::Path;
use std::process::{Output, Stdio};

use hitherto_testkit::RedisServer;

use crate::marks::{CONTENT, PASSWORD, assert_clean};
use crate::process::hitherto;

/// Runs every command on a store whose address holds a password, and with that store gone.
pub fn run_all(redis: &RedisServer) {
    let folder = tempfile::tempdir().unwrap();
    let lines = format!(
        "{{\"session\":\"i\",\"role\":\"user\",\"content\":\"{CONTENT}\"}}\n{{\"session\":\"i\",\"{CONTENT}\n{CONTENT}\n"
    );
    std::fs::write(folder.path().join("lines.jsonl"), lines).unwrap();
    std::fs::write(folder.path().join("text"), format!("About {CONTENT}.")).unwrap();
    let url = redis.url();
    assert!(url.contains(PASSWORD), "{url}");
    every(folder.path(), &url, true);
    redis.kill();
    every(folder.path(), &url, false);
}

fn every(folder: &Path, url: &str, works: bool) {
    let all: &[(&[&str], bool)] = &[
        (&["append", "s", CONTENT], true),
        (&["append", "s", CONTENT, "--idempotency-key", "k"], true),
        (&["append", "s", "other", "--idempotency-key", "k"], false),
        (&["show", "s"], true),
        (&["context", "s", "--max-tokens", "100"], true),
        (&["summary", "s", "--put", "text", "--upto", "1"], true),
        (&["summary", "s"], true),
        (&["fold", "s"], true),
        (&["fold"], true),
        (&["sessions"], true),
        (&["export", "--all", "--output", "out.jsonl"], true),
        (&["import", "lines.jsonl"], false),
        (&["import", "--strict", "lines.jsonl"], false),
        (&["clear", "s", "--yes"], true),
        (&["doctor"], true),
    ];
    for (arguments, succeeds) in all {
        let output = run(folder, url, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_clean(&said);
        // The address stands on neither.
        assert!(!String::from_utf8_lossy(&output.stdout).contains(PASSWORD), "{arguments:?}");
        if works && *succeeds {
            assert!(output.status.success(), "{arguments:?}: {said}");
        }
    }
    // Settings that cannot be used are not repeated.
    for wrong in [
        &["show", "s", "--redis", &format!("rediss://someone:{PASSWORD}@127.0.0.1:1/not-a-number")][..],
        &["show", "s", "--redis", &format!("nonsense://someone:{PASSWORD}@h")],
        &["fold", "--model-url", &format!("http://someone:{PASSWORD}@127.0.0.1:1"), "--model", "m"],
    ] {
        assert_clean(&String::from_utf8_lossy(&run_plain(folder, wrong).stderr));
    }
}

fn run(folder: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = hitherto(folder);
    command.args(arguments).args(["--log", "trace", "--deadline-ms", "500"]);
    // Others can read flags.
    command.env("HITHERTO_REDIS", url).stdin(Stdio::null());
    command.output().unwrap()
}

fn run_plain(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = hitherto(folder);
    command.args(arguments).args(["--log", "trace", "--deadline-ms", "500"]).stdin(Stdio::null());
    command.output().unwrap()
}
