//! Without a token nothing is answered but health, at no door.

use hitherto_testkit::{Client, Reply};

use crate::support::{call, get};
use crate::tenants::{Served, Tenant};

/// A path of the tables with something in the place of what is the caller's.
pub fn filled(path: &str, id: &str) -> String {
    path.replace("{id}", id).replace("{user}", id).replace("{seq}", "1")
}

#[test]
fn every_route_but_health_wants_a_token() {
    let served = Served::new();
    let address = served.process.address;
    let mut refused = 0;
    for route in hitherto_server::routes() {
        let path = filled(route.path, "s");
        let json = "content-type: application/json";
        for headers in [
            vec![json],
            vec![json, "authorization: Bearer"],
            vec![json, "x-api-key: "],
            vec![json, "x-tenant: acme", "cookie: token=x"],
        ] {
            let answer = call(address, route.method, &path, &headers, b"{}");
            if route.is_health {
                answer.expect(200);
                continue;
            }
            if route.path == "/metrics" {
                // The numbers are of all tenants, so no token shows them either.
                answer.expect(404);
                continue;
            }
            assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"hitherto\""), "{path}");
            answer.problem(401, "token_missing");
            refused += 1;
        }
        let foreign = "authorization: Bearer hth_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f91267e8a";
        for (header, detail) in [
            (foreign, "there is no such token"),
            ("authorization: Bearer sk-other", "there is no such token"),
            (
                "x-api-key: hth_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f91267e8b",
                "misspelt",
            ),
            ("authorization: Token nonsense", "there is no such token"),
            ("authorization: Basic YWNtZTpub25zZW5zZQ==", "there is no such token"),
        ] {
            let answer = call(address, route.method, &path, &[header, json], b"{}");
            if !route.is_health && route.path != "/metrics" {
                assert!(
                    answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""),
                    "{answer:?}"
                );
                let answer = answer.problem(401, "token_refused");
                assert!(answer.body.contains(detail) && !answer.body.contains("nonsense"), "{answer:?}");
            }
        }
    }
    assert!(refused > 100, "the tables are empty: {refused}");
    // What is no route, or no method of one, tells nobody so.
    for (method, path) in
        [("GET", "/nothing"), ("GET", "/metrics/x"), ("DELETE", "/v1/sessions"), ("BREW", "/v1/sessions/s")]
    {
        call(address, method, path, &[], b"").problem(401, "token_missing");
    }
    let error = call(address, "POST", "/pipeline", &["content-type: application/json"], b"[]").json();
    assert!(error["error"].as_str().unwrap().starts_with("WRONGPASS"), "{error}");
}

