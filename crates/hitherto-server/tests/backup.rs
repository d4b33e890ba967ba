//! Backups, made while a server writes, and restored: the procedures of docs/operations.md, tried.
//!
//! What is restored is the beginning of every session: all that was acknowledged before the backup began, in order, and
//! nothing but what was said.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "support/process.rs"]
mod process;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hitherto_testkit::{RedisServer, RedisSettings, ServerKind};
use process::{Process, hitherto};
use serde_json::Value;
use support::{get, post};

/// How many messages each writer has stored before a backup is begun.
const BEFORE: usize = 60;
const WRITERS: usize = 2;

/// Writers that append one message after another until they are told to stop.
struct Writers {
    stop: Arc<AtomicBool>,
    acknowledged: Vec<Arc<AtomicUsize>>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged: Vec<_> = (0..WRITERS).map(|_| Arc::new(AtomicUsize::new(0))).collect();
        let threads = acknowledged.iter().enumerate().map(|(writer, count)| {
            let (stop, count) = (Arc::clone(&stop), Arc::clone(count));
            std::thread::spawn(move || {
                for number in 1.. {
                    let body =
                        format!(r#"{{"messages":[{{"role":"user","content":"{writer} says {number}"}}]}}"#);
                    post(address, &format!("/v1/sessions/w{writer}/messages"), &body).expect(201);
                    count.store(number, Ordering::SeqCst);
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            })
        });
        let threads = threads.collect();
        let writers = Self { stop, acknowledged, threads };
        writers.until(BEFORE);
        writers
    }

    /// How many messages of each session are acknowledged.
    fn counts(&self) -> Vec<usize> {
        self.acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect()
    }

    /// Waits until each has so many.
    fn until(&self, number: usize) {
        let began = Instant::now();
        while self.counts().iter().any(|count| *count < number) {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the writers do not get on: {:?}",
                self.counts()
            );
            std::thread::yield_now();
        }
    }

    /// Lets each write some more, so that the backup is older than what there is in the end.
    fn stop(self) {
        let more = self.counts().into_iter().max().unwrap() + 5;
        self.until(more);
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

/// The lines of every session in an export of all that a store has.
fn exported(store: &[&str]) -> BTreeMap<String, Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let output = hitherto(folder.path()).args(["export", "--all"]).args(store).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut sessions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        sessions.entry(line["session"].as_str().unwrap().to_owned()).or_default().push(line);
    }
    sessions
}

/// That the restored store is the beginning of the other one, and holds what was acknowledged before; and that it goes on
/// where it ends.
#[track_caller]
fn check(restored: &[&str], original: &[&str], before: &[usize]) {
    let (found, all) = (exported(restored), exported(original));
    for (writer, before) in before.iter().enumerate() {
        let session = format!("w{writer}");
        let (found, all) = (&found[&session], &all[&session]);
        assert!(found.len() >= *before, "{session}: {} of {before} acknowledged messages", found.len());
        assert!(found.len() < all.len(), "{session}: the backup is older than the end");
        for (index, (found, original)) in found.iter().zip(all).enumerate() {
            assert_eq!(found, original, "{session} {index}");
            assert_eq!(found["seq"], index + 1, "{session}");
        }
        let folder = tempfile::tempdir().unwrap();
        let output =
            hitherto(folder.path()).args(["append", &session, "on"]).args(restored).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), (found.len() + 1).to_string());
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Stores a session that has a summary, so that it can be looked for.
fn summarise(address: SocketAddr) -> Value {
    let turn = r#"{"role":"user","content":"I live in Oslo."},{"role":"assistant","content":"Noted."}"#;
    let body = format!(r#"{{"messages":[{}]}}"#, vec![turn; 15].join(","));
    post(address, "/v1/sessions/summed/messages", &body).expect(201);
    post(address, "/v1/sessions/summed/fold", "").expect(200);
    get(address, "/v1/sessions/summed/summary").expect(200).json()
}

#[test]
fn the_embedded_file_is_copied_while_the_server_writes() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    let summary = summarise(process.address);
    let writers = Writers::start(process.address);
    let before = writers.counts();
    let (original, copy) = (folder.path().join("hitherto.db"), folder.path().join("copy.db"));
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let sqlite = rusqlite::Connection::open_with_flags(&original, flags).unwrap();
    sqlite.execute("VACUUM INTO ?1", [text(&copy)]).unwrap();
    writers.stop();
    check(&["--db", text(&copy)], &["--db", text(&original)], &before);

    // A server on the copy has the summary, too.
    let restored = tempfile::tempdir().unwrap();
    fs::rename(&copy, restored.path().join("hitherto.db")).unwrap();
    let process = Process::start(restored.path(), &[]);
    assert_eq!(get(process.address, "/v1/sessions/summed/summary").expect(200).json(), summary);
}

