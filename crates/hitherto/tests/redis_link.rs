//! How Redis is reached: addresses, users, databases, sockets; and what is said when it does not answer as
//! it should.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use hitherto::store::redis::{RedisOptions, RedisStore};
use hitherto::{
    AppendOptions, Budget, ChatMemory, ContextOptions, Encoding, Error, Message, SessionId, StoreError,
    Window,
};
use hitherto_testkit::{FaultProxy, RedisServer, RedisSettings, ServerKind};

fn session() -> SessionId {
    SessionId::parse("s").unwrap()
}

async fn works(memory: &ChatMemory) {
    memory.append(&session(), vec![Message::user("hi")], &AppendOptions::default()).await.unwrap();
    assert_eq!(memory.window(&session(), Window::Turns(1)).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn a_database_number_is_a_database_of_its_own() {
    let server = RedisServer::start(ServerKind::Redis7);
    let three = ChatMemory::redis(&format!("{}/3", server.url())).unwrap();
    works(&three).await;
    let zero = ChatMemory::redis(&server.url()).unwrap();
    assert!(zero.window(&session(), Window::Turns(1)).await.unwrap().messages.is_empty());
}

#[tokio::test]
async fn a_unix_socket_and_a_named_user_work() {
    let server = RedisSettings::new(ServerKind::Redis7).unix_socket().user("zoe", "p@ss/w:rd").start();
    let socket = server.unix_socket();
    let memory =
        ChatMemory::redis(&format!("unix://{}?user=zoe&pass=p%40ss%2Fw%3Ard", socket.display())).unwrap();
    works(&memory).await;
    works(&ChatMemory::redis(&format!("redis://zoe:p%40ss%2Fw%3Ard@{}", server.addr())).unwrap()).await;
}

/// The number after the mark of a line, or nothing at the end of the stream.
fn number(input: &mut impl std::io::BufRead) -> Option<usize> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|read| *read > 0)?;
    line.trim().get(1..)?.parse().ok()
}

/// A server that knows who it is, and says that it is loading to everything else.
fn loading_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut input = BufReader::new(stream.try_clone().unwrap());
            while let Some(count) = number(&mut input) {
                let mut words = Vec::new();
                for _ in 0..count {
                    // A word and its line end; records are not text.
                    let mut word = vec![0; number(&mut input).unwrap() + 2];
                    input.read_exact(&mut word).unwrap();
                    words.push(String::from_utf8_lossy(&word).trim_end().to_uppercase());
                }
                let reply = match words.first().map(String::as_str) {
                    Some("HELLO") => "%1\r\n$5\r\nproto\r\n:3\r\n",
                    Some("CLIENT" | "SELECT") => "+OK\r\n",
                    _ => "-LOADING Redis is loading the dataset in memory\r\n",
                };
                if stream.write_all(reply.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    format!("redis://{address}")
}

#[tokio::test]
async fn a_server_that_is_loading_says_so() {
    let memory = ChatMemory::redis(&loading_server()).unwrap();
    let appended = memory.append(&session(), vec![Message::user("hi")], &AppendOptions::default()).await;
    let read = memory.window(&session(), Window::Turns(1)).await;
    for error in [appended.unwrap_err(), read.unwrap_err()] {
        assert!(matches!(&error, Error::Store(StoreError::Loading { .. })), "{error:?}");
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn the_next_call_after_a_restart_works() {
    let server = RedisSettings::new(ServerKind::Redis7).append_only().start();
    let memory = ChatMemory::redis(&server.url()).unwrap();
    works(&memory).await;
    server.kill();
    let error = memory.window(&session(), Window::Turns(1)).await.unwrap_err();
    assert!(matches!(&error, Error::Store(StoreError::Unreachable { .. })), "{error:?}");
    server.restart();
    let append = memory.append(&session(), vec![Message::user("again")], &AppendOptions::default()).await;
    assert_eq!(append.unwrap().first_seq, 2);
}

#[tokio::test]
async fn a_deadline_of_ones_own_is_kept() {
    let server = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(server.addr());
    let mut options = RedisOptions::new(&server.url_via(proxy.addr()));
    options.deadline = Duration::from_secs(1);
    let memory = ChatMemory::new(std::sync::Arc::new(RedisStore::new(options).unwrap()));
    works(&memory).await;
    proxy.set(hitherto_testkit::Mode::Silent);
    let error = memory.ping().await.unwrap_err();
    assert!(error.to_string().contains("within 1000 ms"), "{error}");
}

/// An append and a window are one round trip each (I8), once the session is known.
#[tokio::test]
async fn appends_and_windows_are_one_round_trip() {
    let server = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(server.addr());
    let memory = ChatMemory::redis(&server.url_via(proxy.addr())).unwrap();
    let turn = || {
        vec![Message::user("u"), Message::assistant("a"), Message::tool("c", "t"), Message::assistant("b")]
    };
    for _ in 0..30 {
        memory.append(&session(), turn(), &AppendOptions::default()).await.unwrap();
    }
    // Turns of four: the first read learns how long they are.
    memory.window(&session(), Window::Turns(10)).await.unwrap();
    let trips = || proxy.stats().round_trips;
    let before = trips();
    memory.append(&session(), turn(), &AppendOptions::default()).await.unwrap();
    assert_eq!(trips() - before, 1, "an append");
    let page = memory.window(&session(), Window::Turns(10)).await.unwrap();
    assert_eq!((page.messages.len(), trips() - before), (40, 2), "and a window");
}

/// A context is one round trip (I8), with a budget and without one, whatever its summary covers.
#[tokio::test]
async fn contexts_are_one_round_trip() {
    let server = RedisServer::start(ServerKind::Redis7);
    let proxy = FaultProxy::start(server.addr());
    let extractive = std::sync::Arc::new(hitherto::summary::Extractive);
    let memory = ChatMemory::redis(&server.url_via(proxy.addr())).unwrap();
    let memory = memory.with_summaries(hitherto::summary::SummaryOptions::default(), extractive, None);
    for turn in 0..40 {
        let said = Message::user(&format!("My order number {turn} is {} today.", turn * 7919));
        let turn = vec![said, Message::assistant("I have noted it down.")];
        memory.append(&session(), turn, &AppendOptions::default()).await.unwrap();
    }
    memory.fold(&session()).await.unwrap();
    let trips = || proxy.stats().round_trips;
    let turns = |turns| {
        let mut options = ContextOptions::default();
        options.budget = Budget::Turns(turns);
        options
    };
    for options in
        [ContextOptions::default(), ContextOptions::tokens(400, Encoding::O200k), turns(3), turns(30)]
    {
        // The first read learns how many messages that is.
        memory.context(&session(), &options).await.unwrap();
        let before = trips();
        let context = memory.context(&session(), &options).await.unwrap();
        assert_eq!(trips() - before, 1, "{options:?}");
        assert!(context.summary.is_some_and(|summary| summary.upto == 60), "{options:?}");
    }
}
