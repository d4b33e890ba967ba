//! Replies into bytes, of the second or the third version of the protocol.

use crate::digits;
use crate::keyspace::Reply;

/// Appends a reply as the version of the protocol writes it.
pub(super) fn write(out: &mut Vec<u8>, reply: &Reply, protocol: u8) {
    match reply {
        Reply::Word(word) => line(out, b'+', word.as_bytes()),
        Reply::Error(text) => line(out, b'-', text.as_bytes()),
        Reply::Int(number) => count(out, b':', *number),
        Reply::Bulk(bytes) => {
            count(out, b'$', signed(bytes.len()));
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
        Reply::Null | Reply::NullList if protocol == 3 => out.extend_from_slice(b"_\r\n"),
        Reply::Null => out.extend_from_slice(b"$-1\r\n"),
        Reply::NullList => out.extend_from_slice(b"*-1\r\n"),
        Reply::List(all) => {
            count(out, b'*', signed(all.len()));
            for one in all {
                write(out, one, protocol);
            }
        }
        Reply::Map(pairs) => {
            match protocol {
                3 => count(out, b'%', signed(pairs.len())),
                _ => count(out, b'*', signed(pairs.len() * 2)),
            }
            for (key, value) in pairs {
                write(out, key, protocol);
                write(out, value, protocol);
            }
        }
    }
}

fn line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    // A line ends at the first break, whatever stands in it.
    out.extend(text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n");
}

fn count(out: &mut Vec<u8>, kind: u8, number: i64) {
    out.push(kind);
    if number < 0 {
        out.push(b'-');
    }
    digits::push(out, number.unsigned_abs());
    out.extend_from_slice(b"\r\n");
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions() {
        let check = |reply: Reply, two: &str, three: &str| {
            for (protocol, expected) in [(2, two), (3, three)] {
                let mut out = Vec::new();
                write(&mut out, &reply, protocol);
                assert_eq!(String::from_utf8(out).unwrap(), expected, "{reply:?}");
            }
        };
        let same = |reply: Reply, text: &str| check(reply, text, text);
        same(Reply::OK, "+OK\r\n");
        same(Reply::error("ERR two\r\nlines"), "-ERR two  lines\r\n");
        for (number, text) in [
            (0, ":0\r\n"),
            (-7, ":-7\r\n"),
            (i64::MAX, ":9223372036854775807\r\n"),
            (i64::MIN, ":-9223372036854775808\r\n"),
        ] {
            same(Reply::Int(number), text);
        }
        same(Reply::text("é\r\n"), "$4\r\né\r\n\r\n");
        check(Reply::Null, "$-1\r\n", "_\r\n");
        check(Reply::NullList, "*-1\r\n", "_\r\n");
        same(Reply::List(vec![Reply::Int(1), Reply::List(Vec::new())]), "*2\r\n:1\r\n*0\r\n");
        check(
            Reply::Map(vec![(Reply::text("a"), Reply::Int(1))]),
            "*2\r\n$1\r\na\r\n:1\r\n",
            "%1\r\n$1\r\na\r\n:1\r\n",
        );
    }
}
