//! `show`: a session as a readable transcript, or as JSON Lines.

use std::io::Write as _;
use std::process::ExitCode;

use hitherto::{Seq, SessionId, Window};

use super::output::Output;
use super::transcript::{paint, transcript};
use super::visible;
use super::words::count;
use crate::target::{Page, Target};

/// What `show` is given.
#[derive(Debug, Clone)]
pub(crate) struct ShowArgs {
    /// The session.
    pub(crate) session: SessionId,
    /// Which part of it.
    pub(crate) part: ShowPart,
    /// Whether messages are shown as JSON, one a line.
    pub(crate) json: bool,
}

/// Which part of a session is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShowPart {
    /// The newest whole turns (`--last-turns`) or messages (`--last-messages`).
    Window(Window),
    /// What comes after a sequence number (`--after`), up to so many messages (`--limit`), or all.
    After(Seq, Option<u64>),
}

impl Default for ShowPart {
    /// The last ten turns.
    fn default() -> Self {
        Self::Window(Window::Turns(10))
    }
}

/// How many messages are asked for at a time.
const PAGE: u32 = 200;

/// Shows the session. One that does not exist is said so on standard error, and the exit code is 1.
///
/// # Errors
/// If the session cannot be read, or the output not written.
pub(crate) async fn run(target: &Target, args: &ShowArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    let Some(info) = target.describe(&args.session).await? else {
        out.note(&format!("there is no session {}", visible::line(args.session.as_str())));
        return Ok(ExitCode::FAILURE);
    };
    if let Some(user) = info.user.as_deref().filter(|_| !args.json) {
        let text = paint(out.look(), "2", &format!("a session of {}", visible::line(user)));
        writeln!(out, "{text}\n")?;
    }
    match args.part {
        ShowPart::Window(window) => {
            let page = target.window(&args.session, window).await?;
            let shown = page.messages.len() as u64 + page.unreadable;
            let older = if page.more { info.messages.saturating_sub(shown).max(1) } else { 0 };
            if older > 0 && !args.json {
                let text = format!("… {}; `--after 0` shows all", count(older, "older message"));
                let text = paint(out.look(), "2", &text);
                writeln!(out, "{text}\n")?;
            }
            if shown == 0 {
                out.note("the session has no messages");
            }
            write(&page, args.json, out)?;
        }
        ShowPart::After(after, limit) => all(target, args, after, limit, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Page by page, so that a session of any length needs the memory of one page.
async fn all(
    target: &Target,
    args: &ShowArgs,
    after: Seq,
    limit: Option<u64>,
    out: &mut Output,
) -> anyhow::Result<()> {
    let (mut after, mut left) = (after, limit.unwrap_or(u64::MAX));
    while left > 0 {
        let places = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let page = target.page(&args.session, after, places).await?;
        write(&page, args.json, out)?;
        out.flush()?;
        let Some(last) = page.messages.last().filter(|_| page.more) else {
            return Ok(());
        };
        after = last.seq;
        left = left.saturating_sub(page.messages.len() as u64);
    }
    if !args.json {
        out.note(&format!("… more: `--after {after}`"));
    }
    Ok(())
}

fn write(page: &Page, json: bool, out: &mut Output) -> anyhow::Result<()> {
    for message in &page.messages {
        if json {
            writeln!(out, "{}", message.line())?;
        } else {
            let text = transcript(message, out.look());
            out.write_all(text.as_bytes())?;
        }
    }
    if page.unreadable > 0 {
        out.note(&format!("{} cannot be read; kept as they are", count(page.unreadable, "message")));
    }
    Ok(())
}

#[cfg(test)]
#[path = "show_tests.rs"]
mod tests;
