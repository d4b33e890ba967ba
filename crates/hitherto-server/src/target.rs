//! Where a command works: directly on a store, or on a running server.
//!
//! Invariant: a command cannot tell the two apart. Messages come and go as the HTTP API writes them, so a
//! store's are written that way too.

mod erasure;
mod error;
mod object;
mod server;
mod session;
mod summary;
mod usage;
mod wire;

use crate::access::audit::{self, Who};
use hitherto::{
    AppendOptions, ChatMemory, Direction, Encoding, Finding, Message, Seq, SessionId, SessionQuery, Tenant,
    Ttl, TtlChange, UserId, Window,
};

pub(crate) use erasure::Receipt;
pub(crate) use error::TargetError;
pub(crate) use object::{Member, members, without};
pub(crate) use server::Server;
pub(crate) use session::{Cursor, SessionInfo, SessionList};
pub(crate) use summary::{ContextQuery, SummaryInfo, Version};
pub(crate) use usage::{Usage, Used};
pub(crate) use wire::WireMessage;

/// How long erasing goes on before it says how far it is.
const PIECE: std::time::Duration = std::time::Duration::from_secs(1);

/// A result of a target.
pub(crate) type Result<T, E = TargetError> = std::result::Result<T, E>;

/// Where a command works.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub(crate) enum Target {
    /// On a store, opened by this process.
    Store(ChatMemory),
    /// On a running server.
    Server(Server),
}

/// Messages of a session, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// The messages.
    pub(crate) messages: Vec<WireMessage>,
    /// Whether there are more where these come from.
    pub(crate) more: bool,
    /// How many places among these cannot be read.
    pub(crate) unreadable: u64,
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The sequence numbers, in the order of the messages.
    pub(crate) seqs: Vec<Seq>,
    /// Whether the messages had been stored before, by an append with the same key.
    pub(crate) repeated: bool,
}

/// What an append is to do besides appending.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AppendWith<'a> {
    /// A key by which a repeat is known as one.
    pub(crate) idempotency_key: Option<&'a str>,
    /// The time to live that the session gets.
    pub(crate) ttl: Option<Ttl>,
    /// Whose the session is.
    pub(crate) user: Option<&'a UserId>,
}

/// Which sessions are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Which<'a> {
    /// Those whose id begins so.
    pub(crate) prefix: &'a str,
    /// Those of this user.
    pub(crate) user: Option<&'a UserId>,
    /// At most so many.
    pub(crate) limit: u32,
}

impl Which<'_> {
    /// All of them, so many at a time.
    pub(crate) const fn all(limit: u32) -> Self {
        Self { prefix: "", user: None, limit }
    }
}

/// How much an append may hold, so that a command can split what is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The longest message, in bytes of JSON.
    pub(crate) message_bytes: usize,
    /// The most messages.
    pub(crate) messages: usize,
}

impl Target {
    /// Whose data it works on; of a server only the server knows.
    pub(crate) fn tenant(&self) -> Option<&Tenant> {
        match self {
            Self::Store(memory) => Some(&memory.scope().tenant),
            Self::Server(_) => None,
        }
    }

    /// Appends messages: all of them, or none.
    ///
    /// # Errors
    /// [`TargetError::is_retryable`] says whether trying again is of use; it is safe only with a key.
    pub(crate) async fn append(
        &self,
        session: &SessionId,
        messages: Vec<Message>,
        with: AppendWith<'_>,
    ) -> Result<Appended> {
        match self {
            Self::Server(server) => server.append(session, &messages, with).await,
            Self::Store(memory) => {
                let mut options = AppendOptions::default();
                options.idempotency_key = with.idempotency_key.map(str::to_owned);
                options.ttl = with.ttl.map_or(TtlChange::Keep, TtlChange::Set);
                options.user = with.user.cloned();
                let done = memory.append(session, messages, &options).await?;
                let seqs = (done.first_seq..).take(done.ids.len()).collect();
                Ok(Appended { seqs, repeated: done.repeated })
            }
        }
    }

