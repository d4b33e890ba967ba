//! The published cases, and others like them, by name. Each takes a new ground of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hitherto::store::{At, Range, Reader};
use hitherto::summary::SummariserError;
use hitherto::{ChatMemory, Clock, Error, Message, Role, Scope};
use tokio::runtime::Handle;

use super::desk::{Desk, edit, given, id, long, say, turns};
use super::fleet::Ground;
use super::scribe::Mood;

/// Makes a test of each case, on a ground of its own.
#[macro_export]
macro_rules! loss_cases {
    ($ground:expr) => {
        $crate::loss_cases! { @tests $ground =>
            forty_messages_in_one_append_with_a_window_of_twelve
            twenty_messages_arrive_during_a_two_second_summary
            a_model_that_says_none
            a_model_that_is_down
            a_model_that_is_down_while_another_stands_in
            two_replicas_at_once
            an_enormous_message_is_given_in_parts
            a_turn_longer_than_the_input_budget
            an_edit_during_a_fold_is_not_lost
            an_edit_at_any_moment_of_a_fold_is_not_lost
            a_deleted_message_leaves_the_summary
            a_copy_is_folded_like_any_other
            a_stale_summary_is_not_gone_back_to
            a_huge_session_does_not_starve_the_others
            shutdown_abandons_safely
            a_session_cleared_during_its_fold
            retry_after_is_respected
        }
    };
    (@tests $ground:expr => $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            if let Some(ground) = $ground {
                $crate::loss::cases::$case(ground).await;
            }
        })*
    };
}

/// Motorhead kept a window of 12 and gave its model the rest of what stood in the list when it looked: of 40
/// messages of one request, 27 were neither summarised nor kept.
pub async fn forty_messages_in_one_append_with_a_window_of_twelve(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 6, 4_000);
    let server = desk.server();
    let _worker = server.start_worker().unwrap();
    say(&server, "s", turns("s", 20)).await;
    desk.until(&server, "s", 28).await;
    assert_eq!(given(&desk.scribe.pieces()), (1..=28).collect::<Vec<_>>());
    let key = Scope::default().session(&id("s"));
    let at = At { key: &key, now: desk.ground.now() };
    let (slice, _) =
        server.store.read_with_summary(at, Range::Unfolded(6, 100), Reader::Client).await.unwrap();
    assert_eq!(
        slice.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        (29..=40).collect::<Vec<_>>()
    );
}

/// What arrives while a summary is made was given to no summariser, and was dropped with what had been.
pub async fn twenty_messages_arrive_during_a_two_second_summary(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    desk.scribe.next(Mood::Held);
    let _worker = server.start_worker().unwrap();
    say(&server, "s", turns("s", 6)).await;
    desk.scribe.asked(1).await;
    for _ in 0..10 {
        say(&server, "s", turns("s", 1)).await;
        assert_eq!(desk.upto(&server, "s").await, 0);
    }
    desk.scribe.release(1);
    desk.until(&server, "s", 28).await;
    assert_eq!(given(&desk.scribe.pieces()), (1..=28).collect::<Vec<_>>());
}

/// A model that has nothing to say, or refuses, replaced the summary by that.
pub async fn a_model_that_says_none(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    say(&server, "s", turns("s", 6)).await;
    server.fold(&id("s")).await.unwrap();
    let before = desk.look(&server, "s").await.1.current;
    say(&server, "s", turns("s", 4)).await;
    for nothing in ["NONE", "none", "None.", "\"NONE\"", "", " \n ", "-"] {
        desk.scribe.next(Mood::Says(nothing.to_owned()));
        let failed = server.fold(&id("s")).await;
        assert_eq!(failed, Err(Error::Summariser(SummariserError::Empty)), "{nothing:?}");
        assert_eq!(desk.look(&server, "s").await.1.current, before, "{nothing:?}");
    }
    desk.scribe.next(Mood::Floods);
    assert!(matches!(server.fold(&id("s")).await, Err(Error::Summariser(SummariserError::TooLong { .. }))));
    assert_eq!(desk.look(&server, "s").await.1.current, before);
    server.fold(&id("s")).await.unwrap();
    assert_eq!(desk.upto(&server, "s").await, 16);
}

