//! Leases: one folds a session at a time, and one that has gone away is in nobody's way for long.

use hitherto::Restart;
use hitherto::store::{Begun, Commit, Committed, Lease};

use super::folding::{LEASE, commit, token};
use super::subject::{Subject, ttl};

const MINE: Begun = Begun::Yours { failures: 0 };

/// Until it is given back or its time is over.
pub async fn a_lease_is_held_by_one(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    let lease = Lease { token: token(1), until: on.in_secs(LEASE), upto: 4 };
    assert_eq!(on.store().begin_fold(chat.at(), &lease, None).await.unwrap(), MINE);
    assert_eq!(chat.begin(2, None, 4).await, Begun::Busy(lease.until));
    on.advance(LEASE / 2).await;
    assert_eq!(chat.begin(2, None, 4).await, Begun::Busy(lease.until));
    chat.end(1, false).await;
    assert_eq!(chat.begin(2, None, 4).await, MINE, "it was given back");
    on.advance(LEASE + 1).await;
    assert_eq!(chat.begin(3, None, 4).await, MINE, "its time is over");
    assert!(matches!(chat.begin(2, None, 4).await, Begun::Busy(_)), "it was taken");
}

/// Sessions are folded beside one another.
pub async fn every_session_has_a_lease_of_its_own(on: Subject) {
    let (one, other) = (on.chat("one"), on.chat("other"));
    one.say("ua").await;
    other.say("ua").await;
    assert_eq!(one.begin(1, None, 2).await, MINE);
    assert_eq!(other.begin(2, None, 2).await, MINE);
    one.end(2, true).await;
    assert!(matches!(one.begin(2, None, 2).await, Begun::Busy(_)));
}

