//! The *Redis-Backed Chat Memory* node, as it is documented: a session id, a time-out, a memory key and a
//! window; get, add and clear messages.
//!
//! Inputs and credentials have their documented names and may be numbers or texts, as visual builders send
//! them. What cannot be used is an error when the node is made, not when somebody chats.

mod inputs;
mod message;
mod view;

use std::sync::Arc;

use serde_json::value::RawValue;
use thiserror::Error;

use crate::error::Error;
use crate::memory::{AppendOptions, ChatMemory, Direction};
use crate::session::{MemoryKey, NameError, SessionId};
use crate::store::redis::RedisStore;
use crate::store::{Seq, StoreError};
use crate::ttl::{Ttl, TtlChange};
use crate::window::Window;

pub use inputs::{Credentials, Given, Inputs};
pub use message::NodeMessage;

/// Why a node could not be made, or could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// An input or a credential cannot be used.
    #[error("{field} is {value:?}, but must be {must}")]
    Input {
        /// Its documented name.
        field: &'static str,
        /// What was given.
        value: String,
        /// What it must be.
        must: &'static str,
    },
    /// A session id or memory key cannot be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The memory failed.
    #[error(transparent)]
    Memory(#[from] Error),
}

impl From<StoreError> for NodeError {
    fn from(error: StoreError) -> Self {
        Self::Memory(Error::Store(error))
    }
}

/// The node.
#[derive(Debug, Clone)]
pub struct RedisBackedChatMemory {
    memory: ChatMemory,
    session: SessionId,
    window: Option<u32>,
    ttl: Option<Ttl>,
}

/// What [`RedisBackedChatMemory::get_chat_messages`] gives.
#[derive(Debug, Clone)]
pub struct ChatMessages {
    /// The session that was read.
    pub session: SessionId,
    /// The prepended messages, then the history, oldest first; each a JSON object.
    pub messages: Vec<Box<RawValue>>,
    /// How many stored elements could not be read; they are kept.
    pub unreadable: u64,
}

/// What [`RedisBackedChatMemory::add_chat_messages`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The session that was written to.
    pub session: SessionId,
    /// The sequence number of the first message; the others follow.
    pub first_seq: Seq,
}

/// How many messages are read at a time where there is no window.
const PAGE: u32 = 1000;

impl RedisBackedChatMemory {
    /// A node on the Redis of the credentials. The connection is made by the first operation.
    ///
    /// # Errors
    /// Says which input or credential cannot be used, and what it must be.
    pub fn new(inputs: &Inputs, credentials: &Credentials) -> Result<Self, NodeError> {
        let store = RedisStore::new(credentials.options()?)?;
        Self::on(ChatMemory::new(Arc::new(store)), inputs)
    }

    /// A node on a memory that is open already, in Redis or not.
    ///
    /// # Errors
    /// Says which input cannot be used, and what it must be.
    pub fn on(memory: ChatMemory, inputs: &Inputs) -> Result<Self, NodeError> {
        let session = match inputs.session_id.as_str() {
            "" => SessionId::random(),
            given => SessionId::parse(given)?,
        };
        let memory_key = match inputs.memory_key.as_str() {
            "" => MemoryKey::default(),
            given => MemoryKey::parse(given)?,
        };
        Ok(Self { memory: memory.under(memory_key), session, window: inputs.window()?, ttl: inputs.ttl()? })
    }

    /// The session that is meant when an operation names none: the given one, or the random one.
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// The key under which a chain finds the history among its inputs.
    pub fn memory_key(&self) -> &str {
        self.memory.scope().memory_key.as_str()
    }

    /// The key under which a chain finds what the user said.
    pub fn input_key(&self) -> &'static str {
        "input"
    }

    /// The messages of a session: the newest turns of the window, or all without one, after those to prepend.
    /// As `IMessage` (`{ message, type, role, content }`), or with `return_base_messages` as LangChain's
    /// stored messages. An empty `override_session_id` means the node's own session.
    ///
    /// # Errors
    /// Any error of the memory.
    pub async fn get_chat_messages(
        &self,
        override_session_id: &str,
        return_base_messages: bool,
        prepend_messages: &[NodeMessage],
    ) -> Result<ChatMessages, NodeError> {
        let session = self.session(override_session_id)?;
        let mut messages: Vec<_> =
            prepend_messages.iter().map(|prepended| prepended.message().clone()).collect();
        let mut unreadable = 0;
        if let Some(turns) = self.window {
            let page = self.memory.window(&session, Window::Turns(turns)).await?;
            messages.extend(page.messages.into_iter().map(|stored| stored.message));
            unreadable += page.unreadable;
        } else {
            let mut after = 0;
            loop {
                let page = self.memory.messages(&session, Direction::After(after), PAGE).await?;
                after = page.last_seq().unwrap_or(after);
                unreadable += page.unreadable;
                messages.extend(page.messages.into_iter().map(|stored| stored.message));
                if !page.more {
                    break;
                }
            }
        }
        let view = if return_base_messages { view::base_message } else { view::imessage };
        Ok(ChatMessages { session, messages: messages.iter().filter_map(view).collect(), unreadable })
    }

    /// Stores what was said in one turn: all of it, in order, or none. The session's time-out starts again; a
    /// node without one removes what the session had. What is sent twice because a connection broke is
    /// stored once.
    ///
    /// # Errors
    /// Any error of the memory; nothing is stored then, unless [`StoreError::outcome`] says that nobody knows.
    pub async fn add_chat_messages(
        &self,
        messages: &[NodeMessage],
        override_session_id: &str,
    ) -> Result<Added, NodeError> {
        let session = self.session(override_session_id)?;
        let messages = messages.iter().map(|message| message.message().clone()).collect();
        let options = AppendOptions {
            idempotency_key: Some(uuid::Uuid::now_v7().to_string()),
            ttl: self.ttl.map_or(TtlChange::Remove, TtlChange::Set),
            ..AppendOptions::default()
        };
        let appended = self.memory.append(&session, messages, &options).await?;
        Ok(Added { session, first_seq: appended.first_seq })
    }

    /// Removes all messages of a session, and says how many there were.
    ///
    /// # Errors
    /// Any error of the memory.
    pub async fn clear_chat_messages(&self, override_session_id: &str) -> Result<u64, NodeError> {
        let session = self.session(override_session_id)?;
        Ok(self.memory.clear(&session).await?.unwrap_or(0))
    }

    fn session(&self, override_session_id: &str) -> Result<SessionId, NodeError> {
        match override_session_id {
            "" => Ok(self.session.clone()),
            given => Ok(SessionId::parse(given)?),
        }
    }
}
