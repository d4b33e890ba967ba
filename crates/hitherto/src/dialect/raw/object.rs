//! Objects and lists in a JSON text, found without reading what is in them.
//!
//! Invariant: a text is parsed once; of the values in it only the ends are looked for, whatever their depth.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::{Fields, Raw, is_key, text};

/// The fields of an object, as they stand in its text.
#[derive(Debug, Default, Clone)]
pub(in crate::dialect) struct Object<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Object<'a> {
    /// The object that this text is; `None` for any other text.
    pub(in crate::dialect) fn parse(text: &'a str) -> Option<Self> {
        let is_object = text.trim_ascii_start().starts_with('{');
        (is_object && serde_json::from_str::<IgnoredAny>(text).is_ok()).then(|| Self::read(text)).flatten()
    }

    /// The same of a text that is known to be JSON: a value out of one that was parsed, which need not be read again.
    pub(in crate::dialect) fn read(text: &'a str) -> Option<Self> {
        let mut scan = Scan { text, at: 0 };
        if scan.next() != Some(b'{') {
            return None;
        }
        let mut fields = Vec::with_capacity(8);
        // Keys are not decoded: one with half a surrogate pair is no reason to refuse the rest.
        loop {
            match scan.next()? {
                b'}' => return Some(Self(fields)),
                b',' => {}
                b'"' => {
                    scan.at -= 1;
                    let key = scan.value()?;
                    scan.next().filter(|byte| *byte == b':')?;
                    fields.push((key, scan.value()?));
                }
                _ => return None,
            }
        }
    }

    /// The value of a field, `null` included; the last one where a name stands twice, as in every client.
    pub(in crate::dialect) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(key, _)| is_key(key, name)).map(|(_, value)| *value)
    }

    /// The value of a field that is not null.
    pub(in crate::dialect) fn some(&self, name: &str) -> Option<&'a str> {
        self.get(name).filter(|value| *value != "null")
    }

    /// The value of a field that is a string, with its quotation marks.
    pub(in crate::dialect) fn string(&self, name: &str) -> Option<&'a str> {
        self.get(name).filter(|value| value.starts_with('"'))
    }

    /// The text of a field that is a string.
    pub(in crate::dialect) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.string(name).map(text)
    }

    /// The elements of a field that is a list.
    pub(in crate::dialect) fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        self.get(name).and_then(list)
    }

    /// The fields of a field that is an object.
    pub(in crate::dialect) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name).filter(|value| value.starts_with('{')).and_then(Object::read)
    }

    /// Whether the field is there and not null.
    pub(in crate::dialect) fn has(&self, name: &str) -> bool {
        self.some(name).is_some()
    }

    /// The fields but for these and for nulls.
    pub(in crate::dialect) fn without(&self, names: &[&str]) -> Fields<'a> {
        let known = |key: &str| names.iter().any(|name| is_key(key, name));
        let others = self.0.iter().filter(|(key, value)| *value != "null" && !known(key));
        others.map(|(key, value)| (Raw::Borrowed(*key), Raw::Borrowed(*value))).collect()
    }
}

/// The elements of a list in a text that is known to be JSON.
pub(in crate::dialect) fn list(text: &str) -> Option<Vec<&str>> {
    let mut scan = Scan { text, at: 0 };
    if scan.next() != Some(b'[') {
        return None;
    }
    let mut elements = Vec::new();
    loop {
        match scan.next()? {
            b']' => return Some(elements),
            b',' => {}
            _ => {
                scan.at -= 1;
                elements.push(scan.value()?);
            }
        }
    }
}

/// Finds where values end in a text that is known to be JSON. Of any other text it finds something, or nothing.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// The next byte that is no white space, which is then behind.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let spaces = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))?;
        self.at += spaces + 1;
        rest.get(spaces).copied()
    }

    /// The next value, which is then behind.
    fn value(&mut self) -> Option<&'a str> {
        let first = self.next()?;
        let begin = self.at - 1;
        match first {
            b'"' => self.end_of_string()?,
            b'{' | b'[' => self.end_of_nest()?,
            _ => {
                let rest = self.text.as_bytes().get(self.at..)?;
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        self.text.get(begin..self.at)
    }

    /// Goes behind the closing mark of the string whose opening mark is behind.
    fn end_of_string(&mut self) -> Option<()> {
        loop {
            let rest = self.text.get(self.at..)?;
            // The library looks for one byte many times faster than a loop does for one of two.
            let mark = rest.find('"')?;
            self.at += mark + 1;
            let before = rest.as_bytes().get(..mark)?;
            let escapes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
            if escapes % 2 == 0 {
                return Some(());
            }
        }
    }

    /// Goes behind the bracket that closes the one that is behind.
    fn end_of_nest(&mut self) -> Option<()> {
        let mut depth = 1_usize;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let stop = rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?;
            self.at += stop + 1;
            match rest.get(stop)? {
                b'"' => self.end_of_string()?,
                b'{' | b'[' => depth += 1,
                _ => depth -= 1,
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}
