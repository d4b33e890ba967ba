//! Answers that say: not here, or not now. Whatever is answered so was not done.

use redis::{ServerError, Value};

use super::link::{Kind, Request};

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The slot is another node's.
    Moved(Place),
    /// The key may have gone to another node already, which answers if it is asked so.
    Ask(Place),
    /// The keys are on two nodes at the moment.
    Again,
    /// The server is no primary: another is, or will be.
    ReadOnly,
    /// It is not ready: another may be, or this one soon.
    Down,
}

/// A host and a port; without a host it is the one that was asked.
pub(super) type Place = (String, u16);

impl Refusal {
    /// What an error of a server means for where a request goes; `None` if it is about something else.
    fn of(error: &ServerError) -> Option<Self> {
        let details = error.details().unwrap_or_default();
        let place = || {
            let (host, port) = details.split_whitespace().nth(1)?.rsplit_once(':')?;
            Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
        };
        match error.code() {
            "MOVED" => place().map(Self::Moved),
            "ASK" => place().map(Self::Ask),
            "TRYAGAIN" => Some(Self::Again),
            "CLUSTERDOWN" | "MASTERDOWN" | "LOADING" => Some(Self::Down),
            "READONLY" => Some(Self::ReadOnly),
            // Before version 7 the error of a command stands inside that of its script.
            _ if details.contains("-READONLY ") => Some(Self::ReadOnly),
            _ => None,
        }
    }

    /// Whether a request was refused, so that it can be sent again whatever it is.
    pub(super) fn of_answer(answer: &Value, request: Request<'_>, kind: Kind) -> Option<Self> {
        let of = |value: &Value| match value {
            Value::ServerError(error) => Self::of(error),
            _ => None,
        };
        match (answer, request) {
            (Value::Array(answers), Request::Transaction(_)) => {
                // Nothing was done unless the last command, `EXEC`, was answered with what was.
                let undone = matches!(answers.last(), Some(Value::ServerError(_)));
                answers.iter().find_map(of).filter(|_| undone)
            }
            (Value::Array(answers), Request::Many(_)) => {
                let first = answers.iter().find_map(of);
                first.filter(|_| kind != Kind::Write || answers.iter().all(|answer| of(answer).is_some()))
            }
            (answer, _) => of(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::{Pipeline, parse_redis_value};

    use super::*;

    fn value(wire: &str) -> Value {
        parse_redis_value(wire.as_bytes()).unwrap()
    }

    #[test]
    fn refusals_say_where_and_when() {
        for (error, expected) in [
            ("MOVED 3999 127.0.0.1:6381", Some(Refusal::Moved(("127.0.0.1".to_owned(), 6381)))),
            ("MOVED 3999 :6381", Some(Refusal::Moved((String::new(), 6381)))),
            ("ASK 3999 [::1]:6381", Some(Refusal::Ask(("::1".to_owned(), 6381)))),
            ("ASK 3999 node-1.example:6381", Some(Refusal::Ask(("node-1.example".to_owned(), 6381)))),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Some(Refusal::Again)),
            ("CLUSTERDOWN The cluster is down", Some(Refusal::Down)),
            ("LOADING Redis is loading the dataset in memory", Some(Refusal::Down)),
            ("READONLY You can't write against a read only replica.", Some(Refusal::ReadOnly)),
            (
                "ERR Error running script (call to f_1): @user_script:17: -READONLY You can't write",
                Some(Refusal::ReadOnly),
            ),
            ("OOM command not allowed when used memory > 'maxmemory'.", None),
            ("MOVED", None),
        ] {
            let cmd = redis::cmd("X");
            let answer = value(&format!("-{error}\r\n"));
            assert_eq!(Refusal::of_answer(&answer, Request::One(&cmd), Kind::Write), expected, "{error}");
        }
    }

    /// A write that was done is never sent again, whatever became of what went with it.
    #[test]
    fn what_was_done_in_part_is_not_refused() {
        let pipeline = Pipeline::new();
        let check = |wire: &str, request: Request<'_>, kind, refused| {
            assert_eq!(Refusal::of_answer(&value(wire), request, kind).is_some(), refused, "{wire}");
        };
        let (many, transaction) = (Request::Many(&pipeline), Request::Transaction(&pipeline));
        let half = "*2\r\n:1\r\n-READONLY no\r\n";
        check(half, many, Kind::Write, false);
        check(half, many, Kind::Read, true);
        check("*2\r\n-READONLY no\r\n-READONLY no\r\n", many, Kind::Write, true);
        check("*3\r\n+OK\r\n-MOVED 1 :2\r\n-EXECABORT no\r\n", transaction, Kind::Write, true);
        check("*3\r\n+OK\r\n+QUEUED\r\n*1\r\n-READONLY no\r\n", transaction, Kind::Write, false);
        check("*3\r\n+OK\r\n+QUEUED\r\n-TRYAGAIN no\r\n", transaction, Kind::Write, true);
    }
}
