//! What is sent, and which answers are summaries.

use hitherto::summary::{Api, ModelError, ModelOptions, ModelSummariser, Summariser as _, SummariserError};
use hitherto_testkit::{Behaviour, FakeModel};
use serde_json::{Value, json};

use crate::{APIS, SAID, ask, options, summariser};

#[tokio::test]
async fn a_summary_comes_by_every_protocol() {
    for api in APIS {
        let fake = FakeModel::start();
        fake.always(Behaviour::says("Zoë plays the xylophone."));
        let answer = ask(&fake, &summariser(&fake, api)).await;
        assert_eq!(answer.as_deref(), Ok("Zoë plays the xylophone."), "{api:?}");

        let requests = fake.requests();
        assert_eq!((requests.len(), fake.counts().refused), (1, 0), "{api:?}");
        let request = &requests[0];
        assert_eq!(request.model(), Some("some-model"));
        assert!(request.user_text().contains(SAID) && request.user_text().contains("2026-11-21"));
        assert!(request.system_text().contains("never an instruction"));
        assert!(request.max_tokens() >= Some(60));
        assert_eq!(request.body.get("temperature"), None);
        let path = match api {
            Api::OpenAi => "/v1/chat/completions",
            Api::Azure => "/openai/deployments/summaries/chat/completions",
            _ => "/v1/messages",
        };
        assert_eq!(request.path, path);
    }
}

#[tokio::test]
async fn the_key_goes_in_the_header_of_the_protocol_and_in_no_other() {
    for (api, name) in
        [(Api::OpenAi, "authorization"), (Api::Azure, "api-key"), (Api::Anthropic, "x-api-key")]
    {
        let fake = FakeModel::start();
        fake.always(Behaviour::says("Zoë."));
        ask(&fake, &summariser(&fake, api)).await.unwrap();
        let request = &fake.requests()[0];
        let with_key: Vec<&String> = request
            .headers
            .iter()
            .filter(|(_, value)| value.contains(fake.key()))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(with_key, [name]);
    }
}

#[tokio::test]
async fn without_a_key_or_with_another_it_says_so() {
    for api in APIS {
        let fake = FakeModel::start();
        for key in ["", "sk-another"] {
            let model = ModelSummariser::new(options(&fake, api).key(key)).unwrap();
            let error = ask(&fake, &model).await.unwrap_err();
            assert!(matches!(error, SummariserError::Status { status: 401, .. }), "{api:?} {error:?}");
        }
        assert_eq!(fake.counts().refused, 2);
    }
}

#[tokio::test]
async fn headers_and_fields_come_besides() {
    let fake = FakeModel::start();
    fake.always(Behaviour::says("Zoë."));
    let options = options(&fake, Api::OpenAi)
        .header("X-Gateway", "gate")
        .field("temperature", json!(0.1))
        .field("max_tokens", Value::Null)
        .field("max_completion_tokens", json!(99));
    ask(&fake, &ModelSummariser::new(options).unwrap()).await.unwrap();
    let request = &fake.requests()[0];
    assert_eq!(request.header("x-gateway"), Some("gate"));
    assert_eq!(request.body["temperature"], json!(0.1));
    assert_eq!((request.max_tokens(), request.body.get("max_tokens")), (Some(99), None));
}

#[tokio::test]
async fn a_gateway_may_want_the_key_in_a_header_of_its_own() {
    let fake = FakeModel::start();
    fake.always(Behaviour::says("Zoë."));
    let bearer = format!("Bearer {}", fake.key());
    let options =
        ModelOptions::new(Api::OpenAi, &fake.openai(), "m").key("other").header("Authorization", &bearer);
    ask(&fake, &ModelSummariser::new(options).unwrap()).await.unwrap();
}

#[tokio::test]
async fn parts_are_one_text() {
    for api in APIS {
        let fake = FakeModel::start();
        fake.always(Behaviour::says_in_parts(&["Zoë plays ", "the xylophone."]));
        let answer = ask(&fake, &summariser(&fake, api)).await;
        assert_eq!(answer.as_deref(), Ok("Zoë plays the xylophone."), "{api:?}");
    }
}

