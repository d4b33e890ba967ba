//! What of a list that is brought along a session has already.
//!
//! A list may have lost its oldest messages since, because its client keeps so many; a session may have lost its
//! oldest, because it has a maximum; and both may have gone on. All of that is found by comparing prints from the
//! oldest element on, then by the longest stretch that both have.
//!
//! Invariant: nothing is said to be new unless all that the session has, or its newest part, was found before it.

use uuid::Uuid;

/// Tells one payload from another: SHA-1, as a version 5 UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Print(u128);

impl Print {
    /// Of these bytes.
    pub fn of(payload: &[u8]) -> Self {
        Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, payload).as_u128())
    }
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// The elements of the source from that index on are new.
    From(usize),
    /// The session holds something else; the index is that of its first element that differs.
    Different(usize),
}

/// How many elements a session and a list that begins later have to share, where they have so many: one alone may be
/// a "yes" that was said twice.
const SHARED: usize = 3;

/// Finds what of `source` the session, whose elements are `stored`, has not yet; both oldest first. `None` stands for
/// an element that was edited in the session, and is the same as any.
pub fn align(stored: &[Option<Print>], source: &[Print]) -> Plan {
    let differs = stored.iter().zip(source).position(|(one, other)| one.is_some_and(|one| one != *other));
    let Some(differs) = differs else {
        return Plan::From(stored.len().min(source.len()));
    };
    let known: Vec<Print> = stored.iter().map(|print| print.unwrap_or(Print(0))).collect();
    let enough = SHARED.min(known.len()).min(source.len());
    // The list has lost its oldest: what it still begins with ends the session, or stands in it.
    let shared = overlap(source, &known);
    if shared.ends >= enough || shared.whole {
        return Plan::From(if shared.whole { source.len() } else { shared.ends });
    }
    // The session has lost its oldest: all of it stands in the list.
    let shared = overlap(&known, source);
    if let Some(end) = shared.whole_until {
        return Plan::From(end);
    }
    // Both: the session goes on behind the end of the list.
    if shared.ends >= enough {
        return Plan::From(source.len());
    }
    Plan::Different(differs)
}

/// Where the beginning of one list is found in another.
#[derive(Debug, Default)]
struct Overlap {
    /// So much of the beginning stands at the other's end.
    ends: usize,
    /// All of it stands in the other.
    whole: bool,
    /// And ends there: before that index, the last such.
    whole_until: Option<usize>,
}

/// Knuth, Morris and Pratt's search for `needle` in `hay`, with what is left at the end.
fn overlap(needle: &[Print], hay: &[Print]) -> Overlap {
    let mut back = vec![0_usize; needle.len()];
    let mut held = 0;
    for (index, print) in needle.iter().enumerate().skip(1) {
        held = step(needle, &back, held, *print);
        if let Some(slot) = back.get_mut(index) {
            *slot = held;
        }
    }
    let mut found = Overlap::default();
    held = 0;
    for (index, print) in hay.iter().enumerate() {
        if held == needle.len() {
            held = back.last().copied().unwrap_or(0);
        }
        held = step(needle, &back, held, *print);
        if held == needle.len() && held > 0 {
            found.whole = true;
            found.whole_until = Some(index + 1);
        }
    }
    found.ends = held;
    found
}

/// How much of the needle ends with that print, if so much ended before it.
fn step(needle: &[Print], back: &[usize], mut held: usize, print: Print) -> usize {
    loop {
        if needle.get(held) == Some(&print) {
            return held + 1;
        }
        let Some(before) = held.checked_sub(1) else { return 0 };
        held = back.get(before).copied().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_found() {
        let print = |char: char| Print::of(char.to_string().as_bytes());
        let check = |stored: &str, source: &str, expected| {
            let stored: Vec<_> = stored.chars().map(|char| (char != '*').then(|| print(char))).collect();
            let source: Vec<_> = source.chars().map(print).collect();
            assert_eq!(align(&stored, &source), expected, "{stored:?} {source:?}");
        };
        check("", "", Plan::From(0));
        check("", "abc", Plan::From(0));
        check("abc", "abc", Plan::From(3));
        check("abc", "abcde", Plan::From(3));
        check("abcxyz", "abc", Plan::From(3));
        check("a*c", "abcd", Plan::From(3));
        // The list begins later now.
        check("abcdef", "cdef", Plan::From(4));
        check("abcdef", "cdefgh", Plan::From(4));
        check("abcdef", "defgh", Plan::From(3));
        check("abcdef", "efgh", Plan::Different(0));
        check("abcdef", "ghij", Plan::Different(0));
        check("abcdefxyz", "cdef", Plan::From(4));
        check("aaaab", "aabc", Plan::From(3));
        // The session begins later now.
        check("cdef", "abcdef", Plan::From(6));
        check("cdef", "abcdefgh", Plan::From(6));
        check("cdefxyz", "abcdef", Plan::From(6));
        check("abc", "xyz", Plan::Different(0));
        check("abc", "abz", Plan::Different(2));
        check("ababab", "abababab", Plan::From(6));
    }
}
