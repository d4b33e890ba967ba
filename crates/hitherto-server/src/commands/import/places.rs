//! The places that a session has already, walked from the oldest to the newest.

use std::collections::VecDeque;

use hitherto::{Seq, SessionId};

use super::super::again::again;
use crate::target::{Target, TargetError, WireMessage};

/// How many messages are asked for at a time: each may have a megabyte.
const PAGE: u32 = 100;

/// A walk over a session. Memory: one page.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    target: &'a Target,
    session: &'a SessionId,
    page: VecDeque<WireMessage>,
    ended: bool,
}

impl<'a> Places<'a> {
    /// Begins; nothing is read yet.
    pub(crate) fn new(target: &'a Target, session: &'a SessionId) -> Self {
        Self { target, session, page: VecDeque::new(), ended: false }
    }

    /// What stands at a place; `None` if it was deleted, cannot be read, or was let go by a maximum of
    /// messages. Places are asked for in rising order.
    pub(crate) async fn at(&mut self, seq: Seq) -> Result<Option<&WireMessage>, TargetError> {
        while self.page.front().is_some_and(|message| message.seq < seq) {
            self.page.pop_front();
        }
        if self.page.is_empty() && !self.ended {
            let after = seq.saturating_sub(1);
            let page = again(async || self.target.page(self.session, after, PAGE).await).await?;
            self.ended = !page.more;
            self.page = page.messages.into();
        }
        Ok(self.page.front().filter(|message| message.seq == seq))
    }
}
