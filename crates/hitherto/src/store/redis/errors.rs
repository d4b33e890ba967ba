//! What Redis and redis-rs say, in the store's words.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use crate::store::{Outcome, StoreError};

/// An error of a call.
pub(super) fn explain(store: &str, error: &RedisError, outcome: Outcome) -> StoreError {
    let store = store.to_owned();
    let reason = said(error);
    if error.is_io_error() || error.is_connection_dropped() {
        return StoreError::Disconnected { store, reason, outcome };
    }
    if let ErrorKind::Server(kind) = error.kind() {
        match kind {
            ServerErrorKind::BusyLoading => return StoreError::Loading { store },
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown => {
                return StoreError::ReadOnly { store, reason };
            }
            ServerErrorKind::NoPerm => return StoreError::Denied { store, reason },
            _ => {}
        }
    }
    // Inside a script the server wraps the error that a command gave.
    let has = |code: &str| error.code() == Some(code) || reason.contains(code);
    if has("LOADING") {
        StoreError::Loading { store }
    } else if has("OOM") {
        StoreError::Full { store, reason }
    } else if has("WRONGTYPE") {
        StoreError::Foreign { what: format!("a key of {store}"), reason }
    } else if has("NOAUTH") || has("WRONGPASS") || has("NOPERM") {
        StoreError::Denied { store, reason }
    } else if has("BUSY") {
        StoreError::Busy { store, reason }
    } else if has("READONLY") || has("MISCONF") || has("NOREPLICAS") {
        StoreError::ReadOnly { store, reason }
    } else {
        StoreError::Failed { store, reason }
    }
}

/// An error of making a connection.
pub(super) fn cannot_connect(store: &str, error: &RedisError) -> StoreError {
    let reason = said(error);
    match error.kind() {
        ErrorKind::AuthenticationFailed => StoreError::Denied { store: store.to_owned(), reason },
        ErrorKind::RESP3NotSupported => StoreError::Unreachable {
            store: store.to_owned(),
            reason: "it is older than Redis 6.2, which Hitherto needs".to_owned(),
        },
        ErrorKind::Io => StoreError::Unreachable { store: store.to_owned(), reason },
        _ => match explain(store, error, Outcome::NotStored) {
            StoreError::Disconnected { store, reason, .. } | StoreError::Failed { store, reason } => {
                StoreError::Unreachable { store, reason }
            }
            other => other,
        },
    }
}

/// What was said, in one line.
fn said(error: &RedisError) -> String {
    let all = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    };
    // A server that does not know a command repeats what came with it: a password, or what people said.
    match all.split_once(", with args") {
        Some((open, _)) => open.to_owned(),
        None => all,
    }
}

/// What kind of answer it is; its content stays out of errors.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) | Value::SimpleString(_) | Value::Okay => "a text",
        Value::Array(_) | Value::Set(_) => "a list",
        Value::Map(_) => "a map",
        _ => "something else",
    }
}
