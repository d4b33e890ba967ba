//! A session as a list, in a Redis or in a dump.

use bytes::Bytes;
use hitherto::Direction;
use hitherto::layout::{Key, Order};
use hitherto::store::redis::foreign::ListEnd;

use super::outward::{Leaving, Outward, translated};
use super::{Sink, reading, shown};

impl Outward<'_> {
    /// Pushes what a list has not yet.
    pub(super) async fn push(
        &mut self,
        leaving: &Leaving<'_>,
        key: &Bytes,
        order: Order,
    ) -> anyhow::Result<Result<(), String>> {
        let Sink::Redis(writer, replace) = &self.sink else { return Ok(Ok(())) };
        let reader = writer.reader();
        let names = std::slice::from_ref(key);
        let about = reading(async || reader.about(names).await).await?.pop();
        let kind = about.map_or_else(|| "none".to_owned(), |about| about.kind);
        if kind != "none" && kind != "list" && !replace {
            return Ok(Err(format!("{} is there and is a {kind}; --replace writes over it", shown(key))));
        }
        let mut anew = *replace;
        let there =
            if anew || kind == "none" { 0 } else { reading(async || reader.length(key).await).await? };
        let end = if order == Order::NewestFirst { ListEnd::Head } else { ListEnd::Tail };
        let (mut from, mut at) = (Direction::After(0), 0_u64);
        loop {
            if let Err(why) = self.heed() {
                return Ok(Err(why));
            }
            let (elements, next) = self.page(leaving.session, from).await?;
            let values: Vec<Bytes> = elements
                .iter()
                .map(|element| translated(self.layout, leaving.session, element, &mut self.tally))
                .collect();
            let known = usize::try_from(there.saturating_sub(at)).unwrap_or(usize::MAX).min(values.len());
            let (known, new) = values.split_at_checked(known).unwrap_or_default();
            if !known.is_empty() {
                let (first, last) = (signed(at), signed(at + known.len() as u64 - 1));
                let (first, last) =
                    if end == ListEnd::Head { (-last - 1, -first - 1) } else { (first, last) };
                let mut found = reading(async || reader.list(key, first, last).await).await?;
                if end == ListEnd::Head {
                    found.reverse();
                }
                if found != known {
                    let text = "is there and holds something else; --replace writes over it";
                    return Ok(Err(format!("{} {text}", shown(key))));
                }
                self.tally.there += known.len() as u64;
            }
            at += values.len() as u64;
            if !new.is_empty() {
                // Not tried again by itself: nobody knows whether it was pushed. The same command goes on with it.
                let pushed = writer.push(key, end, new, leaving.ttl, anew).await?;
                anew = false;
                self.tally.written += new.len() as u64;
                if pushed.length != at {
                    return Ok(Err(format!("somebody else writes to {}", shown(key))));
                }
            }
            self.progress.advance(values.len() as u64, shown(key));
            match next {
                Some(last) => from = Direction::After(last),
                None if there > at => {
                    return Ok(Err(format!(
                        "{} is there and has more elements than the session",
                        shown(key)
                    )));
                }
                None => return Ok(Ok(())),
            }
        }
    }

    /// Writes a list into a dump, from its head on.
    pub(super) async fn dump(
        &mut self,
        leaving: &Leaving<'_>,
        key: &Bytes,
        order: Order,
    ) -> anyhow::Result<Result<(), String>> {
        let mut json = Vec::new();
        Key::write_head(key, "list", leaving.ttl, &mut json);
        json.push(b'[');
        let newest_first = order == Order::NewestFirst;
        let mut from = if newest_first { Direction::Before(u64::MAX) } else { Direction::After(0) };
        let mut begun = false;
        loop {
            if let Err(why) = self.heed() {
                return Ok(Err(why));
            }
            let (mut elements, next) = self.page(leaving.session, from).await?;
            if newest_first {
                elements.reverse();
            }
            for element in &elements {
                if std::mem::replace(&mut begun, true) {
                    json.push(b',');
                } else if let Sink::Dump(dump) = &mut self.sink {
                    // Not before there is an element: an empty list is no key.
                    dump.separate()?;
                }
                Key::write_element(
                    &translated(self.layout, leaving.session, element, &mut self.tally),
                    &mut json,
                );
            }
            self.tally.written += elements.len() as u64;
            self.progress.advance(elements.len() as u64, shown(key));
            if next.is_none() {
                json.extend_from_slice(b"]}");
            }
            if let Sink::Dump(dump) = &mut self.sink
                && begun
            {
                dump.write(&std::mem::take(&mut json))?;
            }
            match next {
                Some(last) if newest_first => from = Direction::Before(last),
                Some(last) => from = Direction::After(last),
                None => return Ok(Ok(())),
            }
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
