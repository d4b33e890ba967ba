//! Pages of messages through the engine: full where they can be, across whatever was deleted.

use hitherto::store::{Change, Configure, Pop, Seq};
use hitherto::{ChatMemory, Direction, Page, SessionId};

use super::bench::Junk;
use super::subject::Subject;

fn session() -> SessionId {
    SessionId::parse("s").unwrap()
}

async fn page(memory: &ChatMemory, from: Direction, limit: u32) -> Page {
    memory.messages(&session(), from, limit).await.unwrap()
}

fn seqs(page: &Page) -> Vec<Seq> {
    page.messages.iter().map(|message| message.seq).collect()
}

/// Pages hold messages only, as many as were asked for, and say whether there are more.
pub async fn a_page_is_full_and_says_whether_there_is_more(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say("uauauaua").await;
    for seq in [2, 3, 7] {
        chat.delete(seq).await;
    }
    for (from, limit, expected, more) in [
        (Direction::After(0), 2, &[1_u64, 4] as &[Seq], true),
        (Direction::After(0), 4, &[1, 4, 5, 6], true),
        (Direction::After(0), 5, &[1, 4, 5, 6, 8], false),
        (Direction::After(0), 100, &[1, 4, 5, 6, 8], false),
        (Direction::After(5), 1, &[6], true),
        (Direction::After(6), 1, &[8], false),
        (Direction::After(8), 1, &[], false),
        (Direction::After(Seq::MAX), 1, &[], false),
        (Direction::Before(Seq::MAX), 2, &[6, 8], true),
        (Direction::Before(8), 3, &[4, 5, 6], true),
        (Direction::Before(8), 4, &[1, 4, 5, 6], false),
        (Direction::Before(4), 1, &[1], false),
        (Direction::Before(1), 1, &[], false),
        (Direction::Before(0), 1, &[], false),
    ] {
        let page = page(&memory, from, limit).await;
        assert_eq!((seqs(&page), page.more), (expected.to_vec(), more), "{from:?}, {limit}");
    }
}

/// An unknown session is an empty page.
pub async fn a_page_of_nothing_is_empty(on: Subject) {
    let memory = on.memory();
    assert_eq!(page(&memory, Direction::After(0), 5).await, Page::default());
    assert_eq!(page(&memory, Direction::Before(Seq::MAX), 5).await, Page::default());
}

/// Long runs of deleted messages are crossed, whatever the size of the page.
pub async fn pages_cross_long_runs_of_deleted_messages(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say("ua").await;
    chat.say(&format!("u{}", "a".repeat(299))).await;
    chat.pop(Pop::Turn).await;
    chat.say("ua").await;
    chat.say(&format!("u{}", "a".repeat(99))).await;
    chat.pop(Pop::Turn).await;
    for limit in [1, 2, 3, 4, 5, 64, 100, 1000] {
        let (mut forwards, mut from) = (Vec::new(), 0);
        loop {
            let page = page(&memory, Direction::After(from), limit).await;
            forwards.extend(seqs(&page));
            match page.last_seq() {
                Some(last) if page.more => from = last,
                _ => break,
            }
        }
        assert_eq!(forwards, [1, 2, 303, 304], "{limit} a page, forwards");
        let (mut backwards, mut from) = (Vec::new(), Seq::MAX);
        loop {
            let page = page(&memory, Direction::Before(from), limit).await;
            backwards.splice(0..0, seqs(&page));
            match page.first_seq() {
                Some(first) if page.more => from = first,
                _ => break,
            }
        }
        assert_eq!(backwards, [1, 2, 303, 304], "{limit} a page, backwards");
    }
}

/// A session of nothing but deleted messages ends every page.
pub async fn a_page_of_deleted_messages_is_empty(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say(&"ua".repeat(100)).await;
    while !on.store().pop(chat.at(), Pop::Turn).await.unwrap().is_empty() {}
    for limit in [1, 64, 1000] {
        assert_eq!(page(&memory, Direction::After(0), limit).await, Page::default(), "{limit}");
        assert_eq!(page(&memory, Direction::Before(Seq::MAX), limit).await, Page::default(), "{limit}");
    }
}

/// Unreadable places are counted, and do not take the place of a message.
pub async fn unreadable_places_are_counted(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say("uauaua").await;
    chat.spoil(2, Junk::Foreign).await;
    chat.spoil(3, Junk::Damaged).await;
    let whole = page(&memory, Direction::After(0), 100).await;
    assert_eq!((seqs(&whole), whole.unreadable, whole.more), (vec![1, 4, 5, 6], 2, false));
    let whole = page(&memory, Direction::Before(Seq::MAX), 100).await;
    assert_eq!((seqs(&whole), whole.unreadable, whole.more), (vec![1, 4, 5, 6], 2, false));
    let window = memory.window(&session(), hitherto::Window::Turns(9)).await.unwrap();
    assert_eq!((seqs(&window), window.unreadable, window.more), (vec![1, 4, 5, 6], 2, false));
}

/// Going through a session page by page counts each unreadable place once.
pub async fn pages_count_each_unreadable_place_once(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say("uauaua").await;
    chat.spoil(2, Junk::Foreign).await;
    chat.spoil(5, Junk::Foreign).await;
    for limit in [1, 2, 3, 100] {
        let (mut from, mut unreadable) = (0, 0);
        loop {
            let page = page(&memory, Direction::After(from), limit).await;
            unreadable += page.unreadable;
            match page.last_seq() {
                Some(last) if page.more => from = last,
                _ => break,
            }
        }
        assert_eq!(unreadable, 2, "{limit} a page");
    }
}

/// Pages begin after what a maximum removed.
pub async fn pages_begin_after_what_a_maximum_removed(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say("uauaua").await;
    chat.configure(Configure { max_messages: Change::Set(4), ..Configure::default() }).await;
    let first = page(&memory, Direction::After(0), 1).await;
    assert_eq!((seqs(&first), first.more), (vec![3], true));
    let all = page(&memory, Direction::Before(Seq::MAX), 4).await;
    assert_eq!((seqs(&all), all.more), (vec![3, 4, 5, 6], false));
    let none = page(&memory, Direction::Before(3), 4).await;
    assert_eq!((seqs(&none), none.more), (vec![], false));
}
