//! Times to live: what starts the clock, what restarts it, and that everything of a session ends with it (I9).

use hitherto::store::{Batch, Change, Configure, Pop, Range, Replaced, StoreError};
use hitherto::{Restart, TtlChange, Window};

use super::subject::{Subject, once, secs, ttl};

/// A session has none unless it is given one.
pub async fn a_session_lives_on_by_default(on: Subject) {
    let chat = on.chat("s");
    chat.say("u").await;
    let known = chat.described().await;
    assert_eq!((known.ttl, known.expires_at), (None, None));
    on.advance(400 * 86_400).await;
    assert_eq!(chat.held().await, "1u");
}

/// It ends when its time has run.
pub async fn a_session_ends_when_its_time_has_run(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("ua", ttl(60, Restart::Write)).await;
    assert_eq!(chat.described().await.ttl, Some(secs(60)));
    assert_eq!(chat.ends_in().await, Some(60));
    on.advance(50).await;
    assert_eq!(chat.held().await, "1u 2a");
    assert_eq!(chat.ends_in().await, Some(10));
    on.advance(20).await;
    assert_eq!(chat.held().await, "");
    assert!(!chat.exists().await);
}

/// Every write restarts the clock: an append, an edit, a deletion, a pop, a setting.
pub async fn every_write_restarts_the_clock(on: Subject) {
    for restart in [Restart::Write, Restart::Read] {
        let chat = on.chat(&format!("{restart:?}"));
        chat.say_for("uaua", ttl(60, restart)).await;
        for write in ["append", "edit", "delete", "pop", "metadata", "maximum"] {
            on.advance(40).await;
            assert_eq!(chat.ends_in().await, Some(20), "{restart:?}, before {write}");
            match write {
                "append" => drop(chat.say("ua").await),
                "edit" => chat.edit(1, "said better").await,
                "delete" => chat.delete(1).await,
                "pop" => drop(chat.pop(Pop::Message).await),
                "metadata" => {
                    let metadata = Change::Set("{}".to_owned());
                    chat.configure(Configure { metadata, ..Configure::default() }).await;
                }
                _ => chat.configure(Configure { max_messages: Change::Set(9), ..Configure::default() }).await,
            }
            assert_eq!(chat.ends_in().await, Some(60), "{restart:?}, after {write}");
        }
    }
}

