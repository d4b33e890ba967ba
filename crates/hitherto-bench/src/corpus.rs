//! What is said in the measurements: exchanges of 200 + 600 characters.
//!
//! The text has what real text has and a serialiser has to care about: quotes, line ends, backslashes, letters
//! beyond ASCII. It depends only on the session and the sequence number, so that any answer can be checked
//! against what must be there without keeping a copy.

use serde::Serialize;

const USER_CHARS: usize = 200;
const ASSISTANT_CHARS: usize = 600;
const TEXTS: usize = 64;
const TTL_SECS: u64 = 3600;

const WORDS: &[&str] = &[
    "the",
    "booking",
    "for",
    "Zoë",
    "was",
    "moved",
    "to",
    "Tuesday,",
    "and",
    "she",
    "said",
    "\"that",
    "works\".",
    "Could",
    "you",
    "check",
    "whether",
    "the",
    "café",
    "in",
    "Kraków",
    "still",
    "has",
    "a",
    "table",
    "at",
    "19:30?",
    "Otherwise",
    "we",
    "take",
    "the",
    "train",
    "→",
    "Zürich",
    "on",
    "Friday.\n",
    "The",
    "price",
    "is",
    "€ 48.50",
    "per",
    "person;",
    "see",
    "C:\\trips\\2026",
    "or",
    "ask",
    "东京",
    "office.",
    "Thanks",
    "🙂",
    "I",
    "will",
    "send",
    "the",
    "list",
    "today.\n-",
    "passport\n-",
    "tickets",
    "naïve",
    "question:",
    "does",
    "it",
    "rain?",
];

#[derive(Serialize)]
struct Said<'a> {
    role: &'a str,
    content: &'a str,
}

/// One message: its text, and the same as a JSON object.
pub(crate) struct Message {
    pub(crate) role: &'static str,
    pub(crate) content: String,
    pub(crate) json: String,
}

/// All that is ever said. Odd sequence numbers are the user's, even ones the assistant's.
pub(crate) struct Corpus {
    users: Vec<Message>,
    assistants: Vec<Message>,
}

impl Corpus {
    pub(crate) fn new() -> Self {
        let messages = |role, chars| (0..TEXTS).map(|index| message(role, chars, index)).collect();
        Corpus { users: messages("user", USER_CHARS), assistants: messages("assistant", ASSISTANT_CHARS) }
    }

    /// What message `seq` (1, 2, 3 …) of a session says, if it was seeded.
    pub(crate) fn message(&self, session: usize, seq: u64) -> &Message {
        let messages = if seq % 2 == 1 { &self.users } else { &self.assistants };
        let exchange = (seq - 1) / 2;
        &messages[(session * 7 + exchange as usize) % TEXTS]
    }

    /// What a session's load appends, again and again: its first exchange.
    pub(crate) fn appended(&self, session: usize, seq: u64) -> &Message {
        self.message(session, 2 - seq % 2)
    }

    /// The body of an append of messages `from` to `to`, in the shape of the HTTP API.
    pub(crate) fn body(&self, session: usize, from: u64, to: u64) -> String {
        let messages: Vec<&str> = (from..=to).map(|seq| self.message(session, seq).json.as_str()).collect();
        format!(r#"{{"messages":[{}],"ttl_secs":{TTL_SECS}}}"#, messages.join(","))
    }
}

/// The name of a session, as it stands in a path.
pub(crate) fn session_name(session: usize) -> String {
    format!("chat-{session:04}")
}

fn message(role: &'static str, chars: usize, index: usize) -> Message {
    let mut content = String::new();
    let mut length = 0;
    for word in WORDS.iter().cycle().skip(index * 5) {
        for letter in word.chars().chain([' ']) {
            content.push(letter);
            length += 1;
            if length == chars {
                let json = serde_json::to_string(&Said { role, content: &content }).unwrap();
                return Message { role, content, json };
            }
        }
    }
    unreachable!("the words repeat without end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_has_200_and_600_characters() {
        let corpus = Corpus::new();
        for seq in [1, 2, 199, 200] {
            let message = corpus.message(17, seq);
            let (role, chars) = if seq % 2 == 1 { ("user", 200) } else { ("assistant", 600) };
            assert_eq!((message.role, message.content.chars().count()), (role, chars));
        }
        assert_ne!(corpus.message(17, 1).content, corpus.message(17, 3).content);
        assert_ne!(corpus.message(17, 1).content, corpus.message(18, 1).content);
    }

    #[test]
    fn a_body_is_json_in_the_shape_of_the_api() {
        let body: serde_json::Value = serde_json::from_str(&Corpus::new().body(3, 1, 4)).unwrap();
        assert_eq!(body["messages"].as_array().unwrap().len(), 4);
        assert_eq!(body["messages"][1]["role"], "assistant");
        assert_eq!(body["ttl_secs"], 3600);
    }
}
