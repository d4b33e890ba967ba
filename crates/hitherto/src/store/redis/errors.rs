//! What Redis and redis-rs say, in the store's words.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use super::link::Kind;
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
            ServerErrorKind::ReadOnly => return StoreError::ReadOnly { store, reason },
            ServerErrorKind::NoPerm => return StoreError::Denied { store, reason },
            _ => {}
        }
    }
    match code_of(error, &reason) {
        "LOADING" => StoreError::Loading { store },
        "OOM" => StoreError::Full { store, reason },
        "WRONGTYPE" => StoreError::Foreign { what: format!("a key of {store}"), reason },
        "NOAUTH" | "WRONGPASS" | "NOPERM" => StoreError::Denied { store, reason },
        // A script that runs too long, or a slot on its way to another node.
        "BUSY" | "TRYAGAIN" => StoreError::Busy { store, reason },
        "READONLY" | "MISCONF" | "NOREPLICAS" => StoreError::ReadOnly { store, reason },
        "CLUSTERDOWN" | "MASTERDOWN" | "MOVED" | "ASK" => StoreError::Unreachable { store, reason },
        _ => StoreError::Failed { store, reason },
    }
}

/// The codes that mean something here.
const CODES: [&str; 14] = [
    "LOADING",
    "OOM",
    "WRONGTYPE",
    "NOAUTH",
    "WRONGPASS",
    "NOPERM",
    "BUSY",
    "TRYAGAIN",
    "READONLY",
    "MISCONF",
    "NOREPLICAS",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "MOVED",
];

/// The code of an error. Inside a script, servers before version 7 wrap the error that a command gave.
fn code_of<'a>(error: &'a RedisError, reason: &str) -> &'a str {
    let code = error.code().unwrap_or_default();
    if CODES.contains(&code) || code == "ASK" {
        return code;
    }
    let wrapped =
        |code: &&&str| reason.contains(&format!("-{code} ")) || reason.contains(&format!(": {code} "));
    CODES.iter().find(wrapped).copied().unwrap_or(code)
}

/// Whether a call that failed so may be sent again.
pub(super) fn may_repeat(error: &StoreError, kind: Kind) -> bool {
    match error {
        StoreError::Unreachable { .. } | StoreError::Loading { .. } => true,
        StoreError::Disconnected { outcome, .. } | StoreError::TimedOut { outcome, .. } => {
            *outcome == Outcome::NotStored || kind != Kind::Write
        }
        _ => false,
    }
}

/// Whether the server, rather than what it was asked, is what failed.
pub(super) fn is_of_the_link(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unreachable { .. }
            | StoreError::Disconnected { .. }
            | StoreError::TimedOut { .. }
            | StoreError::NotReplicated { .. }
    )
}

/// Whether nothing more is known than that time was up.
pub(super) fn is_late(error: &StoreError) -> bool {
    matches!(error, StoreError::TimedOut { .. })
}

/// Of the errors of servers that were asked the same, the last that says more than that time was up; else the last.
pub(super) fn most_telling(mut errors: Vec<StoreError>) -> Option<StoreError> {
    let at = errors.iter().rposition(|error| !is_late(error)).or(errors.len().checked_sub(1))?;
    Some(errors.swap_remove(at))
}

/// The error of a call of which an earlier attempt may have been carried out.
pub(super) fn in_doubt(error: StoreError) -> StoreError {
    let outcome = Outcome::Unknown;
    match error {
        StoreError::TimedOut { store, deadline, .. } => StoreError::TimedOut { store, deadline, outcome },
        StoreError::Disconnected { store, reason, .. }
        | StoreError::Unreachable { store, reason }
        | StoreError::Busy { store, reason }
        | StoreError::ReadOnly { store, reason } => StoreError::Disconnected { store, reason, outcome },
        StoreError::Loading { store } => {
            StoreError::Disconnected { store, reason: "it is loading its data".to_owned(), outcome }
        }
        other => other,
    }
}

/// The error of a step that leaves nothing behind, whatever became of it.
pub(super) fn undone(error: StoreError) -> StoreError {
    let outcome = Outcome::NotStored;
    match error {
        StoreError::TimedOut { store, deadline, .. } => StoreError::TimedOut { store, deadline, outcome },
        StoreError::Disconnected { store, reason, .. } => StoreError::Disconnected { store, reason, outcome },
        // A copy that is lost is found out.
        StoreError::NotReplicated { store, .. } => {
            StoreError::Busy { store, reason: "its replicas did not keep up with a copy".to_owned() }
        }
        other => other,
    }
}

/// An answer's text; nothing where it is none.
pub(super) fn text_of(value: &Value) -> &str {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text,
        _ => "",
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
