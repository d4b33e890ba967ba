//! Appending: one script call, and what the lists are told with it.

use std::sync::atomic::Ordering;

use redis::{Cmd, Value};
use uuid::Uuid;

use super::RedisStore;
use super::arguments::{millis, pack_append};
use super::due;
use super::keys::Keys;
use super::link::Kind;
use super::meta::{self, Reply, number};
use super::users::{May, Sent};
use crate::record::Record;
use crate::store::{At, Batch, Receipt, Result, StoreError};

/// What an append's answer has more if its session is due for folding.
const DUE: u64 = 1 << 50;
/// And more if it was asked how many messages there are, and there are as many as the last number says.
const WHOLE: u64 = 1 << 51;

impl RedisStore {
    /// Sends an append; with a user, `may` says whether the session may become that user's.
    pub(super) async fn send_append(&self, at: At<'_>, batch: &Batch, may: Option<May>) -> Result<Sent> {
        let keys = Keys::new(at.key);
        let records: Vec<Vec<u8>> = batch.records.iter().map(Record::encode).collect();
        let turns = batch.records.iter().filter(|record| record.begins_turn()).count();
        let bytes: usize = records.iter().map(Vec::len).sum();
        let first_id = batch.records.first().map(|record| record.id).unwrap_or_default();
        let packed = pack_append(millis(at.now), turns, bytes, batch, may.map_or(0, |may| may as u8));
        let mut note = Vec::new();
        if let Some(once) = &batch.once {
            note.extend_from_slice(once.fingerprint.as_bytes());
            note.extend_from_slice(first_id.as_bytes());
        }
        let fill = |command: &mut Cmd| {
            command.arg(&packed);
            if let Some(once) = &batch.once {
                command.arg(&once.key).arg(&note);
            }
            if let Some(user) = &batch.user {
                command.arg(user.as_str());
            }
            for record in &records {
                command.arg(record);
            }
        };
        let folds = batch.hint.is_some();
        self.folds.fetch_or(folds, Ordering::Relaxed);
        // With an idempotency key, or a user whom the session may refuse, only the answer says whether this is a write
        // at all; but the due-list has to know before whoever appends is told that it is one, whatever ends then.
        let waits = batch.once.is_some() || may == Some(May::Become);
        let ((known, touch), mark) = if waits {
            let told = self.touches.told(at.key, at.now);
            let mark = folds && told != Some(true);
            ((told.is_some(), Vec::new()), mark.then(|| due::later(at.key, at.now)))
        } else {
            (self.touch_commands(at.key, at.now, folds), None)
        };
        let kind = if batch.once.is_some() { Kind::Once } else { Kind::Write };
        let also = mark.as_ref().map_or(touch.as_slice(), std::slice::from_ref);
        let about = (&keys, batch.once.is_some());
        let (reply, told) =
            self.scripts.call_session(&self.link, &self.scripts.append, kind, about, fill, also).await?;
        if !told {
            self.tell_later(at.key, at.now, folds);
        }
        let (reply, messages) = match reply {
            Value::Array(mut values) if matches!(values.first(), Some(Value::Int(_))) => {
                (values.swap_remove(0), values.first().map(|messages| number(meta::integer(messages))))
            }
            reply => (reply, None),
        };
        if let Value::Int(first) = reply {
            if touch.is_empty() && first < 0 {
                // Somebody else ended the session that this process had listed.
                self.touches.forget(at.key);
            }
            if touch.is_empty() && (first < 0 || waits) && may != Some(May::Become) {
                // A new session that was told of before it was cleared has yet to be marked.
                self.touch_with(at.key, at.now, folds && mark.is_none()).await;
            }
            self.look_for_loss(at.key, at.now, known && first < 0).await;
            let first = first.unsigned_abs();
            let (first_seq, due, whole) = (first % DUE, first & DUE != 0, first & WHOLE != 0);
            let messages = messages.or_else(|| whole.then(|| first_seq + records.len() as u64 - 1));
            if due {
                self.mark_soon(at.key, at.now);
            }
            return Ok(Sent::Stored(Receipt { first_seq, first_id, repeated: false, due, messages }));
        }
        let reply = Reply(self.link.array(reply)?);
        match reply.word() {
            "repeat" => {
                // Whoever sent it first may not have lived to tell the lists.
                if folds && self.mark(at.key, at.now).await.is_err() {
                    tracing::debug!(session = %at.key.session, "a repeated append is not on the due-list yet");
                }
                remembered(reply.bytes(1), batch.once.as_ref().map(|once| once.fingerprint))
                    .map(Sent::Stored)
                    .ok_or(StoreError::OnceMismatch)
            }
            "untold" => Ok(Sent::Untold),
            _ => Err(self.refusal(&keys, &reply)),
        }
    }
}

/// The receipt that was remembered: fingerprint, id of the first record, its sequence number.
/// `None` if the fingerprint is another.
pub(super) fn remembered(note: &[u8], fingerprint: Option<Uuid>) -> Option<Receipt> {
    let (before, rest) = note.split_first_chunk::<16>()?;
    let (first_id, first_seq) = rest.split_first_chunk::<16>()?;
    if fingerprint.is_some_and(|fingerprint| fingerprint.as_bytes() != before) {
        return None;
    }
    let first_seq = std::str::from_utf8(first_seq).ok()?.parse().ok()?;
    let first_id = Uuid::from_bytes(*first_id);
    Some(Receipt { first_seq, first_id, repeated: true, due: false, messages: None })
}
