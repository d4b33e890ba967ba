//! What becomes of summaries, leases and policies when their session is copied, cleared, or ends (I9).

use hitherto::store::{Begun, Change, Commit, Committed, StoreError, SummaryState};
use hitherto::summary::PolicyChange;
use hitherto::{Configure, Restart};

use super::folding::{LEASE, OFF, commit, policy, turns};
use super::subject::{Chat, Subject, ttl};

fn pair(on: &Subject) -> (Chat, Chat) {
    (on.chat("from"), on.chat("to"))
}

/// Both versions, and that they are stale.
pub async fn a_copy_has_the_summary_of_the_original(on: Subject) {
    let (from, to) = pair(&on);
    from.say("uauaua").await;
    from.summarise(2).await;
    from.summarise(4).await;
    from.edit(1, "said better").await;
    let expected = from.summary().await;
    from.fork(&to, None).await.unwrap();
    assert_eq!(to.summary().await, expected);
    assert_eq!(to.watermarks().await, (4, 2, true));
    to.summarise(6).await;
    assert_eq!(to.watermarks().await, (6, 4, false));
    assert_eq!(from.summary().await, expected, "a copy goes its own way");
}

/// A copy of a part has no summary of more than that part.
pub async fn a_copy_drops_a_summary_of_more_than_it_has(on: Subject) {
    let from = on.chat("from");
    from.say("uauaua").await;
    from.summarise(2).await;
    from.summarise(4).await;
    for (upto, expected) in
        [(6, (4, 2, false)), (4, (4, 2, false)), (3, (2, 0, false)), (2, (2, 0, false)), (1, (0, 0, false))]
    {
        let to = on.chat(&format!("to {upto}"));
        from.fork(&to, Some(upto)).await.unwrap();
        assert_eq!(to.watermarks().await, expected, "a copy up to {upto}");
        let (all, current) = (from.summary().await, to.summary().await.current);
        let original = if upto >= 4 { all.current } else { all.previous };
        assert_eq!(current, original.filter(|_| expected.0 > 0), "a copy up to {upto}");
    }
    from.summarise(6).await;
    let back =
        Commit { previous: None, ..commit(from.summary().await.current.as_ref(), &from.summary_of(5).await) };
    assert_eq!(from.commit(&back).await, Committed::Done);
    let to = on.chat("none is left");
    from.fork(&to, Some(4)).await.unwrap();
    assert_eq!(to.summary().await, SummaryState::default());
}

/// What its summary covers counts in a copy as in the original.
pub async fn a_copy_is_due_as_its_original_is(on: Subject) {
    let from = on.chat("from");
    from.say("uauaua").await;
    from.summarise(2).await;
    from.summarise(4).await;
    for (upto, turns_left) in [(6, 1), (4, 0), (3, 1), (2, 0), (1, 1)] {
        let to = on.chat(&format!("to {upto}"));
        from.fork(&to, Some(upto)).await.unwrap();
        assert!(!to.due_after("u", turns(turns_left + 2)).await, "a copy up to {upto}");
        assert!(to.due_after("u", turns(turns_left + 2)).await, "a copy up to {upto}");
    }
}

/// A fold of the original is none of the copy's, and neither are its failures.
pub async fn a_copy_is_folded_by_nobody(on: Subject) {
    let (from, to) = pair(&on);
    from.say("uaua").await;
    from.must_begin(1, None, 4).await;
    from.end(1, true).await;
    from.must_begin(1, None, 4).await;
    from.fork(&to, None).await.unwrap();
    assert_eq!(to.finish(1, None, 4).await, Committed::Changed, "the copy has no lease");
    assert_eq!(to.begin(2, None, 4).await, Begun::Yours { failures: 0 });
    assert_eq!(from.begin(1, None, 4).await, Begun::Yours { failures: 1 });
    assert_eq!(from.finish(1, None, 4).await, Committed::Done);
}

/// What its summaries have of their own is copied.
pub async fn a_copy_has_the_policy_of_the_original(on: Subject) {
    let (from, to) = pair(&on);
    from.say("ua").await;
    from.set_policy(Change::Set((policy(3), turns(3).unwrap()))).await;
    from.fork(&to, None).await.unwrap();
    assert_eq!(to.described().await.policy, policy(3));
    from.set_policy(Change::Remove).await;
    assert_eq!(to.summary().await.policy, policy(3));
    assert!(!to.due_after("u", turns(1)).await, "its own hint holds");
    assert!(to.due_after("u", turns(1)).await, "its own hint holds");
}

