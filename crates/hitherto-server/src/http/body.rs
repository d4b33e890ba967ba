//! The body of a request: JSON, within its limit, in time.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;

use super::Door;
use super::problem::{Code, Problem};

/// Reads a body that is JSON. A body that arrived in one piece is not copied.
pub(super) async fn read(door: &Door, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    check_type(headers)?;
    let limit = door.options.body_limit;
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let bytes = match tokio::time::timeout(door.options.body_timeout, collect(body, limit)).await {
        Ok(bytes) => bytes?,
        Err(_) => {
            let secs = door.options.body_timeout.as_secs();
            return Err(Problem::new(Code::BodyTimeout, format!("the body did not arrive within {secs} s")));
        }
    };
    Ok(bytes)
}

/// The text of a body.
pub(super) fn text(body: &Bytes) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|error| {
        Problem::new(Code::InvalidUtf8, format!("the body is not UTF-8 after byte {}", error.valid_up_to()))
    })
}

/// Refuses what is declared as something else than JSON. What `curl -d` declares by itself is taken for
/// JSON, and so is nothing, unless a web page sends it: a page of another site can send those two without
/// being asked for permission, and there are no credentials that it would lack.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let from_a_page = headers.contains_key(header::ORIGIN);
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let plain = kind.is_empty() || kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
    if kind.eq_ignore_ascii_case(b"application/json") || (plain && !from_a_page) {
        return Ok(());
    }
    let kind = String::from_utf8_lossy(kind);
    Err(Problem::new(
        Code::UnsupportedMediaType,
        format!("the body is declared as {kind:?}; send application/json"),
    ))
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let Some(first) = data(&mut body).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(too_large(limit));
    }
    let Some(second) = data(&mut body).await? else {
        return Ok(first);
    };
    let expected = first.len() + second.len() + usize::try_from(body.size_hint().lower()).unwrap_or(0);
    let mut all = BytesMut::with_capacity(expected.min(limit));
    all.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if all.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        all.extend_from_slice(&chunk);
        next = data(&mut body).await?;
    }
    Ok(all.freeze())
}

/// The next piece of data; trailers are passed over.
async fn data(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Problem::new(Code::BodyIncomplete, format!("the body broke off: {error}")))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("the body has more than {limit} bytes")).with("limit", limit)
}
