//! The clients, and where the tests of each are.

/// A client under test.
#[derive(Debug)]
pub(crate) struct Client {
    /// As `--only` names it.
    pub(crate) name: &'static str,
    pub(crate) runtime: Runtime,
    /// Its tests, within the folder of its runtime.
    pub(crate) file: &'static str,
}

/// What runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// Node, with the packages of this folder in `clients/js`: versions that do not go together are apart.
    Node(&'static str),
    /// Python, in the environment of this name that [`REQUIREMENTS`] describes.
    Python(&'static str),
}

/// The Python environments, and the file in `clients/py` with the packages of each.
pub(crate) const REQUIREMENTS: [(&str, &str); 2] =
    [("main", "requirements.txt"), ("agent-framework", "requirements-agent-framework.txt")];

/// The environment for the Python side of conversations that go through several clients.
pub(crate) const MAIN: &str = "main";

/// All of them.
pub(crate) const CLIENTS: [Client; 16] = [
    node("node-redis-and-ioredis", "langchain", "direct.test.js"),
    node("langchain-js-redis", "langchain", "redis.test.js"),
    node("langchain-js-ioredis", "langchain", "ioredis.test.js"),
    node("langchain-js-upstash", "langchain", "upstash.test.js"),
    node("langchain-js-motorhead", "langchain", "motorhead.test.js"),
    node("langchain-js-zep", "langchain", "zep.test.js"),
    node("flowise", "flowise", "redis-backed-chat-memory.test.js"),
    node("n8n", "n8n", "redis-chat-memory.test.js"),
    python("langchain-py-redis", "main", "test_langchain_redis.py"),
    python("langchain-py-motorhead", "main", "test_motorhead.py"),
    python("langchain-py-zep", "main", "test_zep.py"),
    python("llamaindex", "main", "test_llamaindex.py"),
    python("openai-agents", "main", "test_openai_agents.py"),
    python("agent-framework", "agent-framework", "test_agent_framework.py"),
    node("across", "langchain", "across.test.js"),
    // Last, because the summaries of what it writes are still being made when it has ended.
    node("redis-tools", "redis-tools", "redis-tools.test.js"),
];

const fn node(name: &'static str, folder: &'static str, file: &'static str) -> Client {
    Client { name, runtime: Runtime::Node(folder), file }
}

const fn python(name: &'static str, environment: &'static str, file: &'static str) -> Client {
    Client { name, runtime: Runtime::Python(environment), file }
}

impl Client {
    /// Whether it also talks to the Python clients.
    pub(crate) fn goes_across(&self) -> bool {
        self.name == "across"
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::workspace;

    fn files(folder: &Path, is_test: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| is_test(name)).collect()
    }

    #[test]
    fn every_file_of_tests_is_some_clients() {
        let js = workspace::root().join("clients/js");
        let folders = files(&js, |name| js.join(name).is_dir());
        let mut found: BTreeSet<_> = folders
            .iter()
            .flat_map(|folder| files(&js.join(folder), |name| name.ends_with(".test.js")))
            .collect();
        found.extend(files(&workspace::root().join("clients/py"), |name| name.starts_with("test_")));
        let listed: BTreeSet<_> = CLIENTS.iter().map(|client| client.file.to_owned()).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn names_are_unique_and_environments_are_known() {
        let names: BTreeSet<_> = CLIENTS.iter().map(|client| client.name).collect();
        assert_eq!(names.len(), CLIENTS.len());
        for client in &CLIENTS {
            if let Runtime::Python(name) = client.runtime {
                assert!(REQUIREMENTS.iter().any(|(known, _)| *known == name), "{name}");
            }
        }
    }
}
