//! A message as the HTTP API writes it: `seq` and `id`, its own fields, `created_at`, and `edited_at` if it
//! was edited.

use bytes::Bytes;
use hitherto::{Message, Seq, StoredMessage, Timestamp};

use super::object::{members, without};

/// A stored message, as one JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireMessage {
    /// Its sequence number.
    pub(crate) seq: Seq,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// Whether it was edited since it was stored.
    pub(crate) edited: bool,
    json: String,
}

impl WireMessage {
    /// A message of a store.
    pub(crate) fn of(stored: &StoredMessage) -> Self {
        Self {
            seq: stored.seq,
            created_at: stored.created_at,
            edited: stored.edited_at.is_some(),
            json: stored.to_json(),
        }
    }

    /// A message that a server gave; `None` if it has no sequence number or time.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        let (mut seq, mut created_at, mut edited) = (None, None, false);
        for member in members(json).ok()? {
            match &*member.name {
                "seq" => seq = serde_json::from_str(member.value).ok(),
                "created_at" => {
                    let text: String = serde_json::from_str(member.value).ok()?;
                    created_at = Timestamp::parse_rfc3339(&text);
                }
                "edited_at" => edited = true,
                _ => {}
            }
        }
        Some(Self { seq: seq?, created_at: created_at?, edited, json: json.to_owned() })
    }

    /// The object. It may have line breaks between its members.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// The object on one line: line breaks that stand in JSON are space between members, never in texts.
    pub(crate) fn line(&self) -> String {
        self.json.replace(['\n', '\r'], " ")
    }

    /// The message without what only the store gives: `seq` and `edited_at`.
    pub(crate) fn own_json(&self) -> String {
        match members(&self.json) {
            Ok(members) => {
                without(&self.json, &members, |member| matches!(&*member.name, "seq" | "edited_at"))
            }
            Err(_) => self.json.clone(),
        }
    }

    /// The message, with the id and time that it has in the store; `None` if it is none.
    pub(crate) fn message(&self) -> Option<Message> {
        Message::parse(Bytes::from(self.own_json())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_api_writes() {
        let json = "{\"seq\":7,\"id\":\"x\",\n\"role\":\"user\",\"content\":\"a\\nb\",\"created_at\":\"1970-01-01T00:00:02.000Z\"}";
        let message = WireMessage::parse(json).unwrap();
        assert_eq!(
            (message.seq, message.created_at, message.edited),
            (7, Timestamp::from_millis(2000), false)
        );
        assert_eq!(message.message().unwrap().text(), "a\nb");
        assert!(!message.line().contains('\n'));
        assert!(message.own_json().starts_with("{\"id\":\"x\",\n\"role\""));
        assert_eq!(WireMessage::parse("{\"role\":\"user\"}"), None);
    }
}
