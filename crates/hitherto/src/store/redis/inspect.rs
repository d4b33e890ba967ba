//! Looking at the server: its version, and settings that would lose what people say.

use redis::Value;

use super::link::{Kind, Link};
use crate::store::{Finding, Result, Severity, StoreError};

/// The oldest version with all that is used here (`ZADD GT`, `ZRANGE BYSCORE`, `COPY`).
const OLDEST: (u32, u32) = (6, 2);

/// What is found; a server that may not be asked something is told of, not failed.
pub(super) async fn inspect(link: &Link) -> Result<Vec<Finding>> {
    let info = match link.call(Kind::Read, &redis::cmd("INFO")).await {
        Ok(Value::BulkString(text)) => String::from_utf8_lossy(&text).into_owned(),
        Ok(Value::VerbatimString { text, .. }) => text,
        Ok(_) => String::new(),
        Err(StoreError::Denied { .. }) => {
            link.call(Kind::Read, &redis::cmd("PING")).await?;
            return Ok(vec![Finding {
                severity: Severity::Warning,
                subject: "version",
                found: format!("{} answers, but this user may not ask INFO", link.name()),
                advice: "allow INFO, or check persistence and the eviction policy by hand".to_owned(),
            }]);
        }
        Err(error) => return Err(error),
    };
    let fsync = setting(link, "appendfsync").await;
    Ok(findings(&Info(&info), fsync.as_deref()))
}

/// One setting; `None` where `CONFIG` is not allowed, as on most managed services.
async fn setting(link: &Link, name: &str) -> Option<String> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(name);
    match link.call(Kind::Read, &command).await.ok()? {
        Value::Map(pairs) => match pairs.into_iter().next()?.1 {
            Value::BulkString(text) => String::from_utf8(text).ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The text that `INFO` answers.
struct Info<'a>(&'a str);

impl Info<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    }
}

fn findings(info: &Info<'_>, fsync: Option<&str>) -> Vec<Finding> {
    vec![version(info), mode(info), persistence(info, fsync), eviction(info), role(info)]
}

fn finding(severity: Severity, subject: &'static str, found: String, advice: &str) -> Finding {
    Finding { severity, subject, found, advice: advice.to_owned() }
}

fn version(info: &Info<'_>) -> Finding {
    let (name, text) = match info.get("valkey_version") {
        Some(version) => ("Valkey", version),
        None => ("Redis", info.get("redis_version").unwrap_or("unknown")),
    };
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    let version: (u32, u32) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version < OLDEST {
        return finding(
            Severity::Failure,
            "version",
            format!("{name} {text}"),
            "use Redis 6.2 or newer, or Valkey",
        );
    }
    finding(Severity::Fine, "version", format!("{name} {text}"), "")
}

fn mode(info: &Info<'_>) -> Finding {
    match info.get("redis_mode").or(info.get("server_mode")) {
        Some("cluster") => finding(
            Severity::Failure,
            "mode",
            "a cluster node".to_owned(),
            "use a standalone server: this version does not follow a cluster's slots",
        ),
        Some("sentinel") => finding(
            Severity::Failure,
            "mode",
            "a Sentinel, not a server".to_owned(),
            "give the address of the server that it watches",
        ),
        _ => finding(Severity::Fine, "mode", "standalone".to_owned(), ""),
    }
}

fn persistence(info: &Info<'_>, fsync: Option<&str>) -> Finding {
    const SUBJECT: &str = "persistence";
    let saves =
        info.get("rdb_last_save_time").is_some() && info.get("rdb_saves").is_none_or(|saves| saves != "0");
    match (info.get("aof_enabled"), fsync) {
        (Some("1"), Some("always")) => {
            finding(Severity::Fine, SUBJECT, "append-only file, written at once".to_owned(), "")
        }
        (Some("1"), fsync) => finding(
            Severity::Fine,
            SUBJECT,
            format!("append-only file, written {}", fsync.unwrap_or("as appendfsync says")),
            "a crash of the machine can lose the last second; `appendfsync always` loses nothing",
        ),
        _ if saves => finding(
            Severity::Warning,
            SUBJECT,
            "snapshots only".to_owned(),
            "a crash loses what was said since the last snapshot: set `appendonly yes`",
        ),
        _ => finding(
            Severity::Warning,
            SUBJECT,
            "none".to_owned(),
            "a restart loses everything: set `appendonly yes`",
        ),
    }
}

fn eviction(info: &Info<'_>) -> Finding {
    const SUBJECT: &str = "eviction";
    match (info.get("maxmemory_policy"), info.get("maxmemory")) {
        (None, _) => finding(
            Severity::Warning,
            SUBJECT,
            "unknown".to_owned(),
            "check that maxmemory-policy is noeviction",
        ),
        (Some("noeviction"), _) => finding(Severity::Fine, SUBJECT, "noeviction".to_owned(), ""),
        (Some(policy), Some("0")) => finding(
            Severity::Warning,
            SUBJECT,
            format!("{policy}, without a limit of memory so far"),
            "once maxmemory is set, sessions are thrown away: set `maxmemory-policy noeviction`",
        ),
        (Some(policy), _) => finding(
            Severity::Warning,
            SUBJECT,
            policy.to_owned(),
            "a full server throws sessions away: set `maxmemory-policy noeviction`",
        ),
    }
}

fn role(info: &Info<'_>) -> Finding {
    match info.get("role") {
        Some("slave" | "replica") => finding(
            Severity::Failure,
            "role",
            "a replica, which takes no writes".to_owned(),
            "give the primary's address",
        ),
        _ => finding(Severity::Fine, "role", "primary".to_owned(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(info: &str, fsync: Option<&str>, subject: &str, severity: Severity) {
        let found = findings(&Info(info), fsync);
        let finding = found.iter().find(|finding| finding.subject == subject).unwrap();
        assert_eq!(finding.severity, severity, "{info}: {finding:?}");
    }

    #[test]
    fn says_what_could_lose_data() {
        check("redis_version:7.0.15\r\n", None, "version", Severity::Fine);
        check("redis_version:6.0.16\r\n", None, "version", Severity::Failure);
        check("redis_version:7.2.4\r\nvalkey_version:9.0.1\r\n", None, "version", Severity::Fine);
        check("redis_mode:cluster\r\n", None, "mode", Severity::Failure);
        check("aof_enabled:1\r\n", Some("always"), "persistence", Severity::Fine);
        check("aof_enabled:0\r\nrdb_last_save_time:5\r\n", None, "persistence", Severity::Warning);
        check("maxmemory:0\r\nmaxmemory_policy:noeviction\r\n", None, "eviction", Severity::Fine);
        check("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", None, "eviction", Severity::Warning);
        check("maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n", None, "eviction", Severity::Warning);
        check("role:slave\r\n", None, "role", Severity::Failure);
    }
}