#[test]
fn the_redis_port_wants_a_token() {
    let served = Served::new();
    let acme = served.token("acme", "read,write");
    acme.say("s", "secret");
    let commands = acme.client().command(&["COMMAND", "LIST"]).unwrap().texts();
    assert!(commands.len() > 40);
    for command in commands {
        let mut client = Client::connect(acme.redis).unwrap();
        let reply = client.command(&[command.as_str(), "s", "0", "-1"]).unwrap();
        let Reply::Error(error) = reply else {
            assert!(matches!(command.as_str(), "quit" | "reset"), "{command} answers {reply:?}");
            continue;
        };
        match command.as_str() {
            // These are answered, and what they say here is that they are not asked so.
            "auth" | "hello" | "quit" | "reset" => assert!(!error.contains("secret"), "{command}: {error}"),
            _ => assert_eq!(error, "NOAUTH Authentication required.", "{command}"),
        }
    }
    let mut client = Client::connect(acme.redis).unwrap();
    let error = |reply: Reply| match reply {
        Reply::Error(error) => error,
        other => panic!("{other:?}"),
    };
    // Not even that there is no such command.
    assert!(error(client.command(&["NONSENSE"]).unwrap()).starts_with("NOAUTH"));
    assert!(
        error(client.command(&["HELLO"]).unwrap())
            .starts_with("NOAUTH HELLO must be called with the client already authenticated")
    );
    assert!(error(client.command(&["HELLO", "3"]).unwrap()).starts_with("NOAUTH HELLO"));
    for wrong in [
        vec!["AUTH", "wrong"],
        vec!["AUTH", "acme", "wrong"],
        vec!["AUTH", "umbrella", acme.made.token.as_str()],
        vec!["HELLO", "2", "AUTH", "default", "wrong"],
        vec!["HELLO", "2", "AUTH", "umbrella", acme.made.token.as_str()],
    ] {
        let said = error(client.command(&wrong).unwrap());
        assert_eq!(said, "WRONGPASS invalid username-password pair or user is disabled.");
    }
    assert!(error(client.command(&["LLEN", "s"]).unwrap()).starts_with("NOAUTH"));
    for right in [
        vec!["AUTH", acme.made.token.as_str()],
        vec!["AUTH", "default", acme.made.token.as_str()],
        vec!["AUTH", "acme", acme.made.token.as_str()],
        vec!["HELLO", "2", "AUTH", "acme", acme.made.token.as_str(), "SETNAME", "n"],
    ] {
        let mut client = Client::connect(acme.redis).unwrap();
        assert!(!matches!(client.command(&right).unwrap(), Reply::Error(_)), "{:?}", right[0]);
        assert_eq!(client.command(&["LLEN", "s"]).unwrap(), Reply::Integer(2));
        // Who fails to be somebody else stays who it was; who resets is nobody.
        assert!(matches!(client.command(&["AUTH", "wrong"]).unwrap(), Reply::Error(_)));
        assert_eq!(client.command(&["LLEN", "s"]).unwrap(), Reply::Integer(2));
        assert_eq!(client.command(&["RESET"]).unwrap(), Reply::Status("RESET".to_owned()));
        assert!(error(client.command(&["LLEN", "s"]).unwrap()).starts_with("NOAUTH"));
    }
    // A pipeline that begins with what is not allowed goes on with nothing either.
    for line in
        [["MULTI"].as_slice(), &["RPUSH", "s", "x"], &["EXEC"], &["RPUSH", "t", "x"], &["RPUSH", "s", "x"]]
    {
        client.send(line).unwrap();
    }
    for _ in 0..5 {
        assert!(error(client.receive().unwrap()).starts_with("NOAUTH"));
    }
    assert_eq!(acme.client().command(&["LLEN", "s"]).unwrap(), Reply::Integer(2));
}

/// All ways of showing a token lead to its tenant.
#[test]
fn a_token_can_be_shown_in_many_ways() {
    let served = Served::new();
    let acme = served.token("acme", "read,write");
    acme.say("s", "hello");
    let token = &acme.made.token;
    let basic = |user: &str| {
        use base64::Engine as _;
        let text = format!("{user}:{token}");
        format!("authorization: Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let ways = [
        format!("authorization: Bearer {token}"),
        format!("Authorization: bearer {token}"),
        format!("authorization: Token {token}"),
        format!("x-api-key: {token}"),
        basic("acme"),
        basic("default"),
        basic(""),
    ];
    let seen = |acme: &Tenant, way: &str| call(acme.http, "GET", "/v1/sessions/s/messages", &[way], b"");
    for way in &ways {
        assert_eq!(seen(&acme, way).expect(200).json()["messages"].as_array().unwrap().len(), 2);
    }
    seen(&acme, &basic("umbrella")).problem(401, "token_refused");
    let json = ["content-type: application/json"];
    let answer = call(acme.http, "POST", &format!("/?_token={token}"), &json, br#"["llen","s"]"#);
    assert_eq!(answer.expect(200).body, r#"{"result":2}"#);
    get(acme.http, &format!("/v1/sessions?_token={token}")).problem(401, "token_missing");
}
