//! A message: one entry of a conversation, kept as the bytes in which it came, in the dialect in which it came.
//!
//! Invariant: the bytes given are the bytes kept. What this module reads of them (role, id, time) it reads
//! without changing them; unknown fields, unknown parts, half surrogate pairs and numbers of any size
//! survive because nothing ever prints them again. A message of another dialect is turned into Hitherto's own
//! form when somebody asks for that, once.

mod content;
mod json;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::OnceLock;
use thiserror::Error;

pub use content::{Content, Part, ToolCall};
pub use json::decode_string;
pub(crate) use json::{field, fields_but_nulls, is_object, push_string, raw, rename_field, replace_field};

use crate::dialect::{self, Dialect, Loss, Translated};
use crate::time::Timestamp;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions to the model.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool that the model called.
    Tool,
}

impl Role {
    /// The role's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::System, Self::User, Self::Assistant, Self::Tool].into_iter().find(|role| role.as_str() == name)
    }
}

/// Why a message was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It is not a JSON object, or one of its own fields has the wrong type.
    #[error("not a message: {0}")]
    Malformed(String),
    /// The role is none of the four.
    #[error("unknown role {0:?}; a role is system, user, assistant or tool")]
    UnknownRole(String),
    /// A field is missing.
    #[error("a message of role {role} needs {field}")]
    Missing {
        /// Which field.
        field: &'static str,
        /// The role that needs it.
        role: &'static str,
    },
    /// A field has a value that it cannot have.
    #[error("{field} must be {must}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// A field that only the store gives.
    #[error("{0} is given by the store; leave it out")]
    Reserved(&'static str),
}

/// One message, as an application gives it and gets it back.
///
/// Its JSON is an object in the shape of OpenAI's chat completions: `role`, `content` (text, a list of
/// parts, or null), `name`, `tool_calls`, `tool_call_id`, and with them `metadata` (an object), `id` and
/// `created_at` (RFC 3339), and any field besides.
#[derive(Clone)]
pub struct Message {
    role: Role,
    dialect: Dialect,
    payload: Bytes,
    /// The payload in Hitherto's own form, where that is another.
    native: OnceLock<Bytes>,
    flags: Flags,
    created_at: Option<Timestamp>,
}

/// What a record's header says of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// Whether `id` stands in the JSON itself.
    pub(crate) own_id: bool,
    /// Whether `created_at` stands in the JSON itself.
    pub(crate) own_time: bool,
    /// At which end of a list it was pushed whose clients alone know which end is the newest.
    pub(crate) pushed: Option<ListEnd>,
}

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListEnd {
    /// Where `LPUSH` pushes.
    Head,
    /// Where `RPUSH` pushes.
    Tail,
}

/// The fields that are looked at when a message comes in; the rest is only skipped over.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    seq: Option<&'a RawValue>,
    edited_at: Option<&'a RawValue>,
}

/// What is read of a message when it comes in.
struct Read {
    role: Role,
    own_id: bool,
    created_at: Option<Timestamp>,
}

impl Read {
    fn of(json: &str) -> Result<Self, MessageError> {
        // To serde, a list is a struct too.
        if !is_object(json.trim_ascii_start()) {
            return Err(MessageError::Malformed("it is no JSON object".to_owned()));
        }
        let fields: Fields<'_> =
            serde_json::from_str(json).map_err(|error| MessageError::Malformed(error.to_string()))?;
        if fields.seq.is_some() {
            return Err(MessageError::Reserved("seq"));
        }
        if fields.edited_at.is_some() {
            return Err(MessageError::Reserved("edited_at"));
        }
        let role = parse_role(fields.role)?;
        check_content(role, fields.content)?;
        if fields.metadata.is_some_and(|raw| !is_object(raw.get())) {
            return Err(MessageError::Invalid { field: "metadata", must: "an object" });
        }
        if fields.tool_calls.is_some_and(|raw| raw.get() != "null" && !raw.get().starts_with('[')) {
            return Err(MessageError::Invalid { field: "tool_calls", must: "a list" });
        }
        let created_at = fields.created_at.map(parse_time).transpose()?;
        let own_id = fields.id.map(check_id).transpose()?.is_some();
        Ok(Self { role, own_id, created_at })
    }

