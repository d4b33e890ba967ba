//! The engine over the store: what an application calls.

use hitherto::store::{Change, Configure, Pop, StoreError};
use hitherto::{
    AppendOptions, Direction, Edit, Error, Limits, Message, MessageId, Restart, SessionId, SessionQuery,
    Window,
};

use super::bench::Junk;
use super::subject::{Subject, ttl};

fn id(text: &str) -> SessionId {
    SessionId::parse(text).unwrap()
}

fn plain() -> AppendOptions {
    AppendOptions::default()
}

fn keyed(key: &str) -> AppendOptions {
    let mut options = AppendOptions::default();
    options.idempotency_key = Some(key.to_owned());
    options
}

fn edit(content: &str) -> Edit {
    let mut edit = Edit::default();
    edit.content = Some(content.to_owned());
    edit
}

/// What was appended is in the window, under the ids and numbers that the append gave.
pub async fn an_append_and_its_window_agree(on: Subject) {
    let memory = on.memory();
    let own =
        Message::parse(br#"{"role":"assistant","id":"mine","content":"hello"}"#.as_slice().to_vec().into());
    let said = vec![Message::user("hi"), own.unwrap(), Message::user("bye")];
    let appended = memory.append(&id("s"), said, &plain()).await.unwrap();
    assert_eq!((appended.first_seq, appended.repeated), (1, false));
    assert_eq!(appended.ids[1], MessageId::Own("mine".to_owned()));
    let page = memory.window(&id("s"), Window::Turns(9)).await.unwrap();
    assert_eq!(page.messages.iter().map(hitherto::StoredMessage::id).collect::<Vec<_>>(), appended.ids);
    assert_eq!(page.messages.iter().map(|message| message.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((page.first_seq(), page.last_seq(), page.more, page.unreadable), (Some(1), Some(3), false, 0));
    assert!(on.same_time(page.messages[0].created_at, on.now()));
}

/// A repeat is told the ids of the first, whatever ids it would have got itself.
pub async fn a_repeated_append_gets_the_first_ids(on: Subject) {
    let memory = on.memory();
    let said = || vec![Message::user("hi"), Message::assistant("hello")];
    let first = memory.append(&id("s"), said(), &keyed("k")).await.unwrap();
    memory.append(&id("s"), vec![Message::user("more")], &plain()).await.unwrap();
    let repeat = memory.append(&id("s"), said(), &keyed("k")).await.unwrap();
    assert_eq!((repeat.first_seq, &repeat.ids, repeat.repeated), (1, &first.ids, true));
    for other in [vec![Message::user("hi")], vec![Message::assistant("hello"), Message::user("hi")]] {
        let refused = memory.append(&id("s"), other, &keyed("k")).await;
        assert_eq!(refused, Err(Error::Store(StoreError::OnceMismatch)));
    }
    assert_eq!(on.chat("s").held().await, "1u 2a 3u");
}

/// `more` tells of older messages that are still there.
pub async fn more_tells_of_what_a_window_leaves_out(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say("uaua").await;
    let more = async |window| memory.window(&id("s"), window).await.unwrap().more;
    assert!(more(Window::Turns(1)).await);
    assert!(!more(Window::Turns(2)).await);
    assert!(!more(Window::Messages(3)).await);
    chat.delete(1).await;
    assert!(more(Window::Turns(1)).await, "an answer is left of the first turn");
    chat.delete(2).await;
    assert!(!more(Window::Turns(1)).await, "nothing is left of the first turn");
    chat.say("ua").await;
    chat.configure(Configure { max_messages: Change::Set(2), ..Configure::default() }).await;
    assert!(!more(Window::Turns(1)).await, "a maximum removed the first turns");
    assert!(!memory.window(&id("nobody"), Window::Turns(1)).await.unwrap().more);
}

/// An edit keeps number, id and time, says when it happened, and leaves the other fields alone.
pub async fn an_edit_changes_what_it_names(on: Subject) {
    let memory = on.memory();
    let json = r#"{"role":"assistant","content":"hello","name":"Al","metadata":{"a":1},"x":1.10}"#;
    let said = vec![Message::user("hi"), Message::parse(json.to_owned().into()).unwrap()];
    let appended = memory.append(&id("s"), said, &plain()).await.unwrap();
    let before = memory.get(&id("s"), 2).await.unwrap().unwrap();
    on.advance(5).await;
    let edited = memory.edit(&id("s"), 2, &edit(r#""\ud83d good day""#)).await.unwrap();
    let read = memory.get(&id("s"), 2).await.unwrap().unwrap();
    assert_eq!(read, edited);
    assert_eq!((read.seq, read.id(), read.created_at), (2, appended.ids[1].clone(), before.created_at));
    assert!(on.same_time(read.edited_at.unwrap(), on.now()));
    let expected = json.replace(r#""hello""#, r#""\ud83d good day""#);
    assert_eq!(read.message.json(), expected);
    let mut metadata = Edit::default();
    metadata.metadata = Some(r#"{"b":2}"#.to_owned());
    memory.edit(&id("s"), 2, &metadata).await.unwrap();
    let read = memory.get(&id("s"), 2).await.unwrap().unwrap();
    assert_eq!(read.message.json(), expected.replace(r#"{"a":1}"#, r#"{"b":2}"#));
}

/// A message that brought its own time and id can be edited and deleted like any other.
pub async fn a_message_with_its_own_time_is_edited_and_deleted(on: Subject) {
    let memory = on.memory();
    let json = br#"{"role":"user","id":"mine","created_at":"1999-12-31T23:59:59Z","content":"old"}"#;
    let said = Message::parse(json.as_slice().to_vec().into()).unwrap();
    memory.append(&id("s"), vec![said.clone(), said], &plain()).await.unwrap();
    memory.edit(&id("s"), 1, &edit("\"new\"")).await.unwrap();
    let read = memory.get(&id("s"), 1).await.unwrap().unwrap();
    assert_eq!(read.created_at.to_string(), "1999-12-31T23:59:59.000Z");
    assert_eq!((read.id(), read.message.text().as_str()), (MessageId::Own("mine".to_owned()), "new"));
    memory.delete(&id("s"), 2).await.unwrap();
    assert_eq!(on.chat("s").held().await, "1u 2-");
}

/// What is not there cannot be edited, deleted or got.
pub async fn missing_messages_say_so(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say("uaua").await;
    chat.delete(3).await;
    for seq in [0, 3, 5, u64::MAX] {
        let missing = Err(Error::Store(StoreError::NoMessage(seq)));
        assert_eq!(memory.get(&id("s"), seq).await, Ok(None), "{seq}");
        assert_eq!(memory.edit(&id("s"), seq, &edit("\"x\"")).await.map(drop), missing, "{seq}");
        assert_eq!(memory.delete(&id("s"), seq).await, missing, "{seq}");
    }
    chat.spoil(2, Junk::Foreign).await;
    assert_eq!(memory.get(&id("s"), 2).await, Err(Error::Unreadable(2)));
    assert_eq!(memory.delete(&id("s"), 2).await, Err(Error::Unreadable(2)));
    assert_eq!(memory.get(&id("nobody"), 1).await, Ok(None));
}

/// Every one of many that edit the same message at once succeeds, one after another.
pub async fn concurrent_edits_all_succeed(on: Subject) {
    let memory = on.memory();
    memory.append(&id("s"), vec![Message::user("hi")], &plain()).await.unwrap();
    let edits: Vec<_> = (0..8)
        .map(|number| {
            let memory = memory.clone();
            tokio::spawn(async move { memory.edit(&id("s"), 1, &edit(&format!("\"{number}\""))).await })
        })
        .collect();
    for edit in edits {
        edit.await.unwrap().unwrap();
    }
    assert_eq!(on.chat("s").held().await, "1u");
}

/// A pop gives back messages, oldest first.
pub async fn a_pop_gives_back_messages(on: Subject) {
    let (memory, chat) = (on.memory(), on.chat("s"));
    chat.say("uata").await;
    chat.delete(3).await;
    let popped = memory.pop(&id("s"), Pop::Turn).await.unwrap();
    assert_eq!(popped.iter().map(|message| message.seq).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!(memory.pop(&id("s"), Pop::Turn).await.unwrap(), []);
}

/// Each limit has its error, and nothing is stored.
pub async fn limits_are_held_before_anything_is_stored(on: Subject) {
    let mut limits = Limits::default();
    (limits.message_bytes, limits.messages_per_append, limits.append_bytes) = (100, 3, 150);
    (limits.session_id_bytes, limits.idempotency_key_bytes, limits.metadata_bytes) = (5, 4, 20);
    limits.page = 10;
    let memory = on.memory().with_limits(limits);
    let what = |result: Result<(), Error>| match result {
        Err(Error::TooLarge { what, .. }) => what,
        other => panic!("expected a limit, got {other:?}"),
    };
    let hi = || Message::user("hi");
    let append =
        async |messages, options: &AppendOptions| memory.append(&id("s"), messages, options).await.map(drop);
    assert_eq!(what(append(vec![Message::user(&"x".repeat(99))], &plain()).await), "message");
    assert_eq!(what(append(vec![hi(); 4], &plain()).await), "append");
    assert_eq!(what(append(vec![Message::user(&"x".repeat(50)); 3], &plain()).await), "append");
    assert_eq!(what(append(vec![hi()], &keyed("12345")).await), "idempotency key");
    assert_eq!(what(memory.append(&id("123456"), vec![hi()], &plain()).await.map(drop)), "session id");
    assert_eq!(what(memory.messages(&id("s"), Direction::After(0), 11).await.map(drop)), "limit");
    let query = SessionQuery { limit: 11, ..SessionQuery::default() };
    assert_eq!(what(memory.sessions(&query).await.map(drop)), "limit");
    assert!(matches!(append(vec![], &plain()).await, Err(Error::Nothing(_))));
    assert!(matches!(append(vec![hi()], &keyed("")).await, Err(Error::Invalid { .. })));
    assert!(!on.chat("s").exists().await);
    assert_eq!(on.leftovers().await, [""; 0]);
    append(vec![hi(); 3], &keyed("1234")).await.unwrap();
    let long = edit(&format!("\"{}\"", "x".repeat(99)));
    assert_eq!(what(memory.edit(&id("s"), 1, &long).await.map(drop)), "message");
    let metadata = Change::Set(format!("{{\"a\":\"{}\"}}", "x".repeat(20)));
    let change = Configure { metadata, ..Configure::default() };
    assert_eq!(what(memory.configure(&id("s"), &change).await), "metadata");
    assert_eq!(on.chat("s").record(1).await.message.unwrap().text(), "hi");
}

/// Values that mean nothing are refused.
pub async fn values_that_mean_nothing_are_refused(on: Subject) {
    let memory = on.memory();
    on.chat("s").say("ua").await;
    let invalid =
        |result: Result<(), Error>| assert!(matches!(result, Err(Error::Invalid { .. })), "{result:?}");
    invalid(memory.window(&id("s"), Window::Turns(0)).await.map(drop));
    invalid(memory.window(&id("s"), Window::Messages(0)).await.map(drop));
    invalid(memory.messages(&id("s"), Direction::After(0), 0).await.map(drop));
    invalid(memory.sessions(&SessionQuery::default()).await.map(drop));
    for metadata in ["[]", "1", "{", "", "{} {}", "null"] {
        let change = Configure { metadata: Change::Set(metadata.to_owned()), ..Configure::default() };
        invalid(memory.configure(&id("s"), &change).await);
    }
    let change = Configure { max_messages: Change::Set(0), ..Configure::default() };
    invalid(memory.configure(&id("s"), &change).await);
    assert!(matches!(memory.edit(&id("s"), 1, &Edit::default()).await, Err(Error::Nothing(_))));
    for content in ["1", "{}", "null", "[{}]", "\"", "", "\"a\",\"b\":\"c\"", "\"a\"}{"] {
        let result = memory.edit(&id("s"), 1, &edit(content)).await;
        assert!(matches!(result, Err(Error::Message { .. })), "{content:?}: {result:?}");
    }
    assert_eq!(on.chat("s").record(1).await.message.unwrap().json(), r#"{"role":"user","content":"u0"}"#);
}

/// The engine passes a time to live on, and its clock is the caller's.
pub async fn the_engine_keeps_times_to_live(on: Subject) {
    let memory = on.memory();
    let mut options = AppendOptions::default();
    options.ttl = ttl(60, Restart::Read);
    memory.append(&id("s"), vec![Message::user("hi")], &options).await.unwrap();
    for _ in 0..3 {
        on.advance(40).await;
        assert_eq!(
            memory.messages(&id("s"), Direction::Before(u64::MAX), 5).await.unwrap().messages.len(),
            1
        );
    }
    on.advance(70).await;
    assert_eq!(memory.messages(&id("s"), Direction::Before(u64::MAX), 5).await.unwrap().messages, []);
    assert_eq!(
        memory.set_ttl(&id("s"), ttl(60, Restart::Read)).await,
        Err(Error::Store(StoreError::NoSession))
    );
    assert_eq!(memory.clear(&id("s")).await, Ok(None));
    assert_eq!(memory.describe(&id("s")).await, Ok(None));
}
