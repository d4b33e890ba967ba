//! The primary that Sentinels name, and following them when they name another.
//!
//! Invariant: a server that was named is asked what it is before anything is sent to it. A request is sent again only
//! where its answer says that it was not done, or if doing it twice is doing it once. It ends by its deadline.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redis::{ConnectionInfo, Value};
use tokio::time::Instant;

use super::address::Entry;
use super::dial::Demand;
use super::link::{Kind, Link, Request, Sending};
use super::patience::{self, Failures, Patience};
use super::refusal::Refusal;
use super::{errors, side_by_side};
use crate::store::{Outcome, Result, StoreError};

/// Sentinels, and the primary that they named last.
#[derive(Debug)]
pub(super) struct Sentinel {
    entry: Entry,
    watchers: Vec<Arc<Link>>,
    /// What they call the primary, and what errors call them.
    primary_name: String,
    name: String,
    primary: Mutex<Option<Arc<Link>>>,
    asking: tokio::sync::Mutex<()>,
    /// Who is asked first next time.
    turn: AtomicUsize,
}

impl Sentinel {
    pub(super) fn new(
        name: String,
        entry: Entry,
        sentinels: Vec<ConnectionInfo>,
        primary_name: String,
    ) -> Result<Self> {
        let watchers = sentinels.into_iter().map(|one| entry.link_to(one, Demand::Nothing));
        Ok(Self {
            watchers: watchers.collect::<Result<_>>()?,
            entry,
            primary_name,
            name,
            primary: Mutex::new(None),
            asking: tokio::sync::Mutex::new(()),
            turn: AtomicUsize::new(0),
        })
    }

    /// Sends a request to the primary.
    pub(super) async fn exchange(&self, sending: Sending<'_>) -> Result<Value> {
        let mut patience = Patience::until(sending.until);
        let mut failures = Failures::default();
        loop {
            let link = match self.primary(sending.until).await {
                Ok(link) => link,
                Err(error) => {
                    failures.again(error, Kind::Read, &mut patience).await?;
                    continue;
                }
            };
            let attempt = Sending { until: patience.share(sending.kind), ..sending };
            match link.exchange(attempt).await {
                Ok(answer) => match Refusal::of_answer(&answer, sending.request, sending.kind) {
                    None => return Ok(answer),
                    Some(_) => {
                        self.forget(&link);
                        if !patience.wait().await {
                            return failures.end_refused(&link, answer);
                        }
                    }
                },
                Err(error) => {
                    if errors::is_of_the_link(&error) {
                        self.forget(&link);
                    }
                    failures.again(error, sending.kind, &mut patience).await?;
                }
            }
        }
    }

    /// The primary, which has said itself that it is one.
    async fn primary(&self, until: Instant) -> Result<Arc<Link>> {
        if let Some(link) = self.known() {
            return Ok(link);
        }
        let unknown =
            |reason: &str| StoreError::Unreachable { store: self.name.clone(), reason: reason.to_owned() };
        let Ok(_one_at_a_time) = tokio::time::timeout_at(until, self.asking.lock()).await else {
            return Err(unknown("no Sentinel has answered yet"));
        };
        if let Some(link) = self.known() {
            return Ok(link);
        }
        let mut watchers = self.watchers.clone();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % watchers.len().max(1);
        watchers.rotate_left(turn);
        let name = &self.primary_name;
        let questions: Vec<_> =
            watchers.into_iter().map(|watcher| ask(watcher, name.clone(), until)).collect();
        let answer = side_by_side::first(questions).await;
        let (host, port) = answer
            .map_err(|none| errors::most_telling(none).unwrap_or_else(|| unknown("no Sentinel is named")))?;
        let link = self.entry.link(&host, port, Demand::Primary)?;
        link.connect(patience::half(until)).await?;
        tracing::info!(store = self.name, primary = link.name(), "the primary that Sentinels name");
        *self.primary.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&link));
        Ok(link)
    }

    fn known(&self) -> Option<Arc<Link>> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// That server may be the primary no more.
    fn forget(&self, link: &Arc<Link>) {
        let mut primary = self.primary.lock().unwrap_or_else(PoisonError::into_inner);
        if primary.as_ref().is_some_and(|known| Arc::ptr_eq(known, link)) {
            *primary = None;
        }
    }
}

/// Whom a Sentinel names.
async fn ask(watcher: Arc<Link>, name: String, until: Instant) -> Result<(String, u16)> {
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(&name);
    let sending = Sending {
        kind: Kind::Read,
        request: Request::One(&command),
        asking: false,
        acknowledge: None,
        until: patience::half(until),
    };
    match watcher.exchange(sending).await? {
        Value::ServerError(error) => Err(errors::explain(watcher.name(), &error.into(), Outcome::NotStored)),
        Value::Array(place) => {
            let host = place.first().map(errors::text_of).unwrap_or_default().to_owned();
            let port = place.get(1).and_then(|port| errors::text_of(port).parse().ok());
            port.map(|port| (host, port)).ok_or_else(|| StoreError::Failed {
                store: watcher.name().to_owned(),
                reason: "it named a primary in a way that Sentinels never do".to_owned(),
            })
        }
        _ => Err(StoreError::Unreachable {
            store: watcher.name().to_owned(),
            reason: format!("this Sentinel knows no primary that is called {name}"),
        }),
    }
}
