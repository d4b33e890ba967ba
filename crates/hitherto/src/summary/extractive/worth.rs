//! What a sentence is worth: its words, rare ones most, and how much it is like a fact.
//!
//! Invariant: what is worth something here never depends on what a conversation is about.

use std::collections::HashMap;

use crate::message::Role;

use super::entry::{Entry, Unit};
use super::markers;
use super::words::{self, Kind};

/// A unit as it competes for a place in the summary.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) entry: usize,
    pub(super) unit: usize,
    /// Its words, by their places in the vocabulary, each with its weight.
    pub(super) words: Vec<(usize, f32)>,
    /// By which the sum of its words is multiplied.
    pub(super) worth: f32,
}

pub(super) struct Knobs {
    pub num: f32,
    pub name: f32,
    pub pair: f32,
    pub idf_pow: f32,
    pub numdim: f32,
    pub neg: f32,
    pub dec: f32,
    pub pref: f32,
    pub first: f32,
    pub event: f32,
    pub meas: f32,
    pub question: f32,
    pub asst: f32,
    pub user: f32,
    pub cap: f32,
    pub decay: f32,
    pub cost_pow: f32,
    pub cost_add: f32,
    pub lenprior: f32,
    pub hasnum: f32,
    pub hasname: f32,
    pub broken: f32,
    pub idf_base: f32,
    pub pos: f32,
    pub burst: f32,
}
pub(super) fn knob(name: &str, default: f32) -> f32 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}
impl Knobs {
    pub(super) fn new() -> Self {
        Self {
            num: knob("NUM", 1.5),
            name: knob("NAME", 1.3),
            pair: knob("PAIR", 0.5),
            idf_pow: knob("IDFP", 1.0),
            numdim: knob("NUMDIM", 0.7),
            neg: knob("NEG", 0.15),
            dec: knob("DEC", 0.2),
            pref: knob("PREF", 0.3),
            first: knob("FIRST", 0.15),
            event: knob("EVENT", 0.3),
            meas: knob("MEAS", 0.2),
            question: knob("Q", 0.5),
            asst: knob("ASST", 0.8),
            user: knob("USER_", 1.0),
            cap: knob("CAP", 2.0),
            decay: knob("DECAY", 0.2),
            cost_pow: knob("CP", 0.8),
            cost_add: knob("CA", 2.0),
            lenprior: knob("LEN", 0.5),
            hasnum: knob("HASNUM", 0.2),
            hasname: knob("HASNAME", 0.1),
            broken: knob("BROKEN", 0.7),
            idf_base: knob("IDFB", 0.0),
            pos: knob("POS", 0.0),
            burst: knob("BURST", 0.0),
        }
    }
}

/// The words of all that is in hand, and in how many entries each stands.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    places: HashMap<String, usize>,
    entries: Vec<u32>,
    last: Vec<usize>,
    total: usize,
}

impl Vocabulary {
    /// The place of a word, which is counted once an entry.
    fn place(&mut self, word: String, entry: usize) -> usize {
        let place = *self.places.entry(word).or_insert_with(|| {
            self.entries.push(0);
            self.last.push(usize::MAX);
            self.entries.len() - 1
        });
        if let (Some(count), Some(last)) = (self.entries.get_mut(place), self.last.get_mut(place))
            && *last != entry
        {
            *count += 1;
            *last = entry;
        }
        place
    }

    /// How rare each word is: 1 if it stands in one entry only, 0 if in all of them.
    pub(super) fn rareness(&self, k: &Knobs) -> Vec<f32> {
        let total = (self.total.max(2) as f32).ln();
        let total = if k.idf_base > 0.0 { total.max(k.idf_base) } else { total };
        self.entries
            .iter()
            .map(|count| (1.0 - (*count as f32).ln() / total).clamp(0.0, 1.0).powf(k.idf_pow))
            .collect()
    }
}

