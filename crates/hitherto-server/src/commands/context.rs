//! `context`: what goes into the next prompt, to be read or to be piped on.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use hitherto::{Encoding, SessionId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::output::Output;
use super::visible::{line, lines, wrapped};
use super::words::{count, grouped};
use crate::target::{ContextQuery, Target};

/// What `context` is given.
#[derive(Debug, Clone)]
pub(crate) struct ContextArgs {
    /// The session.
    pub(crate) session: SessionId,
    /// What is asked for; without a format it is shown as a text.
    pub(crate) query: ContextQuery,
    /// How a store's tokens are counted where nothing is said.
    pub(crate) encoding: Encoding,
    /// Whether the whole answer is printed as JSON.
    pub(crate) json: bool,
}

#[derive(Deserialize)]
struct Answer {
    prompt: Option<Box<RawValue>>,
    messages: Option<Box<RawValue>>,
    tokens: u64,
    explain: Explain,
}

#[derive(Deserialize)]
struct Explain {
    budget: Option<u64>,
    encoding: String,
    exact: bool,
    turns: u64,
    left_to_summary: Option<Left>,
    #[serde(default)]
    left_out: Vec<Left>,
    #[serde(default)]
    cut: Vec<Cut>,
    #[serde(default)]
    summary_stale: bool,
}

#[derive(Deserialize)]
struct Left {
    from: u64,
    to: u64,
    why: Option<String>,
}

#[derive(Deserialize)]
struct Cut {
    seq: u64,
    before: u64,
    after: u64,
}

/// Prints the context, and on standard error what it is made of. A session that does not exist is said so there,
/// and the exit code is 1.
///
/// # Errors
/// If the context cannot be made, or the output not written.
pub(crate) async fn run(target: &Target, args: &ContextArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    if target.describe(&args.session).await?.is_none() {
        out.note(&format!("there is no session {}", line(args.session.as_str())));
        return Ok(ExitCode::FAILURE);
    }
    let mut query = args.query.clone();
    let text = query.format.is_none() && !args.json;
    if text {
        query.format = Some("text".to_owned());
    }
    let json = target.context(&args.session, &query, args.encoding).await?;
    if args.json {
        writeln!(out, "{json}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer: Answer = serde_json::from_str(&json).context("the context is not one of Hitherto's")?;
    let prompt = answer.prompt.as_ref().or(answer.messages.as_ref()).map_or("null", |raw| raw.get());
    match serde_json::from_str::<String>(prompt) {
        Ok(said) if text => show(&said, out)?,
        Ok(said) => write!(out, "{}{}", said, if said.ends_with('\n') { "" } else { "\n" })?,
        Err(_) => writeln!(out, "{prompt}")?,
    }
    out.note(&explained(&answer));
    Ok(ExitCode::SUCCESS)
}

/// The text as a terminal may show it: wrapped, and without what would drive the terminal.
fn show(text: &str, out: &mut Output) -> anyhow::Result<()> {
    let width = out.look().width;
    for line in lines(text.trim_end_matches('\n')) {
        match width {
            Some(width) => {
                for part in wrapped(&line, width) {
                    writeln!(out, "{part}")?;
                }
            }
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// What the context is made of, in words.
fn explained(answer: &Answer) -> String {
    let explain = &answer.explain;
    let about = if explain.exact { "" } else { "about " };
    let of = explain.budget.map_or(String::new(), |budget| format!(" of {}", grouped(budget)));
    let mut said = format!(
        "\n{about}{} tokens{of} ({}), {}",
        grouped(answer.tokens),
        explain.encoding,
        count(explain.turns, "turn")
    );
    let range = |left: &Left| {
        if left.from == left.to {
            format!("message {}", grouped(left.from))
        } else {
            format!("messages {} to {}", grouped(left.from), grouped(left.to))
        }
    };
    if let Some(left) = &explain.left_to_summary {
        said.push_str(&format!("; {} left to the summary", range(left)));
    }
    if explain.summary_stale {
        said.push_str("; the summary is stale");
    }
    for left in &explain.left_out {
        let why = left.why.as_deref().unwrap_or_default();
        said.push_str(&format!("\nleft out: {}: {}", range(left), line(why)));
    }
    for cut in &explain.cut {
        let (seq, before, after) = (grouped(cut.seq), grouped(cut.before), grouped(cut.after));
        said.push_str(&format!("\nshortened: message {seq}, from {before} tokens to {after}"));
    }
    said
}

#[cfg(test)]
#[path = "context_tests.rs"]
mod tests;
