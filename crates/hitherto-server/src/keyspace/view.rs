//! A message as a list shows it: its own bytes where its client reads that dialect, else translated.
//!
//! What a dialect cannot say is logged, once for each field and pair of dialects, and counted in `INFO`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hitherto::{Dialect, Message};

/// How many different losses are logged.
const MOST: usize = 512;

/// What translations did.
#[derive(Debug, Default)]
pub(super) struct Translations {
    pub(super) messages: AtomicU64,
    pub(super) losses: AtomicU64,
    said: Mutex<BTreeSet<(Dialect, Dialect, String)>>,
}

impl Translations {
    /// The elements that a message is in a list of that dialect, oldest first: one, or more where the dialect has an
    /// element for each tool call.
    pub(super) fn elements(&self, message: &Message, dialect: Dialect) -> Vec<Bytes> {
        if message.is_opaque() || message.dialect() == dialect {
            return vec![message.payload().clone()];
        }
        let (elements, losses) = message.elements_in(dialect);
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.losses.fetch_add(losses.len() as u64, Ordering::Relaxed);
        for loss in losses {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() < MOST && said.insert((message.dialect(), dialect, loss.field.clone())) {
                tracing::info!(
                    from = %message.dialect(), to = %dialect, field = loss.field, why = loss.why,
                    "a message says something that this client's dialect cannot; it is kept, and not shown there"
                );
            }
        }
        elements
    }
}
