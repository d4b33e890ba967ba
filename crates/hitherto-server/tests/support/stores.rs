//! A memory with summaries on each kind of store, served in this process.

use std::sync::Arc;

use hitherto::summary::{Extractive, Summariser, SummaryOptions};
use hitherto::{ChatMemory, Store};
use hitherto_server::Options;
use hitherto_testkit::{RedisServer, ServerKind, available};
use serde_json::{Value, json};

use crate::serving::Serving;
use crate::support::post;

/// A server, and what it needs to live.
pub struct Served {
    pub server: Serving,
    pub kind: &'static str,
    _folder: tempfile::TempDir,
    _redis: Option<RedisServer>,
}

/// What summarises: the extractive summariser, or this one with the extractive one as its stand-in.
pub type Other = Option<Arc<dyn Summariser>>;

/// A server on an embedded file and one on Redis 7, where that was fetched.
pub fn everywhere(options: &SummaryOptions, door: &Options, other: &Other) -> Vec<Served> {
    let mut all = vec![embedded(options, door, other)];
    if available().contains(&ServerKind::Redis7) {
        let redis = RedisServer::start(ServerKind::Redis7);
        let memory = ChatMemory::redis(&redis.url()).unwrap();
        all.push(Served {
            server: Serving::of(summarised(memory, options, other), door.clone()),
            kind: "redis",
            _folder: tempfile::tempdir().unwrap(),
            _redis: Some(redis),
        });
    }
    all
}

/// A server on an embedded file.
pub fn embedded(options: &SummaryOptions, door: &Options, other: &Other) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let memory = ChatMemory::embedded(folder.path().join("chat.db")).unwrap();
    Served {
        server: Serving::of(summarised(memory, options, other), door.clone()),
        kind: "embedded",
        _folder: folder,
        _redis: None,
    }
}

/// A server on any store.
pub fn on(store: Arc<dyn Store>, door: Options) -> Serving {
    Serving::of(summarised(ChatMemory::new(store), &SummaryOptions::default(), &None), door)
}

fn summarised(memory: ChatMemory, options: &SummaryOptions, other: &Other) -> ChatMemory {
    match other {
        None => memory.with_summaries(options.clone(), Arc::new(Extractive), None),
        Some(other) => {
            let stand_in = Arc::new(Extractive);
            memory.with_summaries(options.clone(), Arc::clone(other), Some(stand_in))
        }
    }
}

/// Appends turns of two messages, each with a fact.
pub fn turns(server: &Serving, session: &str, numbers: std::ops::RangeInclusive<u32>) {
    let messages: Vec<Value> = numbers
        .flat_map(|turn| {
            [
                json!({"role": "user", "content": format!("Flight {turn} leaves Gate {} at {turn}:45 on May {turn}.", turn * 7)}),
                json!({"role": "assistant", "content": format!("Booked seat {turn}C for Ada on flight {turn}.")}),
            ]
        })
        .collect();
    let path = format!("/v1/sessions/{session}/messages");
    post(server.address, &path, &json!({"messages": messages}).to_string()).expect(201);
}
