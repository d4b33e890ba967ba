//! A server does what a test is told that it does, on every kind that there is.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use hitherto_testkit::{Client, RedisServer, RedisSettings, Reply, ServerKind, available};

fn ok() -> Reply {
    Reply::Status("OK".into())
}

#[test]
fn a_server_of_every_kind_starts_empty_and_is_what_it_says() {
    for kind in available() {
        let server = RedisServer::start(kind);
        assert_eq!(server.command(&["DBSIZE"]).integer(), 0);
        let info = server.command(&["INFO", "server"]).text();
        let version = match kind {
            ServerKind::Redis7 => "redis_version:",
            ServerKind::Redis8 => "redis_version:8.",
            _ => "valkey_version:9.",
        };
        assert!(info.lines().any(|line| line.starts_with(version)), "{}: {info}", kind.name());
        assert!(info.contains(&format!("process_id:{}", server.pid())));
    }
}

#[test]
fn servers_that_run_at_once_share_nothing() {
    let servers: Vec<_> = (0..5).map(|_| RedisServer::start(ServerKind::Redis7)).collect();
    for (i, server) in servers.iter().enumerate() {
        assert_eq!(server.command(&["SET", "me", &i.to_string()]), ok());
    }
    for (i, server) in servers.iter().enumerate() {
        assert_eq!(server.command(&["GET", "me"]).text(), i.to_string());
    }
}

#[test]
fn a_server_is_gone_when_it_is_dropped() {
    let server = RedisServer::start(ServerKind::Redis7);
    let (addr, folder) = (server.addr(), server.folder().to_owned());
    drop(server);
    // Nobody listens there any more, and nothing is left on the disk.
    TcpListener::bind(addr).expect("a port that is free again");
    assert!(!folder.exists());
}

#[test]
fn a_password_is_asked_for() {
    for kind in available() {
        let server = RedisSettings::new(kind).password("pass/word").start();
        let mut stranger = Client::connect(server.addr()).unwrap();
        assert_refused(&stranger.command(&["GET", "x"]).unwrap(), "NOAUTH");
        assert_refused(&stranger.command(&["AUTH", "wrong"]).unwrap(), "WRONGPASS");
        assert_eq!(server.command(&["PING"]).text(), "PONG");
        assert_eq!(server.url(), format!("redis://:pass%2Fword@127.0.0.1:{}", server.port()));
    }
}

#[test]
fn an_acl_user_may_do_everything_and_nobody_else_anything() {
    for kind in available() {
        let server = RedisSettings::new(kind).user("alice", "secret").start();
        let mut stranger = Client::connect(server.addr()).unwrap();
        assert_refused(&stranger.command(&["PING"]).unwrap(), "NOAUTH");
        assert_refused(&stranger.command(&["AUTH", "secret"]).unwrap(), "WRONGPASS");
        assert_eq!(server.command(&["ACL", "WHOAMI"]).text(), "alice");
        assert_eq!(server.command(&["FLUSHALL"]), ok());
        assert_eq!(server.url(), format!("redis://alice:secret@127.0.0.1:{}", server.port()));
    }
}

#[test]
fn a_unix_socket_answers() {
    let server = RedisSettings::new(ServerKind::Redis7).unix_socket().start();
    let mut stream = UnixStream::connect(server.unix_socket()).unwrap();
    std::io::Write::write_all(&mut stream, b"PING\r\n").unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn a_directive_reaches_the_server() {
    let server = RedisSettings::new(ServerKind::Redis7).directive("maxmemory", "7mb").start();
    assert_eq!(server.command(&["CONFIG", "GET", "maxmemory"]).texts(), ["maxmemory", "7340032"]);
}

#[test]
#[should_panic(expected = "Bad directive or wrong number of arguments")]
fn a_server_that_does_not_start_fails_the_test_with_its_log() {
    RedisSettings::new(ServerKind::Redis7).directive("no-such-directive", "1").start();
}

/// Killed like by a power cut right after an acknowledged write: with an append-only file the write is there
/// again, without one it is not.
#[test]
fn a_restart_keeps_what_was_written_only_with_an_append_only_file() {
    for kind in available() {
        for (settings, kept) in [(RedisSettings::new(kind).append_only(), 1), (RedisSettings::new(kind), 0)] {
            let server = settings.start();
            let (addr, pid) = (server.addr(), server.pid());
            assert_eq!(server.command(&["SET", "x", "1"]), ok());
            server.kill();
            assert!(Client::connect(addr).is_err(), "a killed server accepts connections");
            server.restart();
            assert_eq!(server.addr(), addr);
            assert_ne!(server.pid(), pid);
            assert_eq!(server.command(&["EXISTS", "x"]).integer(), kept, "{}", kind.name());
        }
    }
}

#[test]
fn a_restart_of_a_running_server_is_a_crash_too() {
    let server = RedisServer::start(ServerKind::Redis7);
    let mut link = server.connect();
    assert_eq!(link.command(&["PING"]).unwrap().text(), "PONG");
    server.restart();
    assert!(link.command(&["PING"]).is_err());
    server.kill();
    server.kill();
}

#[test]
fn a_paused_server_accepts_and_does_not_answer_until_it_is_resumed() {
    let server = RedisServer::start(ServerKind::Redis7);
    let mut link = server.connect();
    server.pause();
    let mut late = Client::connect(server.addr()).expect("the kernel accepts for it");
    late.send(&["INCR", "n"]).unwrap();
    link.send(&["INCR", "n"]).unwrap();
    assert_eq!(late.receive_within(Duration::from_millis(50)).unwrap(), None);
    server.resume();
    link.receive().unwrap().integer();
    late.receive().unwrap().integer();
    assert_eq!(server.command(&["GET", "n"]).text(), "2");
}

#[test]
fn a_paused_server_can_be_killed_and_restarted() {
    let server = RedisServer::start(ServerKind::Redis7);
    server.pause();
    server.restart();
    assert_eq!(server.command(&["PING"]).text(), "PONG");
}

#[test]
fn advance_brings_every_expiry_nearer_and_leaves_the_rest() {
    for kind in available() {
        let server = RedisServer::start(kind);
        server.command(&["SET", "kept", "1"]);
        server.command(&["SET", "due", "1", "EX", "60"]);
        server.command(&["RPUSH", "later", "1"]);
        server.command(&["PEXPIRE", "later", "90000"]);
        server.advance(Duration::from_secs(60));
        let mut keys = server.command(&["KEYS", "*"]).texts();
        keys.sort();
        assert_eq!(keys, ["kept", "later"]);
        let left = server.command(&["PTTL", "later"]).integer();
        assert!((1..=30_000).contains(&left), "{left} ms are left of 30 s");
        assert_eq!(server.command(&["TTL", "kept"]).integer(), -1);
        server.advance(Duration::from_secs(30));
        assert_eq!(server.command(&["KEYS", "*"]).texts(), ["kept"]);
    }
}

fn assert_refused(reply: &Reply, code: &str) {
    assert!(matches!(reply, Reply::Error(text) if text.starts_with(code)), "expected {code}, got {reply:?}");
}
