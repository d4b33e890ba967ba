//! Signed tokens (JWTs) that somebody else's server has issued: RS256, ES256 and EdDSA, with the tenant in a claim.
//!
//! Invariant: what a token says is believed only after its signature was verified with a key of the kind that its
//! algorithm is for; `none` and shared secrets are no algorithms here. A token that names no end is refused.

mod claims;
mod jws;
mod keys;
mod source;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hitherto::Timestamp;
use hitherto::access::TokenHash;

use super::{Grant, Refusal};
use source::{KeySource, Loaded};

/// The longest signed token, in bytes.
const MOST_BYTES: usize = 8 << 10;
/// How many that were verified are remembered.
const MOST: usize = 10_000;

/// How signed tokens are taken.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JwtOptions {
    /// Where the keys are: a file, or an `https` address (`http` on loopback), of a JWK set or of PEM.
    pub keys: String,
    /// Who must have issued a token; anybody who has a key if nothing is said.
    pub issuer: Option<String>,
    /// For whom it must be; a token that names an audience is refused if nothing is said.
    pub audience: Option<String>,
    /// Which claim names the tenant.
    pub tenant_claim: String,
}

impl JwtOptions {
    /// The defaults, for these keys.
    pub fn new(keys: &str) -> Self {
        Self { keys: keys.to_owned(), issuer: None, audience: None, tenant_claim: "tenant".to_owned() }
    }
}

/// Verifies signed tokens, and remembers what it verified.
#[derive(Debug)]
pub(super) struct Jwts {
    options: JwtOptions,
    keys: KeySource,
    verified: Mutex<HashMap<TokenHash, Arc<Signed>>>,
}

/// A signed token that was verified. What was verified holds as long as the keys are the same and it has not ended.
pub(crate) struct Signed {
    text: String,
    grant: Arc<Grant>,
    /// When it is over, leeway included.
    until: Timestamp,
    generation: u64,
}

/// Never the token.
impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed").field("grant", &self.grant).finish_non_exhaustive()
    }
}

/// Whether a text looks like a signed token.
pub(super) fn looks_signed(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl Jwts {
    pub(super) fn new(options: JwtOptions) -> Self {
        Self { keys: KeySource::new(&options.keys), options, verified: Mutex::default() }
    }

    /// Reads the keys for the first time, so that a wrong setting is known at the start.
    pub(super) async fn load(&self) -> Result<(), String> {
        self.keys.reload().await.map(drop)
    }

    /// The token of that text, verified.
    pub(super) async fn admit(&self, text: &str, now: Timestamp) -> Result<Arc<Signed>, Refusal> {
        if text.len() > MOST_BYTES {
            return Err(Refusal::Signed(format!("it has more than {MOST_BYTES} bytes")));
        }
        let keys = self.keys.current().await?;
        let hash = TokenHash::of(text.as_bytes());
        let known = self.verified.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(known) = known.filter(|known| known.generation == keys.generation && now < known.until) {
            return Ok(known);
        }
        let signed = Arc::new(self.verify(text, keys, now).await?);
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MOST {
            verified.retain(|_, known| now < known.until && known.generation == signed.generation);
            if verified.len() >= MOST {
                verified.clear();
            }
        }
        verified.insert(hash, Arc::clone(&signed));
        Ok(signed)
    }

    /// What a token that was verified allows now.
    pub(super) async fn grant(&self, signed: &Signed, now: Timestamp) -> Result<Arc<Grant>, Refusal> {
        let keys = self.keys.current().await?;
        if keys.generation == signed.generation && now < signed.until {
            return Ok(Arc::clone(&signed.grant));
        }
        self.admit(&signed.text, now).await.map(|signed| Arc::clone(&signed.grant))
    }

    async fn verify(&self, text: &str, mut keys: Arc<Loaded>, now: Timestamp) -> Result<Signed, Refusal> {
        let token = jws::Compact::parse(text).map_err(|why| Refusal::Signed(why.to_owned()))?;
        if !keys.keys.iter().any(|key| token.may_be_by(key)) {
            // Signed with a key that is new, perhaps.
            keys = self.keys.renewed(&keys).await?;
        }
        let mut candidates = keys.keys.iter().filter(|key| token.may_be_by(key));
        if !candidates.any(|key| token.is_signed_by(key)) {
            return Err(Refusal::Signed("no key that is known here has signed it".to_owned()));
        }
        let (grant, until) = claims::read(&token.payload, &self.options, now).map_err(Refusal::Signed)?;
        Ok(Signed { text: text.to_owned(), grant: Arc::new(grant), until, generation: keys.generation })
    }
}

#[cfg(test)]
mod tests;
