//! A message as it is handed back: with its sequence number, id and times, and spliced into answers
//! without being printed again.

use bytes::Bytes;
use uuid::Uuid;

use crate::message::{Message, Role, fields_but_nulls};
use crate::record::Record;
use crate::store::{Entry, Seq};
use crate::time::Timestamp;

/// The id of a message: the one that the store gave, or the one that the message brought along.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// A UUID, version 7.
    Given(Uuid),
    /// The message's own.
    Own(String),
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Given(id) => id.fmt(f),
            Self::Own(id) => f.write_str(id),
        }
    }
}

/// A message that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its sequence number.
    pub seq: Seq,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last edited, if it was.
    pub edited_at: Option<Timestamp>,
    /// The message as it came.
    pub message: Message,
    id: Uuid,
}

impl StoredMessage {
    /// From a record; `None` for a deleted one.
    pub(crate) fn new(seq: Seq, record: Record) -> Option<Self> {
        let message = record.message?;
        Some(Self { seq, created_at: record.created_at, edited_at: record.edited_at, message, id: record.id })
    }

    /// From a place of a session; `None` if no readable message stands there.
    pub(crate) fn of_entry(entry: Entry) -> Option<Self> {
        if entry.is_unreadable() { None } else { Self::new(entry.seq, entry.record.ok()?) }
    }

    /// The same message saying something else: what a context gives of one that is too long for it.
    pub(crate) fn saying(&self, message: Message) -> Self {
        Self { message, ..self.clone() }
    }

    /// Who speaks.
    pub fn role(&self) -> Role {
        self.message.role()
    }

    /// Its id.
    pub fn id(&self) -> MessageId {
        self.message.own_id().map_or(MessageId::Given(self.id), MessageId::Own)
    }

    /// Appends the message as one JSON object: `seq`, `id`, the message's own fields as they came,
    /// `created_at`, and `edited_at` if it was edited.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        use std::io::Write as _;
        let json: &Bytes = self.message.bytes();
        out.reserve(json.len() + 160);
        // Writing to a vector cannot fail.
        let _ = write!(out, "{{\"seq\":{}", self.seq);
        if !self.message.flags().own_id {
            let mut buffer = Uuid::encode_buffer();
            out.extend_from_slice(b",\"id\":\"");
            out.extend_from_slice(self.id.hyphenated().encode_lower(&mut buffer).as_bytes());
            out.push(b'"');
        }
        out.push(b',');
        // The fields between the braces of the object that came: a message has a role at least. What it says is null is
        // not said of it a second time.
        out.extend_from_slice(&fields_but_nulls(json, &["seq", "id", "created_at", "edited_at"]));
        if !self.message.flags().own_time {
            write_time(out, b",\"created_at\":\"", self.created_at);
        }
        if let Some(edited_at) = self.edited_at {
            write_time(out, b",\"edited_at\":\"", edited_at);
        }
        out.push(b'}');
    }

    /// The message as one JSON object; see [`Self::write_json`].
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

fn write_time(out: &mut Vec<u8>, label: &[u8], time: Timestamp) {
    out.extend_from_slice(label);
    time.write_rfc3339(out);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_once_what_the_store_says() {
        let check = |message: Option<Message>, expected: &str| {
            let record = Record::new(message.unwrap(), Uuid::nil(), Timestamp::from_millis(0));
            assert_eq!(StoredMessage::new(7, record).unwrap().to_json(), expected);
        };
        let parsed = |json: &'static str| Message::parse(Bytes::from(json)).ok();
        let pushed = |json: &'static str| Some(Message::detect(Bytes::from(json)));
        // White space around the object that came.
        check(
            parsed("\n {\"role\":\"user\",\"content\":\"null\" }\r\n"),
            r#"{"seq":7,"id":"00000000-0000-0000-0000-000000000000","role":"user","content":"null" ,"created_at":"1970-01-01T00:00:00.000Z"}"#,
        );
        // A client that writes every field of its class.
        check(
            parsed(
                r#"{"seq":null,"id":null,"role":"user","content":"hi","name":null,"created_at":null,"edited_at":null}"#,
            ),
            r#"{"seq":7,"id":"00000000-0000-0000-0000-000000000000","role":"user","content":"hi","name":null,"created_at":"1970-01-01T00:00:00.000Z"}"#,
        );
        // At the Redis port nobody reads more of a message than its looks, but for these.
        check(
            pushed(r#"{"role":"assistant","content":null,"id":"m-1","created_at":"1970-01-01T00:00:02Z"}"#),
            r#"{"seq":7,"role":"assistant","content":null,"id":"m-1","created_at":"1970-01-01T00:00:02Z"}"#,
        );
    }
}
