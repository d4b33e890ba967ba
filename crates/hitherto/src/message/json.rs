//! Looking into the JSON text of a message, and changing one field of it, without printing the rest again.

use std::borrow::Cow;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A raw JSON text as a value; `None` for what is not JSON, which a message in Hitherto's own form never holds.
pub(crate) fn raw(json: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(json.to_owned()).ok()
}

/// Whether the raw value is an object.
pub(crate) fn is_object(raw: &str) -> bool {
    raw.starts_with('{')
}

/// The raw value of one top-level field; the last one where a name stands twice.
pub(crate) fn field<'a>(object: &'a [u8], name: &str) -> Option<&'a str> {
    struct Find<'n>(&'n str);
    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<&'de str>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                if key == self.0 {
                    found = Some(value.get());
                }
            }
            Ok(found)
        }
    }
    serde_json::Deserializer::from_slice(object).deserialize_map(Find(name)).ok().flatten()
}

/// The object with `value` (raw JSON) as that field's value; the field is put first where there was none.
/// An object that cannot be read comes back as it was.
pub(crate) fn replace_field(object: &[u8], name: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(object.len() + name.len() + value.len() + 8);
    if let Some(old) = field(object, name) {
        // The value borrows from the object, so where it stands is the distance between the two.
        let begin = (old.as_ptr() as usize).wrapping_sub(object.as_ptr() as usize);
        if let (Some(head), Some(tail)) = (object.get(..begin), object.get(begin + old.len()..)) {
            out.extend_from_slice(head);
            out.extend_from_slice(value);
            out.extend_from_slice(tail);
            return out;
        }
    }
    let Some(rest) = object.trim_ascii_start().strip_prefix(b"{") else {
        return object.to_vec();
    };
    out.extend_from_slice(object.get(..object.len() - rest.len()).unwrap_or_default());
    push_string(&mut out, name);
    out.push(b':');
    out.extend_from_slice(value);
    if rest.trim_ascii_start().first() != Some(&b'}') {
        out.push(b',');
    }
    out.extend_from_slice(rest);
    out
}

/// The fields of an object as they stand between its braces, but for those of these names that are null.
/// White space around the object is not a part of it.
pub(crate) fn fields_but_nulls<'a>(object: &'a [u8], names: &[&str]) -> Cow<'a, [u8]> {
    struct Others<'n>(&'n [&'n str]);
    impl<'de> Visitor<'de> for Others<'_> {
        /// The others, if any of these is null.
        type Value = Option<Vec<u8>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut others, mut found) = (Vec::new(), false);
            while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                if value.get() == "null" && self.0.contains(&&*key) {
                    found = true;
                    continue;
                }
                if !others.is_empty() {
                    others.push(b',');
                }
                push_string(&mut others, &key);
                others.push(b':');
                others.extend_from_slice(value.get().as_bytes());
            }
            Ok(found.then_some(others))
        }
    }
    // Nearly every message says null nowhere, or only for its content, and is not printed again.
    if std::str::from_utf8(object).is_ok_and(|text| text.contains("null")) {
        let others = serde_json::Deserializer::from_slice(object).deserialize_map(Others(names));
        if let Ok(Some(others)) = others {
            return others.into();
        }
    }
    let object = object.trim_ascii();
    let fields = object.strip_prefix(b"{").unwrap_or(object);
    fields.strip_suffix(b"}").unwrap_or(fields).into()
}

/// The object with a top-level field under another name, and with another value if one is given (raw JSON).
/// An object that has no such field, or cannot be read, comes back as it was.
pub(crate) fn rename_field(object: &[u8], old: &str, new: &str, value: Option<&[u8]>) -> Vec<u8> {
    let Some(raw) = field(object, old) else {
        return object.to_vec();
    };
    let begin = (raw.as_ptr() as usize).wrapping_sub(object.as_ptr() as usize);
    let before = object.get(..begin).unwrap_or_default();
    // Between a key and its value stand a colon and white space, so the last quotation marks are the key's.
    let end = before.iter().rposition(|byte| *byte == b'"');
    let key = end.and_then(|end| Some((before.get(..end)?.iter().rposition(|byte| *byte == b'"')?, end)));
    let (Some((from, to)), Some(after)) = (key, object.get(begin + raw.len()..)) else {
        return object.to_vec();
    };
    let mut out = Vec::with_capacity(object.len() + new.len());
    out.extend_from_slice(before.get(..from).unwrap_or_default());
    push_string(&mut out, new);
    out.extend_from_slice(before.get(to + 1..).unwrap_or_default());
    out.extend_from_slice(value.unwrap_or(raw.as_bytes()));
    out.extend_from_slice(after);
    out
}

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string to a vector cannot fail: neither the text nor the vector refuses anything.
    let _ = serde_json::to_writer(out, text);
}

/// The text of a JSON string, quotes included in `raw`; half surrogate pairs become U+FFFD, and so does
/// an escape that is none.
pub fn decode_string(raw: &str) -> String {
    if let Ok(text) = serde_json::from_str::<String>(raw) {
        return text;
    }
    let inner = raw.strip_prefix('"').unwrap_or(raw);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut units: Vec<u16> = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            units.extend_from_slice(char.encode_utf16(&mut [0; 2]));
            continue;
        }
        units.push(match chars.next() {
            Some('n') => 0x0a,
            Some('t') => 0x09,
            Some('r') => 0x0d,
            Some('b') => 0x08,
            Some('f') => 0x0c,
            Some(same @ ('"' | '\\' | '/')) => u16::try_from(u32::from(same)).unwrap_or(0xfffd),
            Some('u') => {
                let hex: String = chars.by_ref().take(4).collect();
                u16::from_str_radix(&hex, 16).unwrap_or(0xfffd)
            }
            _ => 0xfffd,
        });
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_and_replaces_fields_and_leaves_the_rest_alone() {
        let check = |object: &str, name: &str, value: &str, expected: &str| {
            let out = replace_field(object.as_bytes(), name, value.as_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(r#"{"a":1,"b":"x"}"#, "b", "[2]", r#"{"a":1,"b":[2]}"#);
        check(r#"{ "a" : 1.0e400 , "b":"\ud83d"}"#, "a", "2", r#"{ "a" : 2 , "b":"\ud83d"}"#);
        check(r#"{"a":1}"#, "b", "2", r#"{"b":2,"a":1}"#);
        check("{ }", "b", "2", r#"{"b":2 }"#);
        check("\n {\"a\":1}\n", "b", "2", "\n {\"b\":2,\"a\":1}\n");
        check(r#"{"\u0061":1}"#, "a", "2", r#"{"\u0061":2}"#);
        check("[1]", "a", "2", "[1]");
        assert_eq!(
            field(br#"{"a":{"b":12345678901234567890123}}"#, "a"),
            Some(r#"{"b":12345678901234567890123}"#)
        );
    }

    #[test]
    fn decodes_what_strict_parsers_refuse() {
        let check = |raw: &str, expected: &str| assert_eq!(decode_string(raw), expected);
        check(r#""plain""#, "plain");
        check(r#""half \ud83d emoji""#, "half \u{fffd} emoji");
        check(
            r#""\ude00 other half, whole \ud83d\ude00, nul \u0000, \n\t\"\\\/""#,
            "\u{fffd} other half, whole 😀, nul \0, \n\t\"\\/",
        );
        check(r#""\ud83dé""#, "\u{fffd}é");
    }
}
