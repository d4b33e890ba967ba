//! A dump of keys: JSON that says of each key its type, its time to live in seconds, and its value.
//!
//! `{"keys":[{"key":…,"type":…,"ttl":…,"value":…}]}`, or one such key a line. A list's value is a list, head first; a
//! hash's an object, a sorted set's a list of `[member, score]`. Bytes that are no UTF-8 are `{"base64":"…"}`.

mod base64;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value as Json;
use thiserror::Error;

use crate::message::push_string;

/// What stands under a key.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A string.
    Text(Bytes),
    /// A RedisJSON document.
    Document(Bytes),
    /// A list, head first.
    List(Vec<Bytes>),
    /// A hash.
    Hash(Vec<(Bytes, Bytes)>),
    /// A sorted set, lowest score first.
    Zset(Vec<(Bytes, f64)>),
    /// A set.
    Set(Vec<Bytes>),
}

/// A key, and what stands under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its name.
    pub name: Bytes,
    /// How long it still lives, if it ends.
    pub ttl: Option<Duration>,
    /// What it holds.
    pub value: Value,
}

/// A dump that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DumpError {
    /// It is no JSON, or not of this form.
    #[error("{0}")]
    Form(String),
    /// It has parts with names, and none was chosen, or one that it has not.
    #[error("it has several scenarios; name one of them: {0}")]
    Scenario(String),
}

impl Value {
    /// Its type, in Redis' words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Document(_) => "ReJSON-RL",
            Self::List(_) => "list",
            Self::Hash(_) => "hash",
            Self::Zset(_) => "zset",
            Self::Set(_) => "set",
        }
    }

    /// Appends it as a dump has it.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) | Self::Document(text) => text_json(text, out),
            Self::List(all) | Self::Set(all) => {
                separated(out, (b'[', b']'), all, |one, out| text_json(one, out));
            }
            Self::Hash(fields) => separated(out, (b'{', b'}'), fields, |(name, value), out| {
                push_string(out, &String::from_utf8_lossy(name));
                out.push(b':');
                text_json(value, out);
            }),
            Self::Zset(members) => separated(out, (b'[', b']'), members, |(member, score), out| {
                out.push(b'[');
                text_json(member, out);
                // As Python and Redis both read it: 1795365261.0, 1e+21.
                out.extend_from_slice(format!(",\"{score:?}\"]").as_bytes());
            }),
        }
    }

    fn of(kind: &str, json: &Json) -> Option<Self> {
        let list = || json.as_array()?.iter().map(text).collect::<Option<Vec<_>>>();
        Some(match kind {
            "string" => Self::Text(text(json)?),
            "ReJSON-RL" => Self::Document(text(json)?),
            "list" => Self::List(list()?),
            "set" => Self::Set(list()?),
            "hash" => {
                let fields = json.as_object()?.iter();
                Self::Hash(
                    fields
                        .map(|(name, value)| Some((name.clone().into(), text(value)?)))
                        .collect::<Option<_>>()?,
                )
            }
            "zset" => {
                let member = |pair: &Json| {
                    let score = pair.get(1)?;
                    let score = score.as_f64().or_else(|| score.as_str()?.parse().ok())?;
                    Some((text(pair.get(0)?)?, score))
                };
                let mut members: Vec<_> = json.as_array()?.iter().map(member).collect::<Option<_>>()?;
                members.sort_by(|one: &(Bytes, f64), other| {
                    one.1.total_cmp(&other.1).then_with(|| one.0.cmp(&other.0))
                });
                Self::Zset(members)
            }
            _ => return None,
        })
    }
}

fn separated<T>(out: &mut Vec<u8>, ends: (u8, u8), all: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(ends.0);
    for (index, one) in all.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(one, out);
    }
    out.push(ends.1);
}

