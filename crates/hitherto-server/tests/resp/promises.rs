//! What the door owes a client on a bad day: what is acknowledged is stored and what is stored is acknowledged, positions
//! are of the elements that they say, and a key is of the session that it is listed for. On every store.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

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

/// Sends commands on a connection that is reset before their replies, which end so, are read.
fn torn(door: &Listening, other: &mut Client, commands: &[Vec<&str>], end: &str) {
    let clients = |other: &mut Client| call(other, "INFO clients").text();
    let before = clients(other);
    let mut torn = TcpStream::connect(door.address).unwrap();
    torn.write_all(&wire(commands)).unwrap();
    let (began, mut there) = (Instant::now(), [0; 1024]);
    loop {
        let count = torn.peek(&mut there).unwrap();
        if there[..count].ends_with(end.as_bytes()) {
            break;
        }
        let found = String::from_utf8_lossy(&there[..count]);
        assert!(began.elapsed() < Duration::from_secs(20), "{found}");
        thread::yield_now();
    }
    drop(torn);
    while clients(other) != before {
        thread::yield_now();
    }
}

/// What a write did is answered, however much was read beside it: a push that is stored and answered by an error is
/// sent again, and what was popped is nowhere else.
#[test]
fn what_a_transaction_wrote_is_answered_whatever_it_read() {
    everywhere(|memory, kind| {
        let mut keys = KeyspaceOptions::default();
        keys.reply_limit = 1_000;
        let door = Listening::with(memory, keys, RespOptions::default());
        let mut client = door.client();
        let long = "x".repeat(700);
        client.command(&["RPUSH", "chat_messages:s", &long]).unwrap();
        for line in ["MULTI", "LRANGE chat_messages:s 0 -1", "LRANGE chat_messages:s 0 -1"] {
            call(&mut client, line);
        }
        call(&mut client, "RPUSH chat_messages:s y");
        call(&mut client, "LPOP chat_messages:s");
        call(&mut client, "LLEN chat_messages:s");
        let Reply::Array(replies) = call(&mut client, "EXEC") else { panic!() };
        assert_eq!(replies[0].texts(), [long.as_str()], "{kind}");
        assert!(matches!(&replies[1], Reply::Error(why) if why.contains("ask for a part")), "{kind}");
        assert_eq!(replies[2], Reply::Integer(2), "{kind}");
        assert_eq!(replies[3].text(), long, "{kind}");
        assert_eq!(replies[4], Reply::Integer(1), "{kind}");
    });
}

/// A push that was stored, and deleted since, is not the push that comes now.
#[test]
fn a_push_is_no_repeat_of_one_that_is_gone() {
    everywhere(|memory, kind| {
        let door = Listening::to(memory);
        let mut other = door.client();
        let element = r#"{"role":"user","content":"yes"}"#;
        let push = vec!["RPUSH", "agents:session:s:messages", element];
        torn(&door, &mut other, std::slice::from_ref(&push), ":1\r\n");
        call(&mut other, "DEL agents:session:s:messages");
        assert_eq!(door.client().command(&push).unwrap(), Reply::Integer(1), "{kind}");
        assert_eq!(call(&mut other, "LLEN agents:session:s:messages"), Reply::Integer(1), "{kind}");
    });
}

/// The Agents SDK pushes in a transaction that sets the fields of its hash first, and its client sends the whole
/// transaction again.
#[test]
fn a_transaction_that_is_sent_again_after_a_reset_is_stored_once() {
    everywhere(|memory, kind| {
        let door = Listening::to(memory);
        let mut other = door.client();
        let element = r#"{"role":"user","content":"yes"}"#;
        let commands = [
            vec!["MULTI"],
            vec!["HSET", "agents:session:s", "session_id", "s"],
            vec!["RPUSH", "agents:session:s:messages", element],
            vec!["HSET", "agents:session:s", "updated_at", "1"],
            vec!["EXEC"],
        ];
        torn(&door, &mut other, &commands, "*3\r\n:1\r\n:1\r\n:1\r\n");
        let mut again = door.client();
        let mut last = Reply::Nil;
        for command in &commands {
            last = again.command(command).unwrap();
        }
        assert_eq!(
            last,
            Reply::Array(vec![Reply::Integer(0), Reply::Integer(1), Reply::Integer(0)]),
            "{kind}"
        );
        assert_eq!(call(&mut other, "LLEN agents:session:s:messages"), Reply::Integer(1), "{kind}");
    });
}