/// A read restarts the clock of a session that is restarted by reads.
pub async fn a_read_restarts_a_clock_of_that_kind(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("uaua", ttl(60, Restart::Read)).await;
    for range in [Range::Window(Window::Turns(1)), Range::After(0, 9), Range::Before(9, 1)] {
        on.advance(40).await;
        chat.read(range).await;
        assert_eq!(chat.ends_in().await, Some(60), "{range:?}");
    }
    on.advance(40).await;
    assert_eq!(chat.window(Window::Messages(2)).await, "3u 4a");
    on.advance(70).await;
    assert_eq!(chat.window(Window::Messages(2)).await, "");
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// A read does not restart any other clock.
pub async fn a_read_leaves_other_clocks_alone(on: Subject) {
    for restart in [Restart::Write, Restart::Never] {
        let chat = on.chat(&format!("{restart:?}"));
        chat.say_for("ua", ttl(60, restart)).await;
        on.advance(40).await;
        for range in [Range::Window(Window::Turns(1)), Range::After(0, 9), Range::Before(9, 1)] {
            chat.read(range).await;
        }
        assert_eq!(chat.ends_in().await, Some(20), "{restart:?}");
    }
}

/// Looking at a session is no read of its messages.
pub async fn describing_and_listing_restart_nothing(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("ua", ttl(60, Restart::Read)).await;
    on.advance(40).await;
    assert_eq!(on.names().await, ["s"]);
    assert_eq!(chat.ends_in().await, Some(20));
    on.advance(30).await;
    assert!(!chat.exists().await);
}

/// A clock that never restarts runs from when it was set, whatever is written.
pub async fn an_absolute_clock_is_never_restarted(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("uaua", ttl(60, Restart::Never)).await;
    on.advance(40).await;
    chat.say("ua").await;
    chat.edit(1, "said better").await;
    chat.pop(Pop::Message).await;
    chat.configure(Configure { max_messages: Change::Set(9), ..Configure::default() }).await;
    chat.held().await;
    assert_eq!(chat.ends_in().await, Some(20));
    on.advance(30).await;
    assert!(!chat.exists().await);
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// An append that repeats the session's own absolute time to live leaves its clock running.
pub async fn repeating_an_absolute_ttl_leaves_its_clock(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("u", ttl(60, Restart::Never)).await;
    on.advance(40).await;
    chat.say_for("a", ttl(60, Restart::Never)).await;
    assert_eq!(chat.ends_in().await, Some(20));
    chat.say_for("a", ttl(90, Restart::Never)).await;
    assert_eq!(chat.ends_in().await, Some(90), "another length is another time to live");
    on.advance(40).await;
    chat.say_for("a", ttl(90, Restart::Write)).await;
    assert_eq!(chat.ends_in().await, Some(90), "another kind is another time to live");
}

/// Setting one, rather than appending with it, starts its clock.
pub async fn setting_an_absolute_ttl_starts_its_clock(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("u", ttl(60, Restart::Never)).await;
    on.advance(40).await;
    chat.set_ttl(ttl(60, Restart::Never)).await;
    assert_eq!(chat.ends_in().await, Some(60));
}

/// Appending with a time to live sets it, shorter or longer.
pub async fn an_append_may_change_the_ttl(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("u", ttl(60, Restart::Write)).await;
    chat.say_for("a", ttl(600, Restart::Read)).await;
    assert_eq!(chat.described().await.ttl, Some(secs(600).restarted_by(Restart::Read)));
    assert_eq!(chat.ends_in().await, Some(600));
    chat.say_for("a", ttl(30, Restart::Write)).await;
    assert_eq!(chat.ends_in().await, Some(30));
}

/// Removing a time to live really removes it.
pub async fn a_removed_ttl_is_gone(on: Subject) {
    for restart in [Restart::Write, Restart::Read, Restart::Never] {
        let (one, two) = (on.chat(&format!("{restart:?} 1")), on.chat(&format!("{restart:?} 2")));
        let batch = |chat: &super::subject::Chat| Batch {
            once: once("k", 7),
            ttl: ttl(60, restart),
            ..chat.batch("ua")
        };
        one.send(batch(&one)).await;
        two.send(batch(&two)).await;
        one.set_ttl(TtlChange::Remove).await;
        two.say_for("u", TtlChange::Remove).await;
        on.advance(7200).await;
        for chat in [one, two] {
            let known = chat.described().await;
            assert_eq!((known.ttl, known.expires_at), (None, None), "{restart:?}");
            assert!(chat.held().await.starts_with("1u 2a"), "{restart:?}");
            chat.say("a").await;
            assert_eq!(chat.expires_at().await, None, "{restart:?}");
        }
    }
}

/// A session that has expired is no session, for any call.
pub async fn an_expired_session_is_no_session(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("ua", ttl(60, Restart::Write)).await;
    let old = chat.record(1).await;
    on.advance(70).await;
    assert_eq!(chat.try_configure(Configure::default()).await, Err(StoreError::NoSession));
    assert_eq!(
        chat.try_configure(Configure { ttl: TtlChange::Remove, ..Configure::default() }).await,
        Err(StoreError::NoSession)
    );
    assert_eq!(chat.replace(1, &old, &old.deleted()).await, Replaced::Changed);
    assert_eq!(chat.pop(Pop::Turn).await, "");
    assert_eq!(chat.clear().await, None);
    assert_eq!(chat.description().await, None);
    let slice = chat.read(Range::Before(9, 9)).await;
    assert_eq!((slice.entries.len(), slice.base, slice.last, slice.deleted), (0, 0, 0, 0));
    assert_eq!(on.names().await, [""; 0]);
}

/// The next append begins a new session, with nothing of the old one.
pub async fn an_append_after_expiry_begins_a_new_session(on: Subject) {
    let chat = on.chat("s");
    let batch = Batch { ttl: ttl(60, Restart::Never), max_messages: Change::Set(9), ..chat.batch("uaua") };
    chat.send(batch).await;
    let metadata = Change::Set("{}".to_owned());
    chat.configure(Configure { metadata, ..Configure::default() }).await;
    chat.delete(2).await;
    on.advance(70).await;
    assert_eq!(chat.say("u").await.first_seq, 1);
    assert_eq!(chat.held().await, "1u");
    let known = chat.described().await;
    assert_eq!((known.messages, known.turns, known.deleted), (1, 1, 0));
    assert_eq!((known.ttl, known.expires_at, known.max_messages, known.metadata), (None, None, None, None));
    assert!(on.same_time(known.created_at, on.now()));
    on.advance(400 * 86_400).await;
    assert_eq!(chat.held().await, "1u");
    chat.clear().await;
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// An append that repeats the absolute time to live of an expired session begins a clock of its own.
pub async fn an_absolute_clock_begins_anew_with_a_new_session(on: Subject) {
    let chat = on.chat("s");
    chat.say_for("u", ttl(60, Restart::Never)).await;
    on.advance(70).await;
    chat.say_for("u", ttl(60, Restart::Never)).await;
    assert_eq!(chat.ends_in().await, Some(60));
}

/// All that belongs to a session ends together, however it came to its time to live.
pub async fn no_key_outlives_its_session(on: Subject) {
    let (one, two, three) = (on.chat("one"), on.chat("two"), on.chat("three"));
    one.send(Batch { once: once("k", 1), ttl: ttl(60, Restart::Write), ..one.batch("ua") }).await;
    two.say_once("ua", "k", 1).await.unwrap();
    two.say_once("ua", "l", 1).await.unwrap();
    two.set_ttl(ttl(60, Restart::Never)).await;
    three.send(Batch { once: once("k", 1), ttl: ttl(600, Restart::Write), ..three.batch("ua") }).await;
    three.say_for("u", ttl(60, Restart::Read)).await;
    assert!(!on.leftovers().await.is_empty());
    on.advance(70).await;
    assert_eq!(on.leftovers().await, [""; 0]);
    assert_eq!(on.names().await, [""; 0]);
}

/// The longest time to live that can be asked for is kept as it is.
pub async fn the_longest_ttl_is_kept(on: Subject) {
    let chat = on.chat("s");
    let longest = 100 * 366 * 86_400;
    chat.say_for("u", ttl(longest, Restart::Write)).await;
    assert_eq!(chat.described().await.ttl, Some(secs(longest)));
    assert_eq!(chat.ends_in().await, i64::try_from(longest).ok());
}
