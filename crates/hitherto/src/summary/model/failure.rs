//! What a model's address says when it fails.
//!
//! Invariant: the reason is one of the words below or none. A server may echo the request, or a key, wherever it
//! likes, so nothing that it says is passed on as it came.

use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822;
use serde_json::Value;

use crate::summary::SummariserError;

/// The longest that a server may ask to be left alone; more is a mistake, or a trap.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Codes and types of errors that the protocols know, and fields that they are about.
/// Source: the API references of OpenAI, Azure and Anthropic, and what compatible servers say.
const KNOWN: [&str; 48] = [
    "insufficient_quota",
    "rate_limit_exceeded",
    "rate_limit_error",
    "too_many_requests",
    "requests",
    "tokens",
    "invalid_api_key",
    "invalid_organization",
    "authentication_error",
    "unauthorized",
    "permission_error",
    "permission_denied",
    "forbidden",
    "billing_error",
    "billing_not_active",
    "billing_hard_limit_reached",
    "account_deactivated",
    "access_terminated",
    "model_not_found",
    "model_not_available",
    "not_found_error",
    "not_found",
    "unknown_url",
    "unsupported_country_region_territory",
    "DeploymentNotFound",
    "OperationNotSupported",
    "context_length_exceeded",
    "exceed_context_size_error",
    "string_above_max_length",
    "request_too_large",
    "content_filter",
    "content_policy_violation",
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "missing_required_parameter",
    "invalid_value",
    "invalid_type",
    "invalid_request_error",
    "BadRequestError",
    "server_error",
    "internal_server_error",
    "internal_error",
    "api_error",
    "engine_overloaded",
    "overloaded_error",
    "timeout_error",
    "service_unavailable",
];

/// Fields that newer and older models refuse in turn; to know which one is all that a person needs.
const FIELDS: [&str; 6] =
    ["max_tokens", "max_completion_tokens", "temperature", "top_p", "reasoning_effort", "model"];

/// An answer that is an error.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) retry_after_ms: Option<String>,
    pub(super) retry_after: Option<String>,
}

/// What the failure was.
pub(super) fn read(failure: &Failure, body: &[u8], now: SystemTime) -> SummariserError {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = said.get("error").unwrap_or(&said);
    let known = known(error);
    // Azure refuses in this way what its filter finds in a prompt.
    if failure.status == 400 && matches!(known, Some("content_filter" | "content_policy_violation")) {
        return SummariserError::Refused;
    }
    let field = error.get("param").and_then(Value::as_str);
    let field = field.and_then(|field| FIELDS.into_iter().find(|known| *known == field));
    let reason = match (known, field) {
        (Some(known), Some(field)) => format!("{known} ({field})"),
        (Some(known), None) => known.to_owned(),
        (None, _) => by_status(failure.status).to_owned(),
    };
    let retry_after = retry_after(failure, now);
    SummariserError::Status { status: failure.status, reason, retry_after }
}

/// The most telling known word of an error.
fn known(error: &Value) -> Option<&'static str> {
    ["code", "type", "status"].into_iter().find_map(|field| {
        let word = error.get(field)?.as_str()?;
        KNOWN.into_iter().find(|known| *known == word)
    })
}

const fn by_status(status: u16) -> &'static str {
    match status {
        300..=399 => "it redirects, which is not followed",
        400 => "bad request",
        401 => "the key is not accepted",
        402 => "payment required",
        403 => "forbidden",
        404 => "no such address or model",
        405 => "the address takes no POST",
        408 => "it waited too long",
        413 => "the request is too large",
        422 => "the request is not understood",
        429 => "too many requests",
        500 => "an error of its own",
        502 => "bad gateway",
        503 => "unavailable",
        504 => "gateway time-out",
        529 => "overloaded",
        _ => "no reason known",
    }
}

/// How long it asked to be left alone: milliseconds, seconds, or until a date.
fn retry_after(failure: &Failure, now: SystemTime) -> Option<Duration> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| *number >= 0.0);
    let wait = |secs: f64| Duration::try_from_secs_f64(secs).unwrap_or(LONGEST).min(LONGEST);
    if let Some(millis) = failure.retry_after_ms.as_deref().and_then(number) {
        return Some(wait(millis / 1000.0));
    }
    let after = failure.retry_after.as_deref()?;
    number(after).map(wait).or_else(|| {
        let until = SystemTime::from(rfc2822::parse(after.trim()).ok()?.timestamp());
        Some(until.duration_since(now).unwrap_or_default().min(LONGEST))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_known_word_or_comes_from_the_status() {
        let check = |status, body: &str, expected: &str| {
            let failure = Failure { status, ..Failure::default() };
            match read(&failure, body.as_bytes(), SystemTime::UNIX_EPOCH) {
                SummariserError::Status { reason, .. } => assert_eq!(reason, expected, "{body}"),
                other => panic!("{other:?}"),
            }
        };
        check(
            429,
            r#"{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}"#,
            "rate_limit_exceeded",
        );
        check(
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
            "overloaded_error",
        );
        check(404, r#"{"error":{"code":"DeploymentNotFound","message":"m"}}"#, "DeploymentNotFound");
        check(
            400,
            r#"{"error":{"type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#,
            "unsupported_parameter (max_tokens)",
        );
        check(
            401,
            r#"{"error":{"code":"sk-a-key","type":"My name is Zoë","param":"x"}}"#,
            "the key is not accepted",
        );
        check(401, r#"{"statusCode":401,"message":"m"}"#, "the key is not accepted");
        check(500, "<html>", "an error of its own");
        check(503, "", "unavailable");
        check(307, "", "it redirects, which is not followed");
        check(418, "[1]", "no reason known");
        check(429, r#"{"error":{"code":429}}"#, "too many requests");
    }

    #[test]
    fn a_filtered_prompt_is_a_refusal() {
        let failure = Failure { status: 400, ..Failure::default() };
        let body = br#"{"error":{"code":"content_filter","message":"m"}}"#;
        assert_eq!(read(&failure, body, SystemTime::UNIX_EPOCH), SummariserError::Refused);
    }

    #[test]
    fn how_long_to_wait_is_read_in_three_forms() {
        let check = |millis: Option<&str>, secs: Option<&str>, expected: Option<u64>| {
            let failure = Failure {
                status: 429,
                retry_after_ms: millis.map(str::to_owned),
                retry_after: secs.map(str::to_owned),
            };
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_420);
            let expected = expected.map(Duration::from_millis);
            assert_eq!(retry_after(&failure, now), expected, "{millis:?} {secs:?}");
        };
        check(None, None, None);
        check(None, Some("7"), Some(7_000));
        check(None, Some(" 0 "), Some(0));
        check(None, Some("1.5"), Some(1_500));
        check(Some("250"), Some("1"), Some(250));
        check(Some("soon"), Some("1"), Some(1_000));
        check(None, Some("Wed, 21 Oct 2015 07:28:00 GMT"), Some(60_000));
        check(None, Some("Wed, 21 Oct 2015 07:20:00 GMT"), Some(0));
        check(None, Some("-1"), None);
        check(None, Some("NaN"), None);
        check(None, Some("inf"), Some(86_400_000));
        check(None, Some("1e300"), Some(86_400_000));
        check(None, Some("tomorrow"), None);
    }
}
