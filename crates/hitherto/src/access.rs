//! Who may do what: tokens, what is stored of them, and what they allow.
//!
//! Invariant: a token is known to whoever holds it and to nobody else. Nothing here prints one, and a store is given its
//! hash alone. What a door does with a credential is the door's business.

mod credential;
mod packed;
mod scopes;
mod token;

pub use credential::{Credential, CredentialPage};
pub(crate) use packed::{FORMAT, Unpacked, pack, unpack};
pub use scopes::{Permission, Scopes};
pub use token::{Token, TokenError, TokenHash};
