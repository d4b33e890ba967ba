//! `erase`: removes everything of a user, after asking.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use hitherto::UserId;

use super::again::again;
use super::interrupt::Interrupt;
use super::output::Output;
use super::progress::{Progress, Unit};
use super::visible::line;
use super::words::count;
use crate::target::{Target, Which};

/// What `erase` is given.
#[derive(Debug, Clone)]
pub(crate) struct EraseArgs {
    /// Whose sessions.
    pub(crate) user: UserId,
    /// Do not ask.
    pub(crate) yes: bool,
    /// Whether the receipt is shown as JSON.
    pub(crate) json: bool,
}

/// Erases the user, piece by piece, and prints a receipt of what is gone. Where it is broken off, the same command goes on.
///
/// # Errors
/// If nobody can be asked and `yes` is not given; if the store or server fails before all is gone.
pub(crate) async fn run(target: &Target, args: &EraseArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    run_until(target, args, out, &Interrupt::on_signals()?).await
}

async fn run_until(
    target: &Target,
    args: &EraseArgs,
    out: &mut Output,
    interrupt: &Interrupt,
) -> anyhow::Result<ExitCode> {
    let shown = line(args.user.as_str());
    if !args.yes {
        if !out.look().asks {
            bail!("nothing was erased: this cannot be undone, so give --yes where nobody can be asked");
        }
        let which = Which { prefix: "", user: Some(&args.user), limit: 100 };
        let found = target.sessions(which, None).await?;
        let more = if found.next.is_some() { " and more" } else { "" };
        let sessions = count(found.sessions.len() as u64, "session");
        let question = format!(
            "Erase everything of {shown}, under every memory key? Here there are {sessions}{more}. This cannot be undone."
        );
        if !out.ask(&question)? {
            out.note("nothing was erased");
            return Ok(ExitCode::FAILURE);
        }
    }
    let progress = Progress::new(out.look().progress, Unit::Messages(0));
    let mut receipt = again(async || target.erase(&args.user).await).await?;
    progress.advance(receipt.messages, shown.clone());
    while !receipt.done && !interrupt.is_asked() {
        let next = again(async || target.erase(&args.user).await).await?;
        progress.advance(next.messages, shown.clone());
        receipt = receipt.and(&next);
    }
    progress.finish();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&receipt)?)?;
    } else {
        let (sessions, messages) = (count(receipt.sessions, "session"), count(receipt.messages, "message"));
        writeln!(out, "erased {shown}: {sessions} with {messages}")?;
    }
    if receipt.done {
        return Ok(ExitCode::SUCCESS);
    }
    out.note(&format!("{} left; the same command goes on", count(receipt.left, "session")));
    Ok(Interrupt::exit_code())
}

#[cfg(test)]
mod tests {
    use hitherto::Message;

    use super::super::output::Look;
    use super::super::test_kit::{Captured, memory, session};
    use super::*;
    use crate::target::AppendWith;

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    #[tokio::test]
    async fn asks_first_and_gives_a_receipt() {
        let (target, _folder) = memory();
        for (id, name) in [("a", "zoë"), ("b", "zoë"), ("c", "ada")] {
            let name = user(name);
            let with = AppendWith { user: Some(&name), ..AppendWith::default() };
            target.append(&session(id), vec![Message::user("hi")], with).await.unwrap();
        }
        let erase = async |name: &str, yes, asks, json, answer: &str| {
            let mut captured = Captured::new(answer, Look { asks, ..Look::default() });
            let args = EraseArgs { user: user(name), yes, json };
            let result = run(&target, &args, &mut captured.output).await;
            let code =
                result.map_err(|error| captured.output.note(&error.to_string())).unwrap_or(ExitCode::FAILURE);
            (code, captured.out(), captured.err())
        };
        let question = "Erase everything of zoë, under every memory key? Here there are 2 sessions. This cannot be undone. [y/N] ";
        let (code, out, err) = erase("zoë", false, true, false, "n\n").await;
        assert_eq!(
            (code, out, err),
            (ExitCode::FAILURE, String::new(), format!("{question}nothing was erased\n"))
        );
        let (code, _, err) = erase("zoë", false, false, false, "y\n").await;
        assert!(code == ExitCode::FAILURE && err.contains("give --yes"), "{err}");
        let (code, out, err) = erase("zoë", false, true, false, "y\n").await;
        assert_eq!(
            (code, out.as_str(), err.as_str()),
            (ExitCode::SUCCESS, "erased zoë: 2 sessions with 2 messages\n", question)
        );
        let (code, out, _) = erase("zoë", true, false, true, "").await;
        assert_eq!(code, ExitCode::SUCCESS);
        let receipt: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (&receipt["user"], &receipt["sessions"], &receipt["done"]),
            (&"zoë".into(), &0.into(), &true.into())
        );
        assert!(receipt["erased_at"].as_str().unwrap().ends_with('Z'));
        assert!(target.describe(&session("c")).await.unwrap().is_some());
    }
}
