//! Erasing a user: everything goes, whole, and nothing of anybody else's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hitherto::store::{Batch, Begun, Committed, Configure, Erased};
use hitherto::summary::{Extractive, SummaryOptions};
use hitherto::{Change, MemoryKey, Restart, Scope, Tenant};

use super::subject::{Subject, once, records, ttl, user};

fn tenant() -> Tenant {
    Tenant::default()
}

/// What an erasure removed, without what is about its pieces.
fn counts(erased: &Erased) -> (u64, u64, u64) {
    (erased.sessions, erased.messages, erased.bytes)
}

/// Messages, settings, summaries, idempotency keys, places in lists; and all of it is counted.
pub async fn everything_of_a_user_goes(on: Subject) {
    let other = on.chat("another's");
    other.say_of("ua", "two").await.unwrap();
    let nobodys = on.chat("nobody's");
    nobodys.say("ua").await;
    let kept = on.leftovers().await.len();
    let mut bytes = 0;
    for name in ["a", "b", "c"] {
        let chat = on.chat(name);
        let batch = Batch { once: once("k", 7), user: Some(user("one")), ..chat.batch("uaua") };
        chat.send(batch).await;
        chat.configure(Configure {
            ttl: ttl(600, Restart::Read),
            max_messages: Change::Set(9),
            metadata: Change::Set("{}".to_owned()),
            policy: Change::Keep,
        })
        .await;
        chat.summarise(2).await;
        chat.delete(1).await;
        on.mark(&chat, on.now()).await;
        bytes += chat.described().await.bytes;
    }
    assert!(on.leftovers().await.len() > kept);
    let erased = on.erase(&tenant(), "one").await;
    assert_eq!(counts(&erased), (3, 9, bytes));
    assert_eq!(erased.left, 0);
    assert_eq!(on.leftovers().await.len(), kept);
    let mut names = on.names().await;
    names.sort_unstable();
    assert_eq!(names, ["another's", "nobody's"]);
    assert_eq!(on.names_of("one").await, [""; 0]);
    assert_eq!(on.claim(9).await, []);
    assert_eq!((other.held().await, nobodys.held().await), ("1u 2a".to_owned(), "1u 2a".to_owned()));
}

