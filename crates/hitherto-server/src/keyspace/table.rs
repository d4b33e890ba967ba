//! The table of commands: every command is one entry here, from which `COMMAND` answers too.

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Auth,
    Client,
    Command,
    DbSize,
    Del,
    Discard,
    Echo,
    Exec,
    Exists,
    Expire,
    ExpireAt,
    ExpireTime,
    HDel,
    HExists,
    HGet,
    HGetAll,
    HKeys,
    HLen,
    HMGet,
    HSet,
    HSetNx,
    HVals,
    Hello,
    Info,
    Keys,
    LIndex,
    LLen,
    LPop,
    LPos,
    LPush,
    LPushX,
    LRange,
    LRem,
    LSet,
    LTrim,
    Multi,
    PExpire,
    PExpireAt,
    PExpireTime,
    PTtl,
    Persist,
    Ping,
    Quit,
    RPop,
    RPush,
    RPushX,
    Reset,
    Scan,
    Select,
    Time,
    Touch,
    Ttl,
    Type,
    Unwatch,
    Watch,
}

/// A command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) op: Op,
    /// How many words it has, its name included; at least so many where negative.
    pub(super) arity: i64,
    pub(super) flags: &'static [&'static str],
    /// The first and last key, and the step between them; 0 without keys.
    pub(super) keys: (i64, i64, i64),
}

impl Entry {
    /// Whether it reads sessions, and changes none.
    pub(super) fn reads(&self) -> bool {
        self.flags.contains(&"readonly")
    }

    /// Whether it changes sessions.
    pub(super) fn writes(&self) -> bool {
        self.flags.contains(&"write")
    }
}

const READ: &[&str] = &["readonly"];
const WRITE: &[&str] = &["write"];
const PUSH: &[&str] = &["write", "denyoom", "fast"];
const PLAIN: &[&str] = &["loading", "stale", "fast"];
const NONE: (i64, i64, i64) = (0, 0, 0);
const ONE: (i64, i64, i64) = (1, 1, 1);
const ALL: (i64, i64, i64) = (1, -1, 1);

const fn entry(
    name: &'static str,
    op: Op,
    arity: i64,
    flags: &'static [&'static str],
    keys: (i64, i64, i64),
) -> Entry {
    Entry { name, op, arity, flags, keys }
}

/// All commands, by name.
pub(super) const COMMANDS: &[Entry] = &[
    entry("auth", Op::Auth, -2, PLAIN, NONE),
    entry("client", Op::Client, -2, PLAIN, NONE),
    entry("command", Op::Command, -1, PLAIN, NONE),
    entry("dbsize", Op::DbSize, 1, READ, NONE),
    entry("del", Op::Del, -2, WRITE, ALL),
    entry("discard", Op::Discard, 1, PLAIN, NONE),
    entry("echo", Op::Echo, 2, PLAIN, NONE),
    entry("exec", Op::Exec, 1, PLAIN, NONE),
    entry("exists", Op::Exists, -2, READ, ALL),
    entry("expire", Op::Expire, -3, WRITE, ONE),
    entry("expireat", Op::ExpireAt, -3, WRITE, ONE),
    entry("expiretime", Op::ExpireTime, 2, READ, ONE),
    entry("hdel", Op::HDel, -3, WRITE, ONE),
    entry("hello", Op::Hello, -1, PLAIN, NONE),
    entry("hexists", Op::HExists, 3, READ, ONE),
    entry("hget", Op::HGet, 3, READ, ONE),
    entry("hgetall", Op::HGetAll, 2, READ, ONE),
    entry("hkeys", Op::HKeys, 2, READ, ONE),
    entry("hlen", Op::HLen, 2, READ, ONE),
    entry("hmget", Op::HMGet, -3, READ, ONE),
    entry("hset", Op::HSet, -4, WRITE, ONE),
    entry("hsetnx", Op::HSetNx, 4, WRITE, ONE),
    entry("hvals", Op::HVals, 2, READ, ONE),
    entry("info", Op::Info, -1, PLAIN, NONE),
    entry("keys", Op::Keys, 2, READ, NONE),
    entry("lindex", Op::LIndex, 3, READ, ONE),
    entry("llen", Op::LLen, 2, READ, ONE),
    entry("lpop", Op::LPop, -2, WRITE, ONE),
    entry("lpos", Op::LPos, -3, READ, ONE),
    entry("lpush", Op::LPush, -3, PUSH, ONE),
    entry("lpushx", Op::LPushX, -3, PUSH, ONE),
    entry("lrange", Op::LRange, 4, READ, ONE),
    entry("lrem", Op::LRem, 4, WRITE, ONE),
    entry("lset", Op::LSet, 4, WRITE, ONE),
    entry("ltrim", Op::LTrim, 4, WRITE, ONE),
    entry("multi", Op::Multi, 1, PLAIN, NONE),
    entry("persist", Op::Persist, 2, WRITE, ONE),
    entry("pexpire", Op::PExpire, -3, WRITE, ONE),
    entry("pexpireat", Op::PExpireAt, -3, WRITE, ONE),
    entry("pexpiretime", Op::PExpireTime, 2, READ, ONE),
    entry("ping", Op::Ping, -1, PLAIN, NONE),
    entry("pttl", Op::PTtl, 2, READ, ONE),
    entry("quit", Op::Quit, -1, PLAIN, NONE),
    entry("reset", Op::Reset, 1, PLAIN, NONE),
    entry("rpop", Op::RPop, -2, WRITE, ONE),
    entry("rpush", Op::RPush, -3, PUSH, ONE),
    entry("rpushx", Op::RPushX, -3, PUSH, ONE),
    entry("scan", Op::Scan, -2, READ, NONE),
    entry("select", Op::Select, 2, PLAIN, NONE),
    entry("time", Op::Time, 1, PLAIN, NONE),
    entry("touch", Op::Touch, -2, READ, ALL),
    entry("ttl", Op::Ttl, 2, READ, ONE),
    entry("type", Op::Type, 2, READ, ONE),
    entry("unlink", Op::Del, -2, WRITE, ALL),
    entry("unwatch", Op::Unwatch, 1, PLAIN, NONE),
    entry("watch", Op::Watch, -2, PLAIN, ALL),
];

/// The names of all commands, in the order of the table.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|entry| entry.name)
}

/// The command of that name, in any case.
pub(super) fn find(name: &[u8]) -> Option<&'static Entry> {
    COMMANDS.get(place(name)?)
}

/// Its place in the table.
pub(super) fn place(name: &[u8]) -> Option<usize> {
    let lower = |byte: &u8| byte.to_ascii_lowercase();
    COMMANDS.binary_search_by(|entry| entry.name.bytes().cmp(name.iter().map(lower))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found() {
        for entry in COMMANDS {
            assert_eq!(
                find(entry.name.to_ascii_uppercase().as_bytes()).map(|found| found.name),
                Some(entry.name)
            );
        }
        assert!(find(b"").is_none());
        assert!(find(b"flushall").is_none());
    }
}
