//! A request as it came in.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How large the head of a request may be.
const HEAD: usize = 64 << 10;
/// How large a body may be; the real ones take about as much.
const BODY: usize = 32 << 20;

/// A request as it came in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelRequest {
    /// `POST`, as a rule.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, or nothing.
    pub query: String,
    /// The headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body, `null` if it is not JSON.
    pub body: Value,
}

impl ModelRequest {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The model that was asked for.
    pub fn model(&self) -> Option<&str> {
        self.body.get("model")?.as_str()
    }

    /// The rules: the text of system messages, or Anthropic's `system`.
    pub fn system_text(&self) -> String {
        let mut all = text_of(self.body.get("system").unwrap_or(&Value::Null));
        all.push_str(&self.text_by("system"));
        all
    }

    /// The text of user messages.
    pub fn user_text(&self) -> String {
        self.text_by("user")
    }

    /// How much may be written, by whatever field says so.
    pub fn max_tokens(&self) -> Option<u64> {
        ["max_completion_tokens", "max_tokens"].iter().find_map(|field| self.body.get(field)?.as_u64())
    }

    fn text_by(&self, role: &str) -> String {
        let messages = self.body.get("messages").and_then(Value::as_array).into_iter().flatten();
        let by_role = messages.filter(|message| message["role"] == role);
        by_role.map(|message| text_of(&message["content"])).collect::<Vec<_>>().join("\n")
    }

    /// The next request of a connection, or `None` at its end. What came after it stays in `buffer`.
    pub(super) async fn read(
        stream: &mut (impl AsyncRead + Unpin),
        buffer: &mut Vec<u8>,
    ) -> io::Result<Option<Self>> {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if buffer.len() > HEAD || stream.read_buf(buffer).await? == 0 {
                return Ok(None);
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
        buffer.drain(..head);
        let mut lines = text.trim_end().split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let method = first.next().unwrap_or_default().to_owned();
        let target = first.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().expect("a length"));
        assert!(length <= BODY, "a request of {length} bytes");
        while buffer.len() < length {
            if stream.read_buf(buffer).await? == 0 {
                return Ok(None);
            }
        }
        let body: Vec<u8> = buffer.drain(..length).collect();
        let (path, query) = (path.to_owned(), query.to_owned());
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Some(Self { method, path, query, headers, body }))
    }
}

/// The text of a content: a string, or parts of type `text`.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
