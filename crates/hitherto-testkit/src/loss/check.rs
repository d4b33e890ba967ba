//! What must be true of a session whenever it is read: pure, over its messages and its summary at one moment.

use std::collections::BTreeMap;

use hitherto::store::{Seq, Slice, SummaryState};

use super::ledger::{Ledger, readable};

/// Checks I4 over all that a session holds: its places have no gap, its summary stands for exactly the messages up
/// to its watermark, each once and as it is now, unless it is marked as stale.
///
/// # Errors
/// Says what is wrong.
pub fn verify(slice: &Slice, state: &SummaryState) -> Result<(), String> {
    let places: Vec<Seq> = slice.entries.iter().map(|entry| entry.seq).collect();
    if !places.iter().copied().eq(slice.base + 1..=slice.last) {
        return Err(format!("the places are {places:?} after {} up to {}", slice.base, slice.last));
    }
    for (which, summary, stale) in
        [("summary", &state.current, state.stale), ("previous", &state.previous, true)]
    {
        let Some(summary) = summary else { continue };
        let wrong = |what: String| format!("the {which} up to {} {what}: {}", summary.upto, summary.text);
        if summary.upto > slice.last {
            return Err(wrong(format!("is of more than the {} places", slice.last)));
        }
        let ledger = match summary.text.as_str() {
            // Nothing is left of what it stood for.
            "" => Ledger::default(),
            text => Ledger::read(text).map_err(wrong)?,
        };
        if ledger.partial.is_some() {
            return Err(wrong("has a message in parts".to_owned()));
        }
        if ledger.last() > summary.upto {
            return Err(wrong("says more than its watermark".to_owned()));
        }
        if !stale {
            given(slice, summary.upto, &ledger).map_err(wrong)?;
        }
    }
    Ok(())
}

/// Whether the ledger has each message up to the watermark, as it is now, and no other.
fn given(slice: &Slice, upto: Seq, ledger: &Ledger) -> Result<(), String> {
    let given: BTreeMap<Seq, u32> = ledger.items.iter().copied().collect();
    if given.len() != ledger.items.len() {
        return Err("has a message twice".to_owned());
    }
    for entry in slice.entries.iter().filter(|entry| entry.seq <= upto && entry.seq > ledger.hand) {
        match (entry.live().and_then(readable), given.get(&entry.seq)) {
            (None, None) => {}
            (Some(now), Some(then)) if now == *then => {}
            (Some(_), Some(_)) => return Err(format!("has message {} as it was before an edit", entry.seq)),
            (Some(_), None) => return Err(format!("has lost message {}", entry.seq)),
            (None, Some(_)) => return Err(format!("still has message {}, which is gone", entry.seq)),
        }
    }
    Ok(())
}

/// How many turns have left the window of `window` turns and are in no summary.
pub fn due_turns(slice: &Slice, state: &SummaryState, window: usize) -> usize {
    let upto = state.current.as_ref().map_or(0, |summary| summary.upto);
    let begins: Vec<Seq> = slice
        .entries
        .iter()
        .filter(|entry| entry.live().is_some_and(|record| record.begins_turn()))
        .map(|entry| entry.seq)
        .collect();
    let outside = begins.len().saturating_sub(window);
    begins.iter().take(outside).filter(|seq| **seq > upto).count()
}
