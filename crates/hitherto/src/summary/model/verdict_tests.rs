use super::*;
use crate::message::Role;
use crate::summary::Line;
use crate::tokens::Encoding;

fn piece(budget: usize) -> Piece {
    Piece::new(None, vec![Line::new(1, Role::User, "Hello")], budget, Encoding::O200k)
}

#[test]
fn wrappings_are_taken_off() {
    let check = |answer: &str, expected: &str| {
        assert_eq!(accept(answer, &piece(100), "c0de").as_deref(), Ok(expected), "{answer:?}");
    };
    let plain = "Zoë lives in Łódź.";
    for answer in [
        "Zoë lives in Łódź.",
        "\u{feff}  Zoë lives in Łódź.\r\n",
        "```\nZoë lives in Łódź.\n```",
        "```text\nZoë lives in Łódź.\n```\n",
        "\"Zoë lives in Łódź.\"",
        "“Zoë lives in Łódź.”",
        "Summary: Zoë lives in Łódź.",
        "**Summary:** Zoë lives in Łódź.",
        "**Summary**\n\nZoë lives in Łódź.",
        "## Updated summary\nZoë lives in Łódź.",
        "Here’s the updated summary:\n\nZoë lives in Łódź.",
        "摘要：Zoë lives in Łódź.",
        "<think>\nShe lives… where?\n</think>\n\nZoë lives in Łódź.",
        "She lives… where?\n</think>\nZoë lives in Łódź.",
        "<think></think><summary-c0de>\nZoë lives in Łódź.\n</summary-c0de>",
        "<summary>Zoë lives in Łódź.</summary>",
        "<think>x</think>```\nSummary: \"Zoë lives in Łódź.\"\n```",
    ] {
        check(answer, plain);
    }
}

#[test]
fn what_is_inside_stays_as_it_is() {
    for answer in [
        "Zoë asked: where?\nJim said: \"here\".",
        "\"Here\" said Jim, and Zoë said \"there\".",
        "- a list\n- of two",
        "Use ```cargo test``` to test.",
        "Zoë's code begins with <think> and ends with </think>.",
        "Summary statistics were discussed: the mean is 4.",
        "a\n\tb",
    ] {
        assert_eq!(accept(answer, &piece(100), "c0de").as_deref(), Ok(answer));
    }
}

#[test]
fn what_is_no_summary_is_refused() {
    use SummariserError::{Empty, NotText, Refused};
    let check = |answer: &str, expected: fn(&SummariserError) -> bool| {
        let error = accept(answer, &piece(100), "c0de").unwrap_err();
        assert!(expected(&error), "{answer:?}: {error:?}");
    };
    for answer in ["", "NONE", "None.", "```\n```", "Summary:", "<think>so long", "\"\"", "Summary: N/A"] {
        check(answer, |error| *error == Empty);
    }
    check("I'm sorry, but I can't help with that.", |error| *error == Refused);
    check("<think>hm</think>I’m sorry, but I can’t help with that.", |error| *error == Refused);
    check("Zoë\0", |error| matches!(error, NotText(_)));
    check("Zoë \u{1b}[31m", |error| matches!(error, NotText(_)));
    check("Zo\u{fffd}\u{fffd}\u{fffd}", |error| matches!(error, NotText(_)));
}

#[test]
fn the_budget_holds_to_the_token() {
    // Each of these words is one token.
    let words = |count: usize| vec![" the"; count].concat();
    assert!(accept(&format!("The{}", words(9)), &piece(10), "c0de").is_ok());
    let error = accept(&format!("The{}", words(10)), &piece(10), "c0de").unwrap_err();
    assert_eq!(error, SummariserError::TooLong { tokens: 11, budget: 10 });
    let huge = "a".repeat(1 << 20);
    let error = accept(&huge, &piece(10), "c0de").unwrap_err();
    assert!(matches!(error, SummariserError::TooLong { tokens, budget: 10 } if tokens > 10), "{error:?}");
}
