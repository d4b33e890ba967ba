//! From older versions of the tables to the one of today. What stands here once is not changed again: files of
//! that version are about.
//!
//! Invariant: a file that was brought here from an older version has the same tables as a new one.

/// The steps, each from which version on: a file takes those that its version is not beyond, in order.
pub(super) const STEPS: [(u32, &str); 3] = [(1, FROM_1), (2, USERS_FROM_2), (2, CREDENTIALS_FROM_2)];

/// What a connection that must not change an older file sees in its place, each for files of which versions.
pub(super) const SEEN: [(std::ops::RangeInclusive<u32>, &str); 3] =
    [(1..=1, SEEN_FROM_1), (2..=2, USERS_SEEN_FROM_2), (1..=2, CREDENTIALS_SEEN_FROM_2)];

/// From version 1, which knew no summaries.
const FROM_1: &str = "
ALTER TABLE session ADD COLUMN summary_upto INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN summary_turns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN summary_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN policy TEXT;
ALTER TABLE session ADD COLUMN hint_turns INTEGER;
ALTER TABLE session ADD COLUMN hint_bytes INTEGER;
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

/// From version 2, which knew no users. What was deleted until then may still be legible in the file.
const USERS_FROM_2: &str = "
ALTER TABLE session ADD COLUMN user TEXT;
CREATE INDEX session_by_user ON session (tenant, user, memory_key, updated_at, name) WHERE user IS NOT NULL;
CREATE TABLE unscrubbed (
    file INTEGER PRIMARY KEY
) STRICT;
INSERT INTO unscrubbed (file) VALUES (1);
";

/// What a connection that must not change a file of version 2 sees in its place: the same sessions, without users.
const USERS_SEEN_FROM_2: &str = "
CREATE TEMP VIEW session AS SELECT *, NULL AS user FROM main.session;
";

/// What a connection that must not change a file of version 1 sees in its place: the same sessions, without
/// summaries. It is the connection's own, and not in the file.
const SEEN_FROM_1: &str = "
CREATE TEMP VIEW session AS
    SELECT *, 0 AS summary_upto, 0 AS summary_turns, 0 AS summary_bytes, 0 AS stale, 0 AS failures,
        NULL AS policy, NULL AS hint_turns, NULL AS hint_bytes, NULL AS user
    FROM main.session;
CREATE TEMP VIEW summary AS
    SELECT 0 AS session, '' AS place, x'' AS id, '' AS text, 0 AS upto, 0 AS tokens, '' AS made_by,
        0 AS stand_in, 0 AS made_at, 0 AS turns, 0 AS bytes
    WHERE 0;
";

/// From version 2, which knew no credentials.
const CREDENTIALS_FROM_2: &str = "
CREATE TABLE credential (
    hash       BLOB PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
";

/// What a connection that must not change a file of version 2 sees in its place: no credentials.
const CREDENTIALS_SEEN_FROM_2: &str = "
CREATE TEMP VIEW credential AS
    SELECT x'' AS hash, x'' AS id, '' AS tenant, '' AS name, '' AS scopes, 0 AS created_at, NULL AS expires_at,
        NULL AS revoked_at
    WHERE 0;
";
