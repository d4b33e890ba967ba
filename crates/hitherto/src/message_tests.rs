use super::*;
use serde_json::json;

fn parse(json: &str) -> Result<Message, MessageError> {
    Message::parse(Bytes::copy_from_slice(json.as_bytes()))
}

#[test]
fn keeps_every_byte() {
    for json in [
        r#"{"role":"user","content":"hi"}"#,
        r#"{ "content" : "hi" , "role" : "user", "x":{"y":[1.0,1e999,12345678901234567890123,-0]} }"#,
        r#"{"role":"user","content":"half \ud83d, nul \u0000, sep  "}"#,
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
        r#"{"role":"tool","tool_call_id":"c1","content":"21"}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"x"}},{"type":"hologram","v":1}]}"#,
    ] {
        assert_eq!(parse(json).unwrap().json(), json);
    }
}

#[test]
fn reads_what_it_is_asked_for() {
    let message = parse(
        r#"{"role":"assistant","name":"bot","id":"m-1","created_at":"1970-01-01T00:00:02Z","metadata":{"a":1},
            "content":[{"type":"text","text":"a\ud83d"},{"type":"file","file":{}},{"type":"text","text":"b"}],
            "tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"c2"}]}"#,
    )
    .unwrap();
    assert_eq!(message.role(), Role::Assistant);
    assert_eq!(message.text(), "a\u{fffd}\nb");
    assert_eq!(message.name().as_deref(), Some("bot"));
    assert_eq!(message.own_id().as_deref(), Some("m-1"));
    assert_eq!(message.created_at(), Some(Timestamp::from_millis(2000)));
    assert_eq!(message.metadata().as_deref(), Some(r#"{"a":1}"#));
    let call = ToolCall { id: "c1".into(), name: "f".into(), arguments: r#"{"x":1}"#.into() };
    assert_eq!(message.tool_calls(), [call]);
    assert!(
        matches!(message.content(), Content::Parts(parts) if matches!(parts.as_slice(), [Part::Text(_), Part::File(_), Part::Text(_)]))
    );
}

#[test]
fn builds_messages() {
    assert_eq!(Message::user("a\"b\u{2028}").json(), "{\"role\":\"user\",\"content\":\"a\\\"b\u{2028}\"}");
    assert_eq!(Message::tool("c1", "21").tool_call_id().as_deref(), Some("c1"));
    let named = Message::user("hi").with("name", &json!("zoe")).with("metadata", &json!({"k": 1}));
    assert_eq!(named.name().as_deref(), Some("zoe"));
    assert_eq!(named.metadata().as_deref(), Some(r#"{"k":1}"#));
    let spaced = parse("\n {\"role\":\"user\",\"content\":\"hi\"}\n").unwrap();
    assert_eq!(spaced.with("name", &json!("zoe")).name().as_deref(), Some("zoe"));
    assert_eq!(Message::user("hi").with("role", &json!("king")).role(), Role::User);
}

#[test]
fn says_what_is_wrong() {
    let check = |json: &str, expected: &str| {
        let error = parse(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{json}: {error}");
    };
    check("[]", "not a message");
    check("{", "not a message");
    check(r#"["user","hi",null,null,null,null,null,null]"#, "not a message");
    check(r#"{"content":"x"}"#, "role must be given");
    check(r#"{"role":1,"content":"x"}"#, "role must be a string");
    check(r#"{"role":"robot","content":"x"}"#, "unknown role \"robot\"");
    check(r#"{"role":"user"}"#, "a message of role user needs content");
    check(r#"{"role":"user","content":null}"#, "needs content");
    check(r#"{"role":"user","content":7}"#, "content must be a text");
    check(r#"{"role":"user","content":["x"]}"#, "content must be a text");
    check(r#"{"role":"user","content":[{"text":"x"}]}"#, "each have a type");
    check(r#"{"role":"user","content":[["text"]]}"#, "each have a type");
    check(r#"{"role":"user","content":[{"type":"text","text":"x","type":"y"}]}"#, "each have a type");
    check(r#"{"role":"user","content":"x","metadata":[]}"#, "metadata must be an object");
    check(r#"{"role":"assistant","tool_calls":{}}"#, "tool_calls must be a list");
    check(r#"{"role":"user","content":"x","seq":1}"#, "seq is given by the store");
    check(r#"{"role":"user","content":"x","id":7}"#, "id must be a text");
    check(r#"{"role":"user","content":"x","id":""}"#, "id must be a text");
    check(r#"{"role":"user","content":"x","created_at":"yesterday"}"#, "created_at must be a time");
    check(r#"{"role":"user","content":"x","role":"user"}"#, "duplicate field");
}

#[test]
fn debug_output_keeps_what_was_said_to_itself() {
    assert_eq!(format!("{:?}", Message::user("secret")), "Message(user, 34 bytes)");
}