    /// Up to `limit` messages after a sequence number; 0 begins at the beginning.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn page(&self, session: &SessionId, after: Seq, limit: u32) -> Result<Page> {
        match self {
            Self::Server(server) => server.page(session, after, limit).await,
            Self::Store(memory) => Ok(memory.messages(session, Direction::After(after), limit).await?.into()),
        }
    }

    /// The newest whole turns.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn window(&self, session: &SessionId, window: Window) -> Result<Page> {
        match self {
            Self::Server(server) => server.window(session, window).await,
            Self::Store(memory) => Ok(memory.window(session, window).await?.into()),
        }
    }

    /// A page of the sessions, newest activity first.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn sessions(&self, which: Which<'_>, cursor: Option<&Cursor>) -> Result<SessionList> {
        match self {
            Self::Server(server) => server.sessions(which, cursor).await,
            Self::Store(memory) => {
                let mut query = SessionQuery::default();
                which.prefix.clone_into(&mut query.prefix);
                query.user = which.user.cloned();
                query.after = cursor.and_then(Cursor::place).cloned();
                query.limit = which.limit;
                Ok(memory.sessions(&query).await?.into())
            }
        }
    }

    /// What is known of a session; `None` if there is no such session.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn describe(&self, session: &SessionId) -> Result<Option<SessionInfo>> {
        match self {
            Self::Server(server) => server.describe(session).await,
            Self::Store(memory) => {
                let description = memory.describe(session).await?;
                Ok(description.map(|description| SessionInfo::new(session, &description)))
            }
        }
    }

    /// Removes a session, and says how many messages it had; 0 for one that does not exist.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn clear(&self, session: &SessionId) -> Result<u64> {
        match self {
            Self::Server(server) => server.clear(session).await,
            Self::Store(memory) => Ok(memory.clear(session).await?.unwrap_or(0)),
        }
    }

    /// Erases a part of what a user has, or all of it, and says how far that is.
    ///
    /// # Errors
    /// Any failure of the store or server, if nothing was erased before it.
    pub(crate) async fn erase(&self, user: &UserId) -> Result<Receipt> {
        match self {
            Self::Server(server) => server.erase(user).await,
            Self::Store(memory) => {
                let erasure = memory.erase_user(user, PIECE).await?;
                audit::erased(&Who::Command, &memory.scope().tenant, &erasure);
                Ok(Receipt::of(&erasure))
            }
        }
    }

    /// What the tenant has, under all memory keys, and of a server what it may have.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn usage(&self) -> Result<Usage> {
        match self {
            Self::Server(server) => server.usage().await,
            Self::Store(memory) => Ok(Usage::of(memory.scope().tenant.as_str(), &memory.usage().await?)),
        }
    }

    /// What goes into the next prompt, as the HTTP API writes it. `default` is how a store's tokens are counted
    /// where nothing is said.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn context(
        &self,
        session: &SessionId,
        query: &ContextQuery,
        default: Encoding,
    ) -> Result<String> {
        match self {
            Self::Server(server) => server.context(session, query).await,
            Self::Store(memory) => Ok(memory.context(session, &query.options(default)).await?.to_json()),
        }
    }

    /// A session's summary; `None` if it has none.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn summary(&self, session: &SessionId) -> Result<Option<SummaryInfo>> {
        match self {
            Self::Server(server) => server.summary(session).await,
            Self::Store(memory) => {
                let state = memory.summary(session).await?;
                Ok(state.current.is_some().then(|| SummaryInfo::new(session, None, state)))
            }
        }
    }

    /// Puts a summary by hand.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn put_summary(
        &self,
        session: &SessionId,
        text: &str,
        upto: Seq,
    ) -> Result<SummaryInfo> {
        match self {
            Self::Server(server) => server.put_summary(session, text, upto).await,
            Self::Store(memory) => {
                memory.put_summary(session, text, upto).await?;
                Ok(SummaryInfo::new(session, None, memory.summary(session).await?))
            }
        }
    }

    /// Puts the version before a session's summary back.
    ///
    /// # Errors
    /// Any failure of the store or server.
    pub(crate) async fn rollback_summary(&self, session: &SessionId) -> Result<SummaryInfo> {
        match self {
            Self::Server(server) => server.rollback_summary(session).await,
            Self::Store(memory) => {
                memory.rollback_summary(session).await?;
                Ok(SummaryInfo::new(session, None, memory.summary(session).await?))
            }
        }
    }

    /// Folds a session now, and waits for it.
    ///
    /// # Errors
    /// Any failure of the summariser, store or server.
    pub(crate) async fn fold(&self, session: &SessionId) -> Result<SummaryInfo> {
        match self {
            Self::Server(server) => server.fold(session).await,
            Self::Store(memory) => {
                let fold = memory.fold(session).await?;
                Ok(SummaryInfo::new(session, Some(fold.commits), fold.summary))
            }
        }
    }

    /// What an inspection of the store finds, or whether the server is ready.
    ///
    /// # Errors
    /// Any failure of the store; a server that does not answer is a finding.
    pub(crate) async fn inspect(&self) -> Result<Vec<Finding>> {
        match self {
            Self::Server(server) => Ok(server.inspect().await),
            Self::Store(memory) => Ok(memory.inspect().await?),
        }
    }

    /// How much an append may hold. Of a server the defaults are assumed: it refuses what is too much for it.
    pub(crate) fn bounds(&self) -> Bounds {
        let limits = match self {
            Self::Store(memory) => memory.limits().clone(),
            Self::Server(_) => hitherto::Limits::default(),
        };
        Bounds { message_bytes: limits.message_bytes, messages: limits.messages_per_append }
    }
}

impl From<hitherto::Page> for Page {
    fn from(page: hitherto::Page) -> Self {
        let messages = page.messages.iter().map(WireMessage::of).collect();
        Self { messages, more: page.more, unreadable: page.unreadable }
    }
}
