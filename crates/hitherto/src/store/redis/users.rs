//! The list of a user's sessions, and erasing all of them.
//!
//! Invariant: a session that has a user stands in that user's list at every moment, whatever dies. So the list is told
//! before the append that gives a session its user, and a session is taken off only if nobody has told of it since it was
//! seen to be gone: its score is still the one that was read, and when the score had been read nobody was between telling
//! and appending. What is on the list and is not the user's is passed over, and taken off by whoever comes by: a reader,
//! an erasure, or a worker, to whom the due-list gives each user's list now and then. The list has no expiry: with its
//! last session it is gone.

use redis::{Cmd, Pipeline, Value};

use super::RedisStore;
use super::due;
use super::keys::{self, Keys, due_user, told_key, user_list, user_place};
use super::link::Kind;
use super::meta::{self, Reply, integer, number};
use super::route::Route;
use super::scripts::Scripts;
use super::touches;
use crate::session::{SessionKey, Tenant, UserId};
use crate::store::{At, Batch, Erased, Mark, Outcome, Receipt, Result, StoreError};
use crate::time::Timestamp;

/// How many sessions a piece of an erasure looks at.
const PIECE: usize = 100;
/// How many sessions of a list are looked at by a worker that comes by.
const SAMPLE: usize = 500;
/// When a list is looked at again where nothing had to be taken off, and where something had.
const DAY_MS: i64 = 86_400_000;
const SOON_MS: i64 = 60_000;

/// Whether an append may give a session its user: only if the user's list was told before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum May {
    /// The session has to have that user already.
    Have = 1,
    /// It may become the user's.
    Become = 2,
}

/// What became of an append.
pub(super) enum Sent {
    /// It is stored, or was before.
    Stored(Receipt),
    /// Nothing is: the session has no user yet, and the user's list was not told.
    Untold,
}

/// A place in a user's list as it was read.
struct Seen {
    member: String,
    score: i64,
    /// Whether somebody may be between telling of it and appending.
    about_to_be: bool,
}

impl RedisStore {
    /// An append that names a user: one trip for a session that this process knows to be the user's, and for others the
    /// list of the user is told before.
    pub(super) async fn append_of_user(&self, at: At<'_>, batch: &Batch, user: &UserId) -> Result<Receipt> {
        if self.touches.knows_user(at.key, user)
            && let Sent::Stored(receipt) = self.send_append(at, batch, Some(May::Have)).await?
        {
            return Ok(receipt);
        }
        self.tell(at.key, user, at.now).await?;
        let sent = self.send_append(at, batch, Some(May::Become)).await;
        let touch = async {
            if let Ok(Sent::Stored(receipt)) = &sent
                && !receipt.repeated
            {
                self.touch_with(at.key, at.now, batch.hint.is_some()).await;
            }
        };
        tokio::join!(touch, self.end_telling(at.key, user, &sent));
        match sent {
            Ok(Sent::Stored(receipt)) => {
                self.touches.learn_user(at.key, user);
                Ok(receipt)
            }
            Ok(Sent::Untold) => Err(self.link.failed("a list that was told counts as untold")),
            Err(error) => {
                if matches!(error, StoreError::UserMismatch | StoreError::OnceUnknown) {
                    self.leave_user(at.key, user).await;
                }
                Err(error)
            }
        }
    }

    /// Tells a user's list of a session that is about to be the user's, and the due-list of the user's.
    pub(super) async fn tell(&self, key: &SessionKey, user: &UserId, now: Timestamp) -> Result<()> {
        let of_user = user_place(key, user);
        let fill = |command: &mut Cmd| {
            command.arg(2).arg(&of_user.place.list).arg(&of_user.told);
            command.arg(&of_user.place.member).arg(now.as_millis().max(0));
        };
        let looked_at = due::mark(&due_user(&key.scope.tenant, user), now.plus_millis(DAY_MS));
        let also = [looked_at];
        // Told twice is told once, with a mark that stands a minute longer.
        self.scripts.call_with(&self.link, &self.scripts.tell, Kind::Read, fill, &also).await.map(drop)
    }

    /// Ends telling, unless nobody knows whether what was told of is still to come.
    pub(super) async fn end_telling<T>(&self, key: &SessionKey, user: &UserId, done: &Result<T>) {
        if done.as_ref().is_err_and(|error| error.outcome() == Outcome::Unknown) {
            return;
        }
        let told = user_place(key, user).told;
        let fill = |command: &mut Cmd| {
            command.arg(1).arg(&told);
        };
        // Not sent twice: it may end only what this call began.
        if let Err(error) = self.scripts.call(&self.link, &self.scripts.told, Kind::Write, fill).await {
            tracing::debug!(%error, "the mark of a session that was told of ends by itself");
        }
    }

