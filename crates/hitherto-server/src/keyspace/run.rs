//! Carrying commands out: in the order in which they came, those that belong together as one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::command::Command;
use super::read::Outcome;
use super::table::{self, Entry, Op};
use super::{Client, Keyspace, Reply, errors};
use crate::metrics::{command_name, reply_code, unknown_command};
use crate::origin;

/// A reply of so many bytes at most has room in any case.
const SMALL: usize = 64;

impl Keyspace {
    /// Carries out commands that arrived together and gives a reply to each; all together no more than one reply may
    /// have.
    pub(crate) async fn run(&self, client: &mut Client, commands: &[Command]) -> Vec<Reply> {
        self.run_until(client, commands, None).await
    }

    /// The same; what has not begun by that moment is not begun, and its reply says so.
    pub(super) async fn run_until(
        &self,
        client: &mut Client,
        commands: &[Command],
        end: Option<Instant>,
    ) -> Vec<Reply> {
        let mut replies = Vec::with_capacity(commands.len());
        let (mut rest, mut bytes) = (commands, 0);
        while !rest.is_empty() && !client.closing {
            if end.is_some_and(|end| end <= Instant::now()) {
                replies.extend(std::iter::repeat_n(errors::not_begun(self.0.options.deadline), rest.len()));
                break;
            }
            let begun = replies.len();
            // What was read can be read again in parts. What a write did is told in any case: what it took from a list
            // is nowhere else, and whoever gets an error pushes once more.
            let reads = rest.first().and_then(|command| command.entry().ok()).is_some_and(Entry::reads);
            let used = self.advance(client, rest, &mut replies).await;
            rest = rest.get(used..).unwrap_or_default();
            let more = replies.iter().skip(begun).map(Reply::size).sum::<usize>();
            if reads && more > SMALL && bytes + more > self.0.options.reply_limit {
                replies.truncate(begun);
                replies.extend(std::iter::repeat_n(self.too_long(), used));
            } else {
                bytes += more;
            }
        }
        replies
    }

    /// Carries out what these commands begin with, at least one, gives a reply to each, and says how many that were.
    pub(crate) async fn advance(
        &self,
        client: &mut Client,
        commands: &[Command],
        replies: &mut Vec<Reply>,
    ) -> usize {
        let Some(command) = commands.first() else { return 0 };
        let entry = match command.entry() {
            Ok(entry) => entry,
            Err(reply) => {
                if let Some(transaction) = &mut client.transaction {
                    transaction.spoiled = true;
                }
                origin::commands(1);
                self.count(client, None, Duration::ZERO, &reply);
                replies.push(reply);
                return 1;
            }
        };
        if client.transaction.is_some() && !is_immediate(entry.op) {
            origin::commands(1);
            replies.push(self.queue(client, command));
            return 1;
        }
        client.just_watched &= matches!(entry.op, Op::Type | Op::Watch);
        let (begun, at) = (replies.len(), Instant::now());
        let used = self.step(client, entry, commands, replies).await.max(1);
        let took = at.elapsed();
        origin::commands(used as u64);
        self.0.commands.fetch_add(used as u64, Ordering::Relaxed);
        let given = replies.get(begun..).unwrap_or_default();
        for (command, reply) in commands.iter().zip(given) {
            self.count(client, table::place(command.word(0)), took, reply);
        }
        self.note(client, commands, given);
        if entry.writes() {
            for (command, reply) in commands.iter().zip(given) {
                self.note_change(client, command, reply);
            }
        }
        used
    }

    /// Counts a command that was answered: its place in the table, and how long it took.
    fn count(&self, client: &Client, command: Option<usize>, took: Duration, reply: &Reply) {
        let error = match reply {
            Reply::Error(text) => Some(text.as_str()),
            _ => None,
        };
        let place = command.unwrap_or_else(unknown_command);
        self.0.metrics.command(client.door, place, took, error);
        let (door, operation) = (client.door.as_str(), command_name(place));
        let code = error.map(reply_code);
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(target: "hitherto::requests", door, operation, code, took_ms, "answered");
        if self.0.options.slow_command.is_some_and(|slow| took >= slow) {
            tracing::warn!(door, operation, code, took_ms, "a slow command");
        }
    }