/// While the model is down, everything stays verbatim; when it is back, all of it is summarised.
pub async fn a_model_that_is_down(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    desk.scribe.usually(Mood::Fails(SummariserError::Unreachable("refused".to_owned())));
    let _worker = server.start_worker().unwrap();
    for times in 1..=6 {
        say(&server, "s", turns("s", 4)).await;
        desk.asked_in_time(times).await;
        assert_eq!(desk.upto(&server, "s").await, 0);
        assert_eq!(desk.look(&server, "s").await.0.entries.len(), times * 8);
    }
    desk.scribe.usually(Mood::Well);
    desk.in_time(&server, "s", 44).await;
}

/// After three failures the stand-in makes the summary, and says so; then it is the model's turn again.
pub async fn a_model_that_is_down_while_another_stands_in(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server_with_stand_in();
    let failure = Mood::Fails(SummariserError::TimedOut(Duration::from_secs(30)));
    desk.scribe.usually(failure);
    let _worker = server.start_worker().unwrap();
    say(&server, "s", turns("s", 6)).await;
    for times in 1..=3 {
        desk.asked_in_time(times).await;
        assert!(desk.stand_in.times() == 0 || times == 3);
    }
    let made = desk.until(&server, "s", 8).await.current.unwrap();
    assert_eq!((made.by.as_str(), made.stand_in), ("stand-in", true));
    desk.scribe.usually(Mood::Well);
    say(&server, "s", turns("s", 4)).await;
    let made = desk.in_time(&server, "s", 16).await.current.unwrap();
    assert_eq!((made.by.as_str(), made.stand_in), ("scribe", false));
}

/// Two servers that folded one session at once summarised some of it twice, and each cut the list.
pub async fn two_replicas_at_once(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let (one, two) = (desk.server(), desk.server());
    let _workers = (one.start_worker().unwrap(), two.start_worker().unwrap());
    desk.scribe.usually(Mood::After(Duration::from_millis(2)));
    for _ in 0..20 {
        say(&one, "s", turns("s", 3)).await;
        say(&two, "s", turns("s", 1)).await;
        let session = id("s");
        let folds = tokio::join!(one.fold(&session), two.fold(&session));
        assert!(folds.0.is_ok() && folds.1.is_ok(), "{folds:?}");
        desk.look(&one, "s").await;
    }
    assert_eq!(desk.upto(&two, "s").await, 156);
    // No lease ended, so nothing was given to the summariser twice, by whichever server.
    assert_eq!(given(&desk.scribe.pieces()), (1..=156).collect::<Vec<_>>());
}

/// A message that is longer than what the model takes was passed over.
pub async fn an_enormous_message_is_given_in_parts(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 1, 200);
    let server = desk.server();
    // In the middle of a turn, at the end of what is folded, and alone.
    let mut said =
        vec![Message::user("s asks"), long("s", Role::Assistant, 2_000), Message::assistant("s adds")];
    said.extend(turns("s", 1));
    said.extend([Message::user("s asks again"), long("s", Role::Assistant, 1_500)]);
    said.extend(turns("s", 1));
    say(&server, "s", said).await;
    server.fold(&id("s")).await.unwrap();
    assert_eq!(desk.upto(&server, "s").await, 7);
    assert_eq!(given(&desk.scribe.pieces()), (1..=7).collect::<Vec<_>>());
    assert!(desk.scribe.pieces().iter().any(|piece| piece.lines[0].part.is_some_and(|(part, _)| part > 8)));
    say(&server, "s", vec![long("s", Role::User, 1_000), Message::user("s ends")]).await;
    server.fold(&id("s")).await.unwrap();
    assert_eq!(desk.upto(&server, "s").await, 10);
    // A refold goes the same way.
    edit(&server, "s", 1, "s asks something else").await;
    server.fold(&id("s")).await.unwrap();
    assert_eq!(desk.look(&server, "s").await.1.current.unwrap().upto, 10);
}

