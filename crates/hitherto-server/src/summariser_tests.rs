use clap::Command;
use hitherto::{Message, SessionId};

use super::*;
use crate::settings::{Caller, Layers, Settings, flags_for};

fn settings(flags: &str, env: &[(&str, &str)]) -> SummarySettings {
    let args = std::iter::once("hitherto").chain(flags.split_whitespace());
    let matches = Command::new("hitherto").args(flags_for(Caller::Server)).get_matches_from(args);
    let value = |name: &str| {
        env.iter().find(|(found, _)| *found == name).map(|(_, value)| std::ffi::OsString::from(value))
    };
    Settings::resolve(&Layers::gather(&matches, value, Caller::Server).unwrap()).unwrap().summaries
}

#[test]
fn says_what_summarises_and_no_secret() {
    let check = |flags: &str, expected: &str| assert_eq!(shown(&settings(flags, &[])), expected);
    check("", "the extractive summariser, without a model");
    check(
        "--summaries off",
        "the extractive summariser, without a model, only of sessions and tenants that ask for it",
    );
    let model = "--model m --model-url https://u:s3cret@h:1/v1/s3cret?key=s3cret";
    check(model, "m at https://h:1 (openai); the extractive summariser stands in while it fails");
    check(&format!("{model} --stand-in-after 0 --model-api azure"), "m at https://h:1 (azure)");
}

#[test]
fn a_model_is_asked_as_the_settings_say() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = folder.path().join("key");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let model = "--model m --model-url http://127.0.0.1:1/v1 --model-api anthropic --model-timeout 300 \
                 --model-input-tokens 999 --model-output-tokens 777";
    let flags = format!("{model} --model-key-file {}", file("s3cret\n"));
    let env = [("HITHERTO_MODEL_HEADERS", "a: b: c\nd:e"), ("HITHERTO_MODEL_BODY", r#"{"x":null}"#)];
    let found = settings(&flags, &env);
    let asked = model_options(found.model.as_ref().unwrap(), found.model_timeout).unwrap();
    assert_eq!(asked.key.as_ref().map(|key| key.expose_secret()), Some("s3cret"));
    let headers: Vec<_> =
        asked.headers.iter().map(|(name, value)| (&**name, value.expose_secret())).collect();
    assert_eq!(headers, [("a", "b: c"), ("d", "e")]);
    assert_eq!((asked.extra.len(), asked.timeout.as_secs()), (1, 300));
    assert_eq!((asked.input_tokens, asked.max_output), (999, Some(777)));
    assert_eq!(options(&found).lease.as_secs(), 600, "longer than an answer takes");

    let check = |flags: &str, env: &[(&str, &str)], expected: &str| {
        let memory = ChatMemory::embedded(folder.path().join("chat.db")).unwrap();
        let error = folding(memory, &settings(flags, env)).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
    };
    let plain = "--model m --model-url http://127.0.0.1:1/v1";
    check(&format!("{plain} --model-key-file {}/none", folder.path().display()), &[], "none");
    check(&format!("{plain} --model-key-file {}", file("s3cret\ns3cret")), &[], "on one line");
    check(&format!("{plain} --model-key-file {}", file(" \n")), &[], "on one line");
    check(plain, &[("HITHERTO_MODEL_HEADERS", "a: b\ns3cret")], "header 2 is not NAME: VALUE");
    check(plain, &[("HITHERTO_MODEL_HEADERS", "a b: s3cret")], "the model");
    check(plain, &[("HITHERTO_MODEL_KEY", "s3cret\u{1}")], "the model");
    check(plain, &[("HITHERTO_MODEL_BODY", r#"{"messages":["s3cret"]}"#)], "messages");
    check("--model m --model-url ftp://u:s3cret@h", &[], "address");
}

#[tokio::test]
async fn who_only_marks_leaves_work_for_who_folds() {
    let folder = tempfile::tempdir().unwrap();
    let open = || ChatMemory::embedded(folder.path().join("chat.db")).unwrap();
    let found = settings("--window 1 --fold-after-turns 1", &[]);
    let session = SessionId::parse("s").unwrap();
    for turn in 1..=4 {
        let turn = vec![Message::user(&format!("My name is Ada {turn}.")), Message::assistant("Noted.")];
        marking(open(), &found).append(&session, turn, &Default::default()).await.unwrap();
    }
    let folder = folding(open(), &found).unwrap();
    let pass = folder.fold_due().await.unwrap();
    assert_eq!((pass.looked, pass.folded, pass.failed), (1, 1, 0));
    assert_eq!(folder.summary(&session).await.unwrap().current.unwrap().upto, 6);
}