    fn message(self, json: Bytes) -> Message {
        let Self { role, own_id, created_at } = self;
        let flags = Flags { own_id, own_time: created_at.is_some(), pushed: None };
        Message { created_at, ..Message::stored(role, Dialect::Hitherto, json, flags) }
    }
}

/// The longest id that a message may bring along, in bytes.
const MAX_ID_BYTES: usize = 256;

impl Message {
    /// Reads a message from the JSON object that a client sent, keeping its bytes.
    ///
    /// # Errors
    /// Says which field is wrong and what it must be.
    pub fn parse(json: Bytes) -> Result<Self, MessageError> {
        let text = std::str::from_utf8(&json).map_err(|error| MessageError::Malformed(error.to_string()))?;
        let read = Read::of(text)?;
        Ok(read.message(json))
    }

    /// Reads a message from a part of a larger body, which is known to be UTF-8 and is shared, not copied.
    ///
    /// # Errors
    /// Says which field is wrong and what it must be.
    ///
    /// # Panics
    /// If `json` is not a part of `body`.
    pub fn parse_part(body: &Bytes, json: &str) -> Result<Self, MessageError> {
        Ok(Read::of(json)?.message(body.slice_ref(json.as_bytes())))
    }

    /// A message of that role and text.
    pub fn new(role: Role, text: &str) -> Self {
        let mut json = Vec::with_capacity(text.len() + 40);
        json.extend_from_slice(b"{\"role\":\"");
        json.extend_from_slice(role.as_str().as_bytes());
        json.extend_from_slice(b"\",\"content\":");
        push_string(&mut json, text);
        json.push(b'}');
        Self::stored(role, Dialect::Hitherto, json.into(), Flags::default())
    }

    /// A message that another client wrote, in its dialect, whose bytes are kept; `None` if it is not in that
    /// dialect.
    pub fn foreign(dialect: Dialect, payload: Bytes) -> Option<Self> {
        if dialect == Dialect::Hitherto {
            return Self::parse(payload).ok();
        }
        let head = dialect::head(dialect, &payload)?;
        let message = Self::stored(head.role, dialect, payload, Flags::default());
        Some(Self { created_at: head.created_at, ..message })
    }

    /// The same where only its surroundings say who speaks, and when.
    pub fn foreign_of(role: Role, dialect: Dialect, payload: Bytes, created_at: Option<Timestamp>) -> Self {
        Self { created_at, ..Self::stored(role, dialect, payload, Flags::default()) }
    }

    /// Bytes that somebody pushed, in the dialect that they look like; [`Dialect::Opaque`] if that is none.
    pub fn detect(payload: Bytes) -> Self {
        match dialect::detect(&payload) {
            // Also whether it has an id and a time of its own is read of these.
            Some((Dialect::Hitherto, _)) => {
                Self::foreign(Dialect::Hitherto, payload.clone()).unwrap_or_else(|| Self::opaque(payload))
            }
            Some((dialect, head)) => Self::foreign_of(head.role, dialect, payload, head.created_at),
            None => Self::opaque(payload),
        }
    }

    /// Bytes that are no message.
    pub fn opaque(payload: Bytes) -> Self {
        Self::stored(Role::System, Dialect::Opaque, payload, Flags::default())
    }

    /// The same message, noting at which end of a list it was pushed: under a key of which nothing but its own
    /// messages says which end is the newest.
    #[must_use]
    pub fn pushed(mut self, end: Option<ListEnd>) -> Self {
        self.flags.pushed = end;
        self
    }

    /// At which end of such a list it was pushed, if it was.
    pub fn pushed_at(&self) -> Option<ListEnd> {
        self.flags.pushed
    }

    /// The dialect of its payload.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether it is bytes that are no message: it is kept, and is in no window, no context and no summary.
    pub fn is_opaque(&self) -> bool {
        self.dialect == Dialect::Opaque
    }

