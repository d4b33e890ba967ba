//! Putting one record in the place of another: edits and deletions, by comparison.

use hitherto::Message;
use hitherto::store::{Batch, Replaced};

use super::subject::{Subject, records};

/// An edit keeps the place, the id and the time.
pub async fn an_edit_stands_in_the_place_of_the_original(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    let old = chat.record(2).await;
    on.advance(5).await;
    let new = chat.edited(&old, "a much longer answer than the one that stood here before");
    assert_eq!(chat.replace(2, &old, &new).await, Replaced::Done);
    assert_eq!(chat.held().await, "1u 2a 3u 4a");
    let read = chat.record(2).await;
    assert_eq!(read.encode(), new.encode());
    assert_eq!((read.id, read.created_at), (old.id, old.created_at));
    chat.edit(2, "").await;
    assert_eq!(chat.record(2).await.message.unwrap().text(), "");
}

/// What is compared may be the record that was appended, also where the message brought its own time.
pub async fn the_appended_record_is_what_stands_there(on: Subject) {
    let chat = on.chat("s");
    let own = br#"{"role":"user","created_at":"1999-12-31T23:59:59Z","content":"old"}"#;
    let given = records([Message::parse(own.as_slice().to_vec().into()).unwrap()], on.now());
    chat.send(Batch { records: given.clone(), ..chat.batch("") }).await;
    assert_eq!(chat.replace(1, &given[0], &given[0].deleted()).await, Replaced::Done);
}

/// Somebody else was faster: nothing is changed.
pub async fn a_stale_edit_changes_nothing(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    let old = chat.record(2).await;
    chat.edit(2, "first").await;
    let before = (chat.record(2).await.encode(), chat.described().await);
    on.advance(5).await;
    assert_eq!(chat.replace(2, &old, &chat.edited(&old, "second")).await, Replaced::Changed);
    assert_eq!(chat.replace(2, &old, &old.deleted()).await, Replaced::Changed);
    assert_eq!((chat.record(2).await.encode(), chat.described().await), before);
}

/// The record of another place is not the one that stands here.
pub async fn an_edit_of_the_wrong_place_changes_nothing(on: Subject) {
    let chat = on.chat("s");
    chat.say("uu").await;
    let (one, two) = (chat.record(1).await, chat.record(2).await);
    assert_eq!(chat.replace(2, &one, &one.deleted()).await, Replaced::Changed);
    assert_eq!(chat.replace(3, &two, &two.deleted()).await, Replaced::Changed);
    assert_eq!(chat.replace(0, &one, &one.deleted()).await, Replaced::Changed);
    assert_eq!(chat.replace(u64::MAX, &one, &one.deleted()).await, Replaced::Changed);
    assert_eq!(chat.beside("nobody").replace(1, &one, &one.deleted()).await, Replaced::Changed);
    assert!(!chat.beside("nobody").exists().await);
    assert_eq!(chat.held().await, "1u 2u");
}

/// A deleted message keeps its place, its id and its time, and what it said is gone.
pub async fn a_deleted_message_keeps_its_place(on: Subject) {
    let chat = on.chat("s");
    chat.say("uau").await;
    let old = chat.record(2).await;
    chat.delete(2).await;
    assert_eq!(chat.held().await, "1u 2- 3u");
    let left = chat.record(2).await;
    assert_eq!((left.id, left.created_at, left.role, left.message), (old.id, old.created_at, old.role, None));
}

/// No edit brings a deleted message back.
pub async fn deleted_stays_deleted(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    let old = chat.record(2).await;
    chat.delete(2).await;
    assert_eq!(chat.replace(2, &old, &chat.edited(&old, "back")).await, Replaced::Changed);
    assert_eq!(chat.replace(2, &old, &old.deleted()).await, Replaced::Changed);
    assert_eq!(chat.held().await, "1u 2-");
}

/// A number is given once, also that of the newest message, also that of the only one.
pub async fn a_deleted_number_is_not_given_again(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    chat.delete(2).await;
    assert_eq!(chat.say("a").await.first_seq, 3);
    for seq in [1, 3] {
        chat.delete(seq).await;
    }
    assert_eq!(chat.say("u").await.first_seq, 4);
    assert_eq!(chat.held().await, "1- 2- 3- 4u");
}

/// Of many that edit the same record, one succeeds.
pub async fn one_of_many_concurrent_edits_is_done(on: Subject) {
    let chat = on.chat("s");
    chat.say("u").await;
    let old = chat.record(1).await;
    let edits: Vec<_> = (0..8)
        .map(|number| {
            let (chat, old) = (chat.clone(), old.clone());
            tokio::spawn(async move {
                let new = chat.edited(&old, &number.to_string());
                (number, chat.replace(1, &old, &new).await)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for edit in edits {
        let (number, replaced) = edit.await.unwrap();
        if replaced == Replaced::Done {
            winners.push(number.to_string());
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?} were all done");
    assert_eq!(chat.record(1).await.message.unwrap().text(), winners[0]);
}
