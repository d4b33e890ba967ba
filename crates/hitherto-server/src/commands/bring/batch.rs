//! Appending what is new of a session, batch by batch.
//!
//! Invariant: a batch has an idempotency key made of its place, so it is stored once whoever sends it how often.

use std::sync::atomic::Ordering;

use hitherto::layout::{Layout, Print};
use hitherto::{AppendOptions, Message, Seq, SessionId, StoreError, Ttl, TtlChange};
use tokio::time::Instant;
use uuid::Uuid;

use super::find::Found;
use super::session::{Bringing, Look, Refusal};
use super::walk::Walk;
use crate::commands::again::again;
use crate::target::TargetError;

/// A batch has at most so many messages,
const MESSAGES: usize = 500;
/// and so many bytes, unless one message alone has more.
const BYTES: usize = 1 << 20;

impl Bringing<'_> {
    /// Appends the elements from index `new` on, behind what the batch has already, and says whether there were any.
    pub(super) async fn append(
        &self,
        found: &Found,
        look: &Look,
        session: &SessionId,
        (new, mut batch): (usize, Batch),
        began: Instant,
    ) -> Result<bool, Refusal> {
        if new >= look.prints.len() {
            return Ok(false);
        }
        let mut walk = Walk::new(self.source, self.layout, found, self.longest()).await?;
        let mut prints = look.prints.iter().enumerate();
        while let Some(page) = walk.next().await? {
            for message in page.messages {
                // What was pushed since it was looked at comes with the next run.
                let Some((index, print)) = prints.next() else { break };
                if *print != Print::of(message.payload()) {
                    self.send(&mut batch, found, session, began).await?;
                    let text = "it was changed while it was read; run the command again";
                    return Err(Refusal::Session(text.to_owned()));
                }
                if index < new {
                    continue;
                }
                if batch.is_full(&message, self.memory.limits().messages_per_append) {
                    self.send(&mut batch, found, session, began).await?;
                    self.heed()?;
                }
                batch.bytes += message.payload().len();
                batch.messages.push(message);
            }
        }
        self.send(&mut batch, found, session, began).await?;
        Ok(true)
    }

    async fn send(
        &self,
        batch: &mut Batch,
        found: &Found,
        session: &SessionId,
        began: Instant,
    ) -> Result<(), Refusal> {
        if batch.messages.is_empty() {
            return Ok(());
        }
        let mut options = AppendOptions::default();
        options.idempotency_key = Some(batch.key(self.layout.profile().name, found));
        if let Some(ttl) = found.ttl {
            let left = ttl.saturating_sub(began.elapsed()).max(std::time::Duration::from_millis(1));
            options.ttl = Ttl::new(left).map_or(TtlChange::Keep, TtlChange::Start);
        }
        let done = again(async || Ok(self.memory.append(session, batch.messages.clone(), &options).await?));
        let done = match done.await {
            Err(TargetError::Memory(hitherto::Error::Store(StoreError::OnceMismatch))) => {
                let text = "another import writes to it; run the command again";
                return Err(Refusal::Session(text.to_owned()));
            }
            done => done?,
        };
        if done.first_seq != batch.first {
            let text = "somebody else writes to it; no more is brought into it";
            return Err(Refusal::Session(text.to_owned()));
        }
        batch.first += batch.messages.len() as u64;
        if !done.repeated {
            let elements = batch.messages.iter().filter(|message| !Layout::is_earlier(message));
            self.stored.fetch_add(elements.count() as u64, Ordering::Relaxed);
        }
        batch.messages.clear();
        batch.bytes = 0;
        Ok(())
    }
}

/// Messages that are appended together.
#[derive(Debug)]
pub(super) struct Batch {
    first: Seq,
    messages: Vec<Message>,
    bytes: usize,
}

impl Batch {
    /// An empty one for the places from `first` on, or one with a summary of what was said before.
    pub(super) fn new(first: Seq, earlier: Option<Message>) -> Self {
        let messages: Vec<Message> = earlier.into_iter().collect();
        Self { first, bytes: messages.iter().map(|message| message.payload().len()).sum(), messages }
    }

    fn is_full(&self, next: &Message, most: usize) -> bool {
        !self.messages.is_empty()
            && (self.messages.len() >= MESSAGES.min(most) || self.bytes + next.payload().len() > BYTES)
    }

    /// Tells this batch from every other: SHA-1 over its layout, key, session and place, as a version 5 UUID. A place
    /// is given once, so of two imports at once that want it for different messages only one has it.
    fn key(&self, layout: &str, found: &Found) -> String {
        let mut all = Vec::with_capacity(256);
        let mut field = |bytes: &[u8]| {
            all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            all.extend_from_slice(bytes);
        };
        field(layout.as_bytes());
        field(&found.key);
        field(found.session.as_bytes());
        field(&self.first.to_be_bytes());
        format!("bring-{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, &all))
    }
}
