//! Where a session with a maximum of messages is cut: pure, over its oldest places, oldest first.
//!
//! Invariant: only whole turns go, oldest first, and the newest turn never does; so a session may hold more
//! than its maximum when its newest turn alone is longer.

/// One of the oldest places of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Oldest {
    /// Whether it counts as a message: deleted places do not.
    pub(crate) counts: bool,
    /// Whether a turn begins there.
    pub(crate) begins_turn: bool,
}

/// How many of the oldest places go so that at least `excess` messages go, as far as whole turns allow.
/// The iterator must reach to the session's end; it is read only as far as needed.
pub(crate) fn places_to_trim<E>(
    excess: u64,
    oldest: impl Iterator<Item = Result<Oldest, E>>,
) -> Result<usize, E> {
    let (mut cut, mut gone) = (0, 0);
    for (index, place) in oldest.enumerate() {
        let place = place?;
        if place.begins_turn && index > 0 {
            cut = index;
            if gone >= excess {
                break;
            }
        }
        gone += u64::from(place.counts);
    }
    Ok(if excess == 0 { 0 } else { cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `u` and others are messages; `U` and `-` are deleted ones.
    fn check(session: &str, excess: u64, expected: usize) {
        let oldest = session
            .chars()
            .map(|letter| Ok::<_, ()>(Oldest { counts: letter.is_lowercase(), begins_turn: letter == 'u' }));
        assert_eq!(places_to_trim(excess, oldest), Ok(expected), "{session} {excess}");
    }

    #[test]
    fn cuts_whole_turns() {
        check("uaua", 0, 0);
        check("uaua", 1, 2);
        check("uaua", 2, 2);
        check("uaua", 3, 2);
        check("uaua", 9, 2);
        check("uatta", 3, 0);
        check("saua", 1, 2);
        check("uauaua", 3, 4);
        check("UaUaua", 1, 4);
        check("aaaa", 2, 0);
        check("", 2, 0);
    }
}
