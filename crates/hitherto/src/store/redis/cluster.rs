//! A cluster: which node has which slot, and following what its nodes say of that.
//!
//! Invariant: a request is sent again only where its answer says that it was not done, or if doing it twice is doing
//! it once. It ends by its deadline.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use redis::{ConnectionInfo, Pipeline, Value};
use tokio::time::Instant;

use super::address::Entry;
use super::dial::Demand;
use super::link::{Kind, Link, Request, Sending};
use super::meta::integer;
use super::patience::{self, Failures, Patience};
use super::refusal::{Place, Refusal};
use super::slot::{self, SLOTS};
use super::{errors, side_by_side};
use crate::store::{Outcome, Result, StoreError};

/// How many redirections are followed at once.
const HOPS: u32 = 3;
/// How long what is known is trusted although a slot has moved: that one is noted by itself.
const RELEARN: Duration = Duration::from_secs(1);

/// Nodes, and who of them has which slot.
pub(super) struct Cluster {
    name: String,
    entry: Entry,
    seeds: Vec<Arc<Link>>,
    map: RwLock<Map>,
    /// Whether it is to be learnt again before it is used.
    is_stale: AtomicBool,
    learning: tokio::sync::Mutex<()>,
    /// Who is asked first next time.
    turn: AtomicUsize,
}

/// Who has which slot, as far as it is known.
#[derive(Default)]
struct Map {
    /// One more than the index of its node, by slot; 0 where nobody is known.
    slots: Vec<u16>,
    nodes: Vec<Arc<Link>>,
    /// How often it has been learnt, and when last.
    version: u64,
    learnt: Option<Instant>,
    /// How often a slot had another owner than before.
    changes: u64,
}

/// The slots from one to another, both included, and who has them.
type Share = (usize, usize, Place);

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("seeds", &self.seeds).finish_non_exhaustive()
    }
}

impl Cluster {
    pub(super) fn new(name: String, entry: Entry, nodes: Vec<ConnectionInfo>) -> Result<Self> {
        let seeds = nodes.into_iter().map(|node| entry.link_to(node, Demand::Nothing));
        let seeds = seeds.collect::<Result<_>>()?;
        Ok(Self {
            name,
            entry,
            seeds,
            map: RwLock::default(),
            is_stale: AtomicBool::new(false),
            learning: tokio::sync::Mutex::new(()),
            turn: AtomicUsize::new(0),
        })
    }

    /// Sends a request that is about one slot, or that any node can answer.
    pub(super) async fn exchange(&self, sending: Sending<'_>) -> Result<Value> {
        let slot = slot::of_request(sending.request);
        let mut patience = Patience::until(sending.until);
        let mut failures = Failures::default();
        let (mut asked, mut hops): (Option<Arc<Link>>, u32) = (None, 0);
        loop {
            let asking = asked.is_some();
            let link = match asked.take() {
                Some(link) => link,
                None => match self.owner(slot, sending.until).await {
                    Ok(link) => link,
                    Err(error) => {
                        failures.again(error, Kind::Read, &mut patience).await?;
                        continue;
                    }
                },
            };
            let version = self.version();
            let attempt = Sending { asking, until: patience.share(sending.kind), ..sending };
            let answer = match link.exchange(attempt).await {
                Ok(answer) => answer,
                Err(error) => {
                    // Whoever has died, or is silent, may have been replaced: whoever calls next looks, too.
                    self.is_stale.store(true, Ordering::Release);
                    failures.again(error, sending.kind, &mut patience).await?;
                    continue;
                }
            };
            let Some(refusal) = Refusal::of_answer(&answer, sending.request, sending.kind) else {
                return Ok(answer);
            };
            hops += 1;
            let goes_on = match refusal {
                Refusal::Moved(place) => {
                    self.moved(slot, &link, &place)?;
                    // Two nodes may for a while each name the other.
                    hops <= HOPS || patience.wait().await
                }
                Refusal::Ask(place) => {
                    asked = Some(self.node(&link, &place)?);
                    hops <= HOPS || patience.wait().await
                }
                Refusal::Again => patience.wait().await,
                Refusal::ReadOnly | Refusal::Down => {
                    // What is known is better than nothing where nobody says more.
                    let _ = self.learn(version, sending.until).await;
                    patience.wait().await
                }
            };
            if !goes_on || Instant::now() >= sending.until {
                return failures.end_refused(&link, answer);
            }
        }
    }

