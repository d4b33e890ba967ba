//! Text from a store made safe for a terminal: nothing that anybody said may move the cursor, change a
//! colour, set a title, or turn the order of letters round.

use unicode_width::UnicodeWidthStr as _;

/// The text as lines without control characters: line breaks end a line, tabs become spaces, and every
/// other control character is shown as a sign.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").split('\n').map(|line| signs(line, true)).collect()
}

/// The text on one line: line breaks are shown as signs too.
pub(crate) fn line(text: &str) -> String {
    signs(text, false)
}

fn signs(text: &str, tabs: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' if tabs => out.push_str("    "),
            // The control pictures of Unicode stand in the order of the characters that they show.
            '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(char)).unwrap_or('\u{fffd}')),
            '\u{7f}' => out.push('\u{2421}'),
            // The second set of controls (U+009B begins an escape sequence), line and paragraph
            // separators, and what turns the direction of text.
            '\u{80}'..='\u{9f}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{61c}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => out.push_str(&format!("<U+{:04X}>", u32::from(char))),
            _ => out.push(char),
        }
    }
    out
}

/// At most `width` columns of a line, with `…` for what is left out.
pub(crate) fn shortened(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for char in line.chars() {
        used += char_width(char);
        if used > width {
            break;
        }
        out.push(char);
    }
    out.push('…');
    out
}

/// A line in lines of at most `width` columns, parted at spaces where there are any.
pub(crate) fn wrapped(line: &str, width: usize) -> Vec<String> {
    let width = width.max(10);
    let mut out = Vec::new();
    let mut current = String::new();
    for word in line.split_inclusive(' ') {
        if current.width() + word.trim_end().width() > width && !current.trim().is_empty() {
            out.push(std::mem::take(&mut current));
        }
        // A word longer than a line is broken where the line ends.
        for char in word.chars() {
            if char != ' ' && current.width() + char_width(char) > width {
                out.push(std::mem::take(&mut current));
            }
            current.push(char);
        }
    }
    out.push(current);
    out.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    out
}

/// The line and as many spaces as make it `width` columns.
pub(crate) fn padded(line: &str, width: usize) -> String {
    let missing = width.saturating_sub(line.width());
    format!("{line}{}", " ".repeat(missing))
}

fn char_width(char: char) -> usize {
    unicode_width::UnicodeWidthChar::width(char).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_would_drive_a_terminal() {
        let check = |text: &str, expected: &str| assert_eq!(line(text), expected);
        check("plain, é, 日本, 👩‍🚀", "plain, é, 日本, 👩‍🚀");
        check("\u{1b}[31mred\u{1b}]0;title\u{7}", "␛[31mred␛]0;title␇");
        check("a\nb\rc\td\0\u{7f}", "a␊b␍c␉d␀␡");
        check("\u{9b}31m \u{2028} \u{202e}abc", "<U+009B>31m <U+2028> <U+202E>abc");
        assert_eq!(lines("a\r\nb\rc\n\td"), ["a", "b␍c", "    d"]);
    }

    #[test]
    fn wraps_at_spaces_and_breaks_what_has_none() {
        let check = |line: &str, width, expected: &[&str]| assert_eq!(wrapped(line, width), expected);
        check("", 10, &[""]);
        check("one two three four", 10, &["one two", "three four"]);
        check("    indented text stays", 12, &["    indented", "text stays"]);
        check("abcdefghijklmnopqrstuvwxyz", 10, &["abcdefghij", "klmnopqrst", "uvwxyz"]);
        check("日本語日本語日本語", 10, &["日本語日本", "語日本語"]);
        check("exactly 10 exactly 10", 10, &["exactly 10", "exactly 10"]);
    }

    #[test]
    fn shortens_to_a_width() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdefg", 6), "abcde…");
        assert_eq!(shortened("日本語日本", 6), "日本…");
    }
}
