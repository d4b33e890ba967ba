//! Patterns of keys as Redis has them: `*`, `?`, `[a-z]`, `[^a]`, and `\` before what stands for itself.
//!
//! Invariant: no pattern takes longer than its length times the key's.

/// Whether the pattern matches the whole text.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where the newest star stands, and up to where it has taken the text.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let next = pattern.get(at..).unwrap_or_default();
        let byte = text.get(place);
        if next.first() == Some(&b'*') {
            star = Some((at + 1, place));
            at += 1;
            continue;
        }
        match (byte, one(next)) {
            (None, _) if next.is_empty() => return true,
            (Some(byte), Some((length, found))) if found.has(*byte) => {
                at += length;
                place += 1;
            }
            (None, _) => return false,
            _ => match star {
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    (at, place) = (after, taken + 1);
                }
                None => return false,
            },
        }
    }
}

/// What every text begins with that the pattern matches.
pub(super) fn literal_prefix(pattern: &[u8]) -> String {
    let mut out = Vec::new();
    let mut rest = pattern;
    while let Some((first, after)) = rest.split_first() {
        match (first, after.split_first()) {
            (b'*' | b'?' | b'[', _) => break,
            (b'\\', Some((escaped, after))) => {
                out.push(*escaped);
                rest = after;
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    while std::str::from_utf8(&out).is_err() {
        out.pop();
    }
    String::from_utf8(out).unwrap_or_default()
}

/// What one byte of a text may be.
#[derive(Debug)]
enum One<'a> {
    Any,
    Byte(u8),
    Class { not: bool, members: &'a [u8] },
}

impl One<'_> {
    fn has(&self, byte: u8) -> bool {
        match self {
            Self::Any => true,
            Self::Byte(own) => *own == byte,
            Self::Class { not, members } => {
                let mut found = false;
                let mut rest = *members;
                while let Some((first, after)) = rest.split_first() {
                    rest = after;
                    found |= match (first, after) {
                        (b'\\', [escaped, after @ ..]) => {
                            rest = after;
                            *escaped == byte
                        }
                        (from, [b'-', to, after @ ..]) => {
                            rest = after;
                            (*from.min(to)..=*from.max(to)).contains(&byte)
                        }
                        (same, _) => *same == byte,
                    };
                }
                found != *not
            }
        }
    }
}

/// The first thing in a pattern that is no star, and how long it is there.
fn one(pattern: &[u8]) -> Option<(usize, One<'_>)> {
    Some(match pattern {
        [] => return None,
        [b'?', ..] => (1, One::Any),
        [b'\\', escaped, ..] => (2, One::Byte(*escaped)),
        [b'[', rest @ ..] => {
            let (not, members) = match rest {
                [b'^', members @ ..] => (true, members),
                members => (false, members),
            };
            let mut end = 0;
            while let Some(byte) = members.get(end).filter(|byte| **byte != b']') {
                end += if *byte == b'\\' { 2 } else { 1 };
            }
            let inside = members.get(..end.min(members.len())).unwrap_or_default();
            let length = (1 + usize::from(not) + end + 1).min(pattern.len());
            (length, One::Class { not, members: inside })
        }
        [byte, ..] => (1, One::Byte(*byte)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        };
        check("", "", true);
        check("", "a", false);
        check("*", "", true);
        check("*", "abc", true);
        check("a*c", "abbc", true);
        check("a*c", "abcd", false);
        check("a*b*c", "axbxbxc", true);
        check("h?llo", "hello", true);
        check("h?llo", "hllo", false);
        check("h[ae]llo", "hallo", true);
        check("h[ae]llo", "hillo", false);
        check("h[^e]llo", "hello", false);
        check("h[^e]llo", "hallo", true);
        check("h[a-b]llo", "hbllo", true);
        check("h[b-a]llo", "hallo", true);
        check(r"h\*llo", "h*llo", true);
        check(r"h\*llo", "hxllo", false);
        check(r"[\]]", "]", true);
        check("[abc", "b", true);
        check("user:*:x", "user:1:y:x", true);
        check(&"*a".repeat(50), &"a".repeat(2000), true);
        check(&format!("{}b", "*a".repeat(50)), &"a".repeat(2000), false);
    }

    #[test]
    fn literal_beginnings() {
        for (pattern, expected) in
            [("*", ""), ("abc", "abc"), ("a*b", "a"), (r"a\*b?", "a*b"), ("é[x]", "é"), ("a\\", "a\\")]
        {
            assert_eq!(literal_prefix(pattern.as_bytes()), expected, "{pattern}");
        }
    }
}
