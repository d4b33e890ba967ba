//! A cluster and Sentinels do what a test is told that they do.

use hitherto_testkit::{Client, Cluster, RedisSettings, Reply, Sentinels, ServerKind, slot_of};

const KIND: ServerKind = ServerKind::Redis7;

fn refusal(reply: &Reply) -> &str {
    match reply {
        Reply::Error(text) => text.split(' ').next().unwrap(),
        other => panic!("expected an error, got {other:?}"),
    }
}

#[test]
fn keys_have_the_slots_that_a_server_says() {
    let cluster = Cluster::start(KIND, 1, 0);
    for key in
        ["", "foo", "hello", "{foo}bar", "a{}b", "{", "}{", "a{b{c}d}", "hitherto:{7:default:1:}:2:s}:log"]
    {
        let slot = cluster.node(0).command(&["CLUSTER", "KEYSLOT", key]).integer();
        assert_eq!(i64::from(slot_of(key)), slot, "{key}");
    }
}

#[test]
fn a_slot_moves_with_its_keys_and_answers_as_it_does() {
    let cluster = Cluster::start(KIND, 3, 0);
    let slot = slot_of("{x}");
    let from = cluster.primary_of("{x}1");
    let to = (from + 1) % 3;
    for key in ["{x}1", "{x}2"] {
        assert_eq!(cluster.node(from).command(&["SET", key, "v"]).text(), "OK");
    }
    assert_eq!(refusal(&cluster.node(to).command(&["GET", "{x}1"])), "MOVED");

    let moving = cluster.begin_move(slot, to);
    moving.migrate("{x}1");
    assert_eq!(refusal(&cluster.node(from).command(&["GET", "{x}1"])), "ASK");
    assert_eq!(refusal(&cluster.node(from).command(&["MGET", "{x}1", "{x}2"])), "TRYAGAIN");
    moving.finish();
    assert_eq!(cluster.primary_of("{x}1"), to);
    assert_eq!(cluster.node(to).command(&["MGET", "{x}1", "{x}2"]).texts(), ["v", "v"]);
    assert_eq!(refusal(&cluster.node(from).command(&["GET", "{x}1"])), "MOVED");
}

#[test]
fn a_replica_takes_over_when_its_primary_is_killed_or_asked() {
    let cluster = Cluster::start(KIND, 3, 1);
    let primary = cluster.primary_of("x");
    let [replica] = cluster.replicas_of(primary)[..] else { panic!("one replica each") };
    cluster.kill(primary);
    cluster.await_ok();
    assert_eq!(cluster.primary_of("x"), replica);
    cluster.restart(primary);
    assert_eq!(cluster.replicas_of(replica), [primary]);
    cluster.fail_over(primary);
    assert_eq!(cluster.primary_of("x"), primary);
}

#[test]
fn a_node_comes_and_another_goes() {
    let cluster = Cluster::start(KIND, 3, 0);
    let gone = cluster.primary_of("x");
    cluster.node(gone).command(&["SET", "x", "v"]);
    let new = cluster.add_node();
    cluster.remove_node(gone);
    assert_eq!(cluster.primaries().len(), 3);
    let now = cluster.primary_of("x");
    assert_ne!(now, gone);
    assert_eq!(cluster.node(now).command(&["GET", "x"]).text(), "v");
    assert!(cluster.primaries().iter().any(|node| node.port() == cluster.node(new).port()));
}

#[test]
fn a_cluster_asks_for_its_password() {
    let cluster =
        hitherto_testkit::ClusterSettings::new(RedisSettings::new(KIND).user("zoe", "secret"), 1, 1).start();
    assert!(cluster.url().starts_with("redis-cluster://zoe:secret@127.0.0.1:"), "{}", cluster.url());
}

#[test]
fn sentinels_make_another_server_the_primary() {
    let all = Sentinels::start(KIND, 2);
    assert_eq!(all.primary(), 0);
    let mut first = Client::connect(all.servers()[0].addr()).unwrap();
    assert_eq!(first.command(&["SET", "x", "v"]).unwrap().text(), "OK");
    // A primary that is replaced takes along what the replica does not have that is chosen.
    assert_eq!(first.command(&["WAIT", "2", "0"]).unwrap().integer(), 2);
    let second = all.fail_over();
    assert_ne!(second, 0);
    assert_eq!(all.servers()[second].command(&["GET", "x"]).text(), "v");
    assert_eq!(refusal(&all.servers()[0].command(&["SET", "x", "w"])), "READONLY");

    let killed = all.kill_primary();
    let third = all.await_another(killed);
    assert_ne!(third, killed);
    all.restart(killed);
    assert_eq!(refusal(&all.servers()[killed].command(&["SET", "x", "w"])), "READONLY");
}

#[test]
fn sentinels_and_servers_ask_for_different_passwords() {
    let server = RedisSettings::new(KIND).user("zoe", "server");
    let sentinel = RedisSettings::new(KIND).password("sentinel");
    let all = Sentinels::start_with(&server, &sentinel, 1);
    assert!(all.url().starts_with("redis+sentinel://zoe:server@"), "{}", all.url());
    assert_eq!(all.fail_over(), 1);
}
