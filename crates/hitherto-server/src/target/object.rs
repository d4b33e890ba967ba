//! The members of a JSON object where they stand in its text, so that some can be cut out and all others
//! stay byte for byte.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One member of an object's text.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    /// Its name, decoded.
    pub(crate) name: Cow<'a, str>,
    /// Its value, raw.
    pub(crate) value: &'a str,
    /// Where it stands: from the end of the member before it (or the opening brace) to the end of its value.
    span: Range<usize>,
}

/// The members of the object, in order.
///
/// # Errors
/// If the text is no JSON object.
pub(crate) fn members(object: &str) -> Result<Vec<Member<'_>>, serde_json::Error> {
    struct Collect<'a>(&'a str);
    impl<'de> Visitor<'de> for Collect<'de> {
        type Value = Vec<Member<'de>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            let mut from = self.0.find('{').map_or(0, |brace| brace + 1);
            while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                let value = value.get();
                // The value borrows from the object, so where it stands is the distance between the two.
                let begin = (value.as_ptr() as usize).wrapping_sub(self.0.as_ptr() as usize);
                let to = begin.wrapping_add(value.len());
                members.push(Member { name: name.0, value, span: from..to });
                from = to;
            }
            Ok(members)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let members = deserializer.deserialize_map(Collect(object))?;
    deserializer.end()?;
    Ok(members)
}

/// A name, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The object without the members that `cut` chooses; all others as they stand.
pub(crate) fn without<'a>(
    object: &'a str,
    members: &[Member<'a>],
    mut cut: impl FnMut(&Member<'a>) -> bool,
) -> String {
    let mut out = String::with_capacity(object.len());
    let (Some(first), Some(last)) = (members.first(), members.last()) else {
        return object.to_owned();
    };
    out.push_str(object.get(..first.span.start).unwrap_or_default());
    let mut empty = true;
    for member in members {
        if cut(member) {
            continue;
        }
        let text = object.get(member.span.clone()).unwrap_or_default();
        // A member that becomes the first leaves the comma before it behind; up to its name there is
        // nothing else but space.
        let cut_before = empty && member.span.start != first.span.start;
        match text.split_once(',') {
            Some((space, rest)) if cut_before => {
                out.push_str(space);
                out.push_str(rest);
            }
            _ => out.push_str(text),
        }
        empty = false;
    }
    out.push_str(object.get(last.span.end..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_members_and_leaves_the_rest_alone() {
        let check = |object: &str, cut: &str, expected: &str| {
            let members = members(object).unwrap();
            assert_eq!(without(object, &members, |member| cut.contains(&*member.name)), expected);
        };
        check(r#"{"a":1,"b":2,"c":3}"#, "", r#"{"a":1,"b":2,"c":3}"#);
        check(r#"{"a":1,"b":2,"c":3}"#, "a", r#"{"b":2,"c":3}"#);
        check(r#"{"a":1,"b":2,"c":3}"#, "ab", r#"{"c":3}"#);
        check(r#"{"a":1,"b":2,"c":3}"#, "b", r#"{"a":1,"c":3}"#);
        check(r#"{"a":1,"b":2,"c":3}"#, "bc", r#"{"a":1}"#);
        check(r#"{"a":1,"b":2,"c":3}"#, "abc", "{}");
        check(r#" { "a" : 1.0e400 , "b" : "\ud83d," } "#, "a", r#" {  "b" : "\ud83d," } "#);
        check(
            r#"{"\u0061":[{"b":1}],"b":{"a":12345678901234567890}}"#,
            "a",
            r#"{"b":{"a":12345678901234567890}}"#,
        );
        check(r#"{"a":1,"b":2,"a":3}"#, "a", r#"{"b":2}"#);
        check("{}", "a", "{}");
    }

    #[test]
    fn refuses_what_is_no_object() {
        for text in ["", "[]", "1", "{", r#"{"a":1}x"#, r#"{"a"}"#] {
            assert!(members(text).is_err(), "{text}");
        }
    }
}
