//! `import --from` and `export --to`: history from other programs' keys, and back into them.
//!
//! Invariant: a source is only read. What it holds is stored byte for byte, each element once however often it is
//! run, and what cannot be read is stored too and named.

mod batch;
mod documents;
mod find;
mod inward;
mod lists;
pub(crate) mod options;
mod outward;
mod session;
mod sink;
mod source;
mod walk;

use hitherto::StoreError;

use super::again::again;
use crate::target::TargetError;

pub(crate) use inward::{BringArgs, run as bring};
pub(crate) use outward::{GiveArgs, run as give};
pub(crate) use sink::Sink;
pub(crate) use source::Source;

/// Reads from other programs' keys, and again where it failed for a moment.
async fn reading<T>(call: impl AsyncFn() -> Result<T, StoreError>) -> Result<T, TargetError> {
    again(async || call().await.map_err(|error| TargetError::Memory(error.into()))).await
}

/// The name of a key as it is shown.
fn shown(key: &[u8]) -> String {
    super::visible::line(&String::from_utf8_lossy(key))
}
