//! Popping: the newest message or turn is deleted and given back.

use hitherto::store::{Pop, Range};

use super::subject::Subject;

/// The newest message, one after another.
pub async fn a_message_is_taken_from_the_end(on: Subject) {
    let chat = on.chat("s");
    chat.say("uau").await;
    for expected in ["3u", "2a", "1u", "", ""] {
        assert_eq!(chat.pop(Pop::Message).await, expected);
    }
    assert_eq!(chat.held().await, "1- 2- 3-");
}

/// The newest turn whole, oldest message first.
pub async fn a_turn_is_taken_whole(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauatta").await;
    assert_eq!(chat.pop(Pop::Turn).await, "3u 4a 5t 6t 7a");
    assert_eq!(chat.held().await, "1u 2a 3- 4- 5- 6- 7-");
    assert_eq!(chat.pop(Pop::Turn).await, "1u 2a");
    assert_eq!(chat.pop(Pop::Turn).await, "");
}

/// What stands before the first user message is the last turn to be popped.
pub async fn what_comes_before_the_first_user_is_popped_last(on: Subject) {
    let chat = on.chat("s");
    chat.say("ssua").await;
    assert_eq!(chat.pop(Pop::Turn).await, "3u 4a");
    assert_eq!(chat.pop(Pop::Turn).await, "1s 2s");
    assert_eq!(chat.pop(Pop::Turn).await, "");
}

/// Nothing comes from nothing, and nothing is made by it.
pub async fn an_unknown_session_has_nothing_to_pop(on: Subject) {
    let chat = on.chat("nobody");
    assert_eq!(chat.pop(Pop::Message).await, "");
    assert_eq!(chat.pop(Pop::Turn).await, "");
    assert!(!chat.exists().await);
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// Popping passes over what was deleted at the end.
pub async fn deleted_messages_at_the_end_are_passed_over(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    chat.delete(5).await;
    chat.delete(6).await;
    assert_eq!(chat.pop(Pop::Message).await, "4a");
    assert_eq!(chat.pop(Pop::Turn).await, "3u");
    assert_eq!(chat.held().await, "1u 2a 3- 4- 5- 6-");
}

/// A turn with deleted messages in it gives back those that are left.
pub async fn a_popped_turn_gives_back_what_is_left_of_it(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauata").await;
    chat.delete(5).await;
    assert_eq!(chat.pop(Pop::Turn).await, "3u 4a 6a");
    let chat = on.chat("merged");
    chat.say("uaua").await;
    chat.delete(3).await;
    assert_eq!(chat.pop(Pop::Turn).await, "1u 2a 4a");
}

/// Numbers of popped messages are not given again, not even when all were popped.
pub async fn popped_numbers_are_not_given_again(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.pop(Pop::Message).await;
    assert_eq!(chat.say("a").await.first_seq, 5);
    while !chat.pop(Pop::Message).await.is_empty() {}
    assert_eq!(chat.say("u").await.first_seq, 6);
    assert_eq!(chat.held().await, "1- 2- 3- 4- 5- 6u");
}

/// What comes back is what was stored.
pub async fn what_is_popped_is_what_was_stored(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.edit(4, "said better").await;
    let expected: Vec<_> = chat.read(Range::After(2, 2)).await.entries;
    let popped = on.store().pop(chat.at(), Pop::Turn).await.unwrap();
    assert_eq!(popped, expected);
}

/// A popped session still exists, with its settings.
pub async fn a_session_that_is_popped_empty_still_exists(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    chat.pop(Pop::Turn).await;
    let known = chat.described().await;
    assert_eq!((known.messages, known.turns, known.deleted, known.last_seq), (0, 0, 2, 2));
    assert_eq!(on.names().await, ["s"]);
}

/// Popping nothing is no write.
pub async fn popping_nothing_changes_nothing(on: Subject) {
    let chat = on.chat("s");
    chat.say("u").await;
    chat.pop(Pop::Message).await;
    let before = chat.described().await;
    on.advance(100).await;
    chat.pop(Pop::Turn).await;
    assert_eq!(chat.described().await, before);
}

/// Of many that pop, none gets what another got, and nothing is lost.
pub async fn no_message_is_popped_twice(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauauauauauauauauaua").await;
    let pops: Vec<_> = (0..16)
        .map(|_| {
            let chat = chat.clone();
            tokio::spawn(async move { number_of(&chat.pop(Pop::Message).await) })
        })
        .collect();
    let mut popped = Vec::new();
    for pop in pops {
        popped.push(pop.await.unwrap());
    }
    popped.sort_unstable();
    assert_eq!(popped, (5..=20).collect::<Vec<_>>());
    assert_eq!(
        chat.window(hitherto::Window::Turns(9)).await.split(' ').take(4).collect::<Vec<_>>(),
        ["1u", "2a", "3u", "4a"]
    );
}

/// The number of the one message that is written down here.
fn number_of(written: &str) -> u64 {
    written.trim_end_matches(char::is_alphabetic).parse().unwrap_or_else(|_| panic!("popped {written:?}"))
}
