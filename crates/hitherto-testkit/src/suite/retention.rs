//! An explicit maximum of messages: the oldest turns go, whole, and never the newest.

use hitherto::Window;
use hitherto::store::{Batch, Change, Configure, Pop};

use super::subject::{Chat, Subject};

async fn set(chat: &Chat, max_messages: Change<u64>) {
    chat.configure(Configure { max_messages, ..Configure::default() }).await;
}

/// Appends `roles`, deletes some of it, sets a maximum, and looks what is left.
async fn check(on: &Subject, roles: &str, deleted: &[u64], max: u64, expected: &str) {
    let chat = on.chat(&format!("{roles} {deleted:?} {max}"));
    chat.say(roles).await;
    for seq in deleted {
        chat.delete(*seq).await;
    }
    set(&chat, Change::Set(max)).await;
    assert_eq!(chat.held().await, expected, "{roles} without {deleted:?}, at most {max}");
    let (known, slice) = (chat.described().await, chat.all().await);
    let live = |sign: char| expected.split(' ').filter(|place| place.ends_with(sign)).count() as u64;
    assert_eq!(known.deleted, live('-'), "{roles} without {deleted:?}, at most {max}: deleted");
    assert_eq!(known.turns, live('u'), "{roles} without {deleted:?}, at most {max}: turns");
    assert_eq!(known.messages, slice.entries.len() as u64 - known.deleted);
    assert_eq!((slice.base + 1, slice.last), (known.first_seq, roles.len() as u64));
    assert_eq!(slice.entries.first().map(|entry| entry.seq), Some(known.first_seq));
}

/// Only whole turns, and no more than needed.
pub async fn whole_turns_go_oldest_first(on: Subject) {
    check(&on, "uauaua", &[], 6, "1u 2a 3u 4a 5u 6a").await;
    check(&on, "uauaua", &[], 5, "3u 4a 5u 6a").await;
    check(&on, "uauaua", &[], 4, "3u 4a 5u 6a").await;
    check(&on, "uauaua", &[], 3, "5u 6a").await;
    check(&on, "uattaua", &[], 6, "6u 7a").await;
    check(&on, "uuuu", &[], 3, "2u 3u 4u").await;
}

/// The newest turn stays, however long it is.
pub async fn the_newest_turn_is_never_cut(on: Subject) {
    check(&on, "uaua", &[], 1, "3u 4a").await;
    check(&on, "uauatta", &[], 2, "3u 4a 5t 6t 7a").await;
    check(&on, "uatta", &[], 1, "1u 2a 3t 4t 5a").await;
    check(&on, "saaa", &[], 1, "1s 2a 3a 4a").await;
}

/// What stands before the first user message is the oldest turn.
pub async fn what_comes_before_the_first_user_goes_first(on: Subject) {
    check(&on, "saua", &[], 3, "3u 4a").await;
    check(&on, "ssuaua", &[], 4, "3u 4a 5u 6a").await;
}

/// Deleted messages do not count, and go with the turn that they stand in.
pub async fn deleted_messages_do_not_count(on: Subject) {
    check(&on, "uauaua", &[2, 4], 4, "1u 2- 3u 4- 5u 6a").await;
    check(&on, "uauaua", &[2, 4], 3, "3u 4- 5u 6a").await;
    check(&on, "uauaua", &[3], 4, "5u 6a").await;
    check(&on, "uauaua", &[5, 6], 2, "3u 4a 5- 6-").await;
    check(&on, "uaua", &[3, 4], 1, "1u 2a 3- 4-").await;
}

/// Each append keeps to the maximum that was set, and numbers go on.
pub async fn every_append_keeps_to_the_maximum(on: Subject) {
    let chat = on.chat("s");
    chat.send(Batch { max_messages: Change::Set(4), ..chat.batch("ua") }).await;
    for turn in 1..20_u64 {
        assert_eq!(chat.say("ua").await.first_seq, 2 * turn + 1);
        assert_eq!(chat.described().await.messages, 4);
    }
    assert_eq!(chat.held().await, "37u 38a 39u 40a");
    assert_eq!(chat.window(Window::Turns(9)).await, "37u 38a 39u 40a");
    let known = chat.described().await;
    assert_eq!((known.turns, known.deleted, known.first_seq, known.last_seq), (2, 0, 37, 40));
    assert_eq!(known.max_messages, Some(4));
}

