//! `GET /docs`: the OpenAPI document as a page, made here, with no script and nothing from elsewhere.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::openapi::openapi;
use super::problem::CODES;
use super::{answer, motorhead, redis_rest, zep};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1e21;background:#fff}\
code,pre{font:14px/1.45 ui-monospace,monospace;background:#8881;border-radius:4px}code{padding:.1em .3em}pre{padding:.8rem;overflow:auto}\
details{border:1px solid #8884;border-radius:8px;margin:.6rem 0;padding:.6rem .9rem}summary{cursor:pointer}\
.m{display:inline-block;min-width:4.5em;font-weight:700}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #8883}\
@media(prefers-color-scheme:dark){body{color:#e4e6eb;background:#18191a}a{color:#8ab4f8}}";

pub(super) async fn page() -> Response {
    static PAGE: OnceLock<String> = OnceLock::new();
    let page = PAGE.get_or_init(|| render(&openapi())).as_str();
    answer::with_type(StatusCode::OK, "text/html; charset=utf-8", page)
}

/// The page. Writing to a string cannot fail, so results of `write!` are dropped.
fn render(document: &Value) -> String {
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Hitherto: HTTP API</title><style>{STYLE}</style><h1>Hitherto: HTTP API</h1>\
         <p>Version {}. The same as <a href=\"/openapi.json\">OpenAPI 3.1</a>. Fields that are absent are left out.</p><h2>Operations</h2>",
        text(document.pointer("/info/version"))
    );
    for (path, item) in members(document.get("paths")) {
        for (method, operation) in members(Some(item)) {
            self::operation(&mut out, document, path, method, operation);
        }
    }
    out.push_str("<h2>Clients of other servers</h2><p>The same sessions, for clients that were made for another server. \
         Which paths are on is a setting; what differs is in <code>docs/clients/</code>. An id stands in the path as it is, slashes and all.</p>");
    for (name, routes) in [
        ("Motorhead", motorhead::ROUTES),
        ("Zep, version 1", zep::ROUTES),
        ("Redis over HTTP", redis_rest::ROUTES),
    ] {
        let _ = write!(out, "<table><tr><th>{name}<th>path<th>scope<th>what");
        for (method, path, need, what) in routes {
            let scopes = need.map(|need| need.scopes().to_string()).unwrap_or_default();
            let (path, what) = (escape(path), escape(what));
            let _ = write!(out, "<tr><td>{method}<td><code>{path}</code><td>{scopes}<td>{what}");
        }
        out.push_str("</table>");
    }
    out.push_str("<h2>Shapes</h2>");
    for (name, schema) in members(document.pointer("/components/schemas")) {
        let json = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = write!(
            out,
            "<details id=\"shape-{name}\"><summary><code>{name}</code></summary><pre>{}</pre></details>",
            escape(&json)
        );
    }
    out.push_str("<h2>Errors</h2><table><tr><th>status<th>code<th>means<th>what to do");
    for code in CODES {
        let (code, status, title, todo) = code.entry();
        let _ = write!(
            out,
            "<tr id=\"{code}\"><td>{status}<td><code>{code}</code><td>{}<td>{}",
            escape(title),
            escape(todo)
        );
    }
    out.push_str("</table></html>");
    out
}

fn operation(out: &mut String, document: &Value, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        out,
        "<details id=\"{}\"><summary><span class=\"m\">{}</span> <code>{}</code></summary><p>{}</p>",
        text(operation.get("operationId")),
        method.to_uppercase(),
        escape(path),
        text(operation.get("summary"))
    );
    if let Some(scopes) = operation.pointer("/security/0/bearer").and_then(Value::as_array) {
        let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
        let _ = write!(out, "<p>Scope: {}</p>", scopes.join(", "));
    }
    let parameters =
        operation.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        out.push_str("<table><tr><th>parameter<th>in<th>what");
        for parameter in parameters.iter().filter_map(|found| follow(document, found)) {
            let (name, place, what) =
                (parameter.get("name"), parameter.get("in"), parameter.get("description"));
            let _ = write!(out, "<tr><td><code>{}</code><td>{}<td>{}", text(name), text(place), text(what));
        }
        out.push_str("</table>");
    }
    if let Some(schema) = operation.get("requestBody").and_then(schema_name) {
        let _ = write!(out, "<p>Body: <a href=\"#shape-{schema}\"><code>{schema}</code></a></p>");
    }
    out.push_str("<table><tr><th>status<th>answer<th>shape");
    for (status, answer) in members(operation.get("responses")) {
        let _ = write!(out, "<tr><td>{status}<td>{}<td>", text(answer.get("description")));
        if let Some(schema) = schema_name(answer) {
            let _ = write!(out, "<a href=\"#shape-{schema}\"><code>{schema}</code></a>");
        }
    }
    out.push_str("</table></details>");
}

/// What a reference refers to.
fn follow<'a>(document: &'a Value, reference: &Value) -> Option<&'a Value> {
    document.pointer(reference.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// The name of the schema of a body or an answer.
fn schema_name(described: &Value) -> Option<&str> {
    let media = described.get("content")?.as_object()?.values().next()?;
    media.pointer("/schema/$ref")?.as_str()?.rsplit('/').next()
}

fn members(object: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    object.and_then(Value::as_object).into_iter().flatten()
}

fn text(value: Option<&Value>) -> String {
    escape(value.and_then(Value::as_str).unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_everything_and_fetches_nothing() {
        let page = render(&openapi());
        for operation in super::super::openapi::OPERATIONS {
            assert!(page.contains(&format!("<code>{}</code>", operation.path)), "{}", operation.path);
        }
        assert!(CODES.iter().all(|code| page.contains(&format!("<tr id=\"{}\">", code.as_str()))));
        for (_, path, ..) in motorhead::ROUTES.iter().chain(zep::ROUTES) {
            assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
        }
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
        assert!(page.len() < 100_000);
    }
}
