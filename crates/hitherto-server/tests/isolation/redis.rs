//! The Redis port, and the same commands over HTTP: every command of one tenant against what another has stored.

use hitherto_testkit::{Client, Reply};

use crate::tenants::{Served, Tenant};

/// Words for each command, about that key.
fn lines(command: &str, key: &str) -> Vec<Vec<String>> {
    let all: &[&str] = match command {
        "lpush" | "rpush" | "lpushx" | "rpushx" => &["K intruder"],
        "lrange" => &["K 0 -1"],
        "lindex" => &["K 0"],
        "lset" => &["K 0 intruder"],
        "ltrim" => &["K 1 0"],
        "lrem" => &["K 0 classified"],
        "lpos" => &["K classified"],
        "lpop" | "rpop" => &["K", "K 10"],
        "expire" | "pexpire" | "expireat" | "pexpireat" => &["K 1", "K -1"],
        "keys" => &["*", "s*"],
        "scan" => &["0 COUNT 1000", "1", "0 MATCH *"],
        "hset" | "hsetnx" => &["agents:session:K session_id x"],
        "hget" | "hmget" | "hdel" | "hexists" => &["agents:session:K session_id"],
        "hgetall" | "hkeys" | "hvals" | "hlen" => &["agents:session:K"],
        "client" => &["LIST", "INFO", "ID"],
        "select" => &["1"],
        "echo" => &["x"],
        "auth" | "hello" | "quit" | "reset" | "multi" | "exec" | "discard" => &[],
        "command" | "dbsize" | "info" | "ping" | "time" | "unwatch" => &[""],
        _ => &["K"],
    };
    all.iter()
        .map(|line| {
            let words = line.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace('K', key));
            std::iter::once(command.to_owned()).chain(words).collect()
        })
        .collect()
}

fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Reply::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

#[test]
fn no_command_reaches_another_tenants_keys() {
    let served = Served::new();
    let (owner, intruder) =
        (served.token("acme", "read,write,admin"), served.token("umbrella", "read,write,admin"));
    let keys = ["shared", "message_store:shared", "agents:session:shared:messages"];
    owner.say("shared", "classified");
    let before = owner.everything();
    let commands = intruder.client().command(&["COMMAND", "LIST"]).unwrap().texts();
    for command in &commands {
        for key in keys {
            for words in lines(command, key) {
                let mut client = intruder.client();
                for words in [words.clone(), vec!["MULTI".to_owned()], words, vec!["EXEC".to_owned()]] {
                    let reply = client.command(&words).unwrap();
                    assert!(!shown(&reply).contains("classified"), "{words:?}: {reply:?}");
                }
                client.command(&["RESET"]).unwrap();
                assert_eq!(owner.everything(), before, "{words:?}", words = lines(command, key));
                intruder.client().command(&["DEL", "shared"]).unwrap();
            }
        }
    }
    let empty = |client: &mut Client, line: &[&str]| client.command(line).unwrap();
    let mut client = intruder.client();
    assert_eq!(empty(&mut client, &["KEYS", "*"]), Reply::Array(vec![]));
    assert_eq!(empty(&mut client, &["DBSIZE"]), Reply::Integer(0));
    assert_eq!(empty(&mut client, &["EXISTS", "shared"]), Reply::Integer(0));
    assert_eq!(empty(&mut client, &["TYPE", "shared"]), Reply::Status("none".to_owned()));
}

