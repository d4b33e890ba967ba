//! What Redis holds packed, for `crate::fuzzing`.

use redis::Value;

use super::append::remembered;
use super::keys::{self, Keys};
use super::meta::State;
use super::summary;
use crate::session::{Scope, SessionId};

/// A remembered append, a full name, and a session's fields, each behind its length in one byte.
pub(crate) fn packed(data: &[u8]) {
    let _ = remembered(data, None);
    if let Some(key) = std::str::from_utf8(data).ok().and_then(keys::parse_full_name) {
        assert_eq!(keys::due_place(&key).member.as_bytes(), data, "a name can be read in one way only");
    }
    let Ok(session) = SessionId::parse("s") else { return };
    let keys = Keys::new(&Scope::default().session(&session));
    let mut rest = data;
    let mut field = || {
        let (length, after) = rest.split_first()?;
        let (field, after) = after.split_at_checked(usize::from(*length)).unwrap_or((after, &[]));
        rest = after;
        Some(Value::BulkString(field.to_vec()))
    };
    let Some(state) = field() else { return };
    let fields: Vec<Value> = std::iter::from_fn(field).take(summary::FIELDS.len()).collect();
    if let Ok(Some(state)) = State::read(&state, &keys) {
        let _ = summary::state(&state, &fields, &keys);
    }
}
