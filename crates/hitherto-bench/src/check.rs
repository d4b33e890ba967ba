//! Looks at answers: a server that answers nonsense is not fast.
//!
//! The load checks the status of every answer and hands a sample of the bodies to this module, which reads them
//! in full: as many messages as asked for, the newest, in order, with the text that was sent.

use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::corpus::{Corpus, session_name};

/// How many messages every read asks for.
pub(crate) const ASKED: usize = 20;

/// How a server writes its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The yardstick: nothing for an append; the stored elements as an array for a read.
    Bare,
    /// The HTTP API.
    Hitherto,
}

/// What the answers must say: the sessions held messages 1 to `seeded` before the load began.
pub(crate) struct Checker {
    pub(crate) corpus: Rc<Corpus>,
    pub(crate) shape: Shape,
    pub(crate) seeded: u64,
    /// Whether the load appends to the sessions that it reads.
    pub(crate) growing: bool,
}

#[derive(Deserialize)]
struct Stored {
    session: String,
    messages: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    seq: u64,
    id: String,
}

#[derive(Deserialize)]
struct Page {
    session: String,
    messages: Vec<Entry>,
    last_seq: Option<u64>,
}

#[derive(Deserialize)]
struct Entry {
    seq: u64,
    #[serde(flatten)]
    said: Said,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Element {
    Body { messages: Vec<Said> },
    Message(Said),
}

impl Checker {
    /// The body that answers an append of one exchange.
    pub(crate) fn append(&self, session: usize, body: &[u8]) -> Result<()> {
        if self.shape == Shape::Bare {
            return Ok(());
        }
        let stored: Stored = read(body)?;
        let [first, second] = stored.messages.as_slice() else {
            anyhow::bail!("{} messages stored instead of 2", stored.messages.len());
        };
        ensure!(stored.session == session_name(session), "stored in session {}", stored.session);
        ensure!(
            second.seq == first.seq + 1 && first.seq > self.seeded,
            "stored as {} and {}",
            first.seq,
            second.seq
        );
        ensure!(first.id != second.id, "both messages have the id {}", first.id);
        Ok(())
    }

    /// The body that answers a read of the newest messages.
    pub(crate) fn read(&self, session: usize, body: &[u8]) -> Result<()> {
        match self.shape {
            Shape::Bare => {
                let elements: Vec<Element> = read(body)?;
                let said: Vec<Said> = elements.into_iter().flat_map(Element::said).collect();
                self.conversation(session, self.seeded, &said)
            }
            Shape::Hitherto => {
                let page: Page = read(body)?;
                ensure!(page.session == session_name(session), "session {} was read", page.session);
                let last = self.sequence(&page)?;
                let said: Vec<Said> = page.messages.into_iter().map(|entry| entry.said).collect();
                self.conversation(session, last, &said)
            }
        }
    }

    /// The `last_seq` of an answer to a read, for the count after a load.
    pub(crate) fn last_seq(body: &[u8]) -> Result<u64> {
        read::<Page>(body)?.last_seq.context("the answer has no last_seq")
    }

    fn sequence(&self, page: &Page) -> Result<u64> {
        let last = page.last_seq.context("the answer has no last_seq")?;
        let fits = if self.growing { last >= self.seeded && last % 2 == 0 } else { last == self.seeded };
        ensure!(fits, "last_seq is {last}, {} messages were seeded", self.seeded);
        let first = last + 1 - page.messages.len() as u64;
        let in_order = page.messages.iter().map(|entry| entry.seq).eq(first..=last);
        ensure!(in_order, "the sequence numbers do not rise by one up to {last}");
        Ok(last)
    }