    /// Takes a session off a user's list that is gone, or is not the user's. The call that ended it stays a success if
    /// this fails: whoever comes by takes it off.
    pub(super) async fn leave_user(&self, key: &SessionKey, user: &UserId) {
        let place = user_place(key, user).place;
        let leave = async {
            let mut score = redis::cmd("ZSCORE");
            score.arg(&place.list).arg(&place.member);
            let score = match self.link.call(Kind::Read, &score).await? {
                Value::Nil => return Ok(()),
                Value::Double(score) => whole(score),
                score => integer(&score),
            };
            let seen = vec![(place.member.clone(), score)];
            repair(&self.link, &self.scripts, &key.scope.tenant, user, seen).await.map(drop)
        };
        if let Err::<(), StoreError>(error) = leave.await {
            tracing::debug!(%error, "a session that is gone is still on its user's list");
        }
    }

    /// Removes a piece of what a user has, from the session that was active longest ago on. A session that is begun
    /// anew meanwhile comes later.
    pub(super) async fn erase_piece(
        &self,
        tenant: &Tenant,
        user: &UserId,
        now: Timestamp,
        from: &Mark,
    ) -> Result<Erased> {
        let list = user_list(tenant, user);
        let found = oldest(&self.link, &list, from).await?;
        let Some((member, score)) = found.last() else {
            self.leave_due_list(tenant, user, now).await?;
            return Ok(Erased::default());
        };
        let next = Some(Mark(format!("{score}:{member}")));
        let seen = look(&self.link, &list, found).await?;
        let mut erased = Erased { next, ..Erased::default() };
        let (mut gone, mut off) = (Vec::new(), Vec::new());
        for seen in seen {
            if let Some(key) = keys::parse_member(tenant, &seen.member)
                && self.erase_one(&key, user, &mut erased).await?
            {
                gone.push(key);
            }
            if !seen.about_to_be {
                off.push((seen.member, seen.score));
            }
        }
        self.leave_lists(&gone, now).await?;
        // Last: whatever ends before, whoever erases again finds them here.
        take_off(&self.link, &self.scripts, &list, &off).await?;
        let mut left = redis::cmd("ZCARD");
        left.arg(&list);
        erased.left = number(integer(&self.link.call(Kind::Read, &left).await?));
        Ok(erased)
    }

    /// Removes one session, and says whether it is gone: not if it is another user's.
    async fn erase_one(&self, key: &SessionKey, user: &UserId, erased: &mut Erased) -> Result<bool> {
        let keys = Keys::new(key);
        let fill = |command: &mut Cmd| {
            command.arg(user.as_str());
        };
        let (erase, about) = (&self.scripts.erase, (&keys, false));
        let (reply, _) = self.scripts.call_session(&self.link, erase, Kind::Write, about, fill, &[]).await?;
        let reply = Reply(self.link.array(reply)?);
        match reply.word() {
            "ok" => {
                erased.sessions += 1;
                erased.messages += number(reply.number(1));
                erased.bytes += number(reply.number(2));
                Ok(true)
            }
            "none" => Ok(true),
            "other" => Ok(false),
            _ => Err(self.refusal(&keys, &reply)),
        }
    }

    /// Takes sessions that are gone off the list of sessions and the due-list. One that was begun anew in between is
    /// told of again.
    async fn leave_lists(&self, gone: &[SessionKey], now: Timestamp) -> Result<()> {
        if gone.is_empty() {
            return Ok(());
        }
        let mut leave = Pipeline::with_capacity(2 * gone.len());
        for key in gone {
            self.touches.forget(key);
            for place in [keys::list_place(key), keys::due_place(key)] {
                leave.cmd("ZREM").arg(&place.list).arg(&place.member);
            }
        }
        all(&self.link, &leave).await?;
        let mut there = Pipeline::with_capacity(gone.len());
        for key in gone {
            there.cmd("EXISTS").arg(Keys::new(key).meta());
        }
        let there = all(&self.link, &there).await?;
        let mut again = Pipeline::with_capacity(0);
        for (key, there) in gone.iter().zip(&there) {
            if integer(there) > 0 {
                again.add_command(touches::command(&keys::list_place(key), now));
                again.add_command(due::later(key, now));
            }
        }
        if again.cmd_iter().next().is_some() {
            all(&self.link, &again).await?;
        }
        Ok(())
    }

    /// Takes a user's list that is gone off the due-list; one that is there, again or still, stays on it.
    async fn leave_due_list(&self, tenant: &Tenant, user: &UserId, now: Timestamp) -> Result<()> {
        let place = due_user(tenant, user);
        let mut leave = redis::cmd("ZREM");
        leave.arg(&place.list).arg(&place.member);
        self.link.call(Kind::Read, &leave).await?;
        let mut there = redis::cmd("EXISTS");
        there.arg(user_list(tenant, user));
        if integer(&self.link.call(Kind::Read, &there).await?) > 0 {
            self.link.call(Kind::Read, &due::mark(&place, now.plus_millis(DAY_MS))).await?;
        }
        Ok(())
    }

