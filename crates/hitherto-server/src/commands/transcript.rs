//! A message as a person reads it: who and when on one line, then what was said, indented.

use hitherto::{Content, Message, Part, Role, Timestamp};

use super::output::Look;
use super::visible::{line, lines, shortened, wrapped};
use crate::target::WireMessage;

const DIM: &str = "2";
const BOLD: &str = "1";
/// The columns before what is said.
const INDENT: &str = "      ";
/// The longest line of a tool call, result or part where nothing wraps.
const LONG: usize = 200;

/// The message as lines of text, the last one ended too.
pub(crate) fn transcript(stored: &WireMessage, look: &Look) -> String {
    let Some(message) = stored.message() else {
        let what = format!("{INDENT}(a message that this version cannot read)\n");
        return paint(look, DIM, &format!("{:>5} ", stored.seq)) + what.trim_start();
    };
    let mut out = heading(stored, &message, look);
    let width = look.width.map(|width| width.saturating_sub(INDENT.len()));
    let mut push = |text: &str| {
        out.push_str(INDENT);
        out.push_str(text);
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    };
    let short = |text: &str| shortened(&line(text), width.unwrap_or(LONG));
    let mut say = |text: &str| {
        for line in lines(text) {
            match width {
                Some(width) => wrapped(&line, width).iter().for_each(|line| push(line)),
                None => push(&line),
            }
        }
    };
    match message.content() {
        // What a tool answers is for the model: one line tells a person enough.
        Content::Text(text) if message.role() == Role::Tool => push(&short(&format!("← {text}"))),
        Content::Text(text) => say(&text),
        Content::Parts(parts) => {
            for part in parts {
                match part {
                    Part::Text(text) => say(&text),
                    Part::Image(json) => say(&short(&format!("[image] {json}"))),
                    Part::File(json) => say(&short(&format!("[file] {json}"))),
                    Part::Other(json) => say(&short(&format!("[part] {json}"))),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    for call in message.tool_calls() {
        push(&short(&format!("→ {}({})", call.name, call.arguments)));
    }
    out
}

fn heading(stored: &WireMessage, message: &Message, look: &Look) -> String {
    let colour = match message.role() {
        Role::System => "33",
        Role::User => "36",
        Role::Assistant => "32",
        Role::Tool => "35",
    };
    let mut who = message.role().as_str().to_owned();
    if let Some(name) = message.name() {
        who.push_str(&format!(" {}", line(&name)));
    }
    let mut rest = String::new();
    if let Some(call) = message.tool_call_id() {
        rest.push_str(&format!("  for {}", shortened(&line(&call), 40)));
    }
    if stored.edited {
        rest.push_str("  edited");
    }
    let place = paint(look, DIM, &format!("{:>5} {}", stored.seq, time(stored.created_at)));
    let who = paint(look, &format!("{BOLD};{colour}"), &who);
    let rest = if rest.is_empty() { rest } else { paint(look, DIM, &rest) };
    format!("{place}  {who}{rest}\n")
}

/// A time to the second, in UTC.
pub(crate) fn time(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('T').and_then(|(date, time)| Some((date, time.split_once('.')?.0))) {
        Some((date, time)) => format!("{date} {time}Z"),
        None => text,
    }
}

/// The text in a colour or weight of ECMA-48, where there are colours.
pub(crate) fn paint(look: &Look, code: &str, text: &str) -> String {
    if look.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
