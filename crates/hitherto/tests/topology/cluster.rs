//! A cluster whose nodes die, take over from each other, come and go: what was acknowledged is there, once, in order.

use std::sync::Arc;
use std::time::Duration;

use hitherto::store::redis::foreign::ForeignReader;
use hitherto::{SessionQuery, Severity};
use hitherto_testkit::{Certificates, Cluster, ClusterSettings, RedisSettings, ServerKind, slot_of};

use super::writer::{
    Writer, append, append_at_last, append_once, beside, log, memory, options, session, texts,
};

const KIND: ServerKind = ServerKind::Redis7;

fn all_sessions() -> SessionQuery {
    SessionQuery { limit: 100, ..SessionQuery::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed_is_followed_by_its_replica() {
    let settings = ClusterSettings::new(RedisSettings::new(KIND), 3, 1).node_timeout(Duration::from_secs(1));
    let cluster = Arc::new(beside(|| settings.start()).await);
    let mut options = options(&cluster.url());
    options.acknowledge_replicas = 1;
    let memory = memory(options);
    append_once(&memory, "s", "before").await.unwrap();
    memory.clear(&session("s")).await.unwrap();
    let writer = Writer::start(&memory, "s");
    let acting = Arc::clone(&cluster);
    beside(move || {
        let primary = acting.primary_of(&log("s"));
        acting.kill(primary);
        acting.await_ok();
        // Whoever waits for a replica gets nothing acknowledged without one.
        acting.restart(primary);
    })
    .await;
    append_at_last(&memory, "other", "hi").await;
    writer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_over_gracefully_costs_nobody_an_error() {
    let cluster = Arc::new(beside(|| Cluster::start(KIND, 3, 1)).await);
    let memory = memory(options(&cluster.url()));
    append_once(&memory, "s", "0").await.unwrap();
    memory.clear(&session("s")).await.unwrap();
    let writer = Writer::start(&memory, "s");
    let acting = Arc::clone(&cluster);
    beside(move || {
        let [replica] = acting.replicas_of(acting.primary_of(&log("s")))[..] else { panic!("one replica") };
        acting.fail_over(replica);
    })
    .await;
    let written = writer.stop().await;
    assert!(written.errors.is_empty(), "{:?}", written.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_and_go() {
    let cluster = Arc::new(beside(|| Cluster::start(KIND, 3, 0)).await);
    let memory = memory(options(&cluster.url()));
    append(&memory, "before", "hi").await.unwrap();
    let writer = Writer::start(&memory, "s");
    let acting = Arc::clone(&cluster);
    beside(move || {
        let gone = acting.primary_of(&log("s"));
        let new = acting.add_node();
        acting.move_slots(&[slot_of(&log("s"))], gone, new);
        acting.remove_node(gone);
    })
    .await;
    let written = writer.stop().await;
    assert!(written.errors.is_empty(), "{:?}", written.errors);
    assert_eq!(texts(&memory, "before").await, ["hi"]);
}

/// What one node has is served while another is down and has no replica; the list of sessions is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_down_takes_only_its_own_sessions_along() {
    let server = RedisSettings::new(KIND).directive("cluster-require-full-coverage", "no");
    let cluster = beside(|| ClusterSettings::new(server, 3, 0).start()).await;
    let memory = memory(options(&cluster.url()));
    let names: Vec<String> = (0..30).map(|number| format!("s{number}")).collect();
    for name in &names {
        append(&memory, name, "hi").await.unwrap();
    }
    let down = cluster.primary_of(&log("s0"));
    let (lost, kept): (Vec<_>, Vec<_>) =
        names.iter().partition(|name| cluster.primary_of(&log(name)) == down);
    cluster.kill(down);
    memory.ping().await.unwrap();
    for name in kept {
        append(&memory, name, "again").await.unwrap();
        assert_eq!(texts(&memory, name).await, ["hi", "again"]);
    }
    let error = append(&memory, lost[0], "again").await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    let error = memory.sessions(&all_sessions()).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    let findings = memory.inspect().await.unwrap();
    assert!(
        findings.iter().any(|finding| finding.subject == "node" && finding.severity == Severity::Failure)
    );
}

/// A copy on its way is seen by nobody, and whoever breaks it off leaves nothing for long.
#[tokio::test(flavor = "multi_thread")]
async fn a_fork_that_is_broken_off_leaves_nothing() {
    let cluster = beside(|| Cluster::start(KIND, 3, 0)).await;
    let memory = memory(options(&cluster.url()));
    let long = "x".repeat(20_000);
    for number in 0..200 {
        append(&memory, "s", &format!("{number} {long}")).await.unwrap();
    }
    let mut whole = 0;
    for step in 0..20_u64 {
        let name = format!("fork {step}");
        let to = session(&name);
        let from = session("s");
        let fork = tokio::time::timeout(Duration::from_millis(step * 3), memory.fork(&from, &to, None)).await;
        match memory.describe(&to).await.unwrap() {
            Some(found) => {
                assert_eq!((found.messages, found.last_seq), (200, 200));
                whole += 1;
            }
            None => assert!(!matches!(fork, Ok(Ok(_))), "a fork that was done is there"),
        }
    }
    memory.fork(&session("s"), &session("last"), Some(7)).await.unwrap();
    assert_eq!(texts(&memory, "last").await.len(), 7);
    assert!(whole < 20, "none was broken off");
    for node in cluster.primaries() {
        for key in node.command(&["KEYS", "*:fork:*"]).texts() {
            let left = node.command(&["PTTL", &key]).integer();
            // -2: it has been removed meanwhile.
            assert!(left == -2 || (1..=60_000).contains(&left), "{key} lives {left} ms");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_programs_keys_are_found_on_every_node() {
    let cluster = beside(|| Cluster::start(KIND, 3, 0)).await;
    let mut expected: Vec<String> = (0..2000).map(|number| format!("chat:{number}")).collect();
    for node in 0..3 {
        let (slots, mut client) = (cluster.slots_of(node), cluster.node(node).connect());
        for key in expected.iter().filter(|key| slots.contains(&slot_of(key))) {
            client.command(&["SET", key, "v"]).unwrap();
        }
    }
    let reader = ForeignReader::new(&options(&cluster.url())).unwrap();
    let (mut cursor, mut found) = (0, Vec::new());
    loop {
        let (next, keys) = reader.scan(cursor, b"chat:*").await.unwrap();
        found.extend(keys);
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    assert!(reader.texts(&found).await.unwrap().iter().all(|text| text.as_deref() == Some(b"v")));
    let mut found: Vec<String> = found.iter().map(|key| String::from_utf8(key.to_vec()).unwrap()).collect();
    found.sort();
    found.dedup();
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_behind_tls_with_a_user_is_followed() {
    let certificates = Certificates::for_nodes();
    let server = RedisSettings::new(KIND)
        .tls(&certificates)
        .user("zoe", "p@ss")
        .directive("tls-cluster", "yes")
        .directive("tls-replication", "yes");
    let cluster = beside(|| ClusterSettings::new(server, 2, 0).start()).await;
    let mut options = options(&cluster.tls_url());
    options.ca = Some(certificates.ca());
    let memory = memory(options);
    for number in 0..20 {
        append(&memory, &number.to_string(), "hi").await.unwrap();
        memory.fork(&session(&number.to_string()), &session(&format!("to {number}")), None).await.unwrap();
    }
    assert_eq!(memory.sessions(&all_sessions()).await.unwrap().sessions.len(), 40);
}
