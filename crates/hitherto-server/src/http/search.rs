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
    let door = Arc::clone(door);
    let runtime = tokio::runtime::Handle::current();
    let searching = door.within(async {
        // The semaphore is never closed, so a permit always comes.
        let _slot = door.searches.acquire().await.ok();
        let search = async move { memory.search(&session, &text, limit).await };
        Ok(tokio::task::spawn_blocking(move || runtime.block_on(search)).await)
    });
    match searching.await? {
        Ok(found) => Ok(found?),
        Err(_) => Err(Problem::new(Code::Internal, "the search died")),
    }
}
