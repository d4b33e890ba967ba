//! The gate: who is let in, by what is shown.
//!
//! A token is looked up in the store and then answered from memory for a moment; as long as it is used, the store is
//! asked anew in the background, so no request waits for that. Invariant: see `access`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hitherto::access::{Token, TokenError, TokenHash};
use hitherto::{Clock, Outcome, Store, StoreError};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::jwt::{self, JwtOptions, Jwts, Signed};
use super::known::{Known, KnownTokens, Look};
use super::unknown::UnknownTokens;
use super::{Grant, MOST_AGE, REFRESH_AGE, Refusal};
use crate::settings::Settings;

/// How many looks that somebody waits for are under way at a time: guessing cannot take the store from everybody else.
const LOOKS: usize = 16;

/// How a gate works.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GateOptions {
    /// Whether a token has to be shown even where the store has none yet. Default false.
    pub require: bool,
    /// By when a look into the store has ended, the wait for its turn included. Default 2 s.
    pub deadline: Duration,
    /// Where the time comes from by which tokens expire.
    pub clock: Clock,
    /// Which signed tokens are taken, if any are. Then a token has to be shown.
    pub jwt: Option<JwtOptions>,
    /// Whether, as long as no token has to be shown, only those may come in who ask for this machine. Default false.
    pub local: bool,
}

impl Default for GateOptions {
    fn default() -> Self {
        let (deadline, clock) = (Duration::from_secs(2), Clock::default());
        Self { require: false, deadline, clock, jwt: None, local: false }
    }
}

impl GateOptions {
    /// Whether a token has to be shown, whatever the store has.
    pub(super) fn is_closed(&self) -> bool {
        self.require || self.jwt.is_some()
    }
}

impl From<&Settings> for GateOptions {
    fn from(settings: &Settings) -> Self {
        Self {
            require: settings.require_tokens,
            deadline: settings.deadline,
            jwt: settings.jwt.clone(),
            ..Self::default()
        }
    }
}

/// Who is let in. Cheap to clone; clones share everything. The default lets everybody in, as the tenant of the memory
/// that is served: for programs that embed a door and see to it themselves.
#[derive(Debug, Clone, Default)]
pub struct Gate(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    store: Arc<dyn Store>,
    options: GateOptions,
    /// Whether a token has to be shown. Never taken back: a store that was emptied does not open the doors.
    closed: AtomicBool,
    open: Mutex<Open>,
    known: KnownTokens,
    unknown: UnknownTokens,
    looks: Semaphore,
    jwts: Option<Jwts>,
}

/// When the store last said that it has no token.
#[derive(Debug, Default)]
struct Open {
    at: Option<Instant>,
    asked: bool,
}

/// What somebody came in by, to be looked at again before each thing that is done.
#[derive(Debug, Clone, Default)]
pub(crate) enum Pass {
    /// Nothing.
    #[default]
    Nobody,
    /// A token.
    Token(Arc<Known>),
    /// A token that somebody else has signed.
    Signed(Arc<Signed>),
}

impl Gate {
    /// A gate that asks that store.
    pub fn new(store: Arc<dyn Store>, options: GateOptions) -> Self {
        let closed = AtomicBool::new(options.is_closed());
        let jwts = options.jwt.clone().map(Jwts::new);
        Self(Some(Arc::new(Shared {
            store,
            options,
            closed,
            open: Mutex::default(),
            known: KnownTokens::default(),
            unknown: UnknownTokens::default(),
            looks: Semaphore::new(LOOKS),
            jwts,
        })))
    }

    /// Reads the keys of signed tokens, where those are taken.
    ///
    /// # Errors
    /// If they cannot be read: from an address, perhaps not yet.
    pub async fn load_keys(&self) -> Result<(), String> {
        match self.0.as_ref().and_then(|shared| shared.jwts.as_ref()) {
            Some(jwts) => jwts.load().await,
            None => Ok(()),
        }
    }

    /// Lets somebody in who shows that, or shows nothing.
    pub(crate) async fn admit(&self, shown: Option<&str>) -> Result<(Pass, Arc<Grant>), Refusal> {
        let Some(shared) = &self.0 else { return Ok((Pass::Nobody, nobody())) };
        let Some(text) = shown else {
            return shared.nobody().await.map(|grant| (Pass::Nobody, grant));
        };
        match shared.token(text).await {
            Err(refusal @ (Refusal::Unknown | Refusal::Misspelt)) => match shared.nobody().await {
                // Nothing has to be shown, so it does not matter what is: clients send keys of other servers.
                Ok(grant) => Ok((Pass::Nobody, grant)),
                Err(Refusal::Missing) => Err(refusal),
                Err(other) => Err(other),
            },
            other => other,
        }
    }

    /// Whether those who show nothing may only ask for this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.0.as_ref().is_some_and(|shared| shared.options.local)
    }

    /// Whether, as far as was ever known, nothing has to be shown.
    pub(crate) fn was_open(&self) -> bool {
        let Some(shared) = &self.0 else { return true };
        let open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.at.is_some() && !shared.closed.load(Ordering::Acquire)
    }

    /// Whether something has to be shown, as far as is known without asking anybody.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.as_ref().is_some_and(|shared| shared.closed.load(Ordering::Acquire))
    }

    /// What whoever came in by that may do now.
    pub(crate) async fn grant(&self, pass: &Pass) -> Result<Arc<Grant>, Refusal> {
        match (&self.0, pass) {
            (None, _) => Ok(nobody()),
            (Some(shared), Pass::Nobody) => shared.nobody().await,
            (Some(shared), Pass::Token(known)) => shared.known(known).await,
            (Some(shared), Pass::Signed(signed)) => match &shared.jwts {
                Some(jwts) => Box::pin(jwts.grant(signed, shared.options.clock.now())).await,
                None => Err(Refusal::Unknown),
            },
        }
    }
}

