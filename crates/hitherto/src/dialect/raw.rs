//! JSON as text: looking into it and putting it together without reading strings or numbers.
//!
//! Invariant: everything here goes once over its text and keeps no stack, so no depth and no length is a danger;
//! half surrogate pairs and digits pass through as they came.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::message::{decode_string, push_string};

/// A piece of JSON text.
pub(super) type Raw<'a> = Cow<'a, str>;

/// Fields of an object in order: the key with its quotation marks, and the value.
pub(super) type Fields<'a> = Vec<(Raw<'a>, Raw<'a>)>;

/// How deep arrays and objects may lie in each other: what `serde_json` reads, and most clients with it.
const DEPTH: usize = 127;

/// The fields of an object, as they stand in its text.
#[derive(Debug, Default, Clone)]
pub(super) struct Object<'a>(Vec<(&'a str, &'a str)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                // Keys are not decoded either: one with half a surrogate pair is no reason to refuse the rest.
                while let Some((key, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
                    fields.push((key.get(), value.get()));
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(All)
    }
}

impl<'a> Object<'a> {
    /// The object that this text is; `None` for any other text.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The value of a field, `null` included; the last one where a name stands twice, as in every client.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(key, _)| is_key(key, name)).map(|(_, value)| *value)
    }

    /// The value of a field that is not null.
    pub(super) fn some(&self, name: &str) -> Option<&'a str> {
        self.get(name).filter(|value| *value != "null")
    }

    /// The value of a field that is a string, with its quotation marks.
    pub(super) fn string(&self, name: &str) -> Option<&'a str> {
        self.get(name).filter(|value| value.starts_with('"'))
    }

    /// The text of a field that is a string.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.string(name).map(text)
    }

    /// The elements of a field that is a list.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        self.get(name).and_then(list)
    }

    /// The fields of a field that is an object.
    pub(super) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name).filter(|value| value.starts_with('{')).and_then(Object::read)
    }

    /// Whether the field is there and not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.some(name).is_some()
    }

    /// The fields but for these and for nulls.
    pub(super) fn without(&self, names: &[&str]) -> Fields<'a> {
        let known = |key: &str| names.iter().any(|name| is_key(key, name));
        let others = self.0.iter().filter(|(key, value)| *value != "null" && !known(key));
        others.map(|(key, value)| (Raw::Borrowed(*key), Raw::Borrowed(*value))).collect()
    }
}

/// Whether a key, with its quotation marks, is that name.
pub(super) fn is_key(key: &str, name: &str) -> bool {
    let inner = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    inner == name || (inner.contains('\\') && decode_string(key) == name)
}

/// The value of one of these fields.
pub(super) fn find<'f>(fields: &'f Fields<'_>, name: &str) -> Option<&'f str> {
    fields.iter().rev().find(|(key, _)| is_key(key, name)).map(|(_, value)| value.as_ref())
}

/// Takes one of these fields out.
pub(super) fn take<'a>(fields: &mut Fields<'a>, name: &str) -> Option<Raw<'a>> {
    let mut last = None;
    fields.retain_mut(|(key, value)| {
        let found = is_key(key, name);
        if found {
            last = Some(std::mem::take(value));
        }
        !found
    });
    last
}

/// Adds a field.
pub(super) fn keep<'a>(fields: &mut Fields<'a>, name: &str, value: impl Into<Raw<'a>>) {
    fields.push((quote(name).into(), value.into()));
}

/// The elements of a list.
pub(super) fn list(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// The text of a JSON string; half surrogate pairs become U+FFFD.
pub(super) fn text(raw: &str) -> Cow<'_, str> {
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        _ => Cow::Owned(decode_string(raw)),
    }
}

/// The text as a JSON string.
pub(super) fn quote(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

/// What stands in a JSON string, as JSON text itself: like [`text`], but half a surrogate pair stays the escape that
/// it was, which says the same inside a string of that JSON text.
pub(super) fn unquote(raw: &str) -> Cow<'_, str> {
    let halves = Halves::of(raw);
    if halves.0.is_empty() {
        return text(raw);
    }
    let mut doubled = String::with_capacity(raw.len() + 8);
    let mut done = 0;
    for at in halves.0 {
        doubled.push_str(raw.get(done..at).unwrap_or_default());
        doubled.push('\\');
        done = at;
    }
    doubled.push_str(raw.get(done..).unwrap_or_default());
    Cow::Owned(decode_string(&doubled))
}

/// The JSON text with U+FFFD in the place of each half surrogate pair; `None` where there is none.
pub(super) fn without_halves(json: &str) -> Option<String> {
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
struct Halves(Vec<usize>);

impl Halves {
    fn of(json: &str) -> Self {
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

/// How a library spells JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
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
pub(super) fn respell(json: &str, spelling: Spelling) -> String {
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
pub(super) fn same(one: &str, other: &str) -> bool {
    one == other || respell(one, Spelling::CompactAscii) == respell(other, Spelling::CompactAscii)
}

/// The JSON text with `null` for each bare `NaN`, `Infinity` and `-Infinity`, which Python writes and reads and
/// nobody else does; `None` where there is none.
pub(super) fn without_nan(json: &str) -> Option<String> {
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

/// Whether arrays and objects lie deeper in each other than readers follow.
pub(super) fn is_too_deep(json: &[u8]) -> bool {
    // Only a text with so many brackets needs a closer look.
    if json.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() <= DEPTH {
        return false;
    }
    let (mut inside, mut escaped, mut depth) = (false, false, 0_usize);
    for byte in json {
        if inside {
            inside = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => inside = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return true;
        }
    }
    false
}

/// An object that is being written.
#[derive(Debug)]
pub(super) struct Writer(String);

impl Default for Writer {
    fn default() -> Self {
        Self("{".to_owned())
    }
}

impl Writer {
    /// Adds a field; `name` is plain ASCII, `value` JSON text.
    pub(super) fn put(&mut self, name: &str, value: &str) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(value);
        self
    }

    /// The same if there is a value.
    pub(super) fn put_some(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.put(name, value);
        }
        self
    }

    /// Adds fields as they stand.
    pub(super) fn put_all(&mut self, fields: &Fields<'_>) -> &mut Self {
        for (key, value) in fields {
            if self.0.len() > 1 {
                self.0.push(',');
            }
            self.0.push_str(key);
            self.0.push(':');
            self.0.push_str(value);
        }
        self
    }

    /// The whole object.
    pub(super) fn end(&mut self) -> String {
        let mut out = std::mem::replace(&mut self.0, "{".to_owned());
        out.push('}');
        out
    }
}

/// The object of these fields.
pub(super) fn object(fields: &Fields<'_>) -> String {
    Writer::default().put_all(fields).end()
}

/// The list of these elements.
pub(super) fn array<S: AsRef<str>>(elements: impl IntoIterator<Item = S>) -> String {
    let mut out = String::from("[");
    for element in elements {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(element.as_ref());
    }
    out.push(']');
    out
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
        assert_eq!(unquote(r#""{\"x\":\"\ud83d \ud83d\udc4b\"}""#), "{\"x\":\"\\ud83d 👋\"}");
    }

    #[test]
    fn measures_depth() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_too_deep(nested(127).as_bytes()));
        assert!(is_too_deep(nested(128).as_bytes()));
        assert!(!is_too_deep(format!("\"{}\"", "[".repeat(500)).as_bytes()));
        assert!(!is_too_deep("[[],".repeat(500).replace("[[", "[").as_bytes()));
    }
}
