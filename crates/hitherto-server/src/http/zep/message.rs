//! A message as Zep's clients read it.

use hitherto::StoredMessage;
use serde_json::value::RawValue;

use crate::http::answer;
use crate::http::spoken::{self, Names, Spoken};

/// What the clients call the roles if nobody tells them otherwise.
pub(super) const NAMES: Names = Names { system: "system", user: "human", assistant: "ai", tool: "tool" };

/// Appends the message as an object: `uuid` and `created_at` are its own where its client sent them.
pub(super) fn push(out: &mut Vec<u8>, stored: &StoredMessage) {
    let spoken = Spoken::of(&stored.message);
    let own = |field: fn(&Spoken<'_>) -> Option<Box<RawValue>>| spoken.as_ref().and_then(field);
    out.extend_from_slice(b"{\"uuid\":");
    answer::push_string(out, &id(stored));
    match own(|spoken| given(spoken.created_at, "\"")) {
        Some(time) => push_raw(out, "created_at", &time),
        None => answer::push_time(out, "created_at", stored.created_at),
    }
    out.push(b',');
    spoken::push(out, &stored.message, &NAMES);
    if let Some(count) = own(|spoken| given(spoken.token_count, "")) {
        push_raw(out, "token_count", &count);
    }
    match &spoken {
        Some(spoken) => {
            if let Some(metadata) = given(spoken.metadata, "{") {
                push_raw(out, "metadata", &metadata);
            }
        }
        None => {
            if let Some(metadata) = stored.message.metadata() {
                out.extend_from_slice(b",\"metadata\":");
                out.extend_from_slice(metadata.as_bytes());
            }
        }
    }
    out.push(b'}');
}

/// The id of a message: the one that its client sent, or else the one that it was given.
pub(super) fn id(stored: &StoredMessage) -> String {
    Spoken::of(&stored.message)
        .and_then(|spoken| serde_json::from_str::<String>(spoken.uuid?.get()).ok())
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| stored.id().to_string())
}

/// A value that is given and begins so.
fn given(raw: Option<&RawValue>, begin: &str) -> Option<Box<RawValue>> {
    raw.filter(|raw| raw.get() != "null" && raw.get().starts_with(begin)).map(ToOwned::to_owned)
}

fn push_raw(out: &mut Vec<u8>, label: &str, raw: &RawValue) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(b"\":");
    out.extend_from_slice(raw.get().as_bytes());
}