/// What all tenants do together is no tenant's business, and one's cursor is of no use to another.
#[test]
fn nothing_counts_what_others_do() {
    let served = Served::new();
    let (one, other) = (served.token("one", "read,write"), served.token("other", "read,write"));
    for number in 0..30 {
        one.say(&format!("one-{number}"), "x");
    }
    other.say("other-0", "x");
    let info = |who: &Tenant| {
        let reply = who.client().command(&["INFO"]).unwrap().text();
        let numbers =
            reply.lines().filter(|line| !line.starts_with("uptime") && !line.starts_with("process"));
        numbers.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = info(&other);
    let mut client = one.client();
    for _ in 0..10 {
        client.command(&["LRANGE", "one-0", "0", "-1"]).unwrap();
    }
    assert_eq!(info(&other), before);
    let Reply::Array(scanned) = client.command(&["SCAN", "0", "COUNT", "5"]).unwrap() else {
        panic!("a scan")
    };
    let cursor = scanned[0].text();
    assert_ne!(cursor, "0");
    let Reply::Array(stolen) = other.client().command(&["SCAN", &cursor, "COUNT", "5"]).unwrap() else {
        panic!("a scan")
    };
    assert_eq!(stolen[1].texts(), ["other-0"]);
    // Numbers of cursors do not tell how many others have made.
    let next: u64 = cursor.parse().unwrap();
    assert!(next > 1 << 20, "{next}");
}

/// Two tenants with one id at one moment: neither waits for the other's turn, and neither gets the other's view.
#[test]
fn two_tenants_talk_under_one_id() {
    let served = Served::new();
    let (one, other) = (served.token("one", "read,write"), served.token("other", "read,write"));
    let human = |text: &str| format!(r#"{{"type":"human","data":{{"content":"{text}"}}}}"#);
    let ai = |text: &str| format!(r#"{{"type":"ai","data":{{"content":"{text}"}}}}"#);
    let (mut first, mut second) = (one.client(), other.client());
    // One writes newest first, the other oldest first; one leaves its turn half said.
    let mut turn = |session: &str| {
        first.command(&["LPUSH", session, &human("q one")]).unwrap();
        let begun = std::time::Instant::now();
        second.command(&["RPUSH", session, &human("q other"), &ai("a other")]).unwrap();
        let took = begun.elapsed();
        first.command(&["LPUSH", session, &ai("a one")]).unwrap();
        took
    };
    turn("s");
    // A turn that is not finished keeps its session for 250 ms; on a busy machine one call may take as long.
    let soonest = (0..10).map(|round| turn(&format!("s{round}"))).min().unwrap();
    assert!(soonest < std::time::Duration::from_millis(200), "it waited for another tenant's turn");
    let texts = |client: &mut Client| client.command(&["LRANGE", "s", "0", "-1"]).unwrap().texts().join(" ");
    let (first, second) = (texts(&mut first), texts(&mut second));
    assert!(
        first.find("a one").unwrap() < first.find("q one").unwrap() && !first.contains("other"),
        "{first}"
    );
    assert!(
        second.find("q other").unwrap() < second.find("a other").unwrap() && !second.contains("one"),
        "{second}"
    );
}

/// A client that becomes another tenant leaves what it was in the middle of behind.
#[test]
fn a_connection_that_changes_tenant_takes_nothing_along() {
    let served = Served::new();
    let (one, other) = (served.token("one", "read,write"), served.token("other", "read,write"));
    one.say("s", "classified");
    let mut client = one.client();
    client.command(&["WATCH", "s"]).unwrap();
    client.command(&["AUTH", "other", &other.made.token]).unwrap();
    assert_eq!(client.command(&["LLEN", "s"]).unwrap(), Reply::Integer(0));
    client.command(&["MULTI"]).unwrap();
    client.command(&["RPUSH", "s", "mine"]).unwrap();
    // Who it is within the transaction is looked at as each command is carried out.
    client.command(&["AUTH", "one", &one.made.token]).unwrap();
    client.command(&["LLEN", "s"]).unwrap();
    let Reply::Array(done) = client.command(&["EXEC"]).unwrap() else { panic!("a transaction") };
    assert_eq!(done, [Reply::Integer(1), Reply::Status("OK".to_owned()), Reply::Integer(2)]);
    assert_eq!(other.client().command(&["LRANGE", "s", "0", "-1"]).unwrap().texts(), ["mine"]);
}
