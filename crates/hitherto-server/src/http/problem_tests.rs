use std::time::Duration;

use hitherto::summary::SummariserError;

use super::*;

#[test]
fn every_code_is_there_once() {
    for (index, code) in CODES.iter().enumerate() {
        assert!((400..600).contains(&code.status()), "{code:?}");
        assert!(CODES.iter().skip(index + 1).all(|other| other.as_str() != code.as_str()), "{code:?}");
    }
}

#[test]
fn the_table_is_what_it_was() {
    let lines: Vec<String> = CODES
        .iter()
        .map(|code| {
            let (code, status, title, _) = code.entry();
            format!("{status} {code}: {title}")
        })
        .collect();
    insta::assert_snapshot!("errors", lines.join("\n"));
}

#[test]
fn the_page_in_docs_is_what_the_table_says() {
    crate::same_as_in_docs("errors.md", &reference());
}

#[test]
fn every_error_of_the_engine_has_its_document() {
    let store = || "Redis at redis://h".to_owned();
    let reason = || "it said so".to_owned();
    let deadline = Duration::from_secs(2);
    let errors: Vec<Error> = vec![
        NameError::Empty { what: "session id" }.into(),
        NameError::TooLong { what: "session id", bytes: 5000, max: 4096 }.into(),
        Error::Message { index: 3, error: MessageError::UnknownRole("boss".to_owned()) },
        Error::TooLarge { what: "session id", size: "600 bytes".to_owned(), max: 512 },
        Error::TooLarge { what: "message", size: "2 bytes".to_owned(), max: 1 },
        Error::TooLarge { what: "append", size: "1001 messages".to_owned(), max: 1000 },
        Error::TooLarge { what: "append", size: "2 bytes".to_owned(), max: 1 },
        Error::TooLarge { what: "metadata", size: "2 bytes".to_owned(), max: 1 },
        Error::TooLarge { what: "idempotency key", size: "256 bytes".to_owned(), max: 255 },
        Error::TooLarge { what: "limit", size: "1001 entries".to_owned(), max: 1000 },
        Error::TooLarge { what: "summary", size: "2 bytes".to_owned(), max: 1 },
        Error::SummariesOff,
        Error::NoEarlierSummary,
        Error::Summariser(SummariserError::TimedOut(deadline)),
        Error::Summariser(SummariserError::Status {
            status: 429,
            reason: reason(),
            retry_after: Some(Duration::from_millis(6500)),
        }),
        Error::Nothing("edit: give content or metadata"),
        Error::Invalid { field: "max_messages", must: "at least 1" },
        Error::Unreadable(7),
        StoreError::Unreachable { store: store(), reason: reason() }.into(),
        StoreError::Disconnected { store: store(), reason: reason(), outcome: Outcome::Unknown }.into(),
        StoreError::Disconnected { store: store(), reason: reason(), outcome: Outcome::NotStored }.into(),
        StoreError::TimedOut { store: store(), deadline, outcome: Outcome::Unknown }.into(),
        StoreError::Loading { store: store() }.into(),
        StoreError::Busy { store: store(), reason: reason() }.into(),
        StoreError::Denied { store: store(), reason: reason() }.into(),
        StoreError::Full { store: store(), reason: reason() }.into(),
        StoreError::ReadOnly { store: store(), reason: reason() }.into(),
        StoreError::NotReplicated { store: store(), wanted: 2, replicas: 1 }.into(),
        StoreError::NewerFormat { what: "the file".to_owned(), found: 9, known: 1 }.into(),
        StoreError::Foreign { what: "key k".to_owned(), reason: reason() }.into(),
        StoreError::OnceMismatch.into(),
        StoreError::NoSession.into(),
        StoreError::SessionExists.into(),
        StoreError::NoMessage(7).into(),
        StoreError::Failed { store: store(), reason: reason() }.into(),
    ];
    let lines: Vec<String> = errors
        .into_iter()
        .map(|error| {
            let problem = Problem::from(error);
            format!(
                "{}{}",
                problem.retry.map(|secs| format!("retry {secs} ")).unwrap_or_default(),
                problem.document()
            )
        })
        .collect();
    insta::assert_snapshot!("problems", lines.join("\n"));
}
