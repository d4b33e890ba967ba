//! `sessions`: which sessions there are, newest activity first.

use std::io::Write as _;
use std::process::ExitCode;

use hitherto::{Timestamp, UserId};
use unicode_width::UnicodeWidthStr as _;

use super::output::Output;
use super::transcript::{paint, time};
use super::visible::{line, padded};
use super::words::{ago, grouped, length};
use crate::target::{SessionInfo, Target, Which};

/// What `sessions` is given.
#[derive(Debug, Clone)]
pub(crate) struct SessionsArgs {
    /// Only those whose id begins so; empty for all.
    pub(crate) prefix: String,
    /// Only those of this user.
    pub(crate) user: Option<UserId>,
    /// At most so many.
    pub(crate) limit: u64,
    /// Whether they are shown as JSON, one a line.
    pub(crate) json: bool,
}

/// How many sessions a list has if nobody says.
pub(crate) const LIMIT: u64 = 50;
/// How many are asked for at a time; a table's columns are as wide as one page needs.
const PAGE: u32 = 200;

/// Lists the sessions.
///
/// # Errors
/// If they cannot be read, or the output not written.
pub(crate) async fn run(target: &Target, args: &SessionsArgs, out: &mut Output) -> anyhow::Result<ExitCode> {
    let (mut cursor, mut left, mut any) = (None, args.limit, false);
    while left > 0 {
        let limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let which = Which { prefix: &args.prefix, user: args.user.as_ref(), limit };
        let page = target.sessions(which, cursor.as_ref()).await?;
        if args.json {
            for session in &page.sessions {
                writeln!(out, "{}", serde_json::to_string(session)?)?;
            }
        } else if !page.sessions.is_empty() {
            table(&page.sessions, !any, out)?;
        }
        any |= !page.sessions.is_empty();
        left = left.saturating_sub(page.sessions.len() as u64);
        let Some(next) = page.next else {
            if !any && !args.json {
                out.note("there are no sessions");
            }
            return Ok(ExitCode::SUCCESS);
        };
        cursor = Some(next);
    }
    if !args.json {
        out.note("… there are more: `--limit` shows them");
    }
    Ok(ExitCode::SUCCESS)
}

fn table(sessions: &[SessionInfo], heading: bool, out: &mut Output) -> anyhow::Result<()> {
    let now = out.now();
    let head = ["SESSION", "MESSAGES", "TURNS", "LAST ACTIVITY", "TIME LEFT", "USER"].map(str::to_owned);
    let rows: Vec<[String; 6]> = sessions.iter().map(|session| row(session, now)).collect();
    let mut widths = [0; 6];
    for row in rows.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let text = |[id, messages, turns, activity, left, user]: &[String; 6]| {
        let [wide, messages_wide, turns_wide, activity_wide, left_wide, _] = widths;
        let row = format!(
            "{}  {messages:>messages_wide$}  {turns:>turns_wide$}  {}  {}  {user}",
            padded(id, wide),
            padded(activity, activity_wide),
            padded(left, left_wide)
        );
        row.trim_end().to_owned()
    };
    if heading {
        let head = paint(out.look(), "1", &text(&head));
        writeln!(out, "{head}")?;
    }
    for row in &rows {
        writeln!(out, "{}", text(row))?;
    }
    Ok(())
}

fn row(session: &SessionInfo, now: Timestamp) -> [String; 6] {
    let left = session.expires_at.map(|end| length(end.as_millis().saturating_sub(now.as_millis())));
    [
        line(&session.session),
        grouped(session.messages),
        grouped(session.turns),
        format!("{} ({})", time(session.updated_at), ago(session.updated_at, now)),
        left.unwrap_or_default(),
        session.user.as_deref().map(line).unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use hitherto::{Clock, Message, Ttl};

    use super::super::output::Look;
    use super::super::test_kit::{Captured, memory_at, session};
    use super::*;
    use crate::target::AppendWith;

    #[tokio::test]
    async fn a_table_and_json() {
        let start = Timestamp::from_millis(1_763_805_600_123);
        let now = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(start.as_millis()));
        let clock = {
            let now = now.clone();
            Clock::from_fn(move || Timestamp::from_millis(now.load(std::sync::atomic::Ordering::Relaxed)))
        };
        let (target, _folder) = memory_at(clock.clone());
        for (id, ttl) in
            [("a:1", None), ("a:\u{1b}2", Some(Ttl::from_secs(86_400 * 3).unwrap())), ("日本", None)]
        {
            let turn = vec![Message::user("hi"), Message::assistant("hello")];
            let zoe = hitherto::UserId::parse("zoë").unwrap();
            let with =
                AppendWith { ttl, user: Some(&zoe).filter(|_| id == "日本"), ..AppendWith::default() };
            target.append(&session(id), turn, with).await.unwrap();
            now.fetch_add(3_600_000, std::sync::atomic::Ordering::Relaxed);
        }
        let list_of = async |user: Option<&str>, prefix: &str, limit, json| {
            let mut captured = Captured::new("", Look { clock: clock.clone(), ..Look::default() });
            let user = user.map(|user| hitherto::UserId::parse(user).unwrap());
            let args = SessionsArgs { prefix: prefix.to_owned(), user, limit, json };
            run(&target, &args, &mut captured.output).await.unwrap();
            captured.out() + &captured.err()
        };
        let list = async |prefix: &str, limit, json| list_of(None, prefix, limit, json).await;
        insta::assert_snapshot!(list("", LIMIT, false).await);
        assert_eq!(list_of(Some("nobody"), "", LIMIT, false).await, "there are no sessions\n");
        let json = list_of(Some("zoë"), "", LIMIT, true).await;
        assert!(json.starts_with(r#"{"session":"日本","user":"zoë","messages":2,"#), "{json}");
        assert_eq!(json.lines().count(), 1);
        assert_eq!(list("b", LIMIT, false).await, "there are no sessions\n");
        assert!(list("a:", 1, false).await.ends_with("there are more: `--limit` shows them\n"));
        let json = list("", LIMIT, true).await;
        assert_eq!(json.lines().count(), 3);
        assert!(json.contains(r#"{"session":"a:1","messages":2,"turns":1,"last_seq":2,"#), "{json}");
    }
}
