//! Errors of the engine as Redis' clients know errors. The one place where the one becomes the other.

use hitherto::{Error, Outcome, StoreError};

use super::Reply;
use crate::limits::TooSoon;

/// The error of the engine as a reply: a code in capitals that clients know, and a sentence.
pub(super) fn reply(error: Error) -> Reply {
    let code = match &error {
        Error::Store(error) => match error {
            StoreError::Loading { .. } => "LOADING",
            StoreError::Busy { .. } => "BUSY",
            // The server's own word, where it has one for it.
            StoreError::ReadOnly { reason, .. } if reason.starts_with("MISCONF") => "MISCONF",
            StoreError::ReadOnly { reason, .. } if reason.starts_with("NOREPLICAS") => "NOREPLICAS",
            StoreError::ReadOnly { .. } => "READONLY",
            StoreError::NotReplicated { .. } => "NOREPLICAS",
            StoreError::Full { .. } => "OOM",
            StoreError::Denied { .. } => "NOPERM",
            StoreError::Unreachable { reason, .. } if reason.starts_with("CLUSTERDOWN") => "CLUSTERDOWN",
            StoreError::Unreachable { reason, .. } if reason.starts_with("MASTERDOWN") => "MASTERDOWN",
            StoreError::Unreachable { .. } => "TRYAGAIN",
            _ => "ERR",
        },
        // What clients know of a server that takes no more, and answers reads all the same.
        Error::Full(_) => "OOM",
        _ => "ERR",
    };
    let unknown = match &error {
        Error::Store(StoreError::NotReplicated { .. }) => "",
        Error::Store(error) if error.outcome() == Outcome::Unknown => {
            "; nobody can say whether what was written is stored"
        }
        _ => "",
    };
    Reply::error(format!("{code} {error}{unknown}").replace(['\r', '\n'], " "))
}

/// A request too many of the tenant's. It begins as the services that count requests begin theirs.
pub(super) fn too_soon(error: TooSoon) -> Reply {
    let TooSoon { limit, wait } = error;
    Reply::error(format!(
        "ERR max requests limit exceeded. Limit: {limit} a second; try again in {} ms",
        wait.as_micros().div_ceil(1000).max(1)
    ))
}

/// The command did not end in time.
pub(super) fn too_slow(deadline: std::time::Duration) -> Reply {
    Reply::error(format!(
        "ERR no answer within {} ms; nobody can say whether what was written is stored",
        deadline.as_millis()
    ))
}

/// A command of a transaction was not begun, for what came before it took too long.
pub(super) fn not_begun(deadline: std::time::Duration) -> Reply {
    Reply::error(format!(
        "ERR the transaction took more than {} ms, and this was not begun",
        deadline.as_millis()
    ))
}

pub(super) fn wrong_type() -> Reply {
    Reply::error("WRONGTYPE Operation against a key holding the wrong kind of value")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn errors_have_the_codes_that_clients_know() {
        let store = || "Redis at h".to_owned();
        let reason = || "why".to_owned();
        let all = [
            Error::Store(StoreError::Unreachable { store: store(), reason: reason() }),
            Error::Store(StoreError::TimedOut {
                store: store(),
                deadline: Duration::from_secs(2),
                outcome: Outcome::Unknown,
            }),
            Error::Store(StoreError::Disconnected {
                store: store(),
                reason: reason(),
                outcome: Outcome::NotStored,
            }),
            Error::Store(StoreError::Loading { store: store() }),
            Error::Store(StoreError::Busy { store: store(), reason: reason() }),
            Error::Store(StoreError::Denied { store: store(), reason: reason() }),
            Error::Store(StoreError::Full { store: store(), reason: reason() }),
            Error::Store(StoreError::ReadOnly { store: store(), reason: "two\r\nlines".to_owned() }),
            Error::Store(StoreError::ReadOnly { store: store(), reason: "MISCONF no disk".to_owned() }),
            Error::Store(StoreError::ReadOnly { store: store(), reason: "NOREPLICAS too few".to_owned() }),
            Error::Store(StoreError::NotReplicated { store: store(), wanted: 2, replicas: 1 }),
            Error::Store(StoreError::Unreachable { store: store(), reason: "CLUSTERDOWN it is".to_owned() }),
            Error::Store(StoreError::Unreachable { store: store(), reason: "MASTERDOWN it is".to_owned() }),
            Error::Store(StoreError::OnceMismatch),
            Error::TooLarge { what: "message", size: "9 bytes".to_owned(), max: 8 },
            Error::Store(StoreError::UserMismatch),
            Error::Full(hitherto::Full {
                what: "sessions",
                used: 7,
                limit: 7,
                retry_after: Duration::from_secs(10),
            }),
        ];
        let too_soon = too_soon(TooSoon { limit: 5, wait: Duration::from_micros(1_500) });
        let replies: Vec<String> = all
            .into_iter()
            .map(reply)
            .chain([too_soon])
            .map(|reply| match reply {
                Reply::Error(text) => text,
                other => panic!("{other:?}"),
            })
            .collect();
        insta::assert_snapshot!("errors", replies.join("\n"));
    }
}
