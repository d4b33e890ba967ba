//! What a session's writers were told, and whether that is what is stored.
//!
//! Invariants (I1, I2, I3): an acknowledged message stands once, where its receipt says; an append that nobody was
//! told the end of stands at most once, in one piece.

use std::collections::{BTreeMap, BTreeSet};

use hitherto::store::{Seq, Slice};

use super::ledger::line_text;

/// What is known of a session from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Chronicle {
    /// The texts of acknowledged messages, edits included.
    pub(super) said: BTreeMap<Seq, String>,
    /// What was deleted or popped.
    pub(super) gone: BTreeSet<Seq>,
    /// Appends that were given up.
    pub(super) given_up: Vec<Vec<String>>,
    /// Whether a pop may have happened of which nobody was told.
    pub(super) loose: bool,
}

impl Chronicle {
    /// Compares it with all places that the session holds.
    pub(super) fn check(&self, slice: &Slice) -> Result<(), String> {
        // Runs of places that nobody was told of, with what stands there, if it was not removed.
        let mut others: Vec<Vec<(Seq, Option<String>)>> = Vec::new();
        for entry in &slice.entries {
            let text = match &entry.record {
                Ok(record) => record.message.as_ref().map(line_text),
                Err(error) => return Err(format!("place {} cannot be read: {error:?}", entry.seq)),
            };
            match (self.said.get(&entry.seq), text) {
                (None, None) if !self.loose && !self.gone.contains(&entry.seq) => {
                    return Err(format!("place {} was deleted by nobody", entry.seq));
                }
                (None, text) => match others.last_mut() {
                    Some(run) if run.last().is_some_and(|(seq, _)| seq + 1 == entry.seq) => {
                        run.push((entry.seq, text));
                    }
                    _ => others.push(vec![(entry.seq, text)]),
                },
                (Some(_), Some(_)) if self.gone.contains(&entry.seq) => {
                    return Err(format!("message {} is back", entry.seq));
                }
                (Some(said), Some(text)) if *said != text => {
                    return Err(format!("message {} is {text:?}, not {said:?}", entry.seq));
                }
                (Some(_), None) if !self.loose && !self.gone.contains(&entry.seq) => {
                    return Err(format!("message {} is lost", entry.seq));
                }
                (Some(_), _) => {}
            }
        }
        if let Some(last) = self.said.keys().next_back().filter(|last| **last > slice.last) {
            return Err(format!("message {last} is lost: the last is {}", slice.last));
        }
        self.check_others(slice.base, others)
    }

    /// What nobody was told of has to be appends that were given up, each whole and once; some of it may have been
    /// removed since, and the beginning of the first by a maximum of messages.
    fn check_others(&self, base: Seq, others: Vec<Vec<(Seq, Option<String>)>>) -> Result<(), String> {
        let mut left = self.given_up.clone();
        for run in others {
            let mut rest = run.as_slice();
            while let Some((first, _)) = rest.first() {
                let trimmed = base > 0 && *first == base + 1;
                let length = |batch: &Vec<String>| {
                    (0..batch.len()).take(if trimmed { batch.len() } else { 1 }).find_map(|from| {
                        let batch = batch.get(from..)?;
                        let there = rest.get(..batch.len())?;
                        let mut pairs = there.iter().zip(batch);
                        let same =
                            pairs.all(|((_, text), said)| text.as_ref().is_none_or(|text| text == said));
                        same.then_some(batch.len())
                    })
                };
                let found = left.iter().enumerate().find_map(|(at, batch)| Some((at, length(batch)?)));
                let Some((at, length)) = found else {
                    return Err(format!("nobody said, or said so often, what stands at {run:?}"));
                };
                left.swap_remove(at);
                rest = rest.get(length..).unwrap_or_default();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hitherto::store::Entry;
    use hitherto::{Message, Record, Role, Timestamp};

    use super::*;

    /// A session of the texts, of which the first were acknowledged; a dot is deleted.
    fn check(stored: &[&str], said: &[&str], given_up: &[&[&str]], good: bool) {
        let record = |text: &str| {
            let now = Timestamp::from_millis(0);
            let record = Record::new(Message::new(Role::User, text), uuid::Uuid::nil(), now);
            if text == "." { record.deleted() } else { record }
        };
        let entries = (1..).zip(stored).map(|(seq, text)| Entry { seq, record: Ok(record(text)) }).collect();
        let slice = Slice { entries, base: 0, last: stored.len() as u64, deleted: 0 };
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let chronicle = Chronicle {
            said: (1..).zip(own(said)).collect(),
            given_up: given_up.iter().map(|batch| own(batch)).collect(),
            ..Chronicle::default()
        };
        let found = chronicle.check(&slice);
        assert_eq!(found.is_ok(), good, "{stored:?} {said:?} {given_up:?}: {found:?}");
    }

    #[test]
    fn tells_loss_and_doubling() {
        check(&["a", "b"], &["a", "b"], &[], true);
        check(&["a"], &["a", "b"], &[], false);
        check(&["a", "."], &["a", "b"], &[], false);
        check(&["a", "c"], &["a", "b"], &[], false);
        check(&["a", "b"], &["a"], &[], false);
        check(&["a", "b", "c"], &["a"], &[&["b", "c"]], true);
        check(&["a", "b", "c", "d"], &["a"], &[&["d"], &["b", "c"]], true);
        check(&["a", "b", "b"], &["a"], &[&["b"]], false);
        check(&["a", "b"], &["a"], &[&["b", "c"]], false);
        check(&["a"], &["a"], &[&["b"]], true);
    }
}
