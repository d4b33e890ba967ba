//! Whose a session is: said once, kept, and found again by it.

use hitherto::store::{Batch, Configure, StoreError};
use hitherto::{MemoryKey, Restart, Scope, SessionQuery, Tenant};

use super::isolation::hostile;
use super::subject::{Subject, once, ttl, user};

/// Longer than a store may let the list of sessions be behind.
const LATER: u64 = 120;

/// It is there from the append on that names it, and a later append with it or with none changes nothing.
pub async fn the_first_append_gives_a_session_its_user(on: Subject) {
    let chat = on.chat("s");
    assert_eq!(chat.say_of("ua", "zoë").await.unwrap().first_seq, 1);
    for _ in 0..2 {
        assert_eq!(chat.described().await.user, Some(user("zoë")));
        chat.say("ua").await;
        assert!(!chat.say_of("ua", "zoë").await.unwrap().repeated);
    }
    chat.configure(Configure { ttl: ttl(600, Restart::Write), ..Configure::default() }).await;
    assert_eq!(chat.described().await.user, Some(user("zoë")));
    assert_eq!(chat.held().await, "1u 2a 3u 4a 5u 6a 7u 8a 9u 10a");
    on.chat("t").say("ua").await;
    assert_eq!(on.chat("t").described().await.user, None);
}

/// It is an error of its own, and changes nothing, an idempotency key or not.
pub async fn another_user_is_refused_and_nothing_is_stored(on: Subject) {
    let chat = on.chat("s");
    chat.say_of("ua", "one").await.unwrap();
    let before = chat.described().await;
    for name in ["two", "One", "one ", "on"] {
        assert_eq!(chat.say_of("ua", name).await, Err(StoreError::UserMismatch), "{name}");
        let batch = Batch { once: once("k", 7), user: Some(user(name)), ..chat.batch("ua") };
        assert_eq!(chat.try_send(batch).await, Err(StoreError::UserMismatch), "{name}");
        assert_eq!(on.names_of(name).await, [""; 0], "{name}");
    }
    assert!(on.same_description(&chat.described().await, &before));
    assert_eq!(on.names_of("one").await, ["s"]);
    assert!(!chat.say_once("ua", "k", 7).await.unwrap().repeated, "a refused append was remembered");
}

/// A session that nobody has named a user of becomes the first one's who is.
pub async fn a_session_without_a_user_takes_the_first(on: Subject) {
    let chat = on.chat("s");
    chat.say("ua").await;
    chat.say_of("ua", "one").await.unwrap();
    assert_eq!(chat.described().await.user, Some(user("one")));
    assert_eq!(on.names_of("one").await, ["s"]);
    assert_eq!(chat.say_of("ua", "two").await, Err(StoreError::UserMismatch));
    assert_eq!(chat.held().await, "1u 2a 3u 4a");
}

/// What is stored already is not stored again, and so gives nothing.
pub async fn a_repeat_gives_no_user(on: Subject) {
    let chat = on.chat("s");
    chat.say_once("ua", "k", 7).await.unwrap();
    for _ in 0..2 {
        let batch = Batch { once: once("k", 7), user: Some(user("one")), ..chat.batch("ua") };
        assert!(chat.try_send(batch).await.unwrap().repeated);
        assert_eq!(chat.described().await.user, None);
        assert_eq!(on.names_of("one").await, [""; 0]);
    }
    chat.say_of("u", "two").await.unwrap();
    assert_eq!(chat.described().await.user, Some(user("two")));
}

/// A fork is the same user's.
pub async fn a_copy_has_the_user_of_the_original(on: Subject) {
    let (from, to) = (on.chat("from"), on.chat("to"));
    from.say_of("uaua", "one").await.unwrap();
    from.fork(&to, Some(2)).await.unwrap();
    assert_eq!(to.described().await.user, Some(user("one")));
    let mut names = on.names_of("one").await;
    names.sort_unstable();
    assert_eq!(names, ["from", "to"]);
    assert_eq!(to.say_of("u", "two").await, Err(StoreError::UserMismatch));
    on.chat("other").say_of("u", "two").await.unwrap();
    assert_eq!(on.chat("other").fork(&to, None).await, Err(StoreError::SessionExists));
    assert_eq!(on.names_of("two").await, ["other"]);
    from.clear().await;
    assert_eq!(on.names_of("one").await, ["to"]);
}

/// A session that was cleared or has expired was nobody's: the next one of that id is anybody's.
pub async fn a_user_ends_with_its_session(on: Subject) {
    let chat = on.chat("s");
    chat.say_of("ua", "one").await.unwrap();
    chat.clear().await;
    assert_eq!(on.names_of("one").await, [""; 0]);
    chat.say_of("ua", "two").await.unwrap();
    chat.set_ttl(ttl(60, Restart::Write)).await;
    on.advance(70).await;
    assert_eq!(on.names_of("two").await, [""; 0]);
    chat.say_of("ua", "three").await.unwrap();
    assert_eq!(chat.held().await, "1u 2a");
    assert_eq!((on.names_of("one").await, on.names_of("two").await), (vec![], vec![]));
    assert_eq!(on.names_of("three").await, ["s"]);
}

