//! The database file: its tables, their version, and how a connection to it is set up.
//! `docs/storage.md` describes the tables; a test holds the two together.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{EmbeddedOptions, FileError, FileResult, Finding, Outcome, Severity, StoreError, upgrade};
use crate::stats::Traffic;

/// What `PRAGMA application_id` says in a file of Hitherto's: "HTHT".
const APPLICATION_ID: i32 = 0x4854_4854;
/// What `PRAGMA user_version` says: the newest version of the tables that is known here.
const VERSION: u32 = 3;

/// The tables of version 3.
pub(crate) const TABLES: &str = "
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
    user          TEXT,
    UNIQUE (tenant, memory_key, name)
) STRICT;
CREATE INDEX session_by_activity ON session (tenant, memory_key, updated_at, name);
CREATE INDEX session_by_expiry ON session (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX session_by_user ON session (tenant, user, memory_key, updated_at, name) WHERE user IS NOT NULL;
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
CREATE TABLE unscrubbed (
    file INTEGER PRIMARY KEY
) STRICT;

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

/// The file, and what its connections have in common.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) options: EmbeddedOptions,
    /// What was exchanged with the file.
    pub(super) traffic: Traffic,
}

impl Database {
    pub(super) fn new(options: EmbeddedOptions) -> Self {
        Self { options, traffic: Traffic::default() }
    }

    /// What errors call the store.
    pub(super) fn name(&self) -> String {
        format!("the database {}", self.options.path.display())
    }

    /// The connection that writes; it makes the file and its tables if they are not there.
    pub(super) fn open_writer(&self) -> Result<Connection, StoreError> {
        self.wrap(|| {
            let path = &self.options.path;
            make_private(path).map_err(|reason| StoreError::Unreachable { store: self.name(), reason })?;
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let mut file = Connection::open_with_flags(path, flags)?;
            self.set_up(&file)?;
            // Checked before anything is written, so that somebody else's database stays as it is.
            self.check_version(&file)?;
            file.pragma_update(None, "journal_mode", "WAL")?;
            file.pragma_update(None, "synchronous", "FULL")?;
            // Pages that many writes change are copied back once for all of them: at most 16 MiB of journal.
            file.pragma_update(None, "wal_autocheckpoint", 4000)?;
            if let Some(bytes) = self.options.max_bytes {
                let page: i64 = file.pragma_query_value(None, "page_size", |row| row.get(0))?;
                file.pragma_update(
                    None,
                    "max_page_count",
                    i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1),
                )?;
            }
            let change = file.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            match self.check_version(&change)? {
                0 => {
                    change.execute_batch(TABLES)?;
                    change.pragma_update(None, "application_id", APPLICATION_ID)?;
                }
                version => {
                    for (from, step) in upgrade::STEPS {
                        if version <= from {
                            change.execute_batch(step)?;
                        }
                    }
                }
            }
            change.pragma_update(None, "user_version", VERSION)?;
            change.commit()?;
            Ok(file)
        })
    }

    /// A connection that reads.
    pub(super) fn open_reader(&self) -> Result<Connection, StoreError> {
        self.wrap(|| {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let file = Connection::open_with_flags(&self.options.path, flags)?;
            self.set_up(&file)?;
            let version = self.check_version(&file)?;
            for (versions, seen) in upgrade::SEEN {
                if versions.contains(&version) {
                    file.execute_batch(seen)?;
                }
            }
            Ok(file)
        })
    }

    fn set_up(&self, file: &Connection) -> FileResult<()> {
        // Shorter than the deadline, so that a caller learns what the file was busy with.
        file.busy_timeout(self.options.deadline.mul_f32(0.8))?;
        file.pragma_update(None, "cache_size", -4000)?;
        file.set_prepared_statement_cache_capacity(64);
        Ok(())
    }

    /// The version of the tables; 0 for a file without any.
    fn check_version(&self, file: &Connection) -> FileResult<u32> {
        let application: i32 = file.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version: u32 = file.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables: i64 = file.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let new = application == 0 && version == 0 && tables == 0;
        if !new && application != APPLICATION_ID {
            return Err(FileError::Store(StoreError::Foreign {
                what: self.name(),
                reason: "it is another program's SQLite database".to_owned(),
            }));
        }
        if version > VERSION {
            return Err(FileError::Store(StoreError::NewerFormat {
                what: self.name(),
                found: version,
                known: VERSION,
            }));
        }
        Ok(version)
    }

    /// Does something to the file and says what went wrong in the store's words.
    pub(super) fn wrap<T>(&self, work: impl FnOnce() -> FileResult<T>) -> Result<T, StoreError> {
        work().map_err(|error| self.explain(error))
    }

    /// An error of SQLite's in the store's words.
    pub(super) fn explain(&self, error: FileError) -> StoreError {
        let error = match error {
            FileError::Store(error) => return error,
            FileError::Sqlite(error) => error,
        };
        let (store, reason) = (self.name(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Busy { store, reason: "another process is writing to it".to_owned() }
            }
            Some(ErrorCode::DiskFull) => StoreError::Full { store, reason },
            Some(ErrorCode::SystemIoFailure) => {
                StoreError::Disk { store, reason, outcome: Outcome::NotStored }
            }
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { store, reason },
            Some(ErrorCode::NotADatabase) => StoreError::Foreign { what: store, reason },
            Some(ErrorCode::CannotOpen) => StoreError::Unreachable { store, reason },
            Some(ErrorCode::PermissionDenied) => StoreError::Denied { store, reason },
            _ => StoreError::Failed { store, reason },
        }
    }
}

/// Whether the connection looks at older tables. Somebody else may bring them to this version at any time, and
/// then it would still see them as they were: it is good for one read.
pub(super) fn sees_old_tables(file: &Connection) -> bool {
    let views = file.query_row("SELECT count(*) FROM sqlite_temp_schema", [], |row| row.get::<_, i64>(0));
    views.map_or(true, |views| views > 0)
}

/// Makes the file if it is not there, for its owner only: it will hold what people say.
fn make_private(path: &Path) -> Result<(), String> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// What the file is like, and whether it is whole.
pub(super) fn inspect(file: &Connection) -> FileResult<Vec<Finding>> {
    let version: u32 = file.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let journal: String = file.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let check: String = file.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    let fine = |subject, found| Finding { severity: Severity::Fine, subject, found, advice: String::new() };
    let mut findings = vec![
        fine("version", format!("tables of version {version}, SQLite {}", rusqlite::version())),
        fine("persistence", format!("journal {journal}; every write is on disk when it is answered")),
    ];
    findings.push(if check == "ok" {
        fine("integrity", "the file is whole".to_owned())
    } else {
        Finding {
            severity: Severity::Failure,
            subject: "integrity",
            found: check,
            advice: "stop the server, copy the file, and recover it with `sqlite3 FILE .recover`".to_owned(),
        }
    });
    Ok(findings)
}
