//! The names of keys.
//!
//! Invariant (I6): names cannot be forged. Every part that a caller chooses stands behind its length in
//! bytes, so a name can be read in one way only. What is in the braces decides the slot in a cluster, and is
//! the same for all keys of a session.

use crate::session::{MemoryKey, Scope, SessionId, SessionKey, Tenant, UserId};

/// How many lists the sessions of a scope are spread over, so that a cluster can share the work.
pub(super) const LISTS: u32 = 16;

/// How many lists the sessions that are due for folding are spread over.
pub(super) const DUE_LISTS: u32 = 4;

/// The hash of all credentials, by the hash of their token.
pub(super) const CREDENTIALS: &str = "hitherto:{credentials}";

/// The keys of one session.
#[derive(Debug)]
pub(super) struct Keys {
    stem: String,
}

/// Where a session stands in the list of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ListPlace {
    pub(super) list: String,
    pub(super) member: String,
}

impl Keys {
    pub(super) fn new(key: &SessionKey) -> Self {
        Self { stem: ["hitherto:{", &full_name(key), "}:"].concat() }
    }

    /// The list of records.
    pub(super) fn log(&self) -> String {
        [&self.stem, "log"].concat()
    }

    /// The hash of everything small.
    pub(super) fn meta(&self) -> String {
        [&self.stem, "meta"].concat()
    }

    /// The idempotency keys of even days (0), or of odd ones (1).
    pub(super) fn once(&self, parity: u8) -> String {
        format!("{}once:{parity}", self.stem)
    }

    /// A copy of the session that nobody sees, on its way to another slot or from there.
    pub(super) fn hidden(&self, token: uuid::Uuid) -> Self {
        Self { stem: format!("{}fork:{token}:", self.stem) }
    }

    /// As errors name the session.
    pub(super) fn shown(&self) -> &str {
        self.stem.trim_end_matches(':')
    }
}

/// Where a session is listed.
pub(super) fn list_place(key: &SessionKey) -> ListPlace {
    ListPlace { list: list(&key.scope, shard(key)), member: key.session.as_str().to_owned() }
}

/// Which of the lists a session is in, and which witness speaks for it.
pub(super) fn shard(key: &SessionKey) -> u32 {
    crc32fast::hash(key.session.as_str().as_bytes()) % LISTS
}

/// One of the witnesses of the server's memory.
pub(super) fn witness(shard: u32) -> String {
    format!("hitherto:{{witness:{shard}}}")
}

/// One of the lists of the sessions of a scope: a sorted set, by the time of their newest activity.
pub(super) fn list(scope: &Scope, shard: u32) -> String {
    let (tenant, memory_key) = (scope.tenant.as_str(), scope.memory_key.as_str());
    format!("hitherto:{{{}:{tenant}:{}:{memory_key}:sessions:{shard}}}", tenant.len(), memory_key.len())
}

/// Where a session stands in the list of its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserPlace {
    pub(super) place: ListPlace,
    /// While it is there, a session that is listed may be about to begin.
    pub(super) told: String,
}

/// Where a session stands in the list of a user.
pub(super) fn user_place(key: &SessionKey, user: &UserId) -> UserPlace {
    let list = user_list(&key.scope.tenant, user);
    let member = member_of_user(key);
    UserPlace { told: told_key(&list, &member), place: ListPlace { list, member } }
}

/// The list of a user's sessions, whatever their memory key: a sorted set, by the newest activity that named the user.
pub(super) fn user_list(tenant: &Tenant, user: &UserId) -> String {
    let (tenant, user) = (tenant.as_str(), user.as_str());
    format!("hitherto:{{{}:{tenant}:user:{}:{user}}}", tenant.len(), user.len())
}

/// How a session is named in the list of its user.
fn member_of_user(key: &SessionKey) -> String {
    let (memory_key, session) = (key.scope.memory_key.as_str(), key.session.as_str());
    format!("{}:{memory_key}:{}:{session}", memory_key.len(), session.len())
}

