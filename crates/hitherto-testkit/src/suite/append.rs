//! Appending: numbers, order, and all or nothing (I1, I3).

use hitherto::Message;
use hitherto::store::Batch;

use super::subject::{Subject, records};

/// Sequence numbers are 1, 2, 3 … over any number of appends.
pub async fn numbers_begin_at_one_and_have_no_gaps(on: Subject) {
    let chat = on.chat("s");
    for (roles, first) in [("u", 1), ("a", 2), ("uat", 3), ("a", 6)] {
        let receipt = chat.say(roles).await;
        assert_eq!((receipt.first_seq, receipt.repeated), (first, false), "{roles}");
    }
    assert_eq!(chat.held().await, "1u 2a 3u 4a 5t 6a");
    let slice = chat.all().await;
    assert_eq!((slice.base, slice.last, slice.deleted), (0, 6, 0));
}

/// Each session counts for itself.
pub async fn every_session_numbers_its_own_messages(on: Subject) {
    let (one, two) = (on.chat("one"), on.chat("two"));
    one.say("ua").await;
    assert_eq!(two.say("u").await.first_seq, 1);
    assert_eq!(one.say("u").await.first_seq, 3);
    assert_eq!(two.say("a").await.first_seq, 2);
}

/// What is read is what was appended: ids, times, roles and bytes.
pub async fn what_is_read_is_what_was_appended(on: Subject) {
    let chat = on.chat("s");
    let own = [
        r#"{ "role":"user","id":"mine","created_at":"1999-12-31T23:59:59.5+01:00","content":"old" }"#,
        r#"{"role":"user","created_at":"1969-12-31T23:59:59Z","content":"older"}"#,
        r#"{"role":"user","id":"mine","content":"now"}"#,
    ];
    let plain = [Message::system("be brief"), Message::assistant(""), Message::tool("call-1", "42")];
    let own = own.map(|json| Message::parse(json.to_owned().into()).unwrap());
    let messages = plain.into_iter().chain(own);
    let given = records(messages, on.now());
    let batch = Batch { records: given.clone(), ..chat.batch("") };
    let receipt = chat.send(batch).await;
    assert_eq!(receipt.first_id, given[0].id);
    let slice = chat.all().await;
    assert_eq!(slice.entries.len(), given.len());
    for (entry, given) in slice.entries.iter().zip(&given) {
        let read = entry.record.as_ref().unwrap();
        assert_eq!(read.encode(), given.encode(), "message {}", entry.seq);
        let (read, given) = (read.message.as_ref().unwrap(), given.message.as_ref().unwrap());
        assert_eq!((read.json(), read.own_id()), (given.json(), given.own_id()), "message {}", entry.seq);
    }
}

/// A record that was read equals the one that was appended, also where the message brought its own time.
pub async fn a_record_equals_itself_after_a_round_trip(on: Subject) {
    let chat = on.chat("s");
    let own = br#"{"role":"user","created_at":"1999-12-31T23:59:59Z","content":"old"}"#;
    let given = records([Message::parse(own.as_slice().to_vec().into()).unwrap()], on.now());
    chat.send(Batch { records: given.clone(), ..chat.batch("") }).await;
    assert_eq!(chat.record(1).await, given[0]);
}

/// Sixteen writers, each with appends of one to five messages: every append stands in one piece (I3).
pub async fn concurrent_appends_never_interleave(on: Subject) {
    let chat = on.chat("s");
    let writers: Vec<_> = (0..16_usize)
        .map(|writer| {
            let chat = chat.clone();
            tokio::spawn(async move {
                let mut receipts = Vec::new();
                for append in 0..12 {
                    let size = 1 + (writer + append) % 5;
                    let messages = (0..size).map(|at| Message::user(&format!("{writer}/{append}/{at}")));
                    let records = records(messages, chat.on.now());
                    let receipt = chat.send(Batch { records, ..chat.batch("") }).await;
                    receipts.push((receipt.first_seq, writer, append, size));
                }
                receipts
            })
        })
        .collect();
    let mut receipts = Vec::new();
    for writer in writers {
        receipts.extend(writer.await.unwrap());
    }
    receipts.sort_unstable();
    let slice = chat.all().await;
    let texts: Vec<_> =
        slice.entries.iter().map(|entry| entry.live().unwrap().message.as_ref().unwrap().text()).collect();
    let expected: Vec<_> = receipts
        .iter()
        .flat_map(|(_, writer, append, size)| (0..*size).map(move |at| format!("{writer}/{append}/{at}")))
        .collect();
    assert_eq!(texts, expected);
    assert_eq!(
        slice.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        (1..=slice.last).collect::<Vec<_>>()
    );
    let mut next = 1;
    for (first, .., size) in receipts {
        assert_eq!(first, next, "a receipt names a place that is not its own");
        next += size as u64;
    }
}

/// A reader beside writers never sees a part of an append.
pub async fn no_reader_sees_half_an_append(on: Subject) {
    let chat = on.chat("s");
    let writing = {
        let chat = chat.clone();
        tokio::spawn(async move {
            for _ in 0..40 {
                chat.say("uatta").await;
            }
        })
    };
    while !writing.is_finished() {
        let slice = chat.all().await;
        assert_eq!(slice.entries.len() % 5, 0, "a reader saw {} messages", slice.entries.len());
        assert_eq!(slice.last, slice.entries.len() as u64);
        let described = chat.description().await.map_or(0, |known| known.messages);
        assert_eq!(described % 5, 0, "a description counted {described} messages");
    }
    writing.await.unwrap();
    assert_eq!(chat.described().await.messages, 200);
}
