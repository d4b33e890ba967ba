//! From the name of a key to the session that it belongs to, and back.

use super::{Layout, Shape, scope};

impl Layout {
    /// A glob for `SCAN` that all its keys match; others may, too.
    pub fn pattern(&self) -> String {
        let (head, tail) = self.profile.around;
        let escaped = |text: &str| {
            text.chars().fold(String::new(), |mut out, char| {
                if matches!(char, '*' | '?' | '[' | ']' | '\\' | '^') {
                    out.push('\\');
                }
                out.push(char);
                out
            })
        };
        format!("{}{}*{}", escaped(&self.prefix), escaped(head), escaped(tail))
    }

    /// The session that a key belongs to, by its name alone; `None` if it is none of this layout's. In a layout of
    /// hashes the name does not say.
    pub fn session(&self, key: &str) -> Option<String> {
        // Hitherto's own keys may lie in the same Redis.
        if key.starts_with("hitherto:") {
            return None;
        }
        if self.profile.name == "agent-framework" {
            return scope::session(key.strip_prefix(self.prefix.as_str())?);
        }
        let (head, tail) = self.profile.around;
        let id = key.strip_prefix(self.prefix.as_str())?.strip_prefix(head)?.strip_suffix(tail)?;
        match self.profile.shape {
            Shape::Documents { hashes: false } => id.rsplit_once(':').map(|(id, _)| id.to_owned()),
            _ => Some(id.to_owned()),
        }
        .filter(|id| !id.is_empty())
    }

    /// The key in which a session is found that was never anywhere else.
    pub fn key(&self, session: &str) -> String {
        if self.profile.name == "agent-framework" {
            return scope::key(&self.prefix, session);
        }
        let (head, tail) = self.profile.around;
        format!("{}{head}{session}{tail}", self.prefix)
    }

    /// The key with the text that a name in an index stands for.
    pub fn indexed(&self, session: &str, name: &str) -> String {
        match self.profile.name {
            "mastra" => format!("mastra_messages:threadId:{session}:id:{name}"),
            _ => format!("{}runs:{name}", self.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Profile;

    #[test]
    fn keys_and_sessions_name_each_other() {
        let check = |name: &str, key: &str, session: Option<&str>| {
            let layout = Layout::named(name).unwrap();
            assert_eq!(layout.session(key).as_deref(), session, "{name} {key}");
            assert!(session.is_none() || super::super::matches(layout.pattern().as_bytes(), key.as_bytes()));
        };
        check("langchain-js", "tenant:42/zoë {a} 1", Some("tenant:42/zoë {a} 1"));
        check("n8n", "s__Redis_Chat_Memory", Some("s__Redis_Chat_Memory"));
        check("flowise", "hitherto:{x}:log", None);
        check("langchain-python", "message_store:s", Some("s"));
        check("langchain-python", "s", None);
        check("langchain-python", "message_store:", None);
        check("openai-agents", "agents:session:a:messages:messages", Some("a:messages"));
        check("openai-agents", "agents:session:a", None);
        check("motorhead", "session:a:b", Some("a:b"));
        check("mastra", "thread:t:1:messages", Some("t:1"));
        check("ai-sdk-tools", "memory:msg:chat:s", Some("s"));
        check("agno", "agno:runs:by_session:s", Some("s"));
        check("langchain-redis", "chat:a:b:01M8", Some("a:b"));
        check("langchain-redis", "chat:s:1795365199.65", Some("s"));
        check("agent-framework", "chat_messages:s", Some("s"));
        check("agent-framework", "chat_messages|v2|~none|a|~none|m|s", Some("~none|a|~none|m|s"));
    }

    #[test]
    fn a_default_key_is_read_as_its_session() {
        for name in Profile::NAMES {
            let layout = Layout::named(name).unwrap();
            if !matches!(layout.profile.shape, Shape::Documents { .. }) {
                assert_eq!(layout.session(&layout.key("a b:c")).as_deref(), Some("a b:c"), "{name}");
            }
        }
    }
}
