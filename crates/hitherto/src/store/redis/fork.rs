//! Forks: by `COPY` where both sessions are on one server; in a cluster by way of copies that nobody sees.
//!
//! Invariant: the new session is there whole or not at all, and is what the old one was at one moment. Whatever ends in
//! between leaves nothing that a client sees, and nothing for longer than [`HIDDEN_MS`].

use redis::{Cmd, Value};
use uuid::Uuid;

use super::keys::Keys;
use super::link::Kind;
use super::meta::{Reply, integer, number};
use super::{RedisStore, arguments, errors, read};
use crate::session::SessionId;
use crate::store::{At, Result, Seq, Store as _, StoreError};

/// How long a copy lives that nobody has added to.
const HIDDEN_MS: u32 = 60_000;
/// How many bytes of records go over at once, about, and how many records at most.
const PIECE: u64 = 1 << 19;
const RECORDS: u64 = 500;

impl RedisStore {
    /// Copies a session, up to a message or whole.
    pub(super) async fn copy(&self, at: At<'_>, to: &SessionId, upto: Option<Seq>) -> Result<Seq> {
        let target = at.key.scope.session(to);
        let (from, keys) = (Keys::new(at.key), Keys::new(&target));
        if let Some(seq) = upto.filter(|seq| *seq > read::MOST) {
            return match self.describe(at).await? {
                Some(_) => Err(StoreError::NoMessage(seq)),
                None => Err(StoreError::NoSession),
            };
        }
        let last = if self.link.is_cluster().await? {
            self.copy_between(at, &from, &keys, upto).await?
        } else {
            self.copy_beside(at, &from, &keys, upto, None).await?
        };
        // Whatever this process has told of that id before was of another session.
        self.touches.forget(&target);
        self.touch(&target, at.now).await;
        Ok(last)
    }

    /// Copies within one slot; what is to be seen by nobody ends by itself.
    async fn copy_beside(
        &self,
        at: At<'_>,
        from: &Keys,
        to: &Keys,
        upto: Option<Seq>,
        lives_ms: Option<u32>,
    ) -> Result<Seq> {
        let upto = upto.map(|seq| seq.to_string()).unwrap_or_default();
        let lives = lives_ms.map(|millis| millis.to_string()).unwrap_or_default();
        let fill = |command: &mut Cmd| {
            command.arg(4).arg(from.log()).arg(from.meta()).arg(to.log()).arg(to.meta());
            command.arg(arguments::millis(at.now)).arg(&upto).arg(&lives);
        };
        let reply = self.scripts.call(&self.link, &self.scripts.fork, Kind::Write, fill).await?;
        let reply = Reply(self.link.array(reply)?);
        if reply.word() == "ok" { Ok(number(reply.number(1))) } else { Err(self.refusal(from, &reply)) }
    }

    /// Copies to another slot: a hidden copy beside the old session is one moment of it; its records go to a hidden
    /// list beside the new one in pieces; and one script makes a session of that.
    async fn copy_between(&self, at: At<'_>, from: &Keys, to: &Keys, upto: Option<Seq>) -> Result<Seq> {
        let mut exists = redis::cmd("EXISTS");
        exists.arg(to.meta());
        if integer(&self.link.call(Kind::Read, &exists).await?) > 0 {
            // Found out again at the end; here it spares the copying, and says so of a session that is there.
            return match self.describe(at).await? {
                Some(_) => Err(StoreError::SessionExists),
                None => Err(StoreError::NoSession),
            };
        }
        let token = Uuid::new_v4();
        let (copy, arriving) = (from.hidden(token), to.hidden(token));
        let copied = self.copy_beside(at, from, &copy, upto, Some(HIDDEN_MS)).await;
        let done = match copied {
            Ok(last) => self.carry(at, &copy, &arriving, to).await.map(|()| last),
            // Whatever became of it, nothing is there that anybody sees.
            Err(error) => Err(errors::undone(error)),
        };
        for keys in [vec![copy.log(), copy.meta()], vec![arriving.log()]] {
            // They end by themselves.
            let _ = self.link.call(Kind::Read, redis::cmd("UNLINK").arg(keys)).await;
        }
        done
    }

    async fn carry(&self, at: At<'_>, copy: &Keys, arriving: &Keys, to: &Keys) -> Result<()> {
        let fields = self.link.call(Kind::Read, redis::cmd("HGETALL").arg(copy.meta())).await?;
        let length = self.link.call(Kind::Read, redis::cmd("LLEN").arg(copy.log())).await?;
        let length = number(integer(&length));
        let Value::Map(fields) = fields else { return Err(self.lost(copy)) };
        let mut size = RECORDS / 10;
        let mut sent = 0;
        while sent < length {
            let until = (sent + size).min(length);
            let mut range = redis::cmd("LRANGE");
            range.arg(copy.log()).arg(sent).arg(until - 1);
            let records = self.link.array(self.link.call(Kind::Read, &range).await?)?;
            if records.len() as u64 != until - sent {
                return Err(self.lost(copy));
            }
            let bytes: usize = records
                .iter()
                .map(|record| match record {
                    Value::BulkString(bytes) => bytes.len(),
                    _ => 0,
                })
                .sum();
            let fill = |command: &mut Cmd| {
                command.arg(1).arg(arriving.log()).arg(sent).arg(HIDDEN_MS);
                for record in &records {
                    if let Value::BulkString(bytes) = record {
                        command.arg(bytes);
                    }
                }
            };
            let staged = self.scripts.call(&self.link, &self.scripts.stage, Kind::Once, fill).await;
            if number(integer(&staged.map_err(errors::undone)?)) != until {
                return Err(self.lost(arriving));
            }
            size = (PIECE * (until - sent) / (bytes as u64).max(1)).clamp(1, RECORDS);
            sent = until;
        }
        let fill = |command: &mut Cmd| {
            command.arg(3).arg(to.log()).arg(to.meta()).arg(arriving.log());
            command.arg(arguments::millis(at.now)).arg(length);
            for pair in &fields {
                if let (Value::BulkString(field), Value::BulkString(value)) = pair {
                    command.arg(field).arg(value);
                }
            }
        };
        let reply = self.scripts.call(&self.link, &self.scripts.adopt, Kind::Write, fill).await?;
        match Reply(self.link.array(reply)?) {
            reply if reply.word() == "ok" => Ok(()),
            reply if reply.word() == "lost" => Err(self.lost(arriving)),
            reply => Err(self.refusal(to, &reply)),
        }
    }

    /// A copy has ended by itself, or went with a node.
    fn lost(&self, copy: &Keys) -> StoreError {
        StoreError::Busy {
            store: self.link.name().to_owned(),
            reason: format!("the copy {} was lost on its way", copy.shown()),
        }
    }
}
