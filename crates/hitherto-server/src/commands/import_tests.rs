use hitherto::{ChatMemory, Edit, Message};
use tokio::sync::watch;

use super::super::output::Look;
use super::super::test_kit::{Captured, apollo, append_json, memory, session};
use super::*;

/// An import of that text, and what it said: standard output, standard error, exit code.
async fn import(target: &Target, text: &str, to: Option<&str>) -> (String, String, ExitCode) {
    let mut captured = Captured::with_input(text);
    let args = ImportArgs { file: "-".into(), session: to.map(session), ttl: None, strict: false };
    let (_ask, asked) = watch::channel(false);
    let code = run_until(target, &args, &mut captured.output, Interrupt::from_channel(asked)).await.unwrap();
    (captured.out(), captured.err(), code)
}

async fn check(target: &Target, text: &str, to: Option<&str>, expected: &str) {
    let (out, err, _) = import(target, text, to).await;
    assert_eq!(out.trim_end(), expected, "{err}");
}

async fn texts(target: &Target, id: &str) -> Vec<String> {
    let (mut texts, mut after) = (Vec::new(), 0);
    loop {
        let page = target.page(&session(id), after, 1000).await.unwrap();
        texts.extend(page.messages.iter().map(|message| message.message().unwrap().text()));
        after = page.messages.last().map_or(after, |message| message.seq);
        if !page.more {
            return texts;
        }
    }
}

fn engine(target: &Target) -> &ChatMemory {
    match target {
        Target::Store(memory) => memory,
        Target::Server(_) => panic!("these tests work on a store"),
    }
}

fn line(text: &str) -> String {
    format!("{{\"session\":\"s\",\"role\":\"user\",\"content\":\"{text}\"}}\n")
}

fn lines(texts: &str) -> String {
    texts.chars().map(|char| line(&char.to_string())).collect()
}

#[tokio::test]
async fn a_real_conversation_twice() {
    let (target, _folder) = memory();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/apollo13-flight-director.jsonl");
    let args = ImportArgs { file: path.into(), session: Some(session("flight")), ttl: None, strict: false };
    for expected in [
        "stored 4,267, already there 0, 0 bad lines, 0 sessions different\n",
        "stored 0, already there 4,267, 0 bad lines, 0 sessions different\n",
    ] {
        let mut captured = Captured::default();
        let (_ask, asked) = watch::channel(false);
        let code = run_until(&target, &args, &mut captured.output, Interrupt::from_channel(asked)).await;
        assert_eq!(code.unwrap(), ExitCode::SUCCESS);
        assert_eq!((captured.out().as_str(), captured.err().as_str()), (expected, ""));
    }
    let file = std::fs::read_to_string(path).unwrap();
    let page = target.page(&session("flight"), 4000, 1000).await.unwrap();
    for (stored, given) in page.messages.iter().zip(file.lines().skip(4000)) {
        let own = Message::parse(given.to_owned().into()).unwrap();
        assert_eq!(stored.message().unwrap().text(), own.text());
        assert_eq!(Some(stored.created_at), own.created_at());
    }
}

/// The machine loses power, or somebody loses patience, anywhere in the middle; the same command again
/// makes it whole. The future is dropped at many different moments.
#[tokio::test]
async fn killed_half_way_and_run_again() {
    let text: String = apollo().iter().map(|line| format!("{line}\n")).collect();
    let expected: Vec<String> =
        apollo().iter().map(|line| Message::parse(line.clone().into()).unwrap().text()).collect();
    let mut halves = 0;
    for millis in [0, 5, 10, 15, 20, 30, 40] {
        let (target, _folder) = memory();
        let killed = import(&target, &text, Some("a13"));
        let pause = std::time::Duration::from_millis(millis);
        let _ = tokio::time::timeout(pause, killed).await;
        let before = texts(&target, "a13").await.len();
        halves += u32::from(before > 0 && before < expected.len());
        let (_, err, code) = import(&target, &text, Some("a13")).await;
        assert_eq!((err.as_str(), code), ("", ExitCode::SUCCESS));
        assert_eq!(texts(&target, "a13").await, expected, "killed after {millis} ms with {before} stored");
    }
    // Not asserted, because it depends on the machine's speed; it is what the test is about.
    println!("{halves} of the imports were killed half way");
}

#[tokio::test]
async fn every_beginning_of_a_file_is_gone_on_with() {
    let whole = lines("abcdefg");
    for stored in 0..=7 {
        let (target, _folder) = memory();
        check(
            &target,
            whole.split_at(line("a").len() * stored).0,
            None,
            &format!("stored {stored}, already there 0, 0 bad lines, 0 sessions different"),
        )
        .await;
        let left = 7 - stored;
        let expected = format!("stored {left}, already there {stored}, 0 bad lines, 0 sessions different");
        check(&target, &whole, None, &expected).await;
        assert_eq!(texts(&target, "s").await.concat(), "abcdefg");
    }
}

