//! Which session of which tenant a request is about: every door asks here and nowhere else.
//!
//! Invariant: a memory that a handler works with came from [`memory`]; so whoever may see what is decided in one place.

use axum::http::{Extensions, Uri};
use hitherto::{ChatMemory, MemoryKey, SessionId};

use super::path;
use super::problem::{Code, Problem};
use super::query::invalid;
use super::{Door, entrance};
use crate::access::Need;
use crate::access::audit::{self, Who};

/// The memory that a request is about, if its credential has the scopes that are needed: of all tenants the credential's,
/// or the server's own where none was needed; and of its memory keys the one that the namespace names, or else the
/// server's. Nothing else that a request says has a say in whose it is.
pub(super) fn memory(
    door: &Door,
    extensions: &Extensions,
    namespace: Option<&str>,
    need: Need,
) -> Result<ChatMemory, Problem> {
    let grant = entrance::admitted(extensions, need)?;
    let memory = match &grant.tenant {
        Some(tenant) => door.memory.clone().for_tenant(tenant.clone()),
        None => door.memory.clone(),
    };
    door.options.limiter.request(&memory.scope().tenant)?;
    let Some(namespace) = namespace.filter(|namespace| !namespace.is_empty()) else {
        return Ok(memory);
    };
    let key = MemoryKey::parse(namespace)
        .map_err(|_| invalid("namespace", &format!("a text of at most {} bytes", MemoryKey::MAX_BYTES)))?;
    Ok(memory.under(key))
}

/// The session of that id, and the memory that it is in.
pub(super) fn session(
    door: &Door,
    extensions: &Extensions,
    id: &str,
    namespace: Option<&str>,
    need: Need,
) -> Result<(ChatMemory, SessionId), Problem> {
    let memory = memory(door, extensions, namespace, need)?;
    Ok((memory, SessionId::parse(id)?))
}

/// The session of a path `/v1/sessions/{id}…`, and the memory that it is in.
pub(super) fn in_path(
    door: &Door,
    extensions: &Extensions,
    uri: &Uri,
    need: Need,
) -> Result<(ChatMemory, SessionId), Problem> {
    let id = path::decode(path::segment(uri, 3), false).ok_or_else(not_utf8)?;
    session(door, extensions, &id, None, need)
}

/// Clears a session as the credential of a request may, and says in the audit line who did.
pub(super) async fn clear(
    door: &Door,
    extensions: &Extensions,
    memory: &ChatMemory,
    session: &SessionId,
) -> Result<Option<u64>, Problem> {
    let who = entrance::admitted(extensions, Need::Write)?;
    let cleared = door.within(memory.clear(session)).await?;
    if let Some(messages) = cleared {
        audit::cleared(&Who::Grant(who), &memory.scope().tenant, session, messages);
    }
    Ok(cleared)
}

/// The session that stands between `before` and `after` in a path, slashes and all, for clients that put an id there as
/// it is: `/sessions/a/b/memory`. `None` if the path is not of that form.
pub(super) fn between<'a>(uri: &'a Uri, before: &str, after: &str) -> Option<&'a str> {
    uri.path().strip_prefix(before)?.strip_suffix(after)
}

/// Takes percent-encoding away where there is some; what only looks like it was not encoded, and stays.
pub(super) fn decoded(id: &str) -> Result<String, Problem> {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = id.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).map_err(|_| not_utf8())
}

fn not_utf8() -> Problem {
    Problem::new(Code::InvalidSessionId, "the session id in the path is not UTF-8 in percent-encoding")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_all_that_stands_between() {
        let check = |path: &str, expected: Option<&str>| {
            let uri: Uri = path.parse().unwrap();
            let found = between(&uri, "/sessions/", "/memory").map(|id| decoded(id).unwrap());
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        check("/sessions/s/memory", Some("s"));
        check("/sessions/s/memory?lastn=1", Some("s"));
        check("/sessions/a/b/memory", Some("a/b"));
        check("/sessions/a/memory/b/memory", Some("a/memory/b"));
        check("/sessions/memory/memory", Some("memory"));
        check("/sessions//memory", Some(""));
        check("/sessions/sess%201/x/memory", Some("sess 1/x"));
        check("/sessions/a%2Fb%2/memory", Some("a/b%2"));
        check("/sessions/50%/x/memory", Some("50%/x"));
        check("/sessions/50%/memory", Some("50%"));
        check("/sessions/100%zz+/memory", Some("100%zz+"));
        check("/sessions/%E6%97%A5本/memory", Some("日本"));
        check("/sessions/memory", None);
        check("/sessions/s/memory/x", None);
        check("/session/s/memory", None);
        assert_eq!(decoded("%ff").map_err(|problem| problem.code()), Err(Code::InvalidSessionId));
    }
}
