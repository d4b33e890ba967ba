//! Traces reach a collector: a span for a request, with its id and in the trace that it came with, and one for each
//! trip to the store; and nothing of what was said. Only with the feature `otlp`.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "support/process.rs"]
mod process;
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use process::Process;
use support::{call, post};

/// What a collector was sent: the head of a request, and its body.
type Sent = (String, Vec<u8>);

/// A collector that takes everything.
fn collector() -> (SocketAddr, Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let begun = head.len();
                if stream.read_line(&mut head).unwrap_or(0) == 0 {
                    break;
                }
                let line = head[begun..].to_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    let mut body = vec![0; length];
                    stream.read_exact(&mut body).unwrap();
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    stream.get_mut().write_all(answer).unwrap();
                    let _ = tell.send((std::mem::take(&mut head), body));
                    break;
                }
            }
        }
    });
    (address, told)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_span_with_the_request_id_arrives() {
    let (address, told) = collector();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{address}");
    let process = Process::start(folder.path(), &["--otlp", &url, "--otlp-headers", "x-team: one"]);
    let headers = [
        "content-type: application/json",
        "x-request-id: traced-request-1",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ];
    let body = br#"{"messages":[{"role":"user","content":"quixoticzephyr"}]}"#;
    call(process.address, "POST", "/v1/sessions/s/messages", &headers, body).expect(201);
    post(process.address, "/v1/sessions/s/messages", r#"{"messages":"quixoticzephyr"}"#).expect(400);
    process.signal("TERM");
    assert_eq!(process.end().0, Some(0));
    let mut sent = Vec::new();
    while let Ok((head, body)) =
        told.recv_timeout(Duration::from_millis(if sent.is_empty() { 10_000 } else { 1 }))
    {
        assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
        assert!(head.to_lowercase().contains("x-team: one"), "{head}");
        sent.extend(body);
    }
    for part in ["traced-request-1", "appendMessages", "store", "db.operation.name", "hitherto"] {
        assert!(holds(&sent, part.as_bytes()), "{part} did not arrive: {}", String::from_utf8_lossy(&sent));
    }
    // In the trace that it came with, and under the span that sent it.
    assert!(holds(&sent, &0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()));
    assert!(holds(&sent, &0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()));
    assert!(!holds(&sent, b"quixoticzephyr"));
}

#[test]
fn a_password_in_the_address_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = process::hitherto(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--resp-listen", "off"]);
    let output = command.args(["--otlp", "http://someone:s3cret@127.0.0.1:1"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("otlp_headers") && !said.contains("s3cret"), "{said}");
}
