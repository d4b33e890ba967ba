//! The list of sessions: newest activity first, page after page.

use hitherto::store::{Configure, Pop};
use hitherto::{Restart, Scope, SessionId, SessionQuery, Tenant};

use super::subject::{Subject, ttl};

/// More than the minute to which activity is noted.
const LATER: u64 = 130;

fn query(prefix: &str, limit: u32) -> SessionQuery {
    SessionQuery { prefix: prefix.to_owned(), after: None, limit }
}

/// The order of the newest activity, not of the beginning.
pub async fn the_newest_activity_comes_first(on: Subject) {
    assert_eq!(on.names().await, [""; 0]);
    for name in ["b", "a", "c"] {
        on.chat(name).say("u").await;
        on.advance(LATER).await;
    }
    assert_eq!(on.names().await, ["c", "a", "b"]);
    on.chat("b").say("a").await;
    assert_eq!(on.names().await, ["b", "c", "a"]);
}

/// Writes of every kind are activity; reads are none.
pub async fn every_write_is_activity(on: Subject) {
    for name in ["one", "two"] {
        on.chat(name).say("uauaua").await;
    }
    for (turn, write) in ["edit", "delete", "pop", "configure"].iter().enumerate() {
        on.advance(LATER).await;
        let name = ["one", "two"][turn % 2];
        let chat = on.chat(name);
        match *write {
            "edit" => chat.edit(1, "said better").await,
            "delete" => chat.delete(1).await,
            "pop" => drop(chat.pop(Pop::Message).await),
            _ => chat.configure(Configure::default()).await,
        }
        assert_eq!(on.names().await[0], name, "after {write}");
        on.advance(LATER).await;
        on.chat(["two", "one"][turn % 2]).held().await;
        assert_eq!(on.names().await[0], name, "after {write}, and a read of the other");
    }
}

/// A repeated append stores nothing, so it is no activity either.
pub async fn a_repeat_is_no_activity(on: Subject) {
    on.chat("repeated").say_once("u", "k", 7).await.unwrap();
    on.advance(LATER).await;
    on.chat("other").say("u").await;
    on.advance(LATER).await;
    assert!(on.chat("repeated").say_once("u", "k", 7).await.unwrap().repeated);
    assert_eq!(on.names().await, ["other", "repeated"]);
}

/// Where times are equal, ids decide, so that pages have an order.
pub async fn equal_times_are_ordered_by_id(on: Subject) {
    let now = on.now();
    for name in ["b", "B", "ä", "a", "ab"] {
        let chat = on.chat(name);
        let batch = chat.batch("u");
        on.store().append(hitherto::store::At { key: &chat.key, now }, batch).await.unwrap();
    }
    assert_eq!(on.names().await, ["ä", "b", "ab", "a", "B"]);
}

/// A prefix is a text that ids begin with, and nothing else.
pub async fn a_prefix_is_taken_literally(on: Subject) {
    for name in ["user", "user:1", "user:2", "use", "User:3", "user*", "us%r:4", "u", "[u]ser"] {
        on.chat(name).say("u").await;
    }
    for (prefix, expected) in [
        ("user:", &["user:1", "user:2"] as &[&str]),
        ("user", &["user", "user*", "user:1", "user:2"]),
        ("user*", &["user*"]),
        ("us%", &["us%r:4"]),
        ("us_r", &[]),
        ("u?er", &[]),
        ("[u]", &["[u]ser"]),
        ("user:1", &["user:1"]),
        ("user:11", &[]),
        ("\0", &[]),
    ] {
        for limit in [1, 100] {
            let mut found: Vec<_> = on
                .listed(&Scope::default(), prefix, limit)
                .await
                .into_iter()
                .map(|listed| listed.session.to_string())
                .collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{prefix:?}, {limit} a page");
        }
    }
}

/// Pages of any size give the whole list, in order, once.
pub async fn pages_give_every_session_once(on: Subject) {
    let mut expected = Vec::new();
    for number in 0..23 {
        on.chat(&format!("s{number}")).say("u").await;
        expected.insert(0, format!("s{number}"));
        on.advance(LATER).await;
    }
    for limit in [1, 5, 22, 23, 24, 1000] {
        let listed = on.listed(&Scope::default(), "", limit).await;
        let names: Vec<_> = listed.iter().map(|listed| listed.session.to_string()).collect();
        assert_eq!(names, expected, "{limit} a page");
    }
}