/// A session that is full holds as many messages as were pushed just now, and was not empty before.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_session_keeps_its_time_to_live() {
    let folder = tempfile::tempdir().unwrap();
    let redis = RedisServer::start(ServerKind::Redis7);
    for memory in
        [ChatMemory::embedded(folder.path().join("h.db")).unwrap(), ChatMemory::redis(&redis.url()).unwrap()]
    {
        let mut options = AppendOptions::default();
        options.ttl = TtlChange::Set(Ttl::from_secs(1_000).unwrap());
        options.max_messages = Change::Set(2);
        memory.append(&session("s"), vec![Message::user("one")], &options).await.unwrap();
        let door = Listening::to(memory);
        let mut client = door.client();
        for _ in 0..2 {
            let element = r#"{"role":"user","content":"hi"}"#;
            let pushed = client.command(&["RPUSH", "chat_messages:s", element, element]).unwrap();
            assert_eq!(pushed, Reply::Integer(2));
            let left = call(&mut client, "TTL chat_messages:s").integer();
            assert!((990..=1_000).contains(&left), "{left}");
        }
        // What was emptied began anew.
        call(&mut client, "RPUSH chat_messages:t a b");
        call(&mut client, "EXPIRE chat_messages:t 1000");
        call(&mut client, "LPOP chat_messages:t 2");
        assert_eq!(call(&mut client, "RPUSH chat_messages:t a b"), Reply::Integer(2));
        assert_eq!(call(&mut client, "TTL chat_messages:t"), Reply::Integer(-1));
    }
}

/// When a session ends is read off a clock and so a millisecond more or less each time; that is no change.
#[test]
fn a_watched_session_that_expires_is_not_changed_by_time() {
    everywhere(|memory, kind| {
        let door = Listening::to(memory);
        let mut client = door.client();
        call(&mut client, "RPUSH chat_messages:s a");
        call(&mut client, "EXPIRE chat_messages:s 1000");
        for round in 0..100 {
            call(&mut client, "WATCH chat_messages:s");
            thread::sleep(Duration::from_micros(700));
            call(&mut client, "MULTI");
            call(&mut client, "LLEN chat_messages:s");
            let replies = call(&mut client, "EXEC");
            assert_eq!(replies, Reply::Array(vec![Reply::Integer(1)]), "{kind}, round {round}");
        }
    });
}

/// A word takes memory although it is empty.
#[test]
fn a_transaction_of_many_words_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut keys = KeyspaceOptions::default();
    keys.command_limit = 100_000;
    let memory = ChatMemory::embedded(folder.path().join("h.db")).unwrap();
    let door = Listening::with(memory, keys, RespOptions::default());
    let mut client = door.client();
    let mut words = vec!["EXISTS"];
    words.extend(std::iter::repeat_n("", 10_000));
    call(&mut client, "MULTI");
    let replies: Vec<Reply> = (0..3).map(|_| client.command(&words).unwrap()).collect();
    assert_eq!(replies[0].text(), "QUEUED");
    assert!(
        matches!(&replies[2], Reply::Error(why) if why.contains("a transaction has at most")),
        "{replies:?}"
    );
    assert!(matches!(call(&mut client, "EXEC"), Reply::Error(why) if why.starts_with("EXECABORT")));
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

