//! Shortening: a text in its middle, and a turn by its longest texts.
//!
//! Invariant: nothing is torn. A text is cut between graphemes, arguments that were JSON stay JSON, and every tool
//! call keeps its result.

use serde_json::value::RawValue;
use unicode_segmentation::UnicodeSegmentation as _;

use super::view::{Counter, left_out};
use crate::dialect::Dialect;
use crate::memory::StoredMessage;
use crate::message::{Content, Message, Part, field, push_string, replace_field};

/// A text of which no more than so many bytes a token are looked at for where to cut.
const BYTES_A_TOKEN: usize = 24;

/// The text in at most `limit` tokens: its beginning and its end, and between them how many tokens are left out.
/// Where not even that fits, an ellipsis or nothing.
pub(super) fn text(text: &str, limit: usize, counter: &Counter<'_>) -> String {
    let whole = counter.text(text);
    if whole <= limit {
        return text.to_owned();
    }
    let count = |text: &str| counter.encoding.count(text);
    let near = limit.saturating_mul(BYTES_A_TOKEN).min(text.len());
    let (heads, tails) = (heads(text, near), tails(text, near));
    let cut = |bytes: usize| {
        let head = heads.get(..heads.partition_point(|at| *at <= bytes)).and_then(<[usize]>::last);
        let tail =
            tails.get(tails.partition_point(|at| text.len() - bytes > *at)..).and_then(<[usize]>::first);
        let head = text.get(..head.copied().unwrap_or(0)).unwrap_or_default();
        let tail = text.get(tail.copied().unwrap_or(text.len())..).unwrap_or_default();
        let (head, tail) = (to_word_end(head), from_word(tail));
        let left = whole.saturating_sub(count(head) + count(tail)).max(1);
        let mark = format!("… [{} tokens left out] …", thousands(left));
        let gap = |text: &str| if text.is_empty() { "" } else { " " };
        format!("{head}{}{mark}{}{tail}", gap(head), gap(tail))
    };
    let mut best = [cut(0), "…".to_owned()].into_iter().find(|cut| count(cut) <= limit).unwrap_or_default();
    let (mut low, mut high) = (1, near.min(text.len() / 2));
    while low <= high {
        let middle = low.midpoint(high);
        let cut = cut(middle);
        if count(&cut) <= limit {
            best = cut;
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    best
}

/// A text of several lines in at most `limit` tokens: whole lines of its end and its beginning, and between them how
/// many are left out. Where that is not possible, as [`text`].
pub(super) fn lines(whole: &str, limit: usize, counter: &Counter<'_>) -> String {
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |head: usize, tail: usize| {
        let mark = format!("… [{} lines left out] …", thousands(lines.len() - head - tail));
        let begin = lines.get(..head).unwrap_or_default().iter().copied();
        let end = lines.get(lines.len() - tail..).unwrap_or_default().iter().copied();
        begin.chain([mark.as_str()]).chain(end).collect::<Vec<_>>().join("\n")
    };
    let (mut head, mut tail, mut best) = (0, 0, None);
    while head + tail + 1 < lines.len() {
        // The end first: it is nearest to what follows.
        let (next_head, next_tail) = if tail > head { (head + 1, tail) } else { (head, tail + 1) };
        let more = joined(next_head, next_tail);
        if counter.encoding.count(&more) > limit {
            break;
        }
        (head, tail, best) = (next_head, next_tail, Some(more));
    }
    best.unwrap_or_else(|| text(whole, limit, counter))
}

/// How far a cut moves, in bytes, so as not to part a word.
const WORD: usize = 16;

/// The text up to its last white space, if that is near.
fn to_word_end(head: &str) -> &str {
    match head.rfind(char::is_whitespace) {
        Some(at) if at + WORD >= head.len() => head.get(..at).unwrap_or(head).trim_end(),
        _ => head,
    }
}

/// The text from its first white space, if that is near.
fn from_word(tail: &str) -> &str {
    match tail.find(char::is_whitespace) {
        Some(at) if at <= WORD => tail.get(at..).unwrap_or(tail).trim_start(),
        _ => tail,
    }
}

/// Where graphemes begin among the first so many bytes.
fn heads(text: &str, near: usize) -> Vec<usize> {
    let near = (near..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text.get(..near).unwrap_or_default().grapheme_indices(true).map(|(at, _)| at).collect()
}

/// Where graphemes begin among the last so many bytes: from after a space or line end if there is one, since looking
/// back may be long (which flags of a row belong together is told from the first of them).
fn tails(text: &str, near: usize) -> Vec<usize> {
    let from = text.len() - near;
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let tail = text.get(from..).unwrap_or_default();
    let skip = if from == 0 { 0 } else { tail.find(|char: char| char.is_ascii_alphanumeric()).unwrap_or(0) };
    let sure = tail.get(skip..).unwrap_or_default();
    let first = usize::from(skip == 0 && from > 0);
    sure.grapheme_indices(true).skip(first).map(|(at, _)| from + skip + at).collect()
}

/// `1234567` as `1,234,567`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The messages of a turn in at most `room` tokens: texts are shortened, the longest first and all to one length;
/// if that is not enough parts that are no text are left out; if that is not enough arguments of tool calls are.
/// `None` if the turn without all that is still too large.
pub(super) fn turn(
    messages: &[StoredMessage],
    room: usize,
    counter: &Counter<'_>,
) -> Option<Vec<StoredMessage>> {
    let mut drafts: Vec<Draft> = messages.iter().map(Draft::new).collect();
    for step in [Draft::keep, Draft::drop_parts, |draft: &mut Draft, counter: &Counter<'_>| {
        draft.drop_parts(counter);
        draft.drop_arguments(counter);
    }] {
        drafts.iter_mut().for_each(|draft| step(draft, counter));
        if let Some(fitting) = fit(&drafts, room, counter) {
            return Some(fitting);
        }
    }
    None
}

/// The drafts with their texts shortened to one length, the greatest with which they fit.
fn fit(drafts: &[Draft], room: usize, counter: &Counter<'_>) -> Option<Vec<StoredMessage>> {
    let costs: Vec<usize> = drafts.iter().flat_map(Draft::texts).map(|text| counter.text(text)).collect();
    let total = |messages: &[StoredMessage]| -> usize {
        messages.iter().map(|message| counter.message(&message.message)).sum()
    };
    let whole: Vec<_> = drafts.iter().map(|draft| draft.message(None, counter)).collect();
    let fixed = total(&whole).saturating_sub(costs.iter().sum());
    let mut free = room.saturating_sub(fixed);
    // What is left beside the texts differs by a few tokens from what it was beside whole ones, where a format joins
    // texts with what stands around them.
    for _ in 0..8 {
        let level = level(&costs, free);
        let messages: Vec<_> = drafts.iter().map(|draft| draft.message(Some(level), counter)).collect();
        let over = total(&messages).saturating_sub(room);
        if over == 0 {
            return Some(messages);
        }
        if free == 0 {
            return None;
        }
        free = free.saturating_sub(over.max(free / 16));
    }
    let messages: Vec<_> = drafts.iter().map(|draft| draft.message(Some(0), counter)).collect();
    (total(&messages) <= room).then_some(messages)
}

/// The greatest length such that all costs cut down to it are no more than `free` together.
fn level(costs: &[usize], free: usize) -> usize {
    let mut sorted = costs.to_vec();
    sorted.sort_unstable();
    let (mut left, mut longer) = (free, sorted.len());
    for cost in sorted {
        if cost.saturating_mul(longer) > left {
            return left / longer.max(1);
        }
        left -= cost;
        longer -= 1;
    }
    usize::MAX
}

/// A message that is being shortened.
struct Draft {
    stored: StoredMessage,
    content: Content,
}

impl Draft {
    fn new(stored: &StoredMessage) -> Self {
        Self { content: stored.message.content(), stored: stored.clone() }
    }

    fn keep(&mut self, _: &Counter<'_>) {}

    fn texts(&self) -> Vec<&str> {
        match &self.content {
            Content::Empty => Vec::new(),
            Content::Text(text) => vec![text],
            Content::Parts(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
        }
    }

    /// The message with no text longer than that; as it came if none is.
    fn message(&self, level: Option<usize>, counter: &Counter<'_>) -> StoredMessage {
        let level = level.unwrap_or(usize::MAX);
        if self.texts().into_iter().all(|text| counter.text(text) <= level) {
            return self.stored.clone();
        }
        let quoted = |out: &mut Vec<u8>, said: &str| push_string(out, &text(said, level, counter));
        let mut content = Vec::new();
        match &self.content {
            Content::Empty => return self.stored.clone(),
            Content::Text(said) => quoted(&mut content, said),
            Content::Parts(parts) => write_parts(&mut content, parts, quoted),
        }
        self.replaced("content", &content)
    }

    fn replaced(&self, name: &str, value: &[u8]) -> StoredMessage {
        let json = replace_field(self.stored.message.bytes(), name, value);
        let old = &self.stored.message;
        let message = Message::stored(old.role(), Dialect::Hitherto, json.into(), old.flags());
        self.stored.saying(message)
    }

    /// Puts a short text in the place of each part that is none.
    fn drop_parts(&mut self, _: &Counter<'_>) {
        let Content::Parts(parts) = &mut self.content else {
            return;
        };
        let mut changed = false;
        for part in parts.iter_mut() {
            if let Part::Image(json) | Part::File(json) | Part::Other(json) = part {
                *part = Part::Text(left_out(json));
                changed = true;
            }
        }
        if changed {
            let mut content = Vec::new();
            write_parts(&mut content, parts, push_string);
            self.stored = self.replaced("content", &content);
        }
    }

    /// Leaves out what tools are called with, where that is long: an object stays one.
    fn drop_arguments(&mut self, counter: &Counter<'_>) {
        let Some(list) = field(self.stored.message.bytes(), "tool_calls") else {
            return;
        };
        let calls: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
        let calls: Vec<String> = calls.into_iter().map(|call| short_call(call.get(), counter)).collect();
        let list = format!("[{}]", calls.join(","));
        self.stored = self.replaced("tool_calls", list.as_bytes());
    }
}

fn write_parts(out: &mut Vec<u8>, parts: &[Part], mut quoted: impl FnMut(&mut Vec<u8>, &str)) {
    out.push(b'[');
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match part {
            Part::Text(text) => {
                out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
                quoted(out, text);
                out.push(b'}');
            }
            Part::Image(json) | Part::File(json) | Part::Other(json) => {
                out.extend_from_slice(json.as_bytes())
            }
        }
    }
    out.push(b']');
}

/// A tool call with short arguments; one that cannot be read as it is.
fn short_call(call: &str, counter: &Counter<'_>) -> String {
    let Some(function) = field(call.as_bytes(), "function") else {
        return call.to_owned();
    };
    let Some(raw) = field(function.as_bytes(), "arguments") else {
        return call.to_owned();
    };
    let arguments = if raw.starts_with('"') { crate::message::decode_string(raw) } else { raw.to_owned() };
    let tokens = counter.text(&arguments);
    let json = serde_json::from_str::<&RawValue>(&arguments).is_ok();
    let named = format!("{{\"left_out\":\"{} tokens\"}}", thousands(tokens));
    let short = [if json { named } else { text(&arguments, 16, counter) }, "{}".to_owned()]
        .into_iter()
        .find(|short| counter.text(short) < tokens && tokens > 16);
    let Some(short) = short.or_else(|| (tokens > 1).then(|| "{}".to_owned())) else {
        return call.to_owned();
    };
    let mut value = Vec::new();
    if raw.starts_with('"') {
        push_string(&mut value, &short)
    } else {
        value.extend_from_slice(short.as_bytes())
    }
    let function = replace_field(function.as_bytes(), "arguments", &value);
    String::from_utf8(replace_field(call.as_bytes(), "function", &function))
        .unwrap_or_else(|_| call.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::options::Format;
    use crate::tokens::{Encoding, Memo};

    #[test]
    fn texts_are_cut_in_the_middle() {
        let memo = Memo::default();
        let counter = Counter { encoding: Encoding::O200k, format: Format::Messages, memo: &memo };
        let check = |said: &str, limit: usize, expected: &str| {
            let short = text(said, limit, &counter);
            assert_eq!(short, expected);
            assert!(Encoding::O200k.count(&short) <= limit);
        };
        let long = "one two three four five six seven eight nine ten ".repeat(30);
        check("short", 1, "short");
        check(&long, 20, "one two three four five six … [289 tokens left out] … six seven eight nine ten ");
        check(&long, 9, "one … [300 tokens left out] …");
        check(&long, 8, "… [301 tokens left out] …");
        check(&long, 1, "…");
        check(&long, 0, "");
        let families = "👨‍👩‍👧‍👦".repeat(500);
        let short = text(&families, 60, &counter);
        assert!(short.starts_with("👨‍👩‍👧‍👦 …") || short.starts_with("👨‍👩‍👧‍👦👨‍👩‍👧‍👦"), "{short}");
        assert_eq!(short.replace("👨‍👩‍👧‍👦", "").chars().filter(|char| !char.is_ascii()).count(), 2, "{short}");
    }

    #[test]
    fn no_text_takes_long() {
        let memo = Memo::default();
        let counter = Counter { encoding: Encoding::Estimate, format: Format::Messages, memo: &memo };
        for unit in ["a", " ", "🇫🇮", "e\u{301}", "\u{301}", "字", "👍🏽"] {
            let said = unit.repeat((1 << 20) / unit.len());
            let short = text(&said, 200, &counter);
            assert!(Encoding::Estimate.count(&short) <= 200);
            assert!(short.contains("tokens left out"), "{unit:?}");
        }
    }

    #[test]
    fn levels() {
        let check = |costs: &[usize], free: usize, expected: usize| assert_eq!(level(costs, free), expected);
        check(&[1, 2, 100], 50, 47);
        check(&[100, 100, 100], 50, 16);
        check(&[1, 2, 3], 6, usize::MAX);
        check(&[1, 2, 3], 5, 2);
        check(&[], 0, usize::MAX);
        check(&[5], 0, 0);
    }
}