/// The last page says that it is the last.
pub async fn the_last_page_has_no_next(on: Subject) {
    for name in ["a", "b", "c"] {
        on.chat(name).say("u").await;
    }
    for (limit, last) in [(2, false), (3, true), (4, true)] {
        let page = on.page(&query("", limit)).await;
        assert_eq!(page.next.is_none(), last, "{limit} a page");
    }
    assert_eq!(on.page(&query("x", 1)).await, hitherto::SessionPage::default());
}

/// A page begins after a place even where the session of that place is gone or has moved to the front.
pub async fn a_place_holds_when_its_session_is_gone(on: Subject) {
    for name in ["a", "b", "c", "d"] {
        on.chat(name).say("u").await;
        on.advance(LATER).await;
    }
    for change in ["moved", "cleared"] {
        let page = on.page(&query("", 2)).await;
        let last = page.sessions[1].session.to_string();
        if change == "moved" {
            on.chat(&last).say("a").await;
        } else {
            on.chat(&last).clear().await;
        }
        let rest = on.page(&SessionQuery { after: page.next, ..query("", 9) }).await;
        let rest: Vec<_> = rest.sessions.iter().map(|listed| listed.session.to_string()).collect();
        assert_eq!(rest, ["b", "a"], "{change}");
        on.advance(LATER).await;
    }
}

/// Each session comes with its description.
pub async fn sessions_are_listed_with_their_descriptions(on: Subject) {
    on.chat("a").say_for("suatta", ttl(600, Restart::Write)).await;
    on.chat("b").say("u").await;
    on.chat("b").delete(1).await;
    let listed = on.listed(&Scope::default(), "", 9).await;
    assert_eq!(listed.len(), 2);
    for listed in listed {
        let known = on.chat(listed.session.as_str()).described().await;
        let same = on.same_description(&listed.description, &known);
        assert!(same, "{}: {:?} is not {known:?}", listed.session, listed.description);
    }
}

/// Sessions that have expired are not listed, and do not shorten the rest of the list.
pub async fn expired_sessions_are_not_listed(on: Subject) {
    for number in 0..10 {
        let chat = on.chat(&format!("s{number}"));
        if number % 2 == 0 {
            chat.say_for("u", ttl(60, Restart::Write)).await;
        } else {
            chat.say_for("u", ttl(6000, Restart::Write)).await;
        }
    }
    on.advance(70).await;
    for limit in [1, 3, 100] {
        let mut names: Vec<_> = on
            .listed(&Scope::default(), "", limit)
            .await
            .into_iter()
            .map(|listed| listed.session.to_string())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["s1", "s3", "s5", "s7", "s9"], "{limit} a page");
    }
}

/// A fork is listed, as of when it was made.
pub async fn a_fork_is_listed(on: Subject) {
    on.chat("from").say("ua").await;
    on.advance(LATER).await;
    on.chat("other").say("u").await;
    on.advance(LATER).await;
    on.chat("from").fork(&on.chat("to"), Some(1)).await.unwrap();
    assert_eq!(on.names().await, ["to", "other", "from"]);
}

/// A session that is cleared and begun again is listed once.
pub async fn a_session_is_listed_once(on: Subject) {
    let chat = on.chat("s");
    for _ in 0..3 {
        chat.say("u").await;
        on.advance(LATER).await;
        chat.say_for("u", ttl(60, Restart::Write)).await;
        assert_eq!(on.names().await, ["s"]);
        chat.clear().await;
        assert_eq!(on.names().await, [""; 0]);
        chat.say_for("u", ttl(60, Restart::Write)).await;
        on.advance(LATER).await;
        assert_eq!(on.names().await, [""; 0]);
    }
    chat.say("u").await;
    assert_eq!(on.names().await, ["s"]);
    assert_eq!(on.page(&query("", 9)).await.sessions[0].session, SessionId::parse("s").unwrap());
}

/// How many there are, of that scope and no other.
pub async fn sessions_are_counted(on: Subject) {
    let elsewhere = Scope { tenant: Tenant::parse("elsewhere").unwrap(), ..Scope::default() };
    let count = async |scope: &Scope| on.store().count_sessions(scope, on.now()).await.unwrap();
    assert_eq!(count(&Scope::default()).await, 0);
    for name in ["a", "b", "c"] {
        on.chat(name).say("u").await;
    }
    on.chat("a").say("a").await;
    on.chat_in(&elsewhere, "a").say("u").await;
    assert_eq!((count(&Scope::default()).await, count(&elsewhere).await), (3, 1));
    on.chat("b").clear().await;
    assert_eq!((count(&Scope::default()).await, count(&elsewhere).await), (2, 1));
}