#[tokio::test]
async fn interrupted_it_says_how_to_go_on() {
    let (target, _folder) = memory();
    let (ask, asked) = watch::channel(true);
    let mut captured = Captured::with_input(&lines("abc"));
    let args = ImportArgs { file: "-".into(), session: None, ttl: None, strict: false };
    let code = run_until(&target, &args, &mut captured.output, Interrupt::from_channel(asked)).await;
    assert_eq!(code.unwrap(), ExitCode::from(130));
    assert_eq!(captured.out(), "stored 0, already there 0, 0 bad lines, 0 sessions different\n");
    assert!(captured.err().contains("The same command again goes on"), "{}", captured.err());
    drop(ask);
}

#[tokio::test]
async fn bad_lines_are_said_and_the_rest_goes_on() {
    let (target, _folder) = memory();
    let text = format!(
        "{}not json\n{{\"role\":\"user\",\"content\":\"x\"}}\n{}{{\"session\":\"t\",\"role\":\"user\"}}\n",
        line("a"),
        line("b")
    );
    let (out, err, code) = import(&target, &text, None).await;
    assert_eq!(out, "stored 2, already there 0, 3 bad lines, 0 sessions different\n");
    insta::assert_snapshot!(err);
    assert_eq!(code, ExitCode::FAILURE);
    assert_eq!(texts(&target, "s").await.concat(), "ab");

    let (target, _folder) = memory();
    let mut captured = Captured::with_input(&text);
    let args = ImportArgs { file: "-".into(), session: None, ttl: None, strict: true };
    let (_ask, asked) = watch::channel(false);
    run_until(&target, &args, &mut captured.output, Interrupt::from_channel(asked)).await.unwrap();
    assert_eq!(captured.out(), "stored 1, already there 0, 1 bad line, 0 sessions different\n");
}

#[tokio::test]
async fn a_session_that_holds_something_else_is_left_alone() {
    let (target, _folder) = memory();
    check(&target, &lines("abc"), None, "stored 3, already there 0, 0 bad lines, 0 sessions different").await;
    let text = lines("abXd") + "{\"session\":\"t\",\"role\":\"user\",\"content\":\"fine\"}\n";
    let (out, err, code) = import(&target, &text, None).await;
    assert_eq!(out, "stored 1, already there 2, 0 bad lines, 1 session different\n");
    assert_eq!(err, "session s: it holds something else at 3 and is left as it is\n");
    assert_eq!(code, ExitCode::FAILURE);
    assert_eq!(texts(&target, "s").await.concat(), "abc");
    assert_eq!(texts(&target, "t").await.concat(), "fine");
}

#[tokio::test]
async fn what_was_deleted_or_edited_or_popped_counts_as_there() {
    let (target, _folder) = memory();
    check(&target, &lines("abcdef"), None, "stored 6, already there 0, 0 bad lines, 0 sessions different")
        .await;
    let memory = engine(&target);
    memory.delete(&session("s"), 2).await.unwrap();
    let mut edit = Edit::default();
    edit.content = Some("\"other\"".to_owned());
    memory.edit(&session("s"), 4, &edit).await.unwrap();
    memory.pop(&session("s"), hitherto::Pop::Message).await.unwrap();
    check(&target, &lines("abcdef"), None, "stored 0, already there 6, 0 bad lines, 0 sessions different")
        .await;
    check(&target, &lines("abcdefg"), None, "stored 1, already there 6, 0 bad lines, 0 sessions different")
        .await;
    assert_eq!(texts(&target, "s").await, ["a", "c", "other", "e", "g"]);
}

/// An export leaves out what was deleted, so its line 2 is not the session's place 2.
#[tokio::test]
async fn an_export_with_gaps_goes_back_where_it_came_from_and_elsewhere() {
    let exported = |texts: &str| -> String {
        let line = |(char, seq)| {
            format!("{{\"session\":\"s\",\"seq\":{seq},\"role\":\"user\",\"content\":\"{char}\"}}\n")
        };
        texts.chars().zip(1..).filter(|(char, _)| *char != '_').map(line).collect()
    };
    let (origin, _folder) = memory();
    check(&origin, &lines("axbc"), None, "stored 4, already there 0, 0 bad lines, 0 sessions different")
        .await;
    engine(&origin).delete(&session("s"), 2).await.unwrap();
    check(&origin, &exported("a_bc"), None, "stored 0, already there 3, 0 bad lines, 0 sessions different")
        .await;
    check(&origin, &exported("a_bcd"), None, "stored 1, already there 3, 0 bad lines, 0 sessions different")
        .await;
    assert_eq!(texts(&origin, "s").await.concat(), "abcd");
    let (_, err, _) = import(&origin, &exported("a_bX"), None).await;
    assert_eq!(err, "session s: it holds something else at 4 and is left as it is\n");

    let (other, _folder) = memory();
    check(&other, &exported("a_b"), None, "stored 2, already there 0, 0 bad lines, 0 sessions different")
        .await;
    check(&other, &exported("a_bcd"), None, "stored 2, already there 2, 0 bad lines, 0 sessions different")
        .await;
    check(&other, &exported("a_bcd"), None, "stored 0, already there 4, 0 bad lines, 0 sessions different")
        .await;
    assert_eq!(texts(&other, "s").await.concat(), "abcd");
}