    /// Sends commands, each to where its slot is, side by side; the answers are in their order.
    pub(super) async fn scatter(
        &self,
        kind: Kind,
        commands: &Pipeline,
        until: Instant,
    ) -> Result<Vec<Value>> {
        let mut groups: Vec<(Arc<Link>, Vec<usize>, Pipeline)> = Vec::new();
        for (index, command) in commands.cmd_iter().enumerate() {
            let owner = self.owner(slot::of_command(command), until).await?;
            let at = groups.iter().position(|(link, ..)| Arc::ptr_eq(link, &owner));
            let at = at.unwrap_or_else(|| {
                groups.push((owner, Vec::new(), Pipeline::new()));
                groups.len() - 1
            });
            if let Some((_, indices, pipeline)) = groups.get_mut(at) {
                indices.push(index);
                pipeline.add_command(command.clone());
            }
        }
        let shared = Patience::until(until).share(kind);
        let sent = groups.iter().map(|(link, indices, pipeline)| async move {
            let request = Request::Many(pipeline);
            let sending = Sending { kind, request, asking: false, acknowledge: None, until: shared };
            let answers = match link.exchange(sending).await {
                Ok(Value::Array(answers)) => answers,
                Ok(_) => Vec::new(),
                Err(error) if errors::may_repeat(&error, kind) => Vec::new(),
                Err(error) => return Err(error),
            };
            // What was refused, or not answered, goes its own way.
            let mut answers = answers.into_iter();
            let each = pipeline.cmd_iter().map(|command| (command, answers.next()));
            let each = each.collect::<Vec<_>>().into_iter().map(|(command, answer)| async move {
                let request = Request::One(command);
                match answer {
                    Some(answer) if Refusal::of_answer(&answer, request, kind).is_none() => Ok(answer),
                    _ => {
                        let sending = Sending { kind, request, asking: false, acknowledge: None, until };
                        self.exchange(sending).await
                    }
                }
            });
            let answers: Result<Vec<Value>> = join_all(each).await.into_iter().collect();
            Ok(indices.iter().copied().zip(answers?).collect::<Vec<_>>())
        });
        let mut all = vec![Value::Nil; commands.len()];
        for answers in join_all(sent).await {
            for (index, answer) in answers? {
                if let Some(place) = all.get_mut(index) {
                    *place = answer;
                }
            }
        }
        Ok(all)
    }

    /// The nodes that have slots, and how often the map has changed.
    pub(super) async fn primaries(&self, until: Instant) -> Result<(Vec<Arc<Link>>, u64)> {
        self.owner(None, until).await?;
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let has_slots = |index: usize| map.slots.iter().any(|owner| usize::from(*owner) == index + 1);
        let nodes = map.nodes.iter().enumerate().filter(|(index, _)| has_slots(*index));
        Ok((nodes.map(|(_, node)| Arc::clone(node)).collect(), map.changes))
    }

    /// Who has a slot; for none, the nodes in turn.
    async fn owner(&self, slot: Option<u16>, until: Instant) -> Result<Arc<Link>> {
        if self.is_stale.swap(false, Ordering::AcqRel) {
            // What is known is better than nothing where nobody answers.
            let _ = self.learn(self.version(), until).await;
        }
        if let Some(link) = self.known_owner(slot) {
            return Ok(link);
        }
        self.learn(self.version(), until).await?;
        self.known_owner(slot).ok_or_else(|| StoreError::Unreachable {
            store: self.name.clone(),
            reason: "no node serves the slot of this session".to_owned(),
        })
    }

