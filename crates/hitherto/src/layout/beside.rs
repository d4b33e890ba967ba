//! What stands beside the messages of a session: small keys that are brought along with it, and made for a session
//! that has none.

use bytes::Bytes;

use super::{Key, Layout, Value};
use crate::dialect::Dialect;
use crate::message::{Message, field};
use crate::time::Timestamp;

/// The mark, in a message's metadata, of a summary that came along.
const EARLIER: &str = "summary_of_earlier";

/// A key beside a session's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Its name; with [`What::AnyMember`] a glob.
    pub key: String,
    /// What of it belongs to the session.
    pub what: What,
}

/// What of a key belongs to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// All of it, a hash.
    Hash,
    /// All of it, a string.
    Text,
    /// The session's id, a member of a sorted set.
    Member,
    /// The session's id, a member of each sorted set that has it.
    AnyMember,
}

impl Layout {
    /// What stands beside a session.
    pub fn beside(&self, session: &str) -> Vec<Beside> {
        let of = |key: String, what| Beside { key, what };
        let prefix = &self.prefix;
        match self.profile.name {
            "openai-agents" => vec![of(format!("{prefix}{session}"), What::Hash)],
            "motorhead" => vec![
                of(format!("context:{session}"), What::Text),
                of(format!("tokens:{session}"), What::Text),
                of("sessions".to_owned(), What::Member),
                of("sessions:*".to_owned(), What::AnyMember),
            ],
            "mastra" => vec![of(format!("mastra_threads:id:{session}"), What::Text)],
            "ai-sdk-tools" => vec![
                of(format!("{prefix}chat:{session}"), What::Hash),
                of(format!("{prefix}wm:chat:{session}"), What::Text),
                of(format!("{prefix}chats:global"), What::Member),
            ],
            "agno" => vec![of(format!("{prefix}sessions:{session}"), What::Text)],
            _ => Vec::new(),
        }
    }

    /// What the keys that were found beside it lead to.
    pub fn further(&self, found: &[Key]) -> Vec<Beside> {
        if self.profile.name != "ai-sdk-tools" {
            return Vec::new();
        }
        let user = found.iter().find_map(|key| match &key.value {
            Value::Hash(fields) => fields.iter().find(|(name, _)| name == "userId").map(|(_, value)| value),
            _ => None,
        });
        let user = user.and_then(|user| std::str::from_utf8(user).ok());
        let key = user.map(|user| format!("{}chats:{user}", self.prefix));
        key.map(|key| Beside { key, what: What::Member }).into_iter().collect()
    }

    /// What of it is the summary of what was said before the oldest message.
    pub fn summary<'a>(&self, session: &str, found: &'a [Key]) -> Option<&'a str> {
        let name = self.has_summaries().then(|| format!("context:{session}"))?;
        let text = found.iter().find_map(|key| match &key.value {
            Value::Text(text) if key.name == name => std::str::from_utf8(text).ok(),
            _ => None,
        })?;
        // Its model says so where there is nothing to sum up, and its clients take it for nothing.
        Some(text.trim()).filter(|text| !text.is_empty() && *text != "NONE")
    }

    /// A summary of what was said before the oldest message, as a message before it: so it is read, folded and made
    /// anew as whatever else was said, and nothing of it is lost.
    pub fn earlier(text: &str) -> Message {
        Message::system(text).with("metadata", &serde_json::json!({ EARLIER: true }))
    }

    /// Whether a message is one that [`Self::earlier`] made.
    pub fn is_earlier(message: &Message) -> bool {
        let metadata = (message.dialect() == Dialect::Hitherto).then(|| message.metadata()).flatten();
        metadata.is_some_and(|metadata| field(metadata.as_bytes(), EARLIER) == Some("true"))
    }

    /// Whether summaries stand in a key of their own.
    pub fn has_summaries(&self) -> bool {
        self.profile.name == "motorhead"
    }

    /// The key of a summary, with that text.
    pub fn summary_key(&self, session: &str, text: &str) -> Option<Key> {
        let name = self.has_summaries().then(|| format!("context:{session}"))?;
        Some(Key { name: name.into(), ttl: None, value: Value::Text(text.to_owned().into()) })
    }

    /// What its clients need beside a session that did not come from them.
    pub fn made_beside(&self, session: &str, created: Timestamp, updated: Timestamp) -> Vec<Key> {
        let of = |name: String, value| Key { name: name.into(), ttl: None, value };
        let secs = |time: Timestamp| time.as_millis().div_euclid(1000);
        let id = || Bytes::from(session.to_owned());
        match self.profile.name {
            "openai-agents" => {
                let field = |name: &'static str, value: String| (Bytes::from(name), Bytes::from(value));
                let fields = vec![
                    field("session_id", session.to_owned()),
                    field("created_at", secs(created).to_string()),
                    field("updated_at", secs(updated).to_string()),
                ];
                vec![of(format!("{}{session}", self.prefix), Value::Hash(fields))]
            }
            "motorhead" => {
                // Seconds of our times are far below what a double holds exactly.
                #[allow(clippy::cast_precision_loss)]
                let score = secs(updated) as f64;
                vec![of("sessions".to_owned(), Value::Zset(vec![(id(), score)]))]
            }
            "mastra" => {
                let thread = serde_json::json!({
                    "id": session,
                    "resourceId": session,
                    "title": "",
                    "metadata": {},
                    "createdAt": created.to_string(),
                    "updatedAt": updated.to_string(),
                });
                let thread = Value::Text(thread.to_string().into());
                vec![of(format!("mastra_threads:id:{session}"), thread)]
            }
            _ => Vec::new(),
        }
    }
}
