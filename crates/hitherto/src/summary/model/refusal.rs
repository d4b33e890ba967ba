//! Answers that are no summary although they are text: refusals, and ways to say that there is nothing to say.
//!
//! Invariant: only a whole, short answer is taken for one of these. A summary that tells that somebody refused,
//! or that begins with "None of them", is a summary.

/// The longest refusal that is recognised, in characters.
const SHORT: usize = 300;

/// How refusals begin in English, with a plain apostrophe and in small letters.
const REFUSALS: [&str; 26] = [
    "i'm sorry, but i can't",
    "i'm sorry, but i cannot",
    "i'm sorry, but i'm not able",
    "i'm sorry, but i'm unable",
    "i'm sorry, but i am unable",
    "i'm sorry, i can't",
    "i'm sorry, i cannot",
    "i am sorry, but i can't",
    "i am sorry, but i cannot",
    "i am sorry, but i am unable",
    "sorry, but i can't",
    "sorry, i can't",
    "sorry, i cannot",
    "i apologize, but i can",
    "i can't assist",
    "i cannot assist",
    "i can't help with",
    "i cannot help with",
    "i can't provide",
    "i cannot provide",
    "i can't comply",
    "i cannot fulfill",
    "i can't summarize",
    "i cannot summarize",
    "i'm unable to",
    "i am unable to",
];

/// What stands for nothing, in small letters and without marks around it.
const NOTHING: [&str; 44] = [
    "none",
    "n/a",
    "na",
    "null",
    "nil",
    "nothing",
    "empty",
    "undefined",
    "no summary",
    "no summary available",
    "no summary needed",
    "no content",
    "no response",
    "no change",
    "no changes",
    "no changes needed",
    "no update",
    "no updates",
    "no update needed",
    "no new information",
    "there is no new information",
    "no relevant information",
    "nothing new",
    "nothing to add",
    "nothing to summarize",
    "nothing to summarise",
    "nothing worth keeping",
    "there is nothing to summarize",
    "there is nothing to summarise",
    "there's nothing to summarize",
    "there's nothing to summarise",
    "there is nothing worth keeping",
    "there is no summary",
    "there is no summary yet",
    "unchanged",
    "same",
    "same as before",
    "summary unchanged",
    "previous summary",
    "previous summary unchanged",
    "the summary is unchanged",
    "the summary remains unchanged",
    "the previous summary is unchanged",
    "the summary so far remains unchanged",
];

/// Whether the whole answer is a refusal.
pub(super) fn is_refusal(text: &str) -> bool {
    let text = small(text);
    text.chars().count() <= SHORT && REFUSALS.iter().any(|opening| text.starts_with(opening))
}

/// Whether the answer says nothing: no letter and no digit, or one of the ways to say so. Such an answer in the
/// place of the old summary would lose all that it stood for.
pub(super) fn is_nothing(text: &str) -> bool {
    let text = small(text);
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    text.is_empty() || NOTHING.contains(&text)
}

fn small(text: &str) -> String {
    text.trim().replace(['\u{2019}', '\u{2018}'], "'").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_nothing_is_known() {
        let check = |text: &str, expected| assert_eq!(is_nothing(text), expected, "{text}");
        for nothing in [
            "",
            " \n ",
            "NONE",
            "None.",
            "none",
            "N/A",
            "null",
            "(empty)",
            "[none]",
            "**None**",
            "\"\"",
            "...",
            "—",
            "There is nothing to summarize.",
            "There’s nothing to summarise.",
            "No changes.",
            "(unchanged)",
            "The summary remains unchanged.",
            "(There is no summary yet.)",
        ] {
            check(nothing, true);
        }
        for something in ["None of them came.", "Zoë", "42", "無", "Nothing was decided.", "No. 5 is alive."]
        {
            check(something, false);
        }
    }

    #[test]
    fn a_refusal_is_short_and_begins_like_one() {
        let check = |text: &str, expected| assert_eq!(is_refusal(text), expected, "{text}");
        check("I'm sorry, but I can't help with that.", true);
        check("I’m sorry, but I can’t assist with that request.", true);
        check(" I cannot assist with this.", true);
        check("Sorry, I can't do that.", true);
        check("I'm unable to summarize this conversation.", true);
        check("The assistant said: I'm sorry, but I can't help with that.", false);
        check("Zoë is sorry that she cannot come.", false);
        check("I can fly on Tuesday, said Jim.", false);
        check(&format!("I'm unable to {}", "walk, said Jim. ".repeat(30)), false);
    }
}
