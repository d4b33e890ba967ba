use super::super::output::Look;
use super::super::test_kit::{Captured, apollo, append_json, session, summarised};
use super::*;

async fn context(target: &Target, id: &str, query: ContextQuery, json: bool) -> (ExitCode, Captured) {
    let mut captured = Captured::new("", Look { width: Some(80), ..Look::default() });
    let args = ContextArgs { session: session(id), query, encoding: Encoding::O200k, json };
    let code = run(target, &args, &mut captured.output).await.unwrap();
    (code, captured)
}

#[tokio::test]
async fn a_text_to_read_with_what_it_is_made_of() {
    let (target, _folder) = summarised();
    append_json(&target, "s", &apollo()).await;
    target.fold(&session("s")).await.unwrap();
    let query = ContextQuery { max_tokens: Some(1000), ..ContextQuery::default() };
    let (code, captured) = context(&target, "s", query, false).await;
    assert_eq!(code, ExitCode::SUCCESS);
    let (out, err) = (captured.out(), captured.err());
    assert!(out.starts_with("Summary of the conversation so far:"), "{out}");
    assert!(out.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80), "{out}");
    assert!(err.contains(" tokens of 1,000 (o200k), ") && err.contains("left to the summary"), "{err}");
}

#[tokio::test]
async fn other_forms_are_printed_as_they_are() {
    let (target, _folder) = summarised();
    let hi = r#"{"role":"user","content":"hi \u001b[31m"}"#;
    append_json(&target, "s", &[hi]).await;
    let form = |format: &str| ContextQuery { format: Some(format.to_owned()), ..ContextQuery::default() };
    let (_, captured) = context(&target, "s", form("openai"), false).await;
    assert_eq!(captured.out(), "[{\"role\":\"user\",\"content\":\"hi \\u001b[31m\"}]\n");
    let (_, captured) = context(&target, "s", form("messages"), false).await;
    assert!(captured.out().starts_with("[{\"seq\":1,"), "{}", captured.out());
    let (_, captured) = context(&target, "s", form("openai"), true).await;
    assert!(captured.out().starts_with("{\"session\":\"s\",\"prompt\":[") && captured.err().is_empty());
    // What is shown as a text drives no terminal.
    let (_, captured) = context(&target, "s", ContextQuery::default(), false).await;
    assert!(captured.out().contains("hi ␛[31m"), "{}", captured.out());
    let (code, captured) = context(&target, "none", ContextQuery::default(), false).await;
    assert_eq!((code, captured.err().as_str()), (ExitCode::FAILURE, "there is no session none\n"));
}

#[tokio::test]
async fn what_is_left_out_and_shortened_is_named() {
    let (target, _folder) = summarised();
    let long = format!(r#"{{"role":"user","content":"{}"}}"#, "word ".repeat(500));
    append_json(&target, "s", &[r#"{"role":"user","content":"hi"}"#, &long]).await;
    let query = ContextQuery { max_tokens: Some(100), ..ContextQuery::default() };
    let (_, captured) = context(&target, "s", query, false).await;
    let err = captured.err();
    assert!(err.contains("left out: message 1: "), "{err}");
    assert!(err.contains("shortened: message 2, from 5"), "{err}");
    let query = ContextQuery { model: Some("a-llama".to_owned()), ..ContextQuery::default() };
    let (_, captured) = context(&target, "s", query, false).await;
    assert!(captured.err().starts_with("\nabout "), "{}", captured.err());
}
