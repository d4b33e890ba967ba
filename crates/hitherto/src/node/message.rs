//! Messages as callers of the node give them: `{ text, type }`, `{ message, type }`, or `{ role, content }`.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::message::{Message, MessageError, Role, decode_string, field, rename_field};

/// A message to add or to prepend. Fields besides those of its form are kept with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeMessage(Message);

impl NodeMessage {
    /// What a user says (`type: 'userMessage'`).
    pub fn user(text: &str) -> Self {
        Self(Message::user(text))
    }

    /// What the model says (`type: 'apiMessage'`).
    pub fn api(text: &str) -> Self {
        Self(Message::assistant(text))
    }

    /// Reads any of the three forms.
    ///
    /// # Errors
    /// Says what is missing or wrong.
    pub fn parse(json: &str) -> Result<Self, MessageError> {
        let object = json.as_bytes();
        let kind = field(object, "type").filter(|raw| raw.starts_with('"')).map(decode_string);
        let role = match kind.as_deref() {
            _ if field(object, "role").is_some() => None,
            Some("userMessage") => Some(Role::User),
            Some("apiMessage") => Some(Role::Assistant),
            _ => {
                return Err(MessageError::Invalid {
                    field: "type",
                    must: "userMessage or apiMessage, or a role be given",
                });
            }
        };
        let mut out = json.as_bytes().to_vec();
        if let Some(role) = role {
            out = rename_field(&out, "type", "role", Some(format!("\"{}\"", role.as_str()).as_bytes()));
        }
        if field(object, "content").is_none() {
            let text = ["text", "message"].into_iter().find(|name| field(object, name).is_some());
            let Some(text) = text else {
                return Err(MessageError::Invalid { field: "text", must: "given" });
            };
            out = rename_field(&out, text, "content", None);
        }
        Message::parse(Bytes::from(out)).map(Self)
    }

    /// The message.
    pub fn message(&self) -> &Message {
        &self.0
    }
}

impl From<Message> for NodeMessage {
    fn from(message: Message) -> Self {
        Self(message)
    }
}

impl<'de> Deserialize<'de> for NodeMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_and_keeps_the_rest() {
        let check =
            |json: &str, expected: &str| assert_eq!(NodeMessage::parse(json).unwrap().0.json(), expected);
        check(r#"{"text":"hi","type":"userMessage"}"#, r#"{"content":"hi","role":"user"}"#);
        check(
            r#"{"message":"a\ud83d","type":"apiMessage","x":1.0}"#,
            r#"{"content":"a\ud83d","role":"assistant","x":1.0}"#,
        );
        check(r#"{"role":"system","content":"be brief"}"#, r#"{"role":"system","content":"be brief"}"#);
        check(
            r#"{"role":"user","message":"m","content":"c"}"#,
            r#"{"role":"user","message":"m","content":"c"}"#,
        );
    }

    #[test]
    fn refuses_what_is_none() {
        for json in [
            "7",
            "{}",
            r#"{"text":"x"}"#,
            r#"{"type":"userMessage"}"#,
            r#"{"text":7,"type":"userMessage"}"#,
            r#"{"text":"x","type":"robot"}"#,
        ] {
            assert!(NodeMessage::parse(json).is_err(), "{json}");
        }
    }
}
