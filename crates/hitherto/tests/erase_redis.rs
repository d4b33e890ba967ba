//! A user's list in Redis, and erasing: looked for in every key of the server; the link is cut in the middle; who told the
//! list dies; and the list goes with its last session.

// The helpers of a test may stop it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use hitherto::store::redis::RedisStore;
use hitherto::summary::{Extractive, SummaryOptions};
use hitherto::{
    AppendOptions, Change, ChatMemory, Configure, MemoryKey, Message, Scope, SessionId, SessionQuery, Store,
    Timestamp, Ttl, TtlChange, UserId,
};
use hitherto_testkit::{FaultProxy, RedisServer, Reply, ServerKind};

const LONG: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 86_400_000;

fn session(name: &str) -> SessionId {
    SessionId::parse(name).unwrap()
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn of(name: &str) -> AppendOptions {
    let mut options = AppendOptions::default();
    options.user = Some(user(name));
    options
}

fn said(text: &str) -> Vec<Message> {
    vec![Message::user(text), Message::assistant(text)]
}

/// Every key of the server, each with all that is in it as the server writes it to disk.
fn all_keys(server: &RedisServer) -> Vec<(String, Vec<u8>)> {
    // Written out, so that one can look for a text in it.
    server.command(&["CONFIG", "SET", "rdbcompression", "no"]);
    let mut keys = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let Reply::Array(answer) = server.command(&["SCAN", &cursor, "COUNT", "1000"]) else {
            panic!("no answer to SCAN");
        };
        for key in answer[1].texts() {
            if let Reply::Bulk(dump) = server.command(&["DUMP", &key]) {
                keys.push((key, dump));
            }
        }
        cursor = answer[0].text();
        if cursor == "0" {
            return keys;
        }
    }
}

/// The keys in whose name or content a text is found.
fn found_in(server: &RedisServer, text: &str) -> Vec<String> {
    let keys = all_keys(server).into_iter().filter(|(key, dump)| {
        key.contains(text) || dump.windows(text.len()).any(|window| window == text.as_bytes())
    });
    keys.map(|(key, _)| key).collect()
}

/// The promise of an erasure: messages, summaries and the version before, metadata, idempotency keys, the list of
/// sessions, the user's list, the due-list.
#[tokio::test]
async fn no_key_holds_anything() {
    let server = RedisServer::start(ServerKind::Redis7);
    let summarised = ChatMemory::redis(&server.url()).unwrap();
    let summarised = summarised.with_summaries(
        SummaryOptions::default(),
        Arc::new(Extractive),
        Some(Arc::new(Extractive)),
    );
    let keys = ["chat_history", "SECRET-free other"].map(|key| MemoryKey::parse(key).unwrap());
    for (key, mark) in [(&keys[0], "SECRET"), (&keys[1], "SECRET"), (&keys[0], "public")] {
        let memory = summarised.clone().under(key.clone());
        for number in 0..30 {
            let id = session(&format!("{mark}-session-{number}"));
            let mut options = of(&format!("{mark}-user"));
            for turn in 0..20 {
                options.idempotency_key = Some(format!("{mark}-key-{turn}"));
                let text = format!("{mark} said that order {turn} is on its way to Berlin.");
                memory.append(&id, said(&text), &options).await.unwrap();
            }
            let metadata = Change::Set(format!("{{\"about\":\"{mark}\"}}"));
            memory.configure(&id, &Configure { metadata, ..Configure::default() }).await.unwrap();
            if number % 3 == 0 {
                memory.put_summary(&id, &format!("{mark} was summarised."), 4).await.unwrap();
                memory.fold(&id).await.unwrap();
            }
        }
    }
    assert!(found_in(&server, "SECRET-session").len() > 100, "there is nothing to look for");
    let erasure = summarised.erase_user(&user("SECRET-user"), LONG).await.unwrap();
    assert_eq!((erasure.done, erasure.sessions, erasure.left), (true, 60, 0));
    assert_eq!(erasure.messages, 60 * 40);
    // The name of a memory key is the application's, and stays.
    assert_eq!(found_in(&server, "SECRET"), ["hitherto:{7:default:keys}"]);
    assert!(found_in(&server, "public was summarised").len() >= 10);
    assert_eq!(summarised.usage().await.unwrap().messages, 30 * 40);
}

