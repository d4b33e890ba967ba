//! Forking: a copy that goes its own way.

use hitherto::store::{Batch, Change, Configure, Pop, StoreError};
use hitherto::{Restart, TtlChange};

use super::subject::{Chat, Subject, secs, ttl};

fn pair(on: &Subject) -> (Chat, Chat) {
    (on.chat("from"), on.chat("to"))
}

/// Whole: numbers, ids, times and bytes are the same.
pub async fn a_whole_session_is_copied(on: Subject) {
    let (from, to) = pair(&on);
    from.say("suatta").await;
    from.edit(3, "said better").await;
    assert_eq!(from.fork(&to, None).await, Ok(6));
    assert_eq!(to.all().await, from.all().await);
    let (copy, original) = (to.described().await, from.described().await);
    assert_eq!((copy.messages, copy.turns, copy.bytes), (original.messages, original.turns, original.bytes));
}

/// Up to and with a sequence number.
pub async fn a_session_is_copied_up_to_a_number(on: Subject) {
    let (from, to) = pair(&on);
    from.say("uauaua").await;
    assert_eq!(from.fork(&to, Some(3)).await, Ok(3));
    assert_eq!(to.held().await, "1u 2a 3u");
    let known = to.described().await;
    assert_eq!((known.messages, known.turns, known.first_seq, known.last_seq), (3, 2, 1, 3));
    assert_eq!(from.fork(&on.chat("one"), Some(1)).await, Ok(1));
    assert_eq!(from.fork(&on.chat("all"), Some(6)).await, Ok(6));
    assert_eq!(on.chat("all").held().await, "1u 2a 3u 4a 5u 6a");
}

/// The copy's next message follows the last one copied; what either does is nothing to the other.
pub async fn a_copy_goes_its_own_way(on: Subject) {
    let (from, to) = pair(&on);
    from.say("uaua").await;
    from.fork(&to, Some(2)).await.unwrap();
    assert_eq!(to.say("u").await.first_seq, 3);
    assert_eq!(from.say("u").await.first_seq, 5);
    to.delete(1).await;
    from.edit(2, "said better").await;
    from.pop(Pop::Message).await;
    assert_eq!(to.held().await, "1- 2a 3u");
    assert_eq!(from.held().await, "1u 2a 3u 4a 5-");
    assert_eq!(to.record(2).await.message.unwrap().text(), "a1");
    from.clear().await;
    assert_eq!(to.held().await, "1- 2a 3u");
}

/// A session that is there is not written over.
pub async fn no_session_is_written_over(on: Subject) {
    let (from, to) = pair(&on);
    from.say("uaua").await;
    to.say("u").await;
    assert_eq!(from.fork(&to, None).await, Err(StoreError::SessionExists));
    assert_eq!(from.fork(&from, None).await, Err(StoreError::SessionExists));
    assert_eq!(to.held().await, "1u");
    assert_eq!(from.held().await, "1u 2a 3u 4a");
}

/// A session of nothing but deleted messages is there, too.
pub async fn an_emptied_session_is_not_written_over(on: Subject) {
    let (from, to) = pair(&on);
    from.say("u").await;
    to.say("u").await;
    to.pop(Pop::Message).await;
    assert_eq!(from.fork(&to, None).await, Err(StoreError::SessionExists));
}

