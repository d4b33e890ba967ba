//! `MULTI`, `EXEC`, `DISCARD`, `WATCH`, `UNWATCH`.
//!
//! Invariant: the pushes of one transaction to one session are one append, whole or not at all. What else a
//! transaction does happens in order, after a look whether what was watched is as it was.

use hitherto::{Description, SessionId};
use tokio::time::Instant;

use super::client::{Transaction, Watched};
use super::command::Command;
use super::read::Outcome;
use super::server::QUEUE;
use super::{Client, Keyspace, Reply, errors};

/// How far two looks at one moment at which a session ends may differ: it is the time of the look and what is left
/// then, and an answer of the store takes as long as this at most.
const BLUR_MS: u64 = 2_000;

/// How many keys may be watched.
const WATCHED: usize = 1_000;

impl Keyspace {
    pub(super) fn multi(client: &mut Client) -> Outcome {
        if client.transaction.is_some() {
            return Err(Reply::error("ERR MULTI calls can not be nested"));
        }
        client.transaction = Some(Transaction::default());
        Ok(Reply::OK)
    }

    /// Puts a command where `EXEC` finds it.
    pub(super) fn queue(&self, client: &mut Client, command: &Command) -> Reply {
        let limit = self.shared.options.command_limit.saturating_mul(4);
        let Some(transaction) = &mut client.transaction else { return Reply::OK };
        transaction.bytes += command.size();
        if transaction.commands.len() >= QUEUE || transaction.bytes > limit {
            transaction.spoiled = true;
            return Reply::error(format!("ERR a transaction has at most {QUEUE} commands and {limit} bytes"));
        }
        transaction.commands.push(command.detached());
        Reply::Word("QUEUED")
    }

    pub(super) fn discard(client: &mut Client) -> Outcome {
        if client.transaction.take().is_none() {
            return Err(Reply::error("ERR DISCARD without MULTI"));
        }
        client.watched.clear();
        Ok(Reply::OK)
    }

    pub(super) async fn exec(&self, client: &mut Client) -> Outcome {
        let Some(transaction) = client.transaction.take() else {
            return Err(Reply::error("ERR EXEC without MULTI"));
        };
        let watched = std::mem::take(&mut client.watched);
        if transaction.spoiled {
            return Err(Reply::error("EXECABORT Transaction discarded because of previous errors."));
        }
        for Watched { session, seen, changed } in &watched {
            if *changed || !is_as_it_was(seen.as_ref(), self.seen(session).await?) {
                return Ok(Reply::NullList);
            }
        }
        // Carried out as a pipeline is; a transaction cannot hold another.
        let end = Instant::now() + self.shared.options.deadline;
        client.executing = true;
        let replies = Box::pin(self.run_until(client, &transaction.commands, Some(end))).await;
        client.executing = false;
        Ok(Reply::List(replies))
    }

    /// What tells whether a session has changed, also one that has no messages left.
    async fn seen(&self, session: &SessionId) -> Result<Option<Description>, Reply> {
        self.memory().describe(session).await.map_err(errors::reply)
    }

    /// Notes a change of the client's own, which may leave everything as it was when it was watched.
    pub(super) fn note_change(&self, client: &mut Client, command: &Command, reply: &Reply) {
        if client.watched.is_empty() || !matches!(reply, Reply::Int(1..)) {
            return;
        }
        let keys =
            if command.is_of_many_keys() { command.rest(1) } else { std::slice::from_ref(command.word(1)) };
        for key in keys {
            if let Ok(place) = self.place(client, key) {
                for watched in client.watched.iter_mut().filter(|watched| watched.session == place.session) {
                    watched.changed = true;
                }
            }
        }
    }

    pub(super) async fn watch(&self, client: &mut Client, command: &Command) -> Outcome {
        if client.watched.len() + command.rest(1).len() > WATCHED {
            return Err(Reply::error(format!("ERR at most {WATCHED} keys can be watched")));
        }
        client.just_watched |= client.watched.is_empty();
        for key in command.rest(1) {
            let session = self.place(client, key)?.session;
            // All keys of a session are one thing to watch.
            if client.watched.iter().all(|watched| watched.session != session) {
                let seen = self.seen(&session).await?;
                client.watched.push(Watched { session, seen, changed: false });
            }
        }
        Ok(Reply::OK)
    }
}

/// Whether a session is as `WATCH` saw it.
fn is_as_it_was(seen: Option<&Description>, now: Option<Description>) -> bool {
    match (seen, now) {
        (Some(seen), Some(mut now)) => {
            if let (Some(then), Some(end)) = (seen.expires_at, now.expires_at)
                && then.as_millis().abs_diff(end.as_millis()) <= BLUR_MS
            {
                now.expires_at = seen.expires_at;
            }
            *seen == now
        }
        (seen, now) => seen.is_none() && now.is_none(),
    }
}
