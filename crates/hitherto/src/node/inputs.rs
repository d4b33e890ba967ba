//! The node's inputs and credentials, under their documented names.
//! Source: the fields of the node "Redis-Backed Chat Memory" and of its credentials `redisCacheApi` and
//! `redisCacheUrlApi`.

use std::path::PathBuf;

use serde::Deserialize;

use super::NodeError;
use crate::store::redis::RedisOptions;
use crate::ttl::Ttl;

/// What a user sets on the node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Inputs {
    /// The session; empty for a random one.
    pub session_id: String,
    /// Seconds to live, from the newest write on; left out, the session never expires.
    #[serde(rename = "sessionTTL")]
    pub session_ttl: Given,
    /// The key under which the history is kept; `chat_history` if empty.
    pub memory_key: String,
    /// How many of the newest back-and-forth interactions to use; left out, all.
    pub window_size: Given,
}

/// Where Redis is. With a URL, the other fields but the certificates are ignored.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Credentials {
    /// The host; `127.0.0.1` if empty.
    pub redis_cache_host: String,
    /// The port; 6379 if left out.
    pub redis_cache_port: Given,
    /// The user.
    pub redis_cache_user: String,
    /// The password.
    pub redis_cache_pwd: String,
    /// Whether to use TLS. Certificates are verified.
    pub redis_cache_ssl_enabled: bool,
    /// One address with everything in it.
    pub redis_url: String,
    /// A file with the certificate authorities to trust instead of the system's (PEM).
    pub redis_cache_ca_file: Option<PathBuf>,
    /// A file with a client certificate (PEM).
    pub redis_cache_cert_file: Option<PathBuf>,
    /// A file with the client certificate's key (PEM).
    pub redis_cache_key_file: Option<PathBuf>,
}

impl std::fmt::Debug for Credentials {
    /// Without user, password and address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("ssl", &self.redis_cache_ssl_enabled).finish_non_exhaustive()
    }
}

/// A value as a builder sends it: a number, a text, or nothing (an empty text is nothing).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Nothing.
    #[default]
    Nothing,
}

impl From<u32> for Given {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Given {
    /// The whole number from `least` to `most` that this is; `None` for nothing.
    fn whole(
        &self,
        field: &'static str,
        least: u32,
        most: u32,
        must: &'static str,
    ) -> Result<Option<u32>, NodeError> {
        let text = match self {
            Self::Nothing => return Ok(None),
            Self::Number(number) => number.to_string(),
            Self::Text(text) if text.trim().is_empty() => return Ok(None),
            Self::Text(text) => text.trim().to_owned(),
        };
        match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(NodeError::Input { field, value: text, must }),
        }
    }
}

impl Inputs {
    /// The window, in turns.
    pub(super) fn window(&self) -> Result<Option<u32>, NodeError> {
        self.window_size.whole(
            "windowSize",
            1,
            u32::MAX,
            "a whole number from 1, or left out for all messages",
        )
    }

    /// The time to live.
    pub(super) fn ttl(&self) -> Result<Option<Ttl>, NodeError> {
        const MUST: &str = "a whole number of seconds from 1 to 100 years, or left out for never";
        let secs = self.session_ttl.whole("sessionTTL", 1, u32::MAX, MUST)?;
        let wrong = |secs: u32| NodeError::Input { field: "sessionTTL", value: secs.to_string(), must: MUST };
        secs.map(|secs| Ttl::from_secs(secs.into()).map_err(|_| wrong(secs))).transpose()
    }
}

impl Credentials {
    /// How to reach Redis.
    pub(super) fn options(&self) -> Result<RedisOptions, NodeError> {
        let mut options = RedisOptions::new(&self.address()?);
        options.ca.clone_from(&self.redis_cache_ca_file);
        options.client_certificate = match (&self.redis_cache_cert_file, &self.redis_cache_key_file) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (one, _) => {
                let field = if one.is_some() { "redisCacheKeyFile" } else { "redisCacheCertFile" };
                let must = "given: a client certificate and its key belong together";
                return Err(NodeError::Input { field, value: String::new(), must });
            }
        };
        Ok(options)
    }

    fn address(&self) -> Result<String, NodeError> {
        if !self.redis_url.is_empty() {
            return Ok(self.redis_url.clone());
        }
        let scheme = if self.redis_cache_ssl_enabled { "rediss" } else { "redis" };
        let host = match self.redis_cache_host.as_str() {
            "" => "127.0.0.1".to_owned(),
            v6 if v6.contains(':') && !v6.starts_with('[') => format!("[{v6}]"),
            host => host.to_owned(),
        };
        let plain = |char: char| char.is_alphanumeric() || ".-_[]:".contains(char);
        if !host.chars().all(plain) {
            let must = "the name or address of a host";
            return Err(NodeError::Input { field: "redisCacheHost", value: host, must });
        }
        let port = self.redis_cache_port.whole("redisCachePort", 1, 65_535, "a port from 1 to 65535")?;
        let credentials = match (encode(&self.redis_cache_user), encode(&self.redis_cache_pwd)) {
            (user, password) if user.is_empty() && password.is_empty() => String::new(),
            (user, password) => format!("{user}:{password}@"),
        };
        Ok(format!("{scheme}://{credentials}{host}:{}", port.unwrap_or(6379)))
    }
}

/// Percent-encodes all but the characters that stand for themselves everywhere in a URL.
fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(json: &str) -> Inputs {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_may_be_texts() {
        let check = |json: &str, window, ttl: Option<u64>| {
            let inputs = inputs(json);
            assert_eq!(inputs.window().unwrap(), window, "{json}");
            assert_eq!(inputs.ttl().unwrap().map(|ttl| ttl.as_millis() / 1000), ttl, "{json}");
        };
        check("{}", None, None);
        check(r#"{"windowSize":3,"sessionTTL":60}"#, Some(3), Some(60));
        check(r#"{"windowSize":"3","sessionTTL":" 60 "}"#, Some(3), Some(60));
        check(r#"{"windowSize":"","sessionTTL":null}"#, None, None);
        check(r#"{"windowSize":3.0}"#, Some(3), None);
    }

    #[test]
    fn addresses() {
        let check = |json: &str, expected: &str| {
            let credentials: Credentials = serde_json::from_str(json).unwrap();
            assert_eq!(credentials.address().unwrap(), expected, "{json}");
        };
        check("{}", "redis://127.0.0.1:6379");
        check(r#"{"redisCacheHost":"r.example","redisCachePort":"6380"}"#, "redis://r.example:6380");
        check(
            r#"{"redisCacheUser":"u@x","redisCachePwd":"p:/?"}"#,
            "redis://u%40x:p%3A%2F%3F@127.0.0.1:6379",
        );
        check(r#"{"redisCachePwd":"p","redisCacheSslEnabled":true}"#, "rediss://:p@127.0.0.1:6379");
        check(r#"{"redisCacheHost":"::1"}"#, "redis://[::1]:6379");
        check(r#"{"redisUrl":"redis://a:1","redisCacheHost":"b"}"#, "redis://a:1");
        let bad: Credentials = serde_json::from_str(r#"{"redisCachePort":"70000"}"#).unwrap();
        assert!(bad.address().unwrap_err().to_string().contains("redisCachePort"));
        let bad: Credentials = serde_json::from_str(r#"{"redisCacheHost":"a/b@c"}"#).unwrap();
        assert!(bad.address().is_err());
    }
}
