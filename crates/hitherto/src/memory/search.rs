//! Reading a session for a search: newest messages first, page by page, and of each only what is counted.
//!
//! Invariant: how much is read is bounded, and how much of it is held at a time.

use super::{ChatMemory, Direction, Result};
use crate::error::Error;
use crate::search::{Found, Language, Question, Tally};
use crate::session::SessionId;
use crate::store::Seq;

/// How many messages are searched at most: the newest.
const MESSAGES: u64 = 20_000;
/// How many bytes of messages are searched at most, give or take a page.
const BYTES: u64 = 32 << 20;
/// How large a page is to be, in bytes, and how many messages the first one and any has.
const PAGE_BYTES: u64 = 2 << 20;
const FIRST_PAGE: u32 = 32;
const PAGE: u64 = 128;
/// From how much of the newest messages their language is guessed where the question does not tell, in bytes.
const SAMPLE: usize = 16 << 10;

impl ChatMemory {
    /// The messages of a session that say the words of a text, best first, and newest first of those that are equally
    /// good; at most `limit` of them. An unknown session has none.
    ///
    /// Words are compared without their endings, by the language that the stop words of the text, or else of the
    /// newest messages, tell (English, German, French, Spanish, Italian, Portuguese, Dutch), or by their script; Chinese,
    /// Japanese, Korean and the like by pairs of characters. Messages are ranked by BM25.
    /// The newest 20,000 messages, or 32 MiB of them, are looked at; of a text, its first 64 different words.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit of nothing, [`Error::TooLarge`] for one beyond
    /// [`Limits::page`](crate::Limits::page); any error of the store.
    pub async fn search(&self, session: &SessionId, text: &str, limit: u32) -> Result<Vec<Found>> {
        self.check_page(limit)?;
        let language = Language::of(text);
        if Question::new(text, language.unwrap_or_default()).is_empty() {
            return Ok(Vec::new());
        }
        let mut tally: Option<Tally> = None;
        let (mut before, mut places) = (Seq::MAX, FIRST_PAGE.min(self.limits.page));
        let (mut messages, mut bytes) = (0_u64, 0_u64);
        loop {
            let page = self.messages(session, Direction::Before(before), places).await?;
            let tally = tally.get_or_insert_with(|| {
                let language = language.or_else(|| {
                    let mut sample = String::new();
                    for message in page.messages.iter().rev() {
                        if sample.len() < SAMPLE {
                            sample.push_str(&message.message.text());
                            sample.push('\n');
                        }
                    }
                    Language::of(&sample)
                });
                Tally::new(Question::new(text, language.unwrap_or_default()))
            });
            for message in page.messages.iter().rev() {
                tally.add(message.seq, &message.message.text());
                bytes += message.message.payload().len() as u64;
                messages += 1;
            }
            match page.first_seq() {
                Some(first) if page.more && messages < MESSAGES && bytes < BYTES => before = first,
                _ => break,
            }
            let fitting = (PAGE_BYTES / (bytes / messages).max(1)).clamp(1, PAGE).min(MESSAGES - messages);
            places = u32::try_from(fitting).unwrap_or(1).min(self.limits.page);
        }
        let mut found = Vec::new();
        for (seq, score) in tally.map(|tally| tally.best(limit as usize)).unwrap_or_default() {
            // They were not kept, so that memory is bounded; one that was deleted meanwhile is not found.
            match self.get(session, seq).await {
                Ok(Some(message)) => found.push(Found { message, score }),
                Ok(None) | Err(Error::Unreadable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::AppendOptions;
    use crate::message::Message;

    #[tokio::test]
    async fn a_long_session_is_searched_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let memory = ChatMemory::embedded(folder.path().join("chat.db")).unwrap();
        let session = SessionId::parse("s").unwrap();
        let said: Vec<Message> = (1..=600)
            .map(|number| match number {
                3 => Message::user("Die Katze schläft."),
                590 => Message::user("Zwei Katzen, und wo ist der Hund?"),
                _ => Message::assistant(&format!("Das ist die Antwort {number}.")),
            })
            .collect();
        memory.append(&session, said, &AppendOptions::default()).await.unwrap();
        let found = async |text, limit| -> Vec<Seq> {
            let found = memory.search(&session, text, limit).await.unwrap();
            assert!(found.iter().all(|found| found.score > 0.0));
            found.iter().map(|found| found.message.seq).collect()
        };
        // One word says nothing of its language; the messages do.
        assert_eq!(found("Katzen", 10).await, [3, 590]);
        assert_eq!(found("Katzen", 1).await, [3]);
        assert_eq!(found("Antwort", 3).await, [600, 599, 598]);
        assert_eq!(found("ornithopter", 10).await, [0; 0]);
        assert_eq!(found("…", 10).await, [0; 0]);
        memory.delete(&session, 3).await.unwrap();
        assert_eq!(found("Katze", 10).await, [590]);
        let nobody = SessionId::parse("nobody").unwrap();
        assert_eq!(memory.search(&nobody, "Katze", 10).await.unwrap(), []);
        assert!(matches!(memory.search(&session, "x", 0).await, Err(Error::Invalid { .. })));
        assert!(matches!(memory.search(&session, "x", 1001).await, Err(Error::TooLarge { .. })));
    }
}