pub(super) fn candidates(entries: &[Entry], k: &Knobs) -> (Vec<Candidate>, Vocabulary) {
    let mut vocabulary = Vocabulary { total: entries.len(), ..Vocabulary::default() };
    let mut out = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (at, entry) in entries.iter().enumerate() {
        for (unit_at, unit) in entry.units.iter().enumerate() {
            if !seen.insert(unit.text.as_str()) {
                continue;
            }
            let open = at + 2 >= entries.len();
            out.push(candidate(at, entry, unit_at, unit, open, k, &mut vocabulary));
        }
    }
    (out, vocabulary)
}

fn candidate(
    at: usize,
    entry: &Entry,
    unit_at: usize,
    unit: &Unit,
    open: bool,
    k: &Knobs,
    vocabulary: &mut Vocabulary,
) -> Candidate {
    let (mut negation, mut decision, mut preference, mut first, mut event, mut measure) = Default::default();
    let mut names = 0.0_f32;
    let mut numbers = 0.0_f32;
    let mut out: Vec<(usize, f32)> = Vec::new();
    let mut unspaced = false;
    for word in words::words(&unit.text) {
        let text = word.text.as_str();
        negation |= markers::is_negation(text);
        decision |= markers::is_decision(text);
        preference |= markers::is_preference(text);
        first |= markers::is_first_person(text);
        event |= markers::is_event(text);
        measure |= markers::is_measure(text);
        let weight = match word.kind {
            Kind::Pair => {
                unspaced = true;
                if markers::is_empty_pair(text) { 0.0 } else { k.pair }
            }
            _ if markers::is_empty(text) => 0.0,
            Kind::Number => {
                numbers += 1.0;
                k.num / numbers.powf(k.numdim)
            }
            Kind::Name => {
                names += 1.0;
                k.name
            }
            Kind::Plain => {
                let len = text.chars().count() as f32;
                1.0 - k.lenprior * (1.0 - (len / 6.0).min(1.0))
            }
        };
        if weight == 0.0 {
            continue;
        }
        let mut text = word.text;
        if word.kind != Kind::Number && word.kind != Kind::Pair && text.len() > 3 {
            if let Some(short) = text.strip_suffix("'s").or_else(|| text.strip_suffix('s')) {
                text = short.to_owned();
            }
        }
        let place = vocabulary.place(text, at);
        if !out.iter().any(|(other, _)| *other == place) {
            out.push((place, weight));
        }
    }
    if unspaced {
        let [n, d, p, f] = markers::unspaced(&unit.text);
        negation |= n;
        decision |= d;
        preference |= p;
        first |= f;
    }
    let yes = |mark: bool, by: f32| if mark { by } else { 0.0 };
    let mut worth = 1.0
        + (yes(negation, k.neg)
            + yes(decision, k.dec)
            + yes(preference, k.pref)
            + yes(first, k.first)
            + yes(event, k.event)
            + yes(measure, k.meas)
            + yes(numbers > 0.0, k.hasnum)
            + yes(names > 0.0, k.hasname))
        .min(k.cap);
    let ended = unit.text.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '?' && c != '？');
    if ended.ends_with(['?', '？', '؟']) {
        worth *= if open { (1.0 + k.question) / 2.0 } else { k.question };
    }
    if unit.text.ends_with(['-', '–', '—']) {
        worth *= k.broken;
    }
    if unit.code {
        worth *= 0.3;
    }
    match entry.role {
        Some(Role::User) => worth *= k.user,
        Some(Role::Assistant) => worth *= k.asst,
        Some(Role::Tool) => worth *= 0.6,
        Some(Role::System) => worth *= 0.8,
        None => {}
    }
    let lower = unit.text.to_lowercase();
    if entry.role != Some(Role::User) && markers::is_opening(&lower) {
        worth *= 0.15;
    }
    if k.pos > 0.0 && entry.role == Some(Role::Assistant) {
        worth /= 1.0 + k.pos * unit_at as f32;
    }
    Candidate { entry: at, unit: unit_at, words: out, worth }
}
