//! Reading by sequence number, both ways.

use hitherto::store::{Batch, Change, Entry, Range, Seq};

use super::notation;
use super::subject::{Chat, Subject};

async fn check(chat: &Chat, range: Range, expected: &str) {
    assert_eq!(chat.part(range).await, expected, "{range:?}");
}

/// The oldest places after a number, oldest first.
pub async fn after_reads_forwards(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    check(&chat, Range::After(0, 2), "1u 2a").await;
    check(&chat, Range::After(2, 2), "3u 4a").await;
    check(&chat, Range::After(4, 9), "5u 6a").await;
    check(&chat, Range::After(6, 9), "").await;
    check(&chat, Range::After(3, 1), "4a").await;
}

/// The newest places before a number, still oldest first.
pub async fn before_reads_backwards_and_gives_oldest_first(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    check(&chat, Range::Before(7, 2), "5u 6a").await;
    check(&chat, Range::Before(5, 2), "3u 4a").await;
    check(&chat, Range::Before(3, 9), "1u 2a").await;
    check(&chat, Range::Before(2, 1), "1u").await;
    check(&chat, Range::Before(1, 9), "").await;
    check(&chat, Range::Before(0, 9), "").await;
}

/// Numbers that no session reaches, and limits of everything and nothing.
pub async fn the_edges_of_numbers_are_no_trouble(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    for far in [99, Seq::from(u32::MAX), (1 << 53) + 1, i64::MAX as Seq, Seq::MAX - 1, Seq::MAX] {
        check(&chat, Range::After(far, 9), "").await;
        check(&chat, Range::Before(far, 2), "3u 4a").await;
        check(&chat, Range::Before(far, u32::MAX), "1u 2a 3u 4a").await;
        check(&chat, Range::After(far, u32::MAX), "").await;
    }
    check(&chat, Range::After(0, u32::MAX), "1u 2a 3u 4a").await;
    check(&chat, Range::After(0, 0), "").await;
    check(&chat, Range::Before(9, 0), "").await;
}

/// Deleted places are places.
pub async fn deleted_places_are_in_a_page(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    chat.delete(2).await;
    chat.delete(6).await;
    check(&chat, Range::After(0, 3), "1u 2- 3u").await;
    check(&chat, Range::Before(9, 3), "4a 5u 6-").await;
    let slice = chat.read(Range::After(2, 1)).await;
    assert_eq!((slice.base, slice.last, slice.deleted), (0, 6, 2));
}

/// What a maximum removed is before the base, and pages begin after it.
pub async fn pages_begin_after_what_a_maximum_removed(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauauaua").await;
    chat.send(Batch { max_messages: Change::Set(4), ..chat.batch("ua") }).await;
    check(&chat, Range::After(0, 2), "7u 8a").await;
    check(&chat, Range::After(3, 2), "7u 8a").await;
    check(&chat, Range::After(6, 2), "7u 8a").await;
    check(&chat, Range::After(7, 2), "8a 9u").await;
    check(&chat, Range::Before(8, 9), "7u").await;
    check(&chat, Range::Before(7, 9), "").await;
    check(&chat, Range::Before(2, 9), "").await;
    check(&chat, Range::Before(Seq::MAX, 3), "8a 9u 10a").await;
    let slice = chat.read(Range::After(0, 1)).await;
    assert_eq!((slice.base, slice.last, slice.deleted), (6, 10, 0));
}

/// Page after page, both ways, everything comes once.
pub async fn pages_give_everything_once(on: Subject) {
    let chat = on.chat("s");
    for _ in 0..23 {
        chat.say("uat").await;
    }
    for seq in [1, 7, 8, 9, 69] {
        chat.delete(seq).await;
    }
    let all = chat.all().await.entries;
    for limit in [1, 7, 64] {
        let (mut forwards, mut backwards): (Vec<Entry>, Vec<Entry>) = (Vec::new(), Vec::new());
        // A page more than there are places: a store that never says that it has no more must not hang the test.
        for _ in 0..=all.len() {
            let from = forwards.last().map_or(0, |entry| entry.seq);
            forwards.extend(chat.read(Range::After(from, limit)).await.entries);
            let from = backwards.first().map_or(Seq::MAX, |entry| entry.seq);
            backwards.splice(0..0, chat.read(Range::Before(from, limit)).await.entries);
        }
        assert_eq!(notation::write(&forwards), notation::write(&all), "pages of {limit}, forwards");
        assert_eq!(notation::write(&backwards), notation::write(&all), "pages of {limit}, backwards");
    }
}
