//! A change of a message that a summary covers: the summary is stale, and the session is due to be refolded.

use hitherto::store::{Commit, Committed, Pop, Replaced};

use super::folding::commit;
use super::subject::{Chat, Subject};

async fn summarised(on: &Subject, session: &str) -> Chat {
    let chat = on.chat(session);
    chat.say("uauaua").await;
    chat.summarise(4).await;
    chat
}

/// Edits and deletions up to the watermark, and not those after it.
pub async fn a_change_of_a_covered_message_makes_a_summary_stale(on: Subject) {
    for (seq, expected) in [(1, true), (4, true), (5, false), (6, false)] {
        let chat = summarised(&on, &format!("edit {seq}")).await;
        chat.edit(seq, "said better").await;
        assert_eq!(chat.is_stale().await, expected, "{seq} was edited");
        let chat = summarised(&on, &format!("delete {seq}")).await;
        chat.delete(seq).await;
        assert_eq!(chat.is_stale().await, expected, "{seq} was deleted");
        assert_eq!(chat.watermarks().await, (4, 0, expected));
    }
}

/// Pops, as soon as they reach the watermark.
pub async fn a_pop_of_a_covered_message_makes_a_summary_stale(on: Subject) {
    let chat = summarised(&on, "messages").await;
    for (popped, expected) in [("6a", false), ("5u", false), ("4a", true), ("3u", true)] {
        assert_eq!(chat.pop(Pop::Message).await, popped);
        assert_eq!(chat.is_stale().await, expected, "{popped} was popped");
    }
    let chat = summarised(&on, "turns").await;
    for (popped, expected) in [("5u 6a", false), ("3u 4a", true)] {
        assert_eq!(chat.pop(Pop::Turn).await, popped);
        assert_eq!(chat.is_stale().await, expected, "{popped} were popped");
    }
    let chat = on.chat("inside a turn");
    chat.say("uatta").await;
    chat.summarise(2).await;
    assert_eq!(chat.pop(Pop::Turn).await, "1u 2a 3t 4t 5a");
    assert_eq!(chat.watermarks().await, (2, 0, true));
}

/// What changes nothing makes nothing stale.
pub async fn a_change_that_is_not_made_makes_nothing_stale(on: Subject) {
    let chat = summarised(&on, "s").await;
    let old = chat.record(2).await;
    let stale = chat.edited(&old, "never said");
    assert_eq!(chat.replace(2, &stale, &old.deleted()).await, Replaced::Changed);
    assert_eq!(chat.replace(99, &old, &stale).await, Replaced::Changed);
    assert!(!chat.is_stale().await);
}

/// Without a summary there is nothing to be stale.
pub async fn without_a_summary_nothing_is_stale(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.edit(1, "said better").await;
    chat.delete(2).await;
    chat.pop(Pop::Message).await;
    assert_eq!(chat.watermarks().await, (0, 0, false));
    on.settle_all().await;
    assert_eq!(chat.watermarks().await, (0, 0, false));
}

/// A stale summary stays what it is until another one is committed, which says whether it is stale.
pub async fn the_next_commit_says_whether_it_is_stale(on: Subject) {
    let chat = summarised(&on, "s").await;
    let old = chat.summary().await.current.unwrap();
    chat.edit(1, "said better").await;
    chat.say("ua").await;
    assert_eq!(chat.summary().await.current.as_ref(), Some(&old), "it is stale and still there");
    let still = Commit { stale: true, ..commit(Some(&old), &chat.summary_of(2).await) };
    assert_eq!(chat.commit(&still).await, Committed::Done);
    assert_eq!(chat.watermarks().await, (2, 4, true));
    chat.summarise(4).await;
    assert_eq!(chat.watermarks().await, (4, 2, false));
}

/// The session is due then, whatever its policy; it is not after a change of what is not covered.
pub async fn a_stale_session_is_put_on_the_due_list(on: Subject) {
    for change in ["edit", "delete", "pop"] {
        let chat = summarised(&on, change).await;
        if change == "pop" {
            chat.pop(Pop::Turn).await;
        } else {
            chat.edit(5, "said better").await;
            chat.delete(6).await;
        }
        assert_eq!(on.claimed(10).await, [""; 0], "{change} of what is not covered");
        match change {
            "edit" => chat.edit(4, "said better").await,
            "delete" => chat.delete(4).await,
            _ => drop(chat.pop(Pop::Message).await),
        }
        let claims = on.claim(10).await;
        assert_eq!(claims.iter().map(|claim| &claim.key).collect::<Vec<_>>(), [&chat.key], "{change}");
        on.settle(&claims[0], None).await;
    }
}
