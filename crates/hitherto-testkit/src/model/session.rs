//! One session as a plain list. Nothing is counted ahead: every answer is worked out from the list.

use std::collections::BTreeMap;

use hitherto::store::{
    Batch, Change, Commit, Committed, Configure, Entry, Once, Pop, Range, Receipt, Replaced, Result, Seq,
    Slice, StoreError, SummaryState,
};
use hitherto::summary::{Hint, PolicyChange, Summary};
use hitherto::{Record, Restart, Role, Timestamp, Ttl, TtlChange, UserId, Window};

use super::answer::Known;

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// All places ever given, oldest first; the first is number 1.
    places: Vec<Record>,
    /// How many of the oldest a maximum has removed.
    base: usize,
    created_at: Timestamp,
    updated_at: Timestamp,
    ttl: Option<Ttl>,
    expires_at: Option<Timestamp>,
    max_messages: Option<u64>,
    metadata: Option<String>,
    state: SummaryState,
    /// How many of the turns and bytes that are held the summary covers.
    covered: (u64, u64),
    /// The hint of the session's own policy.
    hint: Option<Hint>,
    once: BTreeMap<String, (Once, Receipt)>,
    user: Option<UserId>,
}

fn live(record: &Record) -> bool {
    record.message.is_some()
}

fn begins_turn(record: &Record) -> bool {
    live(record) && record.role == Role::User
}

fn set<T: Clone>(value: &mut Option<T>, change: &Change<T>) {
    match change {
        Change::Keep => {}
        Change::Set(new) => *value = Some(new.clone()),
        Change::Remove => *value = None,
    }
}

