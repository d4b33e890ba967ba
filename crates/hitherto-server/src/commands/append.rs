//! `append`: stores what somebody says, from the command line or from standard input.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use hitherto::{Message, Role, SessionId, Ttl, UserId};

use super::output::Output;
use crate::target::{AppendWith, Target};

/// What `append` is given.
#[derive(Debug, Clone)]
pub(crate) struct AppendArgs {
    /// The session.
    pub(crate) session: SessionId,
    /// What is said; standard input if it is not given.
    pub(crate) text: Option<String>,
    /// Who says it. Not used for messages that come as JSON.
    pub(crate) role: Role,
    /// The session's time to live from now on.
    pub(crate) ttl: Option<Ttl>,
    /// Whose the session is.
    pub(crate) user: Option<UserId>,
    /// A key by which a repeat of this append is known as one.
    pub(crate) idempotency_key: Option<String>,
    /// Whether what is given is messages as JSON, one a line.
    pub(crate) json: bool,
}

/// The most that is read from standard input: as much as one append may hold.
const MOST: u64 = 16 << 20;

/// Appends, and prints the sequence numbers, one a line.
///
/// # Errors
/// If there is nothing to append, or it cannot be stored; then nothing of it is.
pub(crate) async fn run(target: &Target, args: &AppendArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    let (text, json) = match &args.text {
        Some(_) if args.json => {
            bail!("--json reads messages from standard input; leave it out to append a text")
        }
        Some(text) => (text.clone(), false),
        None => {
            let text = read(out)?;
            let json = args.json || text.starts_with('{');
            (text, json)
        }
    };
    let messages = if json {
        let hint =
            if args.json { "" } else { " (what begins with `{` is read as JSON; as an argument it is text)" };
        messages(&text).with_context(|| format!("nothing was stored{hint}"))?
    } else {
        ensure!(!text.is_empty(), "there is nothing to append");
        vec![Message::new(args.role, &text)]
    };
    let with = AppendWith {
        idempotency_key: args.idempotency_key.as_deref(),
        ttl: args.ttl,
        user: args.user.as_ref(),
    };
    let done = target.append(&args.session, messages, with).await?;
    for seq in &done.seqs {
        writeln!(out, "{seq}")?;
    }
    if done.repeated {
        out.note("stored before with this idempotency key; nothing was added");
    }
    Ok(ExitCode::SUCCESS)
}

/// Standard input without the line break at its end.
fn read(out: &mut Output) -> anyhow::Result<String> {
    if out.look().asks {
        out.note("Type what is said, then Ctrl-D.");
    }
    let mut bytes = Vec::new();
    out.take_input()?.take(MOST + 1).read_to_end(&mut bytes).context("standard input cannot be read")?;
    ensure!(bytes.len() as u64 <= MOST, "that is more than 16 MiB; `hitherto import` takes any amount");
    let mut text = String::from_utf8(bytes).context("standard input is not UTF-8")?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn messages(text: &str) -> anyhow::Result<Vec<Message>> {
    let mut messages = Vec::new();
    for (line, number) in text.lines().zip(1_u64..) {
        let json = line.trim();
        if json.is_empty() {
            continue;
        }
        let message = Message::parse(json.to_owned().into()).with_context(|| format!("line {number}"))?;
        messages.push(message);
    }
    if messages.is_empty() {
        bail!("there is no message");
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::super::test_kit::{Captured, memory, session};
    use super::*;

    fn args(text: Option<&str>) -> AppendArgs {
        AppendArgs {
            session: session("s"),
            text: text.map(str::to_owned),
            role: Role::User,
            ttl: None,
            user: None,
            idempotency_key: None,
            json: false,
        }
    }

    #[tokio::test]
    async fn stores_text_and_lines_of_json() {
        let (target, _folder) = memory();
        let check = async |args: &AppendArgs, input: &str, expected: &str| {
            let mut captured = Captured::with_input(input);
            run(&target, args, &mut captured.output).await.unwrap();
            assert_eq!(captured.out(), expected);
        };
        check(&args(Some("{not json}")), "", "1\n").await;
        check(&args(None), "two\nlines\n", "2\n").await;
        check(
            &args(None),
            "{\"role\":\"user\",\"content\":\"\\ud83d\"}\n\n{\"role\":\"assistant\",\"content\":\"b\"}\n",
            "3\n4\n",
        )
        .await;
        let keyed = AppendArgs { idempotency_key: Some("k".to_owned()), ..args(Some("once")) };
        check(&keyed, "", "5\n").await;
        check(&keyed, "", "5\n").await;
        let page = target.page(&session("s"), 0, 100).await.unwrap();
        let texts: Vec<String> =
            page.messages.iter().map(|message| message.message().unwrap().text()).collect();
        assert_eq!(texts, ["{not json}", "two\nlines", "\u{fffd}", "b", "once"]);
    }

    #[tokio::test]
    async fn stores_all_or_nothing() {
        let (target, _folder) = memory();
        let check = async |input: &str, expected: &str| {
            let mut captured = Captured::with_input(input);
            let error = run(&target, &args(None), &mut captured.output).await.unwrap_err();
            assert_eq!(format!("{error:#}"), expected);
        };
        check("", "there is nothing to append").await;
        check(
            "{\"role\":\"user\",\"content\":\"a\"}\n{\"role\":\"king\",\"content\":\"b\"}\n",
            "nothing was stored (what begins with `{` is read as JSON; as an argument it is text): line 2: unknown role \"king\"; a role is system, user, assistant or tool",
        )
        .await;
        assert!(target.describe(&session("s")).await.unwrap().is_none());
    }
}
