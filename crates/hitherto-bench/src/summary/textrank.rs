//! TextRank, as its authors describe it: sentences vote for the sentences with which they share words.
//!
//! R. Mihalcea and P. Tarau, "TextRank: Bringing Order into Texts", 2004: similarity is the number of shared words
//! over the sum of the logarithms of both lengths, damping 0.85, iterated until it settles.

use std::collections::{BTreeMap, HashMap};

const DAMPING: f64 = 0.85;
const ROUNDS: usize = 40;

/// The texts by their rank, the highest first.
pub(super) fn rank(texts: &[&str]) -> Vec<usize> {
    let edges = edges(texts);
    let weight: Vec<f64> = edges.iter().map(|edges| edges.iter().map(|(_, weight)| weight).sum()).collect();
    let mut ranks = vec![1.0; texts.len()];
    for _ in 0..ROUNDS {
        ranks = edges
            .iter()
            .map(|edges| {
                let votes: f64 = edges.iter().map(|(other, by)| ranks[*other] * by / weight[*other]).sum();
                1.0 - DAMPING + DAMPING * votes
            })
            .collect();
    }
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by(|a, b| ranks[*b].total_cmp(&ranks[*a]).then(a.cmp(b)));
    order
}

/// With which texts each one shares words, and how similar they are.
fn edges(texts: &[&str]) -> Vec<Vec<(usize, f64)>> {
    let words: Vec<Vec<String>> = texts.iter().map(|text| words(text)).collect();
    let mut stands_in: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, words) in words.iter().enumerate() {
        words.iter().for_each(|word| stands_in.entry(word).or_default().push(at));
    }
    let similar = |at: usize| {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        let others = words[at].iter().flat_map(|word| &stands_in[word.as_str()]);
        others.filter(|other| **other != at).for_each(|other| *shared.entry(*other).or_default() += 1);
        let log = |at: usize| (words[at].len() as f64).ln();
        // Texts of one word each have no logarithm to divide by.
        let similar = |(other, shared): (usize, usize)| (other, shared as f64 / (log(at) + log(other)));
        shared.into_iter().map(similar).filter(|(_, by)| by.is_finite()).collect()
    };
    (0..texts.len()).map(similar).collect()
}

/// The words of a text, each once, in lower case, without the commonest English ones.
fn words(text: &str) -> Vec<String> {
    const COMMON: [&str; 40] = [
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "do", "for", "from", "get", "have", "i",
        "in", "is", "it", "it's", "me", "my", "no", "not", "of", "on", "or", "so", "that", "the", "then",
        "there", "this", "to", "up", "was", "we", "what", "with", "you", "your",
    ];
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .filter(|word| !COMMON.contains(&word.as_str()))
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_words_with_many_comes_first() {
        let texts = ["red apples grow", "green apples fall down", "red apples fall", "nobody knows"];
        let order = rank(&texts);
        assert_eq!(order[0], 2);
        assert_eq!(order[3], 3);
    }
}
