//! `doctor`: what is wrong with the store, and what to do about it.

use std::io::Write as _;
use std::process::ExitCode;

use hitherto::{Finding, Severity};

use super::output::{Look, Output};
use super::transcript::paint;
use super::visible::line;
use crate::target::Target;

/// What `doctor` is given.
#[derive(Debug, Clone)]
pub(crate) struct DoctorArgs {
    /// Whether findings are shown as JSON, one a line.
    pub(crate) json: bool,
    /// What writes the summaries here, in words, or why nothing can; not known of a server.
    pub(crate) summaries: Option<Result<String, String>>,
}

/// Prints what an inspection finds. Only a failure makes the exit code 1: a warning may be what somebody wants.
///
/// # Errors
/// If the output cannot be written. A store that does not answer is a finding.
pub(crate) async fn run(target: &Target, args: &DoctorArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    let mut findings = target.inspect().await.unwrap_or_else(|error| {
        vec![Finding {
            severity: Severity::Failure,
            subject: "store",
            found: error.to_string(),
            advice: "see that it runs, and that the address, user and password are right".to_owned(),
        }]
    });
    findings.extend(args.summaries.clone().map(summaries));
    for finding in &findings {
        let text = if args.json { json(finding) } else { text(finding, out.look()) };
        writeln!(out, "{text}")?;
    }
    let worst = findings.iter().map(|finding| finding.severity).max();
    Ok(if worst == Some(Severity::Failure) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn summaries(found: Result<String, String>) -> Finding {
    let (severity, advice) = match &found {
        Ok(_) => (Severity::Fine, String::new()),
        Err(_) => (Severity::Failure, "correct the settings of the model".to_owned()),
    };
    let found = found.map_or_else(|error| error, |by| format!("written by {by}"));
    Finding { severity, subject: "summaries", found, advice }
}

fn text(finding: &Finding, look: &Look) -> String {
    let (sign, colour) = match finding.severity {
        Severity::Fine => ("✓", "32"),
        Severity::Warning => ("!", "33"),
        Severity::Failure => ("✗", "31"),
    };
    let mut text = format!("{} {}: {}", paint(look, colour, sign), finding.subject, line(&finding.found));
    if !finding.advice.is_empty() {
        text.push_str(&format!("\n    {}", line(&finding.advice)));
    }
    text
}

fn json(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Fine => "fine",
        Severity::Warning => "warning",
        Severity::Failure => "failure",
    };
    let (subject, found, advice) = (finding.subject, &finding.found, &finding.advice);
    let mut json = serde_json::json!({"severity": severity, "subject": subject, "found": found});
    if let (false, Some(object)) = (advice.is_empty(), json.as_object_mut()) {
        object.insert("advice".to_owned(), advice.as_str().into());
    }
    json.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::test_kit::{Captured, memory};
    use super::*;

    #[tokio::test]
    async fn a_new_embedded_store_is_fine() {
        let (target, _folder) = memory();
        let mut captured = Captured::default();
        let args = DoctorArgs { json: false, summaries: Some(Ok("somebody".to_owned())) };
        let code = run(&target, &args, &mut captured.output).await.unwrap();
        assert_eq!(code, ExitCode::SUCCESS);
        assert!(captured.out().ends_with("✓ summaries: written by somebody\n"), "{}", captured.out());
        let args = DoctorArgs { summaries: Some(Err("no key".to_owned())), ..args };
        assert_eq!(run(&target, &args, &mut Captured::default().output).await.unwrap(), ExitCode::FAILURE);
        assert!(captured.out().starts_with("✓ "), "{}", captured.out());
    }

    #[test]
    fn advice_stands_under_its_finding() {
        let finding = Finding {
            severity: Severity::Warning,
            subject: "eviction",
            found: "maxmemory-policy is allkeys-lru".to_owned(),
            advice: "set it to noeviction".to_owned(),
        };
        assert_eq!(
            text(&finding, &Look::default()),
            "! eviction: maxmemory-policy is allkeys-lru\n    set it to noeviction"
        );
        assert_eq!(
            json(&finding),
            r#"{"advice":"set it to noeviction","found":"maxmemory-policy is allkeys-lru","severity":"warning","subject":"eviction"}"#
        );
    }
}
