//! Patterns of keys as Redis has them: `*`, `?`, `[a-z]`, `[^a]`, and `\` before what stands for itself.

pub(super) use hitherto::layout::matches;

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
    // What follows bytes that are no text is in no key.
    let text =
        std::str::from_utf8(&out).map_err(|error| error.valid_up_to()).map_or_else(|end| end, str::len);
    out.truncate(text);
    String::from_utf8(out).unwrap_or_default()
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
