//! Random writers at once: whatever the order, every append stands in one piece, once, where its receipt says.

use std::collections::BTreeMap;

use hitherto::store::Batch;
use hitherto::{Message, Role};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::suite::{Chat, Subject, once_key, records};

/// One append of a writer: how many messages, and which idempotency key, shared by all writers, if any.
#[derive(Debug, Clone, Copy)]
struct Append {
    size: usize,
    key: Option<u8>,
}

/// A message's text says which append it belongs to: the shared key, or the writer and its count.
fn stem(writer: usize, count: usize, append: Append) -> String {
    append.key.map_or_else(|| format!("{writer}/{count}"), |key| format!("key {key}"))
}

/// Appends with the same key are the same append, whoever sends it, so the key decides its size.
fn size(append: Append) -> usize {
    append.key.map_or(append.size, |key| usize::from(key) % 4 + 1)
}

/// Compares what `cases` groups of writers were told with what was stored.
///
/// # Panics
///
/// If an append is parted, lost, doubled, or not where its receipt says.
pub async fn writers_check(on: Subject, seed: u64, cases: u32) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let append =
        (1..6_usize, proptest::option::weighted(0.4, 0..6_u8)).prop_map(|(size, key)| Append { size, key });
    let plans = vec(vec(append, 1..12), 2..9);
    for case in 0..cases {
        let plan = plans.new_tree(&mut runner).unwrap().current();
        check(on.chat(&format!("case {case}")), &plan).await;
    }
}

async fn check(chat: Chat, plan: &[Vec<Append>]) {
    let writers: Vec<_> = plan
        .iter()
        .enumerate()
        .map(|(writer, appends)| {
            let (chat, appends) = (chat.clone(), appends.clone());
            tokio::spawn(async move { write(&chat, writer, &appends).await })
        })
        .collect();
    let mut told: BTreeMap<String, Vec<(u64, bool, usize)>> = BTreeMap::new();
    for writer in writers {
        let receipts = writer.await.unwrap();
        // One writer's own appends, each sent after the last was answered, stand in the order in which they were sent.
        let fresh: Vec<u64> = receipts.iter().filter(|told| !told.2).map(|told| told.1).collect();
        assert!(fresh.is_sorted(), "{plan:?}: a writer's appends changed places: {fresh:?}");
        for (stem, first_seq, repeated, size) in receipts {
            told.entry(stem).or_default().push((first_seq, repeated, size));
        }
    }
    let mut expected: BTreeMap<u64, String> = BTreeMap::new();
    for (stem, receipts) in told {
        let first: Vec<_> = receipts.iter().filter(|(_, repeated, _)| !repeated).collect();
        assert_eq!(first.len(), 1, "{plan:?}: {stem} was stored {} times", first.len());
        let (first_seq, _, size) = *first[0];
        assert!(
            receipts.iter().all(|told| told.0 == first_seq),
            "{plan:?}: {stem} was told apart: {receipts:?}"
        );
        expected.extend((0..size).map(|at| (first_seq + at as u64, format!("{stem}/{at}"))));
    }
    let stored: BTreeMap<u64, String> = chat
        .all()
        .await
        .entries
        .iter()
        .map(|entry| (entry.seq, entry.live().unwrap().message.as_ref().unwrap().text()))
        .collect();
    assert_eq!(stored, expected, "{plan:?}");
    assert!(stored.keys().copied().eq(1..=stored.len() as u64), "{plan:?}: numbers with gaps");
}

/// Sends the appends one after another; gives of each its stem, first number, whether it was a repeat, and size.
async fn write(chat: &Chat, writer: usize, appends: &[Append]) -> Vec<(String, u64, bool, usize)> {
    let mut told = Vec::new();
    for (count, append) in appends.iter().enumerate() {
        let (stem, size) = (stem(writer, count, *append), size(*append));
        let messages = (0..size).map(|at| Message::new(Role::User, &format!("{stem}/{at}")));
        let once = append.key.and_then(|key| once_key(&format!("k{key}"), key.into()));
        let batch = Batch { records: records(messages, chat.on.now()), once, ..chat.batch("") };
        let receipt = chat.send(batch).await;
        told.push((stem, receipt.first_seq, receipt.repeated, size));
    }
    told
}
