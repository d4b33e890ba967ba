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

/// The longest name of a field that is logged, in bytes.
const NAME: usize = 64;

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
            let field = loggable(&loss.field);
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() < MOST && said.insert((message.dialect(), dialect, field.to_owned())) {
                tracing::info!(
                    from = %message.dialect(), to = %dialect, field, why = loss.why,
                    "a message says something that this client's dialect cannot; it is kept, and not shown there"
                );
            }
        }
        elements
    }
}

/// The name of a field as a log may have it. An application names fields of its own as it likes, be it by what somebody
/// said, so only what looks like a name is one.
fn loggable(field: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if field.len() <= NAME && field.bytes().all(plain) { field } else { "(a field of its own)" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_no_name_is_not_logged() {
        let check = |field: &str, expected: &str| assert_eq!(loggable(field), expected);
        check("response_metadata", "response_metadata");
        check("content.image_url", "content.image_url");
        check("Ada lives in Zürich", "(a field of its own)");
        check("my number is 0171 555", "(a field of its own)");
        check(&"x".repeat(1 << 20), "(a field of its own)");
    }
}
