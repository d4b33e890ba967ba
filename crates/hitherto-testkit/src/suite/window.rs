//! Windows: the newest whole turns, whatever stands in them (I5).

use hitherto::Window;
use hitherto::store::{Pop, Range};

use super::subject::Subject;

/// Appends `roles` to a new session, deletes some of it, and compares windows of it.
async fn check(on: &Subject, roles: &str, deleted: &[u64], windows: &[(Window, &str)]) {
    let chat = on.chat(&format!("{roles} {deleted:?} {windows:?}"));
    chat.say(roles).await;
    for seq in deleted {
        chat.delete(*seq).await;
    }
    for (window, expected) in windows {
        assert_eq!(chat.window(*window).await, *expected, "{roles} without {deleted:?}, {window:?}");
    }
}

use Window::{Messages, Turns};

/// A turn is a user message and all that follows it.
pub async fn turns_are_counted_from_the_end(on: Subject) {
    let turns = [
        (Turns(1), "5u 6a"),
        (Turns(2), "3u 4a 5u 6a"),
        (Turns(3), "1u 2a 3u 4a 5u 6a"),
        (Turns(9), "1u 2a 3u 4a 5u 6a"),
        (Turns(u32::MAX), "1u 2a 3u 4a 5u 6a"),
    ];
    check(&on, "uauaua", &[], &turns).await;
}

/// A number of messages is rounded up to whole turns.
pub async fn messages_are_rounded_up_to_whole_turns(on: Subject) {
    let windows = [
        (Messages(1), "5u 6a"),
        (Messages(2), "5u 6a"),
        (Messages(3), "3u 4a 5u 6a"),
        (Messages(5), "1u 2a 3u 4a 5u 6a"),
        (Messages(99), "1u 2a 3u 4a 5u 6a"),
        (Messages(u32::MAX), "1u 2a 3u 4a 5u 6a"),
    ];
    check(&on, "uauaua", &[], &windows).await;
}

/// So many bytes of messages, as they lie in a record, are rounded up to whole turns.
pub async fn bytes_are_rounded_up_to_whole_turns(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    let mut turn = 0;
    for seq in [5, 6] {
        turn += chat.record(seq).await.size() as u64;
    }
    for (bytes, expected) in [
        (0, ""),
        (1, "5u 6a"),
        (turn, "5u 6a"),
        (turn + 1, "3u 4a 5u 6a"),
        (2 * turn, "3u 4a 5u 6a"),
        (2 * turn + 1, "1u 2a 3u 4a 5u 6a"),
        (u64::MAX, "1u 2a 3u 4a 5u 6a"),
    ] {
        assert_eq!(chat.window(Window::Bytes(bytes)).await, expected, "{bytes} bytes, {turn} a turn");
    }
    chat.delete(6).await;
    assert_eq!(chat.window(Window::Bytes(1)).await, "5u 6-");
}

/// Tool calls and their results are inside a turn.
pub async fn tools_stay_in_their_turn(on: Subject) {
    check(&on, "uauatta", &[], &[(Turns(1), "3u 4a 5t 6t 7a"), (Messages(1), "3u 4a 5t 6t 7a")]).await;
}

/// A user who writes twice begins two turns.
pub async fn a_turn_may_be_a_single_message(on: Subject) {
    check(&on, "uauu", &[], &[(Turns(1), "4u"), (Turns(2), "3u 4u"), (Messages(2), "3u 4u")]).await;
}

/// What stands before the first user message counts as one turn.
pub async fn what_comes_before_the_first_user_is_one_turn(on: Subject) {
    let windows = [
        (Turns(1), "4u 5a"),
        (Turns(2), "1s 2s 3a 4u 5a"),
        (Turns(9), "1s 2s 3a 4u 5a"),
        (Messages(2), "4u 5a"),
        (Messages(3), "1s 2s 3a 4u 5a"),
    ];
    check(&on, "ssaua", &[], &windows).await;
    check(&on, "aaa", &[], &[(Turns(1), "1a 2a 3a"), (Messages(1), "1a 2a 3a")]).await;
}

/// A system message in the middle belongs to the turn that it stands in.
pub async fn a_late_system_message_is_inside_its_turn(on: Subject) {
    check(&on, "uasua", &[], &[(Turns(1), "4u 5a"), (Turns(2), "1u 2a 3s 4u 5a")]).await;
}

/// Deleting the user message that begins a turn makes the rest part of the turn before.
pub async fn deleting_a_user_message_merges_two_turns(on: Subject) {
    let windows = [(Turns(1), "5u 6a"), (Turns(2), "1u 2a 3- 4a 5u 6a"), (Messages(3), "1u 2a 3- 4a 5u 6a")];
    check(&on, "uauaua", &[3], &windows).await;
    check(&on, "uaua", &[1], &[(Turns(1), "3u 4a"), (Turns(2), "2a 3u 4a")]).await;
}

/// Deleted messages are not counted.
pub async fn deleted_messages_do_not_count(on: Subject) {
    let windows = [(Messages(1), "3u 4-"), (Messages(2), "1u 2a 3u 4-"), (Turns(1), "3u 4-")];
    check(&on, "uaua", &[4], &windows).await;
    check(&on, "uaua", &[3, 4], &[(Turns(1), "1u 2a 3- 4-"), (Messages(1), "1u 2a 3- 4-")]).await;
}

/// A session of deleted messages has nothing in its window, and still exists.
pub async fn a_session_of_deleted_messages_has_an_empty_window(on: Subject) {
    check(&on, "ua", &[1, 2], &[(Turns(1), ""), (Messages(9), "")]).await;
    let chat = on.chat("s");
    chat.say("uaua").await;
    while !chat.pop(Pop::Turn).await.is_empty() {}
    assert_eq!(chat.window(Turns(5)).await, "");
    let slice = chat.read(Range::Window(Turns(5))).await;
    assert_eq!((slice.base, slice.last, slice.deleted), (0, 4, 4));
}

/// An unknown session reads as an empty one, and reading it does not make it.
pub async fn an_unknown_session_reads_as_an_empty_one(on: Subject) {
    let chat = on.chat("nobody");
    for range in
        [Range::Window(Turns(3)), Range::Window(Messages(3)), Range::After(0, 9), Range::Before(9, 9)]
    {
        let slice = chat.read(range).await;
        assert_eq!((slice.entries.len(), slice.base, slice.last, slice.deleted), (0, 0, 0, 0), "{range:?}");
    }
    assert!(!chat.exists().await);
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// Nothing was asked for, so nothing is given.
pub async fn a_window_of_nothing_is_empty(on: Subject) {
    check(&on, "uaua", &[], &[(Turns(0), ""), (Messages(0), "")]).await;
}

/// A window tells where the session begins and ends.
pub async fn a_window_tells_the_bounds_of_the_session(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    chat.delete(2).await;
    let slice = chat.read(Range::Window(Turns(1))).await;
    assert_eq!((slice.entries.len(), slice.base, slice.last, slice.deleted), (2, 0, 6, 1));
}

/// A window shows an edit, and an edit moves nothing.
pub async fn a_window_shows_edited_messages_in_their_places(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.edit(3, "said better").await;
    assert_eq!(chat.window(Turns(1)).await, "3u 4a");
    let slice = chat.read(Range::Window(Turns(1))).await;
    assert_eq!(slice.entries[0].live().unwrap().message.as_ref().unwrap().text(), "said better");
}
