//! What a user has, and what a tenant has, whatever the memory key: erased, or counted, piece by piece.
//!
//! Invariant: what is done holds whatever ends in the middle; doing it again goes on with what is left.

use std::time::{Duration, Instant};

use super::{ChatMemory, Result};
use crate::session::UserId;
use crate::store::{Counted, Mark};
use crate::time::Timestamp;

/// What an erasure did, and whether that was all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erasure {
    /// Whose sessions.
    pub user: UserId,
    /// How many sessions are gone.
    pub sessions: u64,
    /// How many messages they had.
    pub messages: u64,
    /// The size of their records, in bytes.
    pub bytes: u64,
    /// When it began.
    pub at: Timestamp,
    /// Whether everything that the user had then is gone. If not, erasing again goes on.
    pub done: bool,
    /// How many of the user's sessions are left, as far as is known; 0 once it is done.
    pub left: u64,
}

impl ChatMemory {
    /// Removes everything of a user: every session, under every memory key of the tenant, with its messages, summaries,
    /// settings, and places in every list. What is appended while this runs is in a session of its own, which stays
    /// whole or goes whole.
    ///
    /// It works in pieces and begins none after `within`; [`Erasure::done`] says whether there is more to do. Erasing
    /// what is gone removes nothing, and is done.
    ///
    /// # Errors
    /// Any error of the store, if nothing was removed before it.
    pub async fn erase_user(&self, user: &UserId, within: Duration) -> Result<Erasure> {
        let (began, at) = (Instant::now(), self.clock.now());
        let (sessions, messages, bytes) = (0, 0, 0);
        let mut erasure = Erasure { user: user.clone(), sessions, messages, bytes, at, done: false, left: 0 };
        let mut from = Mark::default();
        loop {
            match self.store.erase(&self.scope.tenant, user, self.clock.now(), &from).await {
                Ok(piece) => {
                    erasure.sessions += piece.sessions;
                    erasure.messages += piece.messages;
                    erasure.bytes += piece.bytes;
                    erasure.left = piece.left;
                    self.note_removal();
                    let Some(next) = piece.next else {
                        erasure.done = true;
                        return Ok(erasure);
                    };
                    from = next;
                }
                Err(error) if erasure.sessions == 0 => return Err(error.into()),
                Err(error) => {
                    // What is gone has to be told; whoever is told that it is not all asks again.
                    tracing::warn!(%error, "an erasure was broken off");
                    return Ok(erasure);
                }
            }
            if began.elapsed() >= within {
                return Ok(erasure);
            }
        }
    }

    /// Counts what the tenant has under all memory keys. It reads something of every session, in pieces; a session that
    /// changes meanwhile may be missed or counted twice.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn usage(&self) -> Result<Counted> {
        let mut all = Counted::default();
        let mut from = Mark::default();
        loop {
            let piece = self.store.usage(&self.scope.tenant, self.clock.now(), &from).await?;
            all.sessions += piece.sessions;
            all.messages += piece.messages;
            all.bytes += piece.bytes;
            let Some(next) = piece.next else {
                return Ok(all);
            };
            from = next;
        }
    }
}