/// The link is cut again and again: before the erasure is answered, or before a list is told. Whoever asks again goes on.
#[tokio::test]
async fn an_erasure_that_was_cut_off_is_taken_up_again() {
    let server = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(server.addr());
    let memory = ChatMemory::redis(&server.url_via(proxy.addr())).unwrap();
    for number in 0..250 {
        let id = session(&format!("SECRET-session-{number:03}"));
        memory.append(&id, said("SECRET"), &of("SECRET-user")).await.unwrap();
    }
    let (mut broken, mut erased) = (0, 0);
    for marker in ["SECRET-session-007}:meta", "SECRET-session-120}:meta", "ZCARD", "ZREM", "EXISTS"] {
        // Both tries of what is sent twice.
        proxy.cut_before_reply_to(marker.as_bytes(), 2);
        match memory.erase_user(&user("SECRET-user"), LONG).await {
            Ok(erasure) => {
                erased += erasure.sessions;
                broken += u32::from(!erasure.done);
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                broken += 1;
            }
        }
        proxy.set(hitherto_testkit::Mode::Pass);
        let left = memory.usage().await.unwrap();
        assert_eq!(left.messages, left.sessions * 2, "a session is there in part");
    }
    assert!(broken > 0 && erased < 250, "nothing was cut: {broken} {erased}");
    assert!(memory.erase_user(&user("SECRET-user"), LONG).await.unwrap().done);
    assert_eq!(found_in(&server, "SECRET"), [""; 0]);
}

/// Whoever is cut off between telling the list and appending, or before it hears that the append is done, leaves a list
/// that holds the session if it is there.
#[tokio::test]
async fn whatever_dies_the_list_holds_the_session() {
    let server = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(server.addr());
    let memory = ChatMemory::redis(&server.url_via(proxy.addr())).unwrap();
    let direct = ChatMemory::redis(&server.url()).unwrap();
    let query = SessionQuery { user: Some(user("one")), limit: 1000, ..SessionQuery::default() };
    let mut stored = 0;
    for cuts in 0..12_usize {
        let id = session(&format!("s{cuts}"));
        // The script that tells, the append, and what ends telling: each loses its reply in some round.
        if cuts % 4 > 0 {
            proxy.cut_before_reply_to(
                ["", "7:default:user", "}:log", ":told"][cuts % 4].as_bytes(),
                1 + cuts / 6,
            );
        }
        let appended = memory.append(&id, said("hi"), &of("one")).await;
        proxy.set(hitherto_testkit::Mode::Pass);
        let there = direct.describe(&id).await.unwrap().is_some();
        assert!(there || appended.is_err());
        stored += u32::from(there);
        let listed = direct.sessions(&query).await.unwrap().sessions;
        assert_eq!(listed.iter().any(|listed| listed.session == id), there, "{cuts}: {appended:?}");
    }
    assert!(stored >= 6, "{stored}");
    assert_eq!(direct.erase_user(&user("one"), LONG).await.unwrap().sessions, u64::from(stored));
}

/// A server that knows a session to be the user's is told by the append that it has ended elsewhere, and tells the list
/// again before the new one begins.
#[tokio::test]
async fn a_session_that_ended_elsewhere_is_told_of_again() {
    let server = RedisServer::start(ServerKind::Redis7);
    let [one, other] = [0, 1].map(|_| ChatMemory::redis(&server.url()).unwrap());
    let query = SessionQuery { user: Some(user("zoë")), limit: 9, ..SessionQuery::default() };
    one.append(&session("s"), said("hi"), &of("zoë")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(other.erase_user(&user("zoë"), LONG).await.unwrap().sessions, 1);
        assert_eq!(other.sessions(&query).await.unwrap().sessions, []);
        let appended = one.append(&session("s"), said("hi"), &of("zoë")).await.unwrap();
        assert_eq!(appended.first_seq, 1);
        assert_eq!(other.sessions(&query).await.unwrap().sessions.len(), 1);
        assert_eq!(
            other.sessions(&SessionQuery { user: None, ..query.clone() }).await.unwrap().sessions.len(),
            1
        );
    }
}

