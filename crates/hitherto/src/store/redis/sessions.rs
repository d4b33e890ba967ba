//! The list of sessions: sorted sets by newest activity, merged; repaired from the sessions as it is read.

use redis::{Pipeline, Value};

use super::keys::{Keys, LISTS, list, list_place};
use super::link::Kind;
use super::meta::{ask_description, describe_answers, integer};
use super::route::Route;
use super::scripts::Scripts;
use crate::session::{Scope, SessionId};
use crate::store::{Listed, Place, Result, SessionPage, SessionQuery};
use crate::time::Timestamp;

/// How many entries of each sorted set are read at a time.
const STRIDE: u32 = 100;
/// How many rounds one page takes at most where a prefix is rare; the next page goes on from there.
const ROUNDS: usize = 50;

/// A page of the list.
pub(super) async fn page(
    link: &Route,
    scripts: &Scripts,
    scope: &Scope,
    now: Timestamp,
    query: &SessionQuery,
) -> Result<SessionPage> {
    let mut page = SessionPage::default();
    let mut after = query.after.clone();
    let stride = query.limit.saturating_add(1).clamp(16, STRIDE);
    for _ in 0..ROUNDS {
        let candidates = candidates(link, scope, after.as_ref(), stride).await?;
        let Some(last) = candidates.last().cloned() else {
            return Ok(page);
        };
        let wanted: Vec<Place> = candidates
            .into_iter()
            .filter(|place| place.session.as_str().starts_with(&query.prefix))
            .collect();
        let described = describe(link, scope, now, &wanted).await?;
        let mut ended = Vec::new();
        for (place, description) in wanted.into_iter().zip(described) {
            match description {
                None => ended.push(place),
                Some(_) if page.sessions.len() >= query.limit as usize => {
                    page.next = after;
                    unlist(link, scripts, scope, &ended).await?;
                    return Ok(page);
                }
                Some(description) => {
                    page.sessions.push(Listed { session: place.session.clone(), description });
                    after = Some(place);
                }
            }
        }
        unlist(link, scripts, scope, &ended).await?;
        after = Some(last);
    }
    page.next = after;
    Ok(page)
}

/// The next places of the list, from all of its parts, in order.
async fn candidates(link: &Route, scope: &Scope, after: Option<&Place>, stride: u32) -> Result<Vec<Place>> {
    let mut found = Vec::new();
    // Up to where every part that has more has been read: what is beyond is not in order yet.
    let mut complete: Option<Place> = None;
    let mut ties = 0;
    loop {
        let mut pipeline = Pipeline::with_capacity(LISTS as usize);
        let from = after.map_or_else(|| "+inf".to_owned(), |place| place.active_at.as_millis().to_string());
        for shard in 0..LISTS {
            pipeline.cmd("ZRANGE").arg(list(scope, shard)).arg(&from).arg("-inf").arg("BYSCORE").arg("REV");
            pipeline.arg("LIMIT").arg(ties).arg(stride).arg("WITHSCORES");
        }
        let mut more = false;
        for answer in link.send_all(Kind::Read, &pipeline).await? {
            let places = places(link, link.checked(answer)?)?;
            if places.len() >= stride as usize {
                more = true;
                complete = complete.max(places.last().cloned());
            }
            found.extend(places);
        }
        found.retain(|place| after.is_none_or(|after| place < after));
        if let Some(complete) = &complete {
            found.retain(|place| place >= complete);
        }
        if !found.is_empty() || !more {
            break;
        }
        // All that was read stood at the very time where the page before ended.
        ties += stride;
        complete = None;
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.dedup();
    Ok(found)
}

/// Entries with their scores, which RESP3 answers as pairs.
fn places(link: &Route, value: Value) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for pair in link.array(value)? {
        let pair = link.array(pair)?;
        let (Some(Value::BulkString(member)), Some(score)) = (pair.first(), pair.get(1)) else {
            continue;
        };
        let millis = match score {
            #[expect(clippy::cast_possible_truncation, reason = "times are far below 2^53")]
            Value::Double(score) => *score as i64,
            other => integer(other),
        };
        if let Some(session) = std::str::from_utf8(member).ok().and_then(|text| SessionId::parse(text).ok()) {
            places.push(Place { active_at: Timestamp::from_millis(millis), session });
        }
    }
    Ok(places)
}

/// What is known of each session; `None` for one that has ended.
async fn describe(
    link: &Route,
    scope: &Scope,
    now: Timestamp,
    places: &[Place],
) -> Result<Vec<Option<crate::store::Description>>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<Keys> = places.iter().map(|place| Keys::new(&scope.session(&place.session))).collect();
    let mut pipeline = Pipeline::with_capacity(places.len() * 3);
    for keys in &keys {
        ask_description(&mut pipeline, keys);
    }
    let mut answers = link.send_all(Kind::Read, &pipeline).await?.into_iter();
    keys.iter().map(|keys| describe_answers(link, keys, now, &mut answers)).collect()
}

/// Takes sessions off the list that have ended, unless they have been active again since.
async fn unlist(link: &Route, scripts: &Scripts, scope: &Scope, ended: &[Place]) -> Result<()> {
    for place in ended {
        let listed = list_place(&scope.session(&place.session));
        scripts
            .call(link, &scripts.unlist, Kind::Read, |command| {
                command.arg(1).arg(&listed.list).arg(&listed.member).arg(place.active_at.as_millis());
            })
            .await?;
    }
    Ok(())
}