/// The second time there is nothing, and neither is there of a user whom nobody knows.
pub async fn erasing_twice_is_erasing_once(on: Subject) {
    on.chat("s").say_of("ua", "one").await.unwrap();
    assert_eq!(on.erase(&tenant(), "one").await.sessions, 1);
    assert_eq!(on.erase(&tenant(), "one").await, Erased::default());
    assert_eq!(on.erase(&tenant(), "nobody").await, Erased::default());
    let ending = on.chat("t");
    ending.say_of("ua", "one").await.unwrap();
    ending.set_ttl(ttl(60, Restart::Write)).await;
    on.advance(70).await;
    assert_eq!(on.erase(&tenant(), "one").await.sessions, 0, "an ended session was there no more");
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// The tenant's, whatever the memory key; a user of the same name of another tenant is another user.
pub async fn it_goes_under_every_memory_key_and_in_no_other_tenant(on: Subject) {
    let other_key = Scope { memory_key: MemoryKey::parse("other").unwrap(), ..Scope::default() };
    let other_tenant = Scope { tenant: Tenant::parse("other").unwrap(), ..Scope::default() };
    for scope in [&Scope::default(), &other_key, &other_tenant] {
        on.chat_in(scope, "s").say_of("ua", "one").await.unwrap();
    }
    let erased = on.erase(&tenant(), "one").await;
    assert_eq!((erased.sessions, erased.messages), (2, 4));
    assert!(!on.chat_in(&other_key, "s").exists().await);
    assert_eq!(on.chat_in(&other_tenant, "s").held().await, "1u 2a");
    assert_eq!(on.listed(&other_tenant, "", 9).await.len(), 1);
}

/// It begins at 1, is listed, and the next erasure finds it.
pub async fn what_is_appended_afterwards_is_a_new_session(on: Subject) {
    let chat = on.chat("s");
    chat.say_of("uaua", "one").await.unwrap();
    on.erase(&tenant(), "one").await;
    for time in 0..2 {
        assert_eq!(chat.say_of("ua", "one").await.unwrap().first_seq, 1 + 2 * time);
        assert_eq!(on.names_of("one").await, ["s"]);
        assert_eq!(on.names().await, ["s"]);
    }
    let known = chat.described().await;
    assert_eq!((known.messages, known.summary_upto, known.metadata), (4, 0, None));
    assert_eq!(on.erase(&tenant(), "one").await.messages, 4);
    chat.say("u").await;
    assert_eq!(chat.described().await.user, None);
    assert_eq!(on.erase(&tenant(), "one").await.sessions, 0);
    assert_eq!(chat.held().await, "1u");
}

/// More than one piece has: all of them, each counted once.
pub async fn many_sessions_go_in_pieces(on: Subject) {
    for number in 0..250 {
        on.chat(&format!("s{number}")).say_of("ua", "one").await.unwrap();
    }
    on.chat("other").say_of("ua", "two").await.unwrap();
    let first = on.store().erase(&tenant(), &user("one"), on.now(), &Default::default()).await.unwrap();
    assert!((1..250).contains(&first.sessions), "{first:?}");
    assert_eq!((first.sessions + first.left, first.next.is_some()), (250, true));
    let rest = on.erase(&tenant(), "one").await;
    assert_eq!((first.sessions + rest.sessions, first.messages + rest.messages), (250, 500));
    assert_eq!(on.names().await, ["other"]);
}

/// Also one that a store removes piece by piece.
pub async fn a_large_session_goes_whole(on: Subject) {
    let chat = on.chat("s");
    let mut written = 0;
    for _ in 0..13 {
        let messages = (0..800).map(|_| hitherto::Message::user("much was said"));
        let batch = Batch { records: records(messages, on.now()), ..chat.batch("") };
        chat.send(Batch { user: Some(user("one")), ..batch }).await;
        written += 800;
    }
    assert_eq!(on.erase(&tenant(), "one").await.messages, written);
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// While others append, every session is erased as a whole: what stands there afterwards begins at 1 and has no gap,
/// whatever was acknowledged last is there, and all of it is listed and can be erased.
pub async fn a_session_goes_whole_or_stays_whole(on: Subject) {
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (on, stop) = (on.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let chat = on.chat(&format!("s{}", writer % 2));
                let mut last = 0;
                while !stop.load(Ordering::Relaxed) {
                    last = chat.say_of("ua", "one").await.unwrap().first_seq + 1;
                }
                // Once more, after the last erasure.
                last.max(chat.say_of("ua", "one").await.unwrap().first_seq + 1)
            })
        })
        .collect();
    for _ in 0..30 {
        on.store().erase(&tenant(), &user("one"), on.now(), &Default::default()).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    for name in ["s0", "s1"] {
        let slice = on.chat(name).all().await;
        assert_eq!((slice.base, slice.entries.first().map(|entry| entry.seq)), (0, Some(1)), "{name}");
        let seqs: Vec<u64> = slice.entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, (1..=slice.last).collect::<Vec<_>>(), "{name}");
        assert_eq!(on.chat(name).described().await.user, Some(user("one")));
    }
    let mut names = on.names_of("one").await;
    names.sort_unstable();
    assert_eq!(names, ["s0", "s1"]);
    let mut names = on.names().await;
    names.sort_unstable();
    assert_eq!(names, ["s0", "s1"]);
    assert_eq!(on.erase(&tenant(), "one").await.sessions, 2);
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// Whoever was folding the session cannot commit any more, neither to nothing nor to a new session of that id.
pub async fn a_fold_brings_no_summary_back(on: Subject) {
    let chat = on.chat("s");
    chat.say_of("uauauaua", "one").await.unwrap();
    let summary = chat.summary_of(4).await;
    let commit = |summary| hitherto::store::Commit {
        lease: Some(super::folding::token(1)),
        ..super::folding::commit(None, summary)
    };
    chat.must_begin(1, None, 4).await;
    on.erase(&tenant(), "one").await;
    assert_eq!(chat.commit(&commit(&summary)).await, Committed::Changed);
    assert_eq!(chat.begin(1, None, 4).await, Begun::Changed);
    chat.end(1, true).await;
    assert!(!chat.exists().await);
    chat.say_of("uauauaua", "one").await.unwrap();
    assert_eq!(chat.commit(&commit(&summary)).await, Committed::Changed);
    assert_eq!(chat.summary().await.current, None);
    on.erase(&tenant(), "one").await;
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// Sessions are folded all the time while they are erased and begun again: the last erasure leaves nothing, whatever was
/// being folded then.
pub async fn folding_and_erasing_at_once_leaves_nothing(on: Subject) {
    let mut options = SummaryOptions::default();
    options.policy.window = 1;
    let memory = on.memory().with_summaries(options, Arc::new(Extractive), None);
    let stop = Arc::new(AtomicBool::new(false));
    let ids = ["s0", "s1"].map(|name| hitherto::SessionId::parse(name).unwrap());
    let folders: Vec<_> = ids
        .iter()
        .map(|id| {
            let (memory, id, stop) = (memory.clone(), id.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut folded = 0;
                while !stop.load(Ordering::Relaxed) {
                    // A session may be gone, or another, at any point of it.
                    folded += memory.fold(&id).await.map_or(0, |fold| fold.commits);
                    tokio::task::yield_now().await;
                }
                folded
            })
        })
        .collect();
    let mut with = hitherto::AppendOptions::default();
    with.user = Some(user("one"));
    for round in 0..40 {
        for id in &ids {
            let turn = |turn| {
                let question = format!("Where is order {round}-{turn} now?");
                let answer = format!("Order {round}-{turn} is on its way to Berlin.");
                [hitherto::Message::user(&question), hitherto::Message::assistant(&answer)]
            };
            memory.append(id, (0..6).flat_map(turn).collect(), &with).await.unwrap();
            tokio::task::yield_now().await;
        }
        if round % 3 == 1 {
            assert_eq!(memory.erase_user(&user("one"), Duration::MAX).await.unwrap().sessions, 2);
        }
    }
    assert_eq!(memory.erase_user(&user("one"), Duration::MAX).await.unwrap().sessions, 2);
    stop.store(true, Ordering::Relaxed);
    for folder in folders {
        folder.await.unwrap();
    }
    assert_eq!(on.leftovers().await, [""; 0]);
    for id in &ids {
        assert_eq!(memory.summary(id).await.unwrap().current, None);
    }
}

/// A session that was the user's, was cleared, and is another's by now, is not the user's to erase.
pub async fn a_session_that_changed_hands_stays(on: Subject) {
    let chat = on.chat("s");
    chat.say_of("ua", "one").await.unwrap();
    chat.clear().await;
    chat.say_of("uaua", "two").await.unwrap();
    assert_eq!(on.erase(&tenant(), "one").await, Erased::default());
    assert_eq!(chat.held().await, "1u 2a 3u 4a");
    assert_eq!(on.names_of("two").await, ["s"]);
}
