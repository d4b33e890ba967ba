//! BM25: how well each message answers a question, from how often it says the question's terms, how rare those are
//! in the session, and how long it is.
//!
//! The formula is that of Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond"
//! (Foundations and Trends in Information Retrieval 3(4), 2009), equation 3.15, with their usual k1 = 1.2 and b = 0.75;
//! the weight of a term is ln(1 + (N − n + 0.5) / (n + 0.5)), as in Lucene's `BM25Similarity`, which is never negative.
//!
//! Invariant: of a message only numbers are kept.

use std::collections::HashMap;

use super::language::Language;
use super::words::{As, Reader};
use crate::store::Seq;

/// How soon more of the same term stops to count.
const K1: f64 = 1.2;
/// How much the length of a message counts.
const B: f64 = 0.75;
/// How many different terms of a question are looked for: the first ones.
const TERMS: usize = 64;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Question {
    terms: HashMap<String, usize>,
    reader: Reader,
}

impl Question {
    /// A text as a question in that language.
    pub(crate) fn new(text: &str, language: Language) -> Self {
        let mut found = HashMap::new();
        let mut reader = Reader::new(language);
        reader.terms(text, As::Question, |term| {
            let next = found.len();
            if next < TERMS && !found.contains_key(term) {
                found.insert(term.to_owned(), next);
            }
        });
        Self { terms: found, reader }
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

/// What was counted of the messages so far.
#[derive(Debug)]
pub(crate) struct Tally {
    question: Question,
    messages: u64,
    words: u64,
    /// Of each term, how many messages say it.
    with_term: Vec<u64>,
    candidates: Vec<Candidate>,
}

/// A message that says at least one of the terms.
#[derive(Debug)]
struct Candidate {
    seq: Seq,
    words: u32,
    /// Which terms it says, and how often.
    says: Vec<(usize, u32)>,
}

impl Tally {
    pub(crate) fn new(question: Question) -> Self {
        let with_term = vec![0; question.terms.len()];
        Self { question, messages: 0, words: 0, with_term, candidates: Vec::new() }
    }

    /// Counts a message.
    pub(crate) fn add(&mut self, seq: Seq, text: &str) {
        let mut says: Vec<(usize, u32)> = Vec::new();
        let Question { terms: asked, reader } = &mut self.question;
        let words = reader.terms(text, As::Message, |term| {
            let Some(&term) = asked.get(term) else { return };
            match says.iter_mut().find(|(found, _)| *found == term) {
                Some((_, times)) => *times = times.saturating_add(1),
                None => says.push((term, 1)),
            }
        });
        self.messages += 1;
        self.words += u64::from(words);
        for (term, _) in &says {
            if let Some(count) = self.with_term.get_mut(*term) {
                *count += 1;
            }
        }
        if !says.is_empty() {
            self.candidates.push(Candidate { seq, words, says });
        }
    }

    /// The best messages and their scores: best first, and the newest first of those that are equally good.
    pub(crate) fn best(self, limit: usize) -> Vec<(Seq, f64)> {
        #[allow(clippy::cast_precision_loss, reason = "counts of messages are far below 2^52")]
        let float = |count: u64| count as f64;
        let average = float(self.words) / float(self.messages.max(1));
        let rarity: Vec<f64> = self
            .with_term
            .iter()
            .map(|&with| (1.0 + (float(self.messages - with) + 0.5) / (float(with) + 0.5)).ln())
            .collect();
        let mut scored: Vec<(Seq, f64)> = self
            .candidates
            .iter()
            .map(|candidate| {
                let long = f64::from(candidate.words) / average.max(f64::MIN_POSITIVE);
                let score = candidate.says.iter().map(|&(term, times)| {
                    let times = f64::from(times);
                    let rarity = rarity.get(term).copied().unwrap_or_default();
                    rarity * times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * long))
                });
                (candidate.seq, score.sum())
            })
            .collect();
        scored.sort_by(|(seq, score), (other_seq, other)| other.total_cmp(score).then(other_seq.cmp(seq)));
        scored.truncate(limit);
        scored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(question: &str, messages: &[&str], limit: usize) -> Vec<(Seq, f64)> {
        let mut tally = Tally::new(Question::new(question, Language::English));
        for (text, seq) in messages.iter().zip(1..) {
            tally.add(seq, text);
        }
        tally.best(limit)
    }

    fn check(question: &str, messages: &[&str], expected: &[Seq]) {
        let found: Vec<Seq> = ranked(question, messages, 10).into_iter().map(|(seq, _)| seq).collect();
        assert_eq!(found, expected, "{question:?} in {messages:?}");
    }

    #[test]
    fn the_best_come_first() {
        check("", &["a"], &[]);
        check("dog", &[], &[]);
        check("dog", &["cat"], &[]);
        check("dog", &["a cat", "a dog", "a cow"], &[2]);
        // Whatever its ending or case is.
        check("Dogs", &["a dog", "DOGS!"], &[2, 1]);
        // More often, then shorter, then newer.
        check("dog", &["dog dog cat", "dog cat cat"], &[1, 2]);
        check("dog", &["dog and much more that is said", "dog cat"], &[2, 1]);
        check("dog", &["dog a", "dog b", "dog c"], &[3, 2, 1]);
        // A rare word says more than a frequent one.
        check("the zebra", &["the the cow", "the dog", "zebra here", "the cat"], &[3, 1, 4, 2]);
        check("红色的鞋", &["我喜欢蓝色", "我买了红色的鞋", "鞋子很贵"], &[2]);
        check("鞋", &["我喜欢蓝色", "我买了红色的鞋", "鞋子很贵"], &[3, 2]);
    }

    #[test]
    fn the_limit_holds() {
        assert_eq!(ranked("dog", &["dog"; 30], 3).len(), 3);
        assert_eq!(ranked("dog", &["dog"; 30], 0).len(), 0);
    }

    /// Computed by hand from the formula: N = 3, n = 2, lengths 2, 4, 3, average 3.
    #[test]
    fn the_score_is_that_of_the_formula() {
        let found = ranked("dog", &["dog cat", "dog dog cow hen", "hen cow cat"], 10);
        let rarity = (1.0_f64 + 1.5 / 2.5).ln();
        let expected = [
            (2, rarity * 2.0 * 2.2 / (2.0 + 1.2 * (0.25 + 0.75 * 4.0 / 3.0))),
            (1, rarity * 2.2 / (1.0 + 1.2 * (0.25 + 0.75 * 2.0 / 3.0))),
        ];
        for ((seq, score), (expected_seq, expected)) in found.iter().zip(expected) {
            assert_eq!(*seq, expected_seq);
            assert!((score - expected).abs() < 1e-12, "{score} {expected}");
        }
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_question_has_so_many_terms_and_no_more() {
        let long: String = (0..10_000).map(|number| format!("word{number} ")).collect();
        assert_eq!(Question::new(&long, Language::English).terms.len(), TERMS);
        assert!(Question::new(" \n…", Language::English).is_empty());
    }
}
