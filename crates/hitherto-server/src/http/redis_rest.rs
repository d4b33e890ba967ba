//! Redis' commands over HTTP, as Upstash's clients send them: `POST /`, `/pipeline`, `/multi-exec`.
//!
//! The wrapping differs and nothing else: commands, keys and profiles are those of the Redis-protocol door. Each
//! request is a client of its own, so what lives on a connection (`WATCH`, `SELECT`) ends with the request.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::entrance::Admitted;
use super::problem::{Code, Problem};
use super::{Compatible, Door, answer, body};
use crate::access::Pass;
use crate::keyspace::{Client, Command, Keyspace, Reply};
use crate::metrics::DoorName;

/// The most commands of a pipeline or transaction.
const COMMANDS: usize = 1_000;

/// Where the protocol is, for the page of documents. What is needed depends on the commands.
pub(super) const ROUTES: &[Compatible] = &[
    ("POST", "/", None, "One command of Redis', as a list of JSON."),
    ("POST", "/pipeline", None, "Several commands, one after the other."),
    ("POST", "/multi-exec", None, "Several commands as a transaction."),
];

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/", post(single))
        .route("/pipeline", post(pipeline))
        .route("/multi-exec", post(transaction))
}

/// Whether a path is one of this protocol.
pub(super) fn has(path: &str) -> bool {
    ROUTES.iter().any(|(_, route, ..)| *route == path)
}

async fn single(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let Taken { keyspace, pass, base64, body } = take(&door, request).await?;
    let command = match words(body::text(&body)?).and_then(|words| command(&words)) {
        Ok(command) => command,
        Err(why) => return Ok(refused(&why)),
    };
    let reply = run(&keyspace, pass, &[command]).await.into_iter().next().unwrap_or(Reply::Null);
    let status = if matches!(reply, Reply::Error(_)) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let mut out = Vec::new();
    push_envelope(&mut out, &reply, base64);
    Ok(answer::json(status, out))
}

async fn pipeline(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let Taken { keyspace, pass, base64, body } = take(&door, request).await?;
    let commands = match commands(body::text(&body)?) {
        Ok(commands) => commands,
        Err(why) => return Ok(refused(&why)),
    };
    let replies = run(&keyspace, pass, &commands).await;
    Ok(answer::json(StatusCode::OK, list(&replies, base64)))
}

async fn transaction(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let Taken { keyspace, pass, base64, body } = take(&door, request).await?;
    let mut all = match commands(body::text(&body)?) {
        Ok(commands) => commands,
        Err(why) => return Ok(refused(&why)),
    };
    let plain = |name: &'static str| Command::new(vec![Bytes::from_static(name.as_bytes())]);
    all.insert(0, plain("multi"));
    all.push(plain("exec"));
    Ok(match run(&keyspace, pass, &all).await.pop() {
        Some(Reply::List(replies)) => answer::json(StatusCode::OK, list(&replies, base64)),
        Some(Reply::Error(why)) => refused(&why),
        _ => refused("ERR the transaction was not carried out"),
    })
}

/// What a request brings.
struct Taken {
    keyspace: Keyspace,
    /// Who sent it.
    pass: Pass,
    /// Whether strings are wanted so in its answer.
    base64: bool,
    body: Bytes,
}

async fn take(door: &Door, request: Request) -> Result<Taken, Problem> {
    let (parts, body) = request.into_parts();
    let pass = parts.extensions.get::<Admitted>().map(|admitted| admitted.pass.clone()).unwrap_or_default();
    let keyspace = door
        .keyspace
        .clone()
        .ok_or_else(|| Problem::new(Code::NotFound, "Redis' commands are not served here"))?;
    let base64 = wants_base64(&parts.headers);
    Ok(Taken { keyspace, pass, base64, body: body::read(door, &parts.headers, body).await? })
}

fn wants_base64(headers: &HeaderMap) -> bool {
    headers.get("upstash-encoding").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"base64"))
}

async fn run(keyspace: &Keyspace, pass: Pass, commands: &[Command]) -> Vec<Reply> {
    let mut client: Client = keyspace.connect(DoorName::Rest).by(pass);
    let replies = keyspace.run(&mut client, commands).await;
    Keyspace::disconnect(client, false);
    replies
}

