//! `summary`: shows a session's summary, puts one by hand, or takes that back.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use hitherto::{Seq, SessionId};

use super::output::Output;
use super::transcript::{paint, time};
use super::visible::{line, lines, wrapped};
use super::words::{ago, count, grouped};
use crate::target::{SummaryInfo, Target, Version};

/// What `summary` is given.
#[derive(Debug, Clone)]
pub(crate) struct SummaryArgs {
    /// The session.
    pub(crate) session: SessionId,
    /// What to do with its summary.
    pub(crate) what: SummaryWhat,
    /// Whether it is shown as JSON.
    pub(crate) json: bool,
}

/// What to do with a summary, before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SummaryWhat {
    /// Nothing.
    Show,
    /// Put the text of that file (`-` for standard input) in its place, standing for messages 1 to that one.
    Put(String, Seq),
    /// Put the version before it back.
    Rollback,
}

/// The most that is read: more than any server takes, so that the refusal is the server's own.
const MOST: u64 = 4 << 20;

/// Shows the summary. A session without one is said so on standard error, and the exit code is 1.
///
/// # Errors
/// If the summary cannot be read or changed, or the output not written.
pub(crate) async fn run(target: &Target, args: &SummaryArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    let found = match &args.what {
        SummaryWhat::Show => target.summary(&args.session).await?,
        SummaryWhat::Put(file, upto) => {
            let text = read(file, out)?;
            Some(target.put_summary(&args.session, &text, *upto).await?)
        }
        SummaryWhat::Rollback => Some(target.rollback_summary(&args.session).await?),
    };
    let session = line(args.session.as_str());
    let Some(found) = found else {
        out.note(&match target.describe(&args.session).await? {
            None => format!("there is no session {session}"),
            Some(_) => format!("{session} has no summary yet; `hitherto fold {session}` makes one"),
        });
        return Ok(ExitCode::FAILURE);
    };
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&found)?)?;
    } else {
        show(&found, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(found: &SummaryInfo, out: &mut Output) -> anyhow::Result<()> {
    let Some(summary) = &found.summary else { return Ok(()) };
    let mut heading = heading(summary, out);
    if found.stale {
        heading.push_str("; stale: a message that it covers was changed since, and it will be made anew");
    }
    let heading = paint(out.look(), "2", &heading);
    writeln!(out, "{heading}\n")?;
    let width = out.look().width.unwrap_or(usize::MAX);
    for said in lines(&summary.text) {
        for part in wrapped(&said, width) {
            writeln!(out, "{part}")?;
        }
    }
    if let Some(previous) = &found.previous {
        let text = format!("`--rollback` goes back to the one of {}", self::heading(previous, out));
        out.note(&paint(out.look(), "2", &format!("\n{text}")));
    }
    Ok(())
}

fn heading(summary: &Version, out: &Output) -> String {
    let stand_in = if summary.stand_in { ", in the stead of a model that failed" } else { "" };
    format!(
        "messages 1 to {}, {}, by {}{stand_in}, {} ({})",
        grouped(summary.upto),
        count(summary.tokens, "token"),
        line(&summary.by),
        time(summary.updated_at),
        ago(summary.updated_at, out.now())
    )
}

fn read(file: &str, out: &mut Output) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if file == "-" {
        if out.look().asks {
            out.note("Type the summary, then Ctrl-D.");
        }
        out.take_input()?.take(MOST).read_to_end(&mut bytes).context("standard input cannot be read")?;
    } else {
        let open = std::fs::File::open(file).with_context(|| format!("{file} cannot be read"))?;
        open.take(MOST).read_to_end(&mut bytes).with_context(|| format!("{file} cannot be read"))?;
    }
    let text = String::from_utf8(bytes).context("the summary is not UTF-8")?;
    ensure!(!text.trim().is_empty(), "the summary is empty");
    Ok(text)
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
