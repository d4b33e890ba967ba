//! Commands through a server, with a token of one tenant.

use std::process::Output;

use crate::process::hitherto;
use crate::tenants::{Served, Tenant};

/// Runs a command against the server, with a token from the environment.
fn run(served: &Served, who: Option<&Tenant>, arguments: &[&str]) -> Output {
    let mut command = hitherto(served.folder.path());
    command.args(arguments).args(["--server", &format!("http://{}", served.process.address)]);
    if let Some(who) = who {
        command.env("HITHERTO_TOKEN", &who.made.token);
    }
    command.output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn commands_see_the_sessions_of_their_token() {
    let served = Served::new();
    let (owner, intruder) = (served.token("acme", "read,write"), served.token("umbrella", "read,write"));
    assert!(run(&served, Some(&owner), &["append", "shared", "classified"]).status.success());
    let before = owner.everything();
    for arguments in [
        ["sessions"].as_slice(),
        &["show", "shared"],
        &["context", "shared", "--max-tokens", "1000"],
        &["summary", "shared"],
        &["fold", "shared"],
        &["clear", "shared", "--yes"],
        &["export", "shared"],
        &["export", "--all"],
    ] {
        let output = run(&served, Some(&intruder), arguments);
        let said = format!("{}{}", out(&output), err(&output));
        assert!(!said.contains("classified") && !said.contains("1 message"), "{arguments:?}: {said}");
        assert!(!said.contains(&intruder.made.token), "{arguments:?}: {said}");
    }
    assert_eq!(owner.everything(), before);
    let shown = run(&served, Some(&owner), &["export", "--all"]);
    assert!(shown.status.success() && out(&shown).contains("classified"), "{}", err(&shown));
}

#[test]
fn commands_say_what_is_wrong_with_their_token() {
    let served = Served::new();
    let reader = served.token("acme", "read");
    let check = |output: &Output, expected: &str| {
        assert!(!output.status.success() && err(output).contains(expected), "{}", err(output));
    };
    check(&run(&served, None, &["sessions"]), "a token is required");
    check(
        &run(&served, Some(&reader), &["append", "s", "hi"]),
        "this needs the scope write, and the token has read",
    );
    let foreign = Tenant {
        made: crate::tenants::Made { token: "nonsense".to_owned(), id: String::new() },
        ..reader.clone()
    };
    check(&run(&served, Some(&foreign), &["sessions"]), "there is no such token");
    // From a file, with the new line that editors leave there.
    std::fs::write(served.folder.path().join("token"), format!("{}\n", reader.made.token)).unwrap();
    assert!(run(&served, None, &["sessions", "--token-file", "token"]).status.success());
    assert!(run(&served, None, &["sessions", "--token", &reader.made.token]).status.success());
    check(&run(&served, None, &["sessions", "--token-file", "none"]), "token_file none cannot be read");
    check(
        &run(&served, Some(&reader), &["sessions", "--token-file", "token"]),
        "token and token_file are both given",
    );
    let wrong =
        Tenant { made: crate::tenants::Made { token: "a\u{1}b".to_owned(), id: String::new() }, ..reader };
    check(&run(&served, Some(&wrong), &["sessions"]), "the token has characters that no token has");
}
