//! The elements of one session of a source, oldest first, page by page.
//!
//! Invariant: pushes at the newest end while it is read move nothing: places are counted from the oldest end.

use bytes::Bytes;
use hitherto::Message;
use hitherto::layout::{Layout, Order, Reading, Shape, Value};

use super::find::{Found, Place};
use super::{Source, reading, shown};
use crate::target::TargetError;

/// How much one page is meant to have, in bytes.
const BYTES: usize = 2 << 20;
/// The most values of a page.
const MOST: u64 = 500;

/// A value that is no message.
#[derive(Debug)]
pub(super) struct BadValue {
    /// Where it stands: a key and an index.
    pub(super) place: String,
    /// What is wrong with it.
    pub(super) why: String,
}

/// Some elements.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The messages, and what is none.
    pub(super) messages: Vec<Message>,
    /// What is none.
    pub(super) bad: Vec<BadValue>,
    /// How many were left out, because they are too large to be stored.
    pub(super) left_out: u64,
}

/// A walk over one session.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    source: &'a Source,
    layout: &'a Layout,
    found: &'a Found,
    reading: Reading,
    longest: usize,
    at: u64,
    length: u64,
    step: u64,
    ended: bool,
}

impl<'a> Walk<'a> {
    /// The beginning. Elements of more bytes than `longest` are left out.
    pub(super) async fn new(
        source: &'a Source,
        layout: &'a Layout,
        found: &'a Found,
        longest: usize,
    ) -> Result<Self, TargetError> {
        let length = match layout.profile().shape {
            Shape::List(_) => reading(async || source.length(&found.key).await).await?,
            _ => 0,
        };
        let reading = Reading::new(layout.profile());
        Ok(Self { source, layout, found, reading, longest, at: 0, length, step: 50, ended: false })
    }

    /// The next elements; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, TargetError> {
        if self.ended {
            return Ok(None);
        }
        let values = self.values().await?;
        let mut page = Page::default();
        let mut bytes = 0;
        for (place, value) in values {
            let Some(value) = value else {
                page.bad.push(BadValue { place, why: "there is no such key".to_owned() });
                continue;
            };
            bytes += value.len();
            let before = page.messages.len();
            if let Err(bad) = self.reading.take(value, &mut page.messages) {
                page.bad.push(BadValue { place: place.clone(), why: bad.0 });
            }
            let mut too_long = 0;
            let mut index = 0;
            page.messages.retain(|message| {
                let keep = index < before || message.payload().len() <= self.longest;
                index += 1;
                too_long += u64::from(!keep);
                keep
            });
            if too_long > 0 {
                let why = format!("it has more than {} bytes and is left out", self.longest);
                page.bad.push(BadValue { place, why });
                page.left_out += too_long;
            }
        }
        self.step = if bytes > BYTES { (self.step / 4).max(1) } else { (self.step * 2).min(MOST) };
        Ok(Some(page))
    }

    /// The next values, and where they stand.
    async fn values(&mut self) -> Result<Vec<(String, Option<Bytes>)>, TargetError> {
        let (from, step) = (signed(self.at), signed(self.step));
        let key = &self.found.key;
        match (self.layout.profile().shape, &self.found.place) {
            (Shape::List(order), _) => {
                let mut values = match order {
                    Order::OldestFirst => {
                        reading(async || self.source.list(key, from, from + step - 1).await).await?
                    }
                    Order::NewestFirst => {
                        reading(async || self.source.list(key, -from - step, -from - 1).await).await?
                    }
                };
                if order == Order::NewestFirst {
                    values.reverse();
                }
                self.ended = (values.len() as u64) < self.step;
                let first = self.at;
                self.at += values.len() as u64;
                let place = |index: u64| {
                    let index = match order {
                        Order::OldestFirst => index,
                        Order::NewestFirst => self.length.saturating_sub(index + 1),
                    };
                    format!("{}, index {index}", shown(key))
                };
                Ok(values
                    .into_iter()
                    .zip(first..)
                    .map(|(value, index)| (place(index), Some(value)))
                    .collect())
            }
            (_, Place::Field(name)) => {
                self.ended = true;
                let value = reading(async || self.source.field(key, name).await).await?;
                Ok(vec![(format!("{}, field {}", shown(key), shown(name)), value)])
            }
            (_, Place::Keys(keys)) => {
                let rest = keys.get(usize::try_from(self.at).unwrap_or(usize::MAX)..).unwrap_or_default();
                let some = rest.get(..rest.len().min(usize::try_from(self.step).unwrap_or(1)));
                let some = some.unwrap_or_default();
                self.at += some.len() as u64;
                self.ended = some.len() == rest.len();
                let mut values = Vec::with_capacity(some.len());
                for key in some {
                    values.push((shown(key), self.document(key).await?));
                }
                Ok(values)
            }
            (_, Place::Key) => {
                let names = reading(async || self.source.members(key, from, from + step - 1).await).await?;
                self.ended = (names.len() as u64) < self.step;
                self.at += names.len() as u64;
                let keys: Vec<Bytes> = names
                    .iter()
                    .map(|name| {
                        self.layout.indexed(&self.found.session, &String::from_utf8_lossy(name)).into()
                    })
                    .collect();
                let values = reading(async || self.source.texts(&keys).await).await?;
                Ok(keys.iter().map(|key| shown(key)).zip(values).collect())
            }
        }
    }

    async fn document(&self, key: &Bytes) -> Result<Option<Bytes>, TargetError> {
        let hashes = self.layout.profile().shape == Shape::Documents { hashes: true };
        let value: Option<Value> = reading(async || self.source.whole(key, hashes).await).await?;
        let found = value
            .zip(std::str::from_utf8(key).ok())
            .and_then(|(value, key)| hitherto::layout::document(self.layout, key, &value));
        Ok(found.map(|found| found.payload))
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
