use super::super::test_kit::{Captured, apollo, append_json, session, summarised};
use super::*;
use crate::settings::ServerTls;
use crate::target::Server;

async fn fold(target: &Target, args: FoldArgs) -> (ExitCode, String, String) {
    let mut captured = Captured::default();
    let code = run(target, &args, &mut captured.output).await.unwrap_or_else(|error| {
        captured.output.note(&format!("{error:#}"));
        ExitCode::FAILURE
    });
    (code, captured.out(), captured.err())
}

#[tokio::test]
async fn folds_what_is_due_once() {
    let (target, _folder) = summarised();
    assert_eq!(fold(&target, FoldArgs::Due).await.1, "0 sessions: 0 folded, 0 failed\n");
    append_json(&target, "long", &apollo()).await;
    append_json(&target, "short", &[r#"{"role":"user","content":"hi"}"#]).await;
    let (code, out, err) = fold(&target, FoldArgs::Due).await;
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (ExitCode::SUCCESS, "1 session: 1 folded, 0 failed\n", "")
    );
    assert!(target.summary(&session("long")).await.unwrap().is_some());
    assert_eq!(fold(&target, FoldArgs::Due).await.1, "0 sessions: 0 folded, 0 failed\n");
}

#[tokio::test]
async fn folds_the_sessions_that_are_named_or_all() {
    let (target, _folder) = summarised();
    append_json(&target, "a:1", &apollo()).await;
    append_json(&target, "b", &[r#"{"role":"user","content":"hi"}"#]).await;
    let named = FoldArgs::Sessions(vec![session("b"), session("none"), session("a:1")]);
    let (code, out, err) = fold(&target, named).await;
    assert_eq!(code, ExitCode::FAILURE);
    assert!(err.starts_with("none: there is no such session"), "{err}");
    assert!(out.starts_with("b: nothing has left its window\na:1: messages 1 to 1,"), "{out}");
    assert!(
        out.contains(" are in a summary of ") && out.ends_with("\n3 sessions: 1 folded, 1 failed\n"),
        "{out}"
    );
    let (code, out, _) = fold(&target, FoldArgs::All).await;
    assert_eq!((code, out.as_str()), (ExitCode::SUCCESS, "2 sessions: 0 folded, 0 failed\n"));
}

#[tokio::test]
async fn a_server_needs_no_pass() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Target::Server(Server::new("http://127.0.0.1:1", None, &ServerTls::default()).unwrap());
    let (code, _, err) = fold(&server, FoldArgs::Due).await;
    assert_eq!(code, ExitCode::FAILURE);
    assert!(err.starts_with("a server folds what is due by itself"), "{err}");
}