/// A turn that goes on and on is given in several pieces, and its summary stands when all of it was given.
pub async fn a_turn_longer_than_the_input_budget(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 1, 200);
    let server = desk.server();
    let mut said = vec![Message::user("s asks much")];
    said.extend(
        (0..60).map(|n| Message::tool("c", &format!("s finds {n} and goes on looking for more of it"))),
    );
    said.extend(turns("s", 1));
    say(&server, "s", said).await;
    for mood in [Mood::Well, Mood::Well, Mood::Fails(SummariserError::Refused)] {
        desk.scribe.next(mood);
    }
    assert_eq!(server.fold(&id("s")).await, Err(Error::Summariser(SummariserError::Refused)));
    assert_eq!(desk.upto(&server, "s").await, 0, "half a turn was committed");
    let before = desk.scribe.pieces().len();
    server.fold(&id("s")).await.unwrap();
    assert_eq!(desk.upto(&server, "s").await, 61);
    assert_eq!(given(&desk.scribe.pieces()[before..]), (1..=61).collect::<Vec<_>>());
}

/// What was edited while it was summarised stayed in the summary as it had been.
pub async fn an_edit_during_a_fold_is_not_lost(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    desk.scribe.next(Mood::Held);
    let _worker = server.start_worker().unwrap();
    say(&server, "s", turns("s", 6)).await;
    desk.scribe.asked(1).await;
    edit(&server, "s", 3, "s asks something else").await;
    server.delete(&id("s"), 4).await.unwrap();
    desk.scribe.release(1);
    desk.until(&server, "s", 8).await;
}

/// The same at each step of a fold: the clock, which is asked before every call of the store, edits.
pub async fn an_edit_at_any_moment_of_a_fold_is_not_lost(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    for moment in 1..=16 {
        let (server, session) = (desk.server(), format!("s{moment}"));
        say(&server, &session, turns(&session, 6)).await;
        server.fold(&id(&session)).await.unwrap();
        say(&server, &session, turns(&session, 4)).await;
        let (asked, handle, editor) = (AtomicUsize::new(0), Handle::current(), server.memory.clone());
        let (name, ground) = (session.clone(), Arc::clone(&desk.ground));
        let clock = Clock::from_fn(move || {
            if asked.fetch_add(1, Ordering::SeqCst) + 1 == moment {
                tokio::task::block_in_place(|| handle.block_on(change(&editor, &name)));
            }
            ground.now()
        });
        server.memory.clone().with_clock(clock).fold(&id(&session)).await.unwrap();
        // Where the fold was over before the edit, the next one notices.
        server.fold(&id(&session)).await.unwrap();
        desk.until(&server, &session, 16).await;
    }
}

/// Changes messages that the summary covers, and one that it is going to.
async fn change(memory: &ChatMemory, session: &str) {
    edit(memory, session, 3, &format!("{session} asks something else")).await;
    memory.delete(&id(session), 6).await.unwrap();
    edit(memory, session, 11, &format!("{session} asks anew")).await;
}

/// What was deleted lived on in the summary.
pub async fn a_deleted_message_leaves_the_summary(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    let _worker = server.start_worker().unwrap();
    say(&server, "s", turns("s", 6)).await;
    desk.until(&server, "s", 8).await;
    for seq in 1..=8 {
        server.delete(&id("s"), seq).await.unwrap();
    }
    let state = desk.until(&server, "s", 8).await;
    assert_eq!(state.current.map(|summary| summary.text).as_deref(), Some(""));
    assert_eq!(state.previous, None, "what was deleted can be had back");
}

/// A copy was on no list until somebody appended to it.
pub async fn a_copy_is_folded_like_any_other(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    say(&server, "s", turns("s", 6)).await;
    server.fork(&id("s"), &id("copy"), None).await.unwrap();
    let _worker = server.start_worker().unwrap();
    desk.until(&server, "copy", 8).await;
}

/// A summary by hand over a stale one kept the stale one as the version before, and taking it back made it fresh.
pub async fn a_stale_summary_is_not_gone_back_to(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    say(&server, "s", turns("s", 6)).await;
    server.fold(&id("s")).await.unwrap();
    server.delete(&id("s"), 2).await.unwrap();
    server.put_summary(&id("s"), "s H4", 4).await.unwrap();
    assert_eq!(server.rollback_summary(&id("s")).await, Err(Error::NoEarlierSummary));
    desk.look(&server, "s").await;
}

