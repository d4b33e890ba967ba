//! Motorhead's list elements, `Role: content`, and the `{role, content}` of its API and of Zep's, whose roles are
//! words of the caller's choosing.
//!
//! Invariant: the word comes back as it was. A word that is not known is a person's.

use super::neutral::{Neutral, Said};
use super::raw::{self, Object};
use super::{Head, roles, timed};
use crate::message::{Role, decode_string};

pub(super) const FAMILY: &str = "motorhead";

/// The word that the clients of both write for a role.
const fn word(role: Role) -> &'static str {
    match role {
        Role::System => "System",
        Role::User => "Human",
        Role::Assistant => "AI",
        Role::Tool => "Tool",
    }
}

fn role(word: &str) -> Role {
    roles::known(word.trim()).unwrap_or(Role::User)
}

/// What is read of a line. By its looks only a known word makes a text one; said to be one, any word does.
pub(super) fn head_of_text(text: &str, by_looks: bool) -> Option<Head> {
    let (word, _) = text.split_once(": ")?;
    if by_looks && roles::known(word).is_none() {
        return None;
    }
    Some(Head { role: role(word), created_at: None })
}

pub(super) fn read_text(text: &str) -> Option<Neutral<'_>> {
    let (word, content) = text.split_once(": ")?;
    let mut message = Neutral::new(role(word), FAMILY);
    message.said = Said::Text(raw::quote(content).into());
    keep_word(&mut message, word);
    Some(message)
}

fn keep_word(message: &mut Neutral<'_>, said: &str) {
    if said != word(message.role) {
        message.keep("role", raw::quote(said));
    }
}

pub(super) fn head(object: &Object<'_>) -> Option<Head> {
    let role = role(&object.text("role")?);
    object.string("content")?;
    let created_at = object.get("created_at").or_else(|| object.get("createdAt")).and_then(timed::rfc3339);
    Some(Head { role, created_at })
}

pub(super) fn read<'a>(object: &Object<'a>) -> Option<Neutral<'a>> {
    let mut message = Neutral::new(head(object)?.role, FAMILY);
    message.said = Said::Text(object.string("content")?.into());
    keep_word(&mut message, &object.text("role")?);
    let mut known = vec!["role", "content"];
    // Zep's own place for what the application adds.
    if let Some(metadata) = object.get("metadata").filter(|metadata| metadata.starts_with('{')) {
        raw::keep(&mut message.rest, "metadata", metadata);
        known.push("metadata");
    }
    message.kept.extend(object.without(&known));
    Some(message)
}

/// The word for who speaks, a JSON string.
fn take_word(message: &mut Neutral<'_>) -> String {
    let says = |message: &Neutral<'_>, said: &str| role(&raw::text(said)) == message.role;
    let kept = message.kept_if("role", says);
    kept.map_or_else(|| raw::quote(word(message.role)), std::borrow::Cow::into_owned)
}

/// The message as a line.
pub(super) fn write_text(message: &mut Neutral<'_>) -> String {
    let word = decode_string(&take_word(message));
    let content = message.take_text();
    if raw::without_halves(&content).is_some() {
        message.lose("content", "half a surrogate pair is U+FFFD");
    }
    format!("{word}: {}", raw::text(&content))
}

/// The message as an object.
pub(super) fn write(message: &mut Neutral<'_>) -> String {
    let word = take_word(message);
    let content = message.take_text();
    let metadata = raw::take(&mut message.rest, "metadata");
    let mut out = raw::Writer::default();
    out.put("role", &word).put("content", &content).put_some("metadata", metadata.as_deref());
    out.put_all(&std::mem::take(&mut message.kept)).end()
}
