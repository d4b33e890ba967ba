//! Chat memory for LLM applications: everything said goes in, what belongs in the next prompt comes out.
//!
//! This crate is what an application embeds. It keeps the messages of conversations (*sessions*) in Redis or in
//! an embedded file, hands back what goes into the next prompt (a summary and the newest whole turns, within a budget
//! of tokens), and loses nothing. It has no HTTP server and no command
//! line; those are in `hitherto-server`.
//!
//! Limits, all settable with [`Limits`]: a message 1 MiB, 1,000 messages an append, a session id 512 bytes.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use hitherto::summary::{Extractive, SummaryOptions};
//! use hitherto::{AppendOptions, ChatMemory, ContextOptions, Encoding, Message, SessionId};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("chat.db");
//! let memory = ChatMemory::embedded(&path)?;
//! let memory = memory.with_summaries(SummaryOptions::default(), Arc::new(Extractive), None);
//! let worker = memory.start_worker()?; // folds what has left the window, until it is stopped or dropped
//! let session = SessionId::parse("user-42")?;
//!
//! let turn = vec![Message::user("My name is Zoë."), Message::assistant("Hello Zoë!")];
//! memory.append(&session, turn, &AppendOptions::default()).await?;
//!
//! let context = memory.context(&session, &ContextOptions::tokens(4_000, Encoding::O200k)).await?;
//! assert_eq!(context.messages[0].message.text(), "My name is Zoë.");
//! # Ok(())
//! # }
//! ```

mod time;

mod message;

pub mod dialect;
pub mod layout;

mod session;
mod ttl;
mod window;

mod context;
mod error;
mod memory;
mod record;
mod retention;
mod search;
mod tokens;

pub mod access;
pub mod node;
pub mod stats;
pub mod store;
pub mod summary;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(test)]
mod storage_page;

pub use context::{
    Budget, Context, ContextOptions, Cut, Explain, Format, Given, Left, LeftOut, SUMMARY_LEAD_IN, SummaryRole,
};
pub use dialect::{Dialect, Loss, Translated};
pub use error::{Error, Limits};
pub use memory::{
    Addition, AppendOptions, Appended, ChatMemory, Direction, Edit, Element, Elements, End, Erasure, Fold,
    Full, Gate, MessageId, Page, Result, Settled, StoredMessage,
};
pub use message::{
    Content, ListEnd, Message, MessageError, Part, Role, ToolCall, decode_string as lossy_string,
};
pub use record::{FORMAT, Record, Unreadable};
pub use search::Found;
pub use session::{MemoryKey, NameError, Scope, SessionId, SessionKey, Tenant, UserId};
pub use store::{
    Change, Configure, Counted, Description, Finding, Listed, Outcome, Place, Pop, Seq, SessionPage,
    SessionQuery, Severity, Store, StoreError,
};
pub use time::{Clock, Timestamp};
pub use tokens::Encoding;
pub use ttl::{Restart, Ttl, TtlChange, TtlError};
pub use window::Window;
