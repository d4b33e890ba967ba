//! Where keys are written to: a Redis, or a dump.
//!
//! Invariant: what is there already is left as it is: a list is gone on with only where it begins as what is written,
//! any other key only where it is the same. A dump has its name when it is whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use hitherto::layout::{Key, Value};
use hitherto::store::redis::foreign::ForeignWriter;

use super::{reading, shown};
use crate::private;

/// Where keys are written to.
#[derive(Debug)]
pub(crate) enum Sink {
    /// A Redis; with the switch, what is there already is replaced.
    Redis(Box<ForeignWriter>, bool),
    /// A file.
    Dump(DumpFile),
}

/// A dump that is being written.
#[derive(Debug)]
pub(crate) struct DumpFile {
    whole: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    /// Whether a key stands in it already.
    begun: bool,
    /// Sorted sets have members of many sessions, so they come last.
    sets: BTreeMap<Bytes, Set>,
}

/// A sorted set, as far as it is known.
#[derive(Debug, Default)]
struct Set {
    ttl: Option<Duration>,
    members: Vec<(Bytes, f64)>,
}

impl Sink {
    /// Whether a key may be written: it is not there, it is the same, or it is to be replaced. A sorted set may have
    /// other members.
    pub(super) async fn check(&self, key: &Key) -> anyhow::Result<Result<(), String>> {
        let Self::Redis(writer, replace) = self else { return Ok(Ok(())) };
        let reader = writer.reader();
        let name = std::slice::from_ref(&key.name);
        let about = reading(async || reader.about(name).await).await?.pop();
        let kind = about.map_or_else(|| "none".to_owned(), |about| about.kind);
        if kind == "none" || (*replace && kind == key.value.kind()) {
            return Ok(Ok(()));
        }
        let same = kind == key.value.kind()
            && match &key.value {
                Value::Zset(_) => true,
                Value::Text(text) => {
                    reading(async || reader.texts(name).await).await?.pop().flatten().as_ref() == Some(text)
                }
                Value::Hash(fields) => {
                    let mut there = reading(async || reader.hash(&key.name).await).await?;
                    let mut fields = fields.clone();
                    there.sort();
                    fields.sort();
                    there == fields
                }
                Value::Document(json) => {
                    let there = reading(async || reader.document(&key.name).await).await?;
                    there.is_some_and(|there| same_json(&there, json))
                }
                _ => false,
            };
        let name = shown(&key.name);
        Ok(if same {
            Ok(())
        } else if kind == key.value.kind() {
            Err(format!("{name} is there and holds something else; --replace writes over it"))
        } else {
            Err(format!("{name} is there and is a {kind}"))
        })
    }

    /// Makes room for a key that is one session's alone, if what is there is to be replaced.
    pub(super) async fn make_room(&self, key: &Bytes) -> anyhow::Result<()> {
        match self {
            Self::Redis(writer, true) => Ok(reading(async || writer.remove(key).await).await?),
            _ => Ok(()),
        }
    }

    /// Writes a key that was checked.
    pub(super) async fn put(&mut self, key: &Key) -> anyhow::Result<()> {
        match self {
            Self::Redis(writer, replace) => {
                let anew = *replace && !matches!(key.value, Value::Zset(_));
                Ok(reading(async || writer.put(key, anew).await).await?)
            }
            Self::Dump(dump) => match &key.value {
                Value::Zset(members) => {
                    let set = dump.sets.entry(key.name.clone()).or_default();
                    set.ttl = key.ttl;
                    set.members.extend(members.iter().cloned());
                    Ok(())
                }
                _ => {
                    let mut json = Vec::new();
                    key.write_json(&mut json);
                    dump.key(&json)
                }
            },
        }
    }

    /// Gives a dump its name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Redis(..) => Ok(()),
            Self::Dump(dump) => dump.finish(),
        }
    }
}

/// RedisJSON prints what it was given in a form of its own.
fn same_json(one: &[u8], other: &[u8]) -> bool {
    let read = |json| serde_json::from_slice::<serde_json::Value>(json).ok();
    one == other || read(one).is_some_and(|one| read(other) == Some(one))
}

impl DumpFile {
    /// Begins one.
    ///
    /// # Errors
    /// If the file cannot be written, or is there already and is not to be replaced.
    pub(crate) fn create(path: &Path, replace: bool) -> anyhow::Result<Self> {
        if path.exists() && !replace {
            bail!("{} is there already; --replace writes over it", path.display());
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let cannot = || format!("{} cannot be written", part.display());
        let file = private::file().write(true).truncate(true).open(&part).with_context(cannot)?;
        let mut dump = Self {
            whole: path.to_owned(),
            part,
            file: BufWriter::new(file),
            begun: false,
            sets: BTreeMap::new(),
        };
        dump.write(b"{\"keys\":[\n")?;
        Ok(dump)
    }

    /// Writes bytes as they are.
    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.file.write_all(bytes).with_context(|| format!("{} cannot be written", self.part.display()))
    }

    /// What stands between keys.
    pub(super) fn separate(&mut self) -> anyhow::Result<()> {
        if std::mem::replace(&mut self.begun, true) { self.write(b",\n") } else { Ok(()) }
    }

    fn key(&mut self, json: &[u8]) -> anyhow::Result<()> {
        self.separate()?;
        self.write(json)
    }

    fn finish(mut self) -> anyhow::Result<()> {
        for (name, Set { ttl, mut members }) in std::mem::take(&mut self.sets) {
            members.sort_by(|one, other| one.1.total_cmp(&other.1).then_with(|| one.0.cmp(&other.0)));
            let mut json = Vec::new();
            Key { name, ttl, value: Value::Zset(members) }.write_json(&mut json);
            self.key(&json)?;
        }
        self.write(b"\n]}\n")?;
        let cannot = || format!("{} cannot be written", self.whole.display());
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).with_context(cannot)?;
        std::fs::rename(&self.part, &self.whole).with_context(cannot)
    }
}
