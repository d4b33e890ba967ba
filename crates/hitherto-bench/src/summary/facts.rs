//! Facts that a summary should keep, and when it does.
//!
//! Invariant: the rule knows nothing of the method. A fact is kept if one entry of the summary has all of its terms;
//! a term is found in any case, as whole words or numbers, and `3.5` is not found in `13.5`, nor `16` in `16.2`.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::conversation::Conversation;

/// Something that a person would want remembered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// The line of the file on which it stands, from 1.
    pub(super) line: usize,
    /// All of these have to be there, each in one of its spellings, in lower case.
    terms: Vec<Vec<String>>,
    what: String,
}

impl Fact {
    /// Whether one entry of a summary says it.
    pub(super) fn is_in(&self, summary: &str) -> bool {
        let has_all = |entry: &str| {
            let entry = entry.to_lowercase();
            self.terms.iter().all(|spellings| spellings.iter().any(|term| has(&entry, term)))
        };
        summary.lines().any(has_all)
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<Fact>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse(line).with_context(|| format!("{line:?} in {}", path.display()))).collect()
}

/// Finds what was written down wrongly: every fact has to stand on its line.
pub(super) fn check(facts: &[Fact], conversation: &Conversation) -> Result<()> {
    for fact in facts {
        let line = conversation.lines.get(fact.line - 1).context("a fact beyond the end")?;
        ensure!(fact.is_in(&line.text.replace('\n', " ")), "line {} does not say: {}", fact.line, fact.what);
    }
    Ok(())
}

fn parse(line: &str) -> Result<Fact> {
    let mut fields = line.splitn(3, '\t');
    let mut next = || fields.next().context("three fields are needed");
    let number: usize = next()?.parse()?;
    ensure!(number > 0, "lines are counted from 1");
    let spellings = |term: &str| term.split('|').map(|spelling| spelling.trim().to_lowercase()).collect();
    let terms: Vec<Vec<String>> = next()?.split(" & ").map(spellings).collect();
    ensure!(terms.iter().flatten().all(|term| !term.is_empty()), "an empty term");
    Ok(Fact { line: number, terms, what: next()?.to_owned() })
}

/// Whether a text, in lower case, has a term as whole words or numbers.
fn has(text: &str, term: &str) -> bool {
    text.match_indices(term).any(|(at, _)| {
        let mut before = text[..at].chars().rev();
        let mut after = text[at + term.len()..].chars();
        let first = term.chars().next().unwrap_or_default();
        let last = term.chars().next_back().unwrap_or_default();
        !goes_on(first, before.next(), before.next()) && !goes_on(last, after.next(), after.next())
    })
}

/// Whether a word or number with this at its edge goes on in its neighbours.
fn goes_on(edge: char, next: Option<char>, next_but_one: Option<char>) -> bool {
    let Some(next) = next else { return false };
    let digits = edge.is_numeric() && next_but_one.is_some_and(char::is_numeric);
    let letter = |c: char| c.is_alphanumeric() && !super::methods::is_unspaced(c);
    letter(edge) && (letter(next) || (digits && matches!(next, '.' | ',' | ':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_kept_by_one_entry_with_all_of_its_terms() {
        let fact = parse("23\tmain b & undervolt|under volt\tThe problem").unwrap();
        let cases = [
            ("CDR: We've had a MAIN B BUS UNDERVOLT.", true),
            ("CDR: Main B, under volt", true),
            ("CDR: Main B\nCDR: undervolt", false),
            ("CDR: Main Bus, undervolt", false),
            ("", false),
        ];
        for (summary, kept) in cases {
            assert_eq!(fact.is_in(summary), kept, "{summary:?}");
        }
    }

    #[test]
    fn a_term_is_whole_words_and_numbers() {
        let cases = [
            ("the 16 feet", "16", true),
            ("the 160 feet", "16", false),
            ("at 16.5 feet", "16", false),
            ("at 16. then", "16", true),
            ("at 3.16, then", "16", false),
            ("-2.0 precisely", "-2.0", true),
            ("-2.05", "-2.0", false),
            ("x +003.30, y", "003.30", true),
            ("a false start", "false star", false),
            ("我住在上海", "上海", true),
            ("买FS100C吧", "fs100c吧", false),
            ("买fs100c吧", "fs100c", true),
        ];
        for (text, term, found) in cases {
            assert_eq!(has(text, term), found, "{term:?} in {text:?}");
        }
    }

    #[test]
    fn what_is_no_fact_is_refused() {
        for line in ["", "x\ta\tb", "0\ta\tb", "1\ta", "1\ta & \tb", "1\t|a\tb"] {
            assert!(parse(line).is_err(), "{line:?} was accepted");
        }
    }
}
