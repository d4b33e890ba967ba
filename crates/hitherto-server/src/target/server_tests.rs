use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers one request with `answer` and gives back the request.
async fn once(answer: &'static str) -> (Server, tokio::task::JoinHandle<String>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server =
        Server::new(&format!("http://{}/", listener.local_addr().unwrap()), None, &ServerTls::default())
            .unwrap();
    let request = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = socket.read(&mut buffer).await.unwrap();
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&request).to_lowercase();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if read == 0 || length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                break;
            }
        }
        let (status, body) = answer.split_once('\n').unwrap();
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        socket.write_all(head.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    (server, request)
}

fn session(id: &str) -> SessionId {
    SessionId::parse(id).unwrap()
}

#[tokio::test]
async fn appends_the_bytes_that_it_was_given() {
    let (server, request) = once(
        "201 Created\n{\"session\":\"s\",\"messages\":[{\"seq\":3,\"id\":\"x\"},{\"seq\":4,\"id\":\"y\"}]}",
    )
    .await;
    let odd =
        Message::parse(r#"{"role":"user","content":"\ud83d","n":12345678901234567890123}"#.into()).unwrap();
    let ttl = Some(hitherto::Ttl::from_secs(60).unwrap());
    let done = server
        .append(
            &session("a/b ?é"),
            &[odd, Message::assistant("y")],
            AppendWith { idempotency_key: Some("k1"), ttl, user: None },
        )
        .await
        .unwrap();
    assert_eq!(done, Appended { seqs: vec![3, 4], repeated: false });
    let request = request.await.unwrap();
    assert!(request.starts_with("POST /v1/sessions/a%2Fb%20%3F%C3%A9/messages HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nidempotency-key: k1\r\n"), "{request}");
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        body,
        r#"{"messages":[{"role":"user","content":"\ud83d","n":12345678901234567890123},{"role":"assistant","content":"y"}],"ttl_secs":60}"#
    );
}

#[tokio::test]
async fn reads_pages() {
    let (server, request) = once(
        "200 OK\n{\"messages\":[{\"seq\":1,\"id\":\"a\",\"role\":\"user\",\"content\":\"\\ud83d\",\"created_at\":\"2026-11-22T10:00:00.123Z\"}],\"first_seq\":1,\"last_seq\":1,\"more\":true}",
    )
    .await;
    let page = server.page(&session("s"), 0, 100).await.unwrap();
    assert!(page.more);
    assert_eq!(page.messages[0].message().unwrap().text(), "\u{fffd}");
    assert!(request.await.unwrap().starts_with("GET /v1/sessions/s/messages?after=0&limit=100 "));
}

#[tokio::test]
async fn says_what_the_server_says() {
    let check = async |answer, expected: &str, retryable| {
        let (server, _request) = once(answer).await;
        let error = server.page(&session("s"), 0, 1).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.is_retryable(), retryable, "{expected}");
    };
    check(
        "413 Content Too Large\n{\"type\":\"about:blank\",\"code\":\"too_large\",\"detail\":\"the message is too large\"}",
        "the message is too large (too_large)",
        false,
    )
    .await;
    check(
        "503 Service Unavailable\n{\"code\":\"store_down\",\"title\":\"the store is down\"}",
        "the store is down (store_down)",
        true,
    )
    .await;
    check("404 Not Found\n<html>", "Not Found (HTTP 404)", false).await;
}

#[tokio::test]
async fn says_that_nobody_answers() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server::new(&format!("http://user:secret@{free}"), None, &ServerTls::default()).unwrap();
    let error = server.describe(&session("s")).await.unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(text.starts_with(&format!("the server at http://{free} does not answer: ")), "{text}");
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(server.inspect().await[0].severity, Severity::Failure);
}

#[tokio::test]
async fn refuses_addresses_and_ids_that_cannot_work() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for bad in ["", "127.0.0.1:8700", "redis://h", "http://"] {
        assert!(
            matches!(Server::new(bad, None, &ServerTls::default()), Err(TargetError::Address { .. })),
            "{bad}"
        );
    }
    let server = Server::new("http://127.0.0.1:1", None, &ServerTls::default()).unwrap();
    assert!(matches!(server.clear(&session("..")).await, Err(TargetError::NotInUrls(_))));
}

#[tokio::test]
async fn asks_for_contexts_and_summaries() {
    let (server, request) = once("200 OK\n{\"session\":\"s\"}").await;
    let query = ContextQuery {
        max_tokens: Some(9),
        model: Some("a/b c".to_owned()),
        summary: Some("off".to_owned()),
        format: Some("text".to_owned()),
        ..ContextQuery::default()
    };
    assert_eq!(server.context(&session("s"), &query).await.unwrap(), "{\"session\":\"s\"}");
    let request = request.await.unwrap();
    let wanted =
        "GET /v1/sessions/s/context?max_tokens=9&model=a%2Fb%20c&summary=off&format=text HTTP/1.1\r\n";
    assert!(request.starts_with(wanted), "{request}");

    let (server, request) = once("404 Not Found\n{\"code\":\"summary_not_found\",\"detail\":\"none\"}").await;
    assert_eq!(server.summary(&session("s")).await.unwrap(), None);
    assert!(request.await.unwrap().starts_with("GET /v1/sessions/s/summary HTTP/1.1\r\n"));

    let answer = "200 OK\n{\"session\":\"s\",\"folded\":2,\"summary\":{\"id\":\"i\",\"text\":\"t\",\"upto\":3,\"tokens\":1,\"by\":\"hand\",\"stand_in\":false,\"updated_at\":\"2026-11-22T10:00:00.123Z\"},\"stale\":true}";
    let (server, request) = once(answer).await;
    let found = server.put_summary(&session("s"), "a \"b\"\n", 3).await.unwrap();
    assert_eq!((found.summary.unwrap().upto, found.folded, found.stale), (3, Some(2), true));
    let request = request.await.unwrap();
    assert!(request.starts_with("PUT /v1/sessions/s/summary HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(r#"{"text":"a \"b\"\n","upto":3}"#), "{request}");

    for (path, fold) in [("fold", true), ("summary/rollback", false)] {
        let (server, request) = once(answer).await;
        let found = if fold {
            server.fold(&session("s")).await
        } else {
            server.rollback_summary(&session("s")).await
        };
        assert_eq!(found.unwrap().session, "s");
        assert!(request.await.unwrap().starts_with(&format!("POST /v1/sessions/s/{path} HTTP/1.1\r\n")));
    }
}
