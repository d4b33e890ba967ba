//! The proxy makes the fault that it is asked for, and no other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hitherto_testkit::{Break, Client, FaultProxy, Mode, RedisServer, Reply, ServerKind};

struct Setup {
    server: RedisServer,
    proxy: FaultProxy,
}

fn setup() -> Setup {
    let server = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(server.addr());
    Setup { server, proxy }
}

fn connect(addr: SocketAddr) -> Client {
    Client::connect(addr).unwrap()
}

/// What the server holds, past the proxy.
fn stored(server: &RedisServer, key: &str) -> Reply {
    server.command(&["GET", key])
}

#[test]
fn everything_passes_and_is_counted() {
    let Setup { proxy, server: _server } = setup();
    let mut link = connect(proxy.addr());
    assert_eq!(link.command(&["SET", "x", "1"]).unwrap().text(), "OK");
    assert_eq!(link.command(&["GET", "x"]).unwrap().text(), "1");
    let stats = proxy.stats();
    assert_eq!((stats.connections, stats.open, stats.round_trips, stats.cuts), (1, 1, 2, 0));
    assert_eq!(stats.bytes_up, (27 + 20) as u64);
    assert_eq!(stats.bytes_down, "+OK\r\n$1\r\n1\r\n".len() as u64);
}

#[test]
fn a_call_is_one_round_trip_however_large_its_request() {
    let Setup { proxy, server: _server } = setup();
    let mut link = connect(proxy.addr());
    let mut words = vec!["MGET"];
    words.extend(vec!["no such key"; 20_000]);
    link.command(&words).unwrap();
    assert_eq!(proxy.stats().round_trips, 1);
    link.command(&["PING"]).unwrap();
    link.command(&["PING"]).unwrap();
    assert_eq!(proxy.stats().round_trips, 3);
}

/// The server is paused while the pipeline is sent, so that no reply can come between its requests.
#[tokio::test]
async fn a_pipeline_is_one_round_trip() {
    let Setup { proxy, server } = setup();
    let mut link = connect(proxy.addr());
    link.command(&["PING"]).unwrap();
    let before = proxy.stats();
    server.pause();
    for _ in 0..10 {
        link.send(&["PING"]).unwrap();
    }
    proxy.until(|stats| stats.bytes_up == before.bytes_up + 10 * 14).await;
    server.resume();
    for _ in 0..10 {
        link.receive().unwrap();
    }
    assert_eq!(proxy.stats().round_trips, before.round_trips + 1);
}

#[test]
fn large_requests_and_replies_come_through_whole() {
    let Setup { proxy, server: _server } = setup();
    let large: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut link = connect(proxy.addr());
    assert_eq!(link.command(&[b"SET".as_slice(), b"x", &large]).unwrap().text(), "OK");
    assert_eq!(link.command(&["GET", "x"]).unwrap(), Reply::Bulk(large));
}

#[tokio::test]
async fn refuse_closes_new_connections_and_leaves_the_others() {
    let Setup { proxy, server: _server } = setup();
    let mut old = connect(proxy.addr());
    old.command(&["PING"]).unwrap();
    proxy.set(Mode::Refuse);
    assert!(connect(proxy.addr()).command(&["PING"]).is_err());
    assert_eq!(old.command(&["PING"]).unwrap().text(), "PONG");
    proxy.set(Mode::Pass);
    assert_eq!(connect(proxy.addr()).command(&["PING"]).unwrap().text(), "PONG");
}

#[tokio::test]
async fn silent_swallows_requests_for_good() {
    let Setup { server, proxy } = setup();
    let mut old = connect(proxy.addr());
    old.command(&["PING"]).unwrap();
    proxy.set(Mode::Silent);
    let mut new = connect(proxy.addr());
    let before = proxy.stats().bytes_up;
    old.send(&["SET", "old", "1"]).unwrap();
    new.send(&["SET", "new", "1"]).unwrap();
    proxy.until(|stats| stats.bytes_up == before + 2 * 29).await;
    proxy.set(Mode::Pass);
    // Neither the swallowed request nor a later one on the same link gets anywhere.
    for link in [&mut old, &mut new] {
        link.send(&["SET", "later", "1"]).unwrap();
        assert_eq!(link.receive_within(Duration::from_millis(50)).unwrap(), None);
    }
    for key in ["old", "new", "later"] {
        assert_eq!(stored(&server, key), Reply::Nil, "{key}");
    }
    assert_eq!(connect(proxy.addr()).command(&["PING"]).unwrap().text(), "PONG");
}

