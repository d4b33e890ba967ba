//! How other programs lay out conversations in Redis: which keys, of which type, in which order, and what stands
//! beside the messages. From it history is brought along, and written back.
//!
//! Invariant: pure; it reads no key and writes none. What one stored value holds comes out as the bytes that it is,
//! and what is no message comes out all the same, with a word about it.

mod align;
mod beside;
mod completed;
mod direction;
mod documents;
mod dump;
mod elements;
mod families;
mod glob;
mod kept;
mod names;
mod runs;
mod scope;

use crate::dialect::Dialect;
use crate::message::ListEnd;

pub use align::{Plan, Print, align};
pub use beside::{Beside, What};
pub use direction::{Evidence, Verdict};
pub use documents::{Document, Written, document};
pub use dump::{Dump, DumpError, Key, Value};
pub use elements::{Bad, Reading};
pub use glob::matches;
pub use kept::Kept;

/// The layout of one family of clients, with what its keys begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    profile: &'static Profile,
    prefix: String,
}

/// What is fixed of a layout, under a name that people know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// Its name in options and pages.
    pub name: &'static str,
    /// Whose it is.
    pub about: &'static str,
    /// How its messages are written: the first is written back, the others are read as well.
    pub dialects: &'static [Dialect],
    /// What its keys begin with, unless somebody chose something else.
    pub prefix: &'static str,
    /// How a session lies in keys.
    pub shape: Shape,
    /// The layout that reads the same keys from the other end, if there is one.
    pub opposite: Option<&'static str>,
    /// Why nothing is written back in it, if so.
    pub closed: Option<&'static str>,
    /// What a key has between its prefix and the session, and behind the session.
    around: (&'static str, &'static str),
}

/// How a session lies in keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// A list, an element a message.
    List(Order),
    /// A sorted set of names, each of a key with a text.
    Index,
    /// A key a message: RedisJSON documents, or with `hashes` hashes.
    Documents {
        /// Whether they are hashes.
        hashes: bool,
    },
    /// A field of a hash, with the whole conversation.
    Fields,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest message at the head: clients push there.
    NewestFirst,
    /// The oldest message at the head.
    OldestFirst,
}

impl Shape {
    /// The type of the keys by which sessions are found, in Redis' words.
    pub fn kind(self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::Index => "zset",
            Self::Documents { hashes: false } => "ReJSON-RL",
            Self::Documents { hashes: true } | Self::Fields => "hash",
        }
    }
}

impl Profile {
    /// Every profile.
    pub const ALL: &[Self] = families::ALL;

    /// The names of all of them, in the order of help.
    pub const NAMES: &[&str] = &families::NAMES;

    /// The dialect in which messages are written back.
    pub fn dialect(&self) -> Dialect {
        self.dialects.first().copied().unwrap_or_default()
    }

    /// At which end its clients push, where their keys are bare session ids: there nothing but the messages says so.
    fn end(&self) -> Option<ListEnd> {
        match self.shape {
            Shape::List(order) if self.prefix.is_empty() && self.around == ("", "") => Some(match order {
                Order::NewestFirst => ListEnd::Head,
                Order::OldestFirst => ListEnd::Tail,
            }),
            _ => None,
        }
    }

    /// Whether a message of that dialect stands in it as it is.
    pub fn speaks(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Opaque || self.dialects.contains(&dialect)
    }

    /// Whether what its keys begin with can be chosen.
    pub fn takes_prefix(&self) -> bool {
        !matches!(self.shape, Shape::Documents { hashes: true } | Shape::Fields) && self.name != "mastra"
    }
}

impl Layout {
    /// The layout of that name.
    pub fn named(name: &str) -> Option<Self> {
        let profile = Profile::ALL.iter().find(|profile| profile.name == name)?;
        Some(Self { profile, prefix: profile.prefix.to_owned() })
    }

    /// The same layout with another beginning of keys.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    /// What is fixed of it.
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }
}
