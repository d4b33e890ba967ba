//! What the fuzz targets of `fuzz/` call, and what must hold of any bytes; their corpus is run by an ordinary test.
//!
//! Invariant: a function here panics only where the code that it tries is wrong.

use bytes::Bytes;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::dialect::{self, Dialect};
use crate::layout::{Dump, Layout, Profile, Reading, Shape, Value, document, matches};
use crate::memory::StoredMessage;
use crate::message::Message;
use crate::record::Record;
use crate::store::Seq;
use crate::time::Timestamp;

/// A record: what is read is what is written.
pub fn record(data: &[u8]) {
    let Ok(record) = Record::decode(Bytes::copy_from_slice(data)) else { return };
    let written = record.encode();
    assert_eq!(written.len(), record.size(), "a record is as long as it says");
    let again = Record::decode(written.into());
    assert_eq!(again.as_ref(), Ok(&record), "a record is what was written");
    if let Some(message) = &record.message {
        look(message);
    }
}

/// What Redis holds packed.
pub fn packed(data: &[u8]) {
    crate::store::redis::fuzz_packed(data);
}

/// A message as a client sends it.
pub fn message(data: &[u8]) {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(data)) else { return };
    assert_eq!(message.json().as_bytes(), data, "a message is kept as it came");
    look(&message);
    answered(&message);
    let named = message.with("name", &serde_json::Value::from("Ada"));
    assert_eq!(named.name().as_deref(), Some("Ada"), "a field that was set is there");
}

/// Everything that is read of a message.
fn look(message: &Message) {
    let _ = (message.content(), message.text(), message.tool_calls(), message.tool_call_id());
    let _ = (message.name(), message.metadata(), message.own_id(), message.created_at(), message.field("x"));
}

/// The message as it is handed back: one object that says once what only a store says.
fn answered(message: &Message) {
    if message.is_opaque() {
        return;
    }
    /// What is derived refuses a field that stands twice.
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        seq: Seq,
        #[serde(borrow)]
        id: &'a RawValue,
        #[serde(borrow)]
        created_at: &'a RawValue,
    }
    let record = Record::new(message.clone(), Uuid::nil(), Timestamp::from_millis(0));
    let Some(stored) = StoredMessage::new(7, record) else { return };
    let json = stored.to_json();
    let answer = serde_json::from_str::<Answer<'_>>(&json);
    let said = answer.is_ok_and(|answer| {
        answer.seq == stored.seq
            && answer.id.get().starts_with('"')
            && answer.created_at.get().starts_with('"')
    });
    assert!(said, "an answer says a number, an id and a time, each once: {json}");
}

/// A payload: the first byte says in which dialect it is said to be, the second into which it is translated.
pub fn dialect(data: &[u8]) {
    let [from, to, payload @ ..] = data else { return };
    let of = |byte: u8| Dialect::ALL.get(usize::from(byte) % Dialect::ALL.len()).copied().unwrap_or_default();
    let (from, to, payload) = (of(*from), of(*to), Bytes::copy_from_slice(payload));
    if let Some((found, head)) = dialect::detect(&payload) {
        let said = dialect::head(found, &payload);
        assert_eq!(said.map(|head| head.role), Some(head.role), "{found}: a payload is in its dialect");
    }
    let Some(message) = Message::foreign(from, payload.clone()) else { return };
    assert_eq!(message.payload(), &payload, "{from}: a payload is kept as it came");
    look(&message);
    answered(&message);
    if message.is_opaque() {
        return;
    }
    let native = Message::parse(Bytes::copy_from_slice(message.json().as_bytes()));
    assert_eq!(native.map(|native| native.role()), Ok(message.role()), "{from}: it can be told as a message");
    let (elements, _) = message.elements_in(to);
    assert!(elements.iter().all(|element| std::str::from_utf8(element).is_ok()), "{from} to {to}: no text");
    if to == Dialect::Opaque {
        return;
    }
    // Once written, a message is what it is: reading and writing it again changes nothing more.
    let once = message.in_dialect(to).payload;
    if let Some(written) = Message::foreign(to, once.clone()) {
        let told = dialect::from_native(to, written.json().as_bytes()).payload;
        if let Some(again) = Message::foreign(to, told) {
            assert_eq!(again.text(), written.text(), "{from} to {to}: the text of what was written");
            assert_eq!(again.tool_calls(), written.tool_calls(), "{from} to {to}: its calls");
        }
    }
}

/// What another program keeps: the first byte says which program and what, the rest is a value, a key, or a dump.
pub fn layout(data: &[u8]) {
    let [which, value @ ..] = data else { return };
    let Some(profile) = Profile::ALL.get(usize::from(*which) % Profile::ALL.len()) else { return };
    let mut messages = Vec::new();
    let _ = Reading::new(profile).take(Bytes::copy_from_slice(value), &mut messages);
    messages.iter().for_each(|message| {
        look(message);
        answered(message);
    });
    let (Some(layout), Ok(text)) = (Layout::named(profile.name), std::str::from_utf8(value)) else { return };
    if let Some(session) = layout.session(text) {
        let behind = text.strip_prefix(layout.key(&session).as_str());
        // A document is a message, whose id stands behind what all of its session's begin with.
        let fits = match profile.shape {
            Shape::Documents { hashes: false } => behind.is_some_and(|id| id.starts_with(':')),
            _ => behind == Some(""),
        };
        assert!(fits, "{}: a key and its session {session:?}", profile.name);
    }
    let _ = document(&layout, text, &Value::Document(Bytes::copy_from_slice(value)));
    let Ok(dump) = Dump::parse(value, None) else { return };
    for key in dump.keys() {
        let mut json = Vec::new();
        key.write_json(&mut json);
        let again = Dump::parse(&json, None).map(|again| again.get(&key.name).map(|key| key.value.kind()));
        assert_eq!(again, Ok(Some(key.value.kind())), "a dump can be read again");
        let name = String::from_utf8_lossy(&key.name);
        let _ = document(&layout, &name, &key.value);
    }
}

/// A glob, a zero, and a text.
pub fn glob(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (glob, text) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let found = matches(glob, text);
    if !glob.iter().any(|byte| b"*?[\\".contains(byte)) {
        assert_eq!(found, glob == text, "a glob without signs is a text");
    }
    assert!(matches(&[b"*".as_slice(), glob].concat(), text) || !found, "a star takes nothing, too");
}

#[cfg(test)]
mod tests {
    /// A target's name, and what it runs.
    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn what_was_found_once_is_not_found_again() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let targets: [Target; 6] = [
            ("record", super::record),
            ("packed", super::packed),
            ("message", super::message),
            ("dialect", super::dialect),
            ("layout", super::layout),
            ("glob", super::glob),
        ];
        for (target, run) in targets {
            let files: Vec<_> = std::fs::read_dir(folder.join("corpus").join(target)).unwrap().collect();
            assert!(!files.is_empty(), "{target} has a corpus");
            let regressions =
                std::fs::read_dir(folder.join("regressions").join(target)).into_iter().flatten();
            for file in files.into_iter().chain(regressions) {
                run(&std::fs::read(file.unwrap().path()).unwrap());
            }
        }
    }
}
