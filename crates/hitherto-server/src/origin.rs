//! Who asked: the request or the connection for which the work at hand is done, so that every log line, error and
//! trace of it can say so.
//!
//! A value of the task rather than a span of `tracing`: a span that log lines show costs about as much as everything
//! else that is seen of a request, and this costs next to nothing until a line is written.
//!
//! Invariant: an id is short and of harmless characters, whoever made it; it can forge no line and no header.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::task::futures::TaskLocalFuture;
use uuid::Uuid;

/// How long an id of a client's may be; with a longer one the request gets one of ours.
const LONGEST: usize = 128;

tokio::task_local! {
    static ORIGIN: Origin;
}

/// Who asked.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A request over HTTP.
    Request {
        /// The id that the request came with, or the one that it was given.
        id: RequestId,
        /// The trace that it belongs to, if it said so.
        trace: Option<TraceParent>,
    },
    /// A connection of the Redis port, and how many commands it has sent.
    Connection(u64, Arc<AtomicU64>),
}

/// The id of a request: up to 128 letters, digits and `-._~:/+=@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(Bytes);

/// The place in a trace from which a request was sent (W3C Trace Context, version 00).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) sampled: bool,
}

impl RequestId {
    /// The id that a client sent, if it can be taken over.
    pub(crate) fn take(sent: &[u8]) -> Option<Self> {
        let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/+=@".contains(byte);
        let fits = (1..=LONGEST).contains(&sent.len()) && sent.iter().all(harmless);
        fits.then(|| Self(Bytes::copy_from_slice(sent)))
    }

    /// A new id.
    pub(crate) fn new() -> Self {
        let mut buffer = Uuid::encode_buffer();
        Self(Bytes::copy_from_slice(Uuid::new_v4().hyphenated().encode_lower(&mut buffer).as_bytes()))
    }

    /// The id of a trace as the id of the request that belongs to it.
    fn of_trace(trace: u128) -> Self {
        Self(Bytes::from(format!("{trace:032x}")))
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only such bytes are taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl TraceParent {
    /// What a `traceparent` header says, if it says it right.
    pub(crate) fn parse(header: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(header).ok()?;
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        // A later version may have more parts; of the first these are all.
        let known = match version {
            "00" => parts.next().is_none(),
            "ff" => false,
            version => version.len() == 2,
        };
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !known || !hex(version, 2) || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace > 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span > 0)?;
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(Self { trace, span, sampled })
    }
}

impl Origin {
    /// A request with these headers: its own id, else its trace's, else a new one.
    pub(crate) fn request(id: Option<&[u8]>, traceparent: Option<&[u8]>) -> Self {
        let trace = traceparent.and_then(TraceParent::parse);
        let id = id
            .and_then(RequestId::take)
            .or_else(|| trace.map(|parent| RequestId::of_trace(parent.trace)))
            .unwrap_or_else(RequestId::new);
        Self::Request { id, trace }
    }

    /// A connection of the Redis port.
    pub(crate) fn connection(id: u64) -> Self {
        Self::Connection(id, Arc::default())
    }

    /// Does work in its name.
    pub(crate) fn of<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        ORIGIN.scope(self, work)
    }

    /// The names and values that a log line has of it.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Request { id, trace } => {
                let trace = trace.map(|parent| ("trace_id", format!("{:032x}", parent.trace)));
                [("request_id", id.as_str().to_owned())].into_iter().chain(trace).collect()
            }
            Self::Connection(id, commands) => vec![
                ("connection", id.to_string()),
                ("command", commands.load(Ordering::Relaxed).to_string()),
            ],
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who asked for the work at hand, if anybody did.
pub(crate) fn current() -> Option<Origin> {
    ORIGIN.try_with(Clone::clone).ok()
}

/// The id of the request at hand, if it is one.
pub(crate) fn request_id() -> Option<RequestId> {
    let id = |origin: &Origin| match origin {
        Origin::Request { id, .. } => Some(id.clone()),
        Origin::Connection(..) => None,
    };
    ORIGIN.try_with(id).ok().flatten()
}

/// The connection at hand goes on to its next commands, so many.
pub(crate) fn commands(number: u64) {
    // Whoever has no connection has none to count.
    let _ = ORIGIN.try_with(|origin| {
        if let Origin::Connection(_, commands) = origin {
            commands.fetch_add(number, Ordering::Relaxed);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_over_where_they_do_no_harm() {
        let check = |sent: &[u8], taken: bool| {
            let id = RequestId::take(sent);
            assert_eq!(id.as_ref().map(|id| id.bytes().as_ref()), taken.then_some(sent), "{sent:?}");
        };
        check(b"1", true);
        check(b"f9ed4675-f1c5-3513-c61a-b3b4e25b4c0", true);
        check(b"Root=1-67891233-abcdef012345678912345678", true);
        check(&[b'a'; 128], true);
        check(&[b'a'; 129], false);
        check(b"", false);
        check(b"a b", false);
        check(b"a\"b", false);
        check(b"a\nb", false);
        check(b"a\x1b[31m", false);
        check("é".as_bytes(), false);
        check(b"{}", false);
    }

    #[test]
    fn a_request_is_called_by_its_own_id_or_its_traces_or_a_new_one() {
        let parent = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let id = |id: Option<&[u8]>, parent: Option<&[u8]>| match Origin::request(id, parent) {
            Origin::Request { id, .. } => id.as_str().to_owned(),
            Origin::Connection(..) => panic!("no request"),
        };
        assert_eq!(id(Some(b"mine"), Some(parent)), "mine");
        assert_eq!(id(None, Some(parent)), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(id(Some(b"not mine"), Some(parent)), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(id(Some(b"not mine"), Some(b"nor this")).len(), 36);
        assert_ne!(id(None, None), id(None, None));
    }

    #[test]
    fn trace_parents() {
        let check = |header: &str, expected: Option<(u128, u64, bool)>| {
            let found = TraceParent::parse(header.as_bytes());
            assert_eq!(found.map(|parent| (parent.trace, parent.span, parent.sampled)), expected, "{header}");
        };
        let zeros = "0".repeat(31);
        check(&format!("00-{zeros}a-000000000000000b-01"), Some((10, 11, true)));
        check(&format!("00-{zeros}a-000000000000000b-00"), Some((10, 11, false)));
        check(&format!("01-{zeros}a-000000000000000b-01-more"), Some((10, 11, true)));
        check(&format!("00-{zeros}a-000000000000000b-01-more"), None);
        check(&format!("ff-{zeros}a-000000000000000b-01"), None);
        check(&format!("00-{zeros}0-000000000000000b-01"), None);
        check(&format!("00-{zeros}a-0000000000000000-01"), None);
        check(&format!("00-{zeros}A-000000000000000b-01"), None);
        check(&format!("00-{zeros}-000000000000000b-01"), None);
        check(&format!("00-+{zeros}-000000000000000b-01"), None);
        check("", None);
    }

    #[tokio::test]
    async fn work_knows_who_asked() {
        assert!(current().is_none());
        let origin = Origin::connection(7);
        let seen = origin.of(async {
            commands(1);
            tokio::task::yield_now().await;
            commands(2);
            current().map(|origin| origin.fields())
        });
        let expected = vec![("connection", "7".to_owned()), ("command", "3".to_owned())];
        assert_eq!(seen.await, Some(expected));
    }
}
