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
    pub(crate) route: &'static str,
    /// What of the route is fixed: before, between and after what is the caller's.
    fixed: Vec<&'static str>,
    /// What the path ends with, where one route has several.
    ending: &'static str,
}

impl Operation {
    fn new(
        door: DoorName,
        name: &'static str,
        method: &str,
        route: &'static str,
        ending: &'static str,
    ) -> Self {
        let fixed = route.split('{').map(|part| part.split_once('}').map_or(part, |(_, after)| after));
        Self { door, name, method: method.to_ascii_uppercase(), route, fixed: fixed.collect(), ending }
    }

    fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && path.ends_with(self.ending) && self.is_on(path).is_some()
    }

    /// Whether a path is one of the route: `{name}` stands for one part of it, and `{*name}` for all that is left.
    fn is_on(&self, path: &str) -> Option<()> {
        let (begins, fixed) = self.fixed.split_first()?;
        let mut rest = path.strip_prefix(begins)?;
        for after in fixed {
            let end = if self.route.ends_with("{*rest}") { None } else { rest.find('/') };
            let end = end.unwrap_or(rest.len());
            rest = rest.get(end..).filter(|_| end > 0)?.strip_prefix(after)?;
        }
        rest.is_empty().then_some(())
    }
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
    let documented =
        documented().map(|(name, method, route)| Operation::new(DoorName::Http, name, method, route, ""));
    let compatible = COMPATIBLE
        .iter()
        .map(|(door, name, method, route, ending)| Operation::new(*door, name, method, route, ending));
    let other = Operation::new(DoorName::Http, "other", "", "", "");
    std::iter::once(other).chain(documented).chain(compatible).collect()
});

/// The place of a request's operation in [`OPERATIONS`].
pub(crate) fn find(method: &str, path: &str) -> usize {
    OPERATIONS.iter().position(|operation| operation.is(method, path)).unwrap_or(OTHER)
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
        let check = |method: &str, path: &str, door: DoorName, name: &str| {
            let found = &OPERATIONS[find(method, path)];
            assert_eq!((found.door, found.name), (door, name), "{method} {path}");
        };
        check("POST", "/v1/sessions/s/messages", DoorName::Http, "appendMessages");
        check("GET", "/v1/sessions/s/messages", DoorName::Http, "readMessages");
        check("GET", "/v1/sessions/s/messages/7", DoorName::Http, "getMessage");
        check("GET", "/v1/sessions", DoorName::Http, "listSessions");
        check("GET", "/v1/sessions/s", DoorName::Http, "describeSession");
        check("GET", "/v1/sessions/s/", DoorName::Http, "other");
        check("GET", "/v1/sessions//messages", DoorName::Http, "other");
        check("BREW", "/v1/sessions/s/messages", DoorName::Http, "other");
        check("GET", "/nowhere", DoorName::Http, "other");
        check("GET", "", DoorName::Http, "other");
        check("POST", "/sessions/s/retrieval", DoorName::Motorhead, "retrieval");
        check("POST", "/sessions/a/b/memory", DoorName::Motorhead, "addMemory");
        check("POST", "/api/v1/sessions/s/search", DoorName::Zep, "searchMemory");
        check("GET", "/api/v1/sessions/s", DoorName::Zep, "getSession");
    }

    #[test]
    fn every_route_leads_to_its_own_operation() {
        for (place, operation) in OPERATIONS.iter().enumerate().skip(1) {
            let path = operation.route.replace("{*rest}", &format!("x{}", operation.ending));
            assert_eq!(find(&operation.method, &path), place, "{operation:?}");
        }
    }
}