fn commands(text: &str) -> Result<Vec<Command>, String> {
    let all = words(text)?;
    if all.len() > COMMANDS {
        return Err(format!("ERR at most {COMMANDS} commands in one request"));
    }
    all.into_iter().map(|one| words(one.get()).and_then(|words| command(&words))).collect()
}

fn words(text: &str) -> Result<Vec<&RawValue>, String> {
    serde_json::from_str(text)
        .map_err(|_| "ERR failed to parse the command: it must be a list of JSON".to_owned())
}

/// A command of JSON: strings are themselves, numbers and switches as they are written, anything else its JSON.
fn command(words: &[&RawValue]) -> Result<Command, String> {
    if words.is_empty() {
        return Err("ERR empty command".to_owned());
    }
    Ok(Command::new(words.iter().map(|word| Bytes::from(plain(word.get()))).collect()))
}

fn plain(raw: &str) -> String {
    match raw.strip_prefix('"') {
        Some(_) => serde_json::from_str(raw).unwrap_or_else(|_| hitherto::lossy_string(raw)),
        None => raw.to_owned(),
    }
}

fn refused(why: &str) -> Response {
    let mut out = Vec::new();
    push_envelope(&mut out, &Reply::error(why), false);
    let mut response = answer::json(StatusCode::BAD_REQUEST, out);
    // For who counts errors: nothing was run that counted itself.
    response.extensions_mut().insert(Code::InvalidJson);
    response
}

fn list(replies: &[Reply], base64: bool) -> Vec<u8> {
    let mut out = vec![b'['];
    for (at, reply) in replies.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_envelope(&mut out, reply, base64);
    }
    out.push(b']');
    out
}

/// `{"result":…}` or `{"error":"…"}`.
fn push_envelope(out: &mut Vec<u8>, reply: &Reply, base64: bool) {
    match reply {
        Reply::Error(why) => {
            out.extend_from_slice(b"{\"error\":");
            answer::push_string(out, why);
        }
        reply => {
            out.extend_from_slice(b"{\"result\":");
            push(out, reply, base64);
        }
    }
    out.push(b'}');
}

fn push(out: &mut Vec<u8>, reply: &Reply, base64: bool) {
    let text = |out: &mut Vec<u8>, bytes: &[u8]| {
        if base64 {
            answer::push_string(out, &STANDARD.encode(bytes));
        } else {
            answer::push_string(out, &String::from_utf8_lossy(bytes));
        }
    };
    match reply {
        // Short words are never encoded.
        Reply::Word(word) => answer::push_string(out, word),
        Reply::Error(why) => answer::push_string(out, why),
        Reply::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Reply::Bulk(bytes) => text(out, bytes),
        Reply::Null | Reply::NullList => out.extend_from_slice(b"null"),
        Reply::List(all) => push_all(out, all.iter(), base64),
        Reply::Map(pairs) => push_all(out, pairs.iter().flat_map(|(key, value)| [key, value]), base64),
    }
}

fn push_all<'a>(out: &mut Vec<u8>, all: impl Iterator<Item = &'a Reply>, base64: bool) {
    out.push(b'[');
    for (at, one) in all.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push(out, one, base64);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_json() {
        let parse = |text: &str| words(text).and_then(|words| command(&words));
        let plain = |words: &[&str]| {
            Command::new(words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect())
        };
        assert_eq!(parse(r#"["lrange","s",0,-1]"#), Ok(plain(&["lrange", "s", "0", "-1"])));
        assert_eq!(parse(r#"["lpush","s",{"a":1.0}]"#), Ok(plain(&["lpush", "s", r#"{"a":1.0}"#])));
        assert!(parse("[]").is_err());
        assert!(parse("{}").is_err());
    }

    #[test]
    fn answers() {
        let check = |reply: Reply, base64: bool, expected: &str| {
            let mut out = Vec::new();
            push_envelope(&mut out, &reply, base64);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(Reply::OK, true, r#"{"result":"OK"}"#);
        check(Reply::Int(-2), true, r#"{"result":-2}"#);
        check(Reply::Null, true, r#"{"result":null}"#);
        check(Reply::error("ERR no"), true, r#"{"error":"ERR no"}"#);
        check(Reply::List(vec![Reply::text("é\"")]), false, r#"{"result":["é\""]}"#);
        check(Reply::List(vec![Reply::text("é")]), true, r#"{"result":["w6k="]}"#);
        check(Reply::Map(vec![(Reply::text("a"), Reply::Int(1))]), false, r#"{"result":["a",1]}"#);
    }
}
