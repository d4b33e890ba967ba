//! The wrong protocol at a port is answered in words.

use std::process::Command;

use hitherto_testkit::{Certificates, Client, Reply, TlsClient};

use crate::log::Server;
use crate::process::hitherto;
use crate::support::{get, post};

#[test]
fn a_client_without_tls_is_told_that_the_port_has_it() {
    let certificates = Certificates::new();
    let mut server = Server::of(&certificates, &[]);
    let answer = get(server.process.address, "/healthz").problem(400, "tls_required");
    assert!(answer.body.contains("this port speaks HTTPS"), "{answer:?}");
    // A body that nobody reads does not take the answer away.
    post(server.process.address, "/v1/sessions/s/messages", &"x".repeat(20_000)).problem(400, "tls_required");
    let line = server.until_logged("a client speaks HTTP without TLS");
    assert!(line.contains("127.0.0.1"), "{line}");
    let mut client = Client::connect(server.process.redis).unwrap();
    let told = "ERR this port speaks TLS: connect with rediss:// or redis-cli --tls".to_owned();
    assert_eq!(client.command(&["PING"]).unwrap(), Reply::Error(told));
}

#[test]
fn a_handshake_at_a_port_without_tls_is_in_the_log() {
    let certificates = Certificates::new();
    let mut server = Server::start(&[]);
    for address in [server.process.address, server.process.redis] {
        assert!(TlsClient::new(&certificates).ask(address, b"PING\r\n", 1).is_err());
    }
    let line = server.until_logged("began a TLS handshake at a port without TLS");
    assert!(line.contains("127.0.0.1") && line.contains("tls_certificate"), "{line}");
    get(server.process.address, "/healthz").expect(200);
}

#[test]
fn one_port_can_have_it_and_the_other_not() {
    let certificates = Certificates::new();
    let client = TlsClient::new(&certificates);
    let server = Server::of(&certificates, &["--tls-ports", "http"]);
    assert!(
        client.ask(server.process.address, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n", 12).is_ok()
    );
    assert_eq!(Client::connect(server.process.redis).unwrap().command(&["PING"]).unwrap().text(), "PONG");
    let server = Server::of(&certificates, &["--tls-ports", "redis"]);
    assert_eq!(client.ask(server.process.redis, b"PING\r\n", 7).unwrap(), "+PONG\r\n");
    get(server.process.address, "/healthz").expect(200);
}

#[test]
fn settings_that_cannot_be_are_refused_before_anything_is_served() {
    let (own, other) = (Certificates::new(), Certificates::new());
    let folder = tempfile::tempdir().unwrap();
    let refused = |flags: &[(&str, &std::path::Path)]| {
        let mut command: Command = hitherto(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--resp-listen", "127.0.0.1:0"]);
        for (flag, value) in flags {
            command.arg(flag).arg(value);
        }
        let output = command.output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let (certificate, key) = (own.server_cert(), own.server_key());
    let said = refused(&[("--tls-certificate", &certificate)]);
    assert!(said.contains("tls_certificate needs tls_key"), "{said}");
    let said = refused(&[("--tls-client-ca", &own.ca())]);
    assert!(said.contains("tls_client_ca needs tls_certificate"), "{said}");
    let said = refused(&[("--tls-certificate", &certificate), ("--tls-key", &other.server_key())]);
    assert!(said.contains("is not the key of the first certificate"), "{said}");
    let said = refused(&[("--tls-certificate", &key), ("--tls-key", &key)]);
    assert!(said.contains("has no certificate"), "{said}");
    assert!(!folder.path().join("hitherto.db").exists());
}
