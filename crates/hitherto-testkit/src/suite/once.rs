//! Idempotency keys: an append with one is stored once, whatever is retried (I2).

use hitherto::store::{Batch, Change, Configure, Once, Pop, StoreError};
use hitherto::{Restart, TtlChange};

use super::subject::{Subject, once, ttl};

/// The repeat is told what the first was told.
pub async fn a_repeat_gets_the_first_receipt_and_stores_nothing(on: Subject) {
    let chat = on.chat("s");
    chat.say("u").await;
    let first = chat.say_once("ua", "k", 7).await.unwrap();
    chat.say("u").await;
    let before = chat.described().await;
    let repeat = chat.say_once("ua", "k", 7).await.unwrap();
    assert_eq!((first.first_seq, first.repeated), (2, false));
    assert_eq!((repeat.first_seq, repeat.first_id, repeat.repeated), (2, first.first_id, true));
    assert_eq!(chat.held().await, "1u 2u 3a 4u");
    assert_eq!(chat.described().await, before);
}

/// The same key for other messages is an error, and stores nothing.
pub async fn a_key_that_stood_for_something_else_is_refused(on: Subject) {
    let chat = on.chat("s");
    chat.say_once("ua", "k", 7).await.unwrap();
    let before = chat.described().await;
    assert_eq!(chat.say_once("uat", "k", 8).await, Err(StoreError::OnceMismatch));
    assert_eq!(chat.described().await, before);
    assert!(chat.say_once("ua", "k", 7).await.unwrap().repeated);
}

/// A repeat stores nothing, settings included.
pub async fn a_repeat_changes_no_settings(on: Subject) {
    let chat = on.chat("s");
    chat.say_once("uaua", "k", 7).await.unwrap();
    let batch = Batch {
        once: once("k", 7),
        ttl: ttl(60, Restart::Write),
        max_messages: Change::Set(1),
        ..chat.batch("uaua")
    };
    assert!(chat.send(batch).await.repeated);
    let known = chat.described().await;
    assert_eq!((known.messages, known.ttl, known.max_messages), (4, None, None));
}

/// Whoever comes first stores; all get the same answer.
pub async fn concurrent_repeats_store_once(on: Subject) {
    let chat = on.chat("s");
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let chat = chat.clone();
            tokio::spawn(async move { chat.say_once("ua", "k", 7).await.unwrap() })
        })
        .collect();
    let mut receipts = Vec::new();
    for receipt in tries {
        receipts.push(receipt.await.unwrap());
    }
    assert_eq!(receipts.iter().filter(|receipt| !receipt.repeated).count(), 1);
    assert!(
        receipts.iter().all(|receipt| receipt.first_seq == 1 && receipt.first_id == receipts[0].first_id)
    );
    assert_eq!(chat.held().await, "1u 2a");
    assert_eq!(chat.record(1).await.id, receipts[0].first_id);
}

/// Where only a repeat is accepted, a repeat gets the first receipt, and nothing else is stored or begun.
pub async fn only_a_repeat_may_be_accepted(on: Subject) {
    let chat = on.chat("s");
    let only = async |key: &str, what| {
        let once = once(key, what).map(|once| Once { only: true, ..once });
        chat.try_send(Batch { once, ..chat.batch("ua") }).await
    };
    assert_eq!(only("k", 7).await, Err(StoreError::OnceUnknown));
    assert!(!chat.exists().await);
    let first = chat.say_once("ua", "k", 7).await.unwrap();
    let again = only("k", 7).await.unwrap();
    assert_eq!((again.first_id, again.first_seq, again.repeated), (first.first_id, 1, true));
    assert_eq!(only("k", 8).await, Err(StoreError::OnceMismatch));
    assert_eq!(only("other", 7).await, Err(StoreError::OnceUnknown));
    assert_eq!(chat.held().await, "1u 2a");
}

/// A key belongs to its session.
pub async fn the_same_key_in_another_session_is_another_key(on: Subject) {
    assert!(!on.chat("one").say_once("u", "k", 7).await.unwrap().repeated);
    assert!(!on.chat("two").say_once("u", "k", 8).await.unwrap().repeated);
}

/// Whatever characters a key has, it is itself only.
pub async fn keys_that_look_alike_are_apart(on: Subject) {
    let chat = on.chat("s");
    let long = "k".repeat(255);
    let keys = [
        "k", "K", "k ", "k:", ":k", "k\0", "\0", "*", "?", "{k}", "}{", "s}:log", "k\n", "ḱ", "1", "01",
        &long,
    ];
    for (what, key) in keys.iter().enumerate() {
        assert!(!chat.say_once("u", key, what as u128).await.unwrap().repeated, "{key:?} was known");
    }
    for (what, key) in keys.iter().enumerate() {
        let repeat = chat.say_once("u", key, what as u128).await.unwrap();
        assert_eq!((repeat.repeated, repeat.first_seq), (true, what as u64 + 1), "{key:?}");
    }
}