/// Of many first appends of two users, those of one are stored and those of the other are not.
pub async fn one_of_many_concurrent_users_has_the_session(on: Subject) {
    for round in 0..5 {
        let chat = on.chat(&format!("s{round}"));
        let tasks: Vec<_> = (0..12)
            .map(|number| {
                let chat = chat.clone();
                tokio::spawn(async move { (number % 2, chat.say_of("ua", ["a", "b"][number % 2]).await) })
            })
            .collect();
        let mut stored = [0_u64; 2];
        for task in tasks {
            match task.await.unwrap() {
                (of, Ok(_)) => stored[of] += 1,
                (_, Err(error)) => assert_eq!(error, StoreError::UserMismatch),
            }
        }
        let known = chat.described().await;
        let winner = usize::from(known.user == Some(user("b")));
        assert_eq!((stored[winner], stored[1 - winner]), (6, 0), "{known:?}");
        assert_eq!(known.messages, 12);
        let names = on.names_of(["a", "b"][winner]).await;
        assert!(names.contains(&format!("s{round}")), "{names:?}");
        assert!(!on.names_of(["a", "b"][1 - winner]).await.contains(&format!("s{round}")));
    }
}

/// Newest activity first, only the user's, and only those of the prefix.
pub async fn sessions_are_listed_by_user(on: Subject) {
    for name in ["x:1", "y:1", "x:2"] {
        on.chat(name).say_of("u", "one").await.unwrap();
        on.advance(LATER).await;
        on.chat(&format!("{name} of nobody")).say("u").await;
        on.chat(&format!("{name} of another")).say_of("u", "two").await.unwrap();
    }
    assert_eq!(on.names_of("one").await, ["x:2", "y:1", "x:1"]);
    on.advance(LATER).await;
    on.chat("x:1").say_of("a", "one").await.unwrap();
    assert_eq!(on.names_of("one").await, ["x:1", "x:2", "y:1"]);
    let prefix = "x:".to_owned();
    let query = SessionQuery { prefix, user: Some(user("one")), limit: 1, ..SessionQuery::default() };
    let listed = on.listed_by(&Scope::default(), query).await;
    let names: Vec<_> = listed.iter().map(|listed| listed.session.as_str()).collect();
    assert_eq!(names, ["x:1", "x:2"]);
    assert!(listed.iter().all(|listed| listed.description.user == Some(user("one"))));
    assert_eq!(on.names_of("nobody").await, [""; 0]);
}

/// Whatever the size of a page, and also where many sessions have the same time and some have ended.
pub async fn pages_give_every_session_of_a_user_once(on: Subject) {
    for number in 0..40 {
        let chat = on.chat(&format!("s{number:02}"));
        chat.say_of("u", "one").await.unwrap();
        if number % 4 == 0 {
            chat.set_ttl(ttl(60, Restart::Write)).await;
        }
    }
    on.advance(70).await;
    for limit in [1, 3, 10, 29, 30, 31, 100] {
        let query = SessionQuery { user: Some(user("one")), limit, ..SessionQuery::default() };
        let listed = on.listed_by(&Scope::default(), query).await;
        let mut names: Vec<_> = listed.iter().map(|listed| listed.session.as_str()).collect();
        names.sort_unstable();
        let expected: Vec<_> =
            (0..40).filter(|number| number % 4 > 0).map(|number| format!("s{number:02}")).collect();
        assert_eq!(names, expected, "{limit} a page");
    }
}

/// Sessions of other memory keys and of other tenants are in lists of their own.
pub async fn a_list_of_a_user_is_of_one_scope(on: Subject) {
    let other_key = Scope { memory_key: MemoryKey::parse("other").unwrap(), ..Scope::default() };
    let other_tenant = Scope { tenant: Tenant::parse("other").unwrap(), ..Scope::default() };
    for (scope, session) in [(&Scope::default(), "a"), (&other_key, "b"), (&other_tenant, "c")] {
        for number in 0..30 {
            let chat = on.chat_in(scope, &format!("{session}{number}"));
            chat.say_of("u", "one").await.unwrap();
        }
    }
    for (scope, session) in [(&Scope::default(), "a"), (&other_key, "b"), (&other_tenant, "c")] {
        for limit in [7, 100] {
            let query = SessionQuery { user: Some(user("one")), limit, ..SessionQuery::default() };
            let listed = on.listed_by(scope, query).await;
            assert_eq!(listed.len(), 30, "{scope:?}");
            assert!(listed.iter().all(|listed| listed.session.as_str().starts_with(session)), "{scope:?}");
        }
    }
}

/// Neither a cleared session nor an expired one is listed, and neither shortens the list.
pub async fn what_has_ended_is_on_no_users_list(on: Subject) {
    for number in 0..9 {
        let chat = on.chat(&format!("s{number}"));
        chat.say_of("u", "one").await.unwrap();
        match number % 3 {
            0 => drop(chat.clear().await),
            1 => chat.set_ttl(ttl(60, Restart::Write)).await,
            _ => {}
        }
    }
    on.advance(70).await;
    let mut names = on.names_of("one").await;
    names.sort_unstable();
    assert_eq!(names, ["s2", "s5", "s8"]);
}

/// Each of them has its own session and no other.
pub async fn hostile_users_never_meet(on: Subject) {
    let names: Vec<String> = hostile().into_iter().filter(|name| name.len() <= 512).collect();
    for (number, name) in names.iter().enumerate() {
        on.chat(&format!("s{number}")).say_of("u", name).await.unwrap();
    }
    for (number, name) in names.iter().enumerate() {
        assert_eq!(on.chat(&format!("s{number}")).described().await.user, Some(user(name)));
        assert_eq!(on.names_of(name).await, [format!("s{number}")], "{name:?}");
    }
    for (number, name) in names.iter().enumerate() {
        assert_eq!(on.erase(&Tenant::default(), name).await.sessions, 1, "{name:?}");
        assert_eq!(on.names().await.len(), names.len() - number - 1, "{name:?}");
    }
}