/// An element that cannot be read back keeps its place: the others stay where they are, whichever end they are counted
/// from, and none is given for another.
#[test]
fn positions_hold_beside_an_element_that_cannot_be_read() {
    let redis = RedisServer::start(ServerKind::Redis7);
    let door = Listening::to(ChatMemory::redis(&redis.url()).unwrap());
    let mut client = door.client();
    call(&mut client, "RPUSH chat_messages:s a b c d e f");
    let raw = redis.command(&["KEYS", "*"]).texts();
    let log = raw.iter().find(|key| redis.command(&["TYPE", key]).text() == "list").unwrap();
    redis.command(&["LSET", log, "2", "damaged"]);
    let read = |client: &mut Client, range: &str| {
        call(client, &format!("LRANGE chat_messages:s {range}")).texts().join("")
    };
    assert_eq!(call(&mut client, "LLEN chat_messages:s"), Reply::Integer(6));
    for (range, expected) in [
        ("0 -1", "abdef"),
        ("0 2", "ab"),
        ("3 5", "def"),
        ("2 3", "d"),
        ("-2 -1", "ef"),
        ("-4 -3", "d"),
        ("-6 -5", "ab"),
        ("-6 1", "ab"),
        ("3 -2", "de"),
    ] {
        assert_eq!(read(&mut client, range), expected, "{range}");
    }
    assert_eq!(call(&mut client, "LINDEX chat_messages:s 2"), Reply::Nil);
    assert_eq!(call(&mut client, "LINDEX chat_messages:s 3").text(), "d");
    assert_eq!(call(&mut client, "LPOS chat_messages:s d"), Reply::Integer(3));
    assert!(matches!(call(&mut client, "LSET chat_messages:s 2 x"), Reply::Error(_)));
    assert_eq!(read(&mut client, "0 -1"), "abdef", "nothing was put in another's place");
    // With a place deleted before it, all are one further to the head.
    call(&mut client, "LPOP chat_messages:s");
    assert_eq!(call(&mut client, "LINDEX chat_messages:s 2").text(), "d");
    assert_eq!(read(&mut client, "0 2"), "bd");
}

/// Long lists are cut within the deadline; what is popped is given.
#[test]
fn long_lists_are_cut_and_popped() {
    everywhere(|memory, kind| {
        let door = Listening::to(memory);
        let mut client = door.client();
        let mut words = vec!["RPUSH".to_owned(), "chat_messages:s".to_owned()];
        words.extend((0..1_000).map(|number| number.to_string()));
        for _ in 0..4 {
            client.command(&words).unwrap();
        }
        assert_eq!(call(&mut client, "LTRIM chat_messages:s -1500 -1").text(), "OK", "{kind}");
        assert_eq!(call(&mut client, "LLEN chat_messages:s"), Reply::Integer(1_500), "{kind}");
        let popped = call(&mut client, "LPOP chat_messages:s 1200").texts();
        assert_eq!(
            (popped.len(), popped[0].as_str(), popped[1_199].as_str()),
            (1_200, "500", "699"),
            "{kind}"
        );
        assert_eq!(call(&mut client, "LLEN chat_messages:s"), Reply::Integer(300), "{kind}");
        assert_eq!(call(&mut client, "LREM chat_messages:s 0 999"), Reply::Integer(1), "{kind}");
    });
}

/// A store that hangs makes a transaction slow, and no secret of what was done: each command says for itself.
#[test]
fn a_transaction_on_a_store_that_hangs_says_what_was_begun() {
    let redis = RedisServer::start(ServerKind::Redis7);
    let door = Listening::to(ChatMemory::redis(&redis.url()).unwrap());
    let mut client = door.client();
    call(&mut client, "RPUSH chat_messages:s a");
    redis.pause();
    call(&mut client, "MULTI");
    for number in 0..5 {
        call(&mut client, &format!("RPUSH chat_messages:s{number} b"));
    }
    let Reply::Array(replies) = call(&mut client, "EXEC") else { panic!() };
    redis.resume();
    assert_eq!(replies.len(), 5);
    let errors: Vec<&str> =
        replies.iter().map(|reply| if let Reply::Error(why) = reply { why.as_str() } else { "" }).collect();
    assert!(!errors[0].is_empty() && !errors[0].contains("not begun"), "{errors:?}");
    assert!(errors[4].contains("not begun"), "{errors:?}");
    assert_eq!(call(&mut client, "EXISTS chat_messages:s4"), Reply::Integer(0));
}