    /// The bytes as they came.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The message as one element of that dialect: its own bytes if it is in it already. Of a message that is several
    /// there ([`Self::elements_in`]), the first.
    pub fn in_dialect(&self, dialect: Dialect) -> Translated {
        Translated::first(self.elements_in(dialect))
    }

    /// The message as elements of that dialect, and what they do not say: its own bytes if it is in it already, else
    /// one element, or several where the dialect has one for each call of a tool.
    pub fn elements_in(&self, dialect: Dialect) -> (Vec<Bytes>, Vec<Loss>) {
        if dialect == self.dialect || self.is_opaque() {
            return (vec![self.payload.clone()], Vec::new());
        }
        let native = match self.dialect {
            Dialect::Hitherto => Translated { payload: self.payload.clone(), losses: Vec::new() },
            foreign => dialect::to_native(foreign, self.role, &self.payload),
        };
        if dialect == Dialect::Hitherto {
            return (vec![native.payload], native.losses);
        }
        let (elements, others) = dialect::from_native_many(dialect, &native.payload);
        (elements, native.losses.into_iter().chain(others).collect())
    }

    /// The message as one element of a dialect that is JSON, to stand in an answer; `None` for any other dialect.
    pub(crate) fn raw_in(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        let read = |payload: &[u8]| std::str::from_utf8(payload).ok().and_then(raw);
        // Its own bytes may be what only Python reads.
        read(&self.in_dialect(dialect).payload)
            .or_else(|| read(&dialect::from_native(dialect, self.bytes()).payload))
    }

    /// A user's message.
    pub fn user(text: &str) -> Self {
        Self::new(Role::User, text)
    }

    /// The model's answer.
    pub fn assistant(text: &str) -> Self {
        Self::new(Role::Assistant, text)
    }

    /// Instructions.
    pub fn system(text: &str) -> Self {
        Self::new(Role::System, text)
    }

    /// The result of the tool call of that id.
    pub fn tool(tool_call_id: &str, text: &str) -> Self {
        Self::new(Role::Tool, text).with("tool_call_id", &serde_json::Value::from(tool_call_id))
    }

    /// The same message with a field more, or with another value for it: `name`, `metadata`, `tool_calls`
    /// or any field of the application's own. A value that the field cannot have leaves the message as it was.
    #[must_use]
    pub fn with(self, field: &str, value: &serde_json::Value) -> Self {
        let json = replace_field(self.bytes(), field, value.to_string().as_bytes());
        Self::parse(json.into()).unwrap_or(self)
    }

    /// Who speaks.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The message as JSON in Hitherto's own form: as it came, if it came so.
    pub fn json(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or("{}")
    }

    /// The same.
    pub(crate) fn bytes(&self) -> &Bytes {
        match self.dialect {
            Dialect::Hitherto => &self.payload,
            dialect => {
                self.native.get_or_init(|| dialect::to_native(dialect, self.role, &self.payload).payload)
            }
        }
    }

    /// The time that the message brought along, if it did.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    /// What a record's header says of it.
    pub(crate) fn flags(&self) -> Flags {
        self.flags
    }

    /// The id that the message brought along, if it did.
    pub fn own_id(&self) -> Option<String> {
        if !self.flags.own_id {
            return None;
        }
        self.field("id").map(|raw| decode_string(&raw))
    }

    /// A message read back from a store, which has kept its flags.
    pub(crate) fn stored(role: Role, dialect: Dialect, payload: Bytes, flags: Flags) -> Self {
        Self { role, dialect, payload, native: OnceLock::new(), flags, created_at: None }
    }

    /// The raw JSON of one top-level field.
    pub fn field(&self, name: &str) -> Option<String> {
        json::field(self.bytes(), name).map(str::to_owned)
    }

    /// What is said: text, parts, or nothing.
    pub fn content(&self) -> Content {
        content::content(self.bytes())
    }

    /// The text of the message: its content if that is text, its text parts one after another if not.
    /// Half surrogate pairs become U+FFFD.
    pub fn text(&self) -> String {
        self.content().text()
    }

