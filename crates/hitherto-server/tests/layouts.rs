//! Other programs' keys as they were recorded: brought along by the real binary into each store, read there, and
//! written back.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "support/layouts.rs"]
mod layouts;
#[path = "support/process.rs"]
mod process;

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use hitherto::{ChatMemory, Direction, Message, Role, SessionId};
use hitherto_testkit::{RedisServer, ServerKind};
use layouts::{Scenario, conversation, dumped, expected, load, recorded, recorded_conversation, same};
use process::hitherto;
use serde_json::Value;

/// A source, a place for what comes out, and folders of embedded stores.
struct Bench {
    source: RedisServer,
    other: RedisServer,
    folder: tempfile::TempDir,
}

/// What a command printed.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    #[track_caller]
    fn fine(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn failed(self, text: &str) -> Self {
        assert_eq!(self.code, Some(1), "{}\n{}", self.out, self.err);
        assert!(self.err.contains(text), "{}", self.err);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "{}\n{}", self.out, self.err);
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Bench {
    fn new() -> Self {
        Self {
            source: RedisServer::start(ServerKind::Redis7),
            other: RedisServer::start(ServerKind::Redis7),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Said {
        run(self.folder.path(), arguments)
    }

    /// Brings along what the source has.
    fn bring(&self, layout: &str, into: &str) -> Said {
        self.run(&["import", "--from", layout, "--redis", &self.source.url(), "--into", into])
    }

    fn db(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn clear(&self) {
        self.source.command(&["FLUSHALL"]);
        self.other.command(&["FLUSHALL"]);
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Said {
    hitherto(folder).args(arguments).output().unwrap().into()
}

fn memory(place: &str) -> ChatMemory {
    if place.contains("://") {
        ChatMemory::redis(place).unwrap()
    } else {
        ChatMemory::embedded(place).unwrap()
    }
}

async fn elements(memory: &ChatMemory, session: &str) -> Vec<Message> {
    let session = SessionId::parse(session).unwrap();
    let found = memory.elements(&session, Direction::After(0), 1000).await.unwrap();
    found.elements.into_iter().map(|element| element.message).collect()
}

async fn payloads(memory: &ChatMemory, session: &str) -> Vec<String> {
    let all = elements(memory, session).await;
    all.iter().map(|message| String::from_utf8(message.payload().to_vec()).unwrap()).collect()
}

/// The sessions of a recorded scenario of lists: their ids, and their elements in the order of reading.
fn sessions(layout: &str, scenario: &Scenario) -> Vec<(String, Vec<String>, i64)> {
    let newest_first = !matches!(
        layout,
        "memorystore" | "openai-agents" | "llamaindex" | "agent-framework" | "ai-sdk-tools"
    );
    let lists = scenario.keys.iter().filter(|key| key["type"] == "list");
    lists
        .map(|key| {
            let mut values: Vec<String> = key["value"]
                .as_array()
                .unwrap()
                .iter()
                .map(|value| value.as_str().unwrap().to_owned())
                .collect();
            if newest_first {
                values.reverse();
            }
            let layout = hitherto::layout::Layout::named(layout).unwrap();
            let session = layout.session(key["key"].as_str().unwrap()).unwrap();
            (session, values, key["ttl"].as_i64().unwrap())
        })
        .collect()
}

const LISTS: [(&str, &str); 18] = [
    ("langchain-js", "langchain-js-redis.json"),
    ("langchain-js", "langchain-js-ioredis.json"),
    ("langchain-js", "langchain-js-upstash.json"),
    ("flowise", "flowise.json"),
    ("n8n", "n8n.json"),
    ("langchain-python", "langchain-py-community.json"),
    ("langflow", "langchain-py-community.json"),
    ("memorystore", "langchain-py-memorystore.json"),
    ("openai-agents", "openai-agents.json"),
    ("llamaindex", "llamaindex.json"),
    ("llamaindex", "llamaindex-0.2.json"),
    ("agent-framework", "agent-framework.json"),
    ("agent-framework", "agent-framework-2025.json"),
    ("motorhead", "motorhead.json"),
    ("ai-sdk-tools", "ai-sdk-tools.json"),
    ("ai-sdk-tools", "ai-sdk-tools-ioredis.json"),
    ("langchain-js", "flowise.json"),
    ("langchain-js", "n8n.json"),
];

/// Each recorded list comes in as it is, into each store, stays alive for as long, and goes out as it was.
#[tokio::test]
async fn lists_come_in_and_go_out_as_they_are() {
    let bench = Bench::new();
    for (layout, file) in LISTS {
        for (number, scenario) in recorded(file).iter().enumerate() {
            let name = &scenario.name;
            bench.clear();
            let mut source = bench.source.connect();
            load(&mut source, &scenario.keys);
            let expected_sessions = sessions(layout, scenario);
            let stored: usize = expected_sessions.iter().map(|(_, values, _)| values.len()).sum();
            let places = [bench.db(&format!("{layout}-{file}-{number}.db")), bench.other.url()];
            for place in &places {
                // A mark that removes a message is stored as one, and is none.
                let bad = u64::from(scenario.scenario == "exotic");
                let elements = if bad == 1 { "1 bad element" } else { "0 bad elements" };
                let brought = bench.bring(layout, place);
                let brought = if bad == 1 { brought.failed("it is no message") } else { brought.fine() };
                brought.says(&format!("stored {stored}, already there 0, {elements}, 0 sessions different"));
                let memory = memory(place);
                for (session, values, ttl) in &expected_sessions {
                    let mut found = payloads(&memory, session).await;
                    if found.first().is_some_and(|first| first.contains("summary_of_earlier")) {
                        assert_eq!(layout, "motorhead");
                        found.remove(0);
                    }
                    assert_eq!(found, *values, "{name} {session}");
                    let info = memory.describe(&SessionId::parse(session).unwrap()).await.unwrap().unwrap();
                    let found = info.ttl.map(|ttl| ttl.length());
                    match u64::try_from(*ttl).map(Duration::from_secs) {
                        Ok(ttl) => assert!(found.unwrap().abs_diff(ttl) < Duration::from_secs(3), "{name}"),
                        Err(_) => assert_eq!(found, None, "{name}"),
                    }
                }
                bench.bring(layout, place).says(&format!("stored 0, already there {stored}, {elements}"));
            }
            same(name, &dumped(&mut source), &expected(&scenario.keys));
            if expected_sessions.is_empty() {
                continue;
            }
            let out = RedisServer::start(ServerKind::Redis7);
            let give = ["export", "--to", layout, "--all", "--out-redis", &out.url(), "--db", &places[0]];
            bench.run(&give).fine().says(&format!("written {stored}, already there 0, 0 translated"));
            let mut written = out.connect();
            same(name, &dumped(&mut written), &expected(&scenario.keys));
            bench.run(&give).fine().says(&format!("written 0, already there {stored}"));
            same(name, &dumped(&mut written), &expected(&scenario.keys));
            let file = bench.db(&format!("{layout}-{file}-{number}.json"));
            let give = ["export", "--to", layout, "--all", "--dump", &file, "--redis", &places[1]];
            bench.run(&give).fine();
            let dump: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            same(name, &expected(dump["keys"].as_array().unwrap()), &expected(&scenario.keys));
        }
    }
}

/// Who speaks and what is said is what the recorded conversation says.
#[tokio::test]
async fn every_layout_says_what_was_said() {
    let said = conversation();
    let whole = [
        ("langchain-js", "langchain-js-redis.json"),
        ("flowise", "flowise.json"),
        ("n8n", "n8n.json"),
        ("langchain-python", "langchain-py-community.json"),
        ("memorystore", "langchain-py-memorystore.json"),
        ("langchain-redis", "langchain-redis-py.json"),
        ("openai-agents", "openai-agents.json"),
        ("llamaindex", "llamaindex.json"),
        ("llamaindex", "llamaindex-0.2.json"),
        ("agent-framework", "agent-framework.json"),
        ("agent-framework", "agent-framework-2025.json"),
        ("redisvl", "redisvl-message-history.json"),
        ("motorhead", "motorhead.json"),
        ("mastra", "mastra-redis.json"),
        ("ai-sdk-tools", "ai-sdk-tools.json"),
        ("griptape", "griptape.json"),
        ("agno", "agno.json"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (layout, file) in whole {
        let scenario = recorded_conversation(file);
        let place = folder.path().join(format!("{layout}-{file}.db")).display().to_string();
        let dump = scenario.file.display().to_string();
        let arguments =
            ["import", "--from", layout, "--dump", &dump, "--scenario", "conversation", "--into", &place];
        run(folder.path(), &arguments).fine();
        // A scoped key names its session by all that it is scoped by.
        let session = match file {
            "agent-framework.json" => "~none|fixture-app|~none|redis_memory|fixture-session-1",
            _ => "fixture-session-1",
        };
        let found = elements(&memory(&place), session).await;
        let found: Vec<(Role, String)> =
            found.iter().map(|message| (message.role(), message.text())).collect();
        let wanted: Vec<(Role, String)> = said["messages"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|message| {
                let role = message["role"].as_str().unwrap();
                let gone = match layout {
                    // These never store it.
                    "flowise" => !matches!(role, "human" | "ai"),
                    "n8n" => role == "system",
                    "griptape" => !matches!(role, "human" | "ai"),
                    // A call and its result are one message there.
                    "mastra" | "ai-sdk-tools" => role == "tool",
                    _ => false,
                };
                let text = message["text"].as_str().unwrap();
                let text = match (layout, role) {
                    ("n8n", "ai_tool_call") => {
                        "Calling get_weather with input: {\"city\":\"Zürich\",\"unit\":\"celsius\",\"days\":1}"
                    }
                    _ => text,
                };
                let role = match role {
                    "system" => Role::System,
                    "human" => Role::User,
                    // Only some say that it is a tool's result; the text does not.
                    "tool" => Role::Tool,
                    _ => Role::Assistant,
                };
                (!gone).then(|| (role, text.to_owned()))
            })
            .collect();
        assert_eq!(found, wanted, "{layout} {file}");
    }
}

/// The layouts whose messages are not elements of a list: what is stored is what was said, in each store, again
/// nothing is added, and what can be written back is.
#[tokio::test]
async fn documents_come_in_and_go_out_as_they_are() {
    let bench = Bench::new();
    let all = [
        ("mastra", "mastra-redis.json", true),
        ("redisvl", "redisvl-message-history.json", true),
        ("langchain-redis", "langchain-redis-py.json", true),
        ("griptape", "griptape.json", false),
        ("agno", "agno.json", false),
    ];
    for (layout, file, goes_back) in all {
        for (number, scenario) in recorded(file).iter().enumerate() {
            let name = &scenario.name;
            bench.clear();
            let has_module = scenario.keys.iter().all(|key| key["type"] != "ReJSON-RL");
            if has_module {
                load(&mut bench.source.connect(), &scenario.keys);
            }
            let places = [bench.db(&format!("{layout}-{number}.db")), bench.other.url()];
            let dump = scenario.file.display().to_string();
            for place in &places {
                let mut arguments = vec!["import", "--from", layout, "--into", place];
                let url = bench.source.url();
                if has_module {
                    arguments.extend(["--redis", &url]);
                } else {
                    arguments.extend(["--dump", &dump, "--scenario", &scenario.scenario]);
                }
                bench.run(&arguments).fine().says("0 bad elements, 0 sessions different");
                bench.run(&arguments).fine().says("stored 0,").says("0 bad elements, 0 sessions different");
            }
            if has_module {
                same(name, &dumped(&mut bench.source.connect()), &expected(&scenario.keys));
            }
            let out = RedisServer::start(ServerKind::Redis7);
            let file = bench.db(&format!("{layout}-{number}.json"));
            let url = out.url();
            let mut give = vec!["export", "--to", layout, "--all", "--db", &places[0]];
            if !goes_back {
                give.extend(["--out-redis", &url]);
                bench.run(&give).failed("nothing is written back in the layout");
                continue;
            }
            if scenario.keys.is_empty() {
                continue;
            }
            if has_module {
                let mut give = give.clone();
                give.extend(["--out-redis", &url]);
                bench.run(&give).fine();
                same(name, &dumped(&mut out.connect()), &expected(&scenario.keys));
                bench.run(&give).fine();
                same(name, &dumped(&mut out.connect()), &expected(&scenario.keys));
            }
            give.extend(["--dump", &file]);
            bench.run(&give).fine();
            let dump: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            same(name, &expected(dump["keys"].as_array().unwrap()), &expected(&scenario.keys));
        }
    }
}

/// The commands that a server was sent since it was asked last, without those of the connection itself.
fn commands(redis: &RedisServer) -> Vec<String> {
    let info = redis.command(&["INFO", "commandstats"]).text();
    let names = info.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split(':').next());
    let own = ["info", "config|resetstat", "hello", "client|setinfo", "ping"];
    names.filter(|name| !own.contains(name)).map(str::to_owned).collect()
}

/// Whatever the layout, the source is asked and never told.
#[test]
fn a_source_is_only_read_and_never_by_keys() {
    let bench = Bench::new();
    let reads = [
        "scan", "type", "pttl", "get", "llen", "lrange", "mget", "hgetall", "hget", "hscan", "zrange",
        "zscore",
    ];
    for (layout, file) in [
        ("langchain-js", "langchain-js-redis.json"),
        ("openai-agents", "openai-agents.json"),
        ("motorhead", "motorhead.json"),
        ("ai-sdk-tools", "ai-sdk-tools.json"),
        ("mastra", "mastra-redis.json"),
        ("redisvl", "redisvl-message-history.json"),
        ("griptape", "griptape.json"),
        ("agno", "agno.json"),
    ] {
        bench.clear();
        load(&mut bench.source.connect(), &recorded_conversation(file).keys);
        bench.source.command(&["CONFIG", "RESETSTAT"]);
        bench.bring(layout, &bench.db(&format!("{layout}-reads.db"))).fine();
        let sent = commands(&bench.source);
        assert!(sent.contains(&"scan".to_owned()), "{sent:?}");
        assert!(sent.iter().all(|name| reads.contains(&name.as_str())), "{layout}: {sent:?}");
    }
}

/// What was pushed since, and only that; also where the list has lost its oldest messages meanwhile.
#[tokio::test]
async fn a_second_run_adds_what_is_new() {
    let bench = Bench::new();
    let human = |text: &str| format!(r#"{{"type":"human","data":{{"content":"{text}"}}}}"#);
    let push = |text: &str| bench.source.command(&["LPUSH", "s", &human(text)]);
    let place = bench.db("again.db");
    let all =
        |texts: std::ops::Range<u32>| texts.map(|number| human(&format!("m{number}"))).collect::<Vec<_>>();
    for number in 0..1300 {
        push(&format!("m{number}"));
    }
    bench.bring("langchain-js", &place).fine().says("stored 1,300, already there 0");
    assert_eq!(payloads(&memory(&place), "s").await.len(), 1000);
    for number in 1300..1303 {
        push(&format!("m{number}"));
    }
    bench.bring("langchain-js", &place).fine().says("stored 3, already there 1,300");
    // The client keeps only its newest messages.
    bench.source.command(&["LTRIM", "s", "0", "99"]);
    for number in 1303..1305 {
        push(&format!("m{number}"));
    }
    bench.bring("langchain-js", &place).fine().says("stored 2, already there 100");
    let session = SessionId::parse("s").unwrap();
    let tail = memory(&place).elements(&session, Direction::After(1000), 1000).await.unwrap();
    let tail: Vec<String> = tail
        .elements
        .iter()
        .map(|element| String::from_utf8(element.message.payload().to_vec()).unwrap())
        .collect();
    assert_eq!(tail, all(1000..1305));
    // Something else under the same name is left alone, and said.
    bench.source.command(&["DEL", "s"]);
    push("other");
    bench.bring("langchain-js", &place).failed("session s: the store has something else at its element 1");
    let description = memory(&place).describe(&session).await.unwrap().unwrap();
    assert_eq!(description.messages, 1305);
}

/// Two imports of the same keys at the same time store each element once.
#[tokio::test]
async fn two_imports_at_once_store_everything_once() {
    let bench = Bench::new();
    for number in 0..2000 {
        let element = format!(r#"{{"type":"human","data":{{"content":"m{number}"}}}}"#);
        bench.source.command(&["RPUSH", "s", &element]);
    }
    let place = bench.other.url();
    std::thread::scope(|scope| {
        let one = scope.spawn(|| bench.bring("memorystore", &place));
        bench.bring("memorystore", &place);
        one.join().unwrap();
    });
    let info = memory(&place).describe(&SessionId::parse("s").unwrap()).await.unwrap().unwrap();
    assert_eq!(info.messages, 2000);
    bench.bring("memorystore", &place).fine().says("stored 0, already there 2,000");
}

/// An import that is interrupted goes on where it was, and stores nothing twice.
#[tokio::test]
async fn an_interrupted_import_goes_on() {
    const ALL: u64 = 30_000;
    let bench = Bench::new();
    let mut source = bench.source.connect();
    for some in (0..ALL).collect::<Vec<_>>().chunks(1000) {
        let mut command = vec!["RPUSH".to_owned(), "s".to_owned()];
        let element = |number| format!(r#"{{"type":"human","data":{{"content":"m{number}"}}}}"#);
        command.extend(some.iter().map(element));
        source.command(&command).unwrap();
    }
    let place = bench.other.url();
    let url = bench.source.url();
    let arguments = ["import", "--from", "memorystore", "--redis", &url, "--into", &place];
    let child = hitherto(bench.folder.path())
        .args(arguments)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let session = SessionId::parse("s").unwrap();
    let memory = memory(&place);
    while memory.describe(&session).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let line = format!("kill -INT {}", child.id());
    assert!(std::process::Command::new("sh").args(["-c", &line]).status().unwrap().success());
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!(said.code, Some(130), "{}\n{}", said.out, said.err);
    said.says("Interrupted. The same command again goes on");
    let stored = memory.describe(&session).await.unwrap().unwrap().messages;
    assert!(stored < ALL && stored.is_multiple_of(500), "{stored}");
    let said = bench.run(&arguments).fine();
    let there = said.out.split("already there ").nth(1).unwrap().split(", 0 bad").next().unwrap();
    assert_eq!(there.replace(',', ""), stored.to_string());
    assert_eq!(memory.describe(&session).await.unwrap().unwrap().messages, ALL);
}

/// An element that no client can read is kept where it stands, named, and written back; the rest goes on.
#[tokio::test]
async fn a_bad_element_is_named_and_kept() {
    let bench = Bench::new();
    let human = r#"{"type":"human","data":{"content":"hi"}}"#;
    for element in [human, "{broken", human] {
        bench.source.command(&["LPUSH", "message_store:s", element]);
    }
    let place = bench.db("bad.db");
    bench
        .bring("langchain-python", &place)
        .failed("message_store:s, index 1: it is no message")
        .says("1 session: stored 3, already there 0, 1 bad element, 0 sessions different");
    assert_eq!(payloads(&memory(&place), "s").await, [human, "{broken", human]);
    let out = bench.other.url();
    bench.run(&["export", "--to", "langchain-python", "s", "--out-redis", &out, "--db", &place]).fine();
    same("bad", &dumped(&mut bench.other.connect()), &dumped(&mut bench.source.connect()));
}

/// A list that is read from its wrong end is refused before anything is stored, with the layout that it is in.
#[tokio::test]
async fn the_wrong_order_is_refused() {
    let bench = Bench::new();
    load(&mut bench.source.connect(), &recorded_conversation("langchain-js-redis.json").keys);
    let place = bench.db("order.db");
    bench
        .bring("memorystore", &place)
        .failed("fixture-session-1 is the wrong way round: results of tools stand before the calls")
        .says("it is of the layout langchain-js");
    assert_eq!(payloads(&memory(&place), "fixture-session-1").await.len(), 0);
    let url = bench.source.url();
    let forced = ["import", "--from", "memorystore", "--redis", &url, "--into", &place, "--force"];
    bench.run(&forced).fine().says("stored 7");
    // Where nothing shows the order, it is only wondered at.
    bench.clear();
    load(&mut bench.source.connect(), &recorded_conversation("flowise.json").keys);
    let place = bench.db("doubt.db");
    bench.bring("memorystore", &place).fine().says("Every session begins with an answer");
}

/// Other keys in the same Redis are named and left alone, whatever they are.
#[tokio::test]
async fn keys_of_others_are_passed_over() {
    let bench = Bench::new();
    for command in [
        vec!["SET", "config", "x"],
        vec!["RPUSH", "queue", "job 1", "job 2"],
        vec!["RPUSH", "bad\x01name", "job"],
        vec!["RPUSH", "s", r#"{"type":"human","data":{"content":"hi"}}"#],
        vec!["RPUSH", "t", r#"{"type":"human","data":{"content":"ho"}}"#],
    ] {
        bench.source.command(&command);
    }
    // Its own keys in the same Redis are no history of anybody.
    bench.run(&["append", "own", "hello", "--redis", &bench.source.url()]).fine();
    let place = bench.source.url();
    bench
        .bring("langchain-js", &place)
        .fine()
        .says("config is passed over: it is a string, and not a list")
        .says("queue is passed over: nothing in it is a message of langchain-js")
        .says(
            "2 sessions: stored 2, already there 0, 0 bad elements, 0 sessions different, 3 keys passed over",
        );
    let place = bench.db("match.db");
    let url = bench.source.url();
    bench
        .run(&["import", "--from", "langchain-js", "--redis", &url, "--into", &place, "--match", "[s]"])
        .fine()
        .says("1 session: stored 1");
}

/// What came from nowhere else is translated, and what a layout cannot say is counted by field.
#[tokio::test]
async fn messages_of_other_origin_are_translated() {
    let bench = Bench::new();
    let place = bench.db("own.db");
    let lines = concat!(
        r#"{"session":"s","role":"user","content":"Hi","metadata":{"a":1}}"#,
        "\n",
        r#"{"session":"s","role":"assistant","content":"Hello"}"#,
        "\n"
    );
    let file = bench.db("own.jsonl");
    std::fs::write(&file, lines).unwrap();
    bench.run(&["import", &file, "--db", &place]).fine();
    for profile in hitherto::layout::Profile::ALL.iter().filter(|profile| profile.closed.is_none()) {
        bench.clear();
        let mut give = vec!["export", "--to", profile.name, "--all", "--db", &place];
        let url = bench.other.url();
        let dump = bench.db(&format!("own-{}.json", profile.name));
        give.extend(["--dump", &dump]);
        bench.run(&give).fine().says("written 2, already there 0, 2 translated");
        let back = bench.db(&format!("own-{}.db", profile.name));
        bench.run(&["import", "--from", profile.name, "--dump", &dump, "--into", &back]).fine();
        let found = elements(&memory(&back), "s").await;
        let found: Vec<_> = found.iter().map(|message| (message.role(), message.text())).collect();
        let said = [(Role::User, "Hi".to_owned()), (Role::Assistant, "Hello".to_owned())];
        assert_eq!(found, said, "{}", profile.name);
        if profile.name != "langchain-redis" {
            give.truncate(6);
            give.extend(["--out-redis", &url]);
            bench.run(&give).fine().says("written 2, already there 0, 2 translated");
            bench.run(&give).fine();
        }
        if profile.name == "motorhead" {
            bench.clear();
            bench.run(&give).fine().says("metadata");
        }
    }
}

/// A key that is there already is gone on with, left alone, or replaced.
#[test]
fn what_is_there_already_is_not_written_over() {
    let bench = Bench::new();
    let place = bench.db("there.db");
    load(&mut bench.source.connect(), &recorded_conversation("openai-agents.json").keys);
    bench.bring("openai-agents", &place).fine();
    let url = bench.other.url();
    let give = ["export", "--to", "openai-agents", "--all", "--db", &place, "--out-redis", &url];
    bench.run(&give).fine();
    let key = "agents:session:fixture-session-1:messages";
    bench.other.command(&["LTRIM", key, "0", "2"]);
    bench.run(&give).fine().says("written 4, already there 3");
    bench.other.command(&["RPUSH", key, "more"]);
    bench.run(&give).failed("is there and has more elements than the session");
    bench.other.command(&["LSET", key, "1", "other"]);
    bench.run(&give).failed("is there and holds something else; --replace writes over it");
    let mut replace = give.to_vec();
    replace.push("--replace");
    bench.run(&replace).fine().says("written 7");
    let found = dumped(&mut bench.other.connect());
    same("replaced", &found, &expected(&recorded_conversation("openai-agents.json").keys));
}

/// What is replaced leaves nothing behind in the index of a session.
#[test]
fn an_index_is_replaced_whole() {
    let bench = Bench::new();
    let keys = recorded_conversation("mastra-redis.json").keys;
    load(&mut bench.source.connect(), &keys);
    let place = bench.db("mastra.db");
    bench.bring("mastra", &place).fine();
    let url = bench.other.url();
    bench.other.command(&["ZADD", "thread:fixture-session-1:messages", "1", "other"]);
    bench.other.command(&["SET", "msg-idx:msg-1", "other"]);
    let give = ["export", "--to", "mastra", "--all", "--db", &place, "--out-redis", &url];
    bench.run(&give).failed("msg-idx:msg-1 is there and holds something else; --replace writes over it");
    let mut replace = give.to_vec();
    replace.push("--replace");
    bench.run(&replace).fine().says("1 session: written 6, already there 0, 0 translated");
    same("replaced", &dumped(&mut bench.other.connect()), &expected(&keys));
}

/// Motorhead's summary comes along as one, and stands for what was said before its oldest message.
#[tokio::test]
async fn a_summary_comes_along() {
    let bench = Bench::new();
    let scenario = recorded("motorhead.json").into_iter().find(|one| one.scenario == "compaction").unwrap();
    load(&mut bench.source.connect(), &scenario.keys);
    for place in [bench.db("summary.db"), bench.other.url()] {
        bench.bring("motorhead", &place).fine();
        let session = SessionId::parse("fixture-session-1").unwrap();
        let summary = memory(&place).summary(&session).await.unwrap().current.unwrap();
        assert_eq!((summary.text.as_str(), summary.upto), ("Zoë asked about the weather. ☀️", 1));
        let found = elements(&memory(&place), "fixture-session-1").await;
        assert_eq!((found[0].role(), found[0].text()), (Role::System, summary.text));
        assert_eq!(found.len(), 8);
        for tokens in [60, 1000] {
            let mut options = hitherto::ContextOptions::tokens(tokens, hitherto::Encoding::O200k);
            options.summary = hitherto::SummaryRole::System;
            let context = memory(&place).context(&session, &options).await.unwrap().to_json();
            assert!(context.contains("Zoë asked about the weather."), "{context}");
        }
        // It is no element of the list that it came with.
        bench.source.command(&["LPUSH", "session:fixture-session-1", "Human: message 14"]);
        bench.bring("motorhead", &place).fine().says("stored 1, already there 7");
        bench.source.command(&["LPOP", "session:fixture-session-1"]);
    }
}

/// What contradicts itself is refused, with what to give instead.
#[test]
fn contradictions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], text: &str| {
        run(folder.path(), arguments).failed(text);
    };
    let redis = "redis://127.0.0.1:1";
    check(&["import"], "give the file of messages, or --from");
    check(&["import", "f", "--match", "*"], "--match needs --from");
    check(&["import", "--from", "n8n"], "say where the history is");
    check(&["import", "f", "--from", "n8n", "--redis", redis], "for a dump give --dump f");
    check(
        &["import", "--from", "n8n", "--redis", redis, "--ttl", "5"],
        "remaining time to live is taken over",
    );
    check(&["import", "--from", "n8n", "--server", "http://127.0.0.1:1"], "not through a running server");
    check(&["import", "--from", "n8n", "--redis", redis, "--dump", "f"], "give one source");
    check(&["import", "--from", "n8n", "--redis", redis, "--into", "http://h"], "--into must be a file or");
    check(&["import", "--from", "mastra", "--redis", redis, "--key-prefix", "x"], "leave --key-prefix out");
    check(&["import", "--from", "n8n", "--dump", "missing"], "missing cannot be read");
    check(&["import", "--from", "n8n", "--redis", redis, "--into", "x.db"], "Connection refused");
    check(&["export", "--to", "agno", "--all", "--dump", "f"], "nothing is written back in the layout agno");
    check(&["export", "--to", "n8n", "--dump", "f"], "say which sessions, or --all of them");
    check(&["export", "--replace", "--all"], "--replace needs --to");
    check(&["export", "--to", "n8n", "--all", "--output", "f"], "give --out-redis or --dump");
    check(&["export", "--to", "n8n", "--all"], "there is no embedded store");
    run(folder.path(), &["append", "s", "hi"]).fine();
    check(&["export", "--to", "n8n", "--all"], "say where to");
    check(
        &["export", "--to", "n8n", "--all", "--server", "http://127.0.0.1:1"],
        "not through a running server",
    );
}