#[tokio::test]
async fn odd_messages_stay_byte_for_byte() {
    let (target, _folder) = memory();
    let own = [
        r#"{"role":"user","content":"half \ud83d, nul \u0000, é","n":12345678901234567890123,"e":1e999}"#,
        r#"{ "role" : "assistant" , "content" : null , "tool_calls" : [ ] }"#,
        r#"{"id":"m1","role":"user","content":[{"type":"hologram","v":-0}],"created_at":"1970-01-01T00:00:02.5+01:00"}"#,
    ];
    let text: String = own.iter().map(|own| own.replacen('{', "{\"session\":\"s\",", 1) + "\n").collect();
    check(&target, &text, None, "stored 3, already there 0, 0 bad lines, 0 sessions different").await;
    let page = engine(&target).messages(&session("s"), hitherto::Direction::After(0), 10).await.unwrap();
    let stored: Vec<&str> = page.messages.iter().map(|message| message.message.json()).collect();
    assert_eq!(stored, own);
    check(&target, &text, None, "stored 0, already there 3, 0 bad lines, 0 sessions different").await;
    // The same values as another program writes them.
    let other = text.replace("é", "\\u00e9").replace("\\ud83d", "\\uD83D").replace(" : ", ":");
    check(&target, &other, None, "stored 0, already there 3, 0 bad lines, 0 sessions different").await;
    let neighbour = text.replace("890123", "890124");
    check(&target, &neighbour, None, "stored 0, already there 0, 0 bad lines, 1 session different").await;
}

#[tokio::test]
async fn a_session_too_large_for_one_batch_and_many_small_ones() {
    let (target, _folder) = memory();
    let large: String = (0..5).map(|at| line(&format!("{at}{}", "x".repeat(700_000)))).collect();
    check(&target, &large, None, "stored 5, already there 0, 0 bad lines, 0 sessions different").await;
    check(&target, &large, None, "stored 0, already there 5, 0 bad lines, 0 sessions different").await;
    let small: String = (0..300)
        .map(|at| format!("{{\"session\":\"t{}\",\"role\":\"user\",\"content\":\"{at}\"}}\n", at % 100))
        .collect();
    check(&target, &small, None, "stored 300, already there 0, 0 bad lines, 0 sessions different").await;
    check(&target, &small, None, "stored 0, already there 300, 0 bad lines, 0 sessions different").await;
    assert_eq!(texts(&target, "t7").await, ["7", "107", "207"]);
}

/// Somebody talks in the session while a file is imported into it: their message takes a place that a
/// line of the file should have had. Nothing of either is lost, and the import says so and stops there.
#[tokio::test]
async fn another_writer_is_noticed() {
    let (target, _folder) = memory();
    let mut batch = Batch::new(1);
    batch.push(Message::user("a"), None);
    append_json(&target, "s", &[r#"{"role":"user","content":"another"}"#]).await;
    let sent = batch.send(&target, &session("s"), None).await.unwrap();
    assert_eq!((sent.messages, sent.in_place), (1, false));
}

#[tokio::test]
async fn a_refused_session_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut limits = hitherto::Limits::default();
    limits.session_id_bytes = 3;
    let memory = ChatMemory::embedded(folder.path().join("chat.db")).unwrap().with_limits(limits);
    let text = line("a").replace("\"s\"", "\"long id\"") + &line("b");
    let mut captured = Captured::new(&text, Look::default());
    let args = ImportArgs { file: "-".into(), session: None, ttl: None, strict: false };
    let (_ask, asked) = watch::channel(false);
    let result =
        run_until(&Target::Store(memory), &args, &mut captured.output, Interrupt::from_channel(asked)).await;
    assert_eq!(result.unwrap(), ExitCode::FAILURE);
    assert_eq!(
        captured.out(),
        "stored 1, already there 0, 0 bad lines, 0 sessions different, 1 refused\n",
        "{}",
        captured.err()
    );
}
