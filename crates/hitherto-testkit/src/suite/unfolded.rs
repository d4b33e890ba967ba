//! Reading what a summary does not cover: whole turns always (I5), and of it nothing missing (I4) up to a bound.

use hitherto::store::Range;

use super::notation;
use super::subject::{Chat, Subject};

/// A session of those roles whose summary covers the messages up to `upto`; none with 0.
async fn covered(on: &Subject, roles: &str, upto: u64) -> Chat {
    let chat = on.chat(&format!("{roles} {upto}"));
    chat.say(roles).await;
    if upto > 0 {
        chat.summarise(upto).await;
    }
    chat
}

/// Reads so many turns, and as many more as are not covered, up to `extra` places more.
async fn check(chat: &Chat, turns: u32, extra: u32, expected: &str) {
    let range = Range::Unfolded(turns, extra);
    let (slice, state) =
        chat.on.store().read_with_summary(chat.at(), range, hitherto::store::Reader::Client).await.unwrap();
    notation::check_whole(&slice.entries);
    let name = &chat.key.session;
    let live = notation::from_first_live(&slice.entries);
    assert_eq!(notation::write(live), expected, "{name}: {turns} turns and {extra} places");
    assert_eq!(chat.read(range).await, slice, "{name}: read without the summary");
    let known = chat.described().await;
    assert_eq!((slice.base + 1, slice.last, slice.deleted), (known.first_seq, known.last_seq, known.deleted));
    assert_eq!(hitherto::store::SummaryState { turns: 0, bytes: 0, ..state }, chat.summary().await);
}

/// What is not covered comes, however few turns were asked for.
pub async fn everything_after_the_watermark_comes(on: Subject) {
    for (upto, turns, expected) in [
        (0, 1, "1u 2a 3u 4a 5u 6a 7u 8a"),
        (2, 1, "3u 4a 5u 6a 7u 8a"),
        (4, 1, "5u 6a 7u 8a"),
        (6, 1, "7u 8a"),
        (8, 1, "7u 8a"),
        (4, 2, "5u 6a 7u 8a"),
        (2, 2, "3u 4a 5u 6a 7u 8a"),
    ] {
        check(&covered(&on, "uauauaua", upto).await, turns, 1000, expected).await;
        on.chat(&format!("uauauaua {upto}")).clear().await;
    }
}

/// The turns that were asked for come, covered or not.
pub async fn the_turns_that_are_asked_for_come(on: Subject) {
    let chat = covered(&on, "uauauaua", 6).await;
    for extra in [0, 1, 1000] {
        check(&chat, 2, extra, "5u 6a 7u 8a").await;
        check(&chat, 3, extra, "3u 4a 5u 6a 7u 8a").await;
        check(&chat, 4, extra, "1u 2a 3u 4a 5u 6a 7u 8a").await;
        check(&chat, u32::MAX, extra, "1u 2a 3u 4a 5u 6a 7u 8a").await;
    }
}

/// A bound on what comes beyond the turns: it is reached with a whole turn, and there the slice begins.
pub async fn no_more_comes_than_the_bound_allows(on: Subject) {
    let chat = covered(&on, "uauauauaua", 2).await;
    for (turns, extra, expected) in [
        (1, 0, "9u 10a"),
        (1, 2, "7u 8a 9u 10a"),
        (1, 4, "5u 6a 7u 8a 9u 10a"),
        (1, 6, "3u 4a 5u 6a 7u 8a 9u 10a"),
        (1, u32::MAX, "3u 4a 5u 6a 7u 8a 9u 10a"),
        (2, 0, "7u 8a 9u 10a"),
        (2, 2, "5u 6a 7u 8a 9u 10a"),
        (2, 4, "3u 4a 5u 6a 7u 8a 9u 10a"),
    ] {
        check(&chat, turns, extra, expected).await;
    }
}