    /// The tools that the model calls in this message.
    pub fn tool_calls(&self) -> Vec<ToolCall> {
        content::tool_calls(self.bytes())
    }

    /// The id of the call that this message is the result of.
    pub fn tool_call_id(&self) -> Option<String> {
        self.string("tool_call_id")
    }

    /// The name of the speaker or of the tool.
    pub fn name(&self) -> Option<String> {
        self.string("name")
    }

    /// The metadata, as the JSON object that came.
    pub fn metadata(&self) -> Option<String> {
        self.field("metadata")
    }

    fn string(&self, name: &str) -> Option<String> {
        self.field(name).filter(|raw| raw.starts_with('"')).map(|raw| decode_string(&raw))
    }
}

impl PartialEq for Message {
    /// Equal bytes. The time is in them; only a message that has just been parsed holds it apart as well.
    fn eq(&self, other: &Self) -> bool {
        (self.role, self.dialect, &self.payload) == (other.role, other.dialect, &other.payload)
    }
}

impl Eq for Message {}

impl std::fmt::Debug for Message {
    /// Role and length only: what people say stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({}, {} bytes)", self.role.as_str(), self.payload.len())
    }
}

fn parse_role(raw: Option<&RawValue>) -> Result<Role, MessageError> {
    let Some(raw) = raw else {
        return Err(MessageError::Invalid { field: "role", must: "given: system, user, assistant or tool" });
    };
    // The plain spellings first: nearly every message has one of them, and they need no decoding.
    match raw.get() {
        "\"user\"" => Ok(Role::User),
        "\"assistant\"" => Ok(Role::Assistant),
        "\"system\"" => Ok(Role::System),
        "\"tool\"" => Ok(Role::Tool),
        other if other.starts_with('"') => {
            let name = decode_string(other);
            Role::parse(&name).ok_or(MessageError::UnknownRole(name))
        }
        _ => Err(MessageError::Invalid { field: "role", must: "a string: system, user, assistant or tool" }),
    }
}

fn check_content(role: Role, raw: Option<&RawValue>) -> Result<(), MessageError> {
    const MUST: MessageError =
        MessageError::Invalid { field: "content", must: "a text, or a list of parts that each have a type" };
    match raw.map(RawValue::get) {
        Some(text) if text.starts_with('"') => Ok(()),
        Some(list) if list.starts_with('[') => {
            serde_json::from_str::<Vec<Typed>>(list).map(drop).map_err(|_| MUST)
        }
        // A model that only calls tools, refuses or speaks aloud says nothing in `content`.
        None | Some("null") if role == Role::Assistant => Ok(()),
        None | Some("null") => Err(MessageError::Missing { field: "content", role: role.as_str() }),
        Some(_) => Err(MUST),
    }
}

/// Whether it can stand among the parts of a message: an object with one type, which can be read.
pub(crate) fn is_typed(part: &str) -> bool {
    serde_json::from_str::<Typed>(part).is_ok()
}

/// A part that says of which type it is.
struct Typed;

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow, rename = "type")]
            _type: Cow<'a, str>,
        }
        struct Object;
        // What is derived would also read a list, `["text"]`, as an object.
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Object).map(|_| Self)
    }
}

fn parse_time(raw: &RawValue) -> Result<Timestamp, MessageError> {
    const MUST: MessageError = MessageError::Invalid {
        field: "created_at",
        must: "a time such as 2026-11-22T10:00:00Z (RFC 3339, with an offset)",
    };
    let text: Cow<'_, str> = serde_json::from_str(raw.get()).map_err(|_| MUST)?;
    Timestamp::parse_rfc3339(&text).ok_or(MUST)
}

fn check_id(raw: &RawValue) -> Result<(), MessageError> {
    let quoted = raw.get();
    if quoted.starts_with('"') && quoted.len() > 2 && quoted.len() <= MAX_ID_BYTES + 2 {
        Ok(())
    } else {
        Err(MessageError::Invalid { field: "id", must: "a text of 1 to 256 bytes" })
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
