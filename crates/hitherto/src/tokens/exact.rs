//! Exact counts, by tiktoken.
//!
//! Invariant: tiktoken is given no more than [`PIECE`] bytes at once. Its regular expression gives up, by a panic,
//! on a run of some hundred thousand characters; what it is given here is too short for that.

use super::Encoding;

/// The most bytes that are counted at once.
const PIECE: usize = 8 << 10;

/// What a cut adds that may have parted a token. A run cut in two is hardly ever fewer tokens than in one piece,
/// and then by one or two: the tokens that end and begin at the cut are other ones.
const CUT: usize = 16;

/// How many tokens a text is.
pub(super) fn count(encoding: Encoding, text: &str) -> usize {
    let bpe = match encoding {
        Encoding::Cl100k => tiktoken_rs::cl100k_base_singleton(),
        _ => tiktoken_rs::o200k_base_singleton(),
    };
    sum(text, PIECE, |piece| bpe.count_ordinary(piece))
}

/// The counts of the pieces of a text, and of the cuts.
fn sum(text: &str, size: usize, count: impl Fn(&str) -> usize) -> usize {
    let (mut rest, mut total) = (text, 0);
    while rest.len() > size {
        let (at, certain) = cut(rest, size);
        let (piece, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        total += count(piece) + if certain { 0 } else { CUT };
        rest = after;
    }
    // A token is a byte at least.
    (total + if rest.is_empty() { 0 } else { count(rest) }).min(text.len())
}

/// Where the text is cut, after at most `size` bytes, and whether both encodings certainly part there.
fn cut(text: &str, size: usize) -> (usize, bool) {
    let end = (1..=size).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let head = text.get(..end).unwrap_or(text);
    let mut next = text.get(end..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
    for (at, char) in head.char_indices().rev() {
        if parts(char, next) {
            return (at + char.len_utf8(), true);
        }
        next = char;
    }
    // Numbers are taken three by three from where they begin, so a run of them is cut at a multiple of three.
    let numerals = head.chars().rev().take_while(|char| char.is_numeric()).count() % 3;
    let back: usize = head.chars().rev().take(numerals).map(char::len_utf8).sum();
    (if back < end { end - back } else { end }, false)
}

/// Whether both encodings certainly part between these two characters, whatever stands around them.
fn parts(before: char, after: char) -> bool {
    let ideograph = |char: char| matches!(char, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    match (before, after) {
        // A space begins a token, or belongs to the spaces before it.
        (before, ' ' | '\t') => !before.is_whitespace(),
        // Numbers stand alone.
        ('0'..='9', after) => after.is_ascii() && !after.is_ascii_digit(),
        (before, '0'..='9') => before.is_ascii() && !before.is_ascii_whitespace(),
        // An apostrophe may belong to the word before it.
        ('a'..='z' | 'A'..='Z', after) => after.is_ascii_punctuation() && after != '\'',
        (before, '、' | '。' | '！' | '，' | '：' | '；' | '？') => ideograph(before),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(encoding: Encoding, text: &str) -> usize {
        match encoding {
            Encoding::Cl100k => tiktoken_rs::cl100k_base_singleton().count_ordinary(text),
            _ => tiktoken_rs::o200k_base_singleton().count_ordinary(text),
        }
    }

    const EXACT: [Encoding; 2] = [Encoding::O200k, Encoding::Cl100k];

    /// A text in pieces of 64 bytes: exact where all cuts are certain, and never less.
    fn check(text: &str) {
        for encoding in EXACT {
            let cuts = std::cell::Cell::new(0);
            let counted = sum(text, 64, |piece| {
                cuts.set(cuts.get() + 1);
                plain(encoding, piece)
            });
            let truth = plain(encoding, text);
            assert!(counted >= truth, "{encoding:?} {counted} < {truth}: {text:?}");
            assert!(counted <= truth + cuts.get() * (CUT + 4), "{encoding:?} {counted} > {truth}: {text:?}");
        }
    }

    /// Ordinary text has a certain place in every 64 bytes, so it is counted exactly.
    #[test]
    fn ordinary_text_is_exact() {
        let check = |text: &str| {
            for encoding in EXACT {
                let counted = sum(text, 64, |piece| plain(encoding, piece));
                assert_eq!(counted, plain(encoding, text), "{encoding:?} {text:?}");
            }
        };
        for text in [
            include_str!("../../../../examples/apollo13-air-to-ground.jsonl"),
            include_str!("memo.rs"),
            "我们明天上午九点在北京见面。他说，别忘了带上护照！好的，我记住了。那么，下午去哪里？去颐和园，听说荷花开了。",
        ] {
            check(&text.chars().take(20_000).collect::<String>());
        }
    }

    #[test]
    fn long_runs_neither_panic_nor_count_less() {
        for unit in [
            "a",
            "A",
            "aA",
            " ",
            "\n",
            " \n",
            "é",
            "😀",
            "7",
            "٣",
            "字",
            "ก",
            "-",
            "\u{301}",
            "A\u{301}",
            "=+",
            "\u{1f468}\u{200d}\u{1f469}",
        ] {
            let text = unit.repeat((1 << 18) / unit.len());
            for encoding in EXACT {
                let counted = encoding.count(&text);
                // What a few pieces of it have, for more is what the plain way may panic on.
                let part: String = text.chars().take(8_000).collect();
                let least = plain(encoding, &part) * (text.len() / part.len()) * 9 / 10;
                assert!(counted >= least && counted <= text.len(), "{encoding:?} {unit:?} {counted} {least}");
            }
            check(&text.chars().take(2_000).collect::<String>());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_never_count_less(text in "(.{0,40}|[A-Za-z' ]{0,80}|[0-9a-f]{0,200}|\\PC{0,60}|[a-c]{0,300}|[ \\n\\t]{0,200}|[٠-٩①-⑳]{0,90}|[一-龥]{0,80}){0,6}") {
            check(&text);
        }
    }
}
