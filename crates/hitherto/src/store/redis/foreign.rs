//! Other programs' keys: read as they are.
//!
//! Invariant: the reader sends nothing but commands that read, and never `KEYS`. Each call has the deadline of every
//! call, so what is large is read in pages.

mod answers;
mod writer;

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Pipeline, cmd};

use super::link::Kind;
use super::options::RedisOptions;
use super::route::Route;
use crate::store::Result;

pub use writer::{ForeignWriter, ListEnd, Pushed};

/// Reads keys that are not Hitherto's.
#[derive(Debug)]
pub struct ForeignReader {
    link: Route,
}

/// What a key is, without what stands under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its type; `none` for a key that is not there.
    pub kind: String,
    /// How long it still lives, if it ends.
    pub ttl: Option<Duration>,
}

/// How many keys one step of a scan looks at.
const SCANNED: u32 = 500;

impl ForeignReader {
    /// Checks the options; the connection is made by the first call that needs it.
    ///
    /// # Errors
    /// If the address or a certificate cannot be used.
    pub fn new(options: &RedisOptions) -> Result<Self> {
        Ok(Self { link: Route::new(options)? })
    }

    /// What errors call the server: its address, without credentials.
    pub fn name(&self) -> &str {
        self.link.name()
    }

    /// A step of a walk over all keys that match a glob, and where the next begins; 0 begins, and ends. A key may be
    /// given twice.
    ///
    /// # Errors
    /// Any error of the connection or server, here as in all others.
    pub async fn scan(&self, cursor: u64, pattern: &[u8]) -> Result<(u64, Vec<Bytes>)> {
        let mut command = cmd("SCAN");
        command.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCANNED);
        let (next, keys) = answers::pair(self.call(&command).await?).ok_or_else(|| self.odd("SCAN"))?;
        let next = answers::number(&next).ok_or_else(|| self.odd("SCAN"))?;
        Ok((next, answers::texts(keys).ok_or_else(|| self.odd("SCAN"))?))
    }

    /// What these keys are.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn about(&self, keys: &[Bytes]) -> Result<Vec<About>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = Pipeline::with_capacity(keys.len() * 2);
        for key in keys {
            commands.cmd("TYPE").arg(&key[..]);
            commands.cmd("PTTL").arg(&key[..]);
        }
        let mut answers = self.link.send_all(Kind::Read, &commands).await?.into_iter();
        let mut all = Vec::with_capacity(keys.len());
        while let (Some(kind), Some(ttl)) = (answers.next(), answers.next()) {
            let kind = answers::text(self.link.checked(kind)?).ok_or_else(|| self.odd("TYPE"))?;
            let ttl = answers::number(&self.link.checked(ttl)?).filter(|ttl: &i64| *ttl >= 0);
            all.push(About {
                kind: String::from_utf8_lossy(&kind).into_owned(),
                ttl: ttl.map(|ttl| Duration::from_millis(ttl.unsigned_abs())),
            });
        }
        Ok(all)
    }

    /// How many elements a list has.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn length(&self, key: &[u8]) -> Result<u64> {
        let answer = self.call(cmd("LLEN").arg(key)).await?;
        answers::number(&answer).ok_or_else(|| self.odd("LLEN"))
    }

    /// The elements of a list from one index to another, both included; negative ones count from its tail.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn list(&self, key: &[u8], from: i64, to: i64) -> Result<Vec<Bytes>> {
        let answer = self.call(cmd("LRANGE").arg(key).arg(from).arg(to)).await?;
        answers::texts(answer).ok_or_else(|| self.odd("LRANGE"))
    }

    /// The strings under these keys; `None` where there is none.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn texts(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = cmd("MGET");
        for key in keys {
            command.arg(&key[..]);
        }
        let values = self.link.array(self.call(&command).await?)?;
        Ok(values.into_iter().map(answers::text).collect())
    }

    /// The fields of a hash.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn hash(&self, key: &[u8]) -> Result<Vec<(Bytes, Bytes)>> {
        let answer = self.call(cmd("HGETALL").arg(key)).await?;
        answers::fields(answer).ok_or_else(|| self.odd("HGETALL"))
    }

    /// One field of a hash.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn field(&self, key: &[u8], field: &[u8]) -> Result<Option<Bytes>> {
        Ok(answers::text(self.call(cmd("HGET").arg(key).arg(field)).await?))
    }

    /// A step of a walk over the names of a hash's fields, and where the next begins; 0 begins, and ends.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn field_names(&self, key: &[u8], cursor: u64) -> Result<(u64, Vec<Bytes>)> {
        // With the values: asking for the names alone is of Redis 7.4, and a page of 20 is small enough.
        let mut command = cmd("HSCAN");
        command.arg(key).arg(cursor).arg("COUNT").arg(20);
        let (next, fields) = answers::pair(self.call(&command).await?).ok_or_else(|| self.odd("HSCAN"))?;
        let next = answers::number(&next).ok_or_else(|| self.odd("HSCAN"))?;
        let fields = answers::fields(fields).ok_or_else(|| self.odd("HSCAN"))?;
        Ok((next, fields.into_iter().map(|(name, _)| name).collect()))
    }

    /// The members of a sorted set from one rank to another, both included, with their scores.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn members(&self, key: &[u8], from: i64, to: i64) -> Result<Vec<(Bytes, f64)>> {
        let answer = self.call(cmd("ZRANGE").arg(key).arg(from).arg(to).arg("WITHSCORES")).await?;
        answers::scored(answer).ok_or_else(|| self.odd("ZRANGE"))
    }

    /// The score of a member of a sorted set.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn score(&self, key: &[u8], member: &[u8]) -> Result<Option<f64>> {
        Ok(answers::score(&self.call(cmd("ZSCORE").arg(key).arg(member)).await?))
    }

    /// The RedisJSON document under a key.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub async fn document(&self, key: &[u8]) -> Result<Option<Bytes>> {
        Ok(answers::text(self.call(cmd("JSON.GET").arg(key)).await?))
    }

    async fn call(&self, command: &Cmd) -> Result<redis::Value> {
        self.link.call(Kind::Read, command).await
    }

    /// An answer that no version of the server should give.
    fn odd(&self, command: &str) -> crate::store::StoreError {
        self.link.failed(&format!("{command} was answered in a way that it never is"))
    }
}
