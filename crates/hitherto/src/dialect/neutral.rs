//! What a message says, in no dialect: every dialect is read into this and written from it.
//!
//! Invariant: whoever writes a message takes out of it what it writes. What is left in the end is what the dialect
//! could not say, and each of it is named as a [`Loss`].

use std::collections::HashSet;

use super::raw::{self, Fields, Raw, Writer};
use super::{Loss, own};
use crate::message::Role;

/// Why something is not in the dialect that was asked for.
const NO_FIELD: &str = "the dialect has no field for it";

/// A message in no dialect.
#[derive(Debug, Clone)]
pub(super) struct Neutral<'a> {
    pub(super) role: Role,
    pub(super) said: Said<'a>,
    /// The speaker's or the tool's name, a JSON string.
    pub(super) name: Option<Raw<'a>>,
    pub(super) calls: Vec<Call<'a>>,
    /// The id of the call that this is the result of, a JSON string.
    pub(super) result_of: Option<Raw<'a>>,
    /// Elements of `tool_calls` in the own form that are no calls of functions.
    pub(super) odd_calls: Vec<Raw<'a>>,
    /// Further fields of the own form: metadata, the application's, what other families left.
    pub(super) rest: Fields<'a>,
    /// What only the family at hand has a field for.
    pub(super) kept: Fields<'a>,
    pub(super) losses: Vec<Loss>,
    pub(super) family: &'static str,
}

/// What is said.
#[derive(Debug, Clone, Default)]
pub(super) enum Said<'a> {
    #[default]
    Nothing,
    /// A JSON string.
    Text(Raw<'a>),
    Parts(Vec<Part<'a>>),
}

/// A part of what is said.
#[derive(Debug, Clone)]
pub(super) enum Part<'a> {
    /// A JSON string, and further fields of the part.
    Text(Raw<'a>, Fields<'a>),
    /// The address, a JSON string, and the detail asked for.
    Image(Raw<'a>, Option<Raw<'a>>),
    /// A part of the own form: an object with a type.
    Other(Raw<'a>),
}

/// A call of a tool.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    /// A JSON string.
    pub(super) id: Raw<'a>,
    /// A JSON string.
    pub(super) name: Raw<'a>,
    pub(super) args: Args<'a>,
}

impl Call<'_> {
    /// The same, independent of what it was read from.
    pub(super) fn into_owned<'b>(self) -> Call<'b> {
        let args = match self.args {
            Args::Text(text) => Args::Text(text.into_owned().into()),
            Args::Value(value) => Args::Value(value.into_owned().into()),
        };
        Call { id: self.id.into_owned().into(), name: self.name.into_owned().into(), args }
    }
}

/// The arguments of a call.
#[derive(Debug, Clone)]
pub(super) enum Args<'a> {
    /// The text that the model wrote, a JSON string.
    Text(Raw<'a>),
    /// The value that it was read as.
    Value(Raw<'a>),
}

impl<'a> Args<'a> {
    /// From a field that holds the one or the other.
    pub(super) fn of(raw: &'a str) -> Self {
        if raw.starts_with('"') { Self::Text(raw.into()) } else { Self::Value(raw.into()) }
    }

    /// As a JSON string of the text.
    pub(super) fn text(&self) -> Raw<'_> {
        match self {
            Self::Text(text) => Raw::Borrowed(text),
            Self::Value(value) => raw::quote(value).into(),
        }
    }

    /// As an object; `None` if the text is none.
    pub(super) fn value(&self) -> Option<Raw<'_>> {
        let value = match self {
            Self::Text(text) => raw::unquote(text),
            Self::Value(value) => Raw::Borrowed(value.as_ref()),
        };
        if value.trim().is_empty() {
            return Some("{}".into());
        }
        let is_object = raw::Object::parse(&value).is_some();
        (is_object && !raw::is_too_deep(value.as_bytes())).then_some(value)
    }
}

impl<'a> Part<'a> {
    /// A text and nothing else.
    pub(super) fn text(text: impl Into<Raw<'a>>) -> Self {
        Self::Text(text.into(), Fields::new())
    }

    /// The same, independent of what it was read from.
    pub(super) fn into_owned<'b>(self) -> Part<'b> {
        let own = |raw: Raw<'_>| Raw::Owned(raw.into_owned());
        match self {
            Self::Text(text, more) => {
                Part::Text(own(text), more.into_iter().map(|(key, value)| (own(key), own(value))).collect())
            }
            Self::Image(url, detail) => Part::Image(own(url), detail.map(own)),
            Self::Other(part) => Part::Other(own(part)),
        }
    }
}