#[test]
fn an_export_is_made_while_the_server_writes_and_imported_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[]);
    let writers = Writers::start(process.address);
    let before = writers.counts();
    let server = format!("http://{}", process.address);
    let run = |words: &[&str]| {
        let output = hitherto(folder.path()).args(words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    run(&["export", "--all", "--output", "backup.jsonl", "--server", &server]);
    writers.stop();
    run(&["import", "backup.jsonl", "--db", "restored.db"]);
    // Once more changes nothing.
    run(&["import", "backup.jsonl", "--db", "restored.db"]);
    let (restored, original) = (folder.path().join("restored.db"), folder.path().join("hitherto.db"));
    check(&["--db", text(&restored)], &["--db", text(&original)], &before);
}

/// A Redis whose data are in that folder.
fn redis(folder: &Path, append_only: bool) -> RedisServer {
    fs::create_dir_all(folder).unwrap();
    let settings = RedisSettings::new(ServerKind::Redis7).directive("dir", text(folder));
    if append_only { settings.append_only().start() } else { settings.start() }
}

/// Waits until a field of `INFO persistence` is 0.
fn until_zero(redis: &RedisServer, field: &str) {
    let began = Instant::now();
    while !redis.command(&["INFO", "persistence"]).text().contains(&format!("{field}:0\r\n")) {
        assert!(began.elapsed() < Duration::from_secs(20), "{field} stays");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn the_append_only_files_are_copied_while_the_server_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let original = redis(&data, true);
    let process = Process::start(folder.path(), &["--redis", &original.url()]);
    let summary = summarise(process.address);
    let writers = Writers::start(process.address);
    let before = writers.counts();
    // No rewriting while the files are copied, for it takes them away.
    original.command(&["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"]);
    until_zero(&original, "aof_rewrite_in_progress");
    copy_folder(&data.join("appendonlydir"), &copy.join("appendonlydir"));
    original.command(&["CONFIG", "SET", "auto-aof-rewrite-percentage", "100"]);
    writers.stop();
    let restored = redis(&copy, true);
    check(&["--redis", &restored.url()], &["--redis", &original.url()], &before);
    let process = Process::start(folder.path(), &["--redis", &restored.url()]);
    assert_eq!(get(process.address, "/v1/sessions/summed/summary").expect(200).json(), summary);
}

#[test]
fn a_snapshot_is_fetched_with_redis_cli_and_restored_into_an_append_only_server() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let original = redis(&folder.path().join("data"), true);
    let process = Process::start(folder.path(), &["--redis", &original.url()]);
    let writers = Writers::start(process.address);
    let before = writers.counts();
    fs::create_dir_all(&copy).unwrap();
    let snapshot = copy.join("dump.rdb");
    let fetched = Command::new(ServerKind::Redis7.binary().with_file_name("redis-cli"))
        .args(["-p", &original.port().to_string(), "--rdb", text(&snapshot)])
        .output()
        .unwrap();
    assert!(fetched.status.success(), "{fetched:?}");
    writers.stop();
    // With `appendonly yes` a Redis reads only its append-only files, and there are none: it is turned on once it runs.
    let restored = redis(&copy, false);
    restored.command(&["CONFIG", "SET", "appendonly", "yes"]);
    until_zero(&restored, "aof_rewrite_in_progress");
    until_zero(&restored, "aof_rewrite_scheduled");
    check(&["--redis", &restored.url()], &["--redis", &original.url()], &before);
    // It starts from its append-only files from now on, with what was appended since.
    drop(restored);
    let again = redis(&copy, true);
    assert_eq!(exported(&["--redis", &again.url()])["w0"].last().unwrap()["content"], "on");
}
