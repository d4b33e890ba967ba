//! Looking at the server: its version, and settings that would lose what people say.

use std::sync::Arc;

use futures_util::future::join_all;
use redis::{Cmd, Value};

use super::link::{Kind, Link};
use super::route::Route;
use super::safety::{self, Safety};
use crate::store::{Finding, Result, Severity, StoreError};

/// The oldest version with all that is used here (`ZADD GT`, `ZRANGE BYSCORE`, `COPY`).
const OLDEST: (u32, u32) = (6, 2);

/// Whether there is a server that answers; in a cluster one is enough, for the sessions that it has can be served.
pub(super) async fn ping(route: &Route) -> Result<()> {
    let ping = redis::cmd("PING");
    let (holders, _) = route.holders().await?;
    if holders.is_empty() {
        return route.call(Kind::Read, &ping).await.map(drop);
    }
    let answers = join_all(holders.iter().map(|holder| route.call_at(holder, &ping))).await;
    let mut worst = Ok(());
    for answer in answers {
        match answer {
            Ok(_) => return Ok(()),
            Err(error) => worst = Err(error),
        }
    }
    worst
}

/// What is found; a server that may not be asked something is told of, not failed.
pub(super) async fn inspect(route: &Route) -> Result<Vec<Finding>> {
    let (holders, _) = route.holders().await?;
    if holders.is_empty() {
        let mut findings = look_at(route, None).await?;
        findings.extend(safety::findings(route.safety()));
        return Ok(findings);
    }
    let mut findings = Vec::new();
    for holder in &holders {
        let found = match look_at(route, Some(holder)).await {
            Ok(found) => found,
            Err(error) => vec![finding(
                Severity::Failure,
                "node",
                error.to_string(),
                "the sessions of its slots cannot be served until it, or a replica of it, answers",
            )],
        };
        for mut finding in found {
            // What is fine is said once, what is not of each node.
            if finding.severity != Severity::Fine {
                finding.found = format!("{} ({})", finding.found, holder.name());
            }
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings.sort_by_key(|finding| SUBJECTS.iter().position(|subject| *subject == finding.subject));
    findings.extend(safety::findings(route.safety()));
    Ok(findings)
}

/// What is looked at, in the order in which it is told.
const SUBJECTS: [&str; 7] = ["node", "version", "mode", "persistence", "eviction", "role", "replicas"];

/// What is found at one server.
async fn look_at(route: &Route, holder: Option<&Arc<Link>>) -> Result<Vec<Finding>> {
    let info = match ask(route, holder, &redis::cmd("INFO")).await {
        Ok(Value::BulkString(text)) => String::from_utf8_lossy(&text).into_owned(),
        Ok(Value::VerbatimString { text, .. }) => text,
        Ok(_) => String::new(),
        Err(StoreError::Denied { .. }) => {
            ask(route, holder, &redis::cmd("PING")).await?;
            return Ok(vec![Finding {
                severity: Severity::Warning,
                subject: "version",
                found: format!("{} answers, but this user may not ask INFO", route.name()),
                advice: "allow INFO, or check persistence and the eviction policy by hand".to_owned(),
            }]);
        }
        Err(error) => return Err(error),
    };
    let fsync = setting(route, holder, "appendfsync").await;
    Ok(findings(&Info(&info), fsync.as_deref(), &route.safety()))
}

async fn ask(route: &Route, holder: Option<&Arc<Link>>, command: &Cmd) -> Result<Value> {
    match holder {
        Some(holder) => route.call_at(holder, command).await,
        None => route.call(Kind::Read, command).await,
    }
}

/// One setting; `None` where `CONFIG` is not allowed, as on most managed services.
async fn setting(route: &Route, holder: Option<&Arc<Link>>, name: &str) -> Option<String> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(name);
    match ask(route, holder, &command).await.ok()? {
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

fn findings(info: &Info<'_>, fsync: Option<&str>, safety: &Safety) -> Vec<Finding> {
    let mut all = vec![version(info), mode(info), persistence(info, fsync), eviction(info), role(info)];
    all.extend(replicas(info, safety));
    all
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
        Some("cluster") => finding(Severity::Fine, "mode", "a cluster, which is followed".to_owned(), ""),
        Some("sentinel") => finding(
            Severity::Failure,
            "mode",
            "a Sentinel, not a server".to_owned(),
            "give redis+sentinel://…/ and the name of the primary that it watches",
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

/// Whether replicas have what is said, where servers take over from each other or replicas are waited for.
fn replicas(info: &Info<'_>, safety: &Safety) -> Option<Finding> {
    const SUBJECT: &str = "replicas";
    let connected: u32 = info.get("connected_slaves")?.parse().ok()?;
    let wanted = safety.acknowledged_by;
    if connected < wanted {
        return Some(finding(
            Severity::Failure,
            SUBJECT,
            format!("{connected} connected, and every write waits for {wanted}"),
            "start replicas, or set `acknowledge` lower; until then every write is answered with an error",
        ));
    }
    let fails_over = safety.fails_over || connected > 0;
    match (connected, wanted) {
        (_, 1..) => {
            Some(finding(Severity::Fine, SUBJECT, format!("{connected}; writes wait for {wanted}"), ""))
        }
        (0, 0) if fails_over => Some(finding(
            Severity::Warning,
            SUBJECT,
            "none".to_owned(),
            "nobody can take over from it: add replicas",
        )),
        (_, 0) if fails_over => Some(finding(
            Severity::Warning,
            SUBJECT,
            format!("{connected}, which writes do not wait for"),
            "a failover can lose the newest messages: set `acknowledge = replicas:1`",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(info: &str, fsync: Option<&str>, subject: &str, severity: Severity) {
        let found = findings(&Info(info), fsync, &Safety::default());
        let finding = found.iter().find(|finding| finding.subject == subject).unwrap();
        assert_eq!(finding.severity, severity, "{info}: {finding:?}");
    }

    #[test]
    fn says_what_could_lose_data() {
        check("redis_version:7.0.15\r\n", None, "version", Severity::Fine);
        check("redis_version:6.0.16\r\n", None, "version", Severity::Failure);
        check("redis_version:7.2.4\r\nvalkey_version:9.0.1\r\n", None, "version", Severity::Fine);
        check("redis_mode:cluster\r\n", None, "mode", Severity::Fine);
        check("redis_mode:sentinel\r\n", None, "mode", Severity::Failure);
        check("aof_enabled:1\r\n", Some("always"), "persistence", Severity::Fine);
        check("aof_enabled:0\r\nrdb_last_save_time:5\r\n", None, "persistence", Severity::Warning);
        check("maxmemory:0\r\nmaxmemory_policy:noeviction\r\n", None, "eviction", Severity::Fine);
        check("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", None, "eviction", Severity::Warning);
        check("maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n", None, "eviction", Severity::Warning);
        check("role:slave\r\n", None, "role", Severity::Failure);
    }

    #[test]
    fn says_whether_replicas_have_what_is_said() {
        let check = |connected: u32, acknowledged_by, fails_over, expected: Option<Severity>| {
            let safety = Safety { acknowledged_by, fails_over, ..Safety::default() };
            let info = format!("connected_slaves:{connected}\r\n");
            let found = replicas(&Info(&info), &safety);
            assert_eq!(found.map(|finding| finding.severity), expected, "{connected} {acknowledged_by}");
        };
        check(0, 0, false, None);
        check(0, 0, true, Some(Severity::Warning));
        check(1, 0, true, Some(Severity::Warning));
        check(1, 1, true, Some(Severity::Fine));
        check(1, 2, true, Some(Severity::Failure));
    }
}
