//! Where keys are read from: a running Redis, or a dump of one. Nothing else can tell the two apart.

use bytes::Bytes;
use hitherto::layout::{Beside, Dump, Key, Value, What, matches};
use hitherto::store::Result;
use hitherto::store::redis::foreign::{About, ForeignReader};

/// Where keys are read from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A Redis, of which nothing is changed.
    Redis(Box<ForeignReader>),
    /// A dump.
    Dump(Dump),
}

impl Source {
    /// A step of a walk over the keys that match a glob.
    pub(super) async fn scan(&self, cursor: u64, pattern: &str) -> Result<(u64, Vec<Bytes>)> {
        match self {
            Self::Redis(redis) => redis.scan(cursor, pattern.as_bytes()).await,
            Self::Dump(dump) => {
                let names = dump.keys().map(|key| &key.name);
                Ok((0, names.filter(|name| matches(pattern.as_bytes(), name)).cloned().collect()))
            }
        }
    }

    /// What these keys are.
    pub(super) async fn about(&self, keys: &[Bytes]) -> Result<Vec<About>> {
        match self {
            Self::Redis(redis) => redis.about(keys).await,
            Self::Dump(dump) => Ok(keys
                .iter()
                .map(|name| dump.get(name))
                .map(|key| About {
                    kind: key.map_or("none", |key| key.value.kind()).to_owned(),
                    ttl: key.and_then(|key| key.ttl),
                })
                .collect()),
        }
    }

    /// How many elements a list has.
    pub(super) async fn length(&self, key: &[u8]) -> Result<u64> {
        match self {
            Self::Redis(redis) => redis.length(key).await,
            Self::Dump(dump) => Ok(match dump.get(key).map(|key| &key.value) {
                Some(Value::List(elements)) => elements.len() as u64,
                _ => 0,
            }),
        }
    }

    /// The elements of a list from one index to another; negative ones count from its tail.
    pub(super) async fn list(&self, key: &[u8], from: i64, to: i64) -> Result<Vec<Bytes>> {
        match self {
            Self::Redis(redis) => redis.list(key, from, to).await,
            Self::Dump(dump) => Ok(match dump.get(key).map(|key| &key.value) {
                Some(Value::List(elements)) => part(elements, from, to),
                _ => Vec::new(),
            }),
        }
    }

    /// The strings under these keys.
    pub(super) async fn texts(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        match self {
            Self::Redis(redis) => redis.texts(keys).await,
            Self::Dump(dump) => Ok(keys
                .iter()
                .map(|key| match &dump.get(key)?.value {
                    Value::Text(text) => Some(text.clone()),
                    _ => None,
                })
                .collect()),
        }
    }

    /// A hash, or a RedisJSON document, whole.
    pub(super) async fn whole(&self, key: &[u8], is_hash: bool) -> Result<Option<Value>> {
        match self {
            Self::Redis(redis) if is_hash => {
                let fields = redis.hash(key).await?;
                Ok(Some(Value::Hash(fields)).filter(|hash| *hash != Value::Hash(Vec::new())))
            }
            Self::Redis(redis) => Ok(redis.document(key).await?.map(Value::Document)),
            Self::Dump(dump) => Ok(dump.get(key).map(|key| key.value.clone())),
        }
    }

    /// One field of a hash.
    pub(super) async fn field(&self, key: &[u8], field: &[u8]) -> Result<Option<Bytes>> {
        match self {
            Self::Redis(redis) => redis.field(key, field).await,
            Self::Dump(dump) => Ok(match dump.get(key).map(|key| &key.value) {
                Some(Value::Hash(fields)) => {
                    fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
                }
                _ => None,
            }),
        }
    }

    /// A step of a walk over the names of a hash's fields.
    pub(super) async fn field_names(&self, key: &[u8], cursor: u64) -> Result<(u64, Vec<Bytes>)> {
        match self {
            Self::Redis(redis) => redis.field_names(key, cursor).await,
            Self::Dump(dump) => Ok(match dump.get(key).map(|key| &key.value) {
                Some(Value::Hash(fields)) => (0, fields.iter().map(|(name, _)| name.clone()).collect()),
                _ => (0, Vec::new()),
            }),
        }
    }

    /// The members of a sorted set from one rank to another.
    pub(super) async fn members(&self, key: &[u8], from: i64, to: i64) -> Result<Vec<Bytes>> {
        match self {
            Self::Redis(redis) => {
                let members = redis.members(key, from, to).await?;
                Ok(members.into_iter().map(|(member, _)| member).collect())
            }
            Self::Dump(dump) => Ok(match dump.get(key).map(|key| &key.value) {
                Some(Value::Zset(members)) => {
                    part(members, from, to).into_iter().map(|(member, _)| member).collect()
                }
                _ => Vec::new(),
            }),
        }
    }

    async fn score(&self, key: &[u8], member: &[u8]) -> Result<Option<f64>> {
        match self {
            Self::Redis(redis) => redis.score(key, member).await,
            Self::Dump(dump) => Ok(match dump.get(key).map(|key| &key.value) {
                Some(Value::Zset(members)) => {
                    members.iter().find(|(found, _)| found == member).map(|(_, score)| *score)
                }
                _ => None,
            }),
        }
    }

    /// What there is of a key beside a session: nothing if the key is of another type.
    pub(super) async fn beside(&self, beside: &Beside, name: Bytes, session: &str) -> Result<Option<Key>> {
        let about = self.about(std::slice::from_ref(&name)).await?.pop();
        let Some(About { kind, ttl }) = about else { return Ok(None) };
        let value = match (beside.what, kind.as_str()) {
            (What::Hash, "hash") => self.whole(&name, true).await?,
            (What::Text, "string") => {
                self.texts(std::slice::from_ref(&name)).await?.pop().flatten().map(Value::Text)
            }
            (What::Member | What::AnyMember, "zset") => {
                let score = self.score(&name, session.as_bytes()).await?;
                score.map(|score| Value::Zset(vec![(session.to_owned().into(), score)]))
            }
            _ => None,
        };
        Ok(value.map(|value| Key { name, ttl, value }))
    }
}

/// As `LRANGE` and `ZRANGE` count.
fn part<T: Clone>(all: &[T], from: i64, to: i64) -> Vec<T> {
    let length = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let at = |index: i64| if index < 0 { length + index } else { index };
    let (from, to) = (at(from).max(0), at(to).min(length - 1));
    let range = usize::try_from(from).ok().zip(usize::try_from(to + 1).ok());
    range.and_then(|(from, end)| all.get(from..end)).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_redis_counts() {
        let check = |from, to, expected: &[u8]| assert_eq!(part(b"abcde", from, to), expected, "{from} {to}");
        check(0, 1, b"ab");
        check(3, 9, b"de");
        check(5, 9, b"");
        check(-2, -1, b"de");
        check(-9, -4, b"ab");
        check(-9, -7, b"");
        check(0, -1, b"abcde");
    }
}
