//! Redis' globs, for keys of a dump.

/// Whether `text` matches a glob as Redis means it: `*`, `?`, `[a-c]`, `[^a]`, `\` before a plain sign.
pub fn matches(glob: &[u8], text: &[u8]) -> bool {
    // Where the last star stands and what it has swallowed so far: a mismatch lets it swallow one more byte.
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match one(glob.get(at..).unwrap_or_default(), text.get(from).copied().unwrap_or_default()) {
            Step::Star => {
                star = Some((at + 1, from));
                at += 1;
                continue;
            }
            Step::Takes(length) => {
                at += length;
                from += 1;
                continue;
            }
            Step::No => {}
        }
        let Some((after, swallowed)) = star else { return false };
        star = Some((after, swallowed + 1));
        (at, from) = (after, swallowed + 1);
    }
    glob.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// What the first sign of a glob says to a byte.
enum Step {
    Star,
    /// It takes the byte, and is so long.
    Takes(usize),
    No,
}

fn one(glob: &[u8], byte: u8) -> Step {
    let yes = |takes: bool, length: usize| if takes { Step::Takes(length) } else { Step::No };
    match glob {
        [b'*', ..] => Step::Star,
        [b'?', ..] => Step::Takes(1),
        [b'\\', plain, ..] => yes(*plain == byte, 2),
        [b'[', rest @ ..] => {
            let (inverted, set) = match rest {
                [b'^', set @ ..] => (true, set),
                set => (false, set),
            };
            let (found, length) = in_set(set, byte);
            yes(found != inverted, 1 + usize::from(inverted) + length)
        }
        [plain, ..] => yes(*plain == byte, 1),
        [] => Step::No,
    }
}

/// Whether a byte is in the set that begins here, and how long the set is, its bracket included.
fn in_set(mut set: &[u8], byte: u8) -> (bool, usize) {
    let (mut found, mut length) = (false, 0);
    loop {
        let taken = match set {
            [] => return (found, length),
            [b']', ..] => return (found, length + 1),
            [b'\\', plain, ..] => {
                found |= *plain == byte;
                2
            }
            [low, b'-', high, ..] if *high != b']' => {
                found |= (*low.min(high)..=*low.max(high)).contains(&byte);
                3
            }
            [plain, ..] => {
                found |= *plain == byte;
                1
            }
        };
        length += taken;
        set = set.get(taken..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_redis_means_them() {
        let check = |glob: &str, text: &str, expected: bool| {
            assert_eq!(matches(glob.as_bytes(), text.as_bytes()), expected, "{glob} {text}");
        };
        check("*", "", true);
        check("a*", "abc", true);
        check("a*c*e", "abcde", true);
        check("a*c*e", "abcd", false);
        check("*:messages", "thread:a:messages:messages", true);
        check("h?llo", "hello", true);
        check("h[a-f]llo", "hello", true);
        check("h[^e]llo", "hello", false);
        check("h[^a]llo", "hello", true);
        check(r"a\*b", "a*b", true);
        check(r"a\*b", "axb", false);
        check("abc", "abcd", false);
        check("[", "a", false);
        check("user-1*", "user-", false);
    }
}
