//! A running server, over its HTTP API.
//!
//! Invariant: reqwest stays in this file. Sessions are percent-encoded in paths, and what the server says of
//! a failure (`application/problem+json`) is what the person reads.

use std::fs;
use std::path::Path;
use std::time::Duration;

use hitherto::{Finding, Message, Seq, SessionId, Severity, Timestamp, UserId, Window};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::tls::TlsInfo;
use reqwest::{
    Certificate, Client, ClientBuilder, Identity, Method, RequestBuilder, Response, StatusCode, Url,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::session::{Cursor, SessionInfo, SessionList};
use super::{
    AppendWith, Appended, ContextQuery, Page, Receipt, Result, SummaryInfo, TargetError, Usage, Which,
    WireMessage,
};
use crate::settings::ServerTls;
use crate::tls::Expiry;

/// By when a connection stands. The server is near, or not there.
const CONNECT: Duration = Duration::from_secs(5);
/// By when an answer is whole: a page of large messages takes its time.
const ANSWER: Duration = Duration::from_secs(60);
/// The same for a fold: the server has a bound of its own, which follows from its model's.
const FOLD: Duration = Duration::from_secs(6 * 3600);

/// A client of one server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    client: Client,
    base: String,
    shown: String,
    /// The header that shows the token.
    token: Option<(HeaderName, HeaderValue)>,
}

