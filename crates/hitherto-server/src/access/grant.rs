//! What whoever asks may do.

use hitherto::access::{Credential, Scopes};
use hitherto::{Tenant, Timestamp};
use uuid::Uuid;

use super::Need;

/// What whoever asks may do, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The credential's id; `None` for whoever showed no token of the store.
    pub id: Option<Uuid>,
    /// The tenant whose sessions are served; `None` for the server's own.
    pub tenant: Option<Tenant>,
    /// What may be done there.
    pub scopes: Scopes,
    /// When that ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Who it is, where somebody else than the store vouches for it: the subject of a signed token.
    pub subject: Option<String>,
}

impl Grant {
    /// For whoever shows nothing, where nothing has to be shown: everything, for the server's own tenant.
    pub fn nobody() -> Self {
        Self { id: None, tenant: None, scopes: Scopes::ALL, expires_at: None, subject: None }
    }

    /// Whether it has all the scopes that an operation needs.
    pub fn allows(&self, need: Need) -> bool {
        self.scopes.contains(need.scopes())
    }
}

impl From<&Credential> for Grant {
    fn from(credential: &Credential) -> Self {
        Self {
            id: Some(credential.id),
            tenant: Some(credential.tenant.clone()),
            scopes: credential.scopes,
            expires_at: credential.expires_at,
            subject: None,
        }
    }
}
