//! `export`: sessions as JSON Lines, page by page.
//!
//! A line is the message's own fields and `session`, `session_user` if it has one, `seq`, `id`, `created_at` and
//! `edited_at`: what `import` takes. Invariant: a file of the name that was asked for is whole; a part of one is called `….part`.

mod part;

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use hitherto::{Seq, SessionId};

use super::again::again;
use super::import::SESSION_USER;
use super::interrupt::Interrupt;
use super::output::Output;
use super::progress::{Progress, Unit};
use super::visible;
use super::words::count;
use crate::access::audit::{self, Who};
use crate::target::{Target, Which};
use part::{Exported, Part};

/// What `export` is given.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExportArgs {
    /// The sessions.
    pub(crate) sessions: Vec<SessionId>,
    /// All sessions there are.
    pub(crate) all: bool,
    /// The file; standard output if it is not given.
    pub(crate) output: Option<PathBuf>,
    /// Go on with the part of the file that an interrupted export left.
    pub(crate) resume: bool,
}

/// How many messages are asked for at a time: each may have a megabyte.
const PAGE: u32 = 100;
/// How many sessions are asked for at a time.
const SESSIONS: u32 = 500;

/// Exports the sessions. One that does not exist, or a message that cannot be read, makes the exit code 1.
///
/// # Errors
/// If a session cannot be read, or the output not written.
pub(crate) async fn run(target: &Target, args: &ExportArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    run_until(target, args, out, &Interrupt::on_signals()?).await
}

async fn run_until(
    target: &Target,
    args: &ExportArgs,
    out: &mut Output,
    interrupt: &Interrupt,
) -> anyhow::Result<ExitCode> {
    if args.all != args.sessions.is_empty() {
        bail!("say which sessions, or --all of them");
    }
    if args.resume && args.output.is_none() {
        bail!("--resume needs --output: only the part of a file can be gone on with");
    }
    let sessions = if args.all { all(target).await? } else { args.sessions.clone() };
    let (mut part, exported) = Part::open(args.output.as_deref(), args.resume)?;
    check(target, &sessions, &exported).await?;
    let mut export = Export {
        target,
        exported,
        progress: Progress::new(out.look().progress && part.is_some(), Unit::Messages(0)),
        interrupt,
        messages: 0,
        unreadable: 0,
        missing: 0,
    };
    let result = export.all(&sessions, args.all, part.as_mut(), out).await;
    export.progress.finish();
    // Also where it broke off: what was read was read.
    audit::exported(&Who::Command, target.tenant(), None, sessions.len() as u64, export.messages);
    let whole = result.with_context(|| stopped(part.as_ref()))?;
    if !whole {
        out.note(&format!("Interrupted. {}", stopped(part.as_ref())));
        return Ok(Interrupt::exit_code());
    }
    if let Some(part) = part {
        let path = part.finish()?;
        let (messages, sessions) =
            (count(export.messages, "message"), count(sessions.len() as u64, "session"));
        out.note(&format!("{messages} of {sessions} are in {}", path.display()));
    }
    if export.unreadable > 0 {
        let messages = count(export.unreadable, "message");
        out.note(&format!("{messages} cannot be read and were left out; they are kept in the store"));
    }
    let fine = export.unreadable == 0 && export.missing == 0;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn stopped(part: Option<&Part>) -> String {
    match part {
        Some(part) => format!(
            "What there is lies in {}; the same command with --resume goes on with it",
            part.path().display()
        ),
        None => "The output is not whole".to_owned(),
    }
}

/// The ids of all sessions. The list is read twice: it is ordered by activity, so a session that somebody
/// writes to moves from a page that was still to come to one that was read.
pub(super) async fn all(target: &Target) -> anyhow::Result<Vec<SessionId>> {
    let (mut sessions, mut known) = (Vec::new(), HashSet::new());
    for _ in 0..2 {
        let mut cursor = None;
        loop {
            let page = again(async || target.sessions(Which::all(SESSIONS), cursor.as_ref()).await).await?;
            for info in page.sessions {
                let session = SessionId::parse(&info.session)?;
                if known.insert(session.clone()) {
                    sessions.push(session);
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(sessions)
}

/// A part can be gone on with if it holds only what would be exported anyway, as it still is.
async fn check(
    target: &Target,
    sessions: &[SessionId],
    exported: &HashMap<String, Exported>,
) -> anyhow::Result<()> {
    let wanted: HashSet<&str> = sessions.iter().map(SessionId::as_str).collect();
    for (session, last) in exported {
        let same = wanted.contains(session.as_str()) && {
            let id = SessionId::parse(session)?;
            let page = target.page(&id, last.seq.saturating_sub(1), 1).await?;
            match page.messages.first() {
                Some(message) if message.seq == last.seq => {
                    part::id(message.json()).as_ref() == Some(&last.id)
                }
                // It was deleted since, or the session is another of the same name that has not come so far.
                _ => target.describe(&id).await?.is_some_and(|info| info.last_seq >= last.seq),
            }
        };
        if !same {
            let session = visible::line(session);
            bail!("the part holds another session {session} than there is now; begin anew without --resume");
        }
    }
    Ok(())
}

/// What every line of a session begins with.
fn head(session: &SessionId, user: Option<&str>) -> anyhow::Result<String> {
    let mut head = format!("{{\"session\":{},", serde_json::to_string(session.as_str())?);
    if let Some(user) = user {
        head.push_str(&format!("\"{SESSION_USER}\":{},", serde_json::to_string(user)?));
    }
    Ok(head)
}

struct Export<'a> {
    target: &'a Target,
    exported: HashMap<String, Exported>,
    progress: Progress,
    interrupt: &'a Interrupt,
    messages: u64,
    unreadable: u64,
    missing: u64,
}

impl Export<'_> {
    /// Whether all of it was exported; `false` if it was interrupted.
    async fn all(
        &mut self,
        sessions: &[SessionId],
        listed: bool,
        mut part: Option<&mut Part>,
        out: &mut Output,
    ) -> anyhow::Result<bool> {
        for session in sessions {
            let after = self.exported.get(session.as_str()).map_or(0, |last| last.seq);
            let user = match again(async || self.target.describe(session).await).await? {
                Some(info) => {
                    self.progress.extend(info.messages);
                    info.user
                }
                // One that was listed has ended meanwhile.
                None if listed => continue,
                None => {
                    self.missing += 1;
                    let text = format!("there is no session {}", visible::line(session.as_str()));
                    self.progress.aside(|| out.note(&text));
                    continue;
                }
            };
            let head = head(session, user.as_deref())?;
            if !self.session(session, &head, after, part.as_deref_mut(), out).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn session(
        &mut self,
        session: &SessionId,
        head: &str,
        mut after: Seq,
        mut part: Option<&mut Part>,
        out: &mut Output,
    ) -> anyhow::Result<bool> {
        loop {
            if self.interrupt.is_asked() {
                return Ok(false);
            }
            let page = again(async || self.target.page(session, after, PAGE).await).await?;
            let mut lines = String::new();
            for message in &page.messages {
                let line = message.line();
                lines.push_str(head);
                lines.push_str(line.trim_start().strip_prefix('{').unwrap_or(&line));
                lines.push('\n');
                after = message.seq;
            }
            match part.as_deref_mut() {
                Some(part) => part.write(lines.as_bytes())?,
                None => out.write_all(lines.as_bytes())?,
            }
            self.messages += page.messages.len() as u64;
            self.unreadable += page.unreadable;
            self.progress.advance(page.messages.len() as u64, visible::line(session.as_str()));
            if !page.more || page.messages.is_empty() {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
