//! What a log line looks like: as `tracing` writes it, with who asked at its end.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::origin::{self, Origin};

/// Lines of either form.
#[derive(Debug)]
pub(super) struct Lines<F> {
    inner: F,
    json: bool,
}

impl<F> Lines<F> {
    pub(super) fn human(inner: F) -> Self {
        Self { inner, json: false }
    }

    pub(super) fn json(inner: F) -> Self {
        Self { inner, json: true }
    }
}

impl<S, N, F> FormatEvent<S, N> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(origin) = origin::current() else {
            return self.inner.format_event(context, out, event);
        };
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        out.write_str(&with_origin(&line, &origin, self.json))
    }
}

/// A whole line with who asked at its end.
fn with_origin(line: &str, origin: &Origin, json: bool) -> String {
    let line = line.trim_end();
    let mut out = String::with_capacity(line.len() + 96);
    // Ids are of characters that need no escaping, and the rest are numbers.
    match line.strip_suffix('}').filter(|_| json) {
        Some(open) => {
            out.push_str(open);
            for (name, value) in origin.fields() {
                let number = matches!(origin, Origin::Connection(..));
                let quote = if number { "" } else { "\"" };
                out.push_str(&format!(",\"{name}\":{quote}{value}{quote}"));
            }
            out.push('}');
        }
        None => {
            out.push_str(line);
            for (name, value) in origin.fields() {
                out.push_str(&format!(" {name}={value}"));
            }
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_asked() {
        let request =
            Origin::request(Some(b"abc"), Some(b"00-0000000000000000000000000000000a-000000000000000b-01"));
        let trace = "0000000000000000000000000000000a";
        assert_eq!(
            with_origin("INFO done n=1\n", &request, false),
            format!("INFO done n=1 request_id=abc trace_id={trace}\n")
        );
        assert_eq!(
            with_origin("{\"n\":1}\n", &request, true),
            format!("{{\"n\":1,\"request_id\":\"abc\",\"trace_id\":\"{trace}\"}}\n")
        );
        let connection = Origin::connection(3);
        assert_eq!(with_origin("INFO done\n", &connection, false), "INFO done connection=3 command=0\n");
        assert_eq!(
            with_origin("{\"n\":1}\n", &connection, true),
            "{\"n\":1,\"connection\":3,\"command\":0}\n"
        );
    }
}