fn nobody() -> Arc<Grant> {
    static NOBODY: std::sync::LazyLock<Arc<Grant>> = std::sync::LazyLock::new(|| Arc::new(Grant::nobody()));
    Arc::clone(&NOBODY)
}

impl Shared {
    async fn token(self: &Arc<Self>, text: &str) -> Result<(Pass, Arc<Grant>), Refusal> {
        if let Some(jwts) = self.jwts.as_ref().filter(|_| jwt::looks_signed(text)) {
            let now = self.options.clock.now();
            let signed = Box::pin(jwts.admit(text, now)).await?;
            let grant = Box::pin(jwts.grant(&signed, now)).await?;
            return Ok((Pass::Signed(signed), grant));
        }
        let hash = match Token::parse(text) {
            Ok(token) => token.hash(),
            Err(TokenError::Checksum) => return Err(Refusal::Misspelt),
            Err(_) => return Err(Refusal::Unknown),
        };
        let known = match self.known.get(&hash) {
            Some(known) => known,
            None if self.unknown.has(&hash) => return Err(Refusal::Unknown),
            None => self.look_up(&hash).await?,
        };
        let grant = self.known(&known).await?;
        Ok((Pass::Token(known), grant))
    }

    async fn known(self: &Arc<Self>, known: &Arc<Known>) -> Result<Arc<Grant>, Refusal> {
        let now = || self.options.clock.now();
        match known.look(now) {
            Look::Fresh(result, false) => result,
            Look::Fresh(result, true) => {
                let (shared, known) = (Arc::clone(self), Arc::clone(known));
                tokio::spawn(async move { shared.refresh(&known).await });
                result
            }
            Look::Stale => {
                // A connection may hold one that was forgotten since; then there is a younger one of the same token.
                let younger = self.known.get(known.hash()).and_then(|known| known.fresh(now));
                if let Some(result) = younger {
                    return result;
                }
                let found = self.look_up(known.hash()).await?;
                found.fresh(now).unwrap_or_else(|| Err(Refusal::Store(self.too_late())))
            }
        }
    }

    /// Asks the store anew for a token that is in use; what it knew stays as it was where the store does not answer.
    async fn refresh(&self, known: &Known) {
        let at = Instant::now();
        let found = self.store.credential(known.hash()).await;
        if let Err(error) = &found {
            tracing::warn!(%error, "a token could not be looked at again");
        }
        known.learn(found.as_ref().ok().map(Option::as_ref), at);
    }

    /// Looks a token up while somebody waits.
    async fn look_up(&self, hash: &TokenHash) -> Result<Arc<Known>, Refusal> {
        // Boxed, as it is seldom: a request whose token is known is no larger for it.
        Box::pin(self.look(async {
            // While this waited for its turn, somebody else may have asked the same.
            let known = self.known.get(hash);
            if let Some(known) = known.filter(|known| known.fresh(|| self.options.clock.now()).is_some()) {
                return Ok(known);
            }
            if self.unknown.has(hash) {
                return Err(Refusal::Unknown);
            }
            let at = Instant::now();
            match self.store.credential(hash).await? {
                Some(credential) => {
                    self.closed.store(true, Ordering::Release);
                    Ok(self.known.learn(*hash, &credential, at))
                }
                None => {
                    self.unknown.note(*hash);
                    Err(Refusal::Unknown)
                }
            }
        }))
        .await
    }

    /// Whether nothing has to be shown.
    async fn nobody(self: &Arc<Self>) -> Result<Arc<Grant>, Refusal> {
        match self.open_now() {
            Some((open, ask)) => {
                if ask {
                    let shared = Arc::clone(self);
                    tokio::spawn(async move { shared.ask().await });
                }
                open
            }
            None => {
                Box::pin(self.look(async {
                    if let Some((open, _)) = self.open_now() {
                        return open;
                    }
                    self.ask().await?;
                    if self.closed.load(Ordering::Acquire) { Err(Refusal::Missing) } else { Ok(nobody()) }
                }))
                .await
            }
        }
    }

    /// Whether nothing has to be shown, as far as that is known now, and whether the caller has to ask anew.
    fn open_now(&self) -> Option<(Result<Arc<Grant>, Refusal>, bool)> {
        if self.closed.load(Ordering::Acquire) {
            return Some((Err(Refusal::Missing), false));
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let age = Instant::now().saturating_duration_since(open.at?);
        if age >= MOST_AGE {
            return None;
        }
        let ask = age >= REFRESH_AGE && !open.asked;
        open.asked |= ask;
        Some((Ok(nobody()), ask))
    }

    /// Asks the store whether it has a token.
    async fn ask(&self) -> Result<(), StoreError> {
        let at = Instant::now();
        let any = self.store.any_credential().await;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.asked = false;
        if any? {
            if !self.closed.swap(true, Ordering::AcqRel) {
                tracing::info!("the store has a token: from now on one has to be shown");
            }
        } else {
            open.at = open.at.max(Some(at));
        }
        Ok(())
    }

    /// A look that somebody waits for: in its turn, and not for ever.
    async fn look<T>(&self, look: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        let in_turn = async {
            // The semaphore is never closed, so a permit always comes.
            let _turn = self.looks.acquire().await.ok();
            look.await
        };
        let looked = tokio::time::timeout(self.options.deadline, in_turn).await;
        looked.unwrap_or_else(|_| Err(Refusal::Store(self.too_late())))
    }

    fn too_late(&self) -> StoreError {
        StoreError::TimedOut {
            store: "the store of credentials".to_owned(),
            deadline: self.options.deadline,
            outcome: Outcome::NotStored,
        }
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
