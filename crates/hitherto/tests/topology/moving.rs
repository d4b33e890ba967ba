//! Slots on their way: half of a session's keys here, half there, and nothing is stored twice or in half.

use std::sync::Arc;
use std::time::Duration;

use hitherto::store::redis::RedisOptions;
use hitherto::{AppendOptions, ChatMemory, Outcome, Ttl, TtlChange};
use hitherto_testkit::{Cluster, ServerKind, slot_of};

use super::writer::{Writer, append, append_once, beside, log, memory, options, session, texts};

async fn start() -> (Arc<Cluster>, ChatMemory) {
    let cluster = Arc::new(beside(|| Cluster::start(ServerKind::Redis7, 3, 0)).await);
    let memory = memory(options(&cluster.url()));
    (cluster, memory)
}

/// For calls that are to fail soon.
fn impatient(cluster: &Cluster) -> ChatMemory {
    let mut options: RedisOptions = options(&cluster.url());
    options.deadline = Duration::from_secs(1);
    memory(options)
}

fn outcome(error: &hitherto::Error) -> Outcome {
    match error {
        hitherto::Error::Store(error) => error.outcome(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_go_on_while_their_slot_moves_around() {
    let (cluster, memory) = start().await;
    let writer = Writer::start(&memory, "s");
    let acting = Arc::clone(&cluster);
    beside(move || {
        let slot = slot_of(&log("s"));
        for _ in 0..10 {
            let from = acting.primary_of_slot(slot);
            acting.begin_move(slot, (from + 1) % 3).finish();
            acting.await_ok();
        }
    })
    .await;
    let written = writer.stop().await;
    assert!(written.errors.is_empty(), "{:?}", written.errors);
    assert!(written.acknowledged > 0, "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_written_where_it_is_while_its_slot_is_on_its_way() {
    let (cluster, memory) = start().await;
    append(&memory, "s", "0").await.unwrap();
    let slot = slot_of(&log("s"));
    let from = cluster.primary_of_slot(slot);
    let moving = cluster.begin_move(slot, (from + 1) % 3);
    // All its keys are where they were.
    append(&memory, "s", "1").await.unwrap();
    moving.keys_left().iter().for_each(|key| moving.migrate(key));
    // All are there: the node that has the slot says so with ASK.
    append(&memory, "s", "2").await.unwrap();
    assert_eq!(texts(&memory, "s").await, ["0", "1", "2"]);
    moving.finish();
    append(&memory, "s", "3").await.unwrap();
    assert_eq!(texts(&memory, "s").await, ["0", "1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_half_here_and_half_there_waits_and_is_not_stored_in_half() {
    let (cluster, memory) = start().await;
    append(&memory, "s", "0").await.unwrap();
    let slot = slot_of(&log("s"));
    let from = cluster.primary_of_slot(slot);
    let moving = cluster.begin_move(slot, (from + 1) % 3);
    moving.migrate(&log("s"));
    let hasty = impatient(&cluster);
    let error = append(&hasty, "s", "never").await.unwrap_err();
    assert!(error.is_retryable() && outcome(&error) == Outcome::NotStored, "{error:?}");
    let error = hasty.describe(&session("s")).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    // Whoever has the patience gets through when it has arrived.
    let waiting = tokio::spawn({
        let memory = memory.clone();
        async move { append(&memory, "s", "1").await }
    });
    tokio::task::yield_now().await;
    moving.finish();
    waiting.await.unwrap().unwrap();
    assert_eq!(texts(&memory, "s").await, ["0", "1"]);
}

/// A key that was used is known while its hash has not arrived, though the rest of the session has.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_one_while_the_slot_is_on_its_way() {
    let (cluster, memory) = start().await;
    append_once(&memory, "s", "0").await.unwrap();
    let slot = slot_of(&log("s"));
    let from = cluster.primary_of_slot(slot);
    let moving = cluster.begin_move(slot, (from + 1) % 3);
    let once: Vec<String> = moving.keys_left().into_iter().filter(|key| key.contains(":once:")).collect();
    assert_eq!(once.len(), 1, "{once:?}");
    let hasty = impatient(&cluster);
    let mut tried = 0;
    for key in moving.keys_left().into_iter().filter(|key| !once.contains(key)) {
        // Which of the two hashes there would be cannot be told from one that has not arrived: it waits.
        if let Ok((first_seq, repeated)) = append_once(&hasty, "s", "0").await {
            assert!(repeated && first_seq == 1);
        }
        tried += 1;
        moving.migrate(&key);
    }
    assert_eq!(tried, 2, "log and meta");
    assert!(append_once(&hasty, "s", "0").await.is_err_and(|error| outcome(&error) == Outcome::NotStored));
    // A plain append may not run either: it would restart the clock of what is not there.
    let mut with_ttl = AppendOptions::default();
    with_ttl.ttl = TtlChange::Set(Ttl::from_secs(60).unwrap());
    let plain = hasty.append(&session("s"), vec![hitherto::Message::user("1")], &with_ttl).await;
    assert!(plain.as_ref().is_err_and(|error| outcome(error) == Outcome::NotStored), "{plain:?}");
    moving.finish();
    assert_eq!(append_once(&memory, "s", "0").await.unwrap(), (1, true));
    memory.append(&session("s"), vec![hitherto::Message::user("1")], &with_ttl).await.unwrap();
    assert_eq!(texts(&memory, "s").await, ["0", "1"]);
    let owner = cluster.node(cluster.primary_of_slot(slot));
    assert!((1..=60_000).contains(&owner.command(&["PTTL", &once[0]]).integer()), "it goes with its session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_waits_until_its_slot_has_arrived() {
    let (cluster, memory) = start().await;
    let slot = slot_of(&log("new"));
    let from = cluster.primary_of_slot(slot);
    let moving = cluster.begin_move(slot, (from + 1) % 3);
    let error = append(&impatient(&cluster), "new", "never").await.unwrap_err();
    assert!(error.is_retryable() && outcome(&error) == Outcome::NotStored, "{error:?}");
    moving.finish();
    assert_eq!(append(&memory, "new", "hi").await.unwrap(), 1);
    assert_eq!(texts(&memory, "new").await, ["hi"]);
}
