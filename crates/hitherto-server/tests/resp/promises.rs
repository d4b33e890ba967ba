//! What the door owes a client on a bad day: what is acknowledged is stored and what is stored is acknowledged, positions
//! are of the elements that they say, and a key is of the session that it is listed for. On every store.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use hitherto::{AppendOptions, Change, ChatMemory, Message, SessionId, Ttl, TtlChange};
use hitherto_server::{KeyspaceOptions, RespOptions};
use hitherto_testkit::{Client, RedisServer, Reply, ServerKind};

use crate::listening::{Listening, call};

/// Runs a test on an embedded file and on Redis.
fn everywhere(test: impl Fn(ChatMemory, &str)) {
    let folder = tempfile::tempdir().unwrap();
    test(ChatMemory::embedded(folder.path().join("h.db")).unwrap(), "embedded");
    let redis = RedisServer::start(ServerKind::Redis7);
    test(ChatMemory::redis(&redis.url()).unwrap(), "redis");
}

fn session(id: &str) -> SessionId {
    SessionId::parse(id).unwrap()
}

/// The bytes of commands.
fn wire(commands: &[Vec<&str>]) -> Vec<u8> {
    let mut out = String::new();
    for words in commands {
        out.push_str(&format!("*{}\r\n", words.len()));
        for word in words {
            out.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
    }
    out.into_bytes()
}

/// Sends commands on a connection that is reset before their replies are read.
fn torn(door: &Listening, other: &mut Client, commands: &[Vec<&str>], length: i64) {
    let clients = |other: &mut Client| call(other, "INFO clients").text();
    let before = clients(other);
    let mut torn = TcpStream::connect(door.address).unwrap();
    torn.write_all(&wire(commands)).unwrap();
    while call(other, "LLEN agents:session:s:messages").integer() < length {
        thread::yield_now();
    }
    torn.peek(&mut [0]).unwrap();
    // The last reply is on its way: all that comes with it is there, too.
    thread::sleep(Duration::from_millis(50));
    drop(torn);
    while clients(other) != before {
        thread::yield_now();
    }
}

/// A session whose id looks like another client's key is listed under a key that leads to it, and to no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_listed_key_is_of_the_session_that_it_is_listed_for() {
    let folder = tempfile::tempdir().unwrap();
    let memory = ChatMemory::embedded(folder.path().join("h.db")).unwrap();
    let odd = ["x", "message_store:x", "agents:session:x:messages", "{x}", "*", "a\0b", ":"];
    for id in odd {
        memory.append(&session(id), vec![Message::user(id)], &AppendOptions::default()).await.unwrap();
    }
    let door = Listening::to(memory.clone());
    let mut client = door.client();
    let keys = call(&mut client, "KEYS *").texts();
    assert_eq!(keys.len(), odd.len(), "{keys:?}");
    for key in &keys {
        assert_eq!(client.command(&["LLEN", key]).unwrap(), Reply::Integer(1), "{key}");
    }
    // Whoever deletes what is listed deletes each session once, and all of them.
    for key in &keys {
        assert_eq!(client.command(&["DEL", key]).unwrap(), Reply::Integer(1), "{key}");
    }
    assert_eq!(call(&mut client, "DBSIZE"), Reply::Integer(0));
    // A pattern that no key could be as long as is refused, not worked on.
    let long = [b"KEYS".to_vec(), [vec![b'a'; 1 << 20], vec![0xff], vec![b'a'; 1 << 20]].concat()];
    assert!(matches!(client.command(&long).unwrap(), Reply::Error(why) if why.contains("pattern")));
}
