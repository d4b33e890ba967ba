//! Settings: one table of options, from which flags, environment variables, file keys, help and the
//! reference page all come.
//!
//! Invariant: a flag beats the environment, the environment beats the file, the file beats the default;
//! and whatever is secret is wrapped when it is resolved, so printing [`Settings`] is safe.

mod flags;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod kind;
mod layers;
mod limits;
mod profiles;
mod reference;
mod resolved;
mod summaries;
mod table;
mod tenants;
mod tls;

pub use flags::flags_for;
pub use kind::Kind;
pub use layers::{Layers, Source};
pub use limits::{TenantLimits, TenantLimitsTable};
pub use reference::{page, sample};
pub use resolved::{Backend, Color, LogFormat, Otlp, Settings};
pub use summaries::{ModelKey, ModelSettings, SummarySettings};
pub use table::{Caller, OPTIONS, Setting, Who};
pub use tls::{ServerTls, TlsSettings};