/// The server has the request already when the link goes silent: the reply is what gets lost.
#[tokio::test]
async fn silent_swallows_replies_too() {
    let Setup { server, proxy } = setup();
    let mut link = connect(proxy.addr());
    link.command(&["PING"]).unwrap();
    server.pause();
    let before = proxy.stats().bytes_up;
    link.send(&["SET", "x", "1"]).unwrap();
    proxy.until(|stats| stats.bytes_up > before).await;
    proxy.set(Mode::Silent);
    server.resume();
    assert_eq!(link.receive_within(Duration::from_millis(50)).unwrap(), None);
    assert_eq!(stored(&server, "x").text(), "1");
}

#[test]
fn delay_makes_every_round_trip_longer_but_not_twice_for_a_pipeline() {
    let Setup { proxy, server: _server } = setup();
    let delay = Duration::from_millis(60);
    let mut link = connect(proxy.addr());
    link.command(&["PING"]).unwrap();
    proxy.set(Mode::Delay(delay));
    let start = Instant::now();
    link.command(&["PING"]).unwrap();
    assert!(start.elapsed() >= delay);
    let start = Instant::now();
    for _ in 0..50 {
        link.send(&["PING"]).unwrap();
    }
    for _ in 0..50 {
        link.receive().unwrap();
    }
    assert!(start.elapsed() >= delay);
    assert!(start.elapsed() < delay * 25, "fifty requests waited one after the other: {:?}", start.elapsed());
    proxy.set(Mode::Pass);
}

#[test]
fn a_reply_that_is_cut_was_carried_out_and_the_next_one_comes() {
    let Setup { server, proxy } = setup();
    proxy.cut_before_reply(2);
    for n in 1..=2 {
        let cut = connect(proxy.addr()).command(&["INCR", "n"]);
        assert!(cut.is_err(), "a reply came through: {cut:?}");
        assert_eq!(stored(&server, "n").text(), n.to_string());
        assert_eq!(proxy.stats().cuts, n);
    }
    assert_eq!(proxy.mode(), Mode::Pass);
    assert_eq!(connect(proxy.addr()).command(&["INCR", "n"]).unwrap().integer(), 3);
}

#[test]
fn only_the_marked_request_is_cut() {
    let Setup { server, proxy } = setup();
    proxy.cut_before_reply_to(b"special", 1);
    let mut link = connect(proxy.addr());
    assert_eq!(link.command(&["SET", "plain", "1"]).unwrap().text(), "OK");
    assert!(link.command(&["SET", "special", "1"]).is_err());
    assert_eq!(stored(&server, "special").text(), "1");
    assert_eq!(connect(proxy.addr()).command(&["GET", "special"]).unwrap().text(), "1");
}

/// A pipeline whose first replies come back while the marked request is still under way: when the client sees the
/// cut, the marked request is done all the same.
#[test]
fn when_the_cut_shows_everything_sent_before_has_been_carried_out() {
    for _ in 0..20 {
        let Setup { server, proxy } = setup();
        proxy.cut_before_reply_to(b"special", 1);
        let mut link = connect(proxy.addr());
        for n in 0..200 {
            link.send(&["SET", "plain", &n.to_string()]).unwrap();
        }
        link.send(&["SET", "special", "1"]).unwrap();
        while link.receive().is_ok() {}
        assert_eq!(stored(&server, "special").text(), "1");
        assert_eq!(proxy.stats().cuts, 1);
    }
}

