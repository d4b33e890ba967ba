//! The yardstick: the least that a chat memory on Redis behind HTTP can do.
//!
//! An append pushes the bytes of the body, as they are, as one list element with an expiry; a read takes the
//! last elements and splices their bytes into a JSON array. Nothing is parsed, checked, numbered or named, and
//! there are no time-outs. What a real server costs more than this is what its features cost.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, IntoConnectionInfo, Value};

const EXPIRY_SECS: i64 = 3600;

/// Serves until it is killed, on a runtime with its defaults, as a real server would.
pub(crate) fn serve(redis: &str, listen: SocketAddr) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(run(redis, listen))
}

async fn run(redis: &str, listen: SocketAddr) -> Result<()> {
    let info = redis.into_connection_info()?.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = redis::Client::open(info)?
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .with_context(|| format!("connecting to {redis}"))?;
    let router = Router::new()
        .route("/v1/sessions/{id}/messages", post(push).get(last))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(connection);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    Ok(axum::serve(listener, router).await?)
}

async fn push(
    State(mut redis): State<MultiplexedConnection>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failed> {
    let mut pipeline = redis::pipe();
    pipeline.rpush(&id, &body[..]).ignore().expire(&id, EXPIRY_SECS).ignore();
    pipeline.query_async::<()>(&mut redis).await?;
    Ok(StatusCode::CREATED)
}

async fn last(
    State(mut redis): State<MultiplexedConnection>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Failed> {
    let count = elements_asked_for(query.as_deref());
    let value = redis::Cmd::lrange(&id, -count, -1).query_async::<Value>(&mut redis).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], splice(value)))
}

/// The number after the query's only `=`; 20 without one. An element is whatever one push brought.
fn elements_asked_for(query: Option<&str>) -> isize {
    query.and_then(|query| query.split_once('=')).and_then(|(_, count)| count.parse().ok()).unwrap_or(20)
}

fn splice(value: Value) -> Vec<u8> {
    let Value::Array(elements) = value else { return b"[]".to_vec() };
    let bytes = |element: &Value| match element {
        Value::BulkString(bytes) => bytes.len() + 1,
        _ => 0,
    };
    let mut out = Vec::with_capacity(2 + elements.iter().map(bytes).sum::<usize>());
    out.push(b'[');
    for element in elements {
        if let Value::BulkString(bytes) = element {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(&bytes);
        }
    }
    out.push(b']');
    out
}

/// Any error of Redis. The load stops at the first status that is not the expected one, so one status is enough.
struct Failed(redis::RedisError);

impl From<redis::RedisError> for Failed {
    fn from(error: redis::RedisError) -> Self {
        Failed(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::BAD_GATEWAY, self.0.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_spliced_as_they_are() {
        let element = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let check = |elements: Vec<Value>, expected: &str| {
            assert_eq!(String::from_utf8(splice(Value::Array(elements))).unwrap(), expected);
        };
        check(vec![], "[]");
        check(vec![element(r#"{"a":1}"#)], r#"[{"a":1}]"#);
        check(vec![element("1"), element("2"), element("3")], "[1,2,3]");
    }

    #[test]
    fn the_query_says_how_many_elements() {
        assert_eq!(elements_asked_for(None), 20);
        assert_eq!(elements_asked_for(Some("last_messages=10")), 10);
        assert_eq!(elements_asked_for(Some("nonsense")), 20);
    }
}
