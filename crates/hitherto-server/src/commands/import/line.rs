//! One line of a file to import: where it goes, and the message without what only an export adds.

use hitherto::{Message, Seq, SessionId, UserId};
use thiserror::Error;

use crate::target::{Member, members, without};

/// A line that can be imported.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its session.
    pub(crate) session: SessionId,
    /// Whose its session was where it was exported.
    pub(crate) user: Option<UserId>,
    /// The sequence number that it had where it was exported.
    pub(crate) seq: Option<Seq>,
    /// The message, with the id and time that the line gives it.
    pub(crate) message: Message,
    /// Whether the line gives it an id.
    pub(crate) has_id: bool,
    /// Whether the line gives it a time.
    pub(crate) has_time: bool,
}

/// Why a line cannot be imported.
#[derive(Debug, Error)]
pub(crate) enum BadLine {
    /// It is no object.
    #[error("not a JSON object: {0}")]
    Json(String),
    /// It is not text.
    #[error("not UTF-8")]
    Encoding,
    /// It does not say where it goes.
    #[error("no session: give the line a field `session`, or all of them one with --session")]
    NoSession,
    /// What it says of where it goes is no id.
    #[error("session: {0}")]
    Session(String),
    /// What it says of whose the session is, is no user.
    #[error("session_user: {0}")]
    User(String),
    /// It is no message.
    #[error(transparent)]
    Message(#[from] hitherto::MessageError),
    /// It is longer than a message may be.
    #[error("the line is longer than {0} bytes, which is more than a message may have")]
    TooLong(usize),
}

impl Line {
    /// Reads a line. With `session` it goes there, whatever it says.
    pub(crate) fn parse(bytes: &[u8], session: Option<&SessionId>, longest: usize) -> Result<Self, BadLine> {
        let json = std::str::from_utf8(bytes).map_err(|_| BadLine::Encoding)?.trim();
        let members = members(json).map_err(|error| BadLine::Json(without_line(&error.to_string())))?;
        let (mut own_session, mut seq, mut has_id, mut has_time) = (None, None, false, false);
        for member in &members {
            match &*member.name {
                "session" if own_session.is_none() => own_session = Some(member.value),
                "seq" => seq = serde_json::from_str(member.value).ok(),
                "id" => has_id = true,
                "created_at" => has_time = true,
                _ => {}
            }
        }
        let session = match (session, own_session) {
            (Some(session), _) => session.clone(),
            (None, Some(raw)) => parse_session(raw)?,
            (None, None) => return Err(BadLine::NoSession),
        };
        let user = exported_user(&members);
        let user = user.map(parse_user).transpose()?;
        // Only the first `session` is an export's; one behind it is the message's own.
        let (mut cut_session, mut cut_user) = (false, user.is_none());
        let own = without(json, &members, |member| match &*member.name {
            "session" => !std::mem::replace(&mut cut_session, true),
            SESSION_USER => !std::mem::replace(&mut cut_user, true),
            name => matches!(name, "seq" | "edited_at"),
        });
        if own.len() > longest {
            return Err(BadLine::TooLong(longest));
        }
        let message = Message::parse(own.into())?;
        Ok(Self { session, user, seq, message, has_id, has_time })
    }
}

/// The user in a line that an export wrote: it stands right behind the session there. Anywhere else such a field is the
/// message's own.
fn exported_user<'a>(members: &[Member<'a>]) -> Option<&'a str> {
    match members {
        [session, user, ..] if session.name == "session" && user.name == SESSION_USER => Some(user.value),
        _ => None,
    }
}

/// What an export calls the user of a session.
pub(crate) const SESSION_USER: &str = "session_user";

fn parse_user(raw: &str) -> Result<UserId, BadLine> {
    let text: String =
        serde_json::from_str(raw).map_err(|_| BadLine::User("it must be a text".to_owned()))?;
    UserId::parse(&text).map_err(|error| BadLine::User(error.to_string()))
}

/// What JSON says of a place, without the line: there is only one, and the file's own number stands before.
fn without_line(error: &str) -> String {
    error.replace(" at line 1 column ", " at column ")
}

fn parse_session(raw: &str) -> Result<SessionId, BadLine> {
    let text: String =
        serde_json::from_str(raw).map_err(|_| BadLine::Session("it must be a text".to_owned()))?;
    SessionId::parse(&text).map_err(|error| BadLine::Session(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_what_an_export_added_and_nothing_else() {
        let check = |line: &str, session: &str, expected: &str| {
            let line = Line::parse(line.as_bytes(), None, 1000).unwrap();
            assert_eq!((line.session.as_str(), line.message.json()), (session, expected));
        };
        check(
            r#"{"session":"s","seq":3,"id":"m","role":"user","content":"\ud83d","n":1e999,"edited_at":"1970-01-01T00:00:00Z"}"#,
            "s",
            r#"{"id":"m","role":"user","content":"\ud83d","n":1e999}"#,
        );
        check(
            r#"  { "role" : "user" , "content" : "x" , "session" : "a\/b" } "#,
            "a/b",
            r#"{ "role" : "user" , "content" : "x" }"#,
        );
        check(
            r#"{"session":"s","seq":1,"session":{"own":true},"role":"user","content":""}"#,
            "s",
            r#"{"session":{"own":true},"role":"user","content":""}"#,
        );
    }

    #[test]
    fn takes_the_user_that_an_export_wrote() {
        let check = |line: &str, user: Option<&str>, expected: &str| {
            let line = Line::parse(line.as_bytes(), None, 1000).unwrap();
            assert_eq!((line.user.as_ref().map(UserId::as_str), line.message.json()), (user, expected));
        };
        check(
            r#"{"session":"s","session_user":"zoë","seq":3,"role":"user","content":"x"}"#,
            Some("zoë"),
            r#"{"role":"user","content":"x"}"#,
        );
        check(
            r#"{"session":"s","session_user":"zoë","role":"user","content":"x","session_user":7}"#,
            Some("zoë"),
            r#"{"role":"user","content":"x","session_user":7}"#,
        );
        for own in [
            r#"{"session":"s","role":"user","content":"x","session_user":"own"}"#,
            r#"{"session_user":"own","session":"s","role":"user","content":"x"}"#,
        ] {
            let line = Line::parse(own.as_bytes(), None, 1000).unwrap();
            assert_eq!(line.user, None);
            assert!(line.message.json().contains(r#""session_user":"own""#), "{own}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let check = |line: &[u8], expected: &str| {
            let error = Line::parse(line, None, 60).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(b"{", "not a JSON object: EOF");
        check(b"[]", "not a JSON object");
        check(b"\xff", "not UTF-8");
        check(br#"{"role":"user","content":"x"}"#, "no session: ");
        check(br#"{"session":7,"role":"user","content":"x"}"#, "session: it must be a text");
        check(
            br#"{"session":"s","session_user":7,"role":"user","content":"x"}"#,
            "session_user: it must be a text",
        );
        check(br#"{"session":"","role":"user","content":"x"}"#, "session: the session id is empty");
        check(br#"{"session":"s","role":"king","content":"x"}"#, "unknown role \"king\"");
        check(
            br#"{"session":"s","role":"user","content":"0123456789012345678901234567890123456789"}"#,
            "longer than 60 bytes",
        );
    }
}
