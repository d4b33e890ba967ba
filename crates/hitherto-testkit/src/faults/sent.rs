//! What was sent, and what became of it.
//!
//! Every message says in its own text who sent it, in which of his appends, and which of its messages it is, so what
//! is stored can be read without knowing anything else.

use std::time::Instant;

/// One append: which of whose, and of how many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Append {
    /// Who sent it.
    pub writer: u32,
    /// Which of his: 0, 1, 2 …
    pub number: u32,
    /// Of how many messages.
    pub size: u32,
}

/// What the server said.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    /// When.
    pub at: Instant,
    /// The sequence number of the first message.
    pub first_seq: u64,
    /// How large the log of the server's disk was, where there is one.
    pub logged: u64,
}

/// One append, and what became of it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Which.
    pub append: Append,
    /// Into which session.
    pub session: String,
    /// When it was first sent.
    pub began: Instant,
    /// What the server said; `None` if nothing good.
    pub acknowledged: Option<Acknowledged>,
}

impl Append {
    /// The text of one of its messages.
    pub fn text(&self, index: u32) -> String {
        let Self { writer, number, size } = self;
        format!("writer {writer} append {number} message {index} of {size}")
    }

    /// The append, and which of its messages it is; `None` for a text that no writer wrote.
    pub fn read(text: &str) -> Option<(Self, u32)> {
        let words: Vec<&str> = text.split(' ').collect();
        let ["writer", writer, "append", number, "message", index, "of", size] = words.as_slice() else {
            return None;
        };
        let append =
            Self { writer: writer.parse().ok()?, number: number.parse().ok()?, size: size.parse().ok()? };
        Some((append, index.parse().ok()?))
    }

    /// The key under which it is stored once.
    pub(crate) fn key(&self) -> String {
        format!("w{}-a{}", self.writer, self.number)
    }

    /// The request's body.
    pub(crate) fn body(&self) -> String {
        let message = |index: u32| {
            let role = if index.is_multiple_of(2) { "user" } else { "assistant" };
            format!(r#"{{"role":"{role}","content":"{}"}}"#, self.text(index))
        };
        let all: Vec<String> = (0..self.size).map(message).collect();
        format!(r#"{{"messages":[{}]}}"#, all.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_whose_it_is() {
        let append = Append { writer: 3, number: 17, size: 4 };
        assert_eq!(Append::read(&append.text(2)), Some((append, 2)));
        for text in ["", "hello", "writer x append 1 message 1 of 1", "writer 1 append 1 message 1 of 1 more"]
        {
            assert_eq!(Append::read(text), None, "{text}");
        }
    }
}
