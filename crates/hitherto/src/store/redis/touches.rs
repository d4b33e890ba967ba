//! Telling the list of sessions who was active: at once for a session that this process has not told of
//! within a minute, and before the list is read for the others, so that an append stays cheap.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use redis::{Cmd, Pipeline};

use super::keys::{self, ListPlace};
use super::link::Kind;
use super::route::Route;
use super::{RedisStore, due};
use crate::session::{Scope, SessionKey, UserId};
use crate::store::Result;
use crate::time::Timestamp;

/// How often a session is told of.
const EVERY_MS: i64 = 60_000;
/// When a session is looked at that nobody has said to be due: after the next touch would have come.
pub(super) const LOOK_MS: i64 = EVERY_MS + 30_000;
/// How many sessions are remembered; beyond that all are forgotten, and told of again when they are active.
const REMEMBERED: usize = 50_000;

/// What this process has told the list.
#[derive(Debug, Default)]
pub(super) struct Touches {
    /// By a hash of the session's key, which costs less to look up than the key.
    told: Mutex<HashMap<u64, Told>>,
}

#[derive(Debug)]
struct Told {
    place: ListPlace,
    /// Where it stands in the list of its user, if this process has seen that it has one.
    of_user: Option<ListPlace>,
    at: Timestamp,
    /// Activity since, that the lists do not know of.
    since: Option<Timestamp>,
}

impl Touches {
    /// Notes activity, and gives whether the session was known, as [`told`](Self::told) says, and the places that the
    /// lists are to be told of now.
    pub(super) fn touch(&self, key: &SessionKey, now: Timestamp) -> (bool, Vec<ListPlace>) {
        let hash = hash(key);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = told.get_mut(&hash) {
            let since = now.as_millis() - known.at.as_millis();
            if (0..EVERY_MS).contains(&since) {
                known.since = Some(now);
                return (true, Vec::new());
            }
            known.at = now;
            known.since = None;
            return (true, std::iter::once(&known.place).chain(&known.of_user).cloned().collect());
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        let place = keys::list_place(key);
        told.insert(hash, Told { place: place.clone(), of_user: None, at: now, since: None });
        (false, vec![place])
    }

    /// Notes that a session is that user's, as the store has said.
    pub(super) fn learn_user(&self, key: &SessionKey, user: &UserId) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = told.get_mut(&hash(key)) {
            known.of_user = Some(keys::user_place(key, user).place);
        }
    }

    /// Whether the store has said that a session is that user's. It may have ended since.
    pub(super) fn knows_user(&self, key: &SessionKey, user: &UserId) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let known = told.get(&hash(key)).and_then(|known| known.of_user.as_ref());
        known.is_some_and(|known| *known == keys::user_place(key, user).place)
    }

    /// Whether the list has been told of a session lately; `None` if this process has never told it, or since that it
    /// ended.
    pub(super) fn told(&self, key: &SessionKey, now: Timestamp) -> Option<bool> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let since = told.get(&hash(key)).map(|known| now.as_millis() - known.at.as_millis());
        since.map(|since| (0..EVERY_MS).contains(&since))
    }

    /// The session has ended: its next activity is told at once.
    pub(super) fn forget(&self, key: &SessionKey) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(key));
    }

    /// Tells the list all that it does not know.
    pub(super) async fn flush(&self, link: &Route) -> Result<()> {
        let commands: Vec<Cmd> = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let mut commands = Vec::new();
            for known in told.values_mut() {
                if let Some(since) = known.since.take() {
                    let places = std::iter::once(&known.place).chain(&known.of_user);
                    commands.extend(places.map(|place| command(place, since)));
                }
            }
            commands
        };
        for some in commands.chunks(1000) {
            let mut pipeline = Pipeline::with_capacity(some.len());
            for command in some {
                pipeline.add_command(command.clone());
            }
            link.send_all(Kind::Read, &pipeline).await?;
        }
        Ok(())
    }
}

/// The memory keys that this process has told the store of.
#[derive(Debug, Default)]
pub(super) struct Scopes(Mutex<HashMap<Scope, Timestamp>>);

impl Scopes {
    /// What the store is to be told of a scope in which there is activity, once a minute.
    pub(super) fn touch(&self, scope: &Scope, now: Timestamp) -> Option<Cmd> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = told.get(scope).map(|at| now.as_millis() - at.as_millis());
        if since.is_some_and(|since| (0..EVERY_MS).contains(&since)) {
            return None;
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(scope.clone(), now);
        let mut command = redis::cmd("SADD");
        command.arg(keys::memory_keys(&scope.tenant)).arg(scope.memory_key.as_str());
        Some(command)
    }
}

impl RedisStore {
    /// Notes a write that has succeeded, and tells the list of sessions if it has not been told lately. The
    /// write stays a success if the list cannot be told: the session's next write tells it again.
    pub(super) async fn touch(&self, key: &SessionKey, now: Timestamp) {
        self.touch_with(key, now, false).await;
    }

    /// The same, for a session that somebody may have to fold.
    pub(super) async fn touch_with(&self, key: &SessionKey, now: Timestamp, folds: bool) {
        let (_, commands) = self.touch_commands(key, now, folds);
        if commands.is_empty() {
            return;
        }
        let mut all = Pipeline::with_capacity(commands.len());
        for command in commands {
            all.add_command(command);
        }
        if let Err(error) = Box::pin(self.link.send_all(Kind::Read, &all)).await {
            tracing::warn!(%error, "the list of sessions was not told of a write");
            self.tell_later(key, now, folds);
        }
    }

    /// The lists could not be told of a write that was done: the next one of the session tells them, and the due-list
    /// is told as soon as it can be.
    pub(super) fn tell_later(&self, key: &SessionKey, now: Timestamp, folds: bool) {
        self.touches.forget(key);
        if folds {
            self.mark_soon(key, now.plus_millis(LOOK_MS));
        }
    }

    /// Whether this process has told the lists of the session before; and what they are told of a write, unless they were
    /// told lately. The due-list is told for later, when the next touch of this session would come: so it forgets no
    /// session, even if this process ends before it can tell that one has become due.
    pub(super) fn touch_commands(&self, key: &SessionKey, now: Timestamp, folds: bool) -> (bool, Vec<Cmd>) {
        let (known, places) = self.touches.touch(key, now);
        if places.is_empty() {
            return (known, Vec::new());
        }
        let mut commands: Vec<Cmd> = places.iter().map(|place| command(place, now)).collect();
        commands.extend(self.scopes.touch(&key.scope, now));
        if folds {
            commands.push(due::later(key, now));
        }
        (known, commands)
    }
}

/// Tells the list of activity; what it knows is never made older.
pub(super) fn command(place: &ListPlace, active_at: Timestamp) -> Cmd {
    let mut command = redis::cmd("ZADD");
    command.arg(&place.list).arg("GT").arg(active_at.as_millis()).arg(&place.member);
    command
}

fn hash(key: &SessionKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
