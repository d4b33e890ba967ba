//! Searching a session by words, for doors whose protocol can ask for that.
//!
//! Invariant: so many searches at a time, each off the threads on which other requests wait, and none past its deadline.

use std::sync::Arc;

use hitherto::{ChatMemory, Found, SessionId};

use super::Door;
use super::problem::{Code, Problem};

/// The messages of a session that say the words of a text, best first.
pub(super) async fn search(
    door: &Arc<Door>,
    memory: ChatMemory,
    session: SessionId,
    text: String,
    limit: u32,
) -> Result<Vec<Found>, Problem> {
    let slots = Arc::clone(&door.searches);
    // The semaphore is never closed, so a permit always comes.
    let slot = door.within(async { Ok(slots.acquire_owned().await.ok()) }).await?;
    let (door, runtime) = (Arc::clone(door), tokio::runtime::Handle::current());
    let searching = tokio::task::spawn_blocking(move || {
        // Held to the end, also where nobody waits for it any more.
        let _slot = slot;
        runtime.block_on(door.within(memory.search(&session, &text, limit)))
    });
    searching.await.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "the search died")))
}
