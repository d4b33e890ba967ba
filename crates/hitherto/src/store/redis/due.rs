//! The due-list: sorted sets of sessions that may be due for folding, by when they are due.
//!
//! A claimed session has a score of its own kind, which begins far beyond all times: so a mark, which only ever
//! lowers a score, is told from a claim, and survives the claim's end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Cmd, Pipeline, Value};

use super::RedisStore;
use super::keys::{DUE_LISTS, ListPlace, due_list, due_place, parse_full_name};
use super::link::Kind;
use super::meta::integer;
use super::route::Route;
use crate::session::SessionKey;
use crate::store::{Claim, Result};
use crate::time::Timestamp;

/// Scores from here on are claims; what they have beyond it is when they end. As a time it is the year 33658.
const CLAIMED: i64 = 1_000_000_000_000_000;

/// Marks a session as due at a time, or leaves it where it is due sooner.
pub(super) fn mark(place: &ListPlace, due: Timestamp) -> Cmd {
    let mut command = redis::cmd("ZADD");
    command.arg(&place.list).arg("LT").arg(due.as_millis().clamp(0, CLAIMED - 1)).arg(&place.member);
    command
}

/// Marks a session for when the next touch of it would come.
pub(super) fn later(key: &SessionKey, now: Timestamp) -> Cmd {
    mark(&due_place(key), now.plus_millis(super::touches::LOOK_MS))
}

fn claim_score(until: Timestamp) -> i64 {
    CLAIMED + until.as_millis().clamp(0, CLAIMED)
}

/// How often a process tells the list of sessions that appends have made due.
const EVERY: Duration = Duration::from_millis(200);
/// How many sessions may wait to be told of; of the others the list knows from their touches.
const WAITING: usize = 10_000;

/// Sessions of which the list is about to be told.
#[derive(Debug, Default)]
pub(super) struct Marks {
    waiting: HashMap<ListPlace, Timestamp>,
    /// Whether somebody is telling.
    told: bool,
}

impl Marks {
    fn add(&mut self, place: ListPlace, due: Timestamp) {
        if let Some(known) = self.waiting.get_mut(&place) {
            *known = due.min(*known);
        } else if self.waiting.len() < WAITING {
            self.waiting.insert(place, due);
        }
    }
}

/// An entry of one part of the list.
struct Candidate {
    shard: u32,
    member: String,
    score: i64,
}

impl Candidate {
    /// When it is due, or when its claim ends.
    fn due(&self) -> i64 {
        if self.score >= CLAIMED { self.score - CLAIMED } else { self.score }
    }
}

