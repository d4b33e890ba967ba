//! Counting what a tenant has: list by list, a part of one at a time, so that the server never stands still for it.

use redis::{Pipeline, Value};

use super::keys::{Keys, LISTS, list, memory_keys};
use super::link::Kind;
use super::meta::{State, integer, number};
use super::route::Route;
use crate::session::{MemoryKey, Scope, SessionId, Tenant};
use crate::store::{Counted, Mark, Result};

/// How many sessions of a list are looked at together, more or less.
const PIECE: u32 = 200;

/// Where counting goes on: in which list of which memory key, and where in that.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    shard: u32,
    cursor: u64,
    memory_key: String,
}

impl Place {
    fn parse(mark: &str) -> Option<Self> {
        let (shard, rest) = mark.split_once(':')?;
        let (cursor, memory_key) = rest.split_once(':')?;
        let memory_key = memory_key.to_owned();
        Some(Self { shard: shard.parse().ok()?, cursor: cursor.parse().ok()?, memory_key })
    }

    fn mark(&self) -> Mark {
        Mark(format!("{}:{}:{}", self.shard, self.cursor, self.memory_key))
    }
}

/// Counts a piece.
pub(super) async fn piece(link: &Route, tenant: &Tenant, from: &Mark) -> Result<Counted> {
    let place = match Place::parse(&from.0) {
        Some(place) => place,
        None => match memory_key_after(link, tenant, None).await? {
            Some(memory_key) => Place { shard: 0, cursor: 0, memory_key },
            None => return Ok(Counted::default()),
        },
    };
    let Ok(memory_key) = MemoryKey::parse(&place.memory_key) else {
        return Ok(Counted::default());
    };
    let scope = Scope { tenant: tenant.clone(), memory_key };
    // A cursor stays good while the list changes: who stands there all the time is seen.
    let mut scan = redis::cmd("ZSCAN");
    scan.arg(list(&scope, place.shard)).arg(place.cursor).arg("COUNT").arg(PIECE);
    let mut answer = link.array(link.call(Kind::Read, &scan).await?)?.into_iter();
    let cursor = match answer.next() {
        Some(Value::BulkString(cursor)) => {
            std::str::from_utf8(&cursor).ok().and_then(|text| text.parse().ok())
        }
        _ => None,
    };
    let found = link.array(answer.next().unwrap_or(Value::Array(Vec::new())))?;
    let mut counted = count(link, &scope, &found).await?;
    let cursor: u64 = cursor.unwrap_or(0);
    let next = if cursor > 0 {
        Some(Place { cursor, ..place })
    } else if place.shard + 1 < LISTS {
        Some(Place { shard: place.shard + 1, cursor: 0, ..place })
    } else {
        let after = memory_key_after(link, tenant, Some(&place.memory_key)).await?;
        after.map(|memory_key| Place { shard: 0, cursor: 0, memory_key })
    };
    counted.next = next.map(|next| next.mark());
    Ok(counted)
}

/// The memory key of the tenant that comes after that one, in the order of their bytes.
async fn memory_key_after(link: &Route, tenant: &Tenant, after: Option<&str>) -> Result<Option<String>> {
    let mut members = redis::cmd("SMEMBERS");
    members.arg(memory_keys(tenant));
    let found = match link.call(Kind::Read, &members).await? {
        Value::Set(found) => found,
        other => link.array(other)?,
    };
    let names = found.into_iter().filter_map(|name| match name {
        Value::BulkString(name) => String::from_utf8(name).ok(),
        _ => None,
    });
    Ok(names.filter(|name| after.is_none_or(|after| name.as_str() > after)).min())
}

/// Counts the sessions of an answer to `ZSCAN`: members, each followed by its score.
async fn count(link: &Route, scope: &Scope, found: &[Value]) -> Result<Counted> {
    let mut keys = Vec::new();
    for member in found.iter().step_by(2) {
        if let Value::BulkString(member) = member
            && let Some(id) = std::str::from_utf8(member).ok().and_then(|text| SessionId::parse(text).ok())
        {
            keys.push(Keys::new(&scope.session(&id)));
        }
    }
    if keys.is_empty() {
        return Ok(Counted::default());
    }
    let mut pipeline = Pipeline::with_capacity(2 * keys.len());
    for keys in &keys {
        pipeline.cmd("HGET").arg(keys.meta()).arg("state");
        pipeline.cmd("LLEN").arg(keys.log());
    }
    let mut answers = link.send_all(Kind::Read, &pipeline).await?.into_iter();
    let mut counted = Counted::default();
    for keys in &keys {
        let mut next = || link.checked(answers.next().unwrap_or(Value::Nil));
        let (state, length) = (next()?, next()?);
        // One that has ended is still on the list until somebody reads that.
        if let Some(state) = State::read(&state, keys)? {
            counted.sessions += 1;
            counted.messages += number(integer(&length)).saturating_sub(state.deleted);
            counted.bytes += state.bytes;
        }
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_as_it_went() {
        for memory_key in ["chat_history", ":", "a:b", "日本"] {
            let place = Place { shard: 3, cursor: u64::MAX, memory_key: memory_key.to_owned() };
            assert_eq!(Place::parse(&place.mark().0), Some(place));
        }
        assert_eq!(Place::parse(""), None);
    }
}
