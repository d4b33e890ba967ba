use super::super::output::Look;
use super::super::test_kit::{Captured, apollo, append_json, memory, session};
use super::*;

const ODD: &[&str] = &[
    r#"{"role":"system","content":"Be brief.","created_at":"2026-11-22T10:00:00.123Z"}"#,
    r#"{"role":"user","name":"zoë","content":"What is the weather in Oslo?\nAnd tomorrow?","created_at":"2026-11-22T10:00:01Z"}"#,
    r#"{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\n\"Oslo\"}"}}],"created_at":"2026-11-22T10:00:02Z"}"#,
    r#"{"role":"tool","tool_call_id":"call_1","content":"{\"now\":\n\"-3 °C, snow\",\"tomorrow\":\"a text that goes on and on and on so that it does not fit on one line\"}","created_at":"2026-11-22T10:00:03Z"}"#,
    r#"{"role":"assistant","content":"It snows, and goes on snowing for as long as anybody has dared to foretell, so take a warm coat.","created_at":"2026-11-22T10:00:04Z"}"#,
    r#"{"role":"user","content":"\u001b[31mred\u001b]0;title\u0007 \u009b2J \u202etxet","created_at":"2026-11-22T10:00:05Z"}"#,
    r#"{"role":"user","content":[{"type":"text","text":"Look:"},{"type":"image_url","image_url":{"url":"https://example.org/a.png"}},{"type":"hologram","v":12345678901234567890123}],"created_at":"2026-11-22T10:00:06Z"}"#,
];

async fn shown(part: ShowPart, json: bool, look: Look, messages: &[&str]) -> (String, String) {
    let (target, _folder) = memory();
    append_json(&target, "s", messages).await;
    let args = ShowArgs { session: session("s"), part, json };
    let mut captured = Captured::new("", look);
    assert_eq!(run(&target, &args, &mut captured.output).await.unwrap(), ExitCode::SUCCESS);
    (captured.out(), captured.err())
}

#[tokio::test]
async fn a_transcript_on_a_narrow_terminal() {
    let look = Look { width: Some(60), ..Look::default() };
    let (out, _) = shown(ShowPart::default(), false, look, ODD).await;
    insta::assert_snapshot!(out);
}

#[tokio::test]
async fn colours_are_the_only_control_characters() {
    let look = Look { colour: true, ..Look::default() };
    let (out, _) = shown(ShowPart::After(0, None), false, look, ODD).await;
    insta::assert_snapshot!(out.replace('\u{1b}', "␛ESC"));
    for (at, _) in out.match_indices('\u{1b}') {
        let code = out.split_at(at + 1).1.split_once('m').unwrap().0;
        assert!(code.strip_prefix('[').unwrap().bytes().all(|byte| byte.is_ascii_digit() || byte == b';'));
    }
}

#[tokio::test]
async fn json_is_one_message_a_line_as_it_came() {
    let spread =
        "{\n  \"role\": \"user\",\r\n  \"content\": \"a\\nb \\ud83d\",\n  \"n\": 12345678901234567890123\n}";
    let (out, _) = shown(ShowPart::default(), true, Look::default(), &[spread]).await;
    assert_eq!(out.lines().count(), 1);
    assert!(out.contains(r#""content": "a\nb \ud83d",   "n": 12345678901234567890123 "#), "{out}");
}

#[tokio::test]
async fn says_how_much_more_there_is() {
    let (target, _folder) = memory();
    let lines = apollo();
    append_json(&target, "s", &lines[..450]).await;
    let show = async |part, json| {
        let mut captured = Captured::default();
        run(&target, &ShowArgs { session: session("s"), part, json }, &mut captured.output).await.unwrap();
        (captured.out(), captured.err())
    };
    let (out, _) = show(ShowPart::Window(Window::Turns(2)), false).await;
    let shown = out.lines().filter(|line| line.contains("Z  ")).count();
    assert!(
        out.starts_with(&format!("… {} older messages; `--after 0` shows all\n\n", 450 - shown)),
        "{out}"
    );
    let (out, err) = show(ShowPart::After(0, None), true).await;
    assert_eq!((out.lines().count(), err.as_str()), (450, ""));
    let (out, err) = show(ShowPart::After(10, Some(300)), false).await;
    assert!(out.starts_with("   11 "), "{out}");
    assert_eq!(err, "… more: `--after 310`\n");
    let (out, _) = show(ShowPart::After(440, Some(300)), true).await;
    assert_eq!(out.lines().count(), 10);
}

#[tokio::test]
async fn an_unknown_session_is_a_failure() {
    let (target, _folder) = memory();
    let mut captured = Captured::default();
    let args = ShowArgs { session: session("no\u{1b}ne"), part: ShowPart::default(), json: false };
    assert_eq!(run(&target, &args, &mut captured.output).await.unwrap(), ExitCode::FAILURE);
    assert_eq!((captured.out(), captured.err()), (String::new(), "there is no session no␛ne\n".to_owned()));
}
