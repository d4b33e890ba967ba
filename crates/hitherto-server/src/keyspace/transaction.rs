//! `MULTI`, `EXEC`, `DISCARD`, `WATCH`, `UNWATCH`.
//!
//! Invariant: the pushes of one transaction to one session are one append, whole or not at all. What else a
//! transaction does happens in order, after a look whether what was watched is as it was.

use super::client::{Transaction, Watched};
use super::command::Command;
use super::read::Outcome;
use super::server::QUEUE;
use super::{Client, Keyspace, Reply};

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
    pub(super) fn queue(&self, client: &mut Client, command: Command) -> Reply {
        let limit = self.0.options.command_limit.saturating_mul(4);
        let Some(transaction) = &mut client.transaction else { return Reply::OK };
        transaction.bytes += command.size();
        if transaction.commands.len() >= QUEUE || transaction.bytes > limit {
            transaction.spoiled = true;
            return Reply::error(format!("ERR a transaction has at most {QUEUE} commands and {limit} bytes"));
        }
        transaction.commands.push(command);
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
        for Watched { session, seen } in &watched {
            if self.describe(session).await? != *seen {
                return Ok(Reply::NullList);
            }
        }
        // Carried out as a pipeline is; a transaction cannot hold another.
        Ok(Reply::List(Box::pin(self.run(client, &transaction.commands)).await))
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
                let seen = self.describe(&session).await?;
                client.watched.push(Watched { session, seen });
            }
        }
        Ok(Reply::OK)
    }
}