/// There is nothing to begin with where another summary stands, or no session is.
pub async fn a_lease_is_for_the_expected_summary(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    let other = chat.summary_of(2).await;
    assert_eq!(chat.begin(1, Some(&other), 4).await, Begun::Changed, "there is none");
    let summary = chat.summarise(2).await;
    assert_eq!(chat.begin(1, None, 4).await, Begun::Changed, "there is one");
    assert_eq!(chat.begin(1, Some(&other), 4).await, Begun::Changed, "there is another one");
    assert_eq!(chat.begin(1, Some(&summary), 4).await, MINE);
    assert_eq!(on.chat("nobody").begin(1, None, 4).await, Begun::Changed);
    on.chat("nobody").end(1, true).await;
    assert!(!on.chat("nobody").exists().await);
    chat.clear().await;
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// Who holds it may begin again, and holds it for longer.
pub async fn the_holder_lengthens_its_lease(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.must_begin(1, None, 4).await;
    on.advance(LEASE / 2).await;
    let longer = Lease { token: token(1), until: on.in_secs(LEASE), upto: 4 };
    assert_eq!(on.store().begin_fold(chat.at(), &longer, None).await.unwrap(), MINE);
    on.advance(LEASE * 3 / 4).await;
    assert_eq!(chat.begin(2, None, 4).await, Begun::Busy(longer.until));
    assert_eq!(chat.finish(1, None, 4).await, Committed::Done);
}

/// Of many that begin at once, one holds the lease.
pub async fn one_of_many_concurrent_begins_holds_the_lease(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    let begins: Vec<_> = (1..=8)
        .map(|who| {
            let chat = chat.clone();
            tokio::spawn(async move { chat.begin(who, None, 4).await })
        })
        .collect();
    let mut mine = 0;
    for begin in begins {
        match begin.await.unwrap() {
            Begun::Yours { failures: 0 } => mine += 1,
            begun => assert!(matches!(begun, Begun::Busy(_)), "{begun:?}"),
        }
    }
    assert_eq!(mine, 1);
}

/// A fold is committed by who holds the lease.
pub async fn a_commit_needs_its_lease(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    assert_eq!(chat.finish(1, None, 2).await, Committed::Changed, "nobody holds it");
    chat.must_begin(1, None, 4).await;
    assert_eq!(chat.finish(2, None, 2).await, Committed::Changed, "another one holds it");
    chat.end(1, false).await;
    assert_eq!(chat.finish(1, None, 2).await, Committed::Changed, "it was given back");
    assert_eq!(chat.watermarks().await, (0, 0, false));
    chat.must_begin(1, None, 4).await;
    assert_eq!(chat.finish(1, None, 2).await, Committed::Done);
}

/// A slow fold still counts if nobody else has begun.
pub async fn a_lease_that_nobody_took_over_still_commits(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.must_begin(1, None, 4).await;
    on.advance(LEASE * 2).await;
    assert_eq!(chat.finish(1, None, 2).await, Committed::Done, "nobody took it");
    let summary = chat.summary().await.current;
    chat.must_begin(2, summary.as_ref(), 4).await;
    assert_eq!(chat.finish(1, summary.as_ref(), 4).await, Committed::Changed, "it was taken");
    assert_eq!(chat.finish(2, summary.as_ref(), 4).await, Committed::Done);
}

/// Folding goes on after a commit, under the same lease.
pub async fn a_commit_keeps_the_lease(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    chat.must_begin(1, None, 6).await;
    let mut old = None;
    for upto in [2, 4, 6] {
        assert_eq!(chat.finish(1, old.as_ref(), upto).await, Committed::Done, "up to {upto}");
        old = chat.summary().await.current;
        assert!(matches!(chat.begin(2, old.as_ref(), 6).await, Begun::Busy(_)), "up to {upto}");
    }
    chat.end(1, false).await;
    assert_eq!(chat.begin(2, old.as_ref(), 6).await, MINE);
}

/// What is put there by hand asks for no lease, and is not written over by a fold that began before.
pub async fn a_commit_by_hand_needs_no_lease(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.must_begin(1, None, 4).await;
    let by_hand = chat.summarise(2).await;
    assert_eq!(chat.finish(1, None, 4).await, Committed::Changed);
    assert_eq!(chat.summary().await.current.as_ref(), Some(&by_hand));
    assert!(matches!(chat.begin(2, Some(&by_hand), 4).await, Begun::Busy(_)), "the lease is held");
    assert_eq!(chat.finish(1, Some(&by_hand), 4).await, Committed::Done);
}

/// Failures are counted by who holds the lease, until a commit says otherwise.
pub async fn failures_are_counted(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    for failures in 0..3 {
        assert_eq!(chat.begin(1, None, 4).await, Begun::Yours { failures });
        chat.end(2, true).await;
        chat.end(1, true).await;
        chat.end(1, true).await;
    }
    assert_eq!(chat.begin(1, None, 4).await, Begun::Yours { failures: 3 });
    chat.end(1, false).await;
    assert_eq!(chat.begin(1, None, 4).await, Begun::Yours { failures: 3 }, "no failure, and no success");
    let summary = chat.summary_of(2).await;
    for (lease, failures) in [(Some(token(1)), 7), (None, 0)] {
        let old = chat.summary().await.current;
        let commit = commit(old.as_ref(), &chat.summary_of(2).await);
        assert_eq!(chat.commit(&Commit { lease, failures, ..commit.clone() }).await, Committed::Done);
        assert_eq!(chat.begin(1, Some(&commit.summary), 4).await, Begun::Yours { failures });
    }
    assert_eq!(chat.commit(&commit(None, &summary)).await, Committed::Changed);
}

/// Taking and giving back a lease is no activity.
pub async fn a_fold_is_no_activity(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("uaua", ttl(100, Restart::Write)).await;
    let before = chat.described().await;
    on.advance(40).await;
    chat.must_begin(1, None, 4).await;
    chat.end(1, true).await;
    let after = chat.described().await;
    assert!(on.same_time(after.updated_at, before.updated_at));
    assert_eq!(chat.ends_in().await, Some(60));
}