/// A list of a user whose sessions have all expired, which nobody reads any more, is gone once a worker has come by, and
/// so is its place on the due-list; that of a user with a session is looked through again.
#[tokio::test]
async fn a_list_does_not_outlive_its_sessions() {
    let server = RedisServer::start(ServerKind::Redis7);
    let store = Arc::new(RedisStore::new(hitherto::store::redis::RedisOptions::new(&server.url())).unwrap());
    let memory = ChatMemory::new(Arc::clone(&store) as Arc<dyn Store>);
    for number in 0..700 {
        let mut options = of("gone");
        options.ttl = TtlChange::Set(Ttl::from_secs(60).unwrap());
        memory.append(&session(&format!("s{number}")), said("hi"), &options).await.unwrap();
    }
    memory.append(&session("kept"), said("hi"), &of("here")).await.unwrap();
    let lists = || server.command(&["KEYS", "*:user:*"]).texts();
    let due = || {
        let all = (0..4).flat_map(|shard| {
            server.command(&["ZRANGE", &format!("hitherto:{{due:{shard}}}"), "0", "-1"]).texts()
        });
        all.filter(|member| member.starts_with("user:")).collect::<Vec<_>>()
    };
    assert_eq!((lists().len(), due().len()), (2, 2));
    server.advance(Duration::from_secs(61));
    let mut now = Timestamp::now();
    for look in 0..30 {
        now = now.plus_millis(DAY_MS + 1000);
        assert_eq!(store.claim_due(now, now.plus_millis(60_000), 100).await.unwrap(), []);
        if look == 0 {
            assert_eq!(lists().len(), 2, "one look is through 500 of 701");
        }
    }
    assert_eq!(lists(), ["hitherto:{7:default:user:4:here}"]);
    assert_eq!(due(), ["user:7:default:4:here"]);
    memory.clear(&session("kept")).await.unwrap();
    assert_eq!(lists(), [""; 0]);
}

/// Naming the user costs an append no trip, once this process knows the session to be the user's.
#[tokio::test]
async fn an_append_of_a_user_is_one_round_trip() {
    let server = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(server.addr());
    let memory = ChatMemory::redis(&server.url_via(proxy.addr())).unwrap();
    // The scripts are known to the server then.
    memory.append(&session("other"), said("hi"), &of("another")).await.unwrap();
    let trips = || proxy.stats().round_trips;
    let before = trips();
    memory.append(&session("s"), said("hi"), &of("one")).await.unwrap();
    // One more than without the look at the witness of the server's memory, which is due once a minute.
    assert!((2..=4).contains(&(trips() - before)), "{}", trips() - before);
    for _ in 0..5 {
        let before = trips();
        memory.append(&session("s"), said("hi"), &of("one")).await.unwrap();
        assert_eq!(trips() - before, 1);
    }
    // The first may look at a witness, as above.
    memory.append(&session("nobody's"), said("hi"), &AppendOptions::default()).await.unwrap();
    let before = trips();
    memory.append(&session("nobody's"), said("hi"), &AppendOptions::default()).await.unwrap();
    assert_eq!(trips() - before, 1);
}

/// A list of a user is the tenant's, and holds what is under every memory key.
#[tokio::test]
async fn a_list_names_the_memory_key() {
    let server = RedisServer::start(ServerKind::Redis7);
    let memory = ChatMemory::redis(&server.url()).unwrap();
    for key in ["chat_history", "other"] {
        let memory = memory.clone().under(MemoryKey::parse(key).unwrap());
        memory.append(&session("s"), said("hi"), &of("one")).await.unwrap();
        assert_eq!(memory.scope(), &Scope { memory_key: MemoryKey::parse(key).unwrap(), ..Scope::default() });
    }
    let list = server.command(&["ZRANGE", "hitherto:{7:default:user:3:one}", "0", "-1"]).texts();
    assert_eq!(list, ["12:chat_history:1:s", "5:other:1:s"]);
    let keys = server.command(&["SMEMBERS", "hitherto:{7:default:keys}"]).texts();
    assert_eq!(keys.len(), 2);
}
