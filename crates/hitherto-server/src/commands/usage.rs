//! `usage`: how much a tenant has, and of a server how much it may have.

use std::io::Write as _;
use std::process::ExitCode;

use super::output::Output;
use super::words::grouped;
use crate::target::{Target, Usage, Used};

/// Prints what the tenant has.
///
/// # Errors
/// If it cannot be counted, or the output not written.
pub(crate) async fn run(target: &Target, json: bool, out: &mut Output) -> anyhow::Result<ExitCode> {
    let usage = target.usage().await?;
    let text = if json { format!("{}\n", serde_json::to_string(&usage)?) } else { text(&usage) };
    out.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn text(usage: &Usage) -> String {
    let mut out = String::new();
    for (name, used) in [
        ("sessions", usage.sessions),
        ("messages", usage.messages),
        ("bytes", usage.bytes),
        ("requests a second", usage.requests_per_second),
    ] {
        let line = match used {
            Used { limit: None, used: None } => continue,
            Used { limit: None, used: Some(used) } => grouped(used),
            Used { limit: Some(limit), used: None } => format!("at most {}", grouped(limit)),
            Used { limit: Some(limit), used: Some(used) } => {
                format!("{} of {}", grouped(used), grouped(limit))
            }
        };
        out.push_str(&format!("{name}: {line}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::test_kit::{Captured, append_json, memory};
    use super::*;

    #[tokio::test]
    async fn says_what_there_is() {
        let (target, _folder) = memory();
        append_json(&target, "a", &[r#"{"role":"user","content":"hi"}"#; 3]).await;
        append_json(&target, "b", &[r#"{"role":"user","content":"hi"}"#]).await;
        let mut captured = Captured::default();
        run(&target, false, &mut captured.output).await.unwrap();
        assert_eq!(captured.out(), "sessions: 2\nmessages: 4\nbytes: 252\n");
        let mut captured = Captured::default();
        run(&target, true, &mut captured.output).await.unwrap();
        assert!(
            captured.out().contains(r#""sessions":{"used":2},"messages":{"used":4}"#),
            "{}",
            captured.out()
        );
    }

    #[test]
    fn limits_stand_beside_what_there_is() {
        let used = |limit, used| Used { limit, used };
        let usage = Usage {
            sessions: used(Some(2000), Some(3)),
            messages: used(Some(5), None),
            requests_per_second: used(Some(10), None),
            ..Usage::default()
        };
        assert_eq!(
            text(&usage),
            "sessions: 3 of 2,000\nmessages: at most 5\nrequests a second: at most 10\n"
        );
    }
}
