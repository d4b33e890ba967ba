//! Places that hold something unreadable: skipped, counted, and kept (I7).

use hitherto::store::{Change, Configure, Pop, Range, Replaced};
use hitherto::{Unreadable, Window};

use super::bench::Junk;
use super::subject::Subject;

/// It is told apart from a message, whatever it is.
pub async fn junk_is_no_message(on: Subject) {
    for junk in Junk::ALL {
        let chat = on.chat(&format!("{junk:?}"));
        chat.say("uaua").await;
        chat.spoil(2, junk).await;
        assert_eq!(chat.held().await, "1u 2! 3u 4a", "{junk:?}");
        let found = chat.read(Range::After(1, 1)).await.entries[0].record.clone();
        assert!(found.is_err(), "{junk:?}");
        if junk == Junk::Newer {
            assert_eq!(found, Err(Unreadable::Newer));
        }
    }
}

/// Windows pass over it, and turns around it stay whole.
pub async fn windows_pass_over_junk(on: Subject) {
    use Window::{Messages, Turns};
    for junk in Junk::ALL {
        let chat = on.chat(&format!("{junk:?}"));
        chat.say("uauauauta").await;
        chat.spoil(4, junk).await;
        chat.spoil(6, junk).await;
        for (window, expected) in [
            (Turns(1), "7u 8t 9a"),
            (Turns(2), "5u 6! 7u 8t 9a"),
            (Turns(3), "3u 4! 5u 6! 7u 8t 9a"),
            (Messages(4), "5u 6! 7u 8t 9a"),
            (Messages(5), "3u 4! 5u 6! 7u 8t 9a"),
        ] {
            assert_eq!(chat.window(window).await, expected, "{junk:?} {window:?}");
        }
    }
}

/// A spoiled user message begins no turn: what follows it belongs to the turn before.
pub async fn a_spoiled_user_message_begins_no_turn(on: Subject) {
    for junk in Junk::ALL {
        let chat = on.chat(&format!("{junk:?}"));
        chat.say("uauaua").await;
        chat.spoil(5, junk).await;
        assert_eq!(chat.window(Window::Turns(1)).await, "3u 4a 5! 6a", "{junk:?}");
        assert_eq!(chat.window(Window::Messages(1)).await, "3u 4a 5! 6a", "{junk:?}");
        assert_eq!(chat.window(Window::Messages(4)).await, "1u 2a 3u 4a 5! 6a", "{junk:?}");
    }
}

/// Appending goes on after it.
pub async fn appending_goes_on_after_junk(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    for seq in [1, 2] {
        chat.spoil(seq, Junk::Foreign).await;
    }
    assert_eq!(chat.say("ua").await.first_seq, 3);
    assert_eq!(chat.held().await, "1! 2! 3u 4a");
    assert_eq!(chat.window(Window::Turns(1)).await, "3u 4a");
}

/// Popping takes the messages and leaves the junk.
pub async fn popping_leaves_junk_where_it_is(on: Subject) {
    for junk in Junk::ALL {
        let chat = on.chat(&format!("{junk:?}"));
        chat.say("uauata").await;
        chat.spoil(5, junk).await;
        chat.spoil(6, junk).await;
        assert_eq!(chat.pop(Pop::Message).await, "4a", "{junk:?}");
        assert_eq!(chat.held().await, "1u 2a 3u 4- 5! 6!", "{junk:?}");
        chat.spoil(2, junk).await;
        assert_eq!(chat.pop(Pop::Turn).await, "3u", "{junk:?}");
        assert_eq!(chat.pop(Pop::Turn).await, "1u", "{junk:?}");
        assert_eq!(chat.pop(Pop::Turn).await, "", "{junk:?}");
        assert_eq!(chat.held().await, "1- 2! 3- 4- 5! 6!", "{junk:?}");
        assert_eq!(chat.say("u").await.first_seq, 7);
    }
}

/// It counts as a message until somebody looks.
pub async fn junk_counts_as_a_message(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.spoil(2, Junk::Foreign).await;
    chat.delete(4).await;
    let known = chat.described().await;
    assert_eq!((known.messages, known.deleted, known.last_seq), (3, 1, 4));
    assert_eq!(on.listed(&hitherto::Scope::default(), "", 9).await[0].description.messages, 3);
    assert_eq!(chat.clear().await, Some(3));
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// Nobody edits or deletes what cannot be read.
pub async fn junk_is_not_replaced(on: Subject) {
    for junk in Junk::ALL {
        let chat = on.chat(&format!("{junk:?}"));
        chat.say("ua").await;
        let old = chat.record(2).await;
        chat.spoil(2, junk).await;
        assert_eq!(chat.replace(2, &old, &old.deleted()).await, Replaced::Changed, "{junk:?}");
        assert_eq!(chat.replace(2, &old, &chat.edited(&old, "back")).await, Replaced::Changed, "{junk:?}");
        assert_eq!(chat.held().await, "1u 2!", "{junk:?}");
        chat.edit(1, "its neighbour can be edited").await;
    }
}

/// A fork takes it along.
pub async fn a_fork_keeps_junk(on: Subject) {
    for junk in Junk::ALL {
        let chat = on.chat(&format!("{junk:?}"));
        chat.say("uaua").await;
        chat.spoil(2, junk).await;
        let copy = on.chat(&format!("copy of {junk:?}"));
        assert_eq!(chat.fork(&copy, Some(3)).await, Ok(3));
        assert_eq!(copy.all().await.entries, chat.all().await.entries[..3], "{junk:?}");
        assert_eq!(copy.described().await.messages, 3);
    }
}

/// A session of nothing but junk is a session.
pub async fn a_session_of_junk_is_a_session(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    chat.spoil(1, Junk::Foreign).await;
    chat.spoil(2, Junk::Damaged).await;
    assert_eq!(chat.window(Window::Turns(5)).await, "");
    assert_eq!(chat.pop(Pop::Turn).await, "");
    assert_eq!(chat.held().await, "1! 2!");
    assert_eq!(chat.described().await.messages, 2);
    assert_eq!(chat.fork(&on.chat("copy"), None).await, Ok(2));
}

/// A maximum removes whole turns, and junk goes with the turn that it stands in.
pub async fn a_maximum_passes_over_junk(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    chat.spoil(2, Junk::Foreign).await;
    chat.spoil(4, Junk::Foreign).await;
    chat.configure(Configure { max_messages: Change::Set(4), ..Configure::default() }).await;
    assert_eq!(chat.held().await, "3u 4! 5u 6a");
    assert_eq!(chat.described().await.messages, 4);
    chat.say("ua").await;
    assert_eq!(chat.held().await, "5u 6a 7u 8a");
    chat.spoil(6, Junk::Foreign).await;
    assert_eq!(chat.window(Window::Turns(9)).await, "5u 6! 7u 8a");
}
