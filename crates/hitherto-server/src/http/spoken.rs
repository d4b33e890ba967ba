//! Messages of clients that say a role, in words of their own, and a content: Motorhead's and Zep's.
//!
//! Invariant: what such a client sent comes back to it byte for byte; messages of all others are told in its words.

use axum::http::HeaderMap;
use bytes::Bytes;
use hitherto::{
    AppendOptions, Budget, ChatMemory, Context, ContextOptions, Dialect, Given, Message, MessageError, Role,
    SessionId,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::problem::{Problem, of_message};
use super::{Door, answer, append};

/// What a protocol calls the four roles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) system: &'static str,
    pub(super) user: &'static str,
    pub(super) assistant: &'static str,
    pub(super) tool: &'static str,
}

impl Names {
    pub(super) const fn of(&self, role: Role) -> &'static str {
        match role {
            Role::System => self.system,
            Role::User => self.user,
            Role::Assistant => self.assistant,
            Role::Tool => self.tool,
        }
    }
}

/// A message as such a client sends it; other fields are kept and passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Spoken<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) metadata: Option<&'a RawValue>,
}

impl<'a> Spoken<'a> {
    /// What such a client said in a message; `None` if another one wrote it.
    pub(super) fn of(message: &'a Message) -> Option<Self> {
        if message.dialect() != Dialect::RoleContent {
            return None;
        }
        serde_json::from_slice(message.payload()).ok()
    }
}

/// The messages of a list, which are parts of a body that is known to be UTF-8 and is shared, not copied.
pub(super) fn messages(body: &Bytes, list: &[&RawValue]) -> Result<Vec<Message>, Problem> {
    list.iter()
        .enumerate()
        .map(|(index, raw)| message(body, raw).map_err(|error| of_message(index, &error)))
        .collect()
}

fn message(body: &Bytes, raw: &RawValue) -> Result<Message, MessageError> {
    let spoken: Spoken<'_> = serde_json::from_str(raw.get()).map_err(|error| {
        // For a value of another type the reader's message quotes it, which is what people said.
        let reason =
            if error.is_data() { "not an object of role and content".to_owned() } else { error.to_string() };
        MessageError::Malformed(reason)
    })?;
    let text = |raw: Option<&RawValue>| raw.is_some_and(|raw| raw.get().starts_with('"'));
    for (field, raw) in [("role", spoken.role), ("content", spoken.content)] {
        if !text(raw) {
            return Err(MessageError::Invalid { field, must: "a text" });
        }
    }
    Message::foreign(Dialect::RoleContent, body.slice_ref(raw.get().as_bytes()))
        .ok_or(MessageError::Invalid { field: "the message", must: "an object of role and content" })
}

/// Appends `"role":…,"content":…`.
pub(super) fn push(out: &mut Vec<u8>, message: &Message, names: &Names) {
    if let Some(Spoken { role: Some(role), content: Some(content), .. }) = Spoken::of(message) {
        push_pair(
            out,
            |out| out.extend_from_slice(role.get().as_bytes()),
            |out| {
                out.extend_from_slice(content.get().as_bytes());
            },
        );
        return;
    }
    if message.dialect() == Dialect::MotorheadText {
        let line = String::from_utf8_lossy(message.payload());
        let (role, content) = line.split_once(": ").unwrap_or((names.of(message.role()), &line));
        push_pair(out, |out| answer::push_string(out, role), |out| answer::push_string(out, content));
        return;
    }
    push_said(out, names.of(message.role()), &message.text());
}

/// Appends the same for a text that nobody sent as a message.
pub(super) fn push_said(out: &mut Vec<u8>, role: &str, content: &str) {
    push_pair(out, |out| answer::push_string(out, role), |out| answer::push_string(out, content));
}

fn push_pair(out: &mut Vec<u8>, role: impl FnOnce(&mut Vec<u8>), content: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"\"role\":");
    role(out);
    out.extend_from_slice(b",\"content\":");
    content(out);
}

/// A context with the summary that the session has, also where the context does without it because every message is
/// given: the clients of these protocols are told it whenever there is one.
pub(super) async fn context(
    door: &Door,
    memory: &ChatMemory,
    session: &SessionId,
    budget: Budget,
) -> Result<Context, Problem> {
    let mut options = ContextOptions::default();
    options.uncounted = true;
    options.budget = budget;
    let mut context = door.within(memory.context(session, &options)).await?;
    if context.explain.summary == Given::LeftOut {
        context.summary = door.within(memory.summary(session)).await?.current;
    }
    Ok(context)
}

/// What an append of such a client is to do besides: what the server's settings say.
pub(super) fn append_options(door: &Door, headers: &HeaderMap) -> Result<AppendOptions, Problem> {
    let mut options = AppendOptions::default();
    options.idempotency_key = append::idempotency_key(headers)?;
    append::with_defaults(door, &mut options);
    Ok(options)
}

/// Makes a session that has no messages yet.
pub(super) async fn open(
    memory: &ChatMemory,
    session: &SessionId,
    options: &AppendOptions,
) -> hitherto::Result<()> {
    let mut options = options.clone();
    options.idempotency_key = None;
    // Nobody sees it: what is no message is in no window, and it is deleted at once.
    let place = vec![Message::opaque(b"opened".as_slice().into())];
    let appended = memory.append(session, place, &options).await?;
    memory.delete(session, appended.first_seq).await
}
