//! Summaries in the embedded file: files of version 1, which knew none, and several stores on one file.

// The helpers of a test may stop it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};
use hitherto::store::{
    At, Batch, Begun, Claim, Commit, Committed, Lease, Range, Reader, Replaced, SummaryState,
};
use hitherto::summary::{Hint, Summary};
use hitherto::{
    Change, Configure, Message, Record, Scope, SessionId, SessionKey, SessionQuery, Store, StoreError,
    Timestamp, TtlChange, Window,
};
use rusqlite::Connection;
use uuid::Uuid;

/// The tables of version 1, as the first release made them.
const VERSION_1: &str = "
CREATE TABLE session (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant       TEXT NOT NULL,
    memory_key   TEXT NOT NULL,
    name         TEXT NOT NULL,
    base         INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    deleted      INTEGER NOT NULL,
    turns        INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    ttl_ms       INTEGER,
    ttl_restart  TEXT,
    expires_at   INTEGER,
    max_messages INTEGER,
    metadata     TEXT,
    UNIQUE (tenant, memory_key, name)
) STRICT;
CREATE INDEX session_by_activity ON session (tenant, memory_key, updated_at, name);
CREATE INDEX session_by_expiry ON session (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE message (
    session    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    role       TEXT NOT NULL,
    dialect    INTEGER NOT NULL,
    own        INTEGER NOT NULL,
    id         BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at  INTEGER,
    json       TEXT,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE once (
    session     INTEGER NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    first_seq   INTEGER NOT NULL,
    first_id    BLOB NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (session, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX once_by_expiry ON once (expires_at);
CREATE TABLE garbage (
    session INTEGER PRIMARY KEY
) STRICT;
";

/// What the first release wrote: a session of two turns, and one that ends.
const WRITTEN_BY_1: &str = r#"
INSERT INTO session VALUES
    (1, 'default', 'chat_history', 's', 0, 4, 0, 2, 300, 1763805600000, 1763805600123, NULL, NULL, NULL, 50, '{"a":1}'),
    (2, 'default', 'chat_history', 't', 0, 1, 0, 1, 70, 1763805600000, 1763805600000, 60000, 'write', 1763805660000, NULL, NULL);
INSERT INTO message VALUES
    (1, 1, 'user', 0, 0, x'01980000000070008000000000000001', 1763805600000, NULL, '{"role":"user","content":"I am Zoë."}'),
    (1, 2, 'assistant', 0, 0, x'01980000000070008000000000000002', 1763805600000, NULL, '{"role":"assistant","content":"Hello!"}'),
    (1, 3, 'user', 0, 0, x'01980000000070008000000000000003', 1763805600100, NULL, '{"role":"user","content":"And you?"}'),
    (1, 4, 'assistant', 0, 0, x'01980000000070008000000000000004', 1763805600100, NULL, '{"role":"assistant","content":"A tool."}'),
    (2, 1, 'user', 0, 0, x'01980000000070008000000000000005', 1763805600000, NULL, '{"role":"user","content":"Bye."}');
PRAGMA application_id = 0x48544854;
PRAGMA user_version = 1;
"#;

fn key(session: &str) -> SessionKey {
    Scope::default().session(&SessionId::parse(session).unwrap())
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_763_805_601_000)
}

fn later(secs: i64) -> Timestamp {
    now().plus_millis(secs * 1000)
}

fn old_file(path: &Path) {
    let file = Connection::open(path).unwrap();
    file.pragma_update(None, "journal_mode", "WAL").unwrap();
    file.execute_batch(VERSION_1).unwrap();
    file.execute_batch(WRITTEN_BY_1).unwrap();
}

fn options(path: &Path) -> EmbeddedOptions {
    let mut options = EmbeddedOptions::new(path);
    options.deadline = Duration::from_secs(30);
    options
}

fn open(path: &Path) -> EmbeddedStore {
    EmbeddedStore::open(options(path)).unwrap()
}

fn summary(id: u128, upto: u64) -> Summary {
    Summary {
        id: Uuid::from_u128(id),
        text: format!("summary {id}"),
        upto,
        tokens: 5,
        by: "a test".to_owned(),
        stand_in: false,
        made_at: now(),
        turns: upto / 2,
        bytes: 75 * upto,
    }
}

fn commit(old: Option<&Summary>, new: &Summary) -> Commit {
    Commit {
        expected: old.map(|old| old.id),
        lease: None,
        summary: new.clone(),
        previous: old.cloned(),
        stale: false,
        failures: 0,
    }
}

fn texts(slice: &hitherto::store::Slice) -> Vec<String> {
    let live = slice.entries.iter().filter_map(|entry| entry.live()?.message.as_ref());
    live.map(Message::text).collect()
}

fn turn(id: u128) -> Batch {
    let records = [Message::user("And now?"), Message::assistant("Now it is.")];
    let records = records.into_iter().zip(id..).map(|(message, id)| {
        Record::new(message, Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0001_0000 + id), now())
    });
    Batch {
        records: records.collect(),
        once: None,
        ttl: TtlChange::Keep,
        max_messages: Change::Keep,
        hint: Some(Hint { turns: 3, bytes: u64::MAX }),
        count: false,
        user: None,
    }
}

/// A file of the first release opens, holds all that it held, and keeps summaries from then on.
#[tokio::test]
async fn a_file_of_version_1_is_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    old_file(&path);
    for opened in 0..2 {
        let store = open(&path);
        let (key, other) = (key("s"), key("t"));
        let at = At { key: &key, now: now() };
        let known = store.describe(at).await.unwrap().unwrap();
        assert_eq!((known.messages, known.turns, known.bytes, known.max_messages), (4, 2, 300, Some(50)));
        assert_eq!(known.metadata.as_deref(), Some(r#"{"a":1}"#));
        let slice = store.read(at, Range::Window(Window::Turns(9))).await.unwrap();
        assert_eq!(texts(&slice), ["I am Zoë.", "Hello!", "And you?", "A tool."]);
        let ending = store.describe(At { key: &other, now: now() }).await.unwrap().unwrap();
        assert_eq!(ending.expires_at, Some(Timestamp::from_millis(1_763_805_660_000)));
        let (_, state) = store.read_with_summary(at, Range::Unfolded(1, 9), Reader::Client).await.unwrap();
        if opened == 0 {
            assert_eq!(SummaryState { turns: 0, bytes: 0, ..state }, SummaryState::default());
            assert_eq!(store.commit_summary(at, &commit(None, &summary(1, 2))).await, Ok(Committed::Done));
        } else {
            assert_eq!(state.current, Some(summary(1, 2)), "it was there when the file was opened again");
        }
    }
    let store = open(&path);
    let (key, first) = (key("s"), summary(1, 2));
    let at = At { key: &key, now: now() };
    assert!(!store.append(at, turn(0)).await.unwrap().due, "two turns are not covered");
    assert!(store.append(at, turn(2)).await.unwrap().due, "three are not");
    let claims = store.claim_due(now(), later(60), 9).await.unwrap();
    assert_eq!(claims, [Claim { key: key.clone(), until: later(60) }]);
    let change = Configure { max_messages: Change::Remove, ..Configure::default() };
    store.configure(at, &change).await.unwrap();
    assert_eq!(store.commit_summary(at, &commit(Some(&first), &summary(2, 6))).await, Ok(Committed::Done));
    let (slice, state) = store.read_with_summary(at, Range::Unfolded(1, 9), Reader::Client).await.unwrap();
    assert_eq!((texts(&slice).len(), state.previous), (2, Some(first)));
    assert_eq!(store.clear(at).await, Ok(Some(8)));
}

/// A file that was upgraded and a new one have the same tables, columns and indices.
#[test]
fn an_upgraded_file_is_as_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    old_file(&old);
    drop((open(&old), open(&new)));
    let describe = |path: &Path| {
        let file = Connection::open(path).unwrap();
        let version: u32 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let sql = "SELECT m.type || ' ' || m.name || ' ' ||
                coalesce(c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || coalesce(c.dflt_value, '')
                    || ' ' || c.pk, m.sql, '')
            FROM sqlite_schema m LEFT JOIN pragma_table_xinfo(m.name) c ON m.type = 'table' ORDER BY 1";
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        (version, rows.map(Result::unwrap).collect::<Vec<_>>())
    };
    let (upgraded, made) = (describe(&old), describe(&new));
    assert!(made.1.iter().any(|row| row.starts_with("table session summary_upto")), "{made:?}");
    assert_eq!(upgraded, made);
}

/// Who may only read a file of version 1 reads it as it is, and sees its summaries once somebody upgraded it.
#[tokio::test]
async fn a_file_of_version_1_is_read_without_changing_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    old_file(&path);
    let mut only = options(&path);
    only.read_only = true;
    let reader = EmbeddedStore::open(only).unwrap();
    let key = key("s");
    let at = At { key: &key, now: now() };
    for _ in 0..2 {
        let (slice, state) =
            reader.read_with_summary(at, Range::Unfolded(1, 1), Reader::Client).await.unwrap();
        assert_eq!((texts(&slice).len(), state.turns), (4, 2));
        assert_eq!(SummaryState { turns: 0, bytes: 0, ..state }, SummaryState::default());
        let known = reader.describe(at).await.unwrap().unwrap();
        assert_eq!((known.messages, known.summary_upto), (4, 0));
    }
    let query = SessionQuery { limit: 9, ..SessionQuery::default() };
    let listed = reader.sessions(&key.scope, now(), &query).await.unwrap();
    assert_eq!(listed.sessions.len(), 2);
    assert!(reader.inspect().await.unwrap()[0].found.contains("version 1"));
    let refused = reader.commit_summary(at, &commit(None, &summary(1, 2))).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");

    let writer = open(&path);
    assert_eq!(writer.commit_summary(at, &commit(None, &summary(1, 2))).await, Ok(Committed::Done));
    let (slice, state) = reader.read_with_summary(at, Range::Unfolded(1, 9), Reader::Client).await.unwrap();
    assert_eq!((texts(&slice).len(), state.current), (2, Some(summary(1, 2))));
}

/// Many stores on one file, as several processes have it: of those that commit the same, one is done, and each
/// due session is given to one.
#[tokio::test(flavor = "multi_thread")]
async fn several_stores_fold_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let stores: Vec<_> = (0..4).map(|_| Arc::new(open(&path))).collect();
    let sessions: Vec<SessionKey> = (0..24).map(|session| key(&format!("{session}"))).collect();
    for key in &sessions {
        stores[0].append(At { key, now: now() }, turn(0)).await.unwrap();
        stores[0].mark_due(key, now()).await.unwrap();
    }
    let workers = stores.iter().zip(1..).map(|(store, who)| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut given = Vec::new();
            loop {
                let claims = store.claim_due(now(), later(60), 3).await.unwrap();
                if claims.is_empty() {
                    return given;
                }
                for claim in claims {
                    let at = At { key: &claim.key, now: now() };
                    let lease = Lease { token: Uuid::from_u128(who), until: later(60), upto: 2 };
                    let begun = store.begin_fold(at, &lease, None).await.unwrap();
                    assert_eq!(begun, Begun::Yours { failures: 0 });
                    let made = Commit { lease: Some(lease.token), ..commit(None, &summary(who, 2)) };
                    assert_eq!(store.commit_summary(at, &made).await, Ok(Committed::Done));
                    store.end_fold(at, lease.token, false).await.unwrap();
                    store.settle(&claim, None).await.unwrap();
                    given.push(claim.key.session.to_string());
                }
            }
        })
    });
    let mut given = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        given.extend(worker.await.unwrap());
    }
    assert_eq!(given.len(), 24, "a session was given twice, or not at all");
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 24);

    // A lease that one process took holds in another, and an edit there spoils the fold here.
    let at = At { key: &sessions[0], now: now() };
    let (_, state) = stores[0].read_with_summary(at, Range::After(0, 9), Reader::Client).await.unwrap();
    let old = state.current.unwrap();
    let lease = |who| Lease { token: Uuid::from_u128(who), until: later(60), upto: 2 };
    let begun = stores[1].begin_fold(at, &lease(1), Some(old.id)).await.unwrap();
    assert_eq!(begun, Begun::Yours { failures: 0 });
    assert_eq!(stores[2].begin_fold(at, &lease(2), Some(old.id)).await.unwrap(), Begun::Busy(lease(1).until));
    let slice = stores[3].read(at, Range::After(0, 1)).await.unwrap();
    let record = slice.entries[0].live().unwrap().clone();
    assert_eq!(stores[3].replace(at, 1, &record, &record.deleted()).await, Ok(Replaced::Done));
    let made = Commit { lease: Some(lease(1).token), ..commit(Some(&old), &summary(9, 2)) };
    assert_eq!(stores[1].commit_summary(at, &made).await, Ok(Committed::Changed));
}

/// A store that was closed with a session claimed and leased forgets neither.
#[tokio::test]
async fn what_is_due_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let key = key("s");
    let at = At { key: &key, now: now() };
    let store = open(&path);
    store.append(at, turn(0)).await.unwrap();
    store.mark_due(&key, now()).await.unwrap();
    assert_eq!(store.claim_due(now(), later(60), 9).await.unwrap().len(), 1);
    let lease = Lease { token: Uuid::from_u128(1), until: later(60), upto: 2 };
    store.begin_fold(at, &lease, None).await.unwrap();
    drop(store);
    let store = open(&path);
    let other = Lease { token: Uuid::from_u128(2), ..lease };
    assert_eq!(store.begin_fold(at, &other, None).await, Ok(Begun::Busy(later(60))));
    assert_eq!(store.claim_due(later(59), later(119), 9).await, Ok(Vec::new()));
    assert_eq!(store.claim_due(later(60), later(120), 9).await.unwrap().len(), 1);
    let at = At { key: &key, now: later(60) };
    assert_eq!(store.begin_fold(at, &other, None).await, Ok(Begun::Yours { failures: 0 }));
}
