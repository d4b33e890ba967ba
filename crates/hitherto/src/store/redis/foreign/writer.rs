//! Writes keys as other programs keep them.
//!
//! Invariant: a key that is there already is not touched unless the caller has looked at it, or wants it replaced; a
//! key and its expiry are written in one transaction.

use std::time::Duration;

use bytes::Bytes;
use redis::{Pipeline, cmd};

use super::super::link::{Kind, transaction};
use super::super::options::RedisOptions;
use super::super::route::Route;
use super::{ForeignReader, answers};
use crate::layout::{Key, Value};
use crate::store::Result;

/// Writes keys that are not Hitherto's.
#[derive(Debug)]
pub struct ForeignWriter {
    reader: ForeignReader,
}

/// Where elements are pushed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListEnd {
    /// The newest stands there: index 0.
    Head,
    /// The newest stands last.
    Tail,
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// How many elements the list has now.
    pub length: u64,
}

impl ForeignWriter {
    /// Checks the options; the connection is made by the first call that needs it.
    ///
    /// # Errors
    /// If the address or a certificate cannot be used.
    pub fn new(options: &RedisOptions) -> Result<Self> {
        Ok(Self { reader: ForeignReader::new(options)? })
    }

    /// What there is already.
    pub fn reader(&self) -> &ForeignReader {
        &self.reader
    }

    fn link(&self) -> &Route {
        &self.reader.link
    }

    /// Pushes elements, oldest first, and sets when the list ends; with `anew` in place of what there was.
    ///
    /// # Errors
    /// Any error of the connection or server; the elements are pushed all or not at all.
    pub async fn push(
        &self,
        key: &[u8],
        end: ListEnd,
        elements: &[Bytes],
        ttl: Option<Duration>,
        anew: bool,
    ) -> Result<Pushed> {
        let mut commands = transaction();
        if anew {
            commands.cmd("DEL").arg(key);
        }
        commands.cmd(if end == ListEnd::Head { "LPUSH" } else { "RPUSH" }).arg(key);
        for element in elements {
            commands.arg(&element[..]);
        }
        expire(&mut commands, key, ttl);
        let answers = self.link().transact(Kind::Write, commands).await?;
        let length = answers.get(usize::from(anew)).and_then(answers::number);
        let length = length.ok_or_else(|| self.link().failed("a push was answered without a length"))?;
        Ok(Pushed { length })
    }

    /// Removes a key.
    ///
    /// # Errors
    /// Any error of the connection or server.
    pub async fn remove(&self, key: &[u8]) -> Result<()> {
        self.link().call(Kind::Once, cmd("DEL").arg(key)).await.map(drop)
    }

    /// Puts a key: members and fields are added to what there is, anything else takes its place.
    ///
    /// # Errors
    /// Any error of the connection or server.
    pub async fn put(&self, key: &Key, anew: bool) -> Result<()> {
        let name = &key.name[..];
        let mut commands = transaction();
        if anew {
            commands.cmd("DEL").arg(name);
        }
        match &key.value {
            Value::Text(text) => {
                commands.cmd("SET").arg(name).arg(&text[..]);
            }
            Value::Document(json) => {
                commands.cmd("JSON.SET").arg(name).arg("$").arg(&json[..]);
            }
            Value::Hash(fields) => {
                commands.cmd("HSET").arg(name);
                for (field, value) in fields {
                    commands.arg(&field[..]).arg(&value[..]);
                }
            }
            Value::Zset(members) => {
                commands.cmd("ZADD").arg(name);
                for (member, score) in members {
                    commands.arg(*score).arg(&member[..]);
                }
            }
            Value::Set(members) => {
                commands.cmd("SADD").arg(name);
                for member in members {
                    commands.arg(&member[..]);
                }
            }
            Value::List(elements) => {
                commands.cmd("RPUSH").arg(name);
                for element in elements {
                    commands.arg(&element[..]);
                }
            }
        }
        expire(&mut commands, name, key.ttl);
        self.link().transact(Kind::Write, commands).await.map(drop)
    }
}

fn expire(commands: &mut Pipeline, key: &[u8], ttl: Option<Duration>) {
    if let Some(ttl) = ttl {
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        commands.cmd("PEXPIRE").arg(key).arg(millis);
    }
}
