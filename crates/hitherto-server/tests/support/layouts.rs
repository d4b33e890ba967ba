//! The recorded keys of other programs: loaded into a real Redis, and read out of one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hitherto_testkit::{Client, Reply};
use serde_json::{Value, json};

/// A recorded scenario of a program.
pub struct Scenario {
    /// The file and the scenario.
    pub name: String,
    pub file: PathBuf,
    pub scenario: String,
    /// The keys, as they are recorded.
    pub keys: Vec<Value>,
}

/// All scenarios of a recording.
pub fn recorded(file: &str) -> Vec<Scenario> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../hitherto-testkit/layouts")).join(file);
    let all: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let scenarios = all["scenarios"].as_object().unwrap().iter().map(|(scenario, found)| Scenario {
        name: format!("{file} {scenario}"),
        file: path.clone(),
        scenario: scenario.clone(),
        keys: found["keys"].as_array().unwrap().clone(),
    });
    scenarios.collect()
}

/// The recorded scenario of a whole conversation.
pub fn recorded_conversation(file: &str) -> Scenario {
    recorded(file).into_iter().find(|one| one.scenario == "conversation").unwrap()
}

/// What was said in the recorded conversations.
pub fn conversation() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../hitherto-testkit/layouts/conversation.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

/// Puts keys into a Redis.
pub fn load(redis: &mut Client, keys: &[Value]) {
    for key in keys {
        let name = text(&key["key"]);
        let value = &key["value"];
        let mut command = vec![
            match key["type"].as_str().unwrap() {
                "list" => "RPUSH",
                "hash" => "HSET",
                "string" => "SET",
                "zset" => "ZADD",
                "set" => "SADD",
                other => panic!("no module for {other}"),
            }
            .to_owned(),
        ];
        command.push(name.clone());
        match value {
            Value::String(value) => command.push(value.clone()),
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| command.extend([name.clone(), text(value)]));
            }
            Value::Array(all) if key["type"] == "zset" => {
                all.iter().for_each(|pair| command.extend([text(&pair[1]), text(&pair[0])]));
            }
            Value::Array(all) => command.extend(all.iter().map(text)),
            other => panic!("{other}"),
        }
        let done = redis.command(&command).unwrap();
        assert!(!matches!(done, Reply::Error(_)), "{done:?}");
        let ttl = key["ttl"].as_i64().unwrap();
        if ttl >= 0 {
            assert_eq!(redis.command(&["EXPIRE", &name, &ttl.to_string()]).unwrap(), Reply::Integer(1));
        }
    }
}

/// A key's type, time to live in seconds, and value: what two stores of keys are compared by.
pub type Keys = BTreeMap<String, (String, i64, Value)>;

/// The recorded keys in the form in which they are compared.
pub fn expected(keys: &[Value]) -> Keys {
    let all = keys.iter().map(|key| {
        let value = match key["type"].as_str().unwrap() {
            "zset" => {
                let pairs = key["value"].as_array().unwrap().iter();
                pairs.map(|pair| json!([pair[0], score(&pair[1])])).collect()
            }
            "set" => {
                let mut members: Vec<String> = key["value"].as_array().unwrap().iter().map(text).collect();
                members.sort();
                json!(members)
            }
            _ => key["value"].clone(),
        };
        (text(&key["key"]), (text(&key["type"]), key["ttl"].as_i64().unwrap(), value))
    });
    all.collect()
}

fn score(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// Everything that a Redis has.
pub fn dumped(redis: &mut Client) -> Keys {
    let mut all = Keys::new();
    for key in redis.command(&["KEYS", "*"]).unwrap().texts() {
        let kind = redis.command(&["TYPE", &key]).unwrap().text();
        let value = match kind.as_str() {
            "list" => json!(redis.command(&["LRANGE", &key, "0", "-1"]).unwrap().texts()),
            "string" => json!(redis.command(&["GET", &key]).unwrap().text()),
            "set" => {
                let mut found = redis.command(&["SMEMBERS", &key]).unwrap().texts();
                found.sort();
                json!(found)
            }
            "hash" => {
                let found = redis.command(&["HGETALL", &key]).unwrap().texts();
                found.chunks(2).map(|pair| (pair[0].clone(), json!(pair[1]))).collect()
            }
            "zset" => {
                let found = redis.command(&["ZRANGE", &key, "0", "-1", "WITHSCORES"]).unwrap().texts();
                found.chunks(2).map(|pair| json!([pair[0], pair[1].parse::<f64>().unwrap()])).collect()
            }
            other => panic!("{key} is a {other}"),
        };
        let ttl = redis.command(&["TTL", &key]).unwrap().integer();
        all.insert(key, (kind, ttl, value));
    }
    all
}

/// That two stores of keys are the same, times to live within three seconds.
#[track_caller]
pub fn same(name: &str, found: &Keys, expected: &Keys) {
    let names = |keys: &Keys| keys.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{name}");
    for (key, (kind, ttl, value)) in expected {
        let (found_kind, found_ttl, found_value) = &found[key];
        assert_eq!((found_kind, found_value), (kind, value), "{name} {key}");
        let near = (*ttl < 0 && *found_ttl < 0) || (*ttl >= 0 && (ttl - found_ttl).abs() <= 3);
        assert!(near, "{name} {key}: {found_ttl} s, and not {ttl}");
    }
}
