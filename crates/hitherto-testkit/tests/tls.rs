//! A TLS server proves who it is, and asks its clients to if it is told to. The client here is rustls.

use std::io;

use hitherto_testkit::{Certificates, RedisServer, RedisSettings, TlsClient, available};

#[test]
fn a_client_that_trusts_the_authority_is_answered() {
    for kind in available() {
        let certificates = Certificates::new();
        let server = RedisSettings::new(kind).tls(&certificates).password("secret").start();
        for name in ["127.0.0.1", "localhost"] {
            assert_eq!(ping(&server, name, &certificates, None).unwrap(), "+OK\r\n+PONG\r\n");
        }
        assert_eq!(server.tls_url(), format!("rediss://:secret@{}", server.tls_addr()));
        server.restart();
        assert_eq!(ping(&server, "localhost", &certificates, None).unwrap(), "+OK\r\n+PONG\r\n");
    }
}

#[test]
fn a_client_that_trusts_another_authority_sees_a_stranger() {
    let certificates = Certificates::new();
    let server = RedisSettings::new(available()[0]).tls(&certificates).password("secret").start();
    let refused = ping(&server, "localhost", &Certificates::new(), None).unwrap_err();
    assert!(
        refused.to_string().contains("UnknownIssuer") || refused.to_string().contains("BadSignature"),
        "{refused}"
    );
}

#[test]
fn a_certificate_for_another_name_is_seen_to_be_that() {
    let certificates = Certificates::for_names(&["redis.example.org"]);
    let server = RedisSettings::new(available()[0]).tls(&certificates).password("secret").start();
    let refused = ping(&server, "localhost", &certificates, None).unwrap_err();
    assert!(refused.to_string().contains("not valid for name"), "{refused}");
    assert_eq!(ping(&server, "redis.example.org", &certificates, None).unwrap(), "+OK\r\n+PONG\r\n");
}

#[test]
fn mutual_tls_lets_in_only_clients_with_a_certificate_of_the_authority() {
    for kind in available() {
        let certificates = Certificates::new();
        let server = RedisSettings::new(kind).mutual_tls(&certificates).password("secret").start();
        assert_eq!(
            ping(&server, "localhost", &certificates, Some(&certificates)).unwrap(),
            "+OK\r\n+PONG\r\n"
        );
        for identity in [None, Some(&Certificates::new())] {
            let refused = ping(&server, "localhost", &certificates, identity);
            assert!(refused.is_err(), "{} let a stranger in: {refused:?}", kind.name());
        }
    }
}

/// AUTH and PING over TLS, with the raw answer.
fn ping(
    server: &RedisServer,
    name: &str,
    trusted: &Certificates,
    identity: Option<&Certificates>,
) -> io::Result<String> {
    let client = TlsClient { trusts: trusted, has: identity, name };
    client.ask(server.tls_addr(), b"AUTH secret\r\nPING\r\n", 12)
}
