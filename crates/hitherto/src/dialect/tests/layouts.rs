//! The recordings: one file a client, with the bytes of every key it wrote.

use serde_json::Value;

use crate::dialect::Dialect;

/// The JSON of a recording.
pub(super) fn recording(client: &str) -> Value {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../hitherto-testkit/layouts");
    let path = folder.join(format!("{client}.json"));
    serde_json::from_slice(&std::fs::read(path).expect(client)).unwrap()
}

/// The elements of a scenario, oldest first, each as the client wrote it.
pub(super) fn elements(client: &str, scenario: &str) -> Vec<String> {
    let recording = recording(client);
    let keys = recording["scenarios"][scenario]["keys"].as_array().expect(scenario);
    let mut elements = Vec::new();
    for key in keys {
        let (name, value) = (key["key"].as_str().unwrap(), &key["value"]);
        match (client, key["type"].as_str().unwrap()) {
            ("agno", "string") if name.contains(":runs:") => {
                let run: Value = serde_json::from_str(value.as_str().unwrap()).unwrap();
                let messages = run["run_data"]["messages"].as_array().unwrap();
                elements.extend(messages.iter().map(Value::to_string));
            }
            ("griptape", "hash") => {
                for history in value.as_object().unwrap().values() {
                    let history: Value = serde_json::from_str(history.as_str().unwrap()).unwrap();
                    for run in history["runs"].as_array().unwrap() {
                        elements.extend([run["input"].to_string(), run["output"].to_string()]);
                    }
                }
            }
            ("redisvl-message-history", "hash") => elements.push(value.to_string()),
            ("mastra-redis", "string") if name.starts_with("mastra_messages:") => {
                elements.push(value.as_str().unwrap().to_owned());
            }
            (_, "ReJSON-RL") => elements.push(value.as_str().unwrap().to_owned()),
            (_, "list") => {
                let list: Vec<String> = serde_json::from_value(value.clone()).unwrap();
                let at_head = client.starts_with("langchain-js")
                    || matches!(client, "flowise" | "n8n" | "langchain-py-community" | "motorhead");
                if at_head {
                    elements.extend(list.into_iter().rev());
                } else {
                    elements.extend(list);
                }
            }
            _ => {}
        }
    }
    elements
}

/// Every recording of a message store, with the dialect that its client writes.
pub(super) const CLIENTS: &[(&str, Dialect)] = &[
    ("langchain-js-redis", Dialect::LangChainJs),
    ("langchain-js-ioredis", Dialect::LangChainJs),
    ("langchain-js-upstash", Dialect::LangChainJs),
    ("flowise", Dialect::LangChainJs),
    ("n8n", Dialect::LangChainJs),
    ("langchain-py-community", Dialect::LangChainPython),
    ("langchain-py-memorystore", Dialect::LangChainPython),
    ("openai-agents", Dialect::OpenAiItems),
    ("llamaindex", Dialect::LlamaIndex),
    ("llamaindex-0.2", Dialect::LlamaIndexContent),
    ("agent-framework", Dialect::AgentFramework),
    ("agent-framework-2025", Dialect::AgentFramework2025),
    ("motorhead", Dialect::MotorheadText),
    ("mastra-redis", Dialect::Mastra),
    ("ai-sdk-tools", Dialect::AiSdkTools),
    ("ai-sdk-tools-ioredis", Dialect::AiSdkTools),
    ("agno", Dialect::Agno),
    ("griptape", Dialect::Griptape),
    ("redisvl-message-history", Dialect::RedisVl),
    ("langchain-redis-py", Dialect::LangChainRedis),
];

/// The names of a recording's scenarios.
pub(super) fn scenarios(client: &str) -> Vec<String> {
    recording(client)["scenarios"].as_object().unwrap().keys().cloned().collect()
}

/// One message of the fixed conversation that every client was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) role: &'static str,
    pub(super) text: String,
    /// The id, the name and the arguments of the call.
    pub(super) call: Option<(String, String, Value)>,
    pub(super) result_of: Option<String>,
}

/// The fixed conversation.
pub(super) fn conversation() -> Vec<Line> {
    let lines = recording("conversation")["messages"].as_array().unwrap().clone();
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines
        .iter()
        .map(|line| Line {
            role: match line["role"].as_str().unwrap() {
                "system" => "system",
                "human" => "user",
                "tool" => "tool",
                _ => "assistant",
            },
            text: string(&line["text"]),
            call: line
                .get("tool_calls")
                .map(|calls| (string(&calls[0]["id"]), string(&calls[0]["name"]), calls[0]["args"].clone())),
            result_of: line["tool_call_id"].as_str().map(str::to_owned),
        })
        .collect()
}
