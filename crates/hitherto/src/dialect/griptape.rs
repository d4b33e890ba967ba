//! The artifacts of a Griptape run: its input, which the person said, and its output, which the model did.
//!
//! Invariant: an artifact does not say who speaks; whoever reads a run does, and by itself it is a person's.

use uuid::Uuid;

use super::neutral::{Neutral, Said};
use super::raw::{self, Object, Writer};
use super::{Head, own};
use crate::message::Role;

pub(super) const FAMILY: &str = "griptape";

pub(super) fn head(object: &Object<'_>) -> Option<Head> {
    let fits = object.text("type")?.ends_with("Artifact") && object.get("value").is_some();
    fits.then_some(Head { role: Role::User, created_at: None })
}

pub(super) fn read<'a>(object: &Object<'a>) -> Option<Neutral<'a>> {
    let mut message = Neutral::new(head(object)?.role, FAMILY);
    let value = object.get("value").unwrap_or("null");
    message.said = match value.starts_with('"') {
        true => Said::Text(value.into()),
        // A value that is no text is given as the JSON that it is, and kept.
        false => Said::Text(raw::quote(value).into()),
    };
    let mut known = vec![];
    if value.starts_with('"') {
        known.push("value");
    }
    if let Some(meta) = object.object("meta") {
        if let Some(spare) = meta.object("hitherto") {
            message.read_spare(&spare);
        }
        known.push("meta");
        let others = meta.without(&["hitherto"]);
        if !others.is_empty() {
            message.keep("meta", raw::object(&others));
        }
    }
    if object.text("type").as_deref() == Some("TextArtifact") {
        known.push("type");
    }
    if object.get("name") == object.get("id") {
        known.push("name");
    }
    message.kept.extend(object.without(&known));
    Some(message)
}

/// The message; its id, where it has none, is made of what it says.
pub(super) fn write(message: &mut Neutral<'_>) -> String {
    let says = |message: &Neutral<'_>, value: &str| {
        own::says_same((&Said::Text(raw::quote(value).into()), &[]), (&message.said, &[]))
    };
    let value = message.kept_if("value", says);
    let kind = message.kept("type").filter(|_| value.is_some());
    let value = match value {
        Some(value) => {
            message.said = Said::Nothing;
            value
        }
        None => message.take_text(),
    };
    let id = message.kept("id").map_or_else(
        || raw::quote(&Uuid::new_v5(&Uuid::NAMESPACE_OID, value.as_bytes()).simple().to_string()),
        std::borrow::Cow::into_owned,
    );
    let name = message.kept("name");
    let mut out = Writer::default();
    out.put("type", kind.as_deref().unwrap_or("\"TextArtifact\"")).put("id", &id);
    out.put("reference", message.kept("reference").as_deref().unwrap_or("null"));
    if let Some(name) = message.name.take() {
        raw::keep(&mut message.rest, "name", name);
    }
    let meta = message.free_place("meta");
    out.put("meta", &meta).put("name", name.as_deref().unwrap_or(&id)).put("value", &value);
    out.put_all(&std::mem::take(&mut message.kept)).end()
}
