//! Each operation needs its scopes, all of them, and no others.

use hitherto_server::Need;
use hitherto_testkit::Reply;

use crate::tenants::Served;
use crate::without::filled;

const SETS: [&str; 7] =
    ["read", "write", "admin", "read,write", "read,admin", "write,admin", "read,write,admin"];

#[test]
fn every_route_needs_the_scopes_that_its_table_says() {
    let served = Served::new();
    let mut tried = 0;
    for set in SETS {
        let tenant = served.token("acme", set);
        for route in hitherto_server::routes() {
            let Some(need) = route.need else { continue };
            let enough = need.scopes().iter().all(|scope| set.split(',').any(|has| has == scope.as_str()));
            let answer = tenant.call(route.method, &filled(route.path, "s"), "{}");
            let line = format!("{} {} with {set}", route.method, route.path);
            if enough {
                assert!(!matches!(answer.status, 401 | 403), "{line}: {answer:?}");
            } else {
                let challenge = answer.header("www-authenticate").unwrap_or_default().to_owned();
                assert!(challenge.contains("error=\"insufficient_scope\""), "{line}: {answer:?}");
                assert!(
                    challenge.contains(&need.scopes().to_string().replace(',', " ")),
                    "{line}: {challenge}"
                );
                answer.problem(403, "scope_missing");
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried}");
    let needs: Vec<Option<Need>> = hitherto_server::routes().iter().map(|route| route.need).collect();
    for need in [Need::Read, Need::Write, Need::ReadWrite] {
        assert!(needs.contains(&Some(need)), "{need:?}");
    }
}

#[test]
fn every_command_needs_the_scopes_that_its_flags_say() {
    let served = Served::new();
    let everything = served.token("acme", "read,write,admin");
    let Reply::Array(commands) = everything.client().command(&["COMMAND"]).unwrap() else { panic!("a list") };
    let mut tried = 0;
    for set in SETS {
        let tenant = served.token("acme", set);
        for command in &commands {
            let Reply::Array(parts) = command else { panic!("a command") };
            let (name, flags) = (parts[0].text(), parts[2].texts());
            if matches!(name.as_str(), "quit" | "reset" | "auth" | "hello") {
                continue;
            }
            let needed: &[&str] = match (name.as_str(), &flags) {
                ("lpop" | "rpop", _) => &["read", "write"],
                ("watch", _) => &["read"],
                (_, flags) if flags.iter().any(|flag| flag == "write") => &["write"],
                (_, flags) if flags.iter().any(|flag| flag == "readonly") => &["read"],
                _ => &[],
            };
            let enough = needed.iter().all(|scope| set.split(',').any(|has| has == *scope));
            let count = parts[1].integer().unsigned_abs() as usize;
            let words: Vec<&str> = std::iter::once(name.as_str()).chain(vec!["1"; count - 1]).collect();
            let reply = tenant.client().command(&words).unwrap();
            let denied = matches!(&reply, Reply::Error(error) if error.starts_with("NOPERM"));
            assert_eq!(denied, !enough, "{name} with {set}: {reply:?}");
            if let (true, Reply::Error(error)) = (denied, &reply) {
                let expected = format!("NOPERM User acme has no permissions to run the '{name}' command");
                assert!(error.starts_with(&expected), "{error}");
                tried += 1;
            }
            // Over HTTP it is the same.
            let body = serde_json::to_string(&words).unwrap();
            let answer = tenant.call("POST", "/", &body);
            let over_http = answer.json()["error"].as_str().is_some_and(|error| error.starts_with("NOPERM"));
            assert_eq!(over_http, denied, "{name} with {set}: {answer:?}");
        }
    }
    assert!(tried > 100, "{tried}");
}

/// A command that is refused spoils its transaction, and none of it is carried out.
#[test]
fn a_refused_command_spoils_its_transaction() {
    let served = Served::new();
    let (reader, both) = (served.token("acme", "read"), served.token("acme", "read,write"));
    let mut client = reader.client();
    assert_eq!(client.command(&["MULTI"]).unwrap(), Reply::Status("OK".to_owned()));
    assert_eq!(client.command(&["LLEN", "s"]).unwrap(), Reply::Status("QUEUED".to_owned()));
    assert!(matches!(client.command(&["RPUSH", "s", "x"]).unwrap(), Reply::Error(_)));
    let Reply::Error(error) = client.command(&["EXEC"]).unwrap() else { panic!("an error") };
    assert!(error.starts_with("EXECABORT"), "{error}");
    assert_eq!(both.client().command(&["LLEN", "s"]).unwrap(), Reply::Integer(0));
}

/// Pipelines about several sessions are carried out side by side, and each command of them is looked at.
#[test]
fn pipelines_are_looked_at_command_by_command() {
    let served = Served::new();
    let reader = served.token("acme", "read");
    let mut client = reader.client();
    let lines: Vec<Vec<String>> = (0..20)
        .map(|number| match number % 2 {
            0 => vec!["LLEN".to_owned(), format!("s{number}")],
            _ => vec!["RPUSH".to_owned(), format!("s{number}"), "x".to_owned()],
        })
        .collect();
    for line in &lines {
        client.send(line).unwrap();
    }
    for line in &lines {
        let reply = client.receive().unwrap();
        match line[0].as_str() {
            "LLEN" => assert_eq!(reply, Reply::Integer(0)),
            _ => assert!(matches!(&reply, Reply::Error(error) if error.starts_with("NOPERM")), "{reply:?}"),
        }
    }
}
