//! A context over a real store: filled, counted anew after an edit, defaults and errors.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use hitherto::{
    AppendOptions, Budget, ChatMemory, ContextOptions, Edit, Encoding, Error, Format, Message, SessionId,
};

fn session() -> SessionId {
    SessionId::parse("apollo").unwrap()
}

/// The air-to-ground loop in an embedded file.
async fn apollo() -> (tempfile::TempDir, ChatMemory) {
    let folder = tempfile::tempdir().unwrap();
    let memory = ChatMemory::embedded(folder.path().join("chat.db")).unwrap();
    let file = include_str!("../../../examples/apollo13-air-to-ground.jsonl");
    let messages: Vec<Message> =
        file.lines().map(|line| Message::parse(line.as_bytes().to_vec().into()).unwrap()).collect();
    for some in messages.chunks(600) {
        memory.append(&session(), some.to_vec(), &AppendOptions::default()).await.unwrap();
    }
    (folder, memory)
}

#[tokio::test]
async fn a_budget_is_filled_and_never_exceeded() {
    let (_folder, memory) = apollo().await;
    for budget in [60, 250, 1_000, 8_000, 100_000] {
        for encoding in [Encoding::O200k, Encoding::Cl100k, Encoding::Estimate] {
            let context =
                memory.context(&session(), &ContextOptions::tokens(budget, encoding)).await.unwrap();
            let budget = budget as usize;
            assert!(context.tokens <= budget, "{} of {budget}", context.tokens);
            let all = context.messages.len() == 1_119;
            assert!(
                all || budget < 1_000 || context.tokens * 10 >= budget * 9,
                "{} of {budget}",
                context.tokens
            );
            assert_eq!(all, context.explain.left_out.is_empty());
            assert_eq!(context.messages.last().unwrap().seq, 1_119);
        }
    }
}

#[tokio::test]
async fn an_edit_is_counted_anew() {
    let (_folder, memory) = apollo().await;
    let options = ContextOptions::tokens(1_000, Encoding::O200k);
    let before = memory.context(&session(), &options).await.unwrap();
    let last = before.messages.last().unwrap().seq;
    let mut edit = Edit::default();
    edit.content = Some(format!("\"{}\"", "longer ".repeat(100)));
    memory.edit(&session(), last, &edit).await.unwrap();
    let after = memory.context(&session(), &options).await.unwrap();
    assert!(after.tokens <= 1_000);
    assert!(after.messages.len() < before.messages.len());
    // A memory that has counted nothing says the same.
    let folder = tempfile::tempdir().unwrap();
    let other = ChatMemory::embedded(folder.path().join("chat.db")).unwrap();
    let messages: Vec<Message> = after.messages.iter().map(|message| message.message.clone()).collect();
    other.append(&session(), messages, &AppendOptions::default()).await.unwrap();
    assert_eq!(other.context(&session(), &options).await.unwrap().tokens, after.tokens);
}

#[tokio::test]
async fn turns_defaults_and_nothing() {
    let (_folder, memory) = apollo().await;
    let mut options = ContextOptions::default();
    let context = memory.context(&session(), &options).await.unwrap();
    assert_eq!(context.explain.turns, 10);
    options.budget = Budget::Turns(3);
    options.format = Format::OpenAi;
    let context = memory.context(&session(), &options).await.unwrap();
    assert_eq!(context.explain.turns, 3);
    assert!(context.prompt().unwrap().starts_with(r#"[{"role":"user","content":""#));
    let nobody = SessionId::parse("nobody").unwrap();
    let context = memory.context(&nobody, &ContextOptions::tokens(100, Encoding::O200k)).await.unwrap();
    assert_eq!((context.tokens, context.messages.len()), (0, 0));
    for budget in [Budget::Tokens(0), Budget::Turns(0)] {
        options.budget = budget;
        assert!(matches!(memory.context(&session(), &options).await, Err(Error::Invalid { .. })));
    }
}
