//! When an append makes its session due for folding: by what the summary does not cover.

use hitherto::store::{Batch, Change, Commit, Committed, Configure};
use hitherto::summary::{Hint, Policy};

use super::folding::{OFF, bytes, commit, policy, turns};
use super::subject::{Subject, once};

/// As many turns as the hint says, or more.
pub async fn a_session_of_so_many_turns_is_due(on: Subject) {
    let chat = on.chat("s");
    for (roles, hint, expected) in [
        ("ua", 2, false),
        ("ta", 2, false),
        ("ua", 2, true),
        ("a", 2, true),
        ("s", 3, false),
        ("uuu", 6, false),
        ("u", 6, true),
        ("a", 0, true),
        ("u", u32::MAX, false),
    ] {
        assert_eq!(chat.due_after(roles, turns(hint)).await, expected, "{roles} with {hint}");
    }
}

/// As many bytes as the hint says, or more.
pub async fn a_session_of_so_many_bytes_is_due(on: Subject) {
    let (one, other) = (on.chat("one"), on.chat("other"));
    one.say("uaua").await;
    let size = one.described().await.bytes;
    for (hint, expected) in [(size + 1, false), (size, true), (size - 1, true), (0, true), (u64::MAX, false)]
    {
        let chat = on.chat(&format!("{hint}"));
        assert_eq!(chat.due_after("uaua", bytes(hint)).await, expected, "{size} bytes with {hint}");
    }
    let both = Some(Hint { turns: 2, bytes: 1 });
    assert!(other.due_after("a", both).await, "either will do");
}

/// Without a hint nothing is due, and with one that says never, neither.
pub async fn what_is_not_summarised_is_never_due(on: Subject) {
    let chat = on.chat("s");
    assert!(!chat.due_after("uauauaua", None).await);
    assert!(!chat.due_after("uauauaua", Some(OFF)).await);
    let mut off = Policy::default();
    off.enabled = false;
    assert!(!chat.due_after("uauauaua", Some(off.hint())).await);
    chat.summarise(4).await;
    chat.edit(1, "said better").await;
    assert!(!chat.due_after("ua", None).await, "though it is stale");
    assert!(!chat.due_after("ua", Some(OFF)).await, "though it is stale");
}

/// What the summary covers does not count.
pub async fn what_is_covered_does_not_count(on: Subject) {
    let chat = on.chat("s");
    assert!(chat.due_after("uauaua", turns(3)).await);
    chat.summarise(4).await;
    assert!(!chat.due_after("ua", turns(3)).await, "two turns are left");
    assert!(chat.due_after("ua", turns(3)).await);
    let upto = chat.described().await.last_seq;
    chat.summarise(upto).await;
    assert!(!chat.due_after("a", turns(1)).await, "nothing but an answer is left");
    let size = chat.record(upto + 1).await.size() as u64;
    assert!(!chat.due_after("a", bytes(2 * size + 1)).await);
    assert!(chat.due_after("a", bytes(3 * size)).await);
}

/// What a summary says that it covers is taken for it; more than there is covers everything.
pub async fn a_summary_of_more_than_there_is_covers_all(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    let summary = hitherto::summary::Summary { turns: 1 << 40, bytes: 1 << 40, ..chat.summary_of(4).await };
    assert_eq!(chat.commit(&commit(None, &summary)).await, Committed::Done);
    assert!(!chat.due_after("ua", turns(1)).await);
    assert!(!chat.due_after("ua", bytes(1)).await);
}

/// A stale session is due with whatever comes next.
pub async fn a_stale_session_is_due_at_the_next_append(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    let summary = chat.summarise(6).await;
    assert!(!chat.due_after("a", turns(100)).await);
    chat.edit(1, "said better").await;
    assert!(chat.due_after("a", turns(100)).await);
    let still = Commit { stale: true, ..commit(Some(&summary), &chat.summary_of(6).await) };
    assert_eq!(chat.commit(&still).await, Committed::Done);
    assert!(chat.due_after("a", turns(100)).await, "the commit says that it is stale");
    chat.summarise(6).await;
    assert!(!chat.due_after("a", turns(100)).await);
}

/// A repeat says nothing new.
pub async fn a_repeat_is_not_due(on: Subject) {
    let chat = on.chat("s");
    let batch = Batch { hint: turns(1), once: once("k", 1), ..chat.batch("ua") };
    assert!(chat.send(batch.clone()).await.due);
    let repeat = chat.send(batch).await;
    assert_eq!((repeat.repeated, repeat.due), (true, false));
}

/// A session's own hint goes before that of the batch, where there is one at all.
pub async fn a_session_may_have_a_hint_of_its_own(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    chat.set_policy(Change::Set((policy(5), turns(5).unwrap()))).await;
    assert!(!chat.due_after("u", turns(1)).await, "four turns");
    assert!(!chat.due_after("u", None).await, "nothing folds");
    assert!(chat.due_after("a", turns(100)).await, "five turns");
    chat.set_policy(Change::Keep).await;
    assert!(chat.due_after("a", turns(100)).await);
    chat.set_policy(Change::Set((policy(5), OFF))).await;
    assert!(!chat.due_after("u", turns(1)).await, "it is off");
    chat.set_policy(Change::Set((policy(5), bytes(1).unwrap()))).await;
    assert!(chat.due_after("u", Some(OFF)).await, "it is on");
    chat.set_policy(Change::Remove).await;
    assert!(!chat.due_after("u", turns(100)).await);
    assert!(chat.due_after("u", turns(1)).await);
}

/// What a maximum removes is taken off what is there and off what is covered.
pub async fn what_a_maximum_removes_counts_on_neither_side(on: Subject) {
    let chat = on.chat("covered");
    chat.say("uauauaua").await;
    chat.summarise(4).await;
    chat.configure(Configure { max_messages: Change::Set(4), ..Configure::default() }).await;
    assert_eq!(chat.held().await, "5u 6a 7u 8a");
    chat.configure(Configure { max_messages: Change::Remove, ..Configure::default() }).await;
    assert!(!chat.due_after("ua", turns(4)).await, "three turns are left");
    assert!(chat.due_after("ua", turns(4)).await, "four turns are left");

    let chat = on.chat("in part");
    chat.say("uauauaua").await;
    chat.summarise(6).await;
    let cut = Batch { max_messages: Change::Set(8), hint: turns(3), ..chat.batch("ua") };
    assert!(!chat.send(cut).await.due, "two turns are left, and two of three are covered");
    assert_eq!(chat.held().await, "3u 4a 5u 6a 7u 8a 9u 10a");
    assert!(chat.due_after("ua", turns(3)).await, "three turns are left, and one of two is covered");

    let chat = on.chat("beyond");
    chat.say("uauauaua").await;
    chat.summarise(2).await;
    chat.configure(Configure { max_messages: Change::Set(4), ..Configure::default() }).await;
    assert!(!chat.due_after("a", turns(3)).await, "two turns are left, and none is covered");
    let size = chat.described().await.bytes;
    chat.configure(Configure { max_messages: Change::Remove, ..Configure::default() }).await;
    let grown = size + chat.record(9).await.size() as u64;
    assert!(!chat.due_after("a", bytes(grown + 1)).await, "{size} bytes were left");
    assert!(chat.due_after("a", bytes(grown)).await, "{size} bytes were left");
}
