//! Lists of sessions in an order that the store does not have: all of them, and then sorted.
//!
//! Invariant: bounded, in how many sessions are read and in what is kept of each.

use hitherto::{ChatMemory, SessionId, SessionQuery, Timestamp};

use super::Door;
use super::problem::Problem;

/// How many sessions are listed: those that were active last.
const SESSIONS: usize = 10_000;
/// How many are read at a time: each may bring 64 KiB of metadata along.
const PAGE: u32 = 250;

/// What a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) session: SessionId,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// The sessions of a memory: of more than ten thousand, those that were active last.
pub(super) async fn all(door: &Door, memory: &ChatMemory) -> Result<Vec<Line>, Problem> {
    door.within(async {
        // The semaphore is never closed, so a permit always comes.
        let _slot = door.searches.acquire().await.ok();
        let mut lines = Vec::new();
        let mut after = None;
        while lines.len() < SESSIONS {
            let limit = PAGE.min(memory.limits().page);
            let page = memory.sessions(&SessionQuery { after, limit, ..SessionQuery::default() }).await?;
            lines.extend(page.sessions.into_iter().map(|listed| Line {
                session: listed.session,
                created_at: listed.description.created_at,
                updated_at: listed.description.updated_at,
            }));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(lines)
    })
    .await
}
