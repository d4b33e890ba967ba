//! Whether a line of a file and a stored message are the same.
//!
//! Bytes are compared first; another program may have written the same values in other bytes, so what
//! differs is compared value by value. Numbers are never rounded on the way: one of 23 digits is not the
//! same as its neighbour.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::line::Line;
use crate::target::{WireMessage, members, without};

/// How deep values are compared; below that only their bytes are.
const DEEPEST: u32 = 64;

/// Whether the message stands in the store already. One that was edited there counts as the same.
pub(crate) fn same(line: &Line, stored: &WireMessage) -> bool {
    if stored.edited {
        return true;
    }
    let own = stored.own_json();
    let Ok(members) = members(&own) else {
        return false;
    };
    // What the line does not have, the store gave: its id comes first and its time comes last.
    let own = without(&own, &members, |member| match &*member.name {
        "id" => !line.has_id,
        "created_at" => !line.has_time,
        _ => false,
    });
    own == line.message.json() || equal(&own, line.message.json(), DEEPEST)
}

/// Whether two JSON values are the same.
fn equal(one: &str, other: &str, depth: u32) -> bool {
    let (one, other) = (one.trim(), other.trim());
    if one == other {
        return true;
    }
    if depth == 0 {
        return false;
    }
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => match (object(one), object(other)) {
            (Some(one), Some(other)) => {
                one.len() == other.len()
                    && one.iter().zip(&other).all(|((name, value), (other_name, other_value))| {
                        name == other_name && equal(value, other_value, depth - 1)
                    })
            }
            _ => false,
        },
        (Some(b'['), Some(b'[')) => match (list(one), list(other)) {
            (Some(one), Some(other)) => {
                one.len() == other.len()
                    && one.iter().zip(&other).all(|(one, other)| equal(one.get(), other.get(), depth - 1))
            }
            _ => false,
        },
        (Some(b'"'), Some(b'"')) => units(one) == units(other),
        (Some(b'-' | b'0'..=b'9'), Some(b'-' | b'0'..=b'9')) => same_number(one, other),
        _ => false,
    }
}

fn object(raw: &str) -> Option<BTreeMap<String, &str>> {
    let members = members(raw).ok()?;
    Some(members.into_iter().map(|member| (member.name.into_owned(), member.value)).collect())
}

fn list(raw: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw).ok()
}

/// The UTF-16 code units of a JSON string: half surrogate pairs, which have no other form, are compared too.
fn units(raw: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(raw.len());
    let inner = raw.strip_prefix('"').unwrap_or(raw);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
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
            Some('u') => {
                let hex: String = chars.by_ref().take(4).collect();
                u16::from_str_radix(&hex, 16).unwrap_or(0xfffd)
            }
            Some(same) => u16::try_from(u32::from(same)).unwrap_or(0xfffd),
            None => 0xfffd,
        });
    }
    units
}

/// Up to 15 digits a double holds exactly; what is longer is the same only if it is written the same.
fn same_number(one: &str, other: &str) -> bool {
    let double = |raw: &str| raw.parse::<f64>().ok().filter(|_| raw.len() <= 15);
    matches!((double(one), double(other)), (Some(one), Some(other)) if one.total_cmp(&other).is_eq())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_and_not_how_they_are_written() {
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!(equal(one, other, DEEPEST), expected, "{one} {other}");
            assert_eq!(equal(other, one, DEEPEST), expected, "{other} {one}");
        };
        check(r#"{"a":1,"b":[true,null]}"#, r#"{ "b" : [ true , null ] , "a" : 1.0 }"#, true);
        check(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false);
        check(r#"{"a":1}"#, r#"{"b":1}"#, false);
        check("[1,2]", "[2,1]", false);
        check(r#""é\/\n😀""#, r#""\u00e9/\u000a\ud83d\ude00""#, true);
        check(r#""\ud83d""#, r#""\uD83D""#, true);
        check(r#""\ud83d""#, r#""\ud83e""#, false);
        check(r#""a\\""#, r#""a\\""#, true);
        check(r#""\"""#, r#""\u0022""#, true);
        check("12345678901234567890123", "12345678901234567890124", false);
        check("1e2", "100", true);
        check("0", "-0", false);
        check("true", "false", false);
        check("1", "\"1\"", false);
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(200_000), "]".repeat(200_000));
        check(&deep(" "), &deep(""), false);
    }
}
