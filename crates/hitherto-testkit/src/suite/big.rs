//! Large things, and payloads that careless code changes on the way.

use hitherto::store::{Batch, Change, Configure, Pop, Range, Receipt};
use hitherto::{Message, Role, Window};

use super::subject::{Chat, Subject, records};

async fn send(chat: &Chat, messages: impl IntoIterator<Item = Message>) -> Receipt {
    chat.send(Batch { records: records(messages, chat.on.now()), ..chat.batch("") }).await
}

/// A thousand messages in one append.
pub async fn a_thousand_messages_in_one_append(on: Subject) {
    let chat = on.chat("s");
    let receipt = chat.say(&"uatta".repeat(200)).await;
    assert_eq!(receipt.first_seq, 1);
    let slice = chat.all().await;
    assert_eq!((slice.entries.len(), slice.last), (1000, 1000));
    let first = receipt.first_id.as_u128();
    for (entry, index) in slice.entries.iter().zip(0..) {
        assert_eq!((entry.seq, entry.live().unwrap().id.as_u128()), (index as u64 + 1, first + index));
    }
    let known = chat.described().await;
    assert_eq!((known.messages, known.turns), (1000, 200));
    assert_eq!(chat.window(Window::Turns(1)).await, "996u 997a 998t 999t 1000a");
    assert_eq!(chat.say("u").await.first_seq, 1001);
}

/// A message of a mebibyte, between small ones.
pub async fn a_message_of_a_mebibyte(on: Subject) {
    let chat = on.chat("s");
    let text: String = ('\u{1}'..).filter(|char| *char != '"').take(500_000).collect();
    send(&chat, [Message::user("small"), Message::assistant(&text), Message::user("small")]).await;
    assert_eq!(chat.held().await, "1u 2a 3u");
    assert!(chat.record(2).await.message.unwrap().text() == text);
    assert!(chat.described().await.bytes > 1 << 20);
    assert_eq!(chat.window(Window::Turns(2)).await, "1u 2a 3u");
    assert_eq!(chat.pop(Pop::Message).await, "3u");
    assert_eq!(chat.pop(Pop::Message).await, "2a");
}

