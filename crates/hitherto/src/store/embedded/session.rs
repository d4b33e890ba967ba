//! A session's row: everything about it but its messages.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::{Description, FileResult, Seq, signed, unsigned};
use crate::session::{SessionKey, UserId};
use crate::summary::{Hint, PolicyChange};
use crate::time::Timestamp;
use crate::ttl::{Restart, Ttl, TtlChange};

/// The columns of [`SessionRow`], in order, and the name.
pub(super) const COLUMNS: &str = "id, base, last, deleted, turns, bytes, created_at, updated_at, \
    ttl_ms, ttl_restart, expires_at, max_messages, metadata, \
    summary_upto, summary_turns, summary_bytes, stale, failures, policy, hint_turns, hint_bytes, user, name";

/// A row of the table `session`.
#[derive(Debug, Clone)]
pub(super) struct SessionRow {
    pub(super) id: i64,
    pub(super) base: Seq,
    pub(super) last: Seq,
    pub(super) deleted: u64,
    pub(super) turns: u64,
    pub(super) bytes: u64,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) ttl: Option<Ttl>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) max_messages: Option<u64>,
    pub(super) metadata: Option<String>,
    pub(super) folded: Folded,
    pub(super) user: Option<UserId>,
}

/// What of a session's row is about its summary. It has columns of its own, since a write seldom changes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Folded {
    /// The watermark of the summary; 0 without one.
    pub(super) upto: Seq,
    /// How many of the turns that the session holds are covered.
    pub(super) turns: u64,
    /// How many of the bytes.
    pub(super) bytes: u64,
    pub(super) stale: bool,
    /// How often folding has failed since it last succeeded.
    pub(super) failures: u32,
    /// The session's own policy, as JSON.
    pub(super) policy: Option<String>,
    /// What follows from that policy.
    pub(super) hint: Option<Hint>,
}

impl Folded {
    /// From the columns that begin at `first`.
    fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let number = |index| row.get(first + index).map(unsigned);
        let hint = match (row.get(first + 6)?, row.get(first + 7)?) {
            (Some(turns), Some(bytes)) => Some(Hint {
                turns: u32::try_from(unsigned(turns)).unwrap_or(u32::MAX),
                bytes: if bytes == i64::MAX { u64::MAX } else { unsigned(bytes) },
            }),
            _ => None,
        };
        Ok(Self {
            upto: number(0)?,
            turns: number(1)?,
            bytes: number(2)?,
            stale: number(3)? != 0,
            failures: u32::try_from(number(4)?).unwrap_or(u32::MAX),
            policy: row.get(first + 5)?,
            hint,
        })
    }

    /// The session's own policy. One that a newer version wrote says nothing here.
    pub(super) fn policy(&self) -> PolicyChange {
        self.policy.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// Writes its columns back.
    pub(super) fn save(&self, file: &Connection, session: i64) -> FileResult<()> {
        file.prepare_cached(
            "UPDATE session SET summary_upto = ?2, summary_turns = ?3, summary_bytes = ?4, stale = ?5,
                failures = ?6, policy = ?7, hint_turns = ?8, hint_bytes = ?9
             WHERE id = ?1",
        )?
        .execute(params![
            session,
            signed(self.upto),
            signed(self.turns),
            signed(self.bytes),
            self.stale,
            self.failures,
            self.policy,
            self.hint.map(|hint| hint.turns),
            self.hint.map(|hint| signed(hint.bytes)),
        ])?;
        Ok(())
    }
}

