use super::super::test_kit::{Captured, apollo, append_json, session, summarised};
use super::*;

async fn summary(target: &Target, what: SummaryWhat, input: &str, json: bool) -> (String, String) {
    let mut captured = Captured::with_input(input);
    let args = SummaryArgs { session: session("s"), what, json };
    if let Err(error) = run(target, &args, &mut captured.output).await {
        captured.output.note(&format!("{error:#}"));
    }
    (captured.out(), captured.err())
}

#[tokio::test]
async fn shows_puts_and_takes_back() {
    let (target, folder) = summarised();
    let show = async || summary(&target, SummaryWhat::Show, "", false).await;
    assert_eq!(show().await, (String::new(), "there is no session s\n".to_owned()));
    append_json(&target, "s", &apollo()).await;
    assert_eq!(show().await.1, "s has no summary yet; `hitherto fold s` makes one\n");
    target.fold(&session("s")).await.unwrap();
    let (out, _) = show().await;
    assert!(out.starts_with("messages 1 to 1,") && out.contains(" tokens, by extractive, "), "{out}");
    let by_hand = SummaryWhat::Put("-".to_owned(), 9);
    let (out, err) = summary(&target, by_hand, "They fly to the \u{1b}[5mMoon.\n", false).await;
    assert!(out.starts_with("messages 1 to 9, ") && out.contains(" tokens, by hand, "), "{out}");
    assert!(out.ends_with("They fly to the ␛[5mMoon.\n"), "{out}");
    assert!(err.contains("`--rollback` goes back to the one of messages 1 to 1,"), "{err}");
    let (json, _) = summary(&target, SummaryWhat::Rollback, "", true).await;
    assert!(
        json.starts_with(r#"{"session":"s","summary":{"id":""#) && json.ends_with("\"stale\":false}\n"),
        "{json}"
    );
    let (_, err) = summary(&target, SummaryWhat::Rollback, "", false).await;
    assert_eq!(err, "there is no earlier summary to go back to\n");
    let file = folder.path().join("text");
    std::fs::write(&file, "From a file.").unwrap();
    let put = SummaryWhat::Put(file.display().to_string(), 3);
    assert!(summary(&target, put, "", false).await.0.ends_with("From a file.\n"));
    let (_, err) = summary(&target, SummaryWhat::Put("-".to_owned(), 3), " \n", false).await;
    assert_eq!(err, "the summary is empty\n");
}

#[tokio::test]
async fn a_stale_one_says_so() {
    let (target, _folder) = summarised();
    append_json(&target, "s", &apollo()).await;
    target.fold(&session("s")).await.unwrap();
    let Target::Store(memory) = &target else { panic!("a store") };
    memory.delete(&session("s"), 5).await.unwrap();
    let (out, _) = summary(&target, SummaryWhat::Show, "", false).await;
    assert!(out.contains("; stale: a message that it covers was changed"), "{out}");
}