/// The key that stands while somebody has told a user's list of a session that may not be there yet.
pub(super) fn told_key(list: &str, member: &str) -> String {
    format!("{list}:{member}")
}

/// The session that a member of a user's list names.
pub(super) fn parse_member(tenant: &Tenant, member: &str) -> Option<SessionKey> {
    let (memory_key, rest) = part(member)?;
    let (session, rest) = part(rest.strip_prefix(':')?)?;
    let scope = Scope { tenant: tenant.clone(), memory_key: MemoryKey::parse(memory_key).ok()? };
    rest.is_empty().then_some(scope.session(&SessionId::parse(session).ok()?))
}

/// The memory keys of a tenant: a set.
pub(super) fn memory_keys(tenant: &Tenant) -> String {
    format!("hitherto:{{{}:{}:keys}}", tenant.as_str().len(), tenant.as_str())
}

/// How the due-list names the list of a user, which has to be looked through now and then.
pub(super) fn due_user(tenant: &Tenant, user: &UserId) -> ListPlace {
    let (tenant, user) = (tenant.as_str(), user.as_str());
    let member = format!("user:{}:{tenant}:{}:{user}", tenant.len(), user.len());
    ListPlace { list: due_list(crc32fast::hash(member.as_bytes()) % DUE_LISTS), member }
}

/// The user whose list the due-list names so.
pub(super) fn parse_due_user(member: &str) -> Option<(Tenant, UserId)> {
    let (tenant, rest) = part(member.strip_prefix("user:")?)?;
    let (user, rest) = part(rest.strip_prefix(':')?)?;
    rest.is_empty().then_some((Tenant::parse(tenant).ok()?, UserId::parse(user).ok()?))
}

/// The text behind its length, and what follows. A length with a sign or zeros before it is none: the same session would
/// have another name, under which nothing that is settled is found.
fn part(text: &str) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    let (part, rest) = rest.split_at_checked(length.parse().ok()?)?;
    (part.len().to_string() == length).then_some((part, rest))
}

/// A session's name in full: every part behind its length in bytes. Every call makes one, and putting it together so
/// costs a third of what `format!` does.
fn full_name(key: &SessionKey) -> String {
    let (tenant, memory_key) = (key.scope.tenant.as_str(), key.scope.memory_key.as_str());
    let session = key.session.as_str();
    let length = |part: &str| part.len().to_string();
    let (t, m, s) = (length(tenant), length(memory_key), length(session));
    [&t, ":", tenant, ":", &m, ":", memory_key, ":", &s, ":", session].concat()
}

/// The session of that full name; `None` for what is none.
pub(super) fn parse_full_name(name: &str) -> Option<SessionKey> {
    let (tenant, rest) = part(name)?;
    let (memory_key, rest) = part(rest.strip_prefix(':')?)?;
    let (session, rest) = part(rest.strip_prefix(':')?)?;
    let scope = Scope { tenant: Tenant::parse(tenant).ok()?, memory_key: MemoryKey::parse(memory_key).ok()? };
    rest.is_empty().then_some(scope.session(&SessionId::parse(session).ok()?))
}

/// Where a session stands on the due-list.
pub(super) fn due_place(key: &SessionKey) -> ListPlace {
    let member = full_name(key);
    ListPlace { list: due_list(crc32fast::hash(member.as_bytes()) % DUE_LISTS), member }
}