/// One session with much to fold takes its turn behind the others after every few portions.
pub async fn a_huge_session_does_not_starve_the_others(ground: Arc<Ground>) {
    let mut desk = Desk::new(ground, 1, 200);
    desk.options.concurrency = 1;
    let server = desk.server();
    say(&server, "huge", turns("shuge", 400)).await;
    for small in ["a", "b", "c"] {
        desk.advance(1);
        say(&server, small, turns(&format!("s{small}"), 3)).await;
    }
    // The list is told a little later of what an append has made due.
    for session in ["a", "b", "c", "huge"] {
        let key = Scope::default().session(&id(session));
        server.store.mark_due(&key, desk.ground.now()).await.unwrap();
    }
    let _worker = server.start_worker().unwrap();
    for small in ["a", "b", "c"] {
        desk.until(&server, small, 4).await;
    }
    desk.until(&server, "huge", 798).await;
    let pieces = desk.scribe.pieces();
    let last = pieces.iter().rposition(|piece| !piece.lines[0].text.starts_with("shuge ")).unwrap();
    let before = pieces[..last].iter().filter(|piece| piece.lines[0].text.starts_with("shuge ")).count();
    assert!(before <= 12, "{before} of the huge session's pieces came before the last small one");
    assert!(pieces.len() > 40, "{} pieces are not many", pieces.len());
}

/// A worker that is stopped leaves what it has begun as it was, for whoever comes next.
pub async fn shutdown_abandons_safely(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    desk.scribe.next(Mood::Held);
    let worker = server.start_worker().unwrap();
    say(&server, "s", turns("s", 6)).await;
    desk.scribe.asked(1).await;
    worker.stop(Duration::ZERO).await;
    assert_eq!(desk.upto(&server, "s").await, 0);
    drop(server);
    let next = desk.server();
    let _worker = next.start_worker().unwrap();
    desk.advance(200);
    desk.until(&next, "s", 8).await;
    // A worker with time waits for what it has begun.
    desk.scribe.next(Mood::Held);
    let patient = desk.server();
    let worker = patient.start_worker().unwrap();
    drop(_worker);
    let asked = desk.scribe.times();
    say(&patient, "t", turns("st", 6)).await;
    desk.scribe.asked(asked + 1).await;
    let stopped = tokio::spawn(worker.stop(Duration::from_secs(60)));
    desk.scribe.release(1);
    stopped.await.unwrap();
    assert_eq!(desk.upto(&patient, "t").await, 8);
}

/// What was cleared came back as the summary of the next session of that name.
pub async fn a_session_cleared_during_its_fold(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    desk.scribe.next(Mood::Held);
    let _worker = server.start_worker().unwrap();
    say(&server, "s", turns("sold", 6)).await;
    desk.scribe.asked(1).await;
    server.clear(&id("s")).await.unwrap();
    say(&server, "s", turns("snew", 7)).await;
    desk.scribe.release(1);
    let text = desk.until(&server, "s", 10).await.current.unwrap().text;
    assert!(text.starts_with("snew "), "{text}");
}

/// A model that asks to be left alone for a time is.
pub async fn retry_after_is_respected(ground: Arc<Ground>) {
    let desk = Desk::new(ground, 2, 4_000);
    let server = desk.server();
    desk.scribe.next(Mood::Fails(SummariserError::Status {
        status: 429,
        reason: "slow down".to_owned(),
        retry_after: Some(Duration::from_secs(3_000)),
    }));
    let _worker = server.start_worker().unwrap();
    say(&server, "s", turns("ss", 6)).await;
    desk.scribe.asked(1).await;
    for (round, secs) in [1_000, 1_000, 900].into_iter().enumerate() {
        // Others are folded meanwhile, which shows that the worker has looked.
        let other = format!("other{round}");
        say(&server, &other, turns(&format!("s{other}"), 6)).await;
        desk.until(&server, &other, 8).await;
        assert_eq!(desk.upto(&server, "s").await, 0);
        desk.advance(secs);
    }
    assert_eq!(desk.upto(&server, "s").await, 0);
    desk.in_time(&server, "s", 8).await;
}
