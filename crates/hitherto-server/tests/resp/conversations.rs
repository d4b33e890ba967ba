//! What clients read: contexts and histories, each in its own dialect, and one conversation through many clients.

use std::sync::Arc;

use hitherto::summary::{Extractive, SummaryOptions};
use hitherto::{AppendOptions, ChatMemory, Message, SessionId};
use hitherto_testkit::{Client, Reply};
use serde_json::{Value, json};

use crate::listening::{Listening, call, langchain};

fn memory(folder: &tempfile::TempDir) -> ChatMemory {
    ChatMemory::embedded(folder.path().join("h.db")).unwrap()
}

fn say(client: &mut Client, key: &str, turns: std::ops::Range<u32>) {
    for turn in turns {
        for (kind, letter) in [("human", 'u'), ("ai", 'a')] {
            client.command(&["LPUSH", key, &langchain(kind, &format!("{letter}{turn}"))]).unwrap();
        }
    }
}

fn contents(reply: &Reply) -> Vec<String> {
    reply
        .texts()
        .iter()
        .map(|json| {
            serde_json::from_str::<Value>(json).unwrap()["data"]["content"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// The node asks for its window as `LRANGE key -k -1`, which on Redis are the oldest k messages.
#[test]
fn a_window_is_the_newest_turns() {
    let folder = tempfile::tempdir().unwrap();
    let door = Listening::to(memory(&folder));
    let mut client = door.client();
    say(&mut client, "s", 1..6);
    assert_eq!(contents(&call(&mut client, "LRANGE s -2 -1")), ["a5", "u5", "a4", "u4"]);
    assert_eq!(contents(&call(&mut client, "LRANGE s 0 -1")).len(), 10);
    // Any other range is exactly the elements of those positions.
    assert_eq!(contents(&call(&mut client, "LRANGE s 0 2")), ["a5", "u5", "a4"]);
    assert_eq!(contents(&call(&mut client, "LRANGE s -3 -2")), ["u2", "a1"]);
}

/// A session that is longer than its window comes back as its summary and the newest whole turns.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_session_comes_back_as_a_summary_and_the_newest_turns() {
    let folder = tempfile::tempdir().unwrap();
    let memory = memory(&folder).with_summaries(SummaryOptions::default(), Arc::new(Extractive), None);
    let door = Listening::to(memory.clone());
    let mut client = door.client();
    say(&mut client, "s", 1..31);
    memory.fold(&SessionId::parse("s").unwrap()).await.unwrap();
    let read = contents(&call(&mut client, "LRANGE s 0 -1"));
    let (summary, turns) = read.split_last().unwrap();
    assert!(summary.starts_with("Summary of the conversation so far:\n"), "{summary}");
    assert_eq!(turns.len(), 20);
    assert_eq!((turns[0].as_str(), turns[19].as_str()), ("a30", "u21"));
    let window = contents(&call(&mut client, "LRANGE s -3 -1"));
    assert_eq!((window.len(), window[0].as_str(), window[5].as_str()), (7, "a30", "u28"));
    // Nothing is lost: the list is as long as it was, and its messages are where they were.
    assert_eq!(call(&mut client, "LLEN s"), Reply::Integer(60));
    assert_eq!(contents(&call(&mut client, "LRANGE s -2 -2")), ["a1"]);
    // A client that reads histories gets everything.
    assert_eq!(call(&mut client, "LRANGE agents:session:s:messages 0 -1").texts().len(), 60);
}

/// A chain that reads before the model answers and again after it takes what is beyond the first length for new; a
/// fold in between made it push old turns again.
#[tokio::test(flavor = "multi_thread")]
async fn a_context_stays_as_it_was_read_until_something_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let memory = memory(&folder).with_summaries(SummaryOptions::default(), Arc::new(Extractive), None);
    let door = Listening::to(memory.clone());
    let mut client = door.client();
    let session = SessionId::parse("s").unwrap();
    say(&mut client, "s", 1..31);
    let first = call(&mut client, "LRANGE s 0 -1");
    assert_eq!(first.texts().len(), 60);
    memory.fold(&session).await.unwrap();
    assert_eq!(call(&mut client, "LRANGE s 0 -1"), first);
    assert_eq!(call(&mut door.client(), "LRANGE s 0 -1"), first);
    say(&mut client, "s", 31..32);
    let second = call(&mut client, "LRANGE s 0 -1");
    assert_eq!(second.texts().len(), 23);
    say(&mut client, "s", 32..36);
    let third = call(&mut client, "LRANGE s 0 -1");
    memory.fold(&session).await.unwrap();
    assert_eq!(call(&mut client, "LRANGE s 0 -1"), third);
    // An edit is seen at once.
    let edit = hitherto::Edit::default();
    let mut edit = edit;
    edit.content = Some("\"said better\"".to_owned());
    memory.edit(&session, 69, &edit).await.unwrap();
    assert!(call(&mut client, "LRANGE s 0 -1").texts()[1].contains("said better"));
}

/// One element that is no message, and one of an unknown type, make a session unreadable to LangChain; here they are
/// kept, and are in no prompt.
#[test]
fn a_bad_element_spoils_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let door = Listening::to(memory(&folder));
    let mut client = door.client();
    say(&mut client, "s", 1..2);
    client.command(&["LPUSH", "s", "no json"]).unwrap();
    client.command(&[&b"LPUSH"[..], b"s", b"\xff\x00 no text"]).unwrap();
    client.command(&["LPUSH", "s", r#"{"type":"martian","data":{}}"#]).unwrap();
    say(&mut client, "s", 2..3);
    assert_eq!(contents(&call(&mut client, "LRANGE s 0 -1")), ["a2", "u2", "a1", "u1"]);
    assert_eq!(call(&mut client, "LLEN s"), Reply::Integer(7));
    let Reply::Array(raw) = call(&mut client, "LRANGE s 2 4") else { panic!() };
    assert_eq!(raw[1], Reply::Bulk(b"\xff\x00 no text".to_vec()));
    assert_eq!(raw[2], Reply::Bulk(b"no json".to_vec()));
}

/// Where all that was pushed is no message, whoever pushed it gets it back: a list is a list.
#[test]
fn lists_of_anything_work() {
    let folder = tempfile::tempdir().unwrap();
    let door = Listening::to(memory(&folder));
    let mut client = door.client();
    call(&mut client, "LPUSH l a b c");
    assert_eq!(call(&mut client, "LRANGE l 0 -1").texts(), ["c", "b", "a"]);
    call(&mut client, "RPUSH r a b c");
    assert_eq!(call(&mut client, "LRANGE r 0 -1").texts(), ["a", "b", "c"]);
    assert_eq!(call(&mut client, "LRANGE r -2 -1").texts(), ["b", "c"]);
}

/// LangChain.js begins, the Agents SDK goes on, then Hitherto's own API; LangChain for Python reads it all.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_through_many_clients() {
    let folder = tempfile::tempdir().unwrap();
    let memory = memory(&folder);
    let door = Listening::to(memory.clone());
    let mut client = door.client();
    say(&mut client, "s", 1..2);
    let items = [
        r#"{"role":"user","content":"What is the weather in Z\u00fcrich?"}"#,
        r#"{"type":"function_call","call_id":"c1","name":"get_weather","arguments":"{\"city\": \"Z\\u00fcrich\"}"}"#,
        r#"{"call_id":"c1","output":"21 degrees","type":"function_call_output"}"#,
    ];
    for item in items {
        client.command(&["RPUSH", "agents:session:s:messages", item]).unwrap();
    }
    let session = SessionId::parse("s").unwrap();
    let said = vec![Message::assistant("It is 21 °C."), Message::user("Thanks!")];
    memory.append(&session, said, &AppendOptions::default()).await.unwrap();

    let python: Vec<Value> = call(&mut client, "LRANGE message_store:s 0 -1")
        .texts()
        .iter()
        .rev()
        .map(|json| serde_json::from_str(json).unwrap())
        .collect();
    let seen: Vec<(&str, &str)> = python
        .iter()
        .map(|one| (one["type"].as_str().unwrap(), one["data"]["content"].as_str().unwrap()))
        .collect();
    let expected = [
        ("human", "u1"),
        ("ai", "a1"),
        ("human", "What is the weather in Zürich?"),
        ("ai", ""),
        ("tool", "21 degrees"),
        ("ai", "It is 21 °C."),
        ("human", "Thanks!"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(python[3]["data"]["tool_calls"][0]["args"], json!({"city": "Zürich"}));
    assert_eq!(python[3]["data"]["tool_calls"][0]["id"], "c1");
    assert_eq!(python[4]["data"]["tool_call_id"], "c1");
    // Whoever reads a bare key reads as whoever pushed under a bare key, whatever was pushed under others.
    let js = contents(&call(&mut client, "LRANGE s 0 -1"));
    assert_eq!((js.len(), js[0].as_str(), js[6].as_str()), (7, "Thanks!", "u1"));
    // Each client reads back what it wrote, byte for byte.
    let own = call(&mut client, "LRANGE agents:session:s:messages 2 4").texts();
    assert_eq!(own, items);
}

/// LlamaIndex deletes a message by writing the others anew with `LPUSH`, which turns the conversation round.
#[test]
fn llamaindex_deletes_a_message_and_the_order_stays() {
    let folder = tempfile::tempdir().unwrap();
    let door = Listening::to(memory(&folder));
    let mut client = door.client();
    let element = |text: &str| {
        format!(
            r#"{{"role":"user","additional_kwargs":{{}},"blocks":[{{"block_type":"text","text":"{text}"}}]}}"#
        )
    };
    for number in 0..5 {
        client.command(&["RPUSH", "s", &element(&format!("m{number}"))]).unwrap();
    }
    let mut all = call(&mut client, "LRANGE s 0 -1").texts();
    all.remove(2);
    call(&mut client, "DEL s");
    let words: Vec<&str> = ["LPUSH", "s"].into_iter().chain(all.iter().map(String::as_str)).collect();
    assert_eq!(client.command(&words).unwrap(), Reply::Integer(4));
    assert_eq!(call(&mut client, "LRANGE s 0 -1").texts(), all);
    // At the wrong end of what was said, nothing can be put.
    let refused = client.command(&["LPUSH", "s", &element("before all")]).unwrap();
    assert!(matches!(&refused, Reply::Error(why) if why.contains("use RPUSH")), "{refused:?}");
}

/// The Agents SDK's transaction: a hash, a list and their expiry, watched.
#[test]
fn a_watched_transaction_is_one_append() {
    let folder = tempfile::tempdir().unwrap();
    let door = Listening::to(memory(&folder));
    let (mut one, mut two) = (door.client(), door.client());
    let add = |client: &mut Client, text: &str, between: &mut dyn FnMut()| {
        assert_eq!(
            call(client, "WATCH agents:session:s agents:session:s:messages agents:session:s:counter").text(),
            "OK"
        );
        call(client, "TYPE agents:session:s");
        between();
        call(client, "MULTI");
        call(client, "HSET agents:session:s session_id s");
        call(client, "HSETNX agents:session:s created_at 1");
        client.command(&["RPUSH", "agents:session:s:messages", text]).unwrap();
        call(client, "HSET agents:session:s updated_at 1");
        for part in ["", ":messages", ":counter"] {
            call(client, &format!("PEXPIREAT agents:session:s{part} 4102444800000"));
        }
        call(client, "EXEC")
    };
    let numbers = |numbers: &[i64]| Reply::Array(numbers.iter().copied().map(Reply::Integer).collect());
    let item = r#"{"role":"user","content":"hi"}"#;
    assert_eq!(add(&mut one, item, &mut || {}), numbers(&[1, 1, 1, 1, 1, 1, 0]));
    assert_eq!(add(&mut one, item, &mut || {}), numbers(&[0, 0, 2, 0, 1, 1, 0]));
    // Somebody else was faster: nothing is stored.
    let mut meanwhile = || {
        two.command(&["RPUSH", "agents:session:s:messages", item]).unwrap();
    };
    assert_eq!(add(&mut one, item, &mut meanwhile), Reply::Nil);
    assert_eq!(call(&mut one, "LLEN agents:session:s:messages"), Reply::Integer(3));
    assert_eq!(call(&mut one, "HGET agents:session:s session_id").text(), "s");
    assert_eq!(
        call(&mut one, "DEL agents:session:s agents:session:s:messages agents:session:s:counter"),
        Reply::Integer(2)
    );
    assert_eq!(call(&mut one, "TYPE agents:session:s").text(), "none");
}

/// Keys are the sessions, whoever made them, by the names that a pattern asks for.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let memory = memory(&folder);
    let door = Listening::to(memory.clone());
    let mut client = door.client();
    for number in 0..25 {
        let session = SessionId::parse(&format!("user:{number}")).unwrap();
        memory.append(&session, vec![Message::user("hi")], &AppendOptions::default()).await.unwrap();
    }
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    assert_eq!(call(&mut client, "DBSIZE"), Reply::Integer(25));
    assert_eq!(
        sorted(call(&mut client, "KEYS user:2*").texts()),
        ["user:2", "user:20", "user:21", "user:22", "user:23", "user:24"]
    );
    assert_eq!(call(&mut client, "KEYS message_store:user:7").texts(), ["message_store:user:7"]);
    assert_eq!(
        sorted(call(&mut client, "KEYS agents:session:user:7*").texts()),
        ["agents:session:user:7", "agents:session:user:7:messages"]
    );
    let (mut cursor, mut found) = ("0".to_owned(), Vec::new());
    loop {
        let Reply::Array(page) = call(&mut client, &format!("SCAN {cursor} MATCH user:* COUNT 7 TYPE list"))
        else {
            panic!()
        };
        found.extend(page[1].texts());
        cursor = page[0].text();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found.len(), 25);
    assert_eq!(sorted(found), sorted(call(&mut client, "KEYS *").texts()));
}
