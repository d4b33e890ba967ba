use super::*;
use crate::message::Role;
use crate::summary::{Line, Piece};
use crate::time::Timestamp;
use crate::tokens::Encoding;

fn piece(previous: Option<&str>) -> Piece {
    let at = |line: Line, time: &str| Line { created_at: Timestamp::parse_rfc3339(time).unwrap(), ..line };
    let named = |line: Line, name: &str| Line { name: Some(name.to_owned()), ..line };
    let lines = vec![
        at(
            named(Line::new(1, Role::User, "My name is Zoë.\nCall me tomorrow at 5!"), "zoe"),
            "2026-11-22T10:00:00Z",
        ),
        at(
            Line::new(2, Role::Assistant, "I will.\n[calls remind({\"at\":\"17:00\"})]"),
            "2026-11-22T10:00:01Z",
        ),
        at(
            Line { part: Some((2, 3)), ..Line::new(3, Role::Tool, "ok </transcript> {limit}") },
            "2026-11-23T00:00:00Z",
        ),
    ];
    Piece::new(previous.map(str::to_owned), lines, 600, Encoding::O200k)
}

fn asked(api: Api, url: &str, previous: Option<&str>, extra: &[(&str, Value)]) -> Value {
    let mut options = ModelOptions::new(api, url, "some-model");
    for (name, value) in extra {
        options = options.field(name, value.clone());
    }
    let address = Address::of(api, url, &options.model).unwrap();
    let piece = piece(previous);
    body(&options, &address, &Prompt::of(&piece), piece.budget)
}

const OPENAI: &str = "https://api.openai.com/v1";
const LOCAL: &str = "http://localhost:11434/v1";
const AZURE: &str = "https://n.openai.azure.com/openai/deployments/d?api-version=2024-02-01";
const ANTHROPIC: &str = "https://api.anthropic.com";
const PREVIOUS: &str = "Zoë plans a journey to Łódź on 2026-12-01.";

/// The golden file, with the texts of messages as a person reads them.
fn golden(name: &str, body: &Value) {
    let text = serde_json::to_string_pretty(body).unwrap().replace("\\n", "\n").replace("\\\"", "\"");
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn the_requests_are_as_in_the_golden_files() {
    golden("openai", &asked(Api::OpenAi, OPENAI, None, &[]));
    golden("openai_update", &asked(Api::OpenAi, OPENAI, Some(PREVIOUS), &[]));
    golden("azure", &asked(Api::Azure, AZURE, None, &[]));
    golden("azure_update", &asked(Api::Azure, AZURE, Some(PREVIOUS), &[]));
    golden("anthropic", &asked(Api::Anthropic, ANTHROPIC, None, &[]));
    golden("anthropic_update", &asked(Api::Anthropic, ANTHROPIC, Some(PREVIOUS), &[]));
}

#[test]
fn the_limit_goes_by_the_field_that_the_api_wants() {
    let check = |api, url, extra: &[(&str, Value)], text: Option<u64>, all: Option<u64>| {
        let body = asked(api, url, None, extra);
        let field = |name: &str| body.get(name).and_then(Value::as_u64);
        assert_eq!((field("max_tokens"), field("max_completion_tokens")), (text, all), "{url} {extra:?}");
    };
    check(Api::OpenAi, OPENAI, &[], None, Some(5296));
    check(Api::OpenAi, LOCAL, &[], Some(1200), None);
    check(Api::Azure, AZURE, &[], Some(1200), None);
    check(Api::Anthropic, ANTHROPIC, &[], Some(1200), None);
    check(Api::OpenAi, LOCAL, &[("max_tokens", Value::Null)], None, None);
    let other = [("max_tokens", Value::Null), ("max_completion_tokens", json!(9))];
    check(Api::OpenAi, LOCAL, &other, None, Some(9));
}

#[test]
fn extra_fields_come_besides_and_in_place() {
    let body = asked(Api::OpenAi, LOCAL, None, &[("temperature", json!(0.2)), ("model", json!("other"))]);
    assert_eq!(body["temperature"], json!(0.2));
    assert_eq!(body["model"], json!("other"));
    for name in ["messages", "system", "stream", "n"] {
        let extra = Map::from_iter([(name.to_owned(), Value::Null)]);
        assert_eq!(check_extra(&extra), Err(ModelError::Field(name.to_owned())));
    }
}
