//! `fold`: folds sessions into their summaries, for a cron job or at once.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use hitherto::SessionId;

use super::output::Output;
use super::visible::line;
use super::words::{count, grouped};
use crate::target::{SummaryInfo, Target, Which};

/// What `fold` is given.
#[derive(Debug, Clone)]
pub(crate) enum FoldArgs {
    /// Fold what is due.
    Due,
    /// Fold these sessions.
    Sessions(Vec<SessionId>),
    /// Fold all sessions of the memory key.
    All,
}

/// How many sessions are asked for at a time.
const PAGE: u32 = 200;

/// What was done.
#[derive(Default)]
struct Done {
    looked: u64,
    folded: u64,
    failed: u64,
}

/// Folds, and says how many sessions were looked at, folded, and failed. Any that failed makes the exit code 1.
///
/// # Errors
/// If the store or server cannot be read, or the output not written.
pub(crate) async fn run(target: &Target, args: &FoldArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    let mut done = Done::default();
    match args {
        FoldArgs::Due => match target {
            Target::Server(_) => bail!(
                "a server folds what is due by itself; name sessions or give --all, or work on its store with --db or --redis"
            ),
            Target::Store(memory) => {
                let pass = memory.fold_due().await?;
                done = Done { looked: pass.looked, folded: pass.folded, failed: pass.failed };
            }
        },
        FoldArgs::Sessions(sessions) => {
            for session in sessions {
                one(target, session, true, &mut done, out).await?;
            }
        }
        FoldArgs::All => {
            let mut cursor = None;
            loop {
                let page = target.sessions(Which::all(PAGE), cursor.as_ref()).await?;
                for info in &page.sessions {
                    one(target, &SessionId::parse(&info.session)?, false, &mut done, out).await?;
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
    }
    let Done { looked, folded, failed } = done;
    writeln!(out, "{}: {} folded, {} failed", count(looked, "session"), grouped(folded), grouped(failed))?;
    Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Folds one session, and says so if `always` or if it changed anything. One that fails does not stop the others.
async fn one(
    target: &Target,
    session: &SessionId,
    always: bool,
    done: &mut Done,
    out: &mut Output,
) -> anyhow::Result<()> {
    done.looked += 1;
    let name = line(session.as_str());
    match target.fold(session).await {
        Ok(info) => {
            let changed = info.folded.unwrap_or(0) > 0;
            done.folded += u64::from(changed);
            if always || changed {
                writeln!(out, "{name}: {}", said(&info))?;
                out.flush()?;
            }
        }
        Err(error) => {
            done.failed += 1;
            out.note(&format!("{name}: {error}"));
        }
    }
    Ok(())
}

fn said(info: &SummaryInfo) -> String {
    match (&info.summary, info.folded) {
        (Some(summary), Some(1..)) => format!(
            "messages 1 to {} are in a summary of {}, by {}",
            grouped(summary.upto),
            count(summary.tokens, "token"),
            line(&summary.by)
        ),
        (Some(summary), _) => format!("nothing to fold since message {}", grouped(summary.upto)),
        (None, _) => "nothing has left its window".to_owned(),
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
