//! What is known of a session, from a store or from a server's answer.

use hitherto::{Description, Place, Seq, SessionId, SessionPage, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// What is known of a session beside its messages. As JSON it has the fields of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub(crate) struct SessionInfo {
    /// Its id.
    #[serde(alias = "id")]
    pub(crate) session: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// How many messages it has.
    pub(crate) messages: u64,
    /// How many turns begin in it.
    #[serde(default)]
    pub(crate) turns: u64,
    /// The newest sequence number that it ever gave.
    #[serde(default)]
    pub(crate) last_seq: Seq,
    /// When it began.
    #[serde(deserialize_with = "time")]
    pub(crate) created_at: Timestamp,
    /// When it was last written to.
    #[serde(deserialize_with = "time")]
    pub(crate) updated_at: Timestamp,
    /// When it ends if nothing restarts its clock.
    #[serde(default, deserialize_with = "optional_time", skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Timestamp>,
}

/// A page of the list of sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionList {
    /// The sessions.
    pub(crate) sessions: Vec<SessionInfo>,
    /// Where the next page begins; `None` on the last.
    pub(crate) next: Option<Cursor>,
}

/// Where a page of the list of sessions begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Cursor {
    /// In a store's list.
    Place(Place),
    /// In a server's, which alone can read it.
    Opaque(String),
}

impl Cursor {
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::Place(place) => Some(place),
            Self::Opaque(_) => None,
        }
    }
}

impl SessionInfo {
    pub(super) fn new(session: &SessionId, description: &Description) -> Self {
        Self {
            session: session.as_str().to_owned(),
            user: description.user.as_ref().map(|user| user.as_str().to_owned()),
            messages: description.messages,
            turns: description.turns,
            last_seq: description.last_seq,
            created_at: description.created_at,
            updated_at: description.updated_at,
            expires_at: description.expires_at,
        }
    }
}

impl From<SessionPage> for SessionList {
    fn from(page: SessionPage) -> Self {
        let sessions = page
            .sessions
            .iter()
            .map(|listed| SessionInfo::new(&listed.session, &listed.description))
            .collect();
        Self { sessions, next: page.next.map(Cursor::Place) }
    }
}

pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    Timestamp::parse_rfc3339(&text).ok_or_else(|| serde::de::Error::custom("a time that is not RFC 3339"))
}

fn optional_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.and_then(|text| Timestamp::parse_rfc3339(&text)))
}
