//! The parts of a path, and taking percent-encoding away.

use axum::http::Uri;
use hitherto::Seq;

use super::fields::MAX_NUMBER;
use super::problem::{Code, Problem};

/// The sequence number of a path `/v1/sessions/{id}/messages/{seq}`.
pub(super) fn seq(uri: &Uri) -> Result<Seq, Problem> {
    segment(uri, 5).parse().ok().filter(|seq| (1..=MAX_NUMBER).contains(seq)).ok_or_else(|| {
        Problem::new(Code::InvalidParameter, format!("a sequence number is from 1 to {MAX_NUMBER}"))
    })
}

/// The part of a path at that index, as it came; the part before the first slash has index 0.
pub(super) fn segment(uri: &Uri, index: usize) -> &str {
    uri.path().split('/').nth(index).unwrap_or_default()
}

/// Takes percent-encoding away; `None` for what is no encoding or not UTF-8. In a query a plus is a space.
pub(super) fn decode(text: &str, plus: bool) -> Option<std::borrow::Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(text.into());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'+' if plus => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(decode(text, false).as_deref(), expected);
        check("plain", Some("plain"));
        check("a%2Fb%2fc", Some("a/b/c"));
        check("%E6%97%A5", Some("日"));
        check("日", Some("日"));
        check("%00+%25", Some("\0+%"));
        check("%", None);
        check("%2", None);
        check("%zz", None);
        check("%+1", None);
        check("%ff", None);
        assert_eq!(decode("a+b%2B", true).as_deref(), Some("a b+"));
    }
}
