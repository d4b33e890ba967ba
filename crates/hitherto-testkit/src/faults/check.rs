//! What is stored, beside what was acknowledged. Pure.
//!
//! Invariant: every acknowledged append is there whole, once, where the acknowledgement said; numbers rise by one;
//! the messages of an append stand next to one another; and a writer's acknowledged appends stand in the order in
//! which he sent them. An append that was never acknowledged is there once, whole, or not at all.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use super::sent::{Append, Sent};

/// One stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its sequence number.
    pub seq: u64,
    /// Its text.
    pub text: String,
}

/// Sessions by name, each whole and in order.
pub type Sessions = BTreeMap<String, Vec<Found>>;

/// What is wrong, in words, one line an append, session or message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Acknowledged and not there.
    pub lost: Vec<String>,
    /// There more than once.
    pub doubled: Vec<String>,
    /// There, but torn, at another place than was said, or before what was sent earlier.
    pub disordered: Vec<String>,
    /// What nobody sent.
    pub strange: Vec<String>,
    /// Acknowledged appends that went with all the store had, where it was made to forget.
    pub forgotten: usize,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        let Self { lost, doubled, disordered, strange, .. } = self;
        [lost, doubled, disordered, strange].iter().all(|wrong| wrong.is_empty())
    }

    /// All that is wrong, the first of each kind.
    pub fn said(&self) -> String {
        let kinds = [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("disordered", &self.disordered),
            ("strange", &self.strange),
        ];
        let mut out = String::new();
        for (kind, all) in kinds.iter().filter(|(_, all)| !all.is_empty()) {
            out.push_str(&format!("{} {kind}:\n", all.len()));
            for one in all.iter().take(10) {
                out.push_str(&format!("  {one}\n"));
            }
        }
        out
    }

    /// Adds what another look found.
    pub fn and(mut self, other: Self) -> Self {
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.disordered.extend(other.disordered);
        self.strange.extend(other.strange);
        self.forgotten = self.forgotten.max(other.forgotten);
        self
    }
}

/// Where an append stands: the session, and the number of each place at which it begins.
type Places = HashMap<Append, Vec<(String, u64)>>;

/// Compares what is stored with what was sent. Where the store was made to forget everything, what was first sent
/// before that moment may be gone, and is counted; what was sent after it must be there.
pub fn check(sent: &[Sent], stored: &Sessions, forgot_at: Option<Instant>) -> Verdict {
    let mut verdict = Verdict::default();
    let known: HashSet<Append> = sent.iter().map(|sent| sent.append).collect();
    let mut places = Places::new();
    for (session, found) in stored {
        check_session(session, found, &known, &mut places, &mut verdict);
    }
    check_sent(sent, &places, forgot_at, &mut verdict);
    check_order(sent, &places, &mut verdict);
    verdict
}

/// Numbers, and appends in one piece.
fn check_session(
    session: &str,
    found: &[Found],
    known: &HashSet<Append>,
    places: &mut Places,
    verdict: &mut Verdict,
) {
    let mut running: Option<(Append, u32)> = None;
    for (expected, found) in (1..).zip(found) {
        if found.seq != expected {
            verdict.disordered.push(format!("{session}: number {} where {expected} should be", found.seq));
        }
        let Some((append, index)) = Append::read(&found.text).filter(|(append, _)| known.contains(append))
        else {
            verdict.strange.push(format!("{session} {}: {}", found.seq, found.text));
            continue;
        };
        let follows = running.is_some_and(|(before, last)| before == append && last + 1 == index);
        if !follows {
            torn(session, running, verdict);
            if index != 0 {
                verdict
                    .disordered
                    .push(format!("{session} {}: {} without its beginning", found.seq, found.text));
            }
        }
        if index == 0 {
            places.entry(append).or_default().push((session.to_owned(), found.seq));
        }
        running = Some((append, index));
    }
    torn(session, running, verdict);
}

/// An append that broke off.
fn torn(session: &str, running: Option<(Append, u32)>, verdict: &mut Verdict) {
    if let Some((append, last)) = running.filter(|(append, last)| last + 1 != append.size) {
        verdict.disordered.push(format!("{session}: nothing after {}", append.text(last)));
    }
}

/// Each append, where it was acknowledged to be, and once.
fn check_sent(sent: &[Sent], places: &Places, forgot_at: Option<Instant>, verdict: &mut Verdict) {
    for sent in sent {
        let found = places.get(&sent.append).map_or(&[] as &[_], Vec::as_slice);
        let name = || format!("{} in {}", sent.append.text(0), sent.session);
        if found.len() > 1 {
            verdict.doubled.push(format!("{} at {found:?}", name()));
        }
        let Some(acknowledged) = sent.acknowledged else { continue };
        let there = found.contains(&(sent.session.clone(), acknowledged.first_seq));
        if there {
            continue;
        }
        match forgot_at {
            Some(moment) if sent.began < moment => verdict.forgotten += 1,
            _ if found.is_empty() => verdict.lost.push(name()),
            _ => verdict.disordered.push(format!(
                "{} at {found:?}, and acknowledged at {}",
                name(),
                acknowledged.first_seq
            )),
        }
    }
}

/// The order of each writer's acknowledged appends in each session.
fn check_order(sent: &[Sent], places: &Places, verdict: &mut Verdict) {
    let mut rows: BTreeMap<(u32, &str), Vec<(u32, u64)>> = BTreeMap::new();
    for sent in sent.iter().filter(|sent| sent.acknowledged.is_some()) {
        let first = places.get(&sent.append).and_then(|places| places.first());
        if let Some((session, seq)) = first {
            rows.entry((sent.append.writer, session)).or_default().push((sent.append.number, *seq));
        }
    }
    for ((writer, session), mut row) in rows {
        row.sort_unstable();
        for pair in row.windows(2) {
            if let [(before, seq), (after, next)] = pair
                && seq >= next
            {
                verdict.disordered.push(format!(
                    "{session}: append {after} of writer {writer} stands at {next}, before append {before} at {seq}"
                ));
            }
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
