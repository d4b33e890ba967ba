//! Which conversation is meant: a session id, within a tenant, under a memory key.
//!
//! Invariant: a value of these types is within its limits and not empty, so nothing behind the edge
//! checks it again. What characters it holds is nobody's business but its owner's.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name has no characters.
    #[error("the {what} is empty")]
    Empty {
        /// Which name.
        what: &'static str,
    },
    /// The name is too long.
    #[error("the {what} has {bytes} bytes; at most {max} are allowed")]
    TooLong {
        /// Which name.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest that is ever accepted, in bytes of UTF-8.
            pub const MAX_BYTES: usize = $max;

            /// Accepts any UTF-8 text of 1 to [`Self::MAX_BYTES`] bytes.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                match text.len() {
                    0 => Err(NameError::Empty { what: $what }),
                    bytes if bytes > Self::MAX_BYTES => {
                        Err(NameError::TooLong { what: $what, bytes, max: Self::MAX_BYTES })
                    }
                    _ => Ok(Self(text.into())),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
    };
}

name! {
    /// Names one conversation within a tenant: any UTF-8 text, chosen by the caller.
    ///
    /// The limit here is the hard one; [`Limits`](crate::Limits) sets the one in force (512 bytes by default).
    SessionId, "session id", 4096
}
name! {
    /// Whose a session is, within a tenant: any UTF-8 text, such as the id that the application gives its users.
    UserId, "user", 512
}
name! {
    /// An isolated owner of sessions.
    Tenant, "tenant", 128
}
name! {
    /// The documented node's *memory key*: sets of sessions of one tenant that are kept apart.
    MemoryKey, "memory key", 128
}

impl SessionId {
    /// A new id that nobody else has: a random (version 4) UUID, so that it cannot be guessed.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string().into())
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self("default".into())
    }
}

impl Default for MemoryKey {
    /// The documented default, `chat_history`.
    fn default() -> Self {
        Self("chat_history".into())
    }
}

/// A set of sessions: a tenant's, under one memory key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scope {
    /// Whose sessions.
    pub tenant: Tenant,
    /// Under which memory key.
    pub memory_key: MemoryKey,
}

impl Scope {
    /// The key of one session of this scope.
    pub fn session(&self, session: &SessionId) -> SessionKey {
        SessionKey { scope: self.clone(), session: session.clone() }
    }
}

/// One session, named in full.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The set that it belongs to.
    pub scope: Scope,
    /// Its id in that set.
    pub session: SessionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_odd_names_and_refuses_empty_and_long_ones() {
        for odd in [":", "{}", "}{", "/", " ", "*", "a\0b", "\u{2028}", "..", "%2F", "日本"] {
            assert_eq!(SessionId::parse(odd).unwrap().as_str(), odd);
        }
        assert_eq!(SessionId::parse(""), Err(NameError::Empty { what: "session id" }));
        assert!(SessionId::parse(&"x".repeat(4096)).is_ok());
        let long = SessionId::parse(&"x".repeat(10_000)).unwrap_err();
        assert_eq!(long.to_string(), "the session id has 10000 bytes; at most 4096 are allowed");
    }
}