impl RedisStore {
    /// Takes sessions from the list.
    pub(super) async fn claim(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Claim>> {
        let mut candidates = self.candidates(now, limit).await?;
        candidates.sort_by(|one, other| (one.due(), &one.member).cmp(&(other.due(), &other.member)));
        candidates.truncate(limit as usize);
        let mut claims = Vec::with_capacity(candidates.len());
        for shard in 0..DUE_LISTS {
            let wanted: Vec<&Candidate> = candidates.iter().filter(|one| one.shard == shard).collect();
            if wanted.is_empty() {
                continue;
            }
            let list = due_list(shard);
            let fill = |command: &mut Cmd| {
                command.arg(1).arg(&list).arg(claim_score(until));
                for one in &wanted {
                    command.arg(&one.member).arg(one.score);
                }
            };
            let got = self.scripts.call(&self.link, &self.scripts.claim, Kind::Write, fill).await?;
            for (one, got) in wanted.iter().zip(self.link.array(got)?) {
                match parse_full_name(&one.member) {
                    Some(key) if integer(&got) == 1 => claims.push((one.due(), Claim { key, until })),
                    Some(_) => {}
                    // Nobody could ever settle it.
                    None => {
                        let mut remove = redis::cmd("ZREM");
                        remove.arg(&list).arg(&one.member);
                        self.link.call(Kind::Read, &remove).await?;
                    }
                }
            }
        }
        claims.sort_by_key(|(due, _)| *due);
        Ok(claims.into_iter().map(|(_, claim)| claim).collect())
    }

    /// What is due by `now`, and what was claimed until before that.
    async fn candidates(&self, now: Timestamp, limit: u32) -> Result<Vec<Candidate>> {
        let now = now.as_millis().clamp(0, CLAIMED - 1);
        let mut pipeline = Pipeline::with_capacity(2 * DUE_LISTS as usize);
        for shard in 0..DUE_LISTS {
            for (from, to) in [(0, now), (CLAIMED, CLAIMED + now)] {
                pipeline.cmd("ZRANGE").arg(due_list(shard)).arg(from).arg(to).arg("BYSCORE");
                pipeline.arg("LIMIT").arg(0).arg(limit).arg("WITHSCORES");
            }
        }
        let mut candidates = Vec::new();
        for (index, answer) in (0_u32..).zip(self.link.send_all(Kind::Read, &pipeline).await?) {
            for pair in self.link.array(self.link.checked(answer)?)? {
                let pair = self.link.array(pair)?;
                let (Some(Value::BulkString(member)), Some(score)) = (pair.first(), pair.get(1)) else {
                    continue;
                };
                let score = match score {
                    #[expect(clippy::cast_possible_truncation, reason = "scores are far below 2^53")]
                    Value::Double(score) => *score as i64,
                    other => integer(other),
                };
                if let Ok(member) = std::str::from_utf8(member) {
                    candidates.push(Candidate { shard: index / 2, member: member.to_owned(), score });
                }
            }
        }
        Ok(candidates)
    }

    /// Ends a claim.
    pub(super) async fn end_claim(&self, claim: &Claim, again: Option<Timestamp>) -> Result<()> {
        let place = due_place(&claim.key);
        let again =
            again.map(|again| again.as_millis().clamp(0, CLAIMED - 1).to_string()).unwrap_or_default();
        let fill = |command: &mut Cmd| {
            command.arg(1).arg(&place.list).arg(&place.member).arg(claim_score(claim.until)).arg(&again);
        };
        self.scripts.call(&self.link, &self.scripts.settle, Kind::Write, fill).await.map(drop)
    }

    /// Marks a session as due, and waits until the list knows. Should it fail, the list is told as soon as it can be.
    pub(super) async fn mark(&self, key: &SessionKey, due: Timestamp) -> Result<()> {
        let told = self.link.call(Kind::Read, &mark(&due_place(key), due)).await.map(drop);
        if told.is_err() {
            self.mark_soon(key, due);
        }
        told
    }

    /// Marks a session as due, without letting whoever appended wait for it, and goes on until the list knows.
    /// Should this process end before, the list knows of the session all the same: every touch has marked it for
    /// later.
    pub(super) fn mark_soon(&self, key: &SessionKey, due: Timestamp) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.add(due_place(key), due);
        if !marks.told {
            marks.told = true;
            tokio::spawn(tell(Arc::clone(&self.link), Arc::clone(&self.marks)));
        }
    }
}

/// Tells the list at once, and then of all that comes within a while together, until nothing comes any more.
async fn tell(link: Arc<Route>, marks: Arc<Mutex<Marks>>) {
    loop {
        let waiting = {
            let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
            marks.told = !marks.waiting.is_empty();
            std::mem::take(&mut marks.waiting)
        };
        if waiting.is_empty() {
            return;
        }
        let mut pipeline = Pipeline::with_capacity(waiting.len());
        for (place, due) in &waiting {
            pipeline.add_command(mark(place, *due));
        }
        let told = match link.send_all(Kind::Read, &pipeline).await {
            Ok(answers) => answers.into_iter().try_for_each(|answer| link.checked(answer).map(drop)),
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::debug!(%error, "the due-list was not told of what is due; it will be");
            let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
            for (place, due) in waiting {
                marks.add(place, due);
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
