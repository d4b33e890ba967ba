//! How libraries spell JSON, and what some of them write that others refuse.

/// How a library spells JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect) enum Spelling {
    /// No white space, letters as they are: JavaScript, Pydantic.
    Compact,
    /// No white space, ASCII only: Python with `separators=(",", ":")`.
    CompactAscii,
    /// A space after each comma and colon, ASCII only: Python.
    Spaced,
    /// A space after each comma and colon, letters as they are: Python with `ensure_ascii=False`.
    SpacedLetters,
}

/// The JSON text in that spelling.
pub(in crate::dialect) fn respell(json: &str, spelling: Spelling) -> String {
    let ascii = matches!(spelling, Spelling::CompactAscii | Spelling::Spaced);
    let spaced = matches!(spelling, Spelling::Spaced | Spelling::SpacedLetters);
    let mut out = String::with_capacity(json.len() + json.len() / 8);
    let (mut inside, mut escaped) = (false, false);
    for char in json.chars() {
        if !inside {
            match char {
                ' ' | '\t' | '\n' | '\r' => continue,
                ',' | ':' if spaced => out.extend([char, ' ']),
                _ => out.push(char),
            }
            inside = char == '"';
            continue;
        }
        if ascii && (!char.is_ascii() || char == '\u{7f}') {
            for unit in char.encode_utf16(&mut [0; 2]) {
                use std::fmt::Write as _;
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(char);
        }
        inside = escaped || char != '"';
        escaped = !escaped && char == '\\';
    }
    out
}

/// Whether two JSON texts say the same but for their spelling.
pub(in crate::dialect) fn same(one: &str, other: &str) -> bool {
    one == other || respell(one, Spelling::CompactAscii) == respell(other, Spelling::CompactAscii)
}

/// The JSON text with `null` for each bare `NaN`, `Infinity` and `-Infinity`, which Python writes and reads and
/// nobody else does; `None` where there is none.
pub(in crate::dialect) fn without_nan(json: &str) -> Option<String> {
    let mut out = String::new();
    let (mut inside, mut escaped, mut done, mut skip) = (false, false, 0, 0);
    for (at, byte) in json.bytes().enumerate() {
        if inside {
            inside = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        inside = byte == b'"';
        if at < skip || !matches!(byte, b'N' | b'I' | b'-') {
            continue;
        }
        let rest = json.get(at..).unwrap_or_default();
        if let Some(word) = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word)) {
            out.push_str(json.get(done..at).unwrap_or_default());
            out.push_str("null");
            done = at + word.len();
            skip = done;
        }
    }
    (done > 0).then(|| out + json.get(done..).unwrap_or_default())
}

/// The JSON text with U+FFFD in the place of each half surrogate pair; `None` where there is none.
pub(in crate::dialect) fn without_halves(json: &str) -> Option<String> {
    let halves = Halves::of(json);
    if halves.0.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(json.len());
    let mut done = 0;
    for at in halves.0 {
        out.push_str(json.get(done..at).unwrap_or_default());
        out.push_str("\\ufffd");
        done = at + 6;
    }
    out.push_str(json.get(done..).unwrap_or_default());
    Some(out)
}

/// Where the escapes of half surrogate pairs begin in a JSON text.
pub(super) struct Halves(pub(super) Vec<usize>);

impl Halves {
    pub(super) fn of(json: &str) -> Self {
        let mut halves = Vec::new();
        if !json.contains("\\u") {
            return Self(halves);
        }
        let bytes = json.as_bytes();
        let mut at = 0;
        while let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
            at += next;
            match unit(bytes, at) {
                Some(0xd800..=0xdbff) if matches!(unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => at += 12,
                Some(0xd800..=0xdfff) => {
                    halves.push(at);
                    at += 6;
                }
                _ => at += 2,
            }
        }
        Self(halves)
    }
}

/// The number of the escape `\uXXXX` that begins there.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let hex = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_as_each_library_does() {
        let check = |spelling, expected: &str| {
            assert_eq!(respell("{\"ë\\\"\" :[1.0 ,\"a: b, \\ud83d\u{7f}👋\"]}", spelling), expected);
        };
        check(Spelling::Compact, "{\"ë\\\"\":[1.0,\"a: b, \\ud83d\u{7f}👋\"]}");
        check(Spelling::CompactAscii, r#"{"\u00eb\"":[1.0,"a: b, \ud83d\u007f\ud83d\udc4b"]}"#);
        check(Spelling::Spaced, r#"{"\u00eb\"": [1.0, "a: b, \ud83d\u007f\ud83d\udc4b"]}"#);
        check(Spelling::SpacedLetters, "{\"ë\\\"\": [1.0, \"a: b, \\ud83d\u{7f}👋\"]}");
    }

    #[test]
    fn finds_what_is_no_number() {
        let check = |json: &str, expected: Option<&str>| assert_eq!(without_nan(json).as_deref(), expected);
        check(
            r#"{"a":NaN,"b":[-Infinity,Infinity,-1],"c":"NaN \" NaN"}"#,
            Some(r#"{"a":null,"b":[null,null,-1],"c":"NaN \" NaN"}"#),
        );
        check(r#"{"a":"Infinity","é":-1}"#, None);
    }

    #[test]
    fn finds_half_surrogate_pairs() {
        let check =
            |json: &str, expected: Option<&str>| assert_eq!(without_halves(json).as_deref(), expected);
        check(r#""\ud83d\udc4b \\ud83d""#, None);
        check(r#""\ud83d \udc4b\udc4b é""#, Some(r#""\ufffd \ufffd\ufffd é""#));
    }
}
