//! Who may do what: the gate that every door asks, and the audit line.
//!
//! Invariants: a tenant comes from a credential alone; what was looked up is never used when it is older than [`MOST_AGE`],
//! so a revocation holds everywhere within 5 s; with the store down nobody is let in who was not a moment ago; and a
//! token, or anything from which it could be told, is in no log line and no error.

mod grant;
mod need;
mod refusal;

mod known;
mod unknown;

mod gate;
mod jwt;

pub(crate) mod audit;
pub(crate) mod exposure;

pub(crate) use gate::Pass;
pub use gate::{Gate, GateOptions};
pub use grant::Grant;
pub use jwt::JwtOptions;
pub use need::Need;
pub(crate) use refusal::Refusal;

use std::time::Duration;

/// How old an answer of the store may be when it is used: with what a request takes afterwards, less than 5 s.
pub(crate) const MOST_AGE: Duration = Duration::from_secs(4);
/// How old it is when it is asked for anew in the background, while requests go on with the old one. A store that takes
/// its whole deadline of 2 s has answered before the old one is too old.
pub(crate) const REFRESH_AGE: Duration = Duration::from_millis(1_500);
