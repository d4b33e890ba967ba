//! Why a context is what it is.
//!
//! Invariant: what is given, what is left to the summary, what is left out and what cannot be read make up the
//! whole session, in messages.

use serde::Serialize;

use crate::store::Seq;

/// Why a context is what it is. Its JSON has these fields, those that say nothing left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Explain {
    /// The budget in tokens, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u32>,
    /// How many tokens the prompt has, the same as [`super::Context::tokens`].
    pub used: usize,
    /// The encoding in which they were counted.
    pub encoding: &'static str,
    /// Whether that is the count of the encoding itself, or an estimate.
    pub exact: bool,
    /// How many turns are given, and how many messages.
    pub turns: usize,
    /// See [`Self::turns`].
    pub messages: usize,
    /// The sequence number of the first message given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seq: Option<Seq>,
    /// The sequence number of the last message given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<Seq>,
    /// What became of the summary.
    pub summary: Given,
    /// Why it was shortened or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_why: Option<&'static str>,
    /// Whether a message that the summary covers was changed since it was made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub summary_stale: bool,
    /// How many of the messages given the summary covers too.
    #[serde(skip_serializing_if = "is_zero")]
    pub overlap: usize,
    /// Messages that are not given, because the summary stands for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_to_summary: Option<Left>,
    /// Messages that are neither given nor stood for by a summary that is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Messages that are given shortened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<Cut>,
    /// How many places among the messages given hold something that cannot be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What became of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Given {
    /// There is none.
    #[default]
    None,
    /// It is given whole.
    Given,
    /// It is given shortened in the middle.
    Shortened,
    /// It is not given.
    LeftOut,
}

/// A range of messages that are not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Left {
    /// The first sequence number.
    pub from: Seq,
    /// The last sequence number.
    pub to: Seq,
    /// How many turns begin in it; not said where that was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u64>,
    /// How many messages it has, unreadable ones included. Where messages between the watermark and what was read
    /// were not read, and some were deleted, which side of the watermark those were on is not known.
    pub messages: u64,
}

/// A range of messages that are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// Which.
    #[serde(flatten)]
    pub left: Left,
    /// Whether the session's summary covers them: it exists, and is not given.
    pub in_summary: bool,
    /// Why.
    pub why: &'static str,
}

/// A message that is given shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cut {
    /// Its sequence number.
    pub seq: Seq,
    /// How many tokens it has.
    pub before: usize,
    /// How many it is given in.
    pub after: usize,
    /// Why.
    pub why: &'static str,
}
