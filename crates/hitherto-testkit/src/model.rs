//! A model that is obviously right, and random operations that compare a store with it.
//!
//! The model keeps each session as a plain list and works everything out from the beginning, every time.
//! It knows no spoiled places: what those do is for the cases of the [`suite`](crate::suite).

mod answer;
mod check;
mod operation;
mod session;
mod sessions;
mod writers;

pub use check::model_check;
pub use writers::writers_check;
