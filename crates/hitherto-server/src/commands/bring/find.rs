//! The sessions of a source, one after another, as a scan comes upon them.
//!
//! Invariant: a session is given once, and a key that only looks like one of the layout's is named and passed over.
//! Memory: the ids of the sessions; in a layout with a key a message, the names of all keys.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use hitherto::layout::{Layout, Shape, document};

use super::{Source, reading, shown};
use crate::target::TargetError;

/// A session that was found.
#[derive(Debug)]
pub(super) struct Found {
    /// Its id.
    pub(super) session: String,
    /// The key that stands for it in what is said.
    pub(super) key: Bytes,
    /// The key that has to be kept to write it back, where its id does not say it.
    pub(super) kept: Option<String>,
    /// Where its messages are.
    pub(super) place: Place,
    /// How long it still lives, if it ends.
    pub(super) ttl: Option<Duration>,
}

/// Where the messages of a session are.
#[derive(Debug)]
pub(super) enum Place {
    /// In its key.
    Key,
    /// In keys of their own, in this order.
    Keys(Vec<Bytes>),
    /// In a field of its key.
    Field(Bytes),
}

/// Finds sessions.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    source: &'a Source,
    layout: &'a Layout,
    pattern: String,
    /// `None` when the scan has ended.
    cursor: Option<u64>,
    queue: VecDeque<Found>,
    known: HashMap<String, Bytes>,
    /// Keys that are passed over, and why.
    passed: Vec<(Bytes, String)>,
}

impl<'a> Finder<'a> {
    /// The beginning of a walk over the keys that match a glob, or else over all of the layout's.
    pub(super) fn new(source: &'a Source, layout: &'a Layout, glob: Option<&str>) -> Self {
        Self {
            source,
            layout,
            pattern: glob.map_or_else(|| layout.pattern(), str::to_owned),
            cursor: Some(0),
            queue: VecDeque::new(),
            known: HashMap::new(),
            passed: Vec::new(),
        }
    }

    /// The next session.
    pub(super) async fn next(&mut self) -> Result<Option<Found>, TargetError> {
        loop {
            if let Some(found) = self.queue.pop_front() {
                return Ok(Some(found));
            }
            if self.cursor.is_none() {
                return Ok(None);
            }
            match self.layout.profile().shape {
                Shape::Documents { hashes } => self.documents(hashes).await?,
                _ => self.step().await?,
            }
        }
    }

    /// The keys that were passed over since this was asked last.
    pub(super) fn passed(&mut self) -> Vec<(Bytes, String)> {
        std::mem::take(&mut self.passed)
    }

    /// The next keys of the scan that are of the layout's type, with how long they live.
    async fn keys(&mut self) -> Result<Vec<(Bytes, String, Option<Duration>)>, TargetError> {
        let cursor = self.cursor.unwrap_or(0);
        let (next, keys) = reading(async || self.source.scan(cursor, &self.pattern).await).await?;
        self.cursor = Some(next).filter(|next| *next != 0);
        let all = reading(async || self.source.about(&keys).await).await?;
        let wanted = self.layout.profile().shape.kind();
        let mut good = Vec::new();
        for (key, about) in keys.into_iter().zip(all) {
            let Ok(name) = std::str::from_utf8(&key).map(str::to_owned) else {
                self.passed.push((key, "its name is no text".to_owned()));
                continue;
            };
            if self.layout.session(&name).is_none() {
                continue;
            }
            // One that has ended meanwhile is nobody's.
            if about.kind == wanted {
                good.push((key, name, about.ttl));
            } else if about.kind != "none" {
                self.passed.push((key, format!("it is a {}, and not a {wanted}", about.kind)));
            }
        }
        Ok(good)
    }

    async fn step(&mut self) -> Result<(), TargetError> {
        for (key, name, ttl) in self.keys().await? {
            if self.layout.profile().shape == Shape::Fields {
                self.fields(key, ttl).await?;
                continue;
            }
            let Some(session) = self.layout.session(&name) else { continue };
            let kept = (self.layout.key(&session) != name).then_some(name);
            self.found(Found { session, key, kept, place: Place::Key, ttl });
        }
        Ok(())
    }

    fn found(&mut self, found: Found) {
        match self.known.get(&found.session) {
            None => {
                self.known.insert(found.session.clone(), found.key.clone());
                self.queue.push_back(found);
            }
            // A scan may come upon a key twice.
            Some(key) if *key == found.key => {}
            Some(key) => {
                let why = format!("it is of the same session as {}", shown(key));
                self.passed.push((found.key, why));
            }
        }
    }

    async fn fields(&mut self, key: Bytes, ttl: Option<Duration>) -> Result<(), TargetError> {
        let mut cursor = 0;
        loop {
            let (next, names) = reading(async || self.source.field_names(&key, cursor).await).await?;
            for name in names {
                let Ok(session) = std::str::from_utf8(&name).map(str::to_owned) else {
                    self.passed.push((key.clone(), "it has a field whose name is no text".to_owned()));
                    continue;
                };
                let kept = Some(shown(&key));
                self.found(Found { session, key: key.clone(), kept, place: Place::Field(name), ttl });
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// All of them at once: only when every key is known is the order of a session's messages.
    async fn documents(&mut self, hashes: bool) -> Result<(), TargetError> {
        struct Group {
            keys: BTreeMap<(u64, Bytes), ()>,
            name: Option<String>,
            ttl: Option<Duration>,
            ends: bool,
        }
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        while self.cursor.is_some() {
            for (key, name, ttl) in self.keys().await? {
                let value = reading(async || self.source.whole(&key, hashes).await).await?;
                let Some(found) = value.and_then(|value| document(self.layout, &name, &value)) else {
                    self.passed.push((key, "it is no message of this layout".to_owned()));
                    continue;
                };
                let group = groups.entry(found.session).or_insert_with(|| Group {
                    keys: BTreeMap::new(),
                    name: found.name.clone(),
                    ttl: None,
                    ends: true,
                });
                if group.name != found.name {
                    let why = "the session has messages under another name, too".to_owned();
                    self.passed.push((key, why));
                    continue;
                }
                // Message by message it ends; the session lives as long as its longest.
                group.ends &= ttl.is_some();
                group.ttl = group.ttl.max(ttl);
                group.keys.insert((sortable(found.order), key), ());
            }
        }
        for (session, group) in groups {
            let keys: Vec<Bytes> = group.keys.into_keys().map(|(_, key)| key).collect();
            self.queue.push_back(Found {
                session,
                key: keys.first().cloned().unwrap_or_default(),
                kept: group.name,
                place: Place::Keys(keys),
                ttl: group.ttl.filter(|_| group.ends),
            });
        }
        Ok(())
    }
}

/// A number that is ordered as the float is.
fn sortable(float: f64) -> u64 {
    let bits = float.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
