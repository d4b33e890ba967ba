//! What may happen to a session while it is folded, and what spoils the fold (I4).

use hitherto::store::{Begun, Committed, Pop};
use hitherto::summary::Summary;

use super::folding::LEASE;
use super::subject::{Chat, Subject};

/// A session of three turns, of which somebody folds the first two.
async fn folding(on: &Subject, session: &str) -> Chat {
    let chat = on.chat(session);
    chat.say("uauaua").await;
    chat.must_begin(1, None, 4).await;
    chat
}

/// Whatever is said while a session is folded, the fold is committed.
pub async fn appends_never_spoil_a_fold(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let chat = chat.clone();
            tokio::spawn(async move {
                for _ in 0..30 {
                    chat.say("ua").await;
                }
            })
        })
        .collect();
    let mut old: Option<Summary> = None;
    for fold in 0..20 {
        let last = chat.described().await.last_seq;
        chat.must_begin(1, old.as_ref(), last).await;
        assert_eq!(chat.finish(1, old.as_ref(), last).await, Committed::Done, "fold {fold}, up to {last}");
        old = chat.summary().await.current;
        chat.end(1, false).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(chat.described().await.last_seq, 122);
    assert!(!chat.is_stale().await);
}

/// A summary of what was changed meanwhile is not committed.
pub async fn a_change_of_what_is_folded_spoils_the_fold(on: Subject) {
    for seq in [1, 4] {
        let chat = folding(&on, &format!("edit {seq}")).await;
        chat.edit(seq, "said better").await;
        assert_eq!(chat.finish(1, None, 4).await, Committed::Changed, "{seq} was edited");
        let chat = folding(&on, &format!("delete {seq}")).await;
        chat.delete(seq).await;
        assert_eq!(chat.finish(1, None, 4).await, Committed::Changed, "{seq} was deleted");
        assert_eq!(chat.watermarks().await, (0, 0, false));
    }
    let chat = folding(&on, "pop").await;
    chat.pop(Pop::Turn).await;
    chat.pop(Pop::Message).await;
    assert_eq!(chat.finish(1, None, 4).await, Committed::Changed, "4 was popped");
    let chat = folding(&on, "less").await;
    chat.edit(4, "said better").await;
    assert_eq!(chat.finish(1, None, 2).await, Committed::Changed, "it may have been read for less");
}

/// Newer messages may change as they like.
pub async fn a_change_of_newer_messages_spoils_nothing(on: Subject) {
    let chat = folding(&on, "s").await;
    chat.edit(5, "said better").await;
    chat.delete(6).await;
    chat.pop(Pop::Turn).await;
    chat.say("ua").await;
    chat.pop(Pop::Turn).await;
    let old = chat.record(4).await;
    chat.replace(4, &chat.edited(&old, "not what stands there"), &old.deleted()).await;
    assert_eq!(chat.finish(1, None, 4).await, Committed::Done);
    assert!(!chat.is_stale().await);
}

/// What the summary so far covers is in the new one, too.
pub async fn a_change_of_what_the_summary_covers_spoils_the_fold(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    let summary = chat.summarise(4).await;
    chat.must_begin(1, Some(&summary), 6).await;
    chat.edit(2, "said better").await;
    assert_eq!(chat.finish(1, Some(&summary), 6).await, Committed::Changed);
    assert_eq!(chat.watermarks().await, (4, 0, true));
    chat.end(1, false).await;
    // Refolded from the beginning in pieces: what is covered beyond the piece must not have changed, either.
    chat.must_begin(2, Some(&summary), 2).await;
    chat.edit(3, "said better").await;
    assert_eq!(chat.finish(2, Some(&summary), 2).await, Committed::Changed);
}

/// Beginning again does not make a spoiled fold good; giving the lease back first does.
pub async fn a_spoiled_fold_stays_spoiled(on: Subject) {
    let chat = folding(&on, "s").await;
    chat.edit(2, "said better").await;
    chat.must_begin(1, None, 4).await;
    assert_eq!(chat.finish(1, None, 4).await, Committed::Changed);
    chat.must_begin(1, None, 6).await;
    assert_eq!(chat.finish(1, None, 4).await, Committed::Changed);
    chat.end(1, false).await;
    chat.must_begin(1, None, 4).await;
    assert_eq!(chat.finish(1, None, 4).await, Committed::Done);
}

/// What changed before somebody began is in what they read.
pub async fn a_new_holder_starts_afresh(on: Subject) {
    let chat = folding(&on, "s").await;
    chat.edit(2, "said better").await;
    on.advance(LEASE + 1).await;
    chat.must_begin(2, None, 4).await;
    assert_eq!(chat.finish(1, None, 4).await, Committed::Changed, "it is another's");
    assert_eq!(chat.finish(2, None, 4).await, Committed::Done);
}

/// Who begins again for more has that guarded from then on.
pub async fn a_lease_may_reach_further(on: Subject) {
    let chat = folding(&on, "before").await;
    chat.edit(6, "said better").await;
    chat.must_begin(1, None, 6).await;
    assert_eq!(chat.finish(1, None, 6).await, Committed::Done, "6 was changed before it was guarded");
    let chat = folding(&on, "after").await;
    chat.must_begin(1, None, 6).await;
    chat.edit(6, "said better").await;
    assert_eq!(chat.finish(1, None, 6).await, Committed::Changed, "6 was changed when it was guarded");
}

/// One fold in several pieces, with newer messages coming and going between.
pub async fn a_fold_in_pieces_ends_where_it_should(on: Subject) {
    let chat = on.chat("s");
    chat.say("uauaua").await;
    let mut old: Option<Summary> = None;
    for (upto, before) in [(2, 0), (4, 2), (6, 4)] {
        let begun = chat.begin(1, old.as_ref(), upto).await;
        assert_eq!(begun, Begun::Yours { failures: 0 });
        chat.say("ua").await;
        chat.pop(Pop::Message).await;
        assert_eq!(chat.finish(1, old.as_ref(), upto).await, Committed::Done, "up to {upto}");
        assert_eq!(chat.watermarks().await, (upto, before, false));
        old = chat.summary().await.current;
    }
    chat.end(1, false).await;
    assert_eq!(chat.held().await, "1u 2a 3u 4a 5u 6a 7u 8- 9u 10- 11u 12-");
}
