use super::*;
use crate::dialect::Dialect;
use crate::layout::Profile;
use crate::message::Role;

fn read(name: &str, values: &[&'static str]) -> (Vec<Message>, Vec<usize>) {
    let profile = Profile::ALL.iter().find(|profile| profile.name == name).unwrap();
    let (mut reading, mut messages) = (Reading::new(profile), Vec::new());
    let bad = values
        .iter()
        .enumerate()
        .filter(|(_, value)| reading.take(Bytes::from_static(value.as_bytes()), &mut messages).is_err());
    let bad = bad.map(|(index, _)| index).collect();
    (messages, bad)
}

#[test]
fn a_value_that_is_no_message_is_kept_and_said() {
    let (messages, bad) = read("flowise", &["{", ""]);
    assert_eq!(bad, [0, 1]);
    assert_eq!(messages, [Message::opaque("{".into()), Message::opaque("".into())]);
    let (messages, bad) = read("griptape", &[r#"{"runs":[1]}"#, r#"{"runs":[]}"#]);
    assert_eq!((messages.len(), bad), (1, vec![0]));
}

#[test]
fn griptape_says_who_speaks_by_the_place() {
    let value =
        r#"{"runs": [{"id": "r", "input": {"value": "\ud83d"}, "output": {"value":1.0}}, {"input": null}]}"#;
    let (messages, bad) = read("griptape", &[value]);
    assert!(bad.is_empty());
    let found: Vec<_> = messages.iter().map(|message| (message.role(), message.payload().clone())).collect();
    assert_eq!(
        found,
        [
            (Role::User, Bytes::from_static(br#"{"value": "\ud83d"}"#)),
            (Role::Assistant, Bytes::from_static(br#"{"value":1.0}"#))
        ]
    );
    assert_eq!(messages[0].dialect(), Dialect::Griptape);
}

#[test]
fn each_element_is_read_in_the_format_that_it_is_in() {
    let (messages, bad) = read(
        "llamaindex",
        &[
            r#"{"role":"user","additional_kwargs":{},"blocks":[{"block_type":"text","text":"a"}]}"#,
            r#"{"role": "assistant", "content": "b", "additional_kwargs": {}}"#,
            r#"{"type":"assistant","content":"c"}"#,
        ],
    );
    assert!(bad.is_empty());
    let found: Vec<_> =
        messages.iter().map(|message| (message.dialect(), message.role(), message.text())).collect();
    assert_eq!(
        found,
        [
            (Dialect::LlamaIndex, Role::User, "a".to_owned()),
            (Dialect::LlamaIndexContent, Role::Assistant, "b".to_owned()),
            (Dialect::LlamaIndexTyped, Role::Assistant, "c".to_owned()),
        ]
    );
}

#[test]
fn agno_repeats_what_is_taken_once() {
    let run = |messages: &str| -> &'static str {
        format!(r#"{{"run_id": "r", "run_data": {{"messages": [{messages}]}}}}"#).leak()
    };
    let system = r#"{"role": "system", "content": "S", "from_history": false}"#;
    let first = r#"{"role": "user", "content": "1", "from_history": false}"#;
    let sent_along = r#"{"role": "user", "content": "1", "from_history": true}"#;
    let second = r#"{"role": "user", "content": "2", "from_history": false}"#;
    let other = r#"{"role": "system", "content": "T", "from_history": false}"#;
    let (messages, bad) = read(
        "agno",
        &[
            run(&format!("{system}, {first}")),
            run(&format!("{system},{sent_along},{second}")),
            "no run",
            run(&format!("{other}, 1")),
        ],
    );
    let payloads: Vec<_> = messages.iter().map(|message| message.payload().clone()).collect();
    assert_eq!(payloads, [system, first, second, "no run", other, "1"]);
    assert_eq!(bad, [2, 3]);
}
