//! Managed services' habits: users that may do little, connections that are closed for their silence, TLS and nothing
//! else.

use std::time::Duration;

use hitherto::{Severity, Window};
use hitherto_testkit::suite::{Subject, together};
use hitherto_testkit::{Certificates, RedisServer, RedisSettings, Reply, ServerKind};

use super::suite::{Servers, Still, maker};
use super::writer::{append, append_once, memory, options, session};

/// The ACL rule of that name on the page.
fn rule(name: &str) -> Vec<String> {
    let page = include_str!("../../../../docs/redis.md");
    let (_, rest) =
        page.split_once(&format!("ACL SETUSER {name} ")).unwrap_or_else(|| panic!("no rule for {name}"));
    let rule = rest.split("```").next().unwrap().replace("\\\n", " ");
    rule.split_whitespace().map(str::to_owned).collect()
}

/// Makes a user that has what the page says, and nothing else.
fn restrict(server: &RedisServer, name: &str) {
    let rule = rule(name);
    let command: Vec<&str> =
        ["ACL", "SETUSER", name].into_iter().chain(rule.iter().map(String::as_str)).collect();
    assert_eq!(server.command(&command), Reply::Status("OK".to_owned()), "{command:?}");
}

struct Restricted(RedisServer);

impl Servers for Restricted {
    fn url(&self) -> String {
        self.0.url().replace("redis://", "redis://hitherto:SECRET@")
    }

    fn all(&self) -> Vec<&RedisServer> {
        vec![&self.0]
    }

    fn of(&self, _key: &str) -> &RedisServer {
        &self.0
    }
}

fn runs_the_suite(kind: ServerKind) {
    if hitherto_testkit::available().contains(&kind) {
        let makers = (0..2).map(|_| {
            let server = RedisServer::start(kind);
            restrict(&server, "hitherto");
            maker(std::sync::Arc::new(Restricted(server)), 0)
        });
        let makers: Vec<Box<dyn Fn() -> Subject + Send>> = makers.collect();
        together(makers);
    }
}

#[test]
fn a_user_that_has_what_the_page_says_is_enough_on_redis_7() {
    runs_the_suite(ServerKind::Redis7);
}

#[test]
fn a_user_that_has_what_the_page_says_is_enough_on_redis_8() {
    runs_the_suite(ServerKind::Redis8);
}

#[test]
fn a_user_that_has_what_the_page_says_is_enough_on_valkey_9() {
    runs_the_suite(ServerKind::Valkey9);
}

#[test]
fn a_user_that_has_what_the_page_says_is_enough_in_a_cluster() {
    let mut cluster = Still::start(ServerKind::Redis7, false);
    cluster.all().into_iter().for_each(|node| restrict(node, "hitherto"));
    cluster.url = cluster.url.replace("redis-cluster://", "redis-cluster://hitherto:SECRET@");
    together(vec![maker(std::sync::Arc::new(cluster), 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_may_do_nothing_that_the_page_does_not_say() {
    let server = RedisServer::start(ServerKind::Redis7);
    restrict(&server, "hitherto");
    let mut client = server.connect();
    client.command(&["AUTH", "hitherto", "SECRET"]).unwrap();
    for denied in [
        &["SCRIPT", "LOAD", "return 1"][..],
        &["CONFIG", "GET", "save"],
        &["INFO"],
        &["KEYS", "*"],
        &["GET", "hitherto:x"],
        &["HGET", "somebody:else", "x"],
        &["FLUSHALL"],
    ] {
        let answer = client.command(denied).unwrap();
        assert!(
            matches!(&answer, Reply::Error(text) if text.starts_with("NOPERM")),
            "{denied:?}: {answer:?}"
        );
    }
    // Doctor says what it could not look at.
    let memory = memory(options(&server.url().replace("redis://", "redis://hitherto:SECRET@")));
    let findings = memory.inspect().await.unwrap();
    assert!(findings.iter().all(|finding| finding.severity != Severity::Failure), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.found.contains("may not ask INFO")), "{findings:?}");
}

/// `timeout 1` closes what has been silent for two seconds; nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_closed_for_their_silence_are_nobodys_concern() {
    let server = RedisSettings::new(ServerKind::Redis7).directive("timeout", "1").start();
    let memory = memory(options(&server.url()));
    for round in 0..3 {
        assert_eq!(append(&memory, "s", "hi").await.unwrap(), round + 1);
        let page = memory.window(&session("s"), Window::Turns(1)).await.unwrap();
        assert_eq!(page.messages.len(), 1);
        let closed = || {
            // The list is asked for by a connection that is on it.
            server.command(&["CLIENT", "LIST"]).text().lines().count() == 1
        };
        let waiting = tokio::time::timeout(Duration::from_secs(20), async {
            while !closed() {
                tokio::task::yield_now().await;
            }
        });
        waiting.await.expect("the server closes what is silent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_tls_and_nothing_else_is_enough() {
    let certificates = Certificates::new();
    let server = RedisSettings::new(ServerKind::Redis7).tls(&certificates).user("zoe", "secret").start();
    let mut options = options(&server.tls_url());
    options.ca = Some(certificates.ca());
    let memory = memory(options);
    assert_eq!(append_once(&memory, "s", "hi").await.unwrap(), (1, false));
    let findings = memory.inspect().await.unwrap();
    let fine = |subject| findings.iter().any(|one| one.subject == subject && one.severity == Severity::Fine);
    assert!(fine("encryption") && fine("access"), "{findings:?}");
    // Without the authority nobody is believed.
    let stranger = super::writer::memory(super::writer::options(&server.tls_url()));
    assert!(append(&stranger, "s", "hi").await.is_err());
}