    /// Looks through some of a user's list, for the worker, and says when it has to be looked at again; never if it is
    /// empty.
    pub(super) async fn look_through(
        &self,
        tenant: &Tenant,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let list = user_list(tenant, user);
        let mut some = redis::cmd("ZRANDMEMBER");
        some.arg(&list).arg(SAMPLE).arg("WITHSCORES");
        let seen = members(&self.link, self.link.call(Kind::Read, &some).await?)?;
        if seen.is_empty() {
            return Ok(None);
        }
        let all = seen.len();
        let off = repair(&self.link, &self.scripts, tenant, user, seen).await?;
        // Where one in ten was gone, many more may be.
        let again = if off * 10 >= all { SOON_MS } else { DAY_MS };
        Ok(Some(now.plus_millis(again)))
    }
}

/// The next sessions of a user's list, longest inactive first, with their scores.
async fn oldest(link: &Route, list: &str, from: &Mark) -> Result<Vec<(String, i64)>> {
    let after = from.0.split_once(':').and_then(|(score, member)| Some((score.parse::<i64>().ok()?, member)));
    let lowest = after.map_or_else(|| "-inf".to_owned(), |(score, _)| score.to_string());
    let mut count = PIECE;
    loop {
        let mut range = redis::cmd("ZRANGE");
        range.arg(list).arg(&lowest).arg("+inf").arg("BYSCORE").arg("LIMIT").arg(0).arg(count);
        range.arg("WITHSCORES");
        let mut found = members(link, link.call(Kind::Read, &range).await?)?;
        let more = found.len() >= count;
        found.retain(|(member, score)| after.is_none_or(|after| (*score, member.as_str()) > after));
        if !found.is_empty() || !more {
            return Ok(found);
        }
        // All of them have the very score where the piece before ended.
        count *= 2;
    }
}

/// Members and scores, which RESP3 answers as pairs.
pub(super) fn members(link: &Route, value: Value) -> Result<Vec<(String, i64)>> {
    let mut members = Vec::new();
    for pair in link.array(value)? {
        let pair = link.array(pair)?;
        let (Some(Value::BulkString(member)), Some(score)) = (pair.first(), pair.get(1)) else {
            continue;
        };
        let score = match score {
            Value::Double(score) => whole(*score),
            other => integer(other),
        };
        if let Ok(member) = std::str::from_utf8(member) {
            members.push((member.to_owned(), score));
        }
    }
    Ok(members)
}

#[expect(clippy::cast_possible_truncation, reason = "times are far below 2^53")]
fn whole(score: f64) -> i64 {
    score as i64
}

/// Who may be between telling and appending, of members whose scores were read before.
async fn look(link: &Route, list: &str, found: Vec<(String, i64)>) -> Result<Vec<Seen>> {
    let mut pipeline = Pipeline::with_capacity(found.len());
    for (member, _) in &found {
        pipeline.cmd("EXISTS").arg(told_key(list, member));
    }
    let told = all(link, &pipeline).await?;
    let seen = found.into_iter().zip(told).map(|((member, score), told)| Seen {
        member,
        score,
        about_to_be: integer(&told) > 0,
    });
    Ok(seen.collect())
}

/// Takes those of a user's sessions off the list that are gone, or another's, and says how many it tried to. Their scores
/// were read before.
pub(super) async fn repair(
    link: &Route,
    scripts: &Scripts,
    tenant: &Tenant,
    user: &UserId,
    found: Vec<(String, i64)>,
) -> Result<usize> {
    if found.is_empty() {
        return Ok(0);
    }
    let list = user_list(tenant, user);
    let mut seen = look(link, &list, found).await?;
    seen.retain(|seen| !seen.about_to_be);
    // Only now: what has begun since its telling ended is there to be seen.
    let of: Vec<Option<SessionKey>> =
        seen.iter().map(|seen| keys::parse_member(tenant, &seen.member)).collect();
    let mut pipeline = Pipeline::with_capacity(of.len());
    for key in of.iter().flatten() {
        pipeline.cmd("HGET").arg(Keys::new(key).meta()).arg("user");
    }
    let mut users = all(link, &pipeline).await?.into_iter();
    let mut off = Vec::new();
    for (seen, key) in seen.into_iter().zip(of) {
        let is_of = key.and_then(|_| meta::user(&users.next().unwrap_or(Value::Nil)));
        if is_of.as_ref() != Some(user) {
            off.push((seen.member, seen.score));
        }
    }
    take_off(link, scripts, &list, &off).await?;
    Ok(off.len())
}

/// Takes sessions off a user's list, unless somebody has told of them since their scores were read.
async fn take_off(link: &Route, scripts: &Scripts, list: &str, off: &[(String, i64)]) -> Result<()> {
    if off.is_empty() {
        return Ok(());
    }
    let fill = |command: &mut Cmd| {
        command.arg(1).arg(list);
        for (member, score) in off {
            command.arg(member).arg(*score);
        }
    };
    scripts.call(link, &scripts.unlist, Kind::Read, fill).await.map(drop)
}

/// The answers to commands; an error among them is an error.
async fn all(link: &Route, commands: &Pipeline) -> Result<Vec<Value>> {
    if commands.cmd_iter().next().is_none() {
        return Ok(Vec::new());
    }
    let answers = link.send_all(Kind::Read, commands).await?;
    answers.into_iter().map(|answer| link.checked(answer)).collect()
}
