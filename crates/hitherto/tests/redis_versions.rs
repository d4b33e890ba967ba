//! What an older version stored in Redis, and what a newer one may: the first is read and carried on with, the
//! second refused and left alone.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::sync::Arc;

use async_trait::async_trait;
use hitherto::summary::{Piece, Summariser, SummariserError, SummaryOptions};
use hitherto::{AppendOptions, ChatMemory, Error, Message, Record, SessionId, StoreError, Timestamp, Window};
use hitherto_testkit::{RedisServer, ServerKind};

const META: &str = "hitherto:{7:default:12:chat_history:1:s}:meta";
const LOG: &str = "hitherto:{7:default:12:chat_history:1:s}:log";

fn session() -> SessionId {
    SessionId::parse("s").unwrap()
}

/// A state as the first version wrote it: 60 bytes, of which two messages of one turn and no more are said.
fn state_of_version_1(bytes: usize) -> Vec<u8> {
    let mut state = vec![1, 0];
    for number in [0, 2, 1, 0, bytes as u64, 1_763_805_600_000, 1_763_805_600_000, 0, 0] {
        state.extend_from_slice(&number.to_be_bytes()[2..]);
    }
    state.extend_from_slice(&[0; 4]);
    state
}

#[derive(Debug)]
struct Counts;

#[async_trait]
impl Summariser for Counts {
    fn name(&self) -> String {
        "counts".to_owned()
    }

    fn input_tokens(&self) -> usize {
        1000
    }

    async fn summarise(&self, piece: &Piece) -> Result<String, SummariserError> {
        Ok(format!("{} lines", piece.lines.len()))
    }
}

#[tokio::test]
async fn a_session_of_version_1_is_carried_on_with() {
    let server = RedisServer::start(ServerKind::Redis7);
    let mut client = server.connect();
    let mut bytes = 0;
    for message in [Message::user("I am Zoë."), Message::assistant("Hello!")] {
        let record = Record::new(message, uuid::Uuid::now_v7(), Timestamp::from_millis(1_763_805_600_000));
        bytes += record.size();
        client.command(&[b"RPUSH".as_slice(), LOG.as_bytes(), &record.encode()]).unwrap();
    }
    let state = state_of_version_1(bytes);
    client.command(&[b"HSET".as_slice(), META.as_bytes(), b"state", &state]).unwrap();

    let mut options = SummaryOptions::default();
    options.policy.window = 1;
    let memory = ChatMemory::redis(&server.url()).unwrap().with_summaries(options, Arc::new(Counts), None);
    let window = memory.window(&session(), Window::Turns(9)).await.unwrap();
    assert_eq!(window.messages[0].message.text(), "I am Zoë.");
    let known = memory.describe(&session()).await.unwrap().unwrap();
    assert_eq!((known.messages, known.turns, known.summary_upto), (2, 1, 0));

    let more = vec![Message::user("And you?")];
    assert_eq!(memory.append(&session(), more, &AppendOptions::default()).await.unwrap().first_seq, 3);
    let fold = memory.fold(&session()).await.unwrap();
    let summary = fold.summary.current.unwrap();
    assert_eq!((fold.commits, summary.text.as_str(), summary.upto), (1, "2 lines", 2));
    assert_eq!(client.command(&["HSTRLEN", META, "state"]).unwrap().integer(), 116);
}

#[tokio::test]
async fn a_session_of_a_newer_version_is_refused_and_left_alone() {
    let server = RedisServer::start(ServerKind::Redis7);
    let mut client = server.connect();
    let state = [&[3], [0; 150].as_slice()].concat();
    client.command(&[b"HSET".as_slice(), META.as_bytes(), b"state", &state]).unwrap();
    let memory = ChatMemory::redis(&server.url()).unwrap();
    let newer =
        |error: Error| matches!(error, Error::Store(StoreError::NewerFormat { found: 3, known: 2, .. }));
    assert!(newer(memory.window(&session(), Window::Turns(1)).await.unwrap_err()));
    assert!(newer(memory.describe(&session()).await.unwrap_err()));
    assert!(newer(memory.summary(&session()).await.unwrap_err()));
    let append = memory.append(&session(), vec![Message::user("hi")], &AppendOptions::default()).await;
    assert!(newer(append.unwrap_err()));
    assert!(newer(memory.put_summary(&session(), "a text", 1).await.unwrap_err()));
    assert_eq!(client.command(&["HSTRLEN", META, "state"]).unwrap().integer(), 151);
    assert_eq!(client.command(&["EXISTS", LOG]).unwrap().integer(), 0);
}