    fn known_owner(&self, slot: Option<u16>) -> Option<Arc<Link>> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let index = match slot {
            Some(slot) => usize::from(*map.slots.get(usize::from(slot))?).checked_sub(1)?,
            None => self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(map.nodes.len())?,
        };
        map.nodes.get(index).cloned()
    }

    fn version(&self) -> u64 {
        self.map.read().unwrap_or_else(PoisonError::into_inner).version
    }

    /// The node at a place, as another named it.
    fn node(&self, named_by: &Link, place: &Place) -> Result<Arc<Link>> {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let index = self.index(&mut map, named_by, place)?;
        map.nodes.get(index).cloned().ok_or_else(|| self.odd())
    }

    fn moved(&self, slot: Option<u16>, named_by: &Link, place: &Place) -> Result<()> {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let index = self.index(&mut map, named_by, place)?;
        let owner = slot.and_then(|slot| map.slots.get_mut(usize::from(slot)));
        if let (Some(owner), Ok(index)) = (owner, u16::try_from(index + 1)) {
            *owner = index;
            map.changes += 1;
        }
        // There may be more where this came from.
        if map.learnt.is_none_or(|learnt| learnt.elapsed() > RELEARN) {
            self.is_stale.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// The index of the node at a place, which is known from then on.
    fn index(&self, map: &mut Map, named_by: &Link, (host, port): &Place) -> Result<usize> {
        let place = (if host.is_empty() || host == "?" { named_by.place().0 } else { host.as_str() }, *port);
        if let Some(index) = map.nodes.iter().position(|node| node.place() == place) {
            return Ok(index);
        }
        let seed = self.seeds.iter().find(|seed| seed.place() == place).cloned();
        let node = seed.map_or_else(|| self.entry.link(place.0, place.1, Demand::Nothing), Ok)?;
        map.nodes.push(node);
        Ok(map.nodes.len() - 1)
    }

    /// Asks who has which slots, unless somebody has since that version of what is known.
    async fn learn(&self, version: u64, until: Instant) -> Result<()> {
        let silent = || StoreError::Unreachable {
            store: self.name.clone(),
            reason: "no node says who has which slots".to_owned(),
        };
        let Ok(_one_at_a_time) = tokio::time::timeout_at(until, self.learning.lock()).await else {
            return Err(silent());
        };
        if self.version() != version {
            return Ok(());
        }
        let mut nodes = self.map.read().unwrap_or_else(PoisonError::into_inner).nodes.clone();
        let known = nodes.len();
        nodes.extend(
            self.seeds
                .iter()
                .filter(|seed| nodes.iter().all(|node| !Arc::ptr_eq(node, seed)))
                .cloned()
                .collect::<Vec<_>>(),
        );
        // Not always the same one, which may be on the lonely side of a network that is cut.
        nodes.rotate_left(self.turn.fetch_add(1, Ordering::Relaxed) % known.max(1));
        let questions = nodes.into_iter().map(|node| async move {
            let command = {
                let mut command = redis::cmd("CLUSTER");
                command.arg("SLOTS");
                command
            };
            let sending = Sending {
                kind: Kind::Read,
                request: Request::One(&command),
                asking: false,
                acknowledge: None,
                until: patience::half(until),
            };
            match node.exchange(sending).await? {
                Value::ServerError(error) => {
                    Err(errors::explain(node.name(), &error.into(), Outcome::NotStored))
                }
                answer => Ok((shares(answer), node)),
            }
        });
        let (shares, said_by) = side_by_side::first(questions.collect::<Vec<_>>())
            .await
            .map_err(|none| errors::most_telling(none).unwrap_or_else(silent))?;
        self.put(shares, &said_by)
    }

    fn put(&self, shares: Vec<Share>, said_by: &Link) -> Result<()> {
        let mut known = self.map.write().unwrap_or_else(PoisonError::into_inner);
        // Nodes that have no slots any more are forgotten, and their connections closed.
        let mut map = Map { slots: vec![0; SLOTS], ..Map::default() };
        for (from, to, place) in shares {
            let host = if place.0.is_empty() || place.0 == "?" { said_by.place().0 } else { &place.0 };
            let same = known.nodes.iter().find(|node| node.place() == (host, place.1));
            if let Some(same) = same.filter(|same| map.nodes.iter().all(|node| !Arc::ptr_eq(node, same))) {
                map.nodes.push(Arc::clone(same));
            }
            let index = self.index(&mut map, said_by, &place)?;
            let owner = u16::try_from(index + 1).unwrap_or_default();
            map.slots.iter_mut().take(to + 1).skip(from).for_each(|slot| *slot = owner);
        }
        let places = |map: &Map| -> Vec<Option<Place>> {
            let owner = |owner: &u16| {
                let (host, port) = map.nodes.get(usize::from(*owner).checked_sub(1)?)?.place();
                Some((host.to_owned(), port))
            };
            map.slots.iter().map(owner).collect()
        };
        map.version = known.version + 1;
        map.changes = known.changes + u64::from(places(&map) != places(&known));
        map.learnt = Some(Instant::now());
        *known = map;
        Ok(())
    }

    fn odd(&self) -> StoreError {
        StoreError::Failed { store: self.name.clone(), reason: "a node is gone that was there".to_owned() }
    }
}

/// The answer to `CLUSTER SLOTS`.
fn shares(answer: Value) -> Vec<Share> {
    let list = |value: Value| match value {
        Value::Array(values) => values,
        _ => Vec::new(),
    };
    let share = |value: Value| {
        let mut parts = list(value).into_iter();
        let (from, to) = (integer(&parts.next()?), integer(&parts.next()?));
        let mut primary = list(parts.next()?).into_iter();
        let host = errors::text_of(&primary.next()?).to_owned();
        let port = u16::try_from(integer(&primary.next()?)).ok()?;
        Some((usize::try_from(from).ok()?, usize::try_from(to).ok()?.min(SLOTS - 1), (host, port)))
    };
    list(answer).into_iter().filter_map(share).collect()
}
