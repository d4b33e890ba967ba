//! Which operation of which door a request or a command is.
//!
//! Invariant: the operations are fixed when the program is built; what a client sends chooses one of them and makes
//! none, so nobody can make metrics grow.

use std::sync::LazyLock;

use crate::http::operations as documented;
use crate::keyspace::command_names;

/// A protocol by which clients come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DoorName {
    /// The HTTP API.
    Http,
    /// Motorhead's API.
    Motorhead,
    /// Zep's API.
    Zep,
    /// The Redis port.
    Resp,
    /// Redis' commands over HTTP.
    Rest,
}

impl DoorName {
    /// Its name in metrics and log lines.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Motorhead => "motorhead",
            Self::Zep => "zep",
            Self::Resp => "resp",
            Self::Rest => "rest",
        }
    }
}

/// One operation over HTTP.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) door: DoorName,
    pub(crate) name: &'static str,
    method: String,
    route: &'static str,
    /// What the path ends with, where one route has several.
    ending: &'static str,
}

/// A request that is no known operation.
pub(crate) const OTHER: usize = 0;

/// The operations of the APIs of other servers, and of Redis' commands over HTTP as far as they are no commands.
const COMPATIBLE: &[(DoorName, &str, &str, &str, &str)] = &[
    (DoorName::Motorhead, "listSessions", "GET", "/sessions", ""),
    (DoorName::Motorhead, "getMemory", "GET", "/sessions/{*rest}", ""),
    (DoorName::Motorhead, "retrieval", "POST", "/sessions/{*rest}", "/retrieval"),
    (DoorName::Motorhead, "addMemory", "POST", "/sessions/{*rest}", ""),
    (DoorName::Motorhead, "deleteMemory", "DELETE", "/sessions/{*rest}", ""),
    (DoorName::Motorhead, "now", "GET", "/", ""),
    (DoorName::Zep, "listSessions", "GET", "/api/v1/sessions", ""),
    (DoorName::Zep, "addSession", "POST", "/api/v1/sessions", ""),
    (DoorName::Zep, "getMemory", "GET", "/api/v1/sessions/{*rest}", "/memory"),
    (DoorName::Zep, "getSession", "GET", "/api/v1/sessions/{*rest}", ""),
    (DoorName::Zep, "addMemory", "POST", "/api/v1/sessions/{*rest}", "/memory"),
    (DoorName::Zep, "searchMemory", "POST", "/api/v1/sessions/{*rest}", "/search"),
    (DoorName::Zep, "updateSession", "PATCH", "/api/v1/sessions/{*rest}", ""),
    (DoorName::Zep, "deleteMemory", "DELETE", "/api/v1/sessions/{*rest}", ""),
    (DoorName::Rest, "unreadCommand", "POST", "/", ""),
    (DoorName::Rest, "unreadPipeline", "POST", "/pipeline", ""),
    (DoorName::Rest, "unreadTransaction", "POST", "/multi-exec", ""),
];

/// All operations over HTTP; the first is what is none.
pub(crate) static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let other =
        Operation { door: DoorName::Http, name: "other", method: String::new(), route: "", ending: "" };
    let documented = documented().map(|(name, method, route)| Operation {
        door: DoorName::Http,
        name,
        method: method.to_ascii_uppercase(),
        route,
        ending: "",
    });
    let compatible = COMPATIBLE.iter().map(|(door, name, method, route, ending)| Operation {
        door: *door,
        name,
        method: (*method).to_owned(),
        route,
        ending,
    });
    std::iter::once(other).chain(documented).chain(compatible).collect()
});

/// The place of a request's operation in [`OPERATIONS`].
pub(crate) fn find(method: &str, route: Option<&str>, path: &str) -> usize {
    let Some(route) = route else { return OTHER };
    let is = |operation: &Operation| {
        operation.route == route && operation.method == method && path.ends_with(operation.ending)
    };
    OPERATIONS.iter().position(is).unwrap_or(OTHER)
}

/// The commands of the Redis doors by name, then what is none of them, then what could not be read.
pub(crate) static COMMANDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| command_names().chain(["unknown", "unread"]).collect());

/// The name of the command at a place.
pub(crate) fn command_name(place: usize) -> &'static str {
    COMMANDS.get(place).copied().unwrap_or_default()
}

/// The place of a command that nobody knows.
pub(crate) fn unknown_command() -> usize {
    COMMANDS.len().saturating_sub(2)
}

/// The place of bytes that are no command.
pub(crate) fn unread_command() -> usize {
    COMMANDS.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_an_operation_whatever_they_are() {
        let check = |method: &str, route: Option<&str>, path: &str, door: DoorName, name: &str| {
            let found = &OPERATIONS[find(method, route, path)];
            assert_eq!((found.door, found.name), (door, name), "{method} {path}");
        };
        let messages = Some("/v1/sessions/{id}/messages");
        check("POST", messages, "/v1/sessions/s/messages", DoorName::Http, "appendMessages");
        check("GET", messages, "/v1/sessions/s/messages", DoorName::Http, "readMessages");
        check("BREW", messages, "/v1/sessions/s/messages", DoorName::Http, "other");
        check("GET", None, "/nowhere", DoorName::Http, "other");
        let rest = Some("/sessions/{*rest}");
        check("POST", rest, "/sessions/s/retrieval", DoorName::Motorhead, "retrieval");
        check("POST", rest, "/sessions/s/memory", DoorName::Motorhead, "addMemory");
        let zep = Some("/api/v1/sessions/{*rest}");
        check("POST", zep, "/api/v1/sessions/s/search", DoorName::Zep, "searchMemory");
        check("GET", zep, "/api/v1/sessions/s", DoorName::Zep, "getSession");
    }
}
