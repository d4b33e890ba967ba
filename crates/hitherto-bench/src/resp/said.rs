//! What is pushed and read: the corpus as LangChain.js stores it, in sessions whose newest message is at the head.

use crate::corpus::{Corpus, session_name};

use super::wire;

/// How many messages a read is of.
pub(super) const ASKED: u64 = 20;

/// Elements by session and sequence number (1, 2, 3 …). Odd ones are a person's, even ones the model's.
pub(super) struct Elements(Corpus);

impl Default for Elements {
    fn default() -> Self {
        Elements(Corpus::new())
    }
}

impl Elements {
    /// What message `seq` of a session is stored as.
    pub(super) fn element(&self, session: usize, seq: u64) -> String {
        let message = self.0.message(session, seq);
        let kind = if message.role == "user" { "human" } else { "ai" };
        let content = serde_json::to_string(&message.content).unwrap();
        format!(
            r#"{{"type":"{kind}","data":{{"content":{content},"additional_kwargs":{{}},"response_metadata":{{}}}}}}"#
        )
    }

    /// The push of one message. A session's load pushes its first exchange again and again.
    pub(super) fn push(&self, session: usize, seq: u64) -> Vec<u8> {
        let element = self.element(session, 2 - seq % 2);
        wire::command(&[b"LPUSH", session_name(session).as_bytes(), element.as_bytes()])
    }

    /// The push of all messages that a session holds before a load.
    pub(super) fn fill(&self, session: usize, seeded: u64) -> Vec<u8> {
        let key = session_name(session);
        let elements: Vec<String> = (1..=seeded).map(|seq| self.element(session, seq)).collect();
        let mut words: Vec<&[u8]> = vec![b"LPUSH", key.as_bytes()];
        words.extend(elements.iter().map(String::as_bytes));
        wire::command(&words)
    }

    /// The reply to a read of the newest [`ASKED`] of so many, the newest first.
    pub(super) fn newest(&self, session: usize, seeded: u64) -> Vec<u8> {
        let seqs = (seeded + 1 - ASKED..=seeded).rev();
        let elements: Vec<String> = seqs.map(|seq| self.element(session, seq)).collect();
        wire::list(&elements.iter().map(String::as_bytes).collect::<Vec<_>>())
    }
}

/// A read from the head to that position.
pub(super) fn range(session: usize, stop: &str) -> Vec<u8> {
    wire::command(&[b"LRANGE", session_name(session).as_bytes(), b"0", stop.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_what_langchain_stores() {
        let elements = Elements::default();
        for (seq, kind, chars) in [(1, "human", 200), (2, "ai", 600)] {
            let element: serde_json::Value = serde_json::from_str(&elements.element(3, seq)).unwrap();
            assert_eq!(element["type"], kind);
            assert_eq!(element["data"]["content"].as_str().unwrap().chars().count(), chars);
            assert!(element["data"]["additional_kwargs"].is_object());
        }
    }

    #[test]
    fn a_load_pushes_the_first_exchange_again_and_again() {
        let elements = Elements::default();
        assert_eq!(elements.push(3, 1), elements.push(3, 201));
        assert_eq!(elements.push(3, 2), elements.push(3, 100));
        let push = String::from_utf8(elements.push(3, 1)).unwrap();
        assert!(push.starts_with("*3\r\n$5\r\nLPUSH\r\n$9\r\nchat-0003\r\n$"), "{push}");
    }

    #[test]
    fn a_read_gives_the_newest_first() {
        let elements = Elements::default();
        let reply = String::from_utf8(elements.newest(5, 200)).unwrap();
        let newest = elements.element(5, 200);
        assert!(reply.starts_with(&format!("*20\r\n${}\r\n{newest}\r\n", newest.len())), "{reply}");
        assert!(reply.ends_with(&format!("{}\r\n", elements.element(5, 181))), "{reply}");
    }

    #[test]
    fn a_session_is_filled_with_one_push_oldest_first() {
        let fill = String::from_utf8(Elements::default().fill(5, 20)).unwrap();
        assert!(fill.starts_with("*22\r\n$5\r\nLPUSH\r\n$9\r\nchat-0005\r\n$"), "{fill}");
        assert_eq!(range(5, "-1"), b"*4\r\n$6\r\nLRANGE\r\n$9\r\nchat-0005\r\n$1\r\n0\r\n$2\r\n-1\r\n");
    }
}
