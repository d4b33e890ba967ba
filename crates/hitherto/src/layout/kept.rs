//! What is kept of a layout beside a session's messages, so that all of it can be written back: a member of the
//! session's metadata, named after the layout.
//!
//! Invariant: the rest of the metadata stays as it is, byte for byte.

use std::time::Duration;

use serde_json::Value as Json;

use super::Key;
use crate::message::{field, replace_field};
use crate::time::Timestamp;

/// What is kept of a layout.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    /// The key of the messages, where the session's id does not say it.
    pub key: Option<String>,
    /// The keys beside it.
    pub keys: Vec<Key>,
}

impl Kept {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.key.is_none() && self.keys.is_empty()
    }

    /// What a session's metadata has of that layout.
    pub fn read(metadata: &str, layout: &str, now: Timestamp) -> Option<Self> {
        let raw: Json = serde_json::from_str(field(metadata.as_bytes(), layout)?).ok()?;
        let key = raw.get("key").and_then(Json::as_str).map(str::to_owned);
        let keys = raw.get("keys").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let keys = keys.iter().filter_map(|json| {
            let mut key = Key::of(json).ok()?;
            if let Some(ends) = json.get("expires_at").and_then(Json::as_str) {
                let left = Timestamp::parse_rfc3339(ends)?.as_millis() - now.as_millis();
                // What has ended since is not brought back.
                key.ttl = Some(Duration::from_millis(u64::try_from(left).ok().filter(|left| *left > 0)?));
            }
            Some(key)
        });
        Some(Self { key, keys: keys.collect() })
    }

    /// The metadata with this in it.
    pub fn put(&self, metadata: Option<&str>, layout: &str, now: Timestamp) -> String {
        let mut json = b"{".to_vec();
        if let Some(key) = &self.key {
            json.extend_from_slice(b"\"key\":");
            super::dump::text_json(key.as_bytes(), &mut json);
        }
        if !self.keys.is_empty() {
            json.extend_from_slice(if self.key.is_some() { b",\"keys\":[" } else { b"\"keys\":[" });
            for (index, key) in self.keys.iter().enumerate() {
                if index > 0 {
                    json.push(b',');
                }
                let forever = Key { ttl: None, ..key.clone() };
                forever.write_json(&mut json);
                if let Some(ttl) = key.ttl {
                    json.pop();
                    let left = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
                    let ends = Timestamp::from_millis(now.as_millis().saturating_add(left));
                    json.extend_from_slice(format!(",\"expires_at\":\"{ends}\"}}").as_bytes());
                }
            }
            json.push(b']');
        }
        json.push(b'}');
        let all = replace_field(metadata.unwrap_or("{}").as_bytes(), layout, &json);
        String::from_utf8(all).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Value;

    #[test]
    fn what_is_kept_comes_back_and_the_rest_stays() {
        let now = Timestamp::from_millis(1_795_365_307_000);
        let key = |name: &'static str, secs: Option<u64>, value| Key {
            name: name.into(),
            ttl: secs.map(Duration::from_secs),
            value,
        };
        let kept = Kept {
            key: Some("chat|v2".to_owned()),
            keys: vec![
                key("h", None, Value::Hash(vec![("a".into(), "1".into())])),
                key("s", Some(60), Value::Text(vec![0xff].into())),
            ],
        };
        let metadata = kept.put(Some(r#"{ "a" : 1.0 }"#), "motorhead", now);
        assert!(metadata.ends_with(r#", "a" : 1.0 }"#), "{metadata}");
        assert_eq!(Kept::read(&metadata, "motorhead", now), Some(kept.clone()));
        assert_eq!(Kept::read(&metadata, "mastra", now), None);
        let later = Timestamp::from_millis(now.as_millis() + 61_000);
        assert_eq!(Kept::read(&metadata, "motorhead", later).unwrap().keys.len(), 1);
        assert_eq!(kept.put(Some(&metadata), "motorhead", now), metadata);
        let none = Kept::default();
        assert_eq!(Kept::read(&none.put(None, "mastra", now), "mastra", now), Some(none));
    }
}
