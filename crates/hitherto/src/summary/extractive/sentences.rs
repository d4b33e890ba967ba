//! Cutting one line of text into sentences, in any script.
//!
//! Invariant: no sentence is longer than the limit, and cutting looks only at what stands right around a place. So
//! sentences that are joined again as they stood are cut at the same places again.

use super::markers;

/// Ends a sentence if a space or the end of the line follows.
const ENDS: &[char] = &['.', '!', '?', '…', '؟', '۔', '।', '։', '።'];
/// Ends a sentence whatever follows: scripts without spaces.
const ENDS_AT_ONCE: &[char] = &['。', '！', '？', '｡'];
/// May stand between the end of a sentence and the space.
const CLOSERS: &[char] = &['"', '\'', ')', ']', '}', '”', '’', '»', '」', '』', '）', '】', '*', '_'];

/// A sentence, or a part of one that is too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence<'a> {
    pub(super) text: &'a str,
    /// It goes on from the part before it, parted by this; `None` at the beginning of a sentence.
    pub(super) goes_on: Option<&'static str>,
}

/// Whether a text ends as a sentence does.
pub(super) fn is_ended(text: &str) -> bool {
    text.trim_end_matches(CLOSERS).ends_with(|c| ENDS.contains(&c) || ENDS_AT_ONCE.contains(&c))
}

/// Whether a sentence may follow another one without a space, and is still cut from it.
pub(super) fn is_parted_without_space(text: &str, next: &str) -> bool {
    let belongs_to_end = |c| ENDS.contains(&c) || ENDS_AT_ONCE.contains(&c) || CLOSERS.contains(&c);
    text.trim_end_matches(CLOSERS).ends_with(ENDS_AT_ONCE) && !next.starts_with(belongs_to_end)
}

/// The sentences of one line, each of at most `limit` characters.
pub(super) fn split(line: &str, limit: usize) -> Vec<Sentence<'_>> {
    let mut out = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (sentence, after) = rest.split_at(first_end(rest));
        push_parts(sentence.trim(), limit.max(1), &mut out);
        rest = after.trim_start();
    }
    out
}

/// Where the first sentence of a text ends, in bytes.
fn first_end(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = ENDS.contains(&c);
        let at_once = ENDS_AT_ONCE.contains(&c);
        if !ends && !at_once {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((next_at, next)) = chars.peek().copied() {
            let more = ENDS.contains(&next) || ENDS_AT_ONCE.contains(&next) || CLOSERS.contains(&next);
            if !more {
                break;
            }
            end = next_at + next.len_utf8();
            chars.next();
        }
        let parted = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
        if at_once || (parted && !(c == '.' && goes_on(text, at, end))) {
            return end;
        }
    }
    text.len()
}

/// Whether the sentence goes on after a full stop at `at`: after an abbreviation, an initial, an ordinal number.
fn goes_on(text: &str, at: usize, end: usize) -> bool {
    let (Some(before), Some(after)) = (text.get(..at), text.get(end..)) else { return false };
    let Some(next) = after.trim_start().chars().next() else { return false };
    if next.is_lowercase() {
        return true;
    }
    let from = before.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    let word = before.get(from..).unwrap_or_default().trim_start_matches(|c: char| !c.is_alphanumeric());
    let mut chars = word.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) if only.is_uppercase() && only != 'I' => true,
        (Some(first), _) if first.is_ascii_digit() && word.len() <= 2 => {
            let next_word = after.split_whitespace().next().unwrap_or_default();
            from == 0 || markers::is_month(next_word.trim_matches(|c: char| !c.is_alphanumeric()))
        }
        _ => word.len() <= 8 && markers::is_abbreviation(word),
    }
}