impl Server {
    /// A client of the server at that address, which shows that token; user and password in the address are sent as
    /// HTTP credentials, to a proxy that wants them.
    ///
    /// # Errors
    /// If it is no `http` or `https` address, the token cannot be sent, or files of certificates cannot be used.
    pub(crate) fn new(address: &str, token: Option<&SecretString>, tls: &ServerTls) -> Result<Self> {
        let refuse = |reason: String| {
            let address = address.rsplit_once('@').map_or(address, |(_, host)| host).to_owned();
            TargetError::Address { address, reason }
        };
        let url = Url::parse(address).map_err(|error| refuse(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(refuse("it must begin with http:// or https://".to_owned()));
        }
        let client = trusting(Client::builder(), tls)?
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .user_agent(concat!("hitherto/", env!("CARGO_PKG_VERSION")))
            // `doctor` looks at the server's certificate.
            .tls_info(true)
            .build()
            .map_err(|error| refuse(reason(&error)))?;
        let mut open = url.clone();
        // Only an address without a host refuses this, and then there is nothing to hide.
        let _ = open.set_password(None).and_then(|()| open.set_username(""));
        let trim = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let token = token.map(|token| header(token, url.username().is_empty())).transpose()?;
        Ok(Self { client, base: trim(&url), shown: trim(&open), token })
    }

    pub(super) async fn append(
        &self,
        session: &SessionId,
        messages: &[Message],
        with: AppendWith<'_>,
    ) -> Result<Appended> {
        #[derive(Deserialize)]
        struct Answer {
            messages: Vec<Given>,
        }
        #[derive(Deserialize)]
        struct Given {
            seq: Seq,
        }
        let texts: Vec<&str> = messages.iter().map(Message::json).collect();
        let mut body = format!("{{\"messages\":[{}]", texts.join(","));
        if let Some(user) = with.user {
            body.push_str(&format!(",\"user\":{}", serde_json::json!(user.as_str())));
        }
        if let Some(ttl) = with.ttl {
            body.push_str(&format!(",\"ttl_secs\":{}", ttl.length().as_secs().max(1)));
        }
        body.push('}');
        let mut request = self
            .request(Method::POST, &self.path(session, "/messages")?)
            .header("content-type", "application/json")
            .body(body);
        if let Some(key) = with.idempotency_key {
            let key = HeaderValue::from_bytes(key.as_bytes()).map_err(|_| TargetError::NotInHeaders)?;
            request = request.header("idempotency-key", key);
        }
        let (status, text) = self.send(request).await?;
        let answer: Answer = self.read(&text)?;
        let seqs = answer.messages.iter().map(|message| message.seq).collect();
        Ok(Appended { seqs, repeated: status == StatusCode::OK })
    }

    pub(super) async fn page(&self, session: &SessionId, after: Seq, limit: u32) -> Result<Page> {
        self.messages(session, &format!("after={after}&limit={limit}")).await
    }

    pub(super) async fn window(&self, session: &SessionId, window: Window) -> Result<Page> {
        let query = match window {
            Window::Turns(turns) => format!("last_turns={turns}"),
            Window::Messages(messages) => format!("last_messages={messages}"),
            // The type may grow; the server's interface grows with it, and this with both.
            other => return Err(self.foreign(&format!("it has no window such as {other:?}"))),
        };
        self.messages(session, &query).await
    }

    async fn messages(&self, session: &SessionId, query: &str) -> Result<Page> {
        #[derive(Deserialize)]
        struct Answer {
            messages: Vec<Box<RawValue>>,
            more: bool,
            #[serde(default)]
            unreadable: u64,
        }
        let path = self.path(session, &format!("/messages?{query}"))?;
        let (_, text) = self.send(self.request(Method::GET, &path)).await?;
        let answer: Answer = self.read(&text)?;
        let messages = answer
            .messages
            .iter()
            .map(|raw| {
                WireMessage::parse(raw.get()).ok_or_else(|| self.foreign("a message has no seq or time"))
            })
            .collect::<Result<_>>()?;
        Ok(Page { messages, more: answer.more, unreadable: answer.unreadable })
    }

    pub(super) async fn sessions(&self, which: Which<'_>, cursor: Option<&Cursor>) -> Result<SessionList> {
        #[derive(Deserialize)]
        struct Answer {
            sessions: Vec<SessionInfo>,
            next_cursor: Option<String>,
        }
        let mut path = match which.user {
            Some(user) => self.user_path(user, "/sessions")?,
            None => "/v1/sessions".to_owned(),
        };
        path.push_str(&format!("?limit={}", which.limit));
        if !which.prefix.is_empty() {
            path.push_str(&format!("&prefix={}", encoded(which.prefix)));
        }
        if let Some(Cursor::Opaque(cursor)) = cursor {
            path.push_str(&format!("&cursor={}", encoded(cursor)));
        }
        let (_, text) = self.send(self.request(Method::GET, &path)).await?;
        let answer: Answer = self.read(&text)?;
        Ok(SessionList { sessions: answer.sessions, next: answer.next_cursor.map(Cursor::Opaque) })
    }

    pub(super) async fn describe(&self, session: &SessionId) -> Result<Option<SessionInfo>> {
        let request = self.request(Method::GET, &self.path(session, "")?);
        match self.send(request).await {
            Ok((_, text)) => self.read(&text).map(Some),
            Err(TargetError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn clear(&self, session: &SessionId) -> Result<u64> {
        #[derive(Deserialize)]
        struct Answer {
            cleared: u64,
        }
        let request = self.request(Method::DELETE, &self.path(session, "")?);
        let (_, text) = self.send(request).await?;
        let answer: Answer = self.read(&text)?;
        Ok(answer.cleared)
    }

    pub(super) async fn erase(&self, user: &UserId) -> Result<Receipt> {
        let request = self.request(Method::DELETE, &self.user_path(user, "")?);
        let (_, text) = self.send(request).await?;
        self.read(&text)
    }

    pub(super) async fn usage(&self) -> Result<Usage> {
        let (_, text) = self.send(self.request(Method::GET, "/v1/limits")).await?;
        self.read(&text)
    }

    pub(super) async fn context(&self, session: &SessionId, query: &ContextQuery) -> Result<String> {
        let parameters: Vec<String> =
            query.parameters().iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let path = self.path(session, &format!("/context?{}", parameters.join("&")))?;
        let (_, text) = self.send(self.request(Method::GET, &path)).await?;
        Ok(text)
    }

    pub(super) async fn summary(&self, session: &SessionId) -> Result<Option<SummaryInfo>> {
        let request = self.request(Method::GET, &self.path(session, "/summary")?);
        match self.send(request).await {
            Ok((_, text)) => self.read(&text).map(Some),
            Err(TargetError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn put_summary(
        &self,
        session: &SessionId,
        text: &str,
        upto: Seq,
    ) -> Result<SummaryInfo> {
        let body = serde_json::json!({"text": text, "upto": upto}).to_string();
        let request = self.request(Method::PUT, &self.path(session, "/summary")?);
        let (_, text) = self.send(request.header("content-type", "application/json").body(body)).await?;
        self.read(&text)
    }

    pub(super) async fn rollback_summary(&self, session: &SessionId) -> Result<SummaryInfo> {
        let request = self.request(Method::POST, &self.path(session, "/summary/rollback")?);
        let (_, text) = self.send(request).await?;
        self.read(&text)
    }

    pub(super) async fn fold(&self, session: &SessionId) -> Result<SummaryInfo> {
        let request = self.request(Method::POST, &self.path(session, "/fold")?).timeout(FOLD);
        let (_, text) = self.send(request).await?;
        self.read(&text)
    }

    pub(super) async fn inspect(&self) -> Vec<Finding> {
        let answer = self.answer(self.request(Method::GET, "/readyz")).await;
        let certificate = answer.as_ref().ok().and_then(certificate);
        let ready = match answer {
            Ok(answer) => self.read_whole(answer).await,
            Err(error) => Err(error),
        };
        let finding = match ready {
            Ok(_) => Finding {
                severity: Severity::Fine,
                subject: "server",
                found: format!("{} is ready", self.shown),
                advice: String::new(),
            },
            Err(error) => Finding {
                severity: Severity::Failure,
                subject: "server",
                found: error.to_string(),
                advice: match error {
                    TargetError::Unreachable { .. } => "start it with `hitherto serve`, or correct --server",
                    _ => "run `hitherto doctor` on its store, with --redis or --db",
                }
                .to_owned(),
            },
        };
        std::iter::once(finding).chain(certificate).collect()
    }

    fn path(&self, session: &SessionId, rest: &str) -> Result<String> {
        match session.as_str() {
            dots @ ("." | "..") => Err(TargetError::NotInUrls(dots.to_owned())),
            id => Ok(format!("/v1/sessions/{}{rest}", encoded(id))),
        }
    }

    fn user_path(&self, user: &UserId, rest: &str) -> Result<String> {
        match user.as_str() {
            dots @ ("." | "..") => Err(TargetError::NotInUrls(dots.to_owned())),
            user => Ok(format!("/v1/users/{}{rest}", encoded(user))),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some((name, value)) => request.header(name, value),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, String)> {
        let answer = self.answer(request).await?;
        self.read_whole(answer).await
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response> {
        request.send().await.map_err(|error| self.broken(error))
    }

    async fn read_whole(&self, answer: Response) -> Result<(StatusCode, String)> {
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| self.broken(error))?;
        let text = String::from_utf8_lossy(&body).into_owned();
        if status.is_success() { Ok((status, text)) } else { Err(refused(status, &text)) }
    }

    fn broken(&self, error: reqwest::Error) -> TargetError {
        let reason = reason(&error.without_url());
        TargetError::Unreachable { server: self.shown.clone(), reason }
    }

    fn read<'a, T: Deserialize<'a>>(&self, text: &'a str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| self.foreign(&error.to_string()))
    }

    fn foreign(&self, reason: &str) -> TargetError {
        TargetError::Foreign { server: self.shown.clone(), reason: reason.to_owned() }
    }
}

/// A client that trusts whom it was told to, and has the certificate that it was given.
fn trusting(builder: ClientBuilder, tls: &ServerTls) -> Result<ClientBuilder> {
    let read = |path: &Path| fs::read(path).map_err(|error| unusable(path, error.to_string()));
    let builder = match &tls.ca {
        None => builder,
        Some(path) => {
            let found = Certificate::from_pem_bundle(&read(path)?);
            match found.map_err(|error| unusable(path, reason(&error)))? {
                none if none.is_empty() => {
                    return Err(unusable(path, "there is no certificate in it".to_owned()));
                }
                some => builder.tls_certs_only(some),
            }
        }
    };
    let Some((certificate, key)) = &tls.client else { return Ok(builder) };
    let mut both = read(certificate)?;
    both.push(b'\n');
    both.extend(read(key)?);
    let identity = Identity::from_pem(&both).map_err(|error| unusable(certificate, reason(&error)))?;
    Ok(builder.identity(identity))
}

fn unusable(path: &Path, reason: String) -> TargetError {
    TargetError::Certificates { path: path.to_owned(), reason }
}

/// What there is to say of the certificate that an answer came with.
fn certificate(answer: &Response) -> Option<Finding> {
    let certificate = answer.extensions().get::<TlsInfo>()?.peer_certificate()?;
    Some(Expiry::of(certificate).ok()?.finding(Timestamp::now()))
}

/// The header that shows a token: the usual one, unless that is taken by the credentials for a proxy.
fn header(token: &SecretString, usual: bool) -> Result<(HeaderName, HeaderValue)> {
    let token = token.expose_secret().trim();
    let (name, text) = if usual {
        (AUTHORIZATION, format!("Bearer {token}"))
    } else {
        (HeaderName::from_static("x-api-key"), token.to_owned())
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| TargetError::TokenNotInHeaders)?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// What a refusal says: the problem's own words, or the status where something else than Hitherto answered.
fn refused(status: StatusCode, text: &str) -> TargetError {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Problem {
        code: Option<String>,
        title: Option<String>,
        detail: Option<String>,
    }
    let problem: Problem = serde_json::from_str(text).unwrap_or_default();
    let said = problem.detail.or(problem.title);
    TargetError::Refused {
        status: status.as_u16(),
        code: problem.code.unwrap_or_else(|| format!("HTTP {}", status.as_u16())),
        detail: said.unwrap_or_else(|| status.canonical_reason().unwrap_or("refused").to_owned()),
    }
}

/// The innermost cause: the outer ones say no more than that a request failed.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The text with all but the unreserved characters of RFC 3986 percent-encoded.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
