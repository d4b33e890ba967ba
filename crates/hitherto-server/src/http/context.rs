//! `GET /v1/sessions/{id}/context`: what goes into the next prompt.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitherto::{Budget, ContextOptions, Encoding, Format, SummaryRole};

use super::problem::{Code, Problem};
use super::query::{Query, invalid};
use super::{Door, answer, locate};
use crate::access::Need;

/// The largest budget: more than any model reads.
const MOST_TOKENS: u64 = 4_000_000;
/// From how many tokens on counting is left to a thread on which no other request waits.
const LONG: u32 = 32_000;

pub(super) async fn context(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let uri = request.uri();
    let (memory, session) = locate::in_path(&door, request.extensions(), uri, Need::Read)?;
    let options = options(uri, door.options.encoding, memory.limits().page)?;
    door.warm(options.encoding).await;
    let made = {
        let door = Arc::clone(&door);
        async move { door.within(memory.context(&session, &options)).await }
    };
    let context = if matches!(options.budget, Budget::Tokens(tokens) if tokens < LONG) {
        made.await
    } else {
        let runtime = tokio::runtime::Handle::current();
        let counted = tokio::task::spawn_blocking(move || runtime.block_on(made)).await;
        counted.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "the context could not be put together")))
    }?;
    let mut out = Vec::with_capacity(1024);
    context.write_json(&mut out);
    Ok(answer::json(StatusCode::OK, out))
}

/// What is asked for.
fn options(uri: &Uri, default: Encoding, most_turns: u32) -> Result<ContextOptions, Problem> {
    let mut query = Query::parse(uri)?;
    let number = |number: Option<u64>| number.map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let tokens = number(query.number("max_tokens", 1..=MOST_TOKENS)?);
    let turns = number(query.number("last_turns", 1..=u64::from(most_turns))?);
    let model = query.take("model");
    let encoding = query.take("encoding");
    let summary = query.take("summary");
    let format = query.take("format");
    query.finish("max_tokens, last_turns, model, encoding, summary, format")?;
    let mut options = ContextOptions::default();
    options.budget = match (tokens, turns) {
        (Some(tokens), None) => Budget::Tokens(tokens),
        (None, Some(turns)) => Budget::Turns(turns),
        (None, None) => Budget::Defaults,
        (Some(_), Some(_)) => return Err(conflict("give max_tokens or last_turns, or neither")),
    };
    options.encoding = match (model.as_deref(), encoding.as_deref()) {
        (Some(""), None) => return Err(invalid("model", "the name of a model")),
        (Some(model), None) => Encoding::of_model(model),
        (None, Some(name)) => {
            Encoding::parse(name).ok_or_else(|| invalid("encoding", "o200k, cl100k or estimate"))?
        }
        (None, None) => default,
        (Some(_), Some(_)) => return Err(conflict("give model or encoding: a model has its encoding")),
    };
    if let Some(name) = summary {
        options.summary =
            SummaryRole::parse(&name).ok_or_else(|| invalid("summary", "off, system, user or assistant"))?;
    }
    if let Some(name) = format {
        options.format = Format::parse(&name)
            .ok_or_else(|| invalid("format", "messages, text, openai, anthropic or langchain"))?;
    }
    Ok(options)
}

fn conflict(detail: &str) -> Problem {
    Problem::new(Code::ConflictingParameters, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: Result<ContextOptions, Code>) {
        let uri: Uri = format!("/v1/sessions/s/context{query}").parse().unwrap();
        let found = options(&uri, Encoding::Cl100k, 1000).map_err(|problem| problem.code());
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn says_what_is_wanted() {
        let with = |change: fn(&mut ContextOptions)| {
            let mut options = ContextOptions::default();
            options.encoding = Encoding::Cl100k;
            change(&mut options);
            Ok(options)
        };
        check("", with(|_| {}));
        check("?max_tokens=1000", with(|options| options.budget = Budget::Tokens(1000)));
        check("?last_turns=3", with(|options| options.budget = Budget::Turns(3)));
        check("?encoding=o200k_base", with(|options| options.encoding = Encoding::O200k));
        check("?model=gpt-4o-mini", with(|options| options.encoding = Encoding::O200k));
        check("?model=claude-x", with(|options| options.encoding = Encoding::Estimate));
        check("?summary=off", with(|options| options.summary = SummaryRole::Off));
        check(
            "?format=langchain&summary=user",
            with(|options| {
                options.format = Format::LangChain;
                options.summary = SummaryRole::User;
            }),
        );
        for query in [
            "?max_tokens=0",
            "?max_tokens=4000001",
            "?max_tokens=x",
            "?last_turns=0",
            "?last_turns=1001",
            "?encoding=p50k",
            "?encoding=",
            "?model=",
            "?summary=on",
            "?summary=",
            "?format=Text",
        ] {
            check(query, Err(Code::InvalidParameter));
        }
        for query in ["?max_tokens=1&last_turns=1", "?model=m&encoding=o200k", "?format=text&format=text"] {
            check(query, Err(Code::ConflictingParameters));
        }
        check("?max_token=1", Err(Code::UnknownParameter));
    }
}
