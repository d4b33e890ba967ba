//! Client certificates: missing, of a stranger, right.

use std::io;

use hitherto_testkit::{Certificates, TlsClient};

use crate::log::Server;

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// What a client gets at both ports: `None` where it is refused.
#[track_caller]
fn check(server: &Server, client: TlsClient<'_>, let_in: bool) {
    let http = client.ask(server.process.address, GET, 12);
    let redis = client.ask(server.process.redis, b"PING\r\n", 7);
    let ends: [(io::Result<String>, &str); 2] = [(http, "HTTP/1.1 200"), (redis, "+PONG\r\n")];
    for (found, expected) in ends {
        match found {
            Ok(found) => assert!(let_in && found == expected, "{found}"),
            Err(error) => assert!(!let_in, "{error}"),
        }
    }
}

#[test]
fn only_clients_with_a_certificate_of_the_authority_are_let_in() {
    let (own, other) = (Certificates::new(), Certificates::new());
    let client = TlsClient::new(&own);
    let mut server = Server::of(&own, &["--tls-client-ca", own.ca().to_str().unwrap()]);
    check(&server, client.with(&own), true);
    check(&server, client, false);
    let line = server.until_logged("a TLS handshake failed");
    assert!(line.contains("peer sent no certificates"), "{line}");
    check(&server, client.with(&other), false);
    // A server's certificate of the same authority is no client's.
    let server_as_client = Certificates::new();
    std::fs::copy(own.server_cert(), server_as_client.client_cert()).unwrap();
    std::fs::copy(own.server_key(), server_as_client.client_key()).unwrap();
    check(&server, client.with(&server_as_client), false);
}

#[test]
fn where_it_is_optional_a_wrong_one_is_refused_all_the_same() {
    let (own, clients, other) = (Certificates::new(), Certificates::new(), Certificates::new());
    let client = TlsClient::new(&own);
    let ca = clients.ca();
    let flags = ["--tls-client-ca", ca.to_str().unwrap(), "--tls-client-auth", "optional"];
    let server = Server::of(&own, &flags);
    check(&server, client, true);
    check(&server, client.with(&clients), true);
    check(&server, client.with(&other), false);
    check(&server, client.with(&own), false);
}
