//! TLS of the server's own ports.
//!
//! Invariant: a certificate that cannot be used changes nothing. At the start it is an error; later the one in use
//! stays in use, and no open connection notices.
//!
//! | module | holds |
//! |---|---|
//! | `files` | which files there are, and what they become |
//! | `keep` | the certificate in use, and taking over a new one |
//! | `expiry` | when a certificate ends, and who is told |
//! | `listener` | accepting, and handshakes within a bound of time and number |
//! | `stream` | a connection, with TLS or without |
//! | `plain` | what a client is told that speaks the one where the other is spoken |
//! | `seldom` | log lines that a flood of connections cannot multiply |

mod files;

mod expiry;
mod keep;

mod listener;
mod plain;
mod seldom;
mod stream;

pub use files::{ClientAuth, TlsError, TlsFiles};
pub use keep::Tls;
pub use listener::Listener;

pub(crate) use expiry::Expiry;
pub(crate) use keep::keep;
pub(crate) use listener::{Protocol, warn_of_plain};
pub(crate) use stream::Stream;