/// Appends bytes as a dump has them.
pub(super) fn text_json(bytes: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => push_string(out, text),
        Err(_) => {
            out.extend_from_slice(b"{\"base64\":\"");
            out.extend_from_slice(base64::encode(bytes).as_bytes());
            out.extend_from_slice(b"\"}");
        }
    }
}

fn text(json: &Json) -> Option<Bytes> {
    match json {
        Json::String(text) => Some(text.clone().into()),
        Json::Object(object) => base64::decode(object.get("base64")?.as_str()?).map(Bytes::from),
        _ => None,
    }
}

impl Key {
    /// Appends it as a dump has it.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        Self::write_head(&self.name, self.value.kind(), self.ttl, out);
        self.value.write_json(out);
        out.push(b'}');
    }

    /// Appends what stands before its value, so that a long list can be written piece by piece, each by
    /// [`Self::write_element`]; `]}` ends it.
    pub fn write_head(name: &[u8], kind: &str, ttl: Option<Duration>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"key\":");
        text_json(name, out);
        // Rounded up: a key that still lives has at least a second.
        let secs = ttl.map_or(-1, |ttl| i64::try_from(ttl.as_millis().div_ceil(1000)).unwrap_or(i64::MAX));
        out.extend_from_slice(format!(",\"type\":\"{kind}\",\"ttl\":{secs},\"value\":").as_bytes());
    }

    /// Appends an element of a list.
    pub fn write_element(element: &[u8], out: &mut Vec<u8>) {
        text_json(element, out);
    }

    /// From a key of a dump.
    pub(super) fn of(json: &Json) -> Result<Self, DumpError> {
        let name = json.get("key").and_then(text);
        let name = name.ok_or_else(|| DumpError::Form("a key has no name: \"key\" is missing".to_owned()))?;
        let shown = || String::from_utf8_lossy(&name).into_owned();
        let kind = json.get("type").and_then(Json::as_str);
        let kind = kind.ok_or_else(|| DumpError::Form(format!("the key {} has no type", shown())))?;
        let value = json.get("value").and_then(|value| Value::of(kind, value)).ok_or_else(|| {
            DumpError::Form(format!("the value of the key {} is none of the type {kind}", shown()))
        })?;
        let ttl = json.get("ttl").and_then(Json::as_f64).filter(|secs| *secs >= 0.0);
        let ttl = ttl.and_then(|secs| Duration::try_from_secs_f64(secs).ok());
        Ok(Self { name, ttl, value })
    }
}

/// Keys that were dumped, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dump(BTreeMap<Bytes, Key>);

impl Dump {
    /// Reads a dump; of one that has scenarios, the one of that name.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn parse(text: &[u8], scenario: Option<&str>) -> Result<Self, DumpError> {
        let mut dump = Self::default();
        for json in serde_json::Deserializer::from_slice(text).into_iter::<Json>() {
            let json = json.map_err(|error| DumpError::Form(format!("it is no JSON: {error}")))?;
            let part = match (json.get("scenarios").and_then(Json::as_object), scenario) {
                (None, _) => &json,
                (Some(all), name) => name.and_then(|name| all.get(name)).ok_or_else(|| {
                    DumpError::Scenario(all.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
                })?,
            };
            match part.get("keys").and_then(Json::as_array) {
                Some(keys) => keys.iter().try_for_each(|key| dump.add(Key::of(key)?))?,
                None => dump.add(Key::of(part)?)?,
            }
        }
        Ok(dump)
    }

    fn add(&mut self, key: Key) -> Result<(), DumpError> {
        let shown = String::from_utf8_lossy(&key.name).into_owned();
        match self.0.insert(key.name.clone(), key) {
            None => Ok(()),
            Some(_) => Err(DumpError::Form(format!("the key {shown} stands in it twice"))),
        }
    }

    /// The key of that name.
    pub fn get(&self, name: &[u8]) -> Option<&Key> {
        self.0.get(name)
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.values()
    }
}

#[cfg(test)]
#[path = "dump_tests.rs"]
mod tests;
