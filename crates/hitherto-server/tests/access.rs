//! Tokens on servers that run: made, used, revoked, and what happens when the store is gone. Audit lines.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where something is wrong"
)]

#[path = "support/process.rs"]
mod process;
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hitherto_testkit::{Client, RedisServer, Reply, ServerKind, available};
use process::{Process, hitherto};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use support::{Answer, Wire, call, get, post};

/// The bound that is promised.
const PROMISED: Duration = Duration::from_secs(5);

const BODY: &str = r#"{"messages":[{"role":"user","content":"classified"}]}"#;

/// Runs `token` with these arguments on that store, and gives what it printed as JSON.
fn token(folder: &Path, store: &[&str], arguments: &[&str]) -> Value {
    let output = hitherto(folder).arg("token").args(arguments).arg("--json").args(store).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

fn made(folder: &Path, store: &[&str], tenant: &str, more: &[&str]) -> (String, String) {
    let made = token(folder, store, &[&["create", "--tenant", tenant], more].concat());
    (made["token"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

fn with(server: &Process, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let header = format!("authorization: Bearer {token}");
    call(server.address, method, path, &[&header, "content-type: application/json"], body.as_bytes())
}

/// Asks until the answer has that status, and says how long that took; more than was promised is a failure.
fn until(what: &str, since: Instant, mut status: impl FnMut() -> bool) {
    while !status() {
        assert!(since.elapsed() < PROMISED, "{what}: not within {PROMISED:?}");
        std::thread::yield_now();
    }
}

/// Tokens are made, used and revoked while two servers run on one store, and both notice within 5 s: at requests,
/// and on connections that are open.
fn lives_of_tokens(folder: &Path, store: &[&str], servers: &[Process]) {
    for server in servers {
        post(server.address, "/v1/sessions/open/messages", BODY).expect(201);
    }
    let (acme, id) = made(folder, store, "acme", &[]);
    let first = Instant::now();
    for server in servers {
        until("the first token closes the doors", first, || {
            get(server.address, "/v1/sessions").status == 401
        });
        until("and the Redis port", first, || {
            let reply = Client::connect(server.redis).unwrap().command(&["LLEN", "open"]).unwrap();
            matches!(reply, Reply::Error(error) if error.starts_with("NOAUTH"))
        });
        get(server.address, "/healthz").expect(200);
        get(server.address, "/readyz").expect(200);
        with(server, &acme, "POST", "/v1/sessions/s/messages", BODY).expect(201);
    }
    // What was stored without tokens is the default tenant's.
    let (default, _) = made(folder, store, "default", &[]);
    let list = with(&servers[0], &default, "GET", "/v1/sessions", "").expect(200).json();
    assert_eq!(list["sessions"][0]["session"], "open", "{list}");
    let list = with(&servers[0], &acme, "GET", "/v1/sessions", "").expect(200).json();
    assert_eq!(
        (list["sessions"].as_array().unwrap().len(), &list["sessions"][0]["session"]),
        (1, &json!("s"))
    );

    let mut open: Vec<Client> = servers
        .iter()
        .map(|server| {
            let mut client = Client::connect(server.redis).unwrap();
            assert_eq!(client.command(&["AUTH", "acme", &acme]).unwrap(), Reply::Status("OK".to_owned()));
            client
        })
        .collect();
    assert_eq!(token(folder, store, &["revoke", &id])["state"], "revoked");
    let revoked = Instant::now();
    for (server, client) in servers.iter().zip(&mut open) {
        until("a revocation at requests", revoked, || {
            with(server, &acme, "GET", "/v1/sessions/s/messages", "").status == 401
        });
        until(
            "a revocation on an open connection",
            revoked,
            || matches!(client.command(&["LLEN", "s"]).unwrap(), Reply::Error(error) if error == "NOAUTH Authentication required."),
        );
        let answer = with(server, &acme, "GET", "/v1/sessions", "").problem(401, "token_refused");
        assert!(answer.body.contains("the token was revoked at"), "{answer:?}");
        with(server, &default, "GET", "/v1/sessions", "").expect(200);
    }
}

#[test]
fn tokens_live_and_end_on_servers_of_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let servers = [Process::start(folder.path(), &[]), Process::start(folder.path(), &[])];
    lives_of_tokens(folder.path(), &[], &servers);
}

#[test]
fn tokens_live_and_end_on_servers_of_one_redis() {
    if !available().contains(&ServerKind::Redis7) {
        return;
    }
    let redis = RedisServer::start(ServerKind::Redis7);
    let folder = tempfile::tempdir().unwrap();
    let url = redis.url();
    let store = ["--redis", url.as_str()];
    let servers = [Process::start(folder.path(), &store), Process::start(folder.path(), &store)];
    lives_of_tokens(folder.path(), &store, &servers);
    // Nothing from which a token could be told is in the store.
    let (token, _) = made(folder.path(), &store, "acme", &[]);
    let mut client = Client::connect(redis.addr()).unwrap();
    let Reply::Array(kept) = client.command(&["HGETALL", "hitherto:{credentials}"]).unwrap() else {
        panic!("a hash")
    };
    assert_eq!(kept.len(), 6);
    let digits: Vec<u8> =
        (4..68).step_by(2).map(|at| u8::from_str_radix(&token[at..at + 2], 16).unwrap()).collect();
    for reply in kept {
        let Reply::Bulk(bytes) = reply else { panic!("bytes") };
        assert!(!bytes.windows(32).any(|window| window == digits), "the token itself is stored");
        assert!(!String::from_utf8_lossy(&bytes).contains(&token[4..20]));
    }
}

/// Redis goes away while a token is in use: what was known of it is used no longer than it may be, and then the answer is
/// that nobody can say; nobody is let in. When it is back, so is the token.
#[test]
fn with_the_store_down_nobody_is_let_in() {
    if !available().contains(&ServerKind::Redis7) {
        return;
    }
    let redis = RedisServer::start(ServerKind::Redis7);
    let folder = tempfile::tempdir().unwrap();
    let url = redis.url();
    let store = ["--redis", url.as_str()];
    let (token, _) = made(folder.path(), &store, "acme", &[]);
    let server = Process::start(folder.path(), &store);
    with(&server, &token, "GET", "/docs", "").expect(200);
    redis.kill();
    let gone = Instant::now();
    // The page asks no store: that it is given is because the token is still known.
    with(&server, &token, "GET", "/docs", "").expect(200);
    until("an answer is not used for ever", gone, || with(&server, &token, "GET", "/docs", "").status == 503);
    with(&server, &token, "GET", "/docs", "").problem(503, "store_unreachable");
    let unseen = "hth_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f91267e8a";
    with(&server, unseen, "GET", "/docs", "").problem(503, "store_unreachable");
    get(server.address, "/docs").problem(401, "token_missing");
    get(server.address, "/healthz").expect(200);
    let mut client = Client::connect(server.redis).unwrap();
    let Reply::Error(error) = client.command(&["AUTH", &token]).unwrap() else { panic!("an error") };
    assert!(error.starts_with("TRYAGAIN"), "{error}");
    // A server that starts now cannot know whether tokens are required, so they are.
    let late = Process::start(folder.path(), &store);
    get(late.address, "/docs").problem(503, "store_unreachable");
    with(&late, &token, "GET", "/docs", "").problem(503, "store_unreachable");
    get(late.address, "/healthz").expect(200);
}

/// At the Redis port whoever has shown nothing yet may say little, and not stay for ever in silence; what stands behind an
/// `AUTH` that came along is heard as it is of anybody.
#[test]
fn strangers_at_the_redis_port_take_little() {
    let folder = tempfile::tempdir().unwrap();
    let (token, _) = made(folder.path(), &[], "acme", &[]);
    let server = Process::start(folder.path(), &["--require-tokens", "--body-timeout", "1"]);
    let long = json!({"type": "human", "data": {"content": "x".repeat(100_000)}}).to_string();
    let mut known = Client::connect(server.redis).unwrap();
    known.send(&["AUTH", "acme", &token]).unwrap();
    known.send(&["RPUSH", "s", &long]).unwrap();
    assert_eq!(known.receive().unwrap(), Reply::Status("OK".to_owned()));
    assert_eq!(known.receive().unwrap(), Reply::Integer(1));

    let silent = TcpStream::connect(server.redis).unwrap();
    let said = |mut stranger: TcpStream, bytes: &str| {
        let mut answer = String::new();
        stranger.write_all(bytes.as_bytes()).unwrap();
        stranger.read_to_string(&mut answer).unwrap();
        answer
    };
    let stranger = || TcpStream::connect(server.redis).unwrap();
    assert_eq!(
        said(stranger(), "LLEN s\r\n*3\r\n$5\r\nRPUSH\r\n$1\r\ns\r\n$100000\r\n"),
        "-NOAUTH Authentication required.\r\n-ERR Protocol error: a command has at most 65536 bytes here\r\n"
    );
    assert_eq!(said(stranger(), "*10000\r\n"), "-ERR Protocol error: invalid multibulk length\r\n");

    // It is closed; one that has shown a token stays, though it said nothing for as long.
    assert_eq!(said(silent, ""), "");
    assert_eq!(known.command(&["LLEN", "s"]).unwrap(), Reply::Integer(1));
}

#[test]
fn a_server_beyond_loopback_needs_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let serve = ["serve", "--listen", "0.0.0.0:0", "--resp-listen", "off"];
    let refused = |arguments: &[&str]| {
        let output = hitherto(folder.path()).args(serve).args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused(&[]).contains("there are no tokens yet"));
    // A store without tokens is no better than none.
    drop(Process::start(folder.path(), &[]));
    assert!(refused(&[]).contains("there are no tokens yet"));
    let started = |arguments: &[&str]| {
        let mut command = hitherto(folder.path());
        command.args(["serve", "--listen", "0.0.0.0:0", "--resp-listen", "0.0.0.0:0"]).args(arguments);
        let mut server = Process::launch(command);
        server.address.set_ip([127, 0, 0, 1].into());
        server
    };
    let open = started(&["--insecure-no-auth"]);
    get(open.address, "/v1/sessions").expect(200);
    drop(open);
    get(started(&["--require-tokens"]).address, "/v1/sessions").problem(401, "token_missing");
    let (token, _) = made(folder.path(), &[], "acme", &["--expires", "1h"]);
    let server = started(&[]);
    get(server.address, "/v1/sessions").problem(401, "token_missing");
    with(&server, &token, "GET", "/v1/sessions", "").expect(200);
    drop(server);
    // Tokens are required where there are any, whatever is said.
    get(started(&["--insecure-no-auth"]).address, "/v1/sessions").problem(401, "token_missing");
}

/// A page whose name leads to this machine is another site's: what it asks, it asks by that name.
#[test]
fn a_server_that_is_open_to_this_machine_answers_to_no_other_name() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |server: &Process, headers: &[&str]| {
        let all = [headers, &["content-type: application/json", "connection: close"]].concat().join("\r\n");
        let path = "/v1/sessions/s/messages";
        let request =
            format!("POST {path} HTTP/1.1\r\n{all}\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len());
        let mut connection = Wire::open(server.address);
        connection.send(request.as_bytes());
        connection.answer().unwrap()
    };
    let server = Process::start(folder.path(), &[]);
    ask(&server, &["host: rebound.example:8700"]).problem(421, "host_unknown");
    let described = get(server.address, "/v1/sessions/s");
    described.problem(404, "session_not_found");
    ask(&server, &["host: localhost:8700"]).expect(201);
    ask(&server, &["host: 127.0.0.1"]).expect(201);
    drop(server);
    ask(&Process::start(folder.path(), &["--insecure-no-auth"]), &["host: hitherto.example"]).expect(201);
    let (token, _) = made(folder.path(), &[], "acme", &[]);
    let bearer = format!("authorization: Bearer {token}");
    let server = Process::start(folder.path(), &[]);
    ask(&server, &["host: hitherto.example", &bearer]).expect(201);
    ask(&server, &["host: hitherto.example"]).problem(401, "token_missing");
}

/// Who cleared what, who made which token, who exported and imported, also as other programs keep it: ids, never words or
/// tokens.
#[test]
fn audit_lines_say_who_did_what() {
    let folder = tempfile::tempdir().unwrap();
    let audit = ["--audit-file", "audit.log"];
    let (token, id) = made(folder.path(), &[], "acme", &audit);
    let server = Process::start(folder.path(), &audit);
    for session in ["one", "two", "three", "four"] {
        with(&server, &token, "POST", &format!("/v1/sessions/{session}/messages"), BODY).expect(201);
    }
    with(&server, &token, "DELETE", "/v1/sessions/one", "").expect(200);
    with(&server, &token, "DELETE", "/v1/sessions/none", "").expect(200);
    with(&server, &token, "DELETE", "/sessions/two/memory", "").expect(200);
    with(&server, &token, "DELETE", "/api/v1/sessions/three/memory", "").expect(200);
    with(&server, &token, "POST", "/", r#"["DEL","four"]"#).expect(200);
    drop(server);
    let run = |arguments: &[&str]| {
        assert!(hitherto(folder.path()).args(arguments).args(audit).output().unwrap().status.success());
    };
    run(&["append", "mine", "classified"]);
    run(&["export", "mine", "--output", "mine.jsonl"]);
    run(&["import", "mine.jsonl"]);
    run(&["export", "mine", "--to", "langchain-js", "--dump", "mine.json"]);
    run(&["import", "--from", "langchain-js", "--dump", "mine.json", "--into", "other.db"]);
    run(&["clear", "mine", "--yes"]);
    run(&["token", "revoke", &id]);
    // What a command writes is its owner's alone.
    for file in ["mine.jsonl", "mine.json", "audit.log", "hitherto.db"] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let text = std::fs::read_to_string(folder.path().join("audit.log")).unwrap();
    assert!(!text.contains("classified") && !text.contains(&token[..20]), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let who = format!("token:{id}");
    let found: Vec<[String; 4]> = lines
        .iter()
        .map(|line| {
            assert_eq!(line["target"], "audit");
            assert!(line["timestamp"].is_string());
            ["action", "who", "tenant", "session"].map(|name| line[name].as_str().unwrap_or("-").to_owned())
        })
        .collect();
    let cleared = |session: &str| ["session_cleared", &who, "acme", session].map(str::to_owned);
    let command =
        |action: &str, tenant: &str, session: &str| [action, "command", tenant, session].map(str::to_owned);
    assert_eq!(
        found,
        [
            command("token_created", "acme", "-"),
            cleared("one"),
            cleared("two"),
            cleared("three"),
            cleared("four"),
            command("exported", "default", "-"),
            command("imported", "default", "-"),
            command("exported", "default", "-"),
            command("imported", "default", "-"),
            command("session_cleared", "default", "mine"),
            command("token_revoked", "acme", "-"),
        ]
    );
    assert_eq!((&lines[0]["token"], &lines[0]["scopes"]), (&json!(id), &json!("read,write")));
    assert_eq!(lines[1]["messages"], 1);
    let told = |line: &Value| ["layout", "sessions", "messages"].map(|name| line[name].clone());
    assert_eq!(told(&lines[5]), [Value::Null, json!(1), json!(1)]);
    // It was there already.
    assert_eq!(told(&lines[6]), [Value::Null, json!(1), json!(0)]);
    assert_eq!(told(&lines[7]), [json!("langchain-js"), json!(1), json!(1)]);
    assert_eq!(told(&lines[8]), [json!("langchain-js"), json!(1), json!(1)]);
}

/// In the log, where no file is named: as JSON on a line of its own, though the log is for people and says only errors.
#[test]
fn audit_lines_are_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let output = hitherto(folder.path())
        .args(["token", "create", "--tenant", "acme", "--log", "error"])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(out.starts_with("hth_") && out.lines().count() == 1, "{out}");
    assert!(!err.contains(out.trim()), "{err}");
    let lines: Vec<Value> = err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!((lines.len(), &lines[0]["action"]), (1, &json!("token_created")), "{err}");
}

#[test]
fn a_token_command_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], expected: &str| {
        let output = hitherto(folder.path()).arg("token").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected), "{arguments:?}: {said}");
    };
    check(&["create"], "give --tenant");
    check(&["create", "--tenant", "a", "--scope", "all"], "--scope must be of read, write and admin");
    check(&["create", "--tenant", "a", "--expires", "soon"], "--expires must be a length of time");
    check(&["create", "--tenant", "a", "--server", "http://127.0.0.1:1"], "this command works on a store");
    check(&["revoke"], "give the id of the token");
    check(&["revoke", "x", "--db", "a.db"], "is no id of a token");
    check(&["list", "--name", "x"], "--name does not go with `token list`");
    check(&["destroy"], "invalid value 'destroy'");
}