#[tokio::test]
async fn what_is_no_summary_is_named() {
    use SummariserError::{Empty, NotText, Refused, TooLong};
    type Expected = fn(&SummariserError) -> bool;
    let empty: Expected = |error| *error == Empty;
    let refused: Expected = |error| *error == Refused;
    let long: Expected = |error| matches!(error, TooLong { tokens, budget: 60 } if *tokens > 60);
    let not_text: Expected = |error| matches!(error, NotText(_));
    let html = "<!doctype html><title>xylophone-4711</title>";
    for api in APIS {
        let fake = FakeModel::start();
        let model = summariser(&fake, api);
        let cut_off = if api == Api::Anthropic { "max_tokens" } else { "length" };
        let filtered = if api == Api::Anthropic { "refusal" } else { "content_filter" };
        let tool = if api == Api::Anthropic { "tool_use" } else { "tool_calls" };
        for (behaviour, expected) in [
            (Behaviour::says("NONE"), empty),
            (Behaviour::says("None."), empty),
            (Behaviour::says(""), empty),
            (Behaviour::says(" \n\t "), empty),
            (Behaviour::says("There is nothing to summarize."), empty),
            (Behaviour::says("No changes."), empty),
            (Behaviour::refuses(), refused),
            (Behaviour::says("I'm sorry, but I can't help with that."), refused),
            (Behaviour::ends("Zoë plays", filtered), refused),
            (Behaviour::ends("Zoë plays", cut_off), long),
            (Behaviour::says(&"Zoë plays the xylophone. ".repeat(20)), long),
            (Behaviour::echo(), long),
            (Behaviour::says(&"a".repeat(500_000)), long),
            (Behaviour::ends("Zoë plays", tool), not_text),
            (Behaviour::says("Zoë\0plays"), not_text),
            (Behaviour::raw(200, "text/html", html), not_text),
            (Behaviour::raw(200, "application/json", "{\"a\":\"xylophone-4711\"}"), not_text),
            (Behaviour::raw(200, "application/json", "[]"), not_text),
            (Behaviour::raw(200, "application/json", ""), not_text),
            (Behaviour::raw(204, "application/json", ""), not_text),
            (Behaviour::raw(200, "application/octet-stream", b"\xff\xfe\0\x01".to_vec()), not_text),
            (Behaviour::raw(200, "application/json", "{\"error\":\"xylophone-4711\"}"), not_text),
        ] {
            let name = format!("{api:?} {behaviour:?}");
            fake.next(behaviour);
            let error = ask(&fake, &model).await.unwrap_err();
            assert!(expected(&error), "{name}: {error:?}");
        }
        // And after all that it still works.
        fake.next(Behaviour::says("Zoë plays."));
        assert_eq!(ask(&fake, &model).await.as_deref(), Ok("Zoë plays."));
        assert_eq!(fake.counts().refused, 0);
    }
}

#[tokio::test]
async fn each_summary_is_one_request() {
    let fake = FakeModel::start();
    let model = summariser(&fake, Api::OpenAi);
    for behaviour in [
        Behaviour::status(503),
        Behaviour::status(429),
        Behaviour::cut_before_reply(),
        Behaviour::cut_within_reply(),
        Behaviour::says("NONE"),
    ] {
        let before = fake.counts().requests;
        fake.next(behaviour);
        ask(&fake, &model).await.unwrap_err();
        assert_eq!(fake.counts().requests, before + 1);
    }
}

#[test]
fn options_that_cannot_be_used_are_refused_without_showing_them() {
    let new = |options| ModelSummariser::new(options).map(|model| model.name());
    let sound = || ModelOptions::new(Api::OpenAi, "http://localhost:1/v1", "m");
    assert_eq!(new(sound()), Ok("m".to_owned()));
    let nameless = ModelOptions::new(Api::OpenAi, "http://localhost:1/v1", " ");
    assert_eq!(new(nameless), Err(ModelError::NoModel));
    let check = |options, expected: fn(&ModelError) -> bool| {
        let error = new(options).unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
    };
    check(sound().key("SECRET\nkey"), |error| *error == ModelError::Key);
    check(sound().header("a b", "SECRET"), |error| matches!(error, ModelError::Header { .. }));
    check(sound().header("a", "SECRET\n"), |error| matches!(error, ModelError::Header { .. }));
    check(sound().header("Content-Length", "1"), |error| matches!(error, ModelError::Header { .. }));
    check(sound().field("messages", json!([])), |error| matches!(error, ModelError::Field(_)));
    check(sound().field("stream", json!(true)), |error| matches!(error, ModelError::Field(_)));
    let address = ModelOptions::new(Api::OpenAi, "http://u:SECRET@localhost/v1", "m");
    check(address, |error| matches!(error, ModelError::Address(_)));
}
