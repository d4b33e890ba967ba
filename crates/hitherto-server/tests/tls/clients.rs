//! Clients from outside: each is let in over TLS, and sees whom it talks to.

use std::io::Write as _;
use std::process::{Command, Output};

use hitherto_testkit::{Certificates, ServerKind, TlsClient, ask};

use crate::log::Server;

fn curl(arguments: &[&str]) -> Output {
    Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20"])
        .args(arguments)
        .output()
        .unwrap()
}

fn redis_cli(server: &Server, arguments: &[&str]) -> Output {
    let program = ServerKind::Redis7.binary().with_file_name("redis-cli");
    let port = server.process.redis.port().to_string();
    Command::new(program).args(["-h", "localhost", "-p", &port]).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn curl_is_served_over_both_versions_and_by_http_1() {
    let certificates = Certificates::new();
    let server = Server::of(&certificates, &[]);
    let (url, ca) = (format!("{}/healthz", server.https()), certificates.ca());
    let ca = ca.to_str().unwrap();
    for version in [&["--tlsv1.2", "--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        // It offers HTTP/2 as well, and has to hear that there is only the older one.
        let how =
            ["--cacert", ca, "--write-out", "%{http_version} %{http_code}", "--output", "/dev/null", &url];
        let done = curl(&[version, &how].concat());
        assert_eq!(text(&done.stdout), "1.1 200", "{done:?}");
    }
    // 60: the certificate is not trusted. 35 and 56: the handshake fails.
    let other = Certificates::new();
    let other = other.ca();
    assert_eq!(curl(&["--cacert", other.to_str().unwrap(), &url]).status.code(), Some(60));
    assert_eq!(curl(&[&url]).status.code(), Some(60));
    let old = curl(&["--cacert", ca, "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0", &url]);
    assert!(!old.status.success(), "TLS 1.1 is spoken: {old:?}");
}

#[test]
fn redis_cli_keeps_a_conversation() {
    let certificates = Certificates::new();
    let server = Server::of(&certificates, &[]);
    let ca = certificates.ca();
    let tls = ["--tls", "--cacert", ca.to_str().unwrap()];
    let say = |words: &[&str]| text(&redis_cli(&server, &[&tls[..], words].concat()).stdout);
    assert_eq!(say(&["PING"]), "PONG\n");
    assert_eq!(say(&["RPUSH", "s", "one", "two"]), "2\n");
    assert_eq!(say(&["LRANGE", "s", "0", "-1"]), "one\ntwo\n");
    let other = Certificates::new();
    let refused = redis_cli(&server, &["--tls", "--cacert", other.ca().to_str().unwrap(), "PING"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("SSL_connect failed"), "{refused:?}");
}

#[tokio::test]
async fn reqwest_is_served_and_sees_strangers() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = Certificates::new();
    let server = Server::of(&certificates, &[]);
    let client = |trusted: &Certificates| {
        let pem = std::fs::read(trusted.ca()).unwrap();
        let ca = reqwest::Certificate::from_pem(&pem).unwrap();
        reqwest::Client::builder().tls_certs_only([ca]).build().unwrap()
    };
    let url = format!("{}/readyz", server.https());
    assert_eq!(client(&certificates).get(&url).send().await.unwrap().status(), 200);
    let refused = client(&Certificates::new()).get(&url).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    // The certificate is for localhost and 127.0.0.1, and for no other name of this machine.
    let odd = url.replace("localhost", "127.0.0.2");
    assert!(client(&certificates).get(&odd).send().await.is_err());
}

/// Replies that are larger than a record of TLS, and many of them: what is written last must leave the server, too.
#[test]
fn large_replies_and_long_pipelines_arrive_whole() {
    let certificates = Certificates::new();
    let server = Server::of(&certificates, &[]);
    let mut connection = TlsClient::new(&certificates).connect(server.process.redis).unwrap();
    let large = "x".repeat(700_000);
    let push = format!("*3\r\n$5\r\nRPUSH\r\n$1\r\ns\r\n${}\r\n{large}\r\n", large.len());
    assert_eq!(ask(&mut connection, push.as_bytes(), 4).unwrap(), ":1\r\n");
    let expected = format!("*1\r\n${}\r\n{large}\r\n", large.len());
    let read = ask(&mut connection, b"LRANGE s 0 -1\r\n", expected.len()).unwrap();
    assert!(read == expected, "the reply differs");
    let pings = 20_000;
    let writing = "PING\r\n".repeat(pings);
    let replies = ask(&mut connection, writing.as_bytes(), 7 * pings).unwrap();
    assert!(replies == "+PONG\r\n".repeat(pings), "replies are missing");
    // A client that leaves without a word leaves like any other.
    connection.sock.shutdown(std::net::Shutdown::Write).unwrap();
    connection.flush().unwrap();
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut connection, &mut rest);
    assert_eq!(rest, b"");
    assert_eq!(TlsClient::new(&certificates).ask(server.process.redis, b"PING\r\n", 7).unwrap(), "+PONG\r\n");
}
