//! What is known of a token besides the token itself.

use uuid::Uuid;

use super::Scopes;
use crate::session::Tenant;
use crate::time::Timestamp;

/// Whose a token is, and what it allows. It says nothing from which the token could be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credential {
    /// By what people and logs call it.
    pub id: Uuid,
    /// The one tenant that it is of.
    pub tenant: Tenant,
    /// What its maker calls it; may be empty.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Some of the credentials of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialPage {
    /// Them, in no order that means anything; one may come again on another page.
    pub credentials: Vec<Credential>,
    /// Where the next page begins, as the store counts; `None` on the last.
    pub next: Option<u64>,
}

impl Credential {
    /// The longest name, in bytes.
    pub const NAME_BYTES: usize = 256;

    /// A new one. Of a name that is too long, what fits is kept.
    pub fn new(
        tenant: Tenant,
        name: &str,
        scopes: Scopes,
        now: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> Self {
        let name = name.get(..name.floor_char_boundary(Self::NAME_BYTES)).unwrap_or_default().to_owned();
        Self { id: Uuid::now_v7(), tenant, name, scopes, created_at: now, expires_at, revoked_at: None }
    }

    /// Whether it allows anything at that time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// The same, revoked; what was revoked before was revoked then.
    pub(crate) fn revoked(mut self, now: Timestamp) -> Self {
        self.revoked_at = self.revoked_at.or(Some(now));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_by_time_or_by_hand() {
        let at = Timestamp::from_millis;
        let new = |end: Option<i64>| Credential::new(Tenant::default(), "n", Scopes::ALL, at(5), end.map(at));
        assert!(new(None).is_live(at(i64::MAX)));
        assert!(new(Some(10)).is_live(at(9)));
        assert!(!new(Some(10)).is_live(at(10)));
        let revoked = new(None).revoked(at(7));
        assert!(!revoked.is_live(at(6)));
        assert_eq!(revoked.clone().revoked(at(8)), revoked);
        let long = Credential::new(Tenant::default(), &"é".repeat(200), Scopes::ALL, at(0), None);
        assert_eq!(long.name, "é".repeat(128));
    }
}
