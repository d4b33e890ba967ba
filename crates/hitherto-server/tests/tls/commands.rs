//! Commands that work through a server with TLS.

use std::process::Output;

use hitherto_testkit::Certificates;

use crate::log::Server;
use crate::process::hitherto;

fn run(server: &Server, words: &[&str], flags: &[(&str, std::path::PathBuf)]) -> Output {
    let mut command = hitherto(server.folder.path());
    command.args(words).args(["--server", &server.https()]);
    for (flag, file) in flags {
        command.arg(flag).arg(file);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_command_reaches_the_server_whose_authority_it_trusts() {
    let (own, other) = (Certificates::new(), Certificates::new());
    let server = Server::of(&own, &[]);
    let done = run(&server, &["append", "s", "hello"], &[("--server-ca", own.ca())]);
    assert!(done.status.success(), "{done:?}");
    let shown = run(&server, &["show", "s"], &[("--server-ca", own.ca())]);
    assert!(said(&shown).contains("hello"), "{shown:?}");
    let refused = run(&server, &["show", "s"], &[("--server-ca", other.ca())]);
    assert!(!refused.status.success() && said(&refused).contains("invalid peer certificate"), "{refused:?}");
    let refused = run(&server, &["show", "s"], &[("--server-ca", "none.pem".into())]);
    assert!(said(&refused).contains("the file of certificates none.pem cannot be used"), "{refused:?}");
    let refused = run(&server, &["show", "s"], &[("--server-ca", own.server_key())]);
    assert!(said(&refused).contains("there is no certificate in it"), "{refused:?}");
}

#[test]
fn a_command_has_a_certificate_where_one_is_asked_for() {
    let own = Certificates::new();
    let server = Server::of(&own, &["--tls-client-ca", own.ca().to_str().unwrap()]);
    let ca = ("--server-ca", own.ca());
    let refused = run(&server, &["append", "s", "hello"], std::slice::from_ref(&ca));
    assert!(!refused.status.success() && said(&refused).contains("does not answer"), "{refused:?}");
    let identity = [ca, ("--server-cert", own.client_cert()), ("--server-key", own.client_key())];
    let done = run(&server, &["append", "s", "hello"], &identity);
    assert!(done.status.success(), "{done:?}");
    let refused = run(&server, &["append", "s", "hello"], &identity[..2]);
    assert!(said(&refused).contains("server_cert needs server_key"), "{refused:?}");
}

#[test]
fn doctor_says_when_the_certificate_of_a_server_ends() {
    for (own, expected) in [
        (Certificates::new(), "✓ certificate: is valid until "),
        (Certificates::valid_days(3), "! certificate: ends in 2 days, at "),
    ] {
        let server = Server::of(&own, &[]);
        let done = run(&server, &["doctor"], &[("--server-ca", own.ca())]);
        assert!(done.status.success() && said(&done).contains(expected), "{done:?}");
    }
}
