//! Answers: JSON written by hand into one buffer, into which stored messages are spliced as they are.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hitherto::summary::PolicyChange;
use hitherto::{Change, Description, MessageId, StoredMessage, Timestamp};

pub(super) use crate::digits::push as push_number;

/// An answer of JSON.
pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    with_type(status, "application/json", body)
}

/// An answer of another media type.
pub(super) fn with_type(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Appends `text` as a JSON string.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends `,"name":number`.
pub(super) fn push_count(out: &mut Vec<u8>, label: &str, number: u64) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(b"\":");
    push_number(out, number);
}

/// Appends an id as a JSON string.
pub(super) fn push_id(out: &mut Vec<u8>, id: &MessageId) {
    match id {
        MessageId::Given(id) => {
            use std::io::Write as _;
            let _ = write!(out, "\"{}\"", id.hyphenated());
        }
        MessageId::Own(id) => push_string(out, id),
    }
}

/// Appends `"messages":[…]`.
pub(super) fn push_messages(out: &mut Vec<u8>, messages: &[StoredMessage]) {
    out.extend_from_slice(b"\"messages\":[");
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        message.write_json(out);
    }
    out.push(b']');
}

/// Appends a session's description as an object.
pub(super) fn push_description(out: &mut Vec<u8>, session: &str, found: &Description, now: Timestamp) {
    out.extend_from_slice(b"{\"session\":");
    push_string(out, session);
    for (label, number) in [
        ("messages", found.messages),
        ("turns", found.turns),
        ("deleted", found.deleted),
        ("first_seq", found.first_seq),
        ("last_seq", found.last_seq),
        ("bytes", found.bytes),
    ] {
        push_count(out, label, number);
    }
    push_time(out, "created_at", found.created_at);
    push_time(out, "updated_at", found.updated_at);
    if let Some(ttl) = found.ttl {
        push_count(out, "ttl_secs", ttl.as_millis().div_ceil(1000));
        out.extend_from_slice(b",\"ttl_restart\":\"");
        out.extend_from_slice(ttl.restart().as_str().as_bytes());
        out.push(b'"');
    }
    if let Some(at) = found.expires_at {
        push_time(out, "expires_at", at);
        let left = at.as_millis().saturating_sub(now.as_millis());
        push_count(out, "expires_in_secs", u64::try_from(left).unwrap_or(0).div_ceil(1000));
    }
    if let Some(max) = found.max_messages {
        push_count(out, "max_messages", max);
    }
    if let Some(user) = &found.user {
        out.extend_from_slice(b",\"user\":");
        push_string(out, user.as_str());
    }
    if let Some(metadata) = &found.metadata {
        out.extend_from_slice(b",\"metadata\":");
        out.extend_from_slice(metadata.as_bytes());
    }
    if found.policy != PolicyChange::default() {
        out.extend_from_slice(b",\"summaries\":");
        // Numbers and switches can always be written.
        let _ = serde_json::to_writer(&mut *out, &found.policy);
    }
    if found.summary_upto > 0 {
        push_count(out, "summary_upto", found.summary_upto);
        let stale: &[u8] = if found.summary_stale { b"true" } else { b"false" };
        out.extend_from_slice(b",\"summary_stale\":");
        out.extend_from_slice(stale);
    }
    out.push(b'}');
}

/// Appends `,"name":"time"`.
pub(super) fn push_time(out: &mut Vec<u8>, label: &str, time: Timestamp) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(b"\":\"");
    time.write_rfc3339(out);
    out.push(b'"');
}

/// The change that an optional default asks for.
pub(super) fn set_or_keep<T>(value: Option<T>) -> Change<T> {
    value.map_or(Change::Keep, Change::Set)
}
