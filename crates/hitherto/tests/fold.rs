//! Folding with a summariser that is worse than one that fails: one that panics.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use std::sync::Arc;

use async_trait::async_trait;
use hitherto::summary::{Extractive, Piece, Summariser, SummariserError, SummaryOptions};
use hitherto::{AppendOptions, ChatMemory, Error, Message, SessionId};

#[derive(Debug)]
struct Panics;

#[async_trait]
impl Summariser for Panics {
    fn name(&self) -> String {
        "panics".to_owned()
    }

    fn input_tokens(&self) -> usize {
        1000
    }

    async fn summarise(&self, _: &Piece) -> Result<String, SummariserError> {
        tokio::task::yield_now().await;
        panic!("on purpose")
    }
}

/// It counts as a failure, gives the session back, and the stand-in has its turn.
#[tokio::test]
async fn a_summariser_that_panics_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = SummaryOptions::default();
    options.policy.window = 1;
    options.stand_in_after = 2;
    let memory = ChatMemory::embedded(folder.path().join("chat.db")).unwrap().with_summaries(
        options,
        Arc::new(Panics),
        Some(Arc::new(Extractive)),
    );
    let session = SessionId::parse("s").unwrap();
    for said in ["My name is Zoë Müller.", "I live in Köln."] {
        memory.append(&session, vec![Message::user(said)], &AppendOptions::default()).await.unwrap();
    }
    let first = memory.fold(&session).await;
    assert_eq!(first, Err(Error::Summariser(SummariserError::Died)));
    assert_eq!(memory.summary(&session).await.unwrap().current, None);
    let second = memory.fold(&session).await.unwrap().summary.current.unwrap();
    assert_eq!((second.upto, second.by.as_str(), second.stand_in), (1, "extractive", true));
    assert!(second.text.contains("Zoë Müller"), "{}", second.text);
}
