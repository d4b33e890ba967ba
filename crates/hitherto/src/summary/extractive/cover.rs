//! A cover of rare words within a budget: the best sentence for its price first, where a word that is said already
//! is worth little when it is said again.
//!
//! Invariant: what is chosen never costs more than the budget by the given prices, and of two equal sentences the
//! one that was said first is chosen.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::worth::Candidate;

/// What a word still gives when it is said once or more often already.
const SAID_ONCE: f32 = 0.2;
const SAID_OFTEN: f32 = 0.04;
/// The words of a sentence give less than their sum: ten short statements say more than one long one.
const OF_SUM: f32 = 0.6;
/// What a sentence costs the reader, in tokens, beside its own.
const READING: f32 = 2.0;
/// A unit right behind or a little after another one of its entry: `…` and a space.
const JOINT: usize = 2;
/// Nothing is cheaper.
const LEAST: usize = 3;

/// A cover that grows.
#[derive(Debug)]
pub(super) struct Cover<'a> {
    candidates: &'a [Candidate],
    rareness: Vec<f32>,
    /// How often each word is said by what was chosen.
    said: Vec<u8>,
    /// For each entry what its beginning costs, nothing any more once something of it was chosen.
    opening: Vec<usize>,
    offers: BinaryHeap<Offer>,
    taken: Vec<bool>,
    chosen: Vec<usize>,
}

impl<'a> Cover<'a> {
    /// Nothing is chosen yet. `opening` is the price of each entry's beginning.
    pub(super) fn new(candidates: &'a [Candidate], rareness: Vec<f32>, opening: Vec<usize>) -> Self {
        let (said, taken) = (vec![0; rareness.len()], vec![false; candidates.len()]);
        let mut cover = Self {
            candidates,
            rareness,
            said,
            opening,
            offers: BinaryHeap::new(),
            taken,
            chosen: Vec::new(),
        };
        let offers = (0..candidates.len()).map(|at| cover.offer(at));
        cover.offers = offers.filter(|offer| offer.value > 0.0).collect();
        cover
    }

    /// What was chosen, the best first.
    pub(super) fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    /// Chooses until nothing more fits. Answers whether it chose anything.
    pub(super) fn choose(&mut self, mut budget: usize) -> bool {
        let before = self.chosen.len();
        let mut too_dear = Vec::new();
        while budget >= LEAST
            && let Some(offer) = self.offers.pop()
        {
            let at = offer.candidate.0;
            if self.taken.get(at).copied().unwrap_or(true) {
                continue;
            }
            let price = self.price(at);
            if price > budget {
                too_dear.push(offer);
                continue;
            }
            // What was chosen since may have made it worth less; then another one may be better.
            if offer.chosen < self.chosen.len() {
                let offer = self.offer(at);
                if self.offers.peek().is_some_and(|next| *next > offer) {
                    if offer.value > 0.0 {
                        self.offers.push(offer);
                    }
                    continue;
                }
            }
            budget -= price;
            self.take(at);
        }
        self.offers.extend(too_dear);
        self.chosen.len() > before
    }

    /// Chooses the first candidate that fits, whatever it is worth.
    pub(super) fn choose_any(&mut self, budget: usize) {
        if let Some(at) = (0..self.candidates.len()).find(|at| self.price(*at) <= budget) {
            self.take(at);
        }
    }

    /// Gives up what was chosen last, until at least so many tokens are saved.
    pub(super) fn give_up(&mut self, mut tokens: usize) {
        while tokens > 0
            && let Some(at) = self.chosen.pop()
        {
            tokens = tokens.saturating_sub(self.candidates.get(at).map_or(0, |candidate| candidate.price));
        }
    }

    /// The best candidate by itself, whatever it costs.
    pub(super) fn best(&self) -> Option<usize> {
        let value = |at: &usize| self.offer(*at).value;
        (0..self.candidates.len()).rev().max_by(|a, b| value(a).total_cmp(&value(b)))
    }

