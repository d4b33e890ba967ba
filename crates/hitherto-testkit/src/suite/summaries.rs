//! Summaries: put in the place of the one that is expected there, and read with the messages (I4).

use hitherto::store::{At, Commit, Committed, Range, Seq, SummaryState};
use hitherto::summary::Summary;
use hitherto::{Restart, Scope, Tenant, Timestamp};

use super::folding::{commit, policy, turns};
use super::subject::{Subject, new_id, ttl};

/// Without a summary there is none, and asking makes none.
pub async fn a_session_begins_without_a_summary(on: Subject) {
    let chat = on.chat("s");
    assert_eq!(chat.summary().await, SummaryState::default());
    assert!(!chat.exists().await);
    assert_eq!(on.leftovers().await, [""; 0]);
    chat.say("uaua").await;
    assert_eq!(chat.summary().await, SummaryState::default());
    assert_eq!(chat.watermarks().await, (0, 0, false));
}

/// Every field of both versions comes back as it was given.
pub async fn what_is_committed_is_what_is_read(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    let odd = "\u{0}\u{2028} \"'\\ {}\r\n Zoë 日本語 👩‍🚀 \u{feff}";
    let current = Summary {
        id: new_id(),
        text: format!("{odd}{}", "long ".repeat(4000)),
        upto: 4,
        tokens: 4000,
        by: odd.to_owned(),
        stand_in: true,
        made_at: Timestamp::from_millis(1_763_805_600_123),
        turns: 2,
        bytes: 123,
    };
    let previous = Summary {
        id: new_id(),
        text: String::new(),
        upto: 2,
        tokens: 0,
        by: "hand".to_owned(),
        stand_in: false,
        made_at: Timestamp::from_millis(0),
        turns: 0,
        bytes: 0,
    };
    let given = Commit { previous: Some(previous.clone()), stale: true, ..commit(None, &current) };
    assert_eq!(chat.commit(&given).await, Committed::Done);
    let expected = SummaryState {
        current: Some(current),
        previous: Some(previous),
        stale: true,
        policy: Default::default(),
        turns: 0,
        bytes: 0,
    };
    assert_eq!(chat.summary().await, expected);
    let whole = chat.described().await;
    let expected = SummaryState { turns: whole.turns, bytes: whole.bytes, ..expected };
    let (slice, state) = on
        .store()
        .read_with_summary(
            chat.at(),
            Range::Window(hitherto::Window::Turns(1)),
            hitherto::store::Reader::Client,
        )
        .await
        .unwrap();
    assert_eq!((super::notation::write(&slice.entries), state), ("5u 6a".to_owned(), expected));
    assert_eq!(chat.watermarks().await, (4, 2, true));
}

/// A commit is for the summary that it expects, and for no other one (compare-and-set).
pub async fn a_commit_expects_what_stands_there(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    let other = chat.summary_of(2).await;
    assert_eq!(chat.put(Some(&other), 4).await, Committed::Changed, "there is none");
    assert_eq!(chat.watermarks().await, (0, 0, false));
    let first = chat.summarise(2).await;
    assert_eq!(chat.put(None, 4).await, Committed::Changed, "there is one");
    assert_eq!(chat.put(Some(&other), 4).await, Committed::Changed, "there is another one");
    assert_eq!(chat.summary().await.current.as_ref(), Some(&first));
    assert_eq!(chat.put(Some(&first), 4).await, Committed::Done);
    assert_eq!(chat.put(Some(&first), 6).await, Committed::Changed, "it is the version before");
    assert_eq!(chat.watermarks().await, (4, 2, false));
}

/// The version before is what the commit says, so that a bad one can be rolled back.
pub async fn the_version_before_is_the_one_that_is_given(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    let (first, second) = (chat.summarise(2).await, chat.summarise(4).await);
    let back = Commit { previous: None, ..commit(Some(&second), &first) };
    assert_eq!(chat.commit(&back).await, Committed::Done);
    let state = chat.summary().await;
    assert_eq!((state.current, state.previous), (Some(first.clone()), None));
    let forth = Commit { previous: Some(second.clone()), ..commit(Some(&first), &chat.summary_of(6).await) };
    assert_eq!(chat.commit(&forth).await, Committed::Done);
    assert_eq!(chat.summary().await.previous, Some(second));
    assert_eq!(chat.watermarks().await, (6, 4, false));
}

/// Of many that expect the same, one is done.
pub async fn one_of_many_concurrent_commits_is_done(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    let mut old: Option<Summary> = None;
    for upto in [2, 4, 6] {
        let mut commits = Vec::new();
        for _ in 0..8 {
            let (chat, commit) = (chat.clone(), commit(old.as_ref(), &chat.summary_of(upto).await));
            commits.push(tokio::spawn(async move { (chat.commit(&commit).await, commit.summary) }));
        }
        let mut done = Vec::new();
        for commit in commits {
            let (committed, summary) = commit.await.unwrap();
            done.extend((committed == Committed::Done).then_some(summary));
        }
        assert_eq!(done.len(), 1, "up to {upto}");
        assert_eq!(chat.summary().await.current, done.first().cloned());
        old = done.pop();
    }
}

/// A summary cannot stand for what was never said.
pub async fn a_summary_covers_no_more_than_the_session_has(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    for beyond in [5, 6, 1 << 40] {
        let summary = Summary { upto: beyond, ..chat.summary_of(4).await };
        assert_eq!(chat.commit(&commit(None, &summary)).await, Committed::Changed, "{beyond} of 4");
    }
    assert_eq!(chat.watermarks().await, (0, 0, false));
    assert_eq!(chat.put(None, 4).await, Committed::Done);
}