#[tokio::test]
async fn cut_all_ends_the_links_that_are_there() {
    let Setup { proxy, server: _server } = setup();
    let mut links: Vec<_> = (0..5).map(|_| connect(proxy.addr())).collect();
    for link in &mut links {
        link.command(&["PING"]).unwrap();
    }
    proxy.until(|stats| stats.open == 5).await;
    proxy.cut_all();
    proxy.until(|stats| stats.open == 0).await;
    for link in &mut links {
        assert!(link.command(&["PING"]).is_err());
    }
    assert_eq!(connect(proxy.addr()).command(&["PING"]).unwrap().text(), "PONG");
}

#[test]
fn a_link_to_a_server_that_is_down_ends() {
    let Setup { server, proxy } = setup();
    server.kill();
    assert!(connect(proxy.addr()).command(&["PING"]).is_err());
    server.restart();
    assert_eq!(connect(proxy.addr()).command(&["PING"]).unwrap().text(), "PONG");
}

#[test]
fn nobody_listens_where_a_dropped_proxy_was() {
    let Setup { proxy, server: _server } = setup();
    let mut link = connect(proxy.addr());
    link.command(&["PING"]).unwrap();
    let addr = proxy.addr();
    drop(proxy);
    assert!(link.command(&["PING"]).is_err());
    assert!(Client::connect(addr).is_err());
}

#[test]
fn a_request_that_is_cut_never_arrives() {
    let Setup { server, proxy } = setup();
    let mut link = connect(proxy.addr());
    link.command(&["INCR", "n"]).unwrap();
    proxy.break_links(Break::BeforeRequest, 1);
    assert!(link.command(&["INCR", "n"]).is_err());
    assert_eq!((stored(&server, "n").text().as_str(), proxy.stats().cuts), ("1", 1));
    assert_eq!(connect(proxy.addr()).command(&["INCR", "n"]).unwrap().integer(), 2);
}

#[test]
fn half_a_reply_comes_through_or_all_of_it_and_then_the_link_ends() {
    let Setup { server, proxy } = setup();
    server.command(&["SET", "x", "a text that is long enough for two halves"]);
    for (how, whole) in [(Break::DuringReply, false), (Break::AfterReply, true)] {
        let mut link = connect(proxy.addr());
        proxy.break_links(how, 1);
        let before = proxy.stats().bytes_down;
        assert_eq!(link.command(&["GET", "x"]).is_ok(), whole, "{how:?}");
        assert!(proxy.stats().bytes_down > before, "{how:?}");
        assert!(link.command(&["GET", "x"]).is_err(), "{how:?}");
    }
    assert_eq!(proxy.stats().cuts, 2);
}

/// The client hears nothing more, and what it says is still carried out.
#[tokio::test]
async fn a_link_can_be_open_upward_only() {
    let Setup { server, proxy } = setup();
    let mut link = connect(proxy.addr());
    link.command(&["PING"]).unwrap();
    proxy.break_links(Break::HalfClose, 1);
    assert!(link.command(&["INCR", "n"]).is_err());
    let before = proxy.stats();
    assert_eq!((before.open, before.cuts), (1, 1));
    link.send(&["INCR", "n"]).unwrap();
    proxy.until(|stats| stats.bytes_up > before.bytes_up).await;
    // It is on its way to the server, which tells nobody when it has it.
    let deadline = Instant::now() + Duration::from_secs(10);
    while stored(&server, "n").text() != "2" {
        assert!(Instant::now() < deadline, "the request never arrived");
    }
    drop(link);
    proxy.until(|stats| stats.open == 0).await;
}

#[test]
fn a_request_can_arrive_twice() {
    let Setup { server, proxy } = setup();
    let mut link = connect(proxy.addr());
    link.command(&["PING"]).unwrap();
    proxy.break_links(Break::Twice, 1);
    assert!(link.command(&["INCR", "n"]).is_err());
    assert_eq!(stored(&server, "n").text(), "2");
    assert_eq!(proxy.mode(), Mode::Pass);
    assert_eq!(connect(proxy.addr()).command(&["INCR", "n"]).unwrap().integer(), 3);
}
