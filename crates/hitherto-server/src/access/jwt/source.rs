//! Where the keys come from: a file or an address, read again as time goes by, and when a key is asked for that is not
//! there.
//!
//! Invariant: reqwest stays in this file. Keys are read at most once in five seconds, whoever sends what; those that were
//! read stay until others are, for an address that does not answer says nothing about them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Url};
use tokio::time::Instant;

use super::keys::{self, Key};
use crate::access::Refusal;

/// How old keys are when they are read again in the background.
const AGE: Duration = Duration::from_secs(60);
/// How often they are read at most.
const PAUSE: Duration = Duration::from_secs(5);
/// By when an address has answered, and how long its answer may be.
const ANSWER: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 256 << 10;

/// Keys that were read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) keys: Vec<Key>,
    /// Rises when they are others than before.
    pub(super) generation: u64,
}

#[derive(Debug, Clone)]
pub(super) struct KeySource(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    place: String,
    loaded: Mutex<Option<(Arc<Loaded>, Instant)>>,
    reading: AtomicBool,
    /// When they were last tried to be read, by whoever does.
    tried: tokio::sync::Mutex<Option<Instant>>,
}

impl KeySource {
    pub(super) fn new(place: &str) -> Self {
        Self(Arc::new(Shared {
            place: place.to_owned(),
            loaded: Mutex::default(),
            reading: AtomicBool::new(false),
            tried: tokio::sync::Mutex::default(),
        }))
    }

    fn loaded(&self) -> Option<(Arc<Loaded>, Instant)> {
        self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys as they were last read.
    pub(super) async fn current(&self) -> Result<Arc<Loaded>, Refusal> {
        let Some((loaded, at)) = self.loaded() else {
            return self.read_again(None).await;
        };
        if at.elapsed() >= AGE && !self.0.reading.swap(true, Ordering::AcqRel) {
            let source = self.clone();
            tokio::spawn(async move {
                if let Err(why) = source.reload().await {
                    tracing::warn!(
                        why,
                        "the keys of signed tokens could not be read again; those from before stay"
                    );
                }
                source.0.reading.store(false, Ordering::Release);
            });
        }
        Ok(loaded)
    }

    /// Keys read after those, or those where that was a moment ago.
    pub(super) async fn renewed(&self, before: &Arc<Loaded>) -> Result<Arc<Loaded>, Refusal> {
        self.read_again(Some(before)).await
    }

    async fn read_again(&self, before: Option<&Arc<Loaded>>) -> Result<Arc<Loaded>, Refusal> {
        let mut tried = self.0.tried.lock().await;
        // While this waited, somebody else may have read them.
        let now = self.loaded().map(|(loaded, _)| loaded);
        let newer = now.filter(|now| before.is_none_or(|before| before.generation != now.generation));
        if let Some(newer) = newer {
            return Ok(newer);
        }
        let again = tried.is_none_or(|at| at.elapsed() >= PAUSE);
        if again {
            *tried = Some(Instant::now());
            match self.reload().await {
                Ok(loaded) => return Ok(loaded),
                Err(why) => tracing::warn!(why, "the keys of signed tokens could not be read"),
            }
        }
        match before {
            Some(before) => Ok(Arc::clone(before)),
            None => Err(Refusal::NoKeys),
        }
    }

    /// Reads the keys now.
    pub(super) async fn reload(&self) -> Result<Arc<Loaded>, String> {
        let place = &self.0.place;
        let text = if place.contains("://") { fetch(place).await } else { file(place).await };
        let keys = text.and_then(|text| keys::read(&text)).map_err(|why| format!("{place}: {why}"))?;
        let mut loaded = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let new = match &*loaded {
            Some((before, _)) if before.keys == keys => Arc::clone(before),
            Some((before, _)) => Arc::new(Loaded { keys, generation: before.generation + 1 }),
            None => Arc::new(Loaded { keys, generation: 1 }),
        };
        *loaded = Some((Arc::clone(&new), now));
        Ok(new)
    }
}

async fn file(path: &str) -> Result<String, String> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    read.map_err(|_| "it cannot be read".to_owned())?.map_err(|error| error.to_string())
}

async fn fetch(address: &str) -> Result<String, String> {
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    let near = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && near) {
        return Err(
            "an address of keys must begin with https://, or whoever is on the way chooses who is let in"
                .to_owned(),
        );
    }
    let said = |error: reqwest::Error| {
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        cause.to_string()
    };
    let client = Client::builder()
        .timeout(ANSWER)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("hitherto/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(said)?;
    let mut answer = client.get(url).send().await.map_err(said)?;
    if !answer.status().is_success() {
        return Err(format!("the answer is {}", answer.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(said)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(format!("the answer has more than {MOST_BYTES} bytes"));
        }
    }
    String::from_utf8(bytes).map_err(|_| "the answer is no text".to_owned())
}
