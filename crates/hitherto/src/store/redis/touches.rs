//! Telling the list of sessions who was active: at once for a session that this process has not told of
//! within a minute, and before the list is read for the others, so that an append stays cheap.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use redis::{Cmd, Pipeline};

use super::keys::{self, ListPlace};
use super::link::Kind;
use super::route::Route;
use crate::session::SessionKey;
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
    at: Timestamp,
    /// Activity since, that the list does not know of.
    since: Option<Timestamp>,
}

impl Touches {
    /// Notes activity, and gives the place that the list is to be told of now.
    pub(super) fn touch(&self, key: &SessionKey, now: Timestamp) -> Option<ListPlace> {
        let hash = hash(key);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = told.get_mut(&hash) {
            let since = now.as_millis() - known.at.as_millis();
            if (0..EVERY_MS).contains(&since) {
                known.since = Some(now);
                return None;
            }
            known.at = now;
            known.since = None;
            return Some(known.place.clone());
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        let place = keys::list_place(key);
        told.insert(hash, Told { place: place.clone(), at: now, since: None });
        Some(place)
    }

    /// Whether the list has been told of a session lately.
    pub(super) fn told(&self, key: &SessionKey, now: Timestamp) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let since = told.get(&hash(key)).map(|known| now.as_millis() - known.at.as_millis());
        since.is_some_and(|since| (0..EVERY_MS).contains(&since))
    }

    /// Whether this process has told the list of a session at any time, and not that it ended.
    pub(super) fn knows(&self, key: &SessionKey) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&hash(key))
    }

    /// The session has ended: its next activity is told at once.
    pub(super) fn forget(&self, key: &SessionKey) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(key));
    }

    /// Tells the list all that it does not know.
    pub(super) async fn flush(&self, link: &Route) -> Result<()> {
        let commands: Vec<Cmd> = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.values_mut()
                .filter_map(|known| known.since.take().map(|since| command(&known.place, since)))
                .collect()
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