impl Session {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            places: Vec::new(),
            base: 0,
            created_at: now,
            updated_at: now,
            ttl: None,
            expires_at: None,
            max_messages: None,
            metadata: None,
            state: SummaryState::default(),
            covered: (0, 0),
            hint: None,
            once: BTreeMap::new(),
            user: None,
        }
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// What stands at a place.
    pub(super) fn at(&self, seq: Seq) -> Option<&Record> {
        let position = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.places.get(position).filter(|_| position >= self.base)
    }

    fn held(&self) -> &[Record] {
        &self.places[self.base..]
    }

    pub(super) fn last(&self) -> Seq {
        self.places.len() as Seq
    }

    fn messages(&self) -> u64 {
        self.held().iter().filter(|record| live(record)).count() as u64
    }

    fn deleted(&self) -> u64 {
        self.held().len() as u64 - self.messages()
    }

    /// The turns that are held, each as the positions of its messages. What comes before the first user
    /// message is a turn.
    fn turns(&self) -> Vec<Vec<usize>> {
        let mut turns: Vec<Vec<usize>> = Vec::new();
        for (position, record) in self.places.iter().enumerate().skip(self.base) {
            if !live(record) {
                continue;
            }
            match turns.last_mut() {
                Some(turn) if !begins_turn(record) => turn.push(position),
                _ => turns.push(vec![position]),
            }
        }
        turns
    }

    fn written(&mut self, now: Timestamp, change: TtlChange) {
        self.updated_at = now;
        match change {
            TtlChange::Set(ttl) | TtlChange::Start(ttl) => self.ttl = Some(ttl),
            TtlChange::Remove => self.ttl = None,
            _ if self.ttl.is_some_and(|ttl| ttl.restart() == Restart::Never) => return,
            _ => {}
        }
        self.start_clock(now);
    }

    fn start_clock(&mut self, now: Timestamp) {
        self.expires_at = self.ttl.map(|ttl| now.plus_millis(i64::try_from(ttl.as_millis()).unwrap()));
    }

    /// A whole turn at a time, until there are few enough messages or only the newest turn is left.
    fn trim(&mut self) {
        let Some(max) = self.max_messages else { return };
        while self.messages() > max {
            let next =
                (self.base + 1..self.places.len()).find(|position| begins_turn(&self.places[*position]));
            let Some(next) = next else { return };
            let covered = self.summary_upto() as usize;
            for gone in &self.places[self.base..next.min(covered).max(self.base)] {
                self.covered.0 = self.covered.0.saturating_sub(begins_turn(gone).into());
                self.covered.1 = self.covered.1.saturating_sub(gone.encode().len() as u64);
            }
            self.base = next;
        }
    }

    fn summary_upto(&self) -> Seq {
        self.state.current.as_ref().map_or(0, |summary| summary.upto)
    }

    pub(super) fn summary(&self) -> Option<Summary> {
        self.state.current.clone()
    }

    /// Whether the session is due for folding after an append with that hint.
    fn is_due(&self, hint: Option<Hint>) -> bool {
        let Some(hint) = hint.map(|hint| self.hint.unwrap_or(hint)) else { return false };
        let known = self.describe();
        let (turns, bytes) = self.covered;
        let never = hint == Hint { turns: u32::MAX, bytes: u64::MAX };
        !never
            && (self.state.stale
                || known.turns.saturating_sub(turns) >= hint.turns.into()
                || known.bytes.saturating_sub(bytes) >= hint.bytes)
    }

    /// A message was changed.
    fn changed(&mut self, seq: Seq) {
        self.state.stale |= seq <= self.summary_upto();
    }

    pub(super) fn commit(&mut self, commit: Commit) -> Committed {
        if self.summary().map(|summary| summary.id) != commit.expected || commit.summary.upto > self.last() {
            return Committed::Changed;
        }
        self.covered = (commit.summary.turns, commit.summary.bytes);
        self.state = SummaryState {
            current: Some(commit.summary),
            previous: commit.previous,
            stale: commit.stale,
            ..self.state.clone()
        };
        Committed::Done
    }

    pub(super) fn state(&mut self, now: Timestamp) -> SummaryState {
        self.read(now, Range::After(0, 0));
        self.state.clone()
    }

    pub(super) fn append(&mut self, now: Timestamp, batch: Batch) -> Result<Receipt> {
        if batch.user.is_some() && self.user.is_some() && batch.user != self.user {
            return Err(StoreError::UserMismatch);
        }
        if let Some(once) = &batch.once
            && let Some((known, receipt)) = self.once.get(&once.key)
        {
            return if known == once {
                Ok(Receipt { repeated: true, ..*receipt })
            } else {
                Err(StoreError::OnceMismatch)
            };
        }
        let mut receipt = Receipt {
            first_seq: self.last() + 1,
            first_id: batch.records[0].id,
            repeated: false,
            due: false,
            messages: None,
        };
        self.places.extend(batch.records);
        self.user = self.user.take().or(batch.user);
        set(&mut self.max_messages, &batch.max_messages);
        let ttl = match batch.ttl {
            TtlChange::Set(ttl) if ttl.restart() == Restart::Never && self.ttl == Some(ttl) => {
                TtlChange::Keep
            }
            change => change,
        };
        self.written(now, ttl);
        self.trim();
        if let Some(once) = batch.once {
            // A repeat is not due.
            self.once.insert(once.key.clone(), (once, receipt));
        }
        receipt.due = self.is_due(batch.hint);
        receipt.messages = batch.count.then(|| self.messages());
        Ok(receipt)
    }

    /// The places from one position up to another.
    fn entries(&self, from: usize, to: usize) -> Vec<Entry> {
        (from.max(self.base)..to.min(self.places.len()))
            .map(|position| Entry { seq: position as Seq + 1, record: Ok(self.places[position].clone()) })
            .collect()
    }

    pub(super) fn read(&mut self, now: Timestamp, range: Range) -> Slice {
        if self.ttl.is_some_and(|ttl| ttl.restart() == Restart::Read) {
            self.start_clock(now);
        }
        let end = self.places.len();
        let entries = match range {
            Range::After(seq, limit) => {
                let mut entries = self.entries(0, end);
                entries.retain(|entry| entry.seq > seq);
                entries.truncate(limit as usize);
                entries
            }
            Range::Before(seq, limit) => {
                let mut entries = self.entries(0, end);
                entries.retain(|entry| entry.seq < seq);
                entries.split_off(entries.len().saturating_sub(limit as usize))
            }
            Range::Window(window) => {
                let mut inside = Vec::new();
                for turn in self.turns().into_iter().rev() {
                    let full = match window {
                        Window::Turns(turns) => inside.len() >= turns as usize,
                        Window::Messages(messages) => {
                            inside.iter().map(Vec::len).sum::<usize>() >= messages as usize
                        }
                        Window::Bytes(bytes) => {
                            let size = |position: &usize| self.places[*position].encode().len() as u64;
                            inside.iter().flatten().map(size).sum::<u64>() >= bytes
                        }
                        _ => panic!("the model does not know {window:?}"),
                    };
                    if full {
                        break;
                    }
                    inside.push(turn);
                }
                inside.last().map_or(Vec::new(), |oldest| self.entries(oldest[0], end))
            }
            Range::Unfolded(turns, extra) => {
                let begins: Vec<usize> = self.turns().iter().rev().map(|turn| turn[0]).collect();
                // Where the slice begins with so many turns.
                let begin = |count: usize| if count == 0 { end } else { begins[count - 1] };
                let asked = (turns as usize).min(begins.len());
                let mut count = asked;
                while count < begins.len()
                    && begin(count) as Seq > self.summary_upto()
                    && begin(asked) - begin(count) < extra as usize
                {
                    count += 1;
                }
                self.entries(begin(count), end)
            }
            _ => panic!("the model does not know {range:?}"),
        };
        Slice { entries, base: self.base as Seq, last: self.last(), deleted: self.deleted() }
    }

    pub(super) fn replace(&mut self, now: Timestamp, seq: Seq, old: &Record, new: &Record) -> Replaced {
        if seq <= self.base as Seq || seq > self.last() {
            return Replaced::Changed;
        }
        let place = &mut self.places[seq as usize - 1];
        if place.encode() != old.encode() {
            return Replaced::Changed;
        }
        *place = new.clone();
        self.changed(seq);
        self.written(now, TtlChange::Keep);
        Replaced::Done
    }

    pub(super) fn pop(&mut self, now: Timestamp, what: Pop) -> Vec<Entry> {
        let mut newest = self.turns().pop().unwrap_or_default();
        if what == Pop::Message {
            newest = newest.split_off(newest.len().saturating_sub(1));
        }
        let mut popped = Vec::new();
        for position in newest {
            let left = self.places[position].deleted();
            let record = std::mem::replace(&mut self.places[position], left);
            popped.push(Entry { seq: position as Seq + 1, record: Ok(record) });
        }
        if let Some(oldest) = popped.first() {
            self.changed(oldest.seq);
            self.written(now, TtlChange::Keep);
        }
        popped
    }

    pub(super) fn fork(&self, now: Timestamp, upto: Option<Seq>) -> Result<Self> {
        let upto = upto.unwrap_or(self.last());
        if upto <= self.base as Seq || upto > self.last() {
            return Err(StoreError::NoMessage(upto));
        }
        let mut copy = Self { created_at: now, updated_at: now, once: BTreeMap::new(), ..self.clone() };
        copy.places.truncate(upto as usize);
        let fits = |summary: &Summary| summary.upto <= upto;
        let [current, previous] = [copy.state.current.take(), copy.state.previous.take()];
        let [current, previous] = [current.filter(fits), previous.filter(fits)];
        if let (None, Some(previous)) = (&current, &previous) {
            let covered = &copy.places[copy.base..(previous.upto as usize).max(copy.base)];
            let turns = covered.iter().filter(|record| begins_turn(record)).count();
            copy.covered = (turns as u64, covered.iter().map(|record| record.encode().len() as u64).sum());
        }
        let [current, previous] = if current.is_some() { [current, previous] } else { [previous, None] };
        if current.is_none() {
            (copy.state.stale, copy.covered) = (false, (0, 0));
        }
        (copy.state.current, copy.state.previous) = (current, previous);
        copy.start_clock(now);
        Ok(copy)
    }

    pub(super) fn clear(self) -> u64 {
        self.messages()
    }

    pub(super) fn configure(&mut self, now: Timestamp, change: &Configure) {
        set(&mut self.max_messages, &change.max_messages);
        set(&mut self.metadata, &change.metadata);
        match change.policy {
            Change::Keep => {}
            Change::Set((policy, hint)) => (self.state.policy, self.hint) = (policy, Some(hint)),
            Change::Remove => (self.state.policy, self.hint) = (PolicyChange::default(), None),
        }
        self.written(now, change.ttl);
        self.trim();
    }

    /// Everything that a store's description tells.
    pub(super) fn describe(&self) -> Known {
        Known {
            messages: self.messages(),
            turns: self.held().iter().filter(|record| begins_turn(record)).count() as u64,
            deleted: self.deleted(),
            first_seq: self.base as Seq + 1,
            last_seq: self.last(),
            bytes: self.held().iter().map(|record| record.encode().len() as u64).sum(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            ttl: self.ttl,
            expires_at: self.expires_at,
            max_messages: self.max_messages,
            metadata: self.metadata.clone(),
            policy: self.state.policy,
            summary_upto: self.summary_upto(),
            summary_stale: self.state.stale,
            user: self.user.clone(),
        }
    }
}
