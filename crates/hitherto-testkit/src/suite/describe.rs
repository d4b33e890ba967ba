//! What is known of a session beside its messages.

use hitherto::store::{Batch, Change, Configure, Pop, StoreError};
use hitherto::{Message, Restart};

use super::subject::{Subject, records, secs, ttl};

/// Every field of a description.
pub async fn a_description_tells_everything(on: Subject) {
    let chat = on.chat("s");
    let began = on.now();
    chat.say("suata").await;
    on.advance(100).await;
    chat.say("ua").await;
    chat.delete(2).await;
    let settings = Configure {
        ttl: ttl(600, Restart::Never),
        max_messages: Change::Set(50),
        metadata: Change::Set(r#"{"topic":"boats","n":12345678901234567890123}"#.to_owned()),
        policy: Change::Keep,
    };
    chat.configure(settings).await;
    let known = chat.described().await;
    assert_eq!((known.messages, known.turns, known.deleted), (6, 1, 1));
    assert_eq!((known.first_seq, known.last_seq), (1, 7));
    assert!(known.bytes > 0);
    assert!(on.same_time(known.created_at, began), "{} is not {began}", known.created_at);
    assert!(on.same_time(known.updated_at, on.now()), "{} is not {}", known.updated_at, on.now());
    assert_eq!(known.ttl, Some(secs(600).restarted_by(Restart::Never)));
    assert!(on.same_time(known.expires_at.unwrap(), on.now().plus_millis(600_000)));
    assert_eq!(known.max_messages, Some(50));
    assert_eq!(known.metadata.as_deref(), Some(r#"{"topic":"boats","n":12345678901234567890123}"#));
}

/// A session that does not exist has no description, and none comes of asking.
pub async fn an_unknown_session_has_no_description(on: Subject) {
    let chat = on.chat("nobody");
    assert_eq!(chat.description().await, None);
    assert_eq!(chat.description().await, None);
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// Turns are counted by the user messages that are there.
pub async fn turns_are_counted_through_every_change(on: Subject) {
    let chat = on.chat("s");
    let turns = async || chat.described().await.turns;
    chat.say("sa").await;
    assert_eq!(turns().await, 0);
    chat.say("uauuat").await;
    assert_eq!(turns().await, 3);
    chat.delete(4).await;
    assert_eq!(turns().await, 3, "an answer was deleted");
    chat.delete(5).await;
    assert_eq!(turns().await, 2, "a user's message was deleted");
    chat.edit(3, "said better").await;
    assert_eq!(turns().await, 2, "a user's message was edited");
    chat.pop(Pop::Message).await;
    assert_eq!(turns().await, 2, "a tool's message was popped");
    chat.pop(Pop::Turn).await;
    assert_eq!(turns().await, 1, "a turn was popped");
    chat.say("ua").await;
    chat.configure(Configure { max_messages: Change::Set(2), ..Configure::default() }).await;
    assert_eq!(chat.held().await, "9u 10a");
    assert_eq!(turns().await, 1, "turns were trimmed");
}

/// The size follows what is stored: it grows, shrinks, and comes back to the same.
pub async fn the_size_follows_what_is_stored(on: Subject) {
    let (chat, same) = (on.chat("s"), on.chat("same"));
    let bytes = async || chat.described().await.bytes;
    chat.say("ua").await;
    let small = bytes().await;
    let long = Message::user(&"x".repeat(10_000));
    chat.send(Batch { records: records([long], on.now()), ..chat.batch("") }).await;
    let large = bytes().await;
    assert!(large >= small + 10_000, "{small} and 10,000 more is {large}");
    chat.edit(3, &"y".repeat(5000)).await;
    let edited = bytes().await;
    assert!(edited < large - 4000 && edited > small + 5000, "{large}, edited to a half, is {edited}");
    chat.delete(3).await;
    let deleted = bytes().await;
    assert!(deleted < small + 1000, "{small} and what a deleted message leaves is {deleted}");
    same.say("ua").await;
    assert_eq!(same.described().await.bytes, small);
}

/// Created once, updated by every write, and by no read.
pub async fn times_are_those_of_the_first_and_the_last_write(on: Subject) {
    let chat = on.chat("s");
    let began = on.now();
    chat.say("uaua").await;
    for write in ["append", "edit", "delete", "pop", "configure", "read"] {
        on.advance(50).await;
        let mut written = on.now();
        match write {
            "append" => drop(chat.say("ua").await),
            "edit" => chat.edit(1, "said better").await,
            "delete" => chat.delete(1).await,
            "pop" => drop(chat.pop(Pop::Message).await),
            "configure" => {
                chat.configure(Configure { max_messages: Change::Set(9), ..Configure::default() }).await
            }
            _ => {
                chat.held().await;
                written = written.plus_millis(-50_000);
            }
        }
        let known = chat.described().await;
        assert!(on.same_time(known.created_at, began), "{write} changed when the session began");
        assert!(on.same_time(known.updated_at, written), "{write}: {} is not {written}", known.updated_at);
    }
}

/// Metadata is set, replaced and removed, and kept as it was given.
pub async fn metadata_is_kept_as_it_was_given(on: Subject) {
    let chat = on.chat("s");
    chat.say("u").await;
    assert_eq!(chat.described().await.metadata, None);
    let odd = "{\n \"b\" : 1.0e400, \"a\":\"\\ud83d \\u0000 \u{2028}\" , \"a\":2}";
    for (change, expected) in [
        (Change::Set(odd.to_owned()), Some(odd)),
        (Change::Keep, Some(odd)),
        (Change::Set("{}".to_owned()), Some("{}")),
        (Change::Remove, None),
        (Change::Remove, None),
    ] {
        chat.configure(Configure { metadata: change.clone(), ..Configure::default() }).await;
        assert_eq!(chat.described().await.metadata.as_deref(), expected, "{change:?}");
    }
    chat.configure(Configure { metadata: Change::Set(odd.to_owned()), ..Configure::default() }).await;
    chat.say("a").await;
    assert_eq!(chat.described().await.metadata.as_deref(), Some(odd));
}

/// Settings are those of a session: without one there is nothing to set.
pub async fn an_unknown_session_cannot_be_configured(on: Subject) {
    let chat = on.chat("nobody");
    let settings = Configure {
        ttl: ttl(60, Restart::Write),
        max_messages: Change::Set(1),
        metadata: Change::Set("{}".to_owned()),
        policy: Change::Keep,
    };
    assert_eq!(chat.try_configure(settings).await, Err(StoreError::NoSession));
    assert_eq!(chat.try_configure(Configure::default()).await, Err(StoreError::NoSession));
    assert!(!chat.exists().await);
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// A store that is there answers, and finds nothing wrong with itself.
pub async fn a_store_that_works_says_so(on: Subject) {
    on.store().ping().await.unwrap();
    let findings = on.store().inspect().await.unwrap();
    assert!(findings.iter().any(|finding| finding.subject == "version"), "{findings:?}");
    assert!(findings.iter().all(|finding| finding.severity < hitherto::Severity::Failure), "{findings:?}");
}
