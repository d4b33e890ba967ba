//! Whether a model's text is a summary.
//!
//! Invariant: what is accepted is text, says something, and has at most the piece's budget of tokens by its
//! encoding. Wrappings that models put around an answer are taken off first; nothing inside it is changed.

use super::refusal;
use crate::summary::{Piece, SummariserError};

/// No text of words has as many bytes a token. What has is not counted: that would take long for a huge one.
const BYTES_A_TOKEN: usize = 16;

/// Names of the tags in which models think aloud.
const THOUGHTS: [&str; 4] = ["think", "thinking", "thought", "reasoning"];

/// What models write above a summary, in small letters.
const LABELS: [&str; 18] = [
    "summary",
    "new summary",
    "updated summary",
    "the new summary",
    "the updated summary",
    "conversation summary",
    "here is the summary",
    "here is the new summary",
    "here is the updated summary",
    "here's the summary",
    "here's the new summary",
    "here's the updated summary",
    "zusammenfassung",
    "résumé",
    "resumen",
    "resumo",
    "riassunto",
    "摘要",
];

/// The summary in `answer`, if it is one. `code` is the one in the tags of the prompt.
pub(super) fn accept(answer: &str, piece: &Piece, code: &str) -> Result<String, SummariserError> {
    let refuse = |reason: &str| SummariserError::NotText(reason.to_owned());
    if answer.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(refuse("it has control characters"));
    }
    let unknown = answer.chars().filter(|c| *c == '\u{fffd}').count();
    if unknown * 10 > answer.chars().count() {
        return Err(refuse("it has too many characters that could not be decoded"));
    }
    let text = unwrapped(&answer.replace("\r\n", "\n").replace('\r', "\n"), code);
    if refusal::is_nothing(&text) {
        return Err(SummariserError::Empty);
    }
    if refusal::is_refusal(&text) {
        return Err(SummariserError::Refused);
    }
    let budget = piece.budget;
    let tokens = match text.len() > budget.saturating_mul(BYTES_A_TOKEN) {
        true => text.len() / BYTES_A_TOKEN + 1,
        false => piece.encoding.count(&text),
    };
    if tokens > budget {
        return Err(SummariserError::TooLong { tokens, budget });
    }
    Ok(text)
}

/// The text without what models wrap around it, in whatever order they did.
fn unwrapped(answer: &str, code: &str) -> String {
    let mut text = answer.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    // Each round takes something off, so this ends; eight are more than any model was seen to need.
    for _ in 0..8 {
        let inner = without_thoughts(text);
        let inner = without_tags(inner, code);
        let inner = without_fence(inner);
        let inner = without_quotes(inner);
        let inner = without_label(inner).trim();
        if inner.len() == text.len() {
            break;
        }
        text = inner;
    }
    text.to_owned()
}

/// The text after the thoughts at its beginning; nothing, if they never end.
fn without_thoughts(text: &str) -> &str {
    for name in THOUGHTS {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        match (text.strip_prefix(open.as_str()), text.split_once(close.as_str())) {
            (Some(_), Some((_, after))) => return after.trim_start(),
            (Some(_), None) => return "",
            // Some templates put the opening tag into the prompt, so that only the end is in the answer.
            (None, Some((before, after))) if !before.contains(open.as_str()) => return after.trim_start(),
            (None, _) => {}
        }
    }
    text
}

/// The text inside our own tags, or inside `<summary>`.
fn without_tags<'a>(text: &'a str, code: &str) -> &'a str {
    for name in [format!("summary-{code}"), "summary".to_owned()] {
        let inner = text.strip_prefix(format!("<{name}>").as_str());
        let inner = inner.and_then(|inner| inner.strip_suffix(format!("</{name}>").as_str()));
        if let Some(inner) = inner {
            return inner.trim();
        }
    }
    text
}

/// The text inside a code fence around all of it.
fn without_fence(text: &str) -> &str {
    let inner = text.strip_prefix("```").and_then(|inner| inner.strip_suffix("```"));
    match inner.and_then(|inner| inner.split_once('\n')) {
        Some((_language, inner)) if !inner.contains("```") => inner.trim(),
        _ => text,
    }
}

/// The text inside quotation marks around all of it.
fn without_quotes(text: &str) -> &str {
    for (open, close) in [('"', '"'), ('“', '”'), ('«', '»'), ('„', '“'), ('「', '」'), ('\'', '\'')]
    {
        let inner = text.strip_prefix(open).and_then(|inner| inner.strip_suffix(close));
        if let Some(inner) = inner.filter(|inner| !inner.contains([open, close])) {
            return inner.trim();
        }
    }
    text
}

/// The text after a label such as `Summary:`, `**Summary**` or `## Updated summary` on a line of its own.
fn without_label(text: &str) -> &str {
    let first = text.split('\n').next().unwrap_or(text);
    let is_label = |label: &str| {
        let label = label.trim_matches(|c: char| c.is_whitespace() || "*#_:：".contains(c));
        LABELS.contains(&label.replace('\u{2019}', "'").to_lowercase().as_str())
    };
    let marked = first.starts_with(['#', '*', '_']) || first.trim_end().ends_with([':', '：']);
    if marked && is_label(first) {
        return text.strip_prefix(first).unwrap_or(text).trim_start();
    }
    if let Some((label, after)) = text.split_once([':', '：']).filter(|(label, _)| is_label(label)) {
        // `**Summary:** text`: the end of the mark stands behind the colon.
        let mark: String = label.chars().take_while(|c| matches!(c, '*' | '_')).collect();
        return after.strip_prefix(mark.as_str()).unwrap_or(after).trim_start();
    }
    text
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