/// Clearing takes the summary, the lease, the policy and the failures along.
pub async fn a_cleared_session_leaves_no_summary(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    let summary = chat.summarise(2).await;
    chat.must_begin(1, Some(&summary), 4).await;
    chat.end(1, true).await;
    chat.must_begin(1, Some(&summary), 4).await;
    chat.set_policy(Change::Set((policy(3), OFF))).await;
    on.mark(&chat, on.now()).await;
    chat.clear().await;
    assert_eq!(chat.summary().await, SummaryState::default());
    assert_eq!(chat.finish(1, Some(&summary), 0).await, Committed::Changed);
    on.settle_all().await;
    assert_eq!(on.leftovers().await, [""; 0]);
    chat.say("uaua").await;
    assert_eq!(chat.summary().await, SummaryState::default());
    assert_eq!(chat.watermarks().await, (0, 0, false));
    assert_eq!(chat.finish(1, None, 4).await, Committed::Changed, "the lease is gone");
    assert_eq!(chat.begin(2, None, 4).await, Begun::Yours { failures: 0 });
}

/// Everything ends with its session.
pub async fn a_summary_ends_with_its_session(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("uaua", ttl(30, Restart::Write)).await;
    let first = chat.summarise(2).await;
    let second = chat.summarise(4).await;
    chat.must_begin(1, Some(&second), 4).await;
    chat.set_policy(Change::Set((policy(3), OFF))).await;
    chat.edit(1, "said better").await;
    on.advance(31).await;
    assert_eq!(chat.summary().await, SummaryState::default());
    assert_eq!(chat.commit(&commit(Some(&second), &first)).await, Committed::Changed);
    assert_eq!(chat.begin(1, Some(&second), 4).await, Begun::Changed);
    chat.end(1, true).await;
    assert!(!chat.exists().await);
    on.settle_all().await;
    assert_eq!(on.leftovers().await, [""; 0]);
    chat.say("uaua").await;
    assert_eq!(chat.summary().await, SummaryState::default());
    assert_eq!(chat.begin(2, None, 4).await, Begun::Yours { failures: 0 });
}

/// Nothing of a fold outlives a session whose clock it found running, however long the lease.
pub async fn a_fold_does_not_outlive_its_session(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("uaua", ttl(LEASE / 2, Restart::Never)).await;
    chat.must_begin(1, None, 4).await;
    assert_eq!(chat.finish(1, None, 2).await, Committed::Done);
    on.advance(LEASE / 2 + 1).await;
    on.settle_all().await;
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// A policy of a session's own is set, kept and removed, and told wherever the session is.
pub async fn a_policy_is_kept_as_it_was_given(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    let mut whole = policy(u32::MAX);
    whole.enabled = Some(false);
    whole.fold_after_turns = Some(0);
    whole.fold_after_tokens = Some(7);
    whole.summary_tokens = Some(1_000_000);
    for (change, expected) in [
        (Change::Keep, PolicyChange::default()),
        (Change::Set((policy(3), OFF)), policy(3)),
        (Change::Keep, policy(3)),
        (Change::Set((whole, OFF)), whole),
        (Change::Remove, PolicyChange::default()),
        (Change::Remove, PolicyChange::default()),
        (Change::Set((PolicyChange::default(), OFF)), PolicyChange::default()),
    ] {
        chat.set_policy(change).await;
        assert_eq!(chat.described().await.policy, expected, "{change:?}");
        assert_eq!(chat.summary().await.policy, expected, "{change:?}");
        let listed = on.listed(&chat.key.scope, "", 10).await;
        assert_eq!(listed[0].description.policy, expected, "{change:?}");
    }
    chat.set_policy(Change::Set((policy(3), OFF))).await;
    chat.say("ua").await;
    chat.edit(1, "said better").await;
    chat.configure(Configure { max_messages: Change::Set(9), ..Configure::default() }).await;
    assert_eq!(chat.described().await.policy, policy(3), "other writes leave it alone");
    let change = Configure { policy: Change::Set((policy(3), OFF)), ..Configure::default() };
    assert_eq!(on.chat("nobody").try_configure(change).await, Err(StoreError::NoSession));
}