/// There is nothing to copy.
pub async fn a_missing_session_cannot_be_copied(on: Subject) {
    let (from, to) = pair(&on);
    assert_eq!(from.fork(&to, None).await, Err(StoreError::NoSession));
    assert_eq!(from.fork(&to, Some(1)).await, Err(StoreError::NoSession));
    assert!(!to.exists().await);
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// Only numbers that the session has.
pub async fn a_number_that_the_session_has_not_is_an_error(on: Subject) {
    let (from, to) = pair(&on);
    from.say("uauaua").await;
    from.configure(Configure { max_messages: Change::Set(4), ..Configure::default() }).await;
    for upto in [0, 1, 2, 7, u64::MAX] {
        assert_eq!(from.fork(&to, Some(upto)).await, Err(StoreError::NoMessage(upto)));
    }
    assert!(!to.exists().await);
    assert_eq!(from.fork(&to, Some(3)).await, Ok(3));
    assert_eq!(to.held().await, "3u");
    assert_eq!(to.described().await.first_seq, 3);
}

/// Deleted places are copied as such.
pub async fn deleted_places_are_copied(on: Subject) {
    let (from, to) = pair(&on);
    from.say("uauaua").await;
    for seq in [1, 4, 6] {
        from.delete(seq).await;
    }
    assert_eq!(from.fork(&to, None).await, Ok(6));
    assert_eq!(to.held().await, "1- 2a 3u 4- 5u 6-");
    assert_eq!(to.described().await.deleted, 3);
    assert_eq!(from.fork(&on.chat("half"), Some(4)).await, Ok(4));
    let known = on.chat("half").described().await;
    assert_eq!((known.messages, known.turns, known.deleted, known.last_seq), (2, 1, 2, 4));
}

/// Settings come along: maximum, metadata, time to live.
pub async fn settings_are_copied(on: Subject) {
    let (from, to) = pair(&on);
    from.say("ua").await;
    let settings = Configure {
        ttl: ttl(600, Restart::Read),
        max_messages: Change::Set(4),
        metadata: Change::Set(r#"{"topic":"boats"}"#.to_owned()),
        policy: Change::Keep,
    };
    from.configure(settings).await;
    from.fork(&to, None).await.unwrap();
    let known = to.described().await;
    assert_eq!(known.ttl, Some(secs(600).restarted_by(Restart::Read)));
    assert_eq!(known.max_messages, Some(4));
    assert_eq!(known.metadata.as_deref(), Some(r#"{"topic":"boats"}"#));
    to.say("uaua").await;
    assert_eq!(to.held().await, "3u 4a 5u 6a");
    to.set_ttl(TtlChange::Remove).await;
    assert!(from.expires_at().await.is_some());
}

/// A copy is a new session: its clock begins when it is made, and the original's runs on.
pub async fn the_clock_of_a_copy_begins_anew(on: Subject) {
    let (from, to) = pair(&on);
    from.say_for("ua", ttl(60, Restart::Write)).await;
    on.advance(40).await;
    from.fork(&to, None).await.unwrap();
    assert_eq!(from.ends_in().await, Some(20));
    assert_eq!(to.ends_in().await, Some(60));
    let known = to.described().await;
    assert!(on.same_time(known.created_at, on.now()) && on.same_time(known.updated_at, on.now()));
    on.advance(30).await;
    assert!(!from.exists().await);
    assert_eq!(to.held().await, "1u 2a");
    on.advance(40).await;
    assert_eq!(to.held().await, "");
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// A session that has expired is no session: it cannot be copied, and its id is free.
pub async fn an_expired_session_is_neither_source_nor_obstacle(on: Subject) {
    let (from, to) = pair(&on);
    from.say_for("ua", ttl(60, Restart::Write)).await;
    on.advance(70).await;
    assert_eq!(from.fork(&to, None).await, Err(StoreError::NoSession));
    to.say("u").await;
    assert_eq!(to.fork(&from, None).await, Ok(1));
    assert_eq!(from.held().await, "1u");
    assert_eq!(from.expires_at().await, None);
}

/// Only one of many that fork to the same id does so.
pub async fn one_of_many_concurrent_copies_is_made(on: Subject) {
    let (from, to) = pair(&on);
    from.say("uaua").await;
    let copies: Vec<_> = (1..=4)
        .map(|upto| {
            let (from, to) = (from.clone(), to.clone());
            tokio::spawn(async move { from.fork(&to, Some(upto)).await })
        })
        .collect();
    let mut made = Vec::new();
    for copy in copies {
        match copy.await.unwrap() {
            Ok(last) => made.push(last),
            Err(error) => assert_eq!(error, StoreError::SessionExists),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(to.described().await.last_seq, made[0]);
}

/// The settings of the two are apart.
pub async fn the_copy_of_a_session_keeps_a_maximum_of_its_own(on: Subject) {
    let (from, to) = pair(&on);
    from.send(Batch { max_messages: Change::Set(2), ..from.batch("ua") }).await;
    from.fork(&to, None).await.unwrap();
    from.configure(Configure { max_messages: Change::Remove, ..Configure::default() }).await;
    from.say("ua").await;
    to.say("ua").await;
    assert_eq!(from.held().await, "1u 2a 3u 4a");
    assert_eq!(to.held().await, "3u 4a");
}
