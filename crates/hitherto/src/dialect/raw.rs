//! JSON as text: looking into it and putting it together without reading strings or numbers.
//!
//! Invariant: everything here goes once over its text and keeps no stack, so no depth and no length is a danger;
//! half surrogate pairs and digits pass through as they came.

mod object;
mod spelling;
mod writer;

use std::borrow::Cow;

pub(super) use object::{Object, list};
pub(super) use spelling::{Spelling, respell, same, without_halves, without_nan};
pub(super) use writer::Writer;

use spelling::Halves;

use crate::message::{decode_string, push_string};

/// A piece of JSON text.
pub(super) type Raw<'a> = Cow<'a, str>;

/// Fields of an object in order: the key with its quotation marks, and the value.
pub(super) type Fields<'a> = Vec<(Raw<'a>, Raw<'a>)>;

/// How deep arrays and objects may lie in each other: what `serde_json` reads, and most clients with it.
const DEPTH: usize = 127;

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

/// Whether arrays and objects lie deeper in each other than readers follow.
pub(super) fn is_too_deep(json: &[u8]) -> bool {
    // Only a text with so many brackets needs a closer look.
    // Both brackets differ from `[` in no bit but this, and sums of bytes are made of many at a time.
    let brackets = |part: &[u8]| part.iter().map(|byte| u8::from(*byte & 0xdf == b'[')).sum::<u8>();
    if json.chunks(255).map(|part| usize::from(brackets(part))).sum::<usize>() <= DEPTH {
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
    fn half_a_pair_stays_an_escape() {
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
