//! Files of version 2 of the embedded store.

use std::path::Path;

use rusqlite::Connection;

/// The tables of version 2, as that version made them.
const TABLES: &str = "
CREATE TABLE session (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant        TEXT NOT NULL,
    memory_key    TEXT NOT NULL,
    name          TEXT NOT NULL,
    base          INTEGER NOT NULL,
    last          INTEGER NOT NULL,
    deleted       INTEGER NOT NULL,
    turns         INTEGER NOT NULL,
    bytes         INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    ttl_ms        INTEGER,
    ttl_restart   TEXT,
    expires_at    INTEGER,
    max_messages  INTEGER,
    metadata      TEXT,
    summary_upto  INTEGER NOT NULL DEFAULT 0,
    summary_turns INTEGER NOT NULL DEFAULT 0,
    summary_bytes INTEGER NOT NULL DEFAULT 0,
    stale         INTEGER NOT NULL DEFAULT 0,
    failures      INTEGER NOT NULL DEFAULT 0,
    policy        TEXT,
    hint_turns    INTEGER,
    hint_bytes    INTEGER,
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
CREATE TABLE summary (
    session  INTEGER NOT NULL,
    place    TEXT NOT NULL,
    id       BLOB NOT NULL,
    text     TEXT NOT NULL,
    upto     INTEGER NOT NULL,
    tokens   INTEGER NOT NULL,
    made_by  TEXT NOT NULL,
    stand_in INTEGER NOT NULL,
    made_at  INTEGER NOT NULL,
    turns    INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    PRIMARY KEY (session, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
    session INTEGER PRIMARY KEY,
    token   BLOB NOT NULL,
    until   INTEGER NOT NULL,
    upto    INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
CREATE TABLE due (
    session       INTEGER PRIMARY KEY,
    due_at        INTEGER NOT NULL,
    claimed_until INTEGER,
    marked_at     INTEGER
) STRICT;
CREATE INDEX due_by_time ON due (due_at);
";

/// Writes a file of version 2, and into it what that SQL says.
pub(crate) fn write(path: &Path, content: &str) {
    let file = Connection::open(path).unwrap();
    file.pragma_update(None, "journal_mode", "WAL").unwrap();
    file.execute_batch(TABLES).unwrap();
    file.execute_batch(content).unwrap();
    file.execute_batch("PRAGMA application_id = 0x48544854; PRAGMA user_version = 2;").unwrap();
}
