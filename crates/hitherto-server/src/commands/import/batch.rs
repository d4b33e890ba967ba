//! Messages of one session that are appended together.

use hitherto::{Message, Seq, SessionId, Ttl, UserId};
use uuid::Uuid;

use super::super::again::again;
use crate::target::{AppendWith, Target, TargetError};

/// A batch has at most so many messages,
const MESSAGES: usize = 500;
/// and so many bytes, unless one message alone has more.
const BYTES: usize = 1 << 20;
/// Messages for the places from `first` on.
#[derive(Debug)]
pub(crate) struct Batch {
    first: Seq,
    messages: Vec<Message>,
    bytes: usize,
    user: Option<UserId>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    /// How many messages were stored.
    pub(crate) messages: u64,
    /// Whether they are where they should be: not if somebody else was faster.
    pub(crate) in_place: bool,
}

impl Batch {
    /// An empty one.
    pub(crate) fn new(first: Seq) -> Self {
        Self { first, messages: Vec::new(), bytes: 0, user: None }
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether it has to be sent before that message is added.
    pub(crate) fn is_full(&self, next: &Message, most: usize) -> bool {
        !self.is_empty()
            && (self.messages.len() >= MESSAGES.min(most) || self.bytes + next.json().len() > BYTES)
    }

    /// Adds a message, and whose the session is if its line says so.
    pub(crate) fn push(&mut self, message: Message, user: Option<UserId>) {
        self.user = user.or(self.user.take());
        self.bytes += message.json().len();
        self.messages.push(message);
    }

    /// Appends the messages, again where it failed for a moment, and begins the next batch.
    pub(crate) async fn send(
        &mut self,
        target: &Target,
        session: &SessionId,
        ttl: Option<Ttl>,
    ) -> Result<Sent, TargetError> {
        let key = self.key(session);
        let with = AppendWith { idempotency_key: Some(&key), ttl, user: self.user.as_ref() };
        let done = again(async || target.append(session, self.messages.clone(), with).await).await?;
        let messages = self.messages.len() as u64;
        let in_place = done.seqs.first() == Some(&self.first);
        *self = Self::new(self.first + messages);
        Ok(Sent { messages, in_place })
    }

    /// Tells this batch from every other: SHA-1 over its session, place and bytes, as a version 5 UUID.
    fn key(&self, session: &SessionId) -> String {
        let mut all = Vec::with_capacity(self.bytes + 64);
        let mut field = |bytes: &[u8]| {
            all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            all.extend_from_slice(bytes);
        };
        field(session.as_str().as_bytes());
        field(&self.first.to_be_bytes());
        self.messages.iter().for_each(|message| field(message.json().as_bytes()));
        format!("import-{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, &all))
    }
}
