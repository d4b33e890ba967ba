//! Clearing: the session is gone with everything that belongs to it.

use hitherto::store::{Change, Configure, Pop, StoreError};
use hitherto::{Restart, Window};

use super::bench::Junk;
use super::subject::{Subject, ttl};

/// It says how many messages there were; deleted ones were none.
pub async fn clearing_counts_the_messages(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    chat.delete(2).await;
    chat.pop(Pop::Turn).await;
    chat.spoil(1, Junk::Foreign).await;
    assert_eq!(chat.clear().await, Some(3));
}

/// The second time there is no session.
pub async fn clearing_twice_is_clearing_once(on: Subject) {
    let chat = on.chat("s");
    assert_eq!(chat.clear().await, None);
    chat.say("ua").await;
    assert_eq!(chat.clear().await, Some(2));
    assert_eq!(chat.clear().await, None);
}

/// A session that was popped empty exists, and has no messages.
pub async fn an_emptied_session_has_no_messages_to_clear(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    chat.pop(Pop::Turn).await;
    assert_eq!(chat.clear().await, Some(0));
    assert_eq!(chat.clear().await, None);
}

/// Nothing is left: no message, no setting, no key, no place in the list.
pub async fn a_cleared_session_leaves_nothing(on: Subject) {
    let chat = on.chat("s");
    for key in ["k1", "k2"] {
        chat.say_once("ua", key, 7).await.unwrap();
    }
    let settings = Configure {
        ttl: ttl(600, Restart::Read),
        max_messages: Change::Set(4),
        metadata: Change::Set("{}".to_owned()),
        policy: Change::Keep,
    };
    chat.configure(settings).await;
    assert!(!on.leftovers().await.is_empty(), "the bench sees nothing of a session that is there");
    chat.clear().await;
    assert_eq!(on.leftovers().await, [""; 0]);
    assert_eq!(on.names().await, [""; 0]);
    assert_eq!(chat.held().await, "");
    assert_eq!(chat.window(Window::Turns(9)).await, "");
    assert!(!chat.exists().await);
    assert_eq!(chat.try_configure(Configure::default()).await, Err(StoreError::NoSession));
}

/// The next session of that id begins at 1, with nothing of the old one.
pub async fn a_session_after_a_clear_begins_at_one(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("uaua", ttl(600, Restart::Write)).await;
    let settings = Configure {
        max_messages: Change::Set(4),
        metadata: Change::Set("{}".to_owned()),
        ..Configure::default()
    };
    chat.configure(settings).await;
    on.advance(10).await;
    chat.clear().await;
    assert_eq!(chat.say("uu").await.first_seq, 1);
    let known = chat.described().await;
    assert_eq!((known.messages, known.turns, known.deleted, known.last_seq), (2, 2, 0, 2));
    assert_eq!((known.ttl, known.expires_at, known.max_messages, known.metadata), (None, None, None, None));
    assert!(on.same_time(known.created_at, on.now()));
    on.advance(700).await;
    assert_eq!(chat.held().await, "1u 2u");
}

/// Only the session that was meant.
pub async fn clearing_one_session_leaves_the_others(on: Subject) {
    let (one, two) = (on.chat("one"), on.chat("two"));
    one.say_once("ua", "k", 7).await.unwrap();
    two.say_once("ua", "k", 7).await.unwrap();
    one.clear().await;
    assert_eq!(two.held().await, "1u 2a");
    assert!(two.say_once("ua", "k", 7).await.unwrap().repeated);
    assert_eq!(on.names().await, ["two"]);
}

/// Of many that clear, one is told the count.
pub async fn one_of_many_concurrent_clears_counts(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    let clears: Vec<_> = (0..8)
        .map(|_| {
            let chat = chat.clone();
            tokio::spawn(async move { chat.clear().await })
        })
        .collect();
    let mut counts = Vec::new();
    for clear in clears {
        counts.extend(clear.await.unwrap());
    }
    assert_eq!(counts, [4]);
}
