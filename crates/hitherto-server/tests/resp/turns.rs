//! Turns: kept together while many push at once, and stored once although a connection broke.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use hitherto::ChatMemory;
use hitherto_testkit::{RedisServer, Reply, ServerKind};

use crate::listening::{Listening, call, langchain};

fn texts(reply: &Reply) -> Vec<String> {
    reply
        .texts()
        .iter()
        .map(|json| {
            serde_json::from_str::<serde_json::Value>(json).unwrap()["data"]["content"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// Twenty clients say a question and its answer as two pushes with an expiry in between, as the node does; on plain
/// Redis twenty of twenty exchanges were torn apart.
#[test]
fn exchanges_of_two_pushes_are_not_parted() {
    let folder = tempfile::tempdir().unwrap();
    let redis = RedisServer::start(ServerKind::Redis7);
    for memory in
        [ChatMemory::embedded(folder.path().join("h.db")).unwrap(), ChatMemory::redis(&redis.url()).unwrap()]
    {
        let door = Listening::to(memory);
        thread::scope(|scope| {
            for number in 0..20 {
                let door = &door;
                scope.spawn(move || {
                    let mut client = door.client();
                    client.command(&["LPUSH", "s", &langchain("human", &format!("u{number}"))]).unwrap();
                    call(&mut client, "EXPIRE s 600");
                    client.command(&["LPUSH", "s", &langchain("ai", &format!("a{number}"))]).unwrap();
                    call(&mut client, "EXPIRE s 600");
                    call(&mut client, "QUIT");
                });
            }
        });
        let mut said = texts(&call(&mut door.client(), "LRANGE s 0 99"));
        said.reverse();
        assert_eq!(said.len(), 40);
        for pair in said.chunks(2) {
            assert_eq!(pair[0].replace('u', "a"), pair[1], "{said:?}");
        }
    }
}

/// A client whose connection was reset before the reply came sends the same push again, first thing on a new
/// connection; plain Redis has it twice then.
#[test]
fn a_push_that_is_sent_again_after_a_reset_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let door = Listening::to(ChatMemory::embedded(folder.path().join("h.db")).unwrap());
    let push = |text: &str| {
        let element = langchain("human", text);
        format!("*3\r\n$5\r\nLPUSH\r\n$1\r\ns\r\n${}\r\n{element}\r\n", element.len())
    };
    let mut other = door.client();
    let length = |client: &mut hitherto_testkit::Client| call(client, "LLEN s").integer();

    // The reply is there and was never read, so closing resets the connection.
    let mut torn = TcpStream::connect(door.address).unwrap();
    torn.write_all(push("one").as_bytes()).unwrap();
    while length(&mut other) < 1 {
        thread::yield_now();
    }
    torn.peek(&mut [0]).unwrap();
    drop(torn);

    // The door learns of the reset when it looks at the connection; a client comes back later than that.
    let known = |text: &str| {
        let mut again = door.client();
        call(&mut again, "PING");
        again.command(&["LPUSH", "s", &langchain("human", text)]).unwrap().integer()
    };
    while call(&mut other, "INFO clients").text().contains("connected_clients:2") {
        thread::yield_now();
    }
    assert_eq!(known("one"), 1, "the push is known");
    assert_eq!(length(&mut other), 1);
    // Once: whoever says the same thing again has said it twice.
    assert_eq!(known("one"), 2);

    // A client that has read its reply and closed has not been torn off.
    let mut whole = TcpStream::connect(door.address).unwrap();
    whole.write_all(push("two").as_bytes()).unwrap();
    let mut reply = [0; 4];
    whole.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b":3\r\n");
    drop(whole);
    while call(&mut other, "INFO clients").text().contains("connected_clients:2") {
        thread::yield_now();
    }
    assert_eq!(known("two"), 4, "said twice");
}

/// What a turn that was begun and not answered makes others wait is bounded.
#[test]
fn a_question_without_an_answer_holds_nobody_up_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let door = Listening::to(ChatMemory::embedded(folder.path().join("h.db")).unwrap());
    let (mut one, mut two) = (door.client(), door.client());
    one.command(&["LPUSH", "s", &langchain("human", "u1")]).unwrap();
    assert_eq!(two.command(&["LPUSH", "s", &langchain("human", "u2")]).unwrap(), Reply::Integer(2));
    // Whoever does something else has said what it had to say: nobody waits for it.
    one.command(&["LPUSH", "t", &langchain("human", "u1")]).unwrap();
    call(&mut one, "LRANGE t 0 -1");
    assert_eq!(two.command(&["LPUSH", "t", &langchain("human", "u2")]).unwrap(), Reply::Integer(2));
}
