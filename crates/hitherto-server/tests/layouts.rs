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
use std::time::{Duration, Instant};

use hitherto::{ChatMemory, Direction, Message, Role, SessionId};
use hitherto_testkit::{Client, RedisServer, ServerKind};
use layouts::{Scenario, conversation, dumped, expected, load, recorded, same};
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
    if place.contains("://") { ChatMemory::redis(place).unwrap() } else { ChatMemory::embedded(place).unwrap() }
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
            let mut values: Vec<String> =
                key["value"].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect();
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
                // One quirk of a client turned a conversation round, and looks like it.
                let said = bench.bring(layout, place).fine();
                said.says(&format!("stored {stored}, already there 0, 0 bad elements, 0 sessions different"));
                let memory = memory(place);
                for (session, values, ttl) in &expected_sessions {
                    assert_eq!(payloads(&memory, session).await, *values, "{name} {session}");
                    let info = memory.describe(&SessionId::parse(session).unwrap()).await.unwrap().unwrap();
                    let found = info.ttl.map(|ttl| ttl.length());
                    match u64::try_from(*ttl).map(Duration::from_secs) {
                        Ok(ttl) => assert!(found.unwrap().abs_diff(ttl) < Duration::from_secs(3), "{name}"),
                        Err(_) => assert_eq!(found, None, "{name}"),
                    }
                }
                let said = bench.bring(layout, place).fine();
                said.says(&format!("stored 0, already there {stored}, 0 bad elements"));
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
        let scenario = recorded(file).into_iter().find(|one| one.scenario == "conversation").unwrap();
        let place = folder.path().join(format!("{layout}-{file}.db")).display().to_string();
        let dump = scenario.file.display().to_string();
        let arguments =
            ["import", "--from", layout, "--dump", &dump, "--scenario", "conversation", "--into", &place];
        run(folder.path(), &arguments).fine();
        let found = elements(&memory(&place), "fixture-session-1").await;
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
                same(name, &dumped(&mut bench.source.connect()), &expected_without_sets(scenario));
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

fn expected_without_sets(scenario: &Scenario) -> layouts::Keys {
    expected(&scenario.keys)
}
