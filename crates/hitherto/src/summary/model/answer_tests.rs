use super::*;
use SummariserError::{Empty, NotText, Refused, TooLong};

fn openai(body: &str) -> Result<String, SummariserError> {
    read(Api::OpenAi, body.as_bytes(), 600)
}

fn anthropic(body: &str) -> Result<String, SummariserError> {
    read(Api::Anthropic, body.as_bytes(), 600)
}

#[test]
fn the_text_is_found() {
    for body in [
        r#"{"choices":[{"message":{"role":"assistant","content":"Zoë","refusal":null},"finish_reason":"stop"}]}"#,
        r#"{"choices":[{"message":{"content":"Zoë"}}],"error":null}"#,
        r#"{"choices":[{"message":{"content":"Zoë"},"finish_reason":null}]}"#,
        r#"{"choices":[{"message":{"content":[{"type":"text","text":"Zo"},{"type":"text","text":"ë"}]},"finish_reason":"stop"}]}"#,
        r#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"Zoë"}]}}]}"#,
    ] {
        assert_eq!(openai(body).as_deref(), Ok("Zoë"), "{body}");
    }
    for body in [
        r#"{"type":"message","content":[{"type":"text","text":"Zoë"}],"stop_reason":"end_turn"}"#,
        r#"{"type":"message","content":[{"type":"thinking","thinking":"x"},{"type":"text","text":"Zoë"}],"stop_reason":"stop_sequence"}"#,
    ] {
        assert_eq!(anthropic(body).as_deref(), Ok("Zoë"), "{body}");
    }
    assert_eq!(anthropic(r#"{"type":"message","content":[],"stop_reason":"end_turn"}"#).as_deref(), Ok(""));
}

#[test]
fn what_is_no_whole_answer_is_an_error() {
    let check = |answer: Result<String, SummariserError>, expected: fn(&SummariserError) -> bool| {
        let error = answer.unwrap_err();
        assert!(expected(&error), "{error:?}");
    };
    let not_text = |error: &SummariserError| matches!(error, NotText(_));
    for body in [
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        r#"{"choices":[]}"#,
        r#"{"choices":{}}"#,
        r#"{"choices":[{}]}"#,
        r#"{"choices":[{"message":"Zoë"}]}"#,
        r#"{"choices":[{"text":"Zoë"}]}"#,
        r#"{"choices":[{"message":{"content":4}}]}"#,
        r#"{"choices":[{"message":{"content":{"text":"Zoë"}}}]}"#,
        r#"{"choices":[{"message":{"content":["Zoë"]}}]}"#,
        r#"{"choices":[{"message":{"content":[{"type":"image_url"}]}}]}"#,
        r#"{"choices":[{"message":{"content":[{"type":"text"}]}}]}"#,
        r#"{"choices":[{"message":{"content":"Zoë"},"finish_reason":"tool_calls"}]}"#,
        r#"{"choices":[{"message":{"content":"Zoë"},"finish_reason":"error"}]}"#,
        r#"{"choices":[{"message":{"content":"Zoë"},"finish_reason":1}]}"#,
        r#"{"error":"Zoë"}"#,
        "data: {\"choices\":[]}\n\n",
    ] {
        check(openai(body), not_text);
    }
    for body in [
        "{}",
        r#"{"type":"error"}"#,
        r#"{"type":"message","content":"Zoë","stop_reason":"end_turn"}"#,
        r#"{"type":"message","content":[{"type":"tool_use","name":"x"}],"stop_reason":"end_turn"}"#,
        r#"{"type":"message","content":[{"type":"text","text":"Zoë"}],"stop_reason":"pause_turn"}"#,
        r#"{"type":"message","content":[{"type":"text","text":"Zoë"}],"stop_reason":"tool_use"}"#,
    ] {
        check(anthropic(body), not_text);
    }
    check(read(Api::OpenAi, b"{\"choices\":[\xff]}", 600), not_text);
    let deep = "[".repeat(100_000);
    check(openai(&deep), not_text);

    check(openai(r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#), |e| *e == Empty);
    for body in [
        r#"{"choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]}"#,
        r#"{"choices":[{"message":{"content":"Zo"},"finish_reason":"content_filter"}]}"#,
        r#"{"choices":[{"message":{"content":[{"type":"refusal","refusal":"No."}]},"finish_reason":"stop"}]}"#,
    ] {
        check(openai(body), |e| *e == Refused);
    }
    check(anthropic(r#"{"type":"message","content":[],"stop_reason":"refusal"}"#), |e| *e == Refused);
    check(
        openai(
            r#"{"choices":[{"message":{"content":"Zo"},"finish_reason":"length"}],"usage":{"completion_tokens":1200}}"#,
        ),
        |e| *e == TooLong { tokens: 1200, budget: 600 },
    );
    check(anthropic(r#"{"type":"message","content":[],"stop_reason":"max_tokens"}"#), |e| {
        *e == TooLong { tokens: 601, budget: 600 }
    });
}

#[test]
fn an_error_with_status_200_is_the_error_that_it_says() {
    let error = openai(r#"{"error":{"code":429,"message":"Zoë"}}"#).unwrap_err();
    let expected =
        SummariserError::Status { status: 429, reason: "too many requests".to_owned(), retry_after: None };
    assert_eq!(error, expected);
}

#[test]
fn tokens_are_counted_as_the_model_says() {
    let check = |body: &str, tokens_in, tokens_out| {
        assert_eq!(usage(body.as_bytes()), Usage { tokens_in, tokens_out }, "{body}");
    };
    check(r#"{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}}"#, 12, 3);
    check(r#"{"type":"message","usage":{"input_tokens":7,"output_tokens":2}}"#, 7, 2);
    check(r#"{"usage":{"prompt_tokens":"many"}}"#, 0, 0);
    check(r#"{"usage":null}"#, 0, 0);
    check("{}", 0, 0);
    check("not JSON", 0, 0);
}
