//! The keys of Microsoft's Agent Framework: `<prefix>|v2|<tenant>|<application>|<agent>|<source>|<session>`, where a
//! segment that is not plain is written as `~redis-<kind>-` and the base32 of its UTF-8; and the older
//! `<prefix>:<session>`.

/// What an absent segment is written as.
const NONE: &str = "~none";
/// What base32 counts with, in lower case and without padding.
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The session of a key without its prefix. Where a tenant or an agent is named, too, the session is named after all
/// five, so that two of them never become one.
pub(super) fn session(rest: &str) -> Option<String> {
    if let Some(session) = rest.strip_prefix(':') {
        return Some(session.to_owned()).filter(|session| !session.is_empty());
    }
    let segments: Vec<&str> = rest.strip_prefix("|v2|")?.split('|').collect();
    let [tenant, _, agent, _, session] = segments.as_slice() else { return None };
    if *tenant == NONE && *agent == NONE {
        return Some(plain(session)).filter(|session| !session.is_empty());
    }
    let all: Vec<String> = segments
        .iter()
        .map(|segment| if *segment == NONE { String::new() } else { plain(segment) })
        .collect();
    Some(all.join("|"))
}

/// The older key, which needs nothing but the session.
pub(super) fn key(prefix: &str, session: &str) -> String {
    format!("{prefix}:{session}")
}

/// A segment as it was before it was written; one that cannot be turned back, a hash, stays as it is.
fn plain(segment: &str) -> String {
    let coded = segment.strip_prefix("~redis-").and_then(|rest| rest.split_once('-')).map(|(_, coded)| coded);
    coded.and_then(decode).unwrap_or_else(|| segment.to_owned())
}

fn decode(coded: &str) -> Option<String> {
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut out = Vec::with_capacity(coded.len() * 5 / 8);
    for byte in coded.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        bits = (bits << 5 | u32::try_from(digit).ok()?) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_turned_back() {
        let check = |rest: &str, expected: Option<&str>| assert_eq!(session(rest).as_deref(), expected);
        check(
            "|v2|~none|app|~none|redis_memory|~redis-session-orsw4ylooq5dimrppjx4hkzapnqx2ibr",
            Some("tenant:42/zoë {a} 1"),
        );
        check(
            "|v2|~redis-tenant-krsw4ylooq5dc|app|~redis-agent-mftwk3tuf4yq|redis_memory|s",
            Some("Tenant:1|app|agent/1|redis_memory|s"),
        );
        check(":thread_1", Some("thread_1"));
        check(":", None);
        check("|v2|a|b", None);
    }
}
