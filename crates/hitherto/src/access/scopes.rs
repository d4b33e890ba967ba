//! What a credential allows.
//!
//! Invariant: no scope is part of another. Who may write may not read for that, and who may administer may do neither.

use std::fmt;

/// One thing that a credential may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Whatever gives back what was said, and what is known of sessions.
    Read,
    /// Whatever changes sessions, their end included.
    Write,
    /// What concerns a tenant as a whole: erasing a user, usage and limits.
    Admin,
}

/// A set of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

impl Permission {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Admin => 4,
        }
    }
}

impl Scopes {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(7);

    /// These.
    pub fn of(scopes: impl IntoIterator<Item = Permission>) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }

    /// Those of a list such as `read,write`, apart by commas or white space. `None` where one of them is none, or there
    /// are none.
    pub fn parse(text: &str) -> Option<Self> {
        let words = text.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        let scopes: Option<Vec<Permission>> =
            words.map(|word| Permission::ALL.into_iter().find(|scope| scope.as_str() == word)).collect();
        scopes.map(Self::of).filter(|scopes| *scopes != Self::NONE)
    }

    /// Whether all of those are among these.
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }

    /// As stores keep them: 1 read, 2 write, 4 admin.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From how stores keep them; what is not known here is left out.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }
}

/// `read,write`.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_read_and_written() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(Scopes::parse(text).map(|scopes| scopes.to_string()).as_deref(), expected, "{text:?}");
        };
        check("read", Some("read"));
        check("write,read", Some("read,write"));
        check("admin read  write", Some("read,write,admin"));
        check("read,,read", Some("read"));
        check("", None);
        check(",", None);
        check("Read", None);
        check("read,delete", None);
    }

    #[test]
    fn none_is_part_of_another() {
        for one in Permission::ALL {
            for other in Permission::ALL {
                assert_eq!(Scopes::of([one]).contains(Scopes::of([other])), one == other);
            }
            assert!(Scopes::ALL.contains(Scopes::of([one])));
            assert!(Scopes::of([one]).contains(Scopes::NONE));
        }
        assert_eq!(Scopes::from_bits(255), Scopes::ALL);
    }
}
