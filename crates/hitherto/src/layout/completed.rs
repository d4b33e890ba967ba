//! What a message that was translated into a layout lacks there: ids and times that its programs give.
//!
//! Invariant: what a message has already stays as it is.

use bytes::Bytes;

use super::Layout;
use crate::message::{field, replace_field};
use crate::store::Seq;
use crate::time::Timestamp;

/// The digits of a ULID.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Layout {
    /// The message with all that clients of the layout need; `seq` and `made` are its place and time in `session`.
    pub fn completed(&self, session: &str, payload: Bytes, seq: Seq, made: Timestamp) -> Bytes {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let millis = made.as_millis();
        // Messages of one append share a millisecond; this keeps them in order.
        let within = seq.saturating_sub(1) % 1000;
        let precise = format!("{}.{:03}{within:03}", millis.div_euclid(1000), millis.rem_euclid(1000));
        // The last stands first: each is put in front.
        let fields: Vec<(&str, String)> = match self.profile().name {
            "mastra" => vec![
                ("_index", within.to_string()),
                ("resourceId", text(session)),
                ("threadId", text(session)),
                ("createdAt", text(&made.to_string())),
                ("id", text(&format!("{session}-{seq}"))),
            ],
            "redisvl" => vec![
                ("timestamp", text(&precise)),
                ("session_tag", text(session)),
                ("entry_id", text(&format!("{session}:{precise}:{:08x}", seq & 0xffff_ffff))),
            ],
            "langchain-redis" => vec![
                ("timestamp", precise),
                ("session_id", text(session)),
                ("message_id", text(&ulid(millis, seq))),
            ],
            "ai-sdk-tools" => vec![("timestamp", millis.to_string()), ("chatId", text(session))],
            _ => return payload,
        };
        let mut payload = payload;
        for (name, value) in fields {
            if field(&payload, name).is_none() {
                payload = replace_field(&payload, name, value.as_bytes()).into();
            }
        }
        payload
    }
}

/// An id that is ordered by its time, then by its place.
fn ulid(millis: i64, seq: Seq) -> String {
    let bits = u128::from(millis.unsigned_abs() & 0xffff_ffff_ffff) << 80 | u128::from(seq);
    let digit = |shift: u32| {
        let value = usize::try_from(bits >> shift & 31).unwrap_or(0);
        char::from(DIGITS.get(value).copied().unwrap_or(b'0'))
    };
    (0..26).rev().map(|place| digit(place * 5)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_put_in_and_no_more() {
        let made = Timestamp::from_millis(1_735_689_601_005);
        let check = |name: &str, payload: &'static str, expected: &str| {
            let layout = Layout::named(name).unwrap();
            let found = layout.completed("s", payload.into(), 3, made);
            assert_eq!(String::from_utf8(found.to_vec()).unwrap(), expected);
        };
        check("openai-agents", "{}", "{}");
        check(
            "ai-sdk-tools",
            r#"{"role":"user"}"#,
            r#"{"chatId":"s","timestamp":1735689601005,"role":"user"}"#,
        );
        check("ai-sdk-tools", r#"{"chatId":"x","timestamp":1}"#, r#"{"chatId":"x","timestamp":1}"#);
        check(
            "redisvl",
            r#"{"role":"user"}"#,
            r#"{"entry_id":"s:1735689601.005002:00000003","session_tag":"s","timestamp":"1735689601.005002","role":"user"}"#,
        );
        check(
            "langchain-redis",
            "{}",
            r#"{"message_id":"01JGFJJZZD0000000000000003","session_id":"s","timestamp":1735689601.005002}"#,
        );
        assert!(ulid(1_735_689_601_005, 2) < ulid(1_735_689_601_005, 3));
    }
}