/// Parts of a sentence that is too long: cut after a comma or the like, else at a space, else anywhere.
fn push_parts<'a>(sentence: &'a str, limit: usize, out: &mut Vec<Sentence<'a>>) {
    let mut rest = sentence;
    let mut goes_on = None;
    while !rest.is_empty() {
        let Some((full, _)) = rest.char_indices().nth(limit) else {
            out.push(Sentence { text: rest, goes_on });
            return;
        };
        let head = rest.get(..full).unwrap_or(rest);
        let cut = cut_at(head);
        let (part, after) = rest.split_at(cut);
        out.push(Sentence { text: part.trim_end(), goes_on });
        rest = after.trim_start();
        let spaced = rest.len() < after.len() || part.ends_with(char::is_whitespace);
        goes_on = Some(if spaced { " " } else { "" });
    }
}

/// Where to cut a text that is too long, in bytes, always after its beginning.
fn cut_at(head: &str) -> usize {
    let half = head.len() / 2;
    let mut clause = None;
    let mut space = None;
    let mut before = ' ';
    for (at, c) in head.char_indices() {
        let wide = matches!(before, '，' | '、' | '；' | '：');
        if at > half && (wide || (c.is_whitespace() && matches!(before, ',' | ';' | ':' | '-' | '–' | '—')))
        {
            clause = Some(at);
        }
        if at > half && c.is_whitespace() {
            space = Some(at);
        }
        before = c;
    }
    clause.or(space).unwrap_or(head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<&str> {
        split(line, 200).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn a_line_is_cut_where_sentences_end() {
        let cases: [(&str, &[&str]); 16] = [
            ("", &[]),
            ("Hello", &["Hello"]),
            ("One. Two! Three? Four", &["One.", "Two!", "Three?", "Four"]),
            ("It costs 3.50 at v1.2.3 now. Fine.", &["It costs 3.50 at v1.2.3 now.", "Fine."]),
            ("See Dr. Smith, e.g. on Monday. Then go.", &["See Dr. Smith, e.g. on Monday.", "Then go."]),
            ("J. R. Tolkien wrote. So did I. Well.", &["J. R. Tolkien wrote.", "So did I.", "Well."]),
            ("Wir kommen am 3. März an. Gut.", &["Wir kommen am 3. März an.", "Gut."]),
            ("The tank reads 0. Did you get that?", &["The tank reads 0.", "Did you get that?"]),
            ("He said \"Stop.\" Then he left.", &["He said \"Stop.\"", "Then he left."]),
            ("Wait... what? No etc. and so on", &["Wait... what?", "No etc. and so on"]),
            ("It is late; go home.", &["It is late; go home."]),
            ("我叫王芳。我住在上海！你呢？好", &["我叫王芳。", "我住在上海！", "你呢？", "好"]),
            ("他说：「好。」然后走了。", &["他说：「好。」", "然后走了。"]),
            ("ما اسمك؟ اسمي ليلى.", &["ما اسمك؟", "اسمي ليلى."]),
            ("1. Buy milk", &["1. Buy milk"]),
            ("?!?! . ;", &["?!?!", ".", ";"]),
        ];
        for (line, expected) in cases {
            assert_eq!(texts(line), expected, "{line:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_after_a_clause_or_at_a_space_or_anywhere() {
        let cases: [(&str, &[&str]); 4] = [
            ("aaa bbb, ccc ddd", &["aaa bbb,", "ccc ddd"]),
            ("aaa bbb ccc ddd", &["aaa bbb", "ccc ddd"]),
            ("aaaaaaaaaabbbbbbbbbbc", &["aaaaaaaaaa", "bbbbbbbbbb", "c"]),
            ("我叫王芳我住在，上海我三十岁", &["我叫王芳我住在，", "上海我三十岁"]),
        ];
        for (line, expected) in cases {
            let parts = split(line, 10);
            assert_eq!(parts.iter().map(|part| part.text).collect::<Vec<_>>(), expected, "{line:?}");
            assert_eq!(parts[0].goes_on, None);
            assert!(parts[1..].iter().all(|part| part.goes_on.is_some()));
        }
    }
}
