//! Turns that arrive as two pushes: who pushed what a person said has the session until the answer is pushed.
//!
//! Clients push a question and its answer one after the other, without a transaction. Between the two, others wait:
//! for a fraction of a second, after which everybody goes on, for whoever asks a model in between takes longer.
//! Invariant: nobody waits without a bound, and what is waited for is order only, never whether something is stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hitherto::SessionKey;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::Client;

/// How long a turn may stay half said while others wait.
const HOLD: Duration = Duration::from_millis(250);
/// How long a push waits at most for the turns of others.
const PATIENCE: Duration = Duration::from_millis(1_500);

#[derive(Debug, Default)]
pub(super) struct Holds(Mutex<HashMap<SessionKey, Hold>>);

#[derive(Debug)]
struct Hold {
    owner: u64,
    until: Instant,
    released: Arc<Notify>,
}

impl Holds {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Hold>> {
        // A panic while it was held leaves a whole map behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other client is in the middle of a turn of that session, and takes the session.
    pub(super) async fn take(&self, client: &mut Client, session: &SessionKey) {
        if client.holding.as_ref().is_some_and(|held| held != session) {
            self.release(client);
        }
        let patience = Instant::now() + PATIENCE;
        loop {
            let released = {
                let mut holds = self.lock();
                let now = Instant::now();
                match holds.get(session) {
                    Some(hold) if hold.owner != client.id && hold.until > now && patience > now => {
                        let (released, until) = (Arc::clone(&hold.released), hold.until.min(patience));
                        // Made under the lock, so that no release is missed.
                        (released.notified_owned(), until)
                    }
                    _ => {
                        let released =
                            holds.get(session).map(|hold| Arc::clone(&hold.released)).unwrap_or_default();
                        holds.insert(session.clone(), Hold { owner: client.id, until: now + HOLD, released });
                        client.holding = Some(session.clone());
                        return;
                    }
                }
            };
            // Whether it was released or the time is up, the next look decides.
            let _ = timeout_at(released.1, released.0).await;
        }
    }

    /// Gives the session back, if the client has one.
    pub(super) fn release(&self, client: &mut Client) {
        let Some(session) = client.holding.take() else { return };
        let mut holds = self.lock();
        if holds.get(&session).is_some_and(|hold| hold.owner == client.id)
            && let Some(hold) = holds.remove(&session)
        {
            hold.released.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use hitherto::{Scope, SessionId, Tenant};

    use super::*;

    fn key(tenant: &str, session: &str) -> SessionKey {
        Scope { tenant: Tenant::parse(tenant).unwrap(), ..Scope::default() }
            .session(&SessionId::parse(session).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_said_turn_is_waited_for_and_not_for_ever() {
        let holds = Arc::new(Holds::default());
        let session = key("a", "s");
        let (mut one, mut two) = (Client::new(1), Client::new(2));
        holds.take(&mut one, &session).await;
        // The same client goes on.
        holds.take(&mut one, &session).await;
        let begin = Instant::now();
        holds.take(&mut two, &session).await;
        assert_eq!(begin.elapsed(), HOLD);
        // What the first gives back now is no longer its own.
        holds.release(&mut one);
        let waiter = {
            let (holds, session) = (Arc::clone(&holds), session.clone());
            tokio::spawn(async move {
                let mut three = Client::new(3);
                holds.take(&mut three, &session).await;
                Instant::now()
            })
        };
        tokio::time::sleep(Duration::from_millis(10)).await;
        let released = Instant::now();
        holds.release(&mut two);
        assert_eq!(waiter.await.unwrap(), released);
    }

    #[tokio::test(start_paused = true)]
    async fn another_session_is_another_matter() {
        let holds = Holds::default();
        let (mut one, mut two) = (Client::new(1), Client::new(2));
        let begin = Instant::now();
        holds.take(&mut one, &key("a", "a")).await;
        holds.take(&mut two, &key("a", "b")).await;
        holds.take(&mut one, &key("a", "c")).await;
        holds.take(&mut two, &key("a", "a")).await;
        // So is one of the same id that is another tenant's.
        holds.take(&mut one, &key("b", "a")).await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }
}