/// Clearing a session forgets its keys.
pub async fn a_key_is_forgotten_with_its_cleared_session(on: Subject) {
    let chat = on.chat("s");
    chat.say_once("ua", "k", 7).await.unwrap();
    chat.clear().await;
    let again = chat.say_once("u", "k", 8).await.unwrap();
    assert_eq!((again.first_seq, again.repeated), (1, false));
}

/// A session that expired takes its keys along, also for the session of that id that follows.
pub async fn a_key_does_not_outlive_its_expired_session(on: Subject) {
    let chat = on.chat("s");
    let batch = Batch { once: once("k", 7), ttl: ttl(60, Restart::Write), ..chat.batch("ua") };
    chat.send(batch).await;
    on.advance(70).await;
    let again = chat.say_once("u", "k", 8).await.unwrap();
    assert_eq!((again.first_seq, again.repeated), (1, false));
    assert_eq!(chat.held().await, "1u");
}

/// A key set before the session had a time to live ends with the session all the same.
pub async fn a_key_takes_on_a_time_to_live_set_later(on: Subject) {
    let chat = on.chat("s");
    chat.say_once("ua", "k", 7).await.unwrap();
    chat.set_ttl(ttl(60, Restart::Write)).await;
    on.advance(70).await;
    assert_eq!(on.leftovers().await, [""; 0]);
    assert!(!chat.say_once("u", "k", 8).await.unwrap().repeated);
}

/// What happens to the messages does not make the key unknown.
pub async fn a_key_is_known_after_its_messages_are_gone(on: Subject) {
    let chat = on.chat("s");
    chat.say_once("ua", "popped", 1).await.unwrap();
    chat.pop(Pop::Turn).await;
    chat.say_once("ua", "deleted", 2).await.unwrap();
    chat.delete(3).await;
    chat.delete(4).await;
    chat.say_once("ua", "trimmed", 3).await.unwrap();
    chat.say("ua").await;
    chat.configure(Configure { max_messages: Change::Set(2), ..Configure::default() }).await;
    assert_eq!(chat.held().await, "7u 8a");
    for (key, what, first_seq) in [("popped", 1, 1), ("deleted", 2, 3), ("trimmed", 3, 5)] {
        let repeat = chat.say_once("ua", key, what).await.unwrap();
        assert_eq!((repeat.first_seq, repeat.repeated), (first_seq, true), "{key}");
    }
    assert_eq!(chat.held().await, "7u 8a");
}

/// A key is remembered for a day at least.
pub async fn a_key_is_known_for_a_day(on: Subject) {
    let chat = on.chat("s");
    chat.say_once("ua", "k", 7).await.unwrap();
    on.advance(23 * 3600 + 3500).await;
    assert!(chat.say_once("ua", "k", 7).await.unwrap().repeated);
    assert_eq!(chat.held().await, "1u 2a");
}

/// A session whose clock is restarted keeps its keys as long as it lives, within the day.
pub async fn a_key_lives_on_with_a_session_whose_clock_restarts(on: Subject) {
    let chat = on.chat("s");
    let batch = Batch { once: once("k", 7), ttl: ttl(60, Restart::Write), ..chat.batch("ua") };
    chat.send(batch).await;
    for _ in 0..4 {
        on.advance(40).await;
        chat.say("u").await;
    }
    assert!(chat.say_once("ua", "k", 7).await.unwrap().repeated);
}

/// The same for a session whose clock is restarted by reads.
pub async fn a_key_lives_on_with_a_session_that_is_read(on: Subject) {
    let chat = on.chat("s");
    let batch = Batch { once: once("k", 7), ttl: ttl(60, Restart::Read), ..chat.batch("ua") };
    chat.send(batch).await;
    for _ in 0..4 {
        on.advance(40).await;
        assert_eq!(chat.held().await, "1u 2a");
    }
    assert!(chat.say_once("ua", "k", 7).await.unwrap().repeated);
}

/// The same for a session whose time to live is removed.
pub async fn a_key_lives_on_when_the_time_to_live_is_removed(on: Subject) {
    let chat = on.chat("s");
    let batch = Batch { once: once("k", 7), ttl: ttl(60, Restart::Write), ..chat.batch("ua") };
    chat.send(batch).await;
    chat.set_ttl(TtlChange::Remove).await;
    on.advance(3600).await;
    assert!(chat.say_once("ua", "k", 7).await.unwrap().repeated);
}
