//! `POST /v1/sessions/{id}/messages`: append one message or many.
//!
//! The body is scanned once for its envelope and once for each message; the messages stay slices of it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use hitherto::{AppendOptions, Appended, Change, Message, SessionId, TtlChange, UserId};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fields::{Fields, invalid, invalid_json};
use super::problem::{Code, Problem, of_message};
use super::{Door, answer, body, locate, query};
use crate::access::Need;

pub(super) async fn messages(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (memory, session) = locate::in_path(&door, &parts.extensions, &parts.uri, Need::Write)?;
    query::none(&parts.uri)?;
    let idempotency_key = idempotency_key(&parts.headers)?;
    let body = body::read(&door, &parts.headers, body).await?;
    let (messages, mut options) = read_body(&body)?;
    options.idempotency_key = idempotency_key;
    with_defaults(&door, &mut options);
    let appended = door.within(memory.append(&session, messages, &options)).await?;
    door.warm_soon();
    let status = if appended.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok(answer::json(status, write_answer(&session, &appended)))
}

/// Sets what the server sets where a client says nothing.
pub(super) fn with_defaults(door: &Door, options: &mut AppendOptions) {
    if let (TtlChange::Keep, Some(ttl)) = (options.ttl, door.options.ttl) {
        options.ttl = TtlChange::Set(ttl);
    }
    if options.max_messages == Change::Keep {
        options.max_messages = answer::set_or_keep(door.options.max_messages);
    }
}

fn write_answer(session: &SessionId, appended: &Appended) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + session.as_str().len() + 64 * appended.ids.len());
    out.extend_from_slice(b"{\"session\":");
    answer::push_string(&mut out, session.as_str());
    out.extend_from_slice(b",\"messages\":[");
    for (id, seq) in appended.ids.iter().zip(appended.first_seq..) {
        if seq > appended.first_seq {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"seq\":");
        answer::push_number(&mut out, seq);
        out.extend_from_slice(b",\"id\":");
        answer::push_id(&mut out, id);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

/// The idempotency key of a request, if it has one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = std::str::from_utf8(value.as_bytes()).ok().filter(|key| !key.is_empty());
    match (key, values.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        (None, _) => Err(Problem::new(
            Code::InvalidIdempotencyKey,
            "the Idempotency-Key header must be UTF-8 and not empty",
        )),
        (_, Some(_)) => {
            Err(Problem::new(Code::InvalidIdempotencyKey, "there is more than one Idempotency-Key header"))
        }
    }
}

/// The body's messages, and what it says besides.
fn read_body(body: &Bytes) -> Result<(Vec<Message>, AppendOptions), Problem> {
    let (list, mut fields) = envelope(body::text(body)?)?;
    let mut options = AppendOptions::default();
    options.ttl = fields.ttl()?;
    options.max_messages = fields.number("max_messages")?;
    options.user = fields.text("user")?.map(|user| UserId::parse(&user)).transpose()?;
    fields.finish("messages, ttl_secs, ttl_restart, max_messages, user")?;
    let messages = list
        .iter()
        .enumerate()
        .map(|(index, raw)| Message::parse_part(body, raw.get()).map_err(|error| of_message(index, &error)))
        .collect::<Result<_, _>>()?;
    Ok((messages, options))
}

/// The messages of a body as they came, and what it says besides.
pub(super) fn envelope(text: &str) -> Result<(Vec<&RawValue>, Fields<'_>), Problem> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| explain(text, &error))?;
    let list = envelope.messages.ok_or_else(|| {
        Problem::new(Code::MissingField, "messages is missing: a list of at least one message")
    })?;
    Ok((list, envelope.fields))
}

/// Why a body is no envelope. Only now, when it is known to be wrong, is it looked at a second time.
fn explain(text: &str, error: &serde_json::Error) -> Problem {
    match Fields::parse(text) {
        Err(problem) => problem,
        Ok(mut fields) => match fields.take("messages") {
            Err(problem) => problem,
            Ok(Some(raw)) if !raw.starts_with('[') => invalid("messages", "a list of messages"),
            Ok(_) => invalid_json(error),
        },
    }
}

/// The body of an append: `messages` as slices, the few other fields as they are.
struct Envelope<'a> {
    messages: Option<Vec<&'a RawValue>>,
    fields: Fields<'a>,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut envelope = Envelope { messages: None, fields: Fields::default() };
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    if name != "messages" {
                        envelope.fields.0.push((name, map.next_value()?));
                    } else if envelope.messages.replace(map.next_value()?).is_some() {
                        return Err(serde::de::Error::duplicate_field("messages"));
                    }
                }
                Ok(envelope)
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
