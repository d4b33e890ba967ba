//! Expiry: `EXPIRE`, `PEXPIRE`, `EXPIREAT`, `PEXPIREAT`, `PERSIST`, `TTL` and their kin.
//!
//! Invariant: an expiry set here runs from then on whatever is pushed, as Redis' own does.

use std::time::Duration;

use hitherto::{Restart, StoreError, Timestamp, Ttl, TtlChange};

use super::command::{Command, NOT_INTEGER};
use super::profile::Part;
use super::read::Outcome;
use super::table::Op;
use super::{Client, Keyspace, Reply, errors};

/// Under which condition an expiry is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Condition {
    none: bool,
    some: bool,
    greater: bool,
    less: bool,
}

impl Keyspace {
    pub(super) async fn expire(&self, client: &Client, op: Op, command: &Command) -> Outcome {
        let left = left(op, command)?;
        let condition = condition(command)?;
        let place = self.place(client, command.word(1))?;
        if place.part == Part::Nothing {
            return Ok(Reply::Int(0));
        }
        let session = &place.session;
        if condition != Condition::default() {
            let Some(found) = self.describe(session).await? else { return Ok(Reply::Int(0)) };
            let now =
                found.expires_at.map(|end| end.as_millis().saturating_sub(Timestamp::now().as_millis()));
            let fits = match now {
                None => !condition.some && !condition.greater,
                Some(now) => {
                    !condition.none && (!condition.greater || left > now) && (!condition.less || left < now)
                }
            };
            if !fits {
                return Ok(Reply::Int(0));
            }
        }
        let Ok(millis) =
            u64::try_from(left).map_err(drop).and_then(|left| if left == 0 { Err(()) } else { Ok(left) })
        else {
            // In the past: the key is gone, as in Redis.
            let gone = self.clear(session).await?;
            return Ok(Reply::flag(gone.is_some()));
        };
        let ttl = Ttl::new(Duration::from_millis(millis)).map_err(|_| invalid(command))?;
        self.set(session, TtlChange::Start(ttl.restarted_by(Restart::Never))).await
    }

    async fn set(&self, session: &hitherto::SessionId, change: TtlChange) -> Outcome {
        match self.memory().set_ttl(session, change).await {
            Ok(()) => Ok(Reply::Int(1)),
            Err(hitherto::Error::Store(StoreError::NoSession)) => Ok(Reply::Int(0)),
            Err(error) => Err(errors::reply(error)),
        }
    }

    pub(super) async fn persist(&self, client: &Client, command: &Command) -> Outcome {
        let place = self.place(client, command.word(1))?;
        let found = self.describe(&place.session).await?.filter(|_| place.part != Part::Nothing);
        match found.and_then(|found| found.expires_at) {
            Some(_) => self.set(&place.session, TtlChange::Remove).await,
            None => Ok(Reply::Int(0)),
        }
    }

    /// `TTL`, `PTTL`, `EXPIRETIME`, `PEXPIRETIME`.
    pub(super) async fn remaining(&self, client: &Client, op: Op, command: &Command) -> Outcome {
        let place = self.place(client, command.word(1))?;
        let found = self.describe(&place.session).await?.filter(|_| place.part != Part::Nothing);
        let Some(found) = found else { return Ok(Reply::Int(-2)) };
        let Some(end) = found.expires_at.map(Timestamp::as_millis) else { return Ok(Reply::Int(-1)) };
        let left = end.saturating_sub(Timestamp::now().as_millis()).max(0);
        Ok(Reply::Int(match op {
            Op::Ttl => left.saturating_add(500) / 1000,
            Op::PTtl => left,
            Op::ExpireTime => end / 1000,
            _ => end,
        }))
    }
}

/// How long is left by a command that sets an expiry, without conditions and in the future.
pub(super) fn simple(op: Op, command: &Command) -> Option<Duration> {
    if !command.rest(3).is_empty() {
        return None;
    }
    let left = u64::try_from(left(op, command).ok()?).ok().filter(|left| *left > 0)?;
    Some(Duration::from_millis(left))
}

/// How many milliseconds from now.
fn left(op: Op, command: &Command) -> Result<i64, Reply> {
    let number = command.integer(2).map_err(|_| Reply::error(NOT_INTEGER))?;
    let now = Timestamp::now().as_millis();
    let millis = match op {
        Op::Expire | Op::ExpireAt => number.checked_mul(1000),
        _ => Some(number),
    };
    let left = match op {
        Op::ExpireAt | Op::PExpireAt => millis.and_then(|millis| millis.checked_sub(now)),
        _ => millis.filter(|millis| millis.checked_add(now).is_some()),
    };
    left.ok_or_else(|| invalid(command))
}

fn invalid(command: &Command) -> Reply {
    let name = command.entry().map_or("expire", |entry| entry.name);
    Reply::error(format!("ERR invalid expire time in '{name}' command"))
}

fn condition(command: &Command) -> Result<Condition, Reply> {
    let mut condition = Condition::default();
    for at in 3..3 + command.rest(3).len() {
        match command.upper(at).as_str() {
            "NX" => condition.none = true,
            "XX" => condition.some = true,
            "GT" => condition.greater = true,
            "LT" => condition.less = true,
            other => return Err(Reply::error(format!("ERR Unsupported option {other}"))),
        }
    }
    if condition.none && (condition.some || condition.greater || condition.less) {
        return Err(Reply::error("ERR NX and XX, GT or LT options at the same time are not compatible"));
    }
    if condition.greater && condition.less {
        return Err(Reply::error("ERR GT and LT options at the same time are not compatible"));
    }
    Ok(condition)
}