/// One part of the due-list: a sorted set of sessions in full, by when they are due.
pub(super) fn due_list(shard: u32) -> String {
    format!("hitherto:{{due:{shard}}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn key(tenant: &str, memory_key: &str, session: &str) -> SessionKey {
        Scope { tenant: Tenant::parse(tenant).unwrap(), memory_key: MemoryKey::parse(memory_key).unwrap() }
            .session(&SessionId::parse(session).unwrap())
    }

    #[test]
    fn names_are_as_documented() {
        let keys = Keys::new(&key("default", "chat_history", "user 42"));
        assert_eq!(keys.log(), "hitherto:{7:default:12:chat_history:7:user 42}:log");
        assert_eq!(keys.meta(), "hitherto:{7:default:12:chat_history:7:user 42}:meta");
        assert_eq!(list(&Scope::default(), 3), "hitherto:{7:default:12:chat_history:sessions:3}");
        assert_eq!(due_list(3), "hitherto:{due:3}");
        let (scope, user) = (Scope::default(), UserId::parse("zoë").unwrap());
        let place = user_place(&key("default", "chat_history", "s:1"), &user);
        assert_eq!(place.place.list, "hitherto:{7:default:user:4:zoë}");
        assert_eq!(place.place.member, "12:chat_history:3:s:1");
        assert_eq!(place.told, "hitherto:{7:default:user:4:zoë}:12:chat_history:3:s:1");
        assert_eq!(memory_keys(&scope.tenant), "hitherto:{7:default:keys}");
        assert_eq!(due_user(&scope.tenant, &user).member, "user:7:default:4:zoë");
        assert_eq!(parse_due_user("user:7:default:4:zoë"), Some((scope.tenant, user)));
        assert_eq!(
            due_place(&key("default", "chat_history", "user 42")).member,
            "7:default:12:chat_history:7:user 42"
        );
    }

    #[test]
    fn a_name_is_spelled_in_one_way() {
        let (scope, user) = (Scope::default(), UserId::parse("u").unwrap());
        assert!(parse_full_name("7:default:12:chat_history:1:s").is_some());
        for name in [
            "7:default:012:chat_history:1:s",
            "+7:default:12:chat_history:1:s",
            "7:default:12:chat_history:01:s",
            "7:default:12:chat_history:1:s:",
        ] {
            assert_eq!(parse_full_name(name), None, "{name}");
        }
        assert_eq!(parse_member(&scope.tenant, "012:chat_history:1:s"), None);
        assert!(parse_due_user("user:7:default:1:u") == Some((scope.tenant, user)));
        assert_eq!(parse_due_user("user:07:default:1:u"), None);
    }

    #[test]
    fn hostile_parts_never_meet() {
        let parts = ["a", "a:b", "1:a", "b", ":", "{", "}", "a}:log", "a}:log\0", "sessions:3", "3:abc", "é"];
        let mut names: HashMap<String, SessionKey> = HashMap::new();
        let (mut of_users, mut told) = (HashMap::new(), HashMap::new());
        for tenant in parts {
            for memory_key in parts {
                for session in parts {
                    let key = key(tenant, memory_key, session);
                    let keys = Keys::new(&key);
                    assert_eq!(parse_full_name(&full_name(&key)).as_ref(), Some(&key));
                    for name in [keys.log(), keys.meta(), list(&key.scope, 3)] {
                        let is_list = name.ends_with("sessions:3}");
                        if let Some(other) = names.insert(name.clone(), key.clone()) {
                            assert!(is_list && other.scope == key.scope, "{name}: {other:?} {key:?}");
                        }
                    }
                    // The session's name is a user's here, and none of its lists is anything else.
                    let user = UserId::parse(session).unwrap();
                    let (tenant, place) = (&key.scope.tenant, user_place(&key, &user));
                    assert_eq!(parse_member(tenant, &place.place.member).as_ref(), Some(&key));
                    assert_eq!(
                        parse_due_user(&due_user(tenant, &user).member),
                        Some((tenant.clone(), user.clone()))
                    );
                    assert_eq!(parse_full_name(&due_user(tenant, &user).member), None);
                    of_users.insert(place.place.list, (tenant.clone(), user.clone()));
                    of_users.insert(memory_keys(tenant), (tenant.clone(), UserId::parse("nobody").unwrap()));
                    told.insert(place.told, key);
                }
            }
        }
        let parts = parts.len();
        assert_eq!((of_users.len(), told.len()), (parts * parts + parts, parts * parts * parts));
        for name in of_users.keys().chain(told.keys()) {
            assert!(!names.contains_key(name), "{name}");
        }
        assert!(of_users.keys().all(|name| !told.contains_key(name)));
    }
}
