//! One conversation in every format, word for word.

use super::options::{ContextOptions, Format, SummaryRole};
use super::recount::{parse, recount};
use super::tests::{Session, options};
use crate::tokens::Encoding;

fn session() -> Session {
    Session::new(&[
        r#"{"role":"user","content":"before the summary's watermark"}"#,
        r#"{"role":"assistant","content":"yes"}"#,
        r#"{"role":"user","name":"Zoë","content":"weather \ud83d?"}"#,
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c 1","type":"function","function":{"name":"get","arguments":"{\"city\":\"Espoo\"}"}},{"id":"c2","type":"function","function":{"name":"get","arguments":"{bad"}}]}"#,
        r#"{"role":"tool","tool_call_id":"c 1","name":"get","content":"21 °C"}"#,
        r#"{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"error"}]}"#,
        r#"{"role":"assistant","content":"21 °C.","metadata":{"a":1}}"#,
        r#"{"role":"system","content":"Be brief."}"#,
        r#"{"role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"image_url","image_url":{"url":"https://example.org/a.png"}},{"type":"odd","x":1}]}"#,
    ])
    .summary(2, "Zoë lives in Espoo.")
}

/// The session from message 3 on, in that format; the prompt, or the messages.
fn check(format: Format, role: SummaryRole, expected: &str) {
    let options = ContextOptions { format, summary: role, ..options(super::Budget::Turns(2)) };
    let context = session().read(2).context(&options);
    let json = context.to_json();
    let body = parse(&json);
    assert_eq!(context.tokens, recount(&body, format, Encoding::O200k), "{format:?}");
    let given = match context.prompt() {
        Some(prompt) => prompt.to_owned(),
        None => format!(
            "[{}]",
            context.messages.iter().map(|message| message.message.json()).collect::<Vec<_>>().join(",")
        ),
    };
    assert_eq!(given, expected.replace("\n    ", ""), "{format:?} {role:?}");
}

#[test]
fn messages() {
    let json = session().read(2).context(&options(super::Budget::Turns(2))).to_json();
    assert!(json.starts_with(r#"{"session":"s","summary":{"text":"Zoë lives in Espoo.","upto":2,"tokens":7,"by":"hand","updated_at":"1970-01-01T00:00:01.000Z"},"messages":[{"seq":3,"id":"00000000-0000-0000-0000-000000000003","role":"user","name":"Zoë","content":"weather \ud83d?","created_at":"1970-01-01T00:00:00.000Z"},"#), "{json}");
    assert!(json.ends_with(r#""tokens":951,"explain":{"used":951,"encoding":"o200k","exact":true,"turns":2,"messages":7,"first_seq":3,"last_seq":9,"summary":"given","left_to_summary":{"from":1,"to":2,"turns":1,"messages":2}}}"#), "{json}");
}

#[test]
fn text() {
    check(
        Format::Text,
        SummaryRole::System,
        r#""Summary of the conversation so far:\nZoë lives in Espoo.\n\nZoë: weather �?\nassistant: [calls get({\"city\":\"Espoo\"})]\n[calls get({bad)]\nget: 21 °C\ntool: error\nassistant: 21 °C.\nsystem: Be brief.\nuser: what is it?\n[image_url]\n[image_url]\n[odd]""#,
    );
}

#[test]
fn openai() {
    check(
        Format::OpenAi,
        SummaryRole::System,
        r#"[{"role":"system","content":"Summary of the conversation so far:\nZoë lives in Espoo."},
    {"role":"user","content":"weather �?","name":"Zo_"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c 1","type":"function","function":{"name":"get","arguments":"{\"city\":\"Espoo\"}"}},{"id":"c2","type":"function","function":{"name":"get","arguments":"{bad"}}]},
    {"role":"tool","content":"21 °C","tool_call_id":"c 1"},
    {"role":"tool","content":[{"type":"text","text":"error"}],"tool_call_id":"c2"},
    {"role":"assistant","content":"21 °C."},
    {"role":"system","content":"Be brief."},
    {"role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"image_url","image_url":{"url":"https://example.org/a.png"}},{"type":"text","text":"[odd left out]"}]}]"#,
    );
}

#[test]
fn anthropic() {
    let rest = r#"
    {"role":"assistant","content":[{"type":"tool_use","id":"c_1","name":"get","input":{"city":"Espoo"}},{"type":"tool_use","id":"c2","name":"get","input":{"_raw":"{bad"}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"c_1","content":[{"type":"text","text":"21 °C"}]},{"type":"tool_result","tool_use_id":"c2","content":[{"type":"text","text":"error"}]}]},
    {"role":"assistant","content":[{"type":"text","text":"21 °C."}]},
    {"role":"user","content":[{"type":"text","text":"what is it?"},{"source":{"data":"AAAA","media_type":"image/png","type":"base64"},"type":"image"},{"source":{"type":"url","url":"https://example.org/a.png"},"type":"image"},{"type":"text","text":"[odd left out]"}]}]}"#;
    let user = r#"{"type":"text","text":"Zoë: weather �?"}]},"#;
    let summary = r#"{"type":"text","text":"Summary of the conversation so far:\nZoë lives in Espoo."}"#;
    check(
        Format::Anthropic,
        SummaryRole::System,
        &format!(
            r#"{{"system":"Summary of the conversation so far:\nZoë lives in Espoo.\n\nBe brief.","messages":[{{"role":"user","content":[{user}{rest}"#
        ),
    );
    check(
        Format::Anthropic,
        SummaryRole::User,
        &format!(r#"{{"system":"Be brief.","messages":[{{"role":"user","content":[{summary},{user}{rest}"#),
    );
    check(
        Format::Anthropic,
        SummaryRole::Assistant,
        &format!(
            r#"{{"system":"Be brief.","messages":[{{"role":"user","content":[{{"type":"text","text":"(conversation continues)"}}]}},{{"role":"assistant","content":[{summary}]}},{{"role":"user","content":[{user}{rest}"#
        ),
    );
}

#[test]
fn langchain() {
    let (end, none) = (r#""response_metadata":{}}}"#, r#""additional_kwargs":{},"#);
    // LangChain hands these on and sends them to no model, so they are not counted.
    let metadata = r#""additional_kwargs":{"hitherto":{"metadata":{"a":1}}},"#;
    let expected = [
        r#"{"type":"human","data":{"content":"Summary of the conversation so far:\nZoë lives in Espoo.","#,
        r#"{"type":"human","data":{"content":"weather \ud83d?","name":"Zoë","#,
        r#"{"type":"ai","data":{"content":"","tool_calls":[{"name":"get","args":{"city":"Espoo"},"id":"c 1","type":"tool_call"}],"invalid_tool_calls":[{"name":"get","args":"{bad","id":"c2","type":"invalid_tool_call"}],"#,
        r#"{"type":"tool","data":{"content":"21 °C","name":"get","tool_call_id":"c 1","#,
        r#"{"type":"tool","data":{"content":[{"type":"text","text":"error"}],"tool_call_id":"c2","#,
        r#"{"type":"ai","data":{"content":"21 °C.","tool_calls":[],"invalid_tool_calls":[],"#,
        r#"{"type":"system","data":{"content":"Be brief.","#,
        r#"{"type":"human","data":{"content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"image_url","image_url":{"url":"https://example.org/a.png"}},{"type":"odd","x":1}],"#,
    ]
    .map(|message| {
        let kwargs = if message.contains("21 °C.") { metadata } else { none };
        format!("{message}{kwargs}{end}")
    });
    check(Format::LangChain, SummaryRole::User, &format!("[{}]", expected.join(",")));
}
