//! Layouts with a key a message: what such a key says of its session and its place, and which keys a message becomes.

use bytes::Bytes;
use serde_json::Value as Json;

use super::dump::text_json;
use super::{Key, Layout, Shape, Value};
use crate::message::{decode_string, field, push_string};
use crate::time::Timestamp;

/// A stored message, and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The session.
    pub session: String,
    /// By what the messages of a session are ordered; the key decides where it is equal.
    pub order: f64,
    /// The beginning of its key, where the session's id does not say it.
    pub name: Option<String>,
    /// The message.
    pub payload: Bytes,
}

/// What a key is to a layout that has a key a message; `None` if it belongs to something else.
pub fn document(layout: &Layout, key: &str, value: &Value) -> Option<Document> {
    let number = |text: &str| text.parse().ok();
    match (layout.profile().shape, value) {
        (Shape::Documents { hashes: false }, Value::Document(json)) => Some(Document {
            session: layout.session(key)?,
            order: field(json, "timestamp").and_then(number).unwrap_or(f64::MAX),
            name: None,
            payload: json.clone(),
        }),
        (Shape::Documents { hashes: true }, Value::Hash(fields)) => {
            let of = |name: &str| {
                let (_, value) = fields.iter().find(|(found, _)| found == name.as_bytes())?;
                std::str::from_utf8(value).ok()
            };
            let name = key.strip_suffix(of("entry_id")?)?.strip_suffix(':')?;
            Some(Document {
                session: of("session_tag")?.to_owned(),
                order: number(of("timestamp")?)?,
                name: Some(name.to_owned()),
                payload: object(fields),
            })
        }
        _ => None,
    }
}

/// The fields of a hash as a JSON object, by their names: a hash has no order that lasts.
fn object(fields: &[(Bytes, Bytes)]) -> Bytes {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort();
    let mut out = vec![b'{'];
    for (index, (name, value)) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(&mut out, &String::from_utf8_lossy(name));
        out.push(b':');
        text_json(value, &mut out);
    }
    out.push(b'}');
    out.into()
}

/// What a message becomes in a layout with a key a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Its keys.
    pub keys: Vec<Key>,
    /// Its name and its score in the session's index, if the layout has one.
    pub member: Option<(Bytes, f64)>,
}

impl Layout {
    /// The keys that a message becomes; `name` is the beginning of the keys of its session.
    ///
    /// # Errors
    /// Says what the message lacks.
    pub fn written(
        &self,
        session: &str,
        name: Option<&str>,
        payload: &Bytes,
    ) -> Result<Written, &'static str> {
        let key = |name: String, value| Key { name: name.into(), ttl: None, value };
        let text = |name: &str| field(payload, name).filter(|raw| raw.starts_with('"')).map(decode_string);
        match self.profile().name {
            "langchain-redis" => {
                let id = text("message_id").ok_or("it has no message_id, which its key is made of")?;
                let name = format!("{}:{id}", self.key(session));
                let keys = vec![key(name, Value::Document(payload.clone()))];
                Ok(Written { keys, member: None })
            }
            "redisvl" => {
                let id = text("entry_id").ok_or("it has no entry_id, which its key is made of")?;
                let name = format!("{}:{id}", name.unwrap_or("chat"));
                let value: Json = serde_json::from_slice(payload).map_err(|_| "it is no hash")?;
                let json = serde_json::json!({"key": name, "type": "hash", "value": value});
                let hash = Key::of(&json).map_err(|_| "it is no hash")?;
                Ok(Written { keys: vec![key(name, hash.value)], member: None })
            }
            "mastra" => {
                let id = text("id").ok_or("it has no id, which its key is made of")?;
                let made = text("createdAt").and_then(|time| Timestamp::parse_rfc3339(&time));
                let made = made.ok_or("it has no createdAt, by which messages are ordered")?;
                let index = field(payload, "_index").and_then(|raw| raw.parse().ok()).unwrap_or(0.0);
                // Milliseconds of our times, times a thousand, are below 2^53.
                #[allow(clippy::cast_precision_loss)]
                let score = made.as_millis() as f64 * 1000.0 + index;
                let keys = vec![
                    key(self.indexed(session, &id), Value::Text(payload.clone())),
                    key(format!("msg-idx:{id}"), Value::Text(session.to_owned().into())),
                ];
                Ok(Written { keys, member: Some((id.into(), score)) })
            }
            _ => Err("its layout has no key a message"),
        }
    }
}
