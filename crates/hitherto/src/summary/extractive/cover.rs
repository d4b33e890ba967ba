//! A cover of rare words within a budget: the best sentence for its price first, where a word that is said already
//! is worth little when said again.
//!
//! Invariant: what is chosen never costs more than the budget by the given prices, and equal sentences are chosen in
//! the order in which they were said.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::worth::{Candidate, Knobs};

#[derive(Debug, PartialEq)]
struct Offer {
    value: f32,
    candidate: Reverse<usize>,
    /// How many were chosen when the value was worked out.
    at: usize,
}

impl Eq for Offer {}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Offer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.total_cmp(&other.value).then_with(|| self.candidate.cmp(&other.candidate))
    }
}

/// A cover that grows.
#[derive(Debug)]
pub(super) struct Cover<'a> {
    candidates: &'a [Candidate],
    prices: &'a [usize],
    rareness: Vec<f32>,
    /// How often each word is said by what was chosen.
    said: Vec<u8>,
    offers: BinaryHeap<Offer>,
    pub(super) chosen: Vec<usize>,
    k: &'a Knobs,
}
impl std::fmt::Debug for Knobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("k")
    }
}

impl<'a> Cover<'a> {
    pub(super) fn new(
        candidates: &'a [Candidate],
        prices: &'a [usize],
        rareness: Vec<f32>,
        k: &'a Knobs,
    ) -> Self {
        let said = vec![0; rareness.len()];
        let mut cover =
            Self { candidates, prices, rareness, said, offers: BinaryHeap::new(), chosen: Vec::new(), k };
        let offers =
            (0..candidates.len()).map(|at| Offer { value: cover.value(at), candidate: Reverse(at), at: 0 });
        cover.offers = offers.filter(|offer| offer.value > 0.0).collect();
        cover
    }

    /// Chooses until nothing fits into the budget any more; what did not fit is not offered again.
    pub(super) fn choose(&mut self, mut budget: usize) {
        let mut left_out = Vec::new();
        while let Some(mut offer) = self.offers.pop() {
            let candidate = offer.candidate.0;
            let price = self.prices.get(candidate).copied().unwrap_or(usize::MAX);
            if price > budget {
                left_out.push(offer);
                continue;
            }
            if offer.at < self.chosen.len() {
                offer.value = self.value(candidate);
                offer.at = self.chosen.len();
                if self.offers.peek().is_some_and(|next| *next > offer) {
                    if offer.value > 0.0 {
                        self.offers.push(offer);
                    }
                    continue;
                }
            }
            if offer.value <= 0.0 {
                continue;
            }
            budget -= price;
            self.chosen.push(candidate);
            let words = self.candidates.get(candidate).map_or(&[][..], |candidate| &candidate.words);
            for (word, _) in words {
                if let Some(said) = self.said.get_mut(*word) {
                    *said = said.saturating_add(1);
                }
            }
        }
        self.offers.extend(left_out);
    }

    /// What a candidate adds, for its price.
    fn value(&self, at: usize) -> f32 {
        let (Some(candidate), Some(price)) = (self.candidates.get(at), self.prices.get(at)) else {
            return 0.0;
        };
        let word = |(word, weight): &(usize, f32)| {
            let rareness = self.rareness.get(*word).copied().unwrap_or_default();
            let left = match self.said.get(*word) {
                Some(0) | None => 1.0,
                Some(1) => self.k.decay,
                Some(_) => self.k.decay * self.k.decay,
            };
            weight * rareness * left
        };
        let sum: f32 = candidate.words.iter().map(word).sum();
        candidate.worth * sum / (*price as f32 + self.k.cost_add).powf(self.k.cost_pow)
    }
}
