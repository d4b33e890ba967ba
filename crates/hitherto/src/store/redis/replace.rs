//! Putting records in the place of others, and taking the newest away.

use std::sync::atomic::Ordering;

use super::keys::Keys;
use super::link::Kind;
use super::{RedisStore, TRIES, due, read};
use crate::record::Record;
use crate::store::{At, Entry, Pop, Range, Replaced, Result, Seq, StoreError};
use crate::window::Window;

impl RedisStore {
    /// Puts records in the place of others, all or none.
    pub(super) async fn put(
        &self,
        at: At<'_>,
        last: Option<Seq>,
        changes: &[(Seq, &Record, &Record)],
    ) -> Result<Replaced> {
        if changes.iter().any(|(seq, _, _)| *seq > read::MOST) {
            return Ok(Replaced::Changed);
        }
        let keys = Keys::new(at.key);
        if self.folds.load(Ordering::Relaxed) {
            // Before it happens: if this process or its answer is lost then, somebody looks all the same.
            self.link.call(Kind::Read, &due::later(at.key, at.now)).await?;
        }
        let last = last.map(|seq| seq.to_string()).unwrap_or_default();
        let changes: Vec<_> =
            changes.iter().map(|(seq, old, new)| (*seq, old.encode(), new.encode())).collect();
        let reply = self
            .write(&self.scripts.replace, &keys, at.now, |command| {
                command.arg(&last);
                for (seq, old, new) in &changes {
                    command.arg(*seq).arg(old).arg(new);
                }
            })
            .await?;
        match reply.word() {
            "ok" => {
                self.touch(at.key, at.now).await;
                if reply.number(1) == 1 && self.mark(at.key, at.now).await.is_err() {
                    // What was asked for is done; the list will be told.
                    tracing::debug!(session = %at.key.session, "a stale summary is not on the due-list yet");
                }
                Ok(Replaced::Done)
            }
            "changed" => Ok(Replaced::Changed),
            _ => Err(self.refusal(&keys, &reply)),
        }
    }

    /// Deletes the newest message or turn, and gives what that was.
    pub(super) async fn take(&self, at: At<'_>, what: Pop) -> Result<Vec<Entry>> {
        let keys = Keys::new(at.key);
        for _ in 0..TRIES {
            // What cannot be read stays, and only this side can tell; so it looks, and the script compares.
            let newest = Range::Window(Window::Turns(1));
            let slice = read::read(&self.link, &keys, &self.guesses, newest, false).await?.slice;
            let last = slice.last;
            let mut popped: Vec<Entry> =
                slice.entries.into_iter().filter(|entry| entry.live().is_some()).collect();
            if what == Pop::Message {
                popped.drain(..popped.len().saturating_sub(1));
            }
            if popped.is_empty() {
                return Ok(popped);
            }
            let records: Vec<(Seq, &Record, Record)> = popped
                .iter()
                .filter_map(|entry| entry.live().map(|record| (entry.seq, record, record.deleted())))
                .collect();
            let changes: Vec<_> = records.iter().map(|(seq, old, new)| (*seq, *old, new)).collect();
            if self.put(at, Some(last), &changes).await? == Replaced::Done {
                return Ok(popped);
            }
        }
        Err(StoreError::Busy {
            store: self.link.name().to_owned(),
            reason: format!("the session changed {TRIES} times meanwhile"),
        })
    }
}