/// An append larger than the maximum loses its own oldest turns, and its receipt is right.
pub async fn an_append_larger_than_the_maximum_is_cut_itself(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    let receipt = chat.send(Batch { max_messages: Change::Set(3), ..chat.batch("uauaua") }).await;
    assert_eq!(receipt.first_seq, 3);
    assert_eq!(chat.held().await, "7u 8a");
    chat.say("ata").await;
    assert_eq!(chat.held().await, "7u 8a 9a 10t 11a", "the newest turn grew");
    chat.say("u").await;
    assert_eq!(chat.held().await, "12u");
}

/// A removed maximum holds nobody back, and brings nothing back.
pub async fn a_removed_maximum_is_gone(on: Subject) {
    let chat = on.chat("s");
    chat.send(Batch { max_messages: Change::Set(2), ..chat.batch("uaua") }).await;
    set(&chat, Change::Remove).await;
    assert_eq!(chat.described().await.max_messages, None);
    chat.say("uaua").await;
    assert_eq!(chat.held().await, "3u 4a 5u 6a 7u 8a");
    chat.send(Batch { max_messages: Change::Set(2), ..chat.batch("ua") }).await;
    assert_eq!(chat.held().await, "9u 10a");
    chat.send(Batch { max_messages: Change::Remove, ..chat.batch("ua") }).await;
    assert_eq!(chat.held().await, "9u 10a 11u 12a");
}

/// A higher maximum brings nothing back, and holds from then on.
pub async fn a_raised_maximum_holds_from_then_on(on: Subject) {
    let chat = on.chat("s");
    chat.send(Batch { max_messages: Change::Set(2), ..chat.batch("uaua") }).await;
    set(&chat, Change::Set(4)).await;
    assert_eq!(chat.held().await, "3u 4a");
    chat.say("uaua").await;
    assert_eq!(chat.held().await, "5u 6a 7u 8a");
}

/// What was removed cannot be edited, popped, or read, and the size of it is gone, too.
pub async fn what_a_maximum_removed_is_gone(on: Subject) {
    let (chat, same) = (on.chat("s"), on.chat("same"));
    chat.say("uaua").await;
    let old = chat.record(1).await;
    set(&chat, Change::Set(2)).await;
    let changed = chat.replace(1, &old, &old.deleted()).await;
    assert_eq!(changed, hitherto::store::Replaced::Changed);
    same.say("ua").await;
    let (left, alone) = (chat.described().await, same.described().await);
    assert_eq!(left.bytes, alone.bytes);
    assert_eq!(chat.pop(Pop::Turn).await, "3u 4a");
    assert_eq!(chat.pop(Pop::Turn).await, "");
    assert_eq!(chat.say("u").await.first_seq, 5);
}

/// A maximum that no session reaches removes nothing, however large the number is.
pub async fn a_maximum_beyond_all_counts_removes_nothing(on: Subject) {
    for max in [1 << 32, 1 << 48, (1 << 53) + 1, 1 << 63, u64::MAX] {
        let chat = on.chat(&max.to_string());
        chat.send(Batch { max_messages: Change::Set(max), ..chat.batch("uaua") }).await;
        set(&chat, Change::Set(max)).await;
        chat.say("ua").await;
        assert_eq!(chat.held().await, "1u 2a 3u 4a 5u 6a", "at most {max}");
        let known = chat.described().await;
        assert!(known.max_messages.is_some_and(|max| max >= 1 << 32), "{max}: {known:?}");
        assert!(on.same_time(known.updated_at, on.now()), "{max}: {known:?}");
    }
}
