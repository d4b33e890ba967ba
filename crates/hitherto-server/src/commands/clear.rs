//! `clear`: removes sessions, after asking.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use hitherto::SessionId;

use super::output::Output;
use super::visible::line;
use super::words::count;
use crate::access::audit::{self, Who};
use crate::target::Target;

/// What `clear` is given.
#[derive(Debug, Clone)]
pub(crate) struct ClearArgs {
    /// The sessions.
    pub(crate) sessions: Vec<SessionId>,
    /// Do not ask.
    pub(crate) yes: bool,
}

/// Removes the sessions, and says how many messages went. One that does not exist makes the exit code 1.
///
/// # Errors
/// If nobody can be asked and `yes` is not given; if a session cannot be removed.
pub(crate) async fn run(target: &Target, args: &ClearArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let mut found = Vec::new();
    for session in &args.sessions {
        match target.describe(session).await? {
            Some(info) => found.push((session, info.messages)),
            None => {
                out.note(&format!("there is no session {}", line(session.as_str())));
                code = ExitCode::FAILURE;
            }
        }
    }
    if found.is_empty() {
        return Ok(code);
    }
    if !args.yes {
        if !out.look().asks {
            bail!("nothing was cleared: this cannot be undone, so give --yes where nobody can be asked");
        }
        let messages = found.iter().map(|(_, messages)| messages).sum();
        let (sessions, messages) = (count(found.len() as u64, "session"), count(messages, "message"));
        if !out.ask(&format!("Clear {sessions} with {messages}? This cannot be undone."))? {
            out.note("nothing was cleared");
            return Ok(ExitCode::FAILURE);
        }
    }
    for (session, _) in found {
        let messages = target.clear(session).await?;
        // A server says it itself, and knows who it was.
        if let Target::Store(memory) = target {
            audit::cleared(&Who::Command, &memory.scope().tenant, session, messages);
        }
        writeln!(out, "cleared {}: {}", line(session.as_str()), count(messages, "message"))?;
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::super::output::Look;
    use super::super::test_kit::{Captured, append_json, memory, session};
    use super::*;

    #[tokio::test]
    async fn asks_first() {
        let (target, _folder) = memory();
        let hi = r#"{"role":"user","content":"hi"}"#;
        append_json(&target, "a", &[hi, hi]).await;
        append_json(&target, "b", &[hi]).await;
        let clear = async |ids: &[&str], yes, asks, answer: &str| {
            let mut captured = Captured::new(answer, Look { asks, ..Look::default() });
            let args = ClearArgs { sessions: ids.iter().map(|id| session(id)).collect(), yes };
            let result = run(&target, &args, &mut captured.output).await;
            let code =
                result.map_err(|error| captured.output.note(&error.to_string())).unwrap_or(ExitCode::FAILURE);
            (code, captured.out(), captured.err())
        };
        let question = "Clear 2 sessions with 3 messages? This cannot be undone. [y/N] ";
        let (code, out, err) = clear(&["a", "b"], false, true, "n\n").await;
        assert_eq!(
            (code, out, err),
            (ExitCode::FAILURE, String::new(), format!("{question}nothing was cleared\n"))
        );
        let (code, out, err) = clear(&["a", "b"], false, false, "y\n").await;
        assert_eq!((code, out.as_str()), (ExitCode::FAILURE, ""));
        assert!(err.contains("give --yes"), "{err}");
        let (code, out, err) = clear(&["a", "b"], false, true, "y\n").await;
        assert_eq!(
            (code, out.as_str(), err.as_str()),
            (ExitCode::SUCCESS, "cleared a: 2 messages\ncleared b: 1 message\n", question)
        );
        let (code, out, err) = clear(&["a"], true, false, "").await;
        assert_eq!((code, out.as_str(), err.as_str()), (ExitCode::FAILURE, "", "there is no session a\n"));
    }
}
