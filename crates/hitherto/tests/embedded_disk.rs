//! A disk that is full: nothing is stored in half, what is there can be read, and room makes all well again.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::sync::Arc;

use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};
use hitherto::{
    AppendOptions, ChatMemory, Direction, Error, Message, Outcome, SessionId, StoreError, Window,
};

fn session(name: &str) -> SessionId {
    SessionId::parse(name).unwrap()
}

async fn append(memory: &ChatMemory, to: &str, count: usize, bytes: usize) -> Result<u64, Error> {
    let messages = (0..count).map(|_| Message::user(&"x".repeat(bytes))).collect();
    memory.append(&session(to), messages, &AppendOptions::default()).await.map(|appended| appended.first_seq)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_grow_no_more_says_so_and_stores_nothing_in_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = EmbeddedOptions::new(folder.path().join("full.db"));
    options.max_bytes = Some(1 << 20);
    let memory = ChatMemory::new(Arc::new(EmbeddedStore::open(options.clone()).unwrap()));
    let (mut stored, mut refused) = (0, 0);
    // Many at once, so that some share a commit with one that does not fit.
    for _ in 0..40 {
        let group = (0..8).map(|number| {
            let memory = memory.clone();
            tokio::spawn(async move { append(&memory, &format!("s{number}"), 3, 1500 * (number + 1)).await })
        });
        for appended in group.collect::<Vec<_>>() {
            match appended.await.unwrap() {
                Ok(first_seq) => {
                    assert_eq!(first_seq % 3, 1);
                    stored += 1;
                }
                Err(Error::Store(error @ StoreError::Full { .. })) => {
                    assert_eq!(error.outcome(), Outcome::NotStored);
                    refused += 1;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    assert!(stored > 0 && refused > 0, "{stored} stored, {refused} refused");
    let mut found = 0;
    for number in 0..8 {
        let name = session(&format!("s{number}"));
        let page = memory.messages(&name, Direction::After(0), 1000).await.unwrap();
        let seqs: Vec<u64> = page.messages.iter().map(|message| message.seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
        assert_eq!(seqs.len() % 3, 0, "an append is there whole or not at all");
        found += seqs.len() / 3;
    }
    assert_eq!(found, stored);
    drop(memory);
    options.max_bytes = None;
    let memory = ChatMemory::new(Arc::new(EmbeddedStore::open(options).unwrap()));
    append(&memory, "s0", 3, 50_000).await.unwrap();
    assert!(!memory.window(&session("s0"), Window::Turns(1)).await.unwrap().messages.is_empty());
}
