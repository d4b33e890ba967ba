//! A certificate is renewed while the server runs and connections are open.

use std::fs;
use std::path::Path;

use hitherto_testkit::{Certificates, TlsClient, ask};

use crate::log::Server;

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
const SERVED: &str = "HTTP/1.1 200";

/// Puts a file in the place of another, as renewal tools do.
fn replace(from: &Path, to: &Path) {
    let beside = to.with_extension("new");
    fs::copy(from, &beside).unwrap();
    fs::rename(beside, to).unwrap();
}

fn put(certificates: &Certificates, folder: &Path) {
    replace(&certificates.server_cert(), &folder.join("tls.crt"));
    replace(&certificates.server_key(), &folder.join("tls.key"));
}

#[test]
fn open_connections_stay_and_new_ones_see_the_new_certificate() {
    let (old, new) = (Certificates::new(), Certificates::new());
    let folder = tempfile::tempdir().unwrap();
    put(&old, folder.path());
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let mut server = Server::with(&certificate, &key, &[]);
    let (http, redis) = (server.process.address, server.process.redis);
    let mut open = TlsClient::new(&old).connect(redis).unwrap();
    assert_eq!(ask(&mut open, b"RPUSH s one\r\n", 4).unwrap(), ":1\r\n");

    // By itself.
    put(&new, folder.path());
    server.until_logged("a new certificate is in use");
    assert_eq!(TlsClient::new(&new).ask(http, GET, 12).unwrap(), SERVED);
    assert_eq!(TlsClient::new(&new).ask(redis, b"PING\r\n", 7).unwrap(), "+PONG\r\n");
    assert!(TlsClient::new(&old).ask(http, GET, 12).is_err(), "the old one is still shown");
    assert_eq!(ask(&mut open, b"RPUSH s two\r\n", 4).unwrap(), ":2\r\n");

    // What cannot be used changes nothing.
    fs::write(&certificate, "half of a cert").unwrap();
    server.process.signal("HUP");
    let line = server.until_logged("a new certificate cannot be used; the old one stays in use");
    assert!(line.contains("has no certificate") && !line.contains("half of"), "{line}");
    assert_eq!(TlsClient::new(&new).ask(http, GET, 12).unwrap(), SERVED);
    assert_eq!(ask(&mut open, b"RPUSH s three\r\n", 4).unwrap(), ":3\r\n");

    // At once, when told to.
    put(&old, folder.path());
    server.process.signal("HUP");
    server.until_logged("a new certificate is in use");
    assert_eq!(TlsClient::new(&old).ask(http, GET, 12).unwrap(), SERVED);
    assert_eq!(ask(&mut open, b"RPUSH s four\r\n", 4).unwrap(), ":4\r\n");
    server.process.signal("TERM");
    assert_eq!(server.process.end().0, Some(0));
}

/// The authority of clients is changed: those of the old one are refused from the next connection on, also where they would
/// take up a session that was agreed on before.
#[test]
fn the_authority_of_clients_is_taken_over_too() {
    let (own, old, new) = (Certificates::new(), Certificates::new(), Certificates::new());
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("clients.pem");
    replace(&old.ca(), &ca);
    let mut server = Server::of(&own, &["--tls-client-ca", ca.to_str().unwrap()]);
    let client = TlsClient::new(&own);
    assert_eq!(client.with(&old).ask(server.process.address, GET, 12).unwrap(), SERVED);
    replace(&new.ca(), &ca);
    server.process.signal("HUP");
    server.until_logged("a new certificate is in use");
    assert_eq!(client.with(&new).ask(server.process.address, GET, 12).unwrap(), SERVED);
    assert!(client.with(&old).ask(server.process.address, GET, 12).is_err());
}

#[test]
fn one_that_ends_soon_is_spoken_of() {
    let mut server = Server::of(&Certificates::valid_days(3), &[]);
    let line = server.until_logged("the certificate ends in 2 days");
    assert!(line.contains("\"WARN\"") && line.contains("renew it"), "{line}");
    let mut server = Server::of(&Certificates::valid_days(0), &[]);
    let line = server.until_logged("the certificate ended at");
    assert!(line.contains("\"ERROR\""), "{line}");
}

/// SIGHUP ends a process that does not hear it.
#[test]
fn without_a_certificate_the_signal_is_heard_all_the_same() {
    let mut server = Server::start(&[]);
    server.process.signal("HUP");
    server.until_logged("there is no certificate to load again");
    crate::support::get(server.process.address, "/healthz").expect(200);
}