/// A bound inside a turn is rounded up to the whole turn.
pub async fn a_bound_inside_a_turn_is_rounded_up(on: Subject) {
    let chat = covered(&on, "uattauattaua", 0).await;
    for (extra, expected) in [
        (1, "6u 7a 8t 9t 10a 11u 12a"),
        (4, "6u 7a 8t 9t 10a 11u 12a"),
        (5, "6u 7a 8t 9t 10a 11u 12a"),
        (6, "1u 2a 3t 4t 5a 6u 7a 8t 9t 10a 11u 12a"),
    ] {
        check(&chat, 1, extra, expected).await;
    }
}

/// A turn of which a part is covered comes whole.
pub async fn a_watermark_inside_a_turn_brings_the_whole_turn(on: Subject) {
    for upto in [4, 5, 6] {
        check(&covered(&on, "uauattaua", upto).await, 1, 1000, "3u 4a 5t 6t 7a 8u 9a").await;
    }
    for upto in [7, 8, 9] {
        check(&covered(&on, "uauattaua", upto).await, 1, 1000, "8u 9a").await;
    }
}

/// What stands before the first user message is a turn.
pub async fn what_comes_before_the_first_user_comes_whole(on: Subject) {
    check(&covered(&on, "saua", 0).await, 1, 1000, "1s 2a 3u 4a").await;
    check(&covered(&on, "saua", 1).await, 1, 1000, "1s 2a 3u 4a").await;
    check(&covered(&on, "saua", 2).await, 1, 1000, "3u 4a").await;
    check(&covered(&on, "aaa", 2).await, 1, 0, "1a 2a 3a").await;
}

/// No turns at all are asked for: only what is not covered comes.
pub async fn without_turns_only_what_is_not_covered_comes(on: Subject) {
    for (upto, extra, expected) in [
        (6, 1000, ""),
        (4, 1000, "5u 6a"),
        (5, 1000, "5u 6a"),
        (2, 1000, "3u 4a 5u 6a"),
        (2, 2, "5u 6a"),
        (2, 0, ""),
    ] {
        let chat = covered(&on, "uauaua", upto).await;
        check(&chat, 0, extra, expected).await;
        chat.clear().await;
    }
}

/// Deleted messages do not count as turns, and are no trouble.
pub async fn deleted_messages_are_passed_over(on: Subject) {
    let chat = covered(&on, "uauauaua", 2).await;
    chat.delete(7).await;
    chat.delete(8).await;
    check(&chat, 1, 1000, "3u 4a 5u 6a 7- 8-").await;
    check(&chat, 1, 0, "5u 6a 7- 8-").await;
    chat.delete(5).await;
    check(&chat, 1, 1000, "3u 4a 5- 6a 7- 8-").await;
}

/// What a maximum removed is not there to come.
pub async fn what_a_maximum_removed_does_not_come(on: Subject) {
    let chat = covered(&on, "uauauaua", 2).await;
    let max_messages = hitherto::Change::Set(4);
    chat.configure(hitherto::Configure { max_messages, ..Default::default() }).await;
    check(&chat, 1, 1000, "5u 6a 7u 8a").await;
    check(&chat, 1, 0, "7u 8a").await;
}

/// Long histories: all that was said after the watermark comes, in one slice without gaps.
pub async fn a_long_rest_comes_whole(on: Subject) {
    let chat = on.chat("s");
    chat.say(&"uatta".repeat(200)).await;
    chat.summarise(100).await;
    for (extra, first, places) in [(10_000, 101, 900), (100, 896, 105), (102, 891, 110), (0, 996, 5)] {
        let slice = chat.read(Range::Unfolded(1, extra)).await;
        notation::check_whole(&slice.entries);
        assert_eq!(slice.entries.len(), places, "{extra} places more");
        assert_eq!(slice.entries.first().map(|entry| entry.seq), Some(first), "{extra} places more");
    }
}

/// A session that does not exist has nothing that is not covered.
pub async fn an_unknown_session_has_nothing_unfolded(on: Subject) {
    let read = on
        .store()
        .read_with_summary(on.chat("nobody").at(), Range::Unfolded(3, 100), hitherto::store::Reader::Client)
        .await
        .unwrap();
    assert_eq!(read, Default::default());
}
