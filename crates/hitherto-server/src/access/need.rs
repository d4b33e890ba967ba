//! What an operation needs of a credential.

use hitherto::access::{Permission, Scopes};

/// Which scopes an operation needs. `docs/security.md` says which operation needs which, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// It gives back what was said, or what is known of sessions.
    Read,
    /// It changes sessions, and gives nothing of theirs back.
    Write,
    /// It changes a session and gives back a part of what stands there.
    ReadWrite,
    /// It concerns the tenant as a whole.
    Admin,
}

impl Need {
    /// The scopes.
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Read => Scopes::of([Permission::Read]),
            Self::Write => Scopes::of([Permission::Write]),
            Self::ReadWrite => Scopes::of([Permission::Read, Permission::Write]),
            Self::Admin => Scopes::of([Permission::Admin]),
        }
    }
}