    /// Carries out what these commands begin with, and says how many of them that were.
    async fn step(
        &self,
        client: &mut Client,
        entry: &'static Entry,
        commands: &[Command],
        replies: &mut Vec<Reply>,
    ) -> usize {
        if matches!(entry.op, Op::LPush | Op::RPush | Op::HSet | Op::HSetNx)
            && let Some(used) = self.pushes(client, commands, replies).await
        {
            return used;
        }
        let Some(command) = commands.first() else { return 1 };
        if !matches!(entry.op, Op::Expire | Op::PExpire | Op::ExpireAt | Op::PExpireAt) {
            // Whoever does something else has said what it had to say.
            self.0.holds.release(client);
        }
        if matches!(entry.op, Op::LPop | Op::RPop | Op::Exec) {
            // They look at the time themselves: cut off in the middle, they could not say what they did, nor give what
            // they took.
            replies.push(self.one(client, entry.op, command).await.unwrap_or_else(|error| error));
            return 1;
        }
        // Pushes are bounded by their own waits; what needs many answers of the store is bounded here.
        let deadline = self.0.options.deadline;
        let reply = tokio::time::timeout(deadline, self.one(client, entry.op, command)).await;
        replies.push(reply.unwrap_or_else(|_| Err(errors::too_slow(deadline))).unwrap_or_else(|error| error));
        1
    }

    async fn one(&self, client: &mut Client, op: Op, command: &Command) -> Outcome {
        match op {
            Op::LRange => self.lrange(client, command).await,
            Op::LLen => self.llen(client, command).await,
            Op::LIndex => self.lindex(client, command).await,
            Op::LPos => self.lpos(client, command).await,
            Op::LPop | Op::RPop => self.pop(client, op, command).await,
            Op::LTrim => self.ltrim(client, command).await,
            Op::LRem => self.lrem(client, command).await,
            Op::LSet => self.lset(client, command).await,
            Op::LPushX | Op::RPushX => self.push_if_there(client, op, command).await,
            // `pushes` has them; here only where nothing of theirs could be pushed.
            Op::LPush | Op::RPush => Err(Reply::error("ERR nothing is kept under this key")),
            Op::HSet
            | Op::HSetNx
            | Op::HGet
            | Op::HMGet
            | Op::HGetAll
            | Op::HKeys
            | Op::HVals
            | Op::HLen
            | Op::HExists
            | Op::HDel => self.hash(client, op, command).await,
            Op::Expire | Op::PExpire | Op::ExpireAt | Op::PExpireAt => self.expire(client, op, command).await,
            Op::Ttl | Op::PTtl | Op::ExpireTime | Op::PExpireTime => {
                self.remaining(client, op, command).await
            }
            Op::Persist => self.persist(client, command).await,
            Op::Exists | Op::Touch => self.exists(client, command).await,
            Op::Type => self.kind(client, command).await,
            Op::Del => self.del(client, command).await,
            Op::Keys => self.keys(client, command).await,
            Op::Scan => self.scan(client, command).await,
            Op::DbSize => self.dbsize().await,
            Op::Multi => Self::multi(client),
            Op::Exec => self.exec(client).await,
            Op::Discard => Self::discard(client),
            Op::Watch if client.transaction.is_some() => {
                Err(Reply::error("ERR WATCH inside MULTI is not allowed"))
            }
            Op::Watch => self.watch(client, command).await,
            Op::Unwatch => {
                client.watched.clear();
                Ok(Reply::OK)
            }
            Op::Ping => Self::ping(command),
            Op::Echo => Ok(Reply::Bulk(command.word(1).clone())),
            Op::Time => Ok(Self::time()),
            Op::Info => Ok(self.info(command)),
            Op::Hello => self.hello(client, command),
            Op::Auth => Self::auth(command),
            Op::Select => Self::select(client, command),
            Op::Client => Self::client(client, command),
            Op::Command => Self::command(command),
            Op::Reset => {
                self.0.holds.release(client);
                client.reset();
                Ok(Reply::Word("RESET"))
            }
            Op::Quit => {
                client.closing = true;
                Ok(Reply::OK)
            }
        }
    }
}

/// Whether a command is carried out at once although a transaction is open.
const fn is_immediate(op: Op) -> bool {
    matches!(op, Op::Exec | Op::Discard | Op::Multi | Op::Watch | Op::Quit | Op::Reset)
}
