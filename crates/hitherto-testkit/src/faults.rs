//! What is survived: real servers, writers that retry as a sensible client does, a fault, and the reckoning.
//!
//! A [`Run`] lets writers append over HTTP, each append with an idempotency key, while a test makes a fault happen;
//! then every session is read whole and [`check`] compares it with what was acknowledged.
//! Invariant (I1, I2, I3): what was acknowledged is there, once, in order; what was not is there once at most. The
//! checker is pure and has tests of its own, which show that it finds what it is there to find.
//!
//! | module | holds |
//! |---|---|
//! | `http` | a client of HTTP small enough to trust |
//! | `server` | one `hitherto serve`: start, kill, stop, restart |
//! | `retry` | how long a sensible client waits before it tries again |
//! | `sent` | what was sent, and what became of it |
//! | `writer` | one client that appends until it is acknowledged |
//! | `run` | writers at once, and what they tell of how it goes |
//! | `check` | what is stored, beside what was acknowledged |
//! | `read` | sessions whole, over HTTP and straight from Redis |
//! | `report` | what was measured, in one line |
//! | `shim` | libraries that change what a server sees of the machine |
//! | `clock` | a server's clock, set back and forward |
//! | `disk` | a disk that keeps what was synced and little else |

mod http;
mod server;

mod retry;
mod sent;
mod writer;

mod run;

mod check;
mod read;
mod report;

mod clock;
mod disk;
mod shim;

pub use check::{Found, Sessions, Verdict, check};
pub use clock::Clock;
pub use disk::{Disk, Image};
pub use http::{Answer, Http};
pub use read::{over_http, straight_from_file, straight_from_redis};
pub use report::Report;
pub use run::{Figures, Plan, Run};
pub use sent::{Acknowledged, Append, Sent};
pub use server::{Hitherto, Setup, sockets_of};
pub use writer::again;