/// A session that does not exist is not made by a summary.
pub async fn an_unknown_session_gets_no_summary(on: Subject) {
    let (chat, other) = (on.chat("nobody"), on.chat("s"));
    other.say("ua").await;
    let summary = other.summary_of(2).await;
    assert_eq!(chat.commit(&commit(None, &summary)).await, Committed::Changed);
    assert_eq!(chat.commit(&commit(Some(&summary), &summary)).await, Committed::Changed);
    assert!(!chat.exists().await);
    other.clear().await;
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// A commit is no activity: the session is no younger by it, and ends when it would have ended.
pub async fn a_commit_is_no_activity(on: Subject) {
    let chat = on.chat("s");
    for restart in [Restart::Write, Restart::Never] {
        chat.say_for("ua", ttl(100, restart)).await;
        let before = chat.described().await;
        on.advance(40).await;
        let summary = chat.summarise(before.last_seq).await;
        let after = chat.described().await;
        assert!(on.same_time(after.updated_at, before.updated_at), "{restart:?}");
        assert_eq!(chat.ends_in().await, Some(60), "{restart:?}");
        assert_eq!((after.summary_upto, after.last_seq), (summary.upto, summary.upto));
        assert_eq!((after.bytes, after.turns), (before.bytes, before.turns));
    }
}

/// Appending changes nothing about the summary.
pub async fn an_append_leaves_the_summary_alone(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.summarise(2).await;
    chat.summarise(4).await;
    let before = chat.summary().await;
    chat.say("uaua").await;
    assert!(!chat.due_after("ua", turns(100)).await);
    assert_eq!(chat.summary().await, before);
}

/// What a summary covers and a maximum removes stays covered.
pub async fn a_summary_outlives_the_messages_that_a_maximum_removes(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauauaua").await;
    let summary = chat.summarise(4).await;
    let max_messages = hitherto::Change::Set(2);
    chat.configure(hitherto::Configure { max_messages, ..Default::default() }).await;
    assert_eq!(chat.held().await, "7u 8a");
    let current = chat.summary().await.current.unwrap();
    assert_eq!((current.id, current.upto, current.text), (summary.id, 4, summary.text));
    assert_eq!(chat.watermarks().await, (4, 0, false));
}

/// A summary and the slice beside it are of one moment: nothing is covered that was not yet said, and of what
/// is not covered, nothing is missing.
pub async fn the_summary_and_the_slice_are_of_one_moment(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    let writer = {
        let chat = chat.clone();
        tokio::spawn(async move {
            for _ in 0..40 {
                let last = chat.say("ua").await.first_seq + 1;
                chat.summarise(last).await;
            }
        })
    };
    let mut seen: Seq = 0;
    while seen < 82 {
        let ended = writer.is_finished();
        let range = Range::Unfolded(1, 100);
        let (slice, state) =
            on.store().read_with_summary(chat.at(), range, hitherto::store::Reader::Client).await.unwrap();
        let upto = state.current.map_or(0, |summary| summary.upto);
        assert!(upto <= slice.last, "{upto} messages of {} are covered", slice.last);
        let first = slice.entries.first().map_or(Seq::MAX, |entry| entry.seq);
        assert!(first <= upto + 1, "{upto} are covered, and the rest begins with {first}");
        assert!(upto >= seen, "a summary of {seen} messages was there before one of {upto}");
        seen = upto;
        assert!(!ended || seen == 82, "the last summary covers {seen}");
    }
    writer.await.unwrap();
}

/// Reading the summary restarts the clock as reading does.
pub async fn reading_a_summary_restarts_a_clock_of_that_kind(on: Subject) {
    for (restart, expected) in [(Restart::Read, 100), (Restart::Write, 60), (Restart::Never, 60)] {
        let chat = on.chat(&format!("{restart:?}"));
        chat.say_for("ua", ttl(100, restart)).await;
        let summary = chat.summarise(2).await;
        on.advance(40).await;
        assert_eq!(chat.summary().await.current, Some(summary), "{restart:?}");
        assert_eq!(chat.ends_in().await, Some(expected), "{restart:?}");
    }
}

/// Summaries of sessions with the same name are apart.
pub async fn summaries_of_two_tenants_never_meet(on: Subject) {
    let other = Scope { tenant: Tenant::parse("other").unwrap(), ..Scope::default() };
    let (one, other) = (on.chat("s"), on.chat_in(&other, "s"));
    one.say("uaua").await;
    other.say("uaua").await;
    let summary = one.summarise(2).await;
    assert_eq!(other.summary().await, SummaryState::default());
    assert_eq!(other.put(Some(&summary), 4).await, Committed::Changed);
    other.summarise(4).await;
    other.edit(1, "said better").await;
    other.set_policy(hitherto::Change::Set((policy(3), super::folding::OFF))).await;
    assert_eq!(one.watermarks().await, (2, 0, false));
    assert_eq!(one.described().await.policy, Default::default());
    other.clear().await;
    let at = At { key: &one.key, now: on.now() };
    let (_, state) =
        on.store().read_with_summary(at, Range::After(0, 1), hitherto::store::Reader::Client).await.unwrap();
    assert_eq!(state.current, Some(summary));
}
