//! The published cases, by name.
