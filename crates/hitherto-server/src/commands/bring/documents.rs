//! A session as a key a message.

use bytes::Bytes;
use hitherto::Direction;
use hitherto::layout::{Key, Shape, Value};

use super::outward::{Leaving, Outward, Tally, translated};
use super::shown;

impl Outward<'_> {
    /// Writes a key a message: first all of them are looked at, then written.
    pub(super) async fn documents(&mut self, leaving: &Leaving<'_>) -> anyhow::Result<Result<(), String>> {
        let id = leaving.session.as_str();
        let index = (self.layout.profile().shape == Shape::Index).then(|| Bytes::from(self.layout.key(id)));
        for writes in [false, true] {
            if let Some(index) = index.as_ref().filter(|_| writes) {
                self.sink.make_room(index).await?;
            }
            let mut from = Direction::After(0);
            let mut tally = Tally::default();
            loop {
                if let Err(why) = self.heed() {
                    return Ok(Err(why));
                }
                let (elements, next) = self.page(leaving.session, from).await?;
                for element in &elements {
                    let payload = translated(self.layout, leaving.session, element, &mut tally);
                    let written = match self.layout.written(id, leaving.kept.key.as_deref(), &payload) {
                        Ok(written) => written,
                        Err(why) => {
                            return Ok(Err(format!("message {} cannot be written: {why}", element.seq)));
                        }
                    };
                    let member = index.clone().zip(written.member);
                    let member = member.map(|(name, member)| Key {
                        name,
                        ttl: None,
                        value: Value::Zset(vec![member]),
                    });
                    for key in written.keys.into_iter().chain(member) {
                        let key = Key { ttl: leaving.ttl, ..key };
                        if writes {
                            self.sink.put(&key).await?;
                        } else if let Err(why) = self.sink.check(&key).await? {
                            return Ok(Err(why));
                        }
                    }
                }
                if writes {
                    self.progress.advance(elements.len() as u64, shown(id.as_bytes()));
                    self.tally.written += elements.len() as u64;
                }
                match next {
                    Some(last) => from = Direction::After(last),
                    None => break,
                }
            }
            if writes {
                self.tally.translated += tally.translated;
                for (loss, number) in tally.losses {
                    *self.tally.losses.entry(loss).or_default() += number;
                }
            }
        }
        Ok(Ok(()))
    }
}