    fn conversation(&self, session: usize, last: u64, said: &[Said]) -> Result<()> {
        ensure!(said.len() == ASKED, "{} messages instead of {ASKED}", said.len());
        for (said, seq) in said.iter().zip(last + 1 - ASKED as u64..) {
            let seeded = self.corpus.message(session, seq);
            let appended = self.corpus.appended(session, seq);
            let right = if !self.growing || (self.shape == Shape::Hitherto && seq <= self.seeded) {
                said.content == seeded.content
            } else if self.shape == Shape::Hitherto {
                said.content == appended.content
            } else {
                // The yardstick numbers nothing, so how much was appended is not to be seen.
                said.content.chars().count() == appended.content.chars().count()
            };
            ensure!(right && said.role == seeded.role, "message {seq} says: {} {}", said.role, said.content);
        }
        Ok(())
    }
}

impl Element {
    fn said(self) -> Vec<Said> {
        match self {
            Element::Body { messages } => messages,
            Element::Message(said) => vec![said],
        }
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    serde_json::from_slice(body).with_context(|| format!("cannot read: {}", String::from_utf8_lossy(body)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(corpus: &Corpus, from: u64, last: u64) -> Value {
        let said = |seq| if seq > 200 { corpus.appended(5, seq) } else { corpus.message(5, seq) };
        let entry =
            |seq| json!({"seq": seq, "id": "x", "role": said(seq).role, "content": said(seq).content});
        let messages: Vec<Value> = (from..=last).map(entry).collect();
        json!({"session": "chat-0005", "messages": messages, "first_seq": from, "last_seq": last, "more": true})
    }

    fn check(growing: bool, body: &Value, fine: bool) {
        let corpus = Rc::new(Corpus::new());
        let checker = Checker { corpus: Rc::clone(&corpus), shape: Shape::Hitherto, seeded: 200, growing };
        let outcome = checker.read(5, body.to_string().as_bytes());
        assert_eq!(outcome.is_ok(), fine, "{outcome:?}");
    }

    #[test]
    fn the_newest_twenty_in_order_are_right() {
        let corpus = Corpus::new();
        check(false, &page(&corpus, 181, 200), true);
        check(true, &page(&corpus, 181, 200), true);
        check(true, &page(&corpus, 185, 204), true);
    }

    #[test]
    fn anything_else_is_wrong() {
        let corpus = Corpus::new();
        check(false, &page(&corpus, 1, 20), false);
        check(false, &page(&corpus, 182, 200), false);
        check(false, &page(&corpus, 185, 204), false);
        let mut swapped = page(&corpus, 181, 200);
        swapped["messages"].as_array_mut().unwrap().swap(3, 5);
        check(false, &swapped, false);
        let mut another = page(&corpus, 181, 200);
        another["messages"][7]["content"] = json!("hello");
        check(false, &another, false);
        let mut session = page(&corpus, 181, 200);
        session["session"] = json!("chat-0006");
        check(false, &session, false);
    }

    #[test]
    fn an_append_is_answered_with_two_places() {
        let corpus = Rc::new(Corpus::new());
        let checker =
            Checker { corpus: Rc::clone(&corpus), shape: Shape::Hitherto, seeded: 0, growing: true };
        let check = |first: u64, second: u64, fine: bool| {
            let places = json!([{"seq": first, "id": "a"}, {"seq": second, "id": "b"}]);
            let body = json!({"session": "chat-0005", "messages": places}).to_string();
            assert_eq!(checker.append(5, body.as_bytes()).is_ok(), fine, "{body}");
        };
        check(1, 2, true);
        check(1, 3, false);
        check(2, 1, false);
    }

    #[test]
    fn the_yardstick_answers_with_what_was_pushed() {
        let corpus = Rc::new(Corpus::new());
        let checker = Checker { corpus: Rc::clone(&corpus), shape: Shape::Bare, seeded: 200, growing: false };
        let messages: Vec<&str> = (181..=200).map(|seq| corpus.message(5, seq).json.as_str()).collect();
        checker.read(5, format!("[{}]", messages.join(",")).as_bytes()).unwrap();
        let bodies: Vec<String> =
            (0..10).map(|pair| corpus.body(5, 181 + 2 * pair, 182 + 2 * pair)).collect();
        checker.read(5, format!("[{}]", bodies.join(",")).as_bytes()).unwrap();
        checker.read(5, b"[]").unwrap_err();
    }
}