impl SessionRow {
    fn new(id: i64, now: Timestamp) -> Self {
        Self {
            id,
            base: 0,
            last: 0,
            deleted: 0,
            turns: 0,
            bytes: 0,
            created_at: now,
            updated_at: now,
            ttl: None,
            expires_at: None,
            max_messages: None,
            metadata: None,
            folded: Folded::default(),
            user: None,
        }
    }

    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |index| row.get(index).map(unsigned);
        let ttl_ms: Option<i64> = row.get(8)?;
        let restart: Option<String> = row.get(9)?;
        let ttl = ttl_ms.and_then(|millis| Ttl::new(std::time::Duration::from_millis(unsigned(millis))).ok());
        Ok(Self {
            id: row.get(0)?,
            base: number(1)?,
            last: number(2)?,
            deleted: number(3)?,
            turns: number(4)?,
            bytes: number(5)?,
            created_at: Timestamp::from_millis(row.get(6)?),
            updated_at: Timestamp::from_millis(row.get(7)?),
            ttl: ttl.map(|ttl| ttl.restarted_by(Restart::parse(restart.as_deref().unwrap_or_default()))),
            expires_at: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_millis),
            max_messages: row.get::<_, Option<i64>>(11)?.map(unsigned),
            metadata: row.get(12)?,
            folded: Folded::from_row(row, 13)?,
            user: row.get::<_, Option<String>>(21)?.and_then(|user| UserId::parse(&user).ok()),
        })
    }

    /// Whether the session is due for folding, where an append says from when on one is.
    pub(super) fn is_due(&self, hint: Option<Hint>) -> bool {
        let Some(hint) = hint.map(|hint| self.folded.hint.unwrap_or(hint)) else {
            return false;
        };
        if hint.turns == u32::MAX && hint.bytes == u64::MAX {
            return false;
        }
        self.folded.stale
            || self.turns.saturating_sub(self.folded.turns) >= u64::from(hint.turns)
            || self.bytes.saturating_sub(self.folded.bytes) >= hint.bytes
    }

    /// How many messages it holds: the places that are not deleted.
    pub(super) fn held(&self) -> u64 {
        self.last.saturating_sub(self.base).saturating_sub(self.deleted)
    }

    pub(super) fn description(&self) -> Description {
        Description {
            messages: self.held(),
            turns: self.turns,
            deleted: self.deleted,
            first_seq: self.base + 1,
            last_seq: self.last,
            bytes: self.bytes,
            created_at: self.created_at,
            updated_at: self.updated_at,
            ttl: self.ttl,
            expires_at: self.expires_at,
            max_messages: self.max_messages,
            metadata: self.metadata.clone(),
            policy: self.folded.policy(),
            summary_upto: self.folded.upto,
            summary_stale: self.folded.stale,
            user: self.user.clone(),
        }
    }

    /// Notes a write: its time, what it does to the time to live, and that it restarts the clock.
    pub(super) fn written(&mut self, now: Timestamp, change: TtlChange) {
        self.updated_at = now;
        match change {
            TtlChange::Remove => self.ttl = None,
            TtlChange::Set(ttl) | TtlChange::Start(ttl) => self.ttl = Some(ttl),
            TtlChange::Keep => {
                if self.ttl.is_some_and(|ttl| ttl.restart() == Restart::Never) {
                    return;
                }
            }
        }
        self.restart(now);
    }

    /// Starts the clock again.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.expires_at = self.ttl.map(|ttl| now.plus_millis(signed(ttl.as_millis())));
    }

    /// Writes the row back, except for what is about its summary.
    pub(super) fn save(&self, file: &Connection) -> FileResult<()> {
        file.prepare_cached(
            "UPDATE session SET base = :base, last = :last, deleted = :deleted, turns = :turns, bytes = :bytes,
                updated_at = :updated_at, ttl_ms = :ttl_ms, ttl_restart = :ttl_restart, expires_at = :expires_at,
                max_messages = :max_messages, metadata = :metadata
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": self.id,
            ":base": signed(self.base),
            ":last": signed(self.last),
            ":deleted": signed(self.deleted),
            ":turns": signed(self.turns),
            ":bytes": signed(self.bytes),
            ":updated_at": self.updated_at.as_millis(),
            ":ttl_ms": self.ttl.map(|ttl| signed(ttl.as_millis())),
            ":ttl_restart": self.ttl.map(|ttl| ttl.restart().as_str()),
            ":expires_at": self.expires_at.map(Timestamp::as_millis),
            ":max_messages": self.max_messages.map(signed),
            ":metadata": self.metadata,
        })?;
        Ok(())
    }
}

/// The session, if it exists and has not expired.
pub(super) fn find(file: &Connection, key: &SessionKey, now: Timestamp) -> FileResult<Option<SessionRow>> {
    let row = find_any(file, key)?;
    Ok(row.filter(|row| row.expires_at.is_none_or(|end| end > now)))
}

/// The session, whether it has expired or not.
pub(super) fn find_any(file: &Connection, key: &SessionKey) -> FileResult<Option<SessionRow>> {
    let sql = format!("SELECT {COLUMNS} FROM session WHERE tenant = ?1 AND memory_key = ?2 AND name = ?3");
    let (tenant, memory_key) = (key.scope.tenant.as_str(), key.scope.memory_key.as_str());
    let row = file
        .prepare_cached(&sql)?
        .query_row(params![tenant, memory_key, key.session.as_str()], SessionRow::from_row)
        .optional()?;
    Ok(row)
}

/// The session, made if it does not exist; one that has expired is removed first.
pub(super) fn find_or_create(file: &Connection, key: &SessionKey, now: Timestamp) -> FileResult<SessionRow> {
    if let Some(row) = find_any(file, key)? {
        if row.expires_at.is_none_or(|end| end > now) {
            return Ok(row);
        }
        super::sweep::remove(file, &row)?;
    }
    file.prepare_cached(
        "INSERT INTO session (tenant, memory_key, name, base, last, deleted, turns, bytes, created_at, updated_at)
         VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, ?4, ?4)",
    )?
    .execute(params![
        key.scope.tenant.as_str(),
        key.scope.memory_key.as_str(),
        key.session.as_str(),
        now.as_millis()
    ])?;
    Ok(SessionRow::new(file.last_insert_rowid(), now))
}
