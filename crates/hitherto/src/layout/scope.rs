//! The keys of Microsoft's Agent Framework: `<prefix>|v2|<tenant>|<application>|<agent>|<source>|<session>`, and the
//! older `<prefix>:<session>`.
//!
//! Invariant: two keys are never one session. All five segments of a key name it, as they are written there, and as
//! the Redis port reads them.

/// How many segments a key has.
const SEGMENTS: usize = 5;

/// The session of a key without its prefix.
pub(super) fn session(rest: &str) -> Option<String> {
    let scoped = |rest: &&str| rest.split('|').count() == SEGMENTS;
    let session = match rest.strip_prefix(':') {
        Some(session) => Some(session),
        None => rest.strip_prefix("|v2|").filter(scoped),
    };
    session.filter(|session| !session.is_empty()).map(str::to_owned)
}

/// The key of a session: the older one for an id that is no five segments.
pub(super) fn key(prefix: &str, session: &str) -> String {
    let scoped = session.split('|').count() == SEGMENTS;
    format!("{prefix}{}{session}", if scoped { "|v2|" } else { ":" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_sessions() {
        for (rest, expected) in [
            ("|v2|~none|app|~none|redis_memory|s", Some("~none|app|~none|redis_memory|s")),
            (":thread_1", Some("thread_1")),
            (":", None),
            ("|v2|a|b", None),
        ] {
            let found = session(rest);
            assert_eq!(found.as_deref(), expected);
            assert!(found.is_none_or(|session| key("", &session) == rest));
        }
    }
}
