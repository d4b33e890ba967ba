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
