//! The loss harness: sessions that live while everything around them fails, and what must be true of them after.
//!
//! Several servers share one store and one summariser that is slow, fails and lies; servers and the store are
//! killed at random moments; writers retry as a sensible client does. Invariant (I4): a summary carries in its own
//! text what it stands for, so every summary that is ever read proves what its summariser was given, also after
//! whoever made it is gone.
//!
//! `HITHERTO_SEED` repeats a run's choices; what threads do between them is not repeated.

mod chance;
mod check;
mod chronicle;
mod count;
mod desk;
mod fleet;
mod ledger;
mod life;
mod scribe;

pub mod cases;

mod run;

pub use chance::Chance;
pub use check::{due_turns, verify};
pub use count::Count;
pub use fleet::{Fleet, Ground, Opened, Server};
pub use ledger::{Ledger, line_text};
pub use run::{Effort, run, seed};
pub use scribe::{Mood, Scribe};
