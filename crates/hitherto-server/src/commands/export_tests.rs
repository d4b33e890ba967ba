use hitherto::Edit;
use tokio::sync::watch;

use super::super::import;
use super::super::test_kit::{Captured, apollo, append_json, memory, session};
use super::*;

async fn export(
    target: &Target,
    args: &ExportArgs,
    interrupted: bool,
) -> (anyhow::Result<ExitCode>, Captured) {
    let mut captured = Captured::default();
    let (_ask, asked) = watch::channel(interrupted);
    let result = run_until(target, args, &mut captured.output, &Interrupt::from_channel(asked)).await;
    (result, captured)
}

fn all() -> ExportArgs {
    ExportArgs { all: true, ..ExportArgs::default() }
}

fn to(path: &std::path::Path, resume: bool) -> ExportArgs {
    ExportArgs { output: Some(path.to_owned()), resume, ..all() }
}

#[tokio::test]
async fn a_line_is_the_message_and_where_it_was() {
    let (target, _folder) = memory();
    let odd = "{\"id\":\"m\",\r\n \"role\":\"user\",\"content\":\"a\\n\\ud83d\",\"session\":\"own\",\"n\":1e999,\"created_at\":\"1970-01-01T00:00:01Z\"}";
    append_json(&target, "a/\"b", &[odd, odd]).await;
    let Target::Store(memory) = &target else { panic!("a store") };
    let mut edit = Edit::default();
    edit.content = Some("\"new\"".to_owned());
    memory.edit(&session("a/\"b"), 2, &edit).await.unwrap();
    let (code, captured) = export(&target, &all(), false).await;
    assert_eq!(code.unwrap(), ExitCode::SUCCESS);
    let out = captured.out();
    let (first, second) = out.trim_end().split_once('\n').unwrap();
    assert_eq!(
        first,
        r#"{"session":"a/\"b","seq":1,"id":"m",   "role":"user","content":"a\n\ud83d","session":"own","n":1e999,"created_at":"1970-01-01T00:00:01Z"}"#
    );
    assert!(second.contains(r#""content":"new""#) && second.contains(r#","edited_at":""#), "{second}");
}

/// Out of one store and into another, and back into the first: nothing is added, lost or changed.
#[tokio::test]
async fn there_and_back() {
    let (one, folder) = memory();
    append_json(&one, "a13", &apollo()).await;
    append_json(&one, "odd", &[r#"{"role":"user","content":"\ud83d","session":{"own":true}}"#]).await;
    let Target::Store(memory_of_one) = &one else { panic!("a store") };
    memory_of_one.delete(&session("a13"), 500).await.unwrap();
    let path = folder.path().join("all.jsonl");
    let (code, captured) = export(&one, &to(&path, false), false).await;
    assert_eq!(code.unwrap(), ExitCode::SUCCESS);
    assert_eq!(captured.err(), format!("1,119 messages of 2 sessions are in {}\n", path.display()));
    assert!(!folder.path().join("all.jsonl.part").exists());

    let (other, _folder) = memory();
    let args = import::ImportArgs { file: path.clone(), session: None, ttl: None, strict: false };
    for (target, expected) in [
        (&other, "stored 1,119, already there 0, 0 bad lines, 0 sessions different\n"),
        (&other, "stored 0, already there 1,119, 0 bad lines, 0 sessions different\n"),
        (&one, "stored 0, already there 1,119, 0 bad lines, 0 sessions different\n"),
    ] {
        let mut captured = Captured::default();
        import::run(target, &args, &mut captured.output).await.unwrap();
        assert_eq!(captured.out(), expected, "{}", captured.err());
    }
    let second = folder.path().join("second.jsonl");
    export(&other, &to(&second, false), false).await.0.unwrap();
    // Numbered anew and in another order of sessions, and otherwise the same bytes.
    let own = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path).unwrap();
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| {
                let members = crate::target::members(line).unwrap();
                crate::target::without(line, &members, |member| member.name == "seq")
            })
            .collect();
        lines.sort();
        lines
    };
    assert!(own(&path) == own(&second));
}

#[tokio::test]
async fn interrupted_and_gone_on_with() {
    let (target, folder) = memory();
    let conversation = apollo();
    append_json(&target, "a", &conversation[..250]).await;
    append_json(&target, "b", &conversation[250..300]).await;
    let (_, whole) = export(&target, &all(), false).await;
    let whole = whole.out();
    let (path, part) = (folder.path().join("x.jsonl"), folder.path().join("x.jsonl.part"));

    let (code, captured) = export(&target, &to(&path, false), true).await;
    assert_eq!(code.unwrap(), ExitCode::from(130));
    assert!(captured.err().contains("the same command with --resume goes on"), "{}", captured.err());
    assert!(part.exists() && !path.exists());

    // Every kind of place to stop at, the middle of a line included.
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for kept in [0, 1, 49, 50, 51, 299, 300] {
        let begun =
            lines[..kept].concat() + lines.get(kept).map_or("", |line| line.split_at(line.len() / 2).0);
        std::fs::write(&part, begun).unwrap();
        export(&target, &to(&path, true), false).await.0.unwrap();
        assert!(std::fs::read_to_string(&path).unwrap() == whole, "{kept}");
        assert!(!part.exists());
    }

    std::fs::write(&part, lines[..60].concat()).unwrap();
    target.clear(&session("b")).await.unwrap();
    append_json(&target, "b", &conversation[..60]).await;
    let error = export(&target, &to(&path, true), false).await.0.unwrap_err().to_string();
    assert!(error.contains("begin anew without --resume"), "{error}");
}

#[tokio::test]
async fn says_what_is_missing_and_what_makes_no_sense() {
    let (target, _folder) = memory();
    append_json(&target, "a", &[r#"{"role":"user","content":"hi"}"#]).await;
    let some = ExportArgs { sessions: vec![session("none"), session("a")], ..ExportArgs::default() };
    let (code, captured) = export(&target, &some, false).await;
    assert_eq!(code.unwrap(), ExitCode::FAILURE);
    assert_eq!((captured.out().lines().count(), captured.err().as_str()), (1, "there is no session none\n"));
    assert!(export(&target, &ExportArgs::default(), false).await.0.is_err());
    assert!(export(&target, &ExportArgs { resume: true, ..all() }, false).await.0.is_err());
    assert!(export(&target, &ExportArgs { all: true, ..some }, false).await.0.is_err());
}
