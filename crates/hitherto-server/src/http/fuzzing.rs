//! Paths, ids and queries, for `crate::fuzzing`.

use axum::http::Uri;
use hitherto::SessionId;

use super::path::{decode, segment, seq};
use super::query::Query;
use super::{locate, query};

/// A request's target as it came; and an id, in percent-encoding and without.
pub fn http(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(decode(&encoded, false).as_deref(), Some(text), "an id in percent-encoding is the id");
    assert!(locate::decoded(&encoded).is_ok_and(|id| id == text), "also where it may stand without");
    if !text.contains('%') {
        assert!(locate::decoded(text).is_ok_and(|id| id == text), "what is not encoded is as it is");
    }
    let _ = SessionId::parse(text);
    let Ok(uri) = text.parse::<Uri>() else { return };
    let _ = (seq(&uri), query::none(&uri), decode(segment(&uri, 3), false));
    for (before, after) in [("/sessions/", "/memory"), ("/api/v1/sessions/", "/messages")] {
        let _ = locate::between(&uri, before, after).map(locate::decoded);
    }
    let Ok(mut query) = Query::parse(&uri) else { return };
    let _ = (query.take("namespace"), query.number("limit", 1..=1000), query.number("after", 0..=u64::MAX));
    let _ = query.finish("limit, after");
}