    fn take(&mut self, at: usize) {
        let Some(candidate) = self.candidates.get(at) else { return };
        self.chosen.push(at);
        if let Some(taken) = self.taken.get_mut(at) {
            *taken = true;
        }
        for (word, _) in &candidate.words {
            if let Some(said) = self.said.get_mut(*word) {
                *said = said.saturating_add(1);
            }
        }
        let entry = candidate.entry;
        if self.opening.get_mut(entry).map(std::mem::take).is_some_and(|price| price > 0) {
            // The rest of the entry has become cheaper. What was offered before is passed over: it is no better.
            let start = self.candidates.partition_point(|other| other.entry < entry);
            let end = self.candidates.partition_point(|other| other.entry <= entry);
            let cheaper: Vec<Offer> =
                (start..end).filter(|other| *other != at).map(|other| self.offer(other)).collect();
            self.offers.extend(cheaper.into_iter().filter(|offer| offer.value > 0.0));
        }
    }

    fn price(&self, at: usize) -> usize {
        let Some(candidate) = self.candidates.get(at) else { return usize::MAX };
        let opening = self.opening.get(candidate.entry).copied().unwrap_or_default();
        candidate.price + opening.max(JOINT)
    }

    /// A candidate with what it adds now, for its price.
    fn offer(&self, at: usize) -> Offer {
        let add = |(word, weight): &(usize, f32)| {
            let left = match self.said.get(*word) {
                Some(0) | None => 1.0,
                Some(1) => SAID_ONCE,
                Some(_) => SAID_OFTEN,
            };
            weight * left * self.rareness.get(*word).copied().unwrap_or_default()
        };
        let value = self.candidates.get(at).map_or(0.0, |candidate| {
            let sum: f32 = candidate.words.iter().map(add).sum();
            candidate.worth * sum.powf(OF_SUM) / (self.price(at) as f32 + READING)
        });
        Offer { value, candidate: Reverse(at), chosen: self.chosen.len() }
    }
}

/// A candidate, and what it added for its price when so many were chosen.
#[derive(Debug)]
struct Offer {
    value: f32,
    candidate: Reverse<usize>,
    chosen: usize,
}

impl Ord for Offer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.total_cmp(&other.value).then_with(|| self.candidate.cmp(&other.candidate))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Offer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Offer {}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(entry: usize, unit: usize, price: usize, words: &[usize]) -> Candidate {
        Candidate { entry, unit, price, words: words.iter().map(|word| (*word, 1.0)).collect(), worth: 1.0 }
    }

    fn chosen(candidates: &[Candidate], budget: usize) -> Vec<usize> {
        let mut cover = Cover::new(candidates, vec![1.0; 9], vec![4; 9]);
        cover.choose(budget);
        cover.chosen().to_vec()
    }

    #[test]
    fn what_adds_most_for_its_price_comes_first() {
        let all =
            [candidate(0, 0, 10, &[1]), candidate(1, 0, 10, &[2, 3, 4]), candidate(2, 0, 5, &[5, 6, 7])];
        assert_eq!(chosen(&all, 100), [2, 1, 0]);
        assert_eq!(chosen(&all, 14), [2]);
        assert!(chosen(&all, 8).is_empty());
    }

    #[test]
    fn what_was_said_already_comes_last() {
        let all = [candidate(0, 0, 10, &[1, 2]), candidate(1, 0, 10, &[1, 2]), candidate(2, 0, 10, &[3])];
        assert_eq!(chosen(&all, 100), [0, 2, 1]);
    }

    #[test]
    fn more_of_an_entry_costs_no_second_beginning() {
        let all = [candidate(0, 0, 10, &[1, 2]), candidate(0, 1, 10, &[3]), candidate(1, 0, 10, &[4])];
        assert_eq!(chosen(&all, 26), [0, 1]);
    }
}