impl<'a> Neutral<'a> {
    /// A message that says nothing.
    pub(super) fn new(role: Role, family: &'static str) -> Self {
        Self {
            role,
            said: Said::Nothing,
            name: None,
            calls: Vec::new(),
            result_of: None,
            odd_calls: Vec::new(),
            rest: Fields::new(),
            kept: Fields::new(),
            losses: Vec::new(),
            family,
        }
    }

    /// The same, independent of what it was read from.
    pub(super) fn into_owned<'b>(self) -> Neutral<'b> {
        let own = |raw: Raw<'_>| Raw::Owned(raw.into_owned());
        let fields = |fields: Fields<'_>| {
            fields.into_iter().map(|(key, value)| (own(key), own(value))).collect::<Fields<'b>>()
        };
        Neutral {
            role: self.role,
            said: match self.said {
                Said::Nothing => Said::Nothing,
                Said::Text(text) => Said::Text(own(text)),
                Said::Parts(parts) => Said::Parts(parts.into_iter().map(Part::into_owned).collect()),
            },
            name: self.name.map(own),
            calls: self.calls.into_iter().map(Call::into_owned).collect(),
            result_of: self.result_of.map(own),
            odd_calls: self.odd_calls.into_iter().map(own).collect(),
            rest: fields(self.rest),
            kept: fields(self.kept),
            losses: self.losses,
            family: self.family,
        }
    }

    /// Keeps a field of the family.
    pub(super) fn keep(&mut self, name: &str, value: impl Into<Raw<'a>>) {
        raw::keep(&mut self.kept, name, value);
    }

    /// Takes a kept field out.
    pub(super) fn kept(&mut self, name: &str) -> Option<Raw<'a>> {
        raw::take(&mut self.kept, name)
    }

    /// Takes a kept field out that is worth writing only if the message still says what it did.
    pub(super) fn kept_if(&mut self, name: &str, says: impl FnOnce(&Self, &str) -> bool) -> Option<Raw<'a>> {
        let value = self.kept(name)?;
        if says(self, &value) {
            return Some(value);
        }
        let field = format!("{}.{name}", self.family);
        self.lose(&field, "the message says something else by now");
        None
    }

    /// Names something that is lost.
    pub(super) fn lose(&mut self, field: &str, why: &'static str) {
        self.losses.push(Loss { field: field.to_owned(), why });
    }

    /// Takes what has no field in a dialect but finds room in a free place of it, as one object.
    pub(super) fn spare(&mut self) -> Option<String> {
        let mut fields = std::mem::take(&mut self.rest);
        if !self.odd_calls.is_empty() {
            raw::keep(&mut fields, "tool_calls", raw::array(std::mem::take(&mut self.odd_calls)));
        }
        if let Some(earlier) = self.kept("hitherto") {
            let earlier = raw::Object::read(&earlier).unwrap_or_default().without(&[]);
            fields.extend(
                earlier
                    .into_iter()
                    .map(|(key, value)| (Raw::Owned(key.into_owned()), Raw::Owned(value.into_owned()))),
            );
        }
        (!fields.is_empty()).then(|| raw::object(&fields))
    }

    /// The free place of a dialect: the fields that its own clients put there, and under `hitherto` what has none.
    pub(super) fn free_place(&mut self, name: &str) -> String {
        let theirs = self.kept(name).unwrap_or(Raw::Borrowed("{}"));
        if !theirs.starts_with('{') {
            let field = format!("{}.{name}", self.family);
            self.lose(&field, "only an object can stand there");
        }
        let theirs = raw::Object::read(&theirs).unwrap_or_default().without(&["hitherto"]);
        let spare = self.spare();
        Writer::default().put_all(&theirs).put_some("hitherto", spare.as_deref()).end()
    }

    /// Reads back what [`Self::free_place`] wrote.
    pub(super) fn read_free_place(&mut self, name: &str, fields: &raw::Object<'a>) {
        let Some(place) = fields.get(name) else {
            return;
        };
        let Some(object) = raw::Object::read(place) else {
            if place != "null" {
                self.keep(name, place);
            }
            return;
        };
        if let Some(spare) = object.object("hitherto") {
            self.read_spare(&spare);
        }
        let theirs = object.without(&["hitherto"]);
        if !theirs.is_empty() {
            self.keep(name, raw::object(&theirs));
        }
    }

    /// Reads back what [`Self::spare`] wrote.
    pub(super) fn read_spare(&mut self, spare: &raw::Object<'a>) {
        let mut reserved = Fields::new();
        let mut has_metadata = raw::find(&self.rest, "metadata").is_some();
        for (key, value) in spare.without(&[]) {
            let name = raw::text(&key).into_owned();
            match name.as_str() {
                "name" if value.starts_with('"') && self.name.is_none() => self.name = Some(value),
                "tool_calls" => {
                    if let Raw::Borrowed(list) = value {
                        let calls = raw::list(list).unwrap_or_default();
                        self.odd_calls.extend(calls.into_iter().map(Raw::Borrowed));
                    }
                }
                "metadata" if value.starts_with('{') && !has_metadata => {
                    has_metadata = true;
                    self.rest.push((key, value));
                }
                // A key that strict parsers refuse may not stand at the top.
                name if own::FIELDS.contains(&name)
                    || name == self.family
                    || serde_json::from_str::<String>(&key).is_err() =>
                {
                    reserved.push((key, value));
                }
                _ => self.rest.push((key, value)),
            }
        }
        if !reserved.is_empty() {
            self.keep("hitherto", raw::object(&reserved));
        }
    }

    /// Takes what is said as one JSON string, naming what is no text.
    pub(super) fn take_text(&mut self) -> Raw<'a> {
        match std::mem::take(&mut self.said) {
            Said::Nothing => "\"\"".into(),
            Said::Text(text) => text,
            Said::Parts(parts) => {
                let mut joined = String::from("\"");
                for part in parts {
                    match part {
                        Part::Text(text, more) => {
                            if joined.len() > 1 {
                                joined.push_str("\\n");
                            }
                            let text = text.strip_prefix('"').unwrap_or(&text);
                            joined.push_str(text.strip_suffix('"').unwrap_or(text));
                            self.lose_more(&more);
                        }
                        other => self.lose_part(&other),
                    }
                }
                joined.push('"');
                joined.into()
            }
        }
    }

    /// Names what a dialect that has texts and images cannot say of the parts, and whether it has a detail.
    pub(super) fn lose_of_parts(&mut self, said: &Said<'_>, has_detail: bool) {
        let Said::Parts(parts) = said else {
            return;
        };
        for part in parts {
            match part {
                Part::Text(_, more) => self.lose_more(more),
                Part::Image(_, Some(_)) if !has_detail => self.lose("content.detail", NO_FIELD),
                Part::Image(..) | Part::Other(_) => {}
            }
        }
    }

    /// Names the further fields of a text part.
    pub(super) fn lose_more(&mut self, more: &Fields<'_>) {
        for (key, _) in more {
            let field = format!("content.{}", raw::text(key));
            self.lose(&field, NO_FIELD);
        }
    }

    /// Names a part that is left out.
    pub(super) fn lose_part(&mut self, part: &Part<'_>) {
        let kind = match part {
            Part::Text(..) => "text".into(),
            Part::Image(..) => "image_url".into(),
            Part::Other(part) => {
                let kind = raw::Object::read(part).and_then(|part| part.text("type"));
                kind.map_or_else(|| "part".to_owned(), std::borrow::Cow::into_owned)
            }
        };
        self.lose(&format!("content.{kind}"), "the dialect cannot hold such a part");
    }

    /// Whether what is said is nothing but an empty text.
    pub(super) fn is_silent(&self) -> bool {
        match &self.said {
            Said::Nothing => true,
            Said::Text(text) => text == "\"\"",
            Said::Parts(parts) => parts.is_empty(),
        }
    }

    /// Names all that was not taken.
    pub(super) fn into_losses(mut self) -> Vec<Loss> {
        if self.name.is_some() {
            self.lose("name", NO_FIELD);
        }
        if !(self.calls.is_empty() && self.odd_calls.is_empty()) {
            self.lose("tool_calls", NO_FIELD);
        }
        if self.result_of.is_some() {
            self.lose("tool_call_id", NO_FIELD);
        }
        for (key, _) in std::mem::take(&mut self.rest) {
            self.lose(&raw::text(&key), NO_FIELD);
        }
        for (key, _) in std::mem::take(&mut self.kept) {
            let field = format!("{}.{}", self.family, raw::text(&key));
            self.lose(&field, NO_FIELD);
        }
        self.losses()
    }

    /// What was named so far, each once.
    pub(super) fn losses(&mut self) -> Vec<Loss> {
        let mut seen = HashSet::new();
        let losses = std::mem::take(&mut self.losses);
        losses.into_iter().filter(|loss| seen.insert(loss.clone())).collect()
    }
}