/// Ten thousand messages: every way of reading, cutting and removing finds its place.
pub async fn ten_thousand_messages(on: Subject) {
    let chat = on.chat("s");
    for _ in 0..10 {
        chat.say(&"ua".repeat(500)).await;
    }
    assert_eq!(chat.window(Window::Turns(2)).await, "9997u 9998a 9999u 10000a");
    assert_eq!(chat.read(Range::Window(Window::Turns(5000))).await.entries.len(), 10_000);
    assert_eq!(chat.read(Range::Window(Window::Messages(8001))).await.entries.len(), 8002);
    assert_eq!(chat.part(Range::After(4999, 2)).await, "5000a 5001u");
    assert_eq!(chat.part(Range::Before(5001, 2)).await, "4999u 5000a");
    assert_eq!(chat.all().await.entries.len(), 10_000);
    assert_eq!(chat.fork(&on.chat("copy"), Some(7001)).await, Ok(7001));
    assert_eq!(on.chat("copy").described().await.turns, 3501);
    chat.configure(Configure { max_messages: Change::Set(10), ..Configure::default() }).await;
    let known = chat.described().await;
    assert_eq!((known.messages, known.turns, known.first_seq, known.last_seq), (10, 5, 9991, 10_000));
    assert_eq!(chat.clear().await, Some(10));
    assert_eq!(on.chat("copy").clear().await, Some(7001));
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// More than ten thousand messages, which a store may have to remove in pieces, are gone at once.
pub async fn a_large_session_is_cleared_whole(on: Subject) {
    let chat = on.chat("s");
    for _ in 0..13 {
        chat.say(&"ua".repeat(500)).await;
    }
    chat.say_once("u", "k", 7).await.unwrap();
    assert_eq!(chat.clear().await, Some(13_001));
    assert_eq!(chat.held().await, "");
    assert!(!chat.exists().await);
    let again = chat.say_once("ua", "k", 8).await.unwrap();
    assert_eq!((again.first_seq, again.repeated), (1, false));
    assert_eq!(chat.held().await, "1u 2a");
    chat.clear().await;
    assert_eq!(on.leftovers().await, [""; 0]);
}

/// The JSON that came is the JSON that is kept, whatever a printer would make of it.
pub async fn payloads_come_back_byte_for_byte(on: Subject) {
    let payloads = [
        r#"{"role":"user","content":"half \ud83d pair"}"#,
        r#"{"role":"user","content":"other half \ude00\ud83d"}"#,
        r#"{"role":"user","content":"nul \u0000 and \u0001"}"#,
        "{\"role\":\"user\",\"content\":\"raw \u{2028}\u{2029}\u{feff}\u{7f}\u{10ffff}\"}",
        r#"{"role":"user","content":"n","metadata":{"n":123456789012345678901234567890,"m":-0,"e":1e400}}"#,
        r#"{"role":"user","content":"n","metadata":{"n":9007199254740993,"x":18446744073709551615,"d":1.10}}"#,
        "{ \"role\" : \"user\" ,\n\t\"content\" : \"spaced\" , \"x\":1,\"x\":2 }",
        r#"{"role":"user","content":"escaped \/ \u00e9 \u0022"}"#,
        r#"{"role":"user","content":[{"type":"text","text":"x"},{"type":"new","z":[null,{}]}]}"#,
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{"}}]}"#,
        r#"{"role":"tool","tool_call_id":"1","content":"","__proto__":{"a":1},"":""}"#,
        r#"{"zzz":1,"role":"user","content":"order kept","aaa":2}"#,
        r#"{"role":"user","content":"'; DROP TABLE message; -- \r\n$5\r\n*1\r\n"}"#,
    ];
    let chat = on.chat("s");
    let messages = payloads.map(|json| Message::parse(json.to_owned().into()).unwrap());
    send(&chat, messages.clone()).await;
    for (number, message) in messages.into_iter().enumerate() {
        send(&on.chat(&number.to_string()), [message]).await;
    }
    for (index, (entry, json)) in chat.all().await.entries.iter().zip(payloads).enumerate() {
        assert_eq!(entry.live().unwrap().message.as_ref().unwrap().json(), json);
        let alone = on.chat(&index.to_string()).record(1).await;
        assert_eq!(alone.message.unwrap().json(), json);
    }
    chat.fork(&on.chat("copy"), None).await.unwrap();
    assert!(on.chat("copy").all().await.entries == chat.all().await.entries);
    let popped = on.store().pop(chat.at(), Pop::Message).await.unwrap();
    assert_eq!(popped[0].live().unwrap().message.as_ref().unwrap().json(), payloads[payloads.len() - 1]);
}

/// Every byte that JSON may hold comes through, in every role.
pub async fn every_character_comes_back(on: Subject) {
    let chat = on.chat("s");
    let text: String = ('\0'..='\u{ff}').chain(['\u{d7ff}', '\u{e000}', '\u{ffff}', '\u{10000}']).collect();
    let roles = [Role::System, Role::User, Role::Assistant, Role::Tool];
    send(&chat, roles.map(|role| Message::new(role, &text))).await;
    for (entry, role) in chat.all().await.entries.iter().zip(roles) {
        let record = entry.live().unwrap();
        assert_eq!((record.role, record.message.as_ref().unwrap().text()), (role, text.clone()));
    }
}

/// Long metadata, and long idempotency keys.
pub async fn long_settings_come_back(on: Subject) {
    let chat = on.chat("s");
    chat.say_once("u", &"é".repeat(127), 7).await.unwrap();
    let metadata = format!("{{\"note\":\"{}\"}}", "é".repeat(32_000));
    let change = Configure { metadata: Change::Set(metadata.clone()), ..Configure::default() };
    chat.configure(change).await;
    assert!(chat.described().await.metadata == Some(metadata));
    assert!(chat.say_once("u", &"é".repeat(127), 7).await.unwrap().repeated);
}

/// A long run of deleted messages at the end: windows, pops and appends reach over it.
pub async fn a_long_run_of_deleted_messages(on: Subject) {
    let chat = on.chat("s");
    chat.say("uaua").await;
    chat.say(&format!("u{}", "a".repeat(999))).await;
    assert_eq!(on.store().pop(chat.at(), Pop::Turn).await.unwrap().len(), 1000);
    let window = chat.window(Window::Turns(1)).await;
    assert!(window.starts_with("3u 4a 5- 6-"), "{}", window.split(" 7").next().unwrap_or_default());
    assert_eq!(chat.pop(Pop::Message).await, "4a");
    assert_eq!(chat.pop(Pop::Turn).await, "3u");
    assert_eq!(chat.say("u").await.first_seq, 1005);
    assert_eq!(chat.window(Window::Turns(1)).await, "1005u");
    let known = chat.described().await;
    assert_eq!((known.messages, known.turns, known.deleted), (3, 2, 1002));
}
