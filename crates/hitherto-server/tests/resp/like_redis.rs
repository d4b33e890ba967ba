//! The door answers what Redis answers: the same commands go to both, and every reply is compared.
//!
//! Lists here hold one message an element, newest first under one profile and oldest first under another; where the
//! door means something else on purpose (whole reads of a prompt, pushes at the wrong end), the commands keep away.

use hitherto::ChatMemory;
use hitherto_testkit::{Client, RedisServer, Reply, ServerKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::listening::{Listening, call};

/// A command; `@` stands for the key.
type Line = Vec<String>;

fn words(line: &str) -> Line {
    line.split(' ').map(str::to_owned).collect()
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c]",
        1 => Just(String::new()),
        1 => Just("é \"quoted\"".to_owned()),
        1 => Just(r#"{"no":"message"}"#.to_owned()),
    ]
}

fn position() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -6..7_i64, 1 => Just(i64::MAX), 1 => Just(i64::MIN + 1)]
}

fn line(push: &'static str) -> impl Strategy<Value = Line> {
    let with = |name: &str, rest: Vec<String>| [vec![name.to_owned(), "@".to_owned()], rest].concat();
    let plain = |line: &'static str| Just(words(line));
    prop_oneof![
        12 => prop::collection::vec(value(), 1..4).prop_map(move |values| with(push, values)),
        6 => (position(), position()).prop_map(move |(from, to)| with("LRANGE", vec![from.to_string(), to.to_string()])),
        2 => position().prop_map(move |at| with("LINDEX", vec![at.to_string()])),
        2 => (position(), value()).prop_map(move |(at, value)| with("LSET", vec![at.to_string(), value])),
        2 => (-2..3_i64, value()).prop_map(move |(count, value)| with("LREM", vec![count.to_string(), value])),
        1 => (position(), position()).prop_map(move |(from, to)| with("LTRIM", vec![from.to_string(), to.to_string()])),
        2 => value().prop_map(move |value| with("LPOS", vec![value])),
        1 => (-3..4_i64, 0..3_u8, 0..3_u8, value()).prop_map(move |(rank, count, most, value)| {
            with("LPOS", [vec![value], words(&format!("RANK {rank} COUNT {count} MAXLEN {most}"))].concat())
        }),
        3 => prop_oneof![
            plain("LPOP @"), plain("RPOP @"), plain("LPOP @ 2"), plain("RPOP @ 2"), plain("RPOP @ 0"), plain("LPOP @ -1"),
        ],
        3 => prop_oneof![plain("LLEN @"), plain("EXISTS @ @"), plain("TYPE @"), plain("TTL @"), plain("PERSIST @")],
        1 => plain("DEL @"),
        1 => plain("UNLINK @ @"),
        2 => prop_oneof![
            plain("EXPIRE @ 1000"), plain("EXPIRE @ 2000 NX"), plain("EXPIRE @ 3000 XX"), plain("EXPIRE @ 500 LT"),
            // Later than a time that a command of the same millisecond set is for the clock to say: this one is fixed.
            plain("EXPIREAT @ 4102444801 GT"), plain("PEXPIRE @ 600000"), plain("EXPIREAT @ 4102444800"),
            plain("PEXPIREAT @ 4102444800000"), plain("EXPIRE @ -1"), plain("EXPIRETIME @"),
        ],
        2 => prop_oneof![
            plain("LRANGE @ a 1"), plain("LRANGE @ 1"), plain("LLEN @ 1"), plain("LPOP @ x"), plain("LPOP @ 1 2"),
            plain("EXPIRE @ 1.5"), plain("EXPIRE @ 9223372036854775807"), plain("EXPIRE @ 1 NX XX"),
            plain("EXPIRE @ 1 MAYBE"), plain("LPOS @ a RANK 0"), plain("LPOS @ a COUNT -1"), plain("LREM @ x a"),
            plain("LSET @ x a"), plain("LINDEX @ 1.0"), plain("HSETNX x"), plain("SELECT 99"), plain("SELECT x"),
        ],
        1 => plain("MULTI"),
        1 => plain("EXEC"),
        1 => plain("DISCARD"),
        1 => plain("WATCH @"),
        1 => plain("UNWATCH"),
        1 => prop_oneof![plain("PING"), plain("PING x"), plain("ECHO x"), plain("ECHO"), plain("PING a b")],
    ]
}

/// Whether the door means something else by it.
fn is_meant_otherwise(line: &Line, redis: &mut Client, key: &str, in_transaction: bool) -> bool {
    match line[0].as_str() {
        // A time to live of a list that was emptied is noted and takes effect with the next push.
        "EXPIRE" | "PEXPIRE" | "EXPIREAT" | "PEXPIREAT" => {
            in_transaction || call(redis, &format!("EXISTS {key}")) == Reply::Integer(0)
        }
        _ => false,
    }
}

fn check(key: &str, lines: &[Line], redis: &mut Client, ours: &mut Client) -> Result<(), TestCaseError> {
    let mut in_transaction = false;
    for line in lines {
        if is_meant_otherwise(line, redis, key, in_transaction) {
            continue;
        }
        match line[0].as_str() {
            "MULTI" => in_transaction = true,
            "EXEC" | "DISCARD" => in_transaction = false,
            // A time that is looked at twice is not the same.
            "TTL" | "EXPIRETIME" if in_transaction => continue,
            _ => {}
        }
        let words: Vec<String> =
            line.iter().map(|word| if word == "@" { key.to_owned() } else { word.clone() }).collect();
        let (theirs, own) = (redis.command(&words).unwrap(), ours.command(&words).unwrap());
        let close = match (&theirs, &own, line[0].as_str()) {
            (Reply::Integer(a), Reply::Integer(b), "TTL" | "EXPIRETIME") => (a - b).abs() <= 2,
            _ => false,
        };
        prop_assert!(close || theirs == own, "{line:?}: Redis says {theirs:?}, the door says {own:?}");
    }
    Ok(())
}

fn compare(prefix: &'static str, push: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    compare_on(ChatMemory::embedded(folder.path().join("h.db")).unwrap(), prefix, push);
    let store = RedisServer::start(ServerKind::Redis7);
    compare_on(ChatMemory::redis(&store.url()).unwrap(), prefix, push);
}

fn compare_on(memory: ChatMemory, prefix: &'static str, push: &'static str) {
    let server = RedisServer::start(ServerKind::Redis7);
    let door = Listening::to(memory);
    let mut case = 0;
    let mut runner = TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() });
    let lines = prop::collection::vec(line(push), 1..40);
    let case = std::cell::RefCell::new(&mut case);
    runner
        .run(&lines, |lines| {
            let mut case = case.borrow_mut();
            **case += 1;
            let mut redis = Client::connect(server.addr()).unwrap();
            check(&format!("{prefix}case-{case}"), &lines, &mut redis, &mut door.client())
        })
        .unwrap();
}

#[test]
fn lists_that_hold_the_oldest_first() {
    compare("chat_messages:", "RPUSH");
}

#[test]
fn lists_that_hold_the_newest_first() {
    compare("message_store:", "LPUSH");
}