/// A server that takes tokens signed by somebody else: the tenant is in the token, at every door, and the store has none.
#[test]
fn signed_tokens_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref())}]});
    std::fs::write(folder.path().join("keys.json"), keys.to_string()).unwrap();
    let signed = |tenant: &str, scope: &str, audience: &str| {
        let claims = json!({"tenant": tenant, "scope": scope, "aud": audience, "exp": 4_000_000_000_u64, "sub": "user-7"});
        let text = format!("{}.{}", encoded(br#"{"alg":"EdDSA"}"#), encoded(claims.to_string().as_bytes()));
        format!("{text}.{}", encoded(pair.sign(text.as_bytes()).as_ref()))
    };
    let settings = ["--jwt-keys", "keys.json", "--jwt-audience", "memory", "--audit-file", "audit.log"];
    let server = Process::start(folder.path(), &settings);
    get(server.address, "/v1/sessions").problem(401, "token_missing");
    let (acme, umbrella) = (signed("acme", "read write", "memory"), signed("umbrella", "read", "memory"));
    with(&server, &acme, "POST", "/v1/sessions/s/messages", BODY).expect(201);
    with(&server, &umbrella, "POST", "/v1/sessions/s/messages", BODY).problem(403, "scope_missing");
    let list = with(&server, &umbrella, "GET", "/v1/sessions", "").expect(200).json();
    assert!(list["sessions"].as_array().unwrap().is_empty(), "{list}");
    let answer = with(&server, &signed("acme", "read", "other"), "GET", "/v1/sessions", "")
        .problem(401, "token_refused");
    assert!(answer.body.contains("jwt_audience"), "{answer:?}");
    let mut client = Client::connect(server.redis).unwrap();
    assert!(matches!(client.command(&["AUTH", "umbrella", &acme]).unwrap(), Reply::Error(_)));
    assert_eq!(client.command(&["AUTH", "acme", &acme]).unwrap(), Reply::Status("OK".to_owned()));
    assert_eq!(client.command(&["LLEN", "s"]).unwrap(), Reply::Integer(1));
    // Tokens of the store are taken beside them.
    let (token, _) = made(folder.path(), &[], "acme", &[]);
    with(&server, &token, "GET", "/v1/sessions/s", "").expect(200);
    with(&server, &acme, "DELETE", "/v1/sessions/s", "").expect(200);
    let text = std::fs::read_to_string(folder.path().join("audit.log")).unwrap();
    assert!(text.contains("\"who\":\"subject:user-7\"") && !text.contains(&acme[..30]), "{text}");
    let refused = |arguments: &[&str]| {
        let output = hitherto(folder.path()).arg("serve").args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(
        refused(&["--listen", "127.0.0.1:0", "--resp-listen", "off", "--jwt-keys", "none.json"])
            .contains("jwt_keys: none.json")
    );
    assert!(refused(&["--jwt-issuer", "x"]).contains("jwt_issuer needs jwt_keys"));
}
