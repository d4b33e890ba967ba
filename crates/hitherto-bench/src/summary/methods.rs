//! The usual ways of making a conversation short: its beginning, its end, chance, and TextRank.
//!
//! Invariant: every method gets the whole conversation at once, writes one entry a message as `speaker: text`, and
//! fills the budget with as much of its choice as fits.

use super::conversation::Conversation;
use super::{ENCODING, textrank};

/// A text that a method may choose.
#[derive(Debug)]
pub(super) struct Choice {
    message: usize,
    text: String,
    /// How many tokens it is, with its speaker.
    tokens: usize,
}

/// A conversation, and what the slower methods make of it whatever the budget.
#[derive(Debug)]
pub(super) struct Ranked {
    speakers: Vec<String>,
    messages: Vec<Choice>,
    sentences: Vec<Choice>,
    /// Messages and sentences, the highest rank first.
    message_ranks: Vec<usize>,
    sentence_ranks: Vec<usize>,
}

/// The summaries that a method makes: several where chance is in it.
type Method = fn(&Ranked, usize) -> Vec<String>;

pub(super) const METHODS: [(&str, Method); 5] = [
    ("first lines", |ranked, budget| vec![ranked.until_full(0..ranked.messages.len(), budget)]),
    ("last lines", |ranked, budget| vec![ranked.until_full((0..ranked.messages.len()).rev(), budget)]),
    ("random lines", |ranked, budget| (1..=SEEDS).map(|seed| ranked.random(seed, budget)).collect()),
    ("TextRank of lines", |ranked, budget| {
        vec![ranked.fill(&ranked.messages, ranked.message_ranks.iter().copied(), budget, false)]
    }),
    ("TextRank of sentences", |ranked, budget| {
        vec![ranked.fill(&ranked.sentences, ranked.sentence_ranks.iter().copied(), budget, false)]
    }),
];

const SEEDS: u64 = 20;

impl Ranked {
    pub(super) fn of(conversation: &Conversation) -> Self {
        let speakers: Vec<String> = conversation.lines.iter().map(|line| line.speaker().to_owned()).collect();
        let choice = |message: usize, text: &str| {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let tokens = ENCODING.count(&format!("{}: {text}\n", speakers[message]));
            Choice { message, text, tokens }
        };
        let lines = || conversation.lines.iter().enumerate();
        let messages: Vec<Choice> = lines().map(|(at, line)| choice(at, &line.text)).collect();
        let sentences: Vec<Choice> = lines()
            .flat_map(|(at, line)| sentences(&line.text).into_iter().map(move |text| (at, text)))
            .map(|(at, text)| choice(at, text))
            .collect();
        let rank = |choices: &[Choice]| {
            textrank::rank(&choices.iter().map(|choice| choice.text.as_str()).collect::<Vec<_>>())
        };
        let (message_ranks, sentence_ranks) = (rank(&messages), rank(&sentences));
        Self { speakers, messages, sentences, message_ranks, sentence_ranks }
    }

    /// The messages in this order up to the first that does not fit.
    fn until_full(&self, order: impl Iterator<Item = usize>, budget: usize) -> String {
        self.fill(&self.messages, order, budget, true)
    }

    fn random(&self, seed: u64, budget: usize) -> String {
        let mut order: Vec<usize> = (0..self.messages.len()).collect();
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for at in (1..order.len()).rev() {
            // SplitMix64: enough to shuffle, and the same on every machine.
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut random = state;
            random = (random ^ (random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            random = (random ^ (random >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            order.swap(at, ((random ^ (random >> 31)) % (at as u64 + 1)) as usize);
        }
        self.fill(&self.messages, order.into_iter(), budget, false)
    }

    fn fill(&self, all: &[Choice], order: impl Iterator<Item = usize>, budget: usize, stop: bool) -> String {
        let mut chosen = Vec::new();
        let mut used = 0;
        for at in order {
            if used + all[at].tokens <= budget {
                used += all[at].tokens;
                chosen.push(at);
            } else if stop {
                break;
            }
        }
        chosen.sort_unstable();
        let mut out = String::new();
        let mut last = None;
        for Choice { message, text, .. } in chosen.into_iter().map(|at| &all[at]) {
            if last == Some(*message) {
                out.push(' ');
            } else {
                out.push_str(&format!(
                    "{}{}: ",
                    if last.is_some() { "\n" } else { "" },
                    self.speakers[*message]
                ));
            }
            out.push_str(text);
            last = Some(*message);
        }
        out
    }
}

/// The sentences of a text, as plainly as can be.
fn sentences(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if (c.is_whitespace() && matches!(before, '.' | '!' | '?'))
            || matches!(before, '。' | '！' | '？' | '\n')
        {
            out.push(text[from..at].trim());
            from = at;
        }
        before = c;
    }
    out.push(text[from..].trim());
    out.retain(|sentence| !sentence.is_empty());
    out
}

/// Chinese and Japanese characters, which are words without spaces between them.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_takes_what_fits_and_keeps_order() {
        let lines = ["One is here.", "Two is there. And three!", "Four"];
        let json = |text: &&str| format!("{{\"role\":\"user\",\"content\":\"{text}\"}}\n");
        let text: String = lines.iter().map(json).collect();
        let ranked = Ranked::of(&Conversation::parse(&text).unwrap());
        assert_eq!(METHODS[0].1(&ranked, 8), ["user: One is here."]);
        assert_eq!(METHODS[1].1(&ranked, 5), ["user: Four"]);
        for (name, method) in METHODS {
            for summary in method(&ranked, 1000) {
                let all = "user: One is here.\nuser: Two is there. And three!\nuser: Four";
                assert_eq!(summary, all, "{name}");
            }
        }
    }
}
