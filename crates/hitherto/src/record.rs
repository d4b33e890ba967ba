//! A message as it lies in a store: a small header, then the message's JSON exactly as it came.
//!
//! Invariant: `decode(encode(record)) == record`, and whatever else is found where a record should be is
//! told apart from one (I7). Every payload goes through here, so this is where a codec would go.
//!
//! ```text
//! byte  0      'H'
//!       1      format version, 1
//!       2      role: s, u, a, t
//!       3      flags: 1 deleted, 2 edited, 4 the JSON has its own id, 8 the JSON has its own created_at,
//!              16 pushed at the head of a list under a bare session id, 32 at its tail
//!       4      dialect of the payload (`Dialect::code`), 0 for Hitherto's own
//!       5..13  created at, milliseconds since the epoch, big-endian
//!      13..29  id (UUID, version 7)
//!      29..33  CRC-32 of the payload, big-endian
//!      33..41  only if edited: edited at, like created at
//!      then    the payload; empty if deleted
//! ```

use bytes::{Buf as _, BufMut as _, Bytes};
use thiserror::Error;
use uuid::Uuid;

use crate::dialect::Dialect;
use crate::message::{Flags, ListEnd, Message, Role};
use crate::time::Timestamp;

/// The version of the format that this code writes, and the newest that it reads.
pub const FORMAT: u8 = 1;

/// The first byte of every record.
const MAGIC: u8 = b'H';
/// The length of the header of a record that was never edited.
pub(crate) const HEADER: usize = 33;

const DELETED: u8 = 1;
const EDITED: u8 = 2;
const OWN_ID: u8 = 4;
const OWN_TIME: u8 = 8;
const AT_HEAD: u8 = 16;
const AT_TAIL: u8 = 32;

/// A stored message, or what is left of a deleted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The id that the store gave.
    pub id: Uuid,
    /// When the message was made: its own `created_at`, or when it was stored.
    pub created_at: Timestamp,
    /// When it was last edited, if it was.
    pub edited_at: Option<Timestamp>,
    /// Who speaks; kept when the message is deleted.
    pub role: Role,
    /// The message; `None` once it is deleted.
    pub message: Option<Message>,
}

/// Why stored bytes are no record. They stay where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// They do not begin like a record, or end too early.
    #[error("not a record")]
    Foreign,
    /// They are a record of a format, or in a dialect, that this version does not know.
    #[error("a record of a newer format")]
    Newer,
    /// The payload is not what was written.
    #[error("a damaged record")]
    Damaged,
}

impl Record {
    /// A new record of a message that is stored now.
    pub fn new(message: Message, id: Uuid, now: Timestamp) -> Self {
        Self {
            id,
            created_at: message.created_at().unwrap_or(now),
            edited_at: None,
            role: message.role(),
            message: Some(message),
        }
    }

    /// What is left when the message is deleted: who and when, and that it was there.
    pub fn deleted(&self) -> Self {
        Self { message: None, edited_at: None, ..self.clone() }
    }

    /// How many bytes [`Self::encode`] gives; every store counts a record so.
    pub fn size(&self) -> usize {
        let edited = if self.edited_at.is_some() { 8 } else { 0 };
        HEADER + edited + self.message.as_ref().map_or(0, |message| message.payload().len())
    }

    /// Whether a turn begins with this record.
    pub fn begins_turn(&self) -> bool {
        self.role == Role::User && self.message.is_some()
    }

    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let payload: &[u8] = self.message.as_ref().map_or(&[], |message| message.payload());
        let mut out = Vec::with_capacity(self.size());
        out.put_u8(MAGIC);
        out.put_u8(FORMAT);
        out.put_u8(role_byte(self.role));
        out.put_u8(self.flags());
        out.put_u8(self.message.as_ref().map_or(Dialect::Hitherto, Message::dialect).code());
        out.put_i64(self.created_at.as_millis());
        out.put_slice(self.id.as_bytes());
        out.put_u32(crc32fast::hash(payload));
        if let Some(edited_at) = self.edited_at {
            out.put_i64(edited_at.as_millis());
        }
        out.put_slice(payload);
        out
    }

    fn flags(&self) -> u8 {
        let mut flags = 0;
        if self.edited_at.is_some() {
            flags |= EDITED;
        }
        match &self.message {
            None => flags |= DELETED,
            Some(message) => {
                let Flags { own_id, own_time, pushed } = message.flags();
                let (at_head, at_tail) = (pushed == Some(ListEnd::Head), pushed == Some(ListEnd::Tail));
                for (flag, bit) in
                    [(own_id, OWN_ID), (own_time, OWN_TIME), (at_head, AT_HEAD), (at_tail, AT_TAIL)]
                {
                    flags |= if flag { bit } else { 0 };
                }
            }
        }
        flags
    }

    /// Reads a record; the payload is what is left of `bytes`, not a copy.
    ///
    /// # Errors
    /// Says why the bytes are not one.
    pub fn decode(mut bytes: Bytes) -> Result<Self, Unreadable> {
        let header: [u8; HEADER] = *bytes.first_chunk().ok_or(Unreadable::Foreign)?;
        let [magic, format, role, flags, dialect, rest @ ..] = &header;
        if *magic != MAGIC {
            return Err(Unreadable::Foreign);
        }
        if *format != FORMAT {
            return Err(Unreadable::Newer);
        }
        let dialect = Dialect::from_code(*dialect).ok_or(Unreadable::Newer)?;
        let role = byte_role(*role).ok_or(Unreadable::Damaged)?;
        let (created_at, rest) = rest.split_first_chunk().ok_or(Unreadable::Foreign)?;
        let (id, crc) = rest.split_first_chunk().ok_or(Unreadable::Foreign)?;
        let crc = u32::from_be_bytes(crc.try_into().map_err(|_| Unreadable::Foreign)?);
        bytes.advance(HEADER);
        let mut edited_at = None;
        if flags & EDITED != 0 {
            let stamp: &[u8; 8] = bytes.first_chunk().ok_or(Unreadable::Foreign)?;
            edited_at = Some(Timestamp::from_millis(i64::from_be_bytes(*stamp)));
            bytes.advance(8);
        }
        let message = if flags & DELETED != 0 {
            None
        } else if crc32fast::hash(&bytes) != crc {
            return Err(Unreadable::Damaged);
        } else {
            let flags = Flags {
                own_id: flags & OWN_ID != 0,
                own_time: flags & OWN_TIME != 0,
                pushed: if flags & AT_HEAD != 0 {
                    Some(ListEnd::Head)
                } else {
                    (flags & AT_TAIL != 0).then_some(ListEnd::Tail)
                },
            };
            Some(Message::stored(role, dialect, bytes, flags))
        };
        Ok(Self {
            id: Uuid::from_bytes(*id),
            created_at: Timestamp::from_millis(i64::from_be_bytes(*created_at)),
            edited_at,
            role,
            message,
        })
    }
}

const fn role_byte(role: Role) -> u8 {
    match role {
        Role::System => b's',
        Role::User => b'u',
        Role::Assistant => b'a',
        Role::Tool => b't',
    }
}

const fn byte_role(byte: u8) -> Option<Role> {
    match byte {
        b's' => Some(Role::System),
        b'u' => Some(Role::User),
        b'a' => Some(Role::Assistant),
        b't' => Some(Role::Tool),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(message: Message) -> Record {
        Record::new(message, Uuid::now_v7(), Timestamp::from_millis(1_763_805_600_123))
    }

    #[test]
    fn comes_back_as_it_went_in() {
        let own = Message::parse(Bytes::from_static(
            br#"{"role":"user","content":"hi","id":"m1","created_at":"1970-01-01T00:00:02Z"}"#,
        ))
        .unwrap();
        for (message, edited) in [(Message::user("hi"), false), (own, false), (Message::assistant("é"), true)]
        {
            let mut record = record(message);
            record.edited_at = edited.then_some(Timestamp::from_millis(5));
            let back = Record::decode(record.encode().into()).unwrap();
            assert_eq!(back.message.as_ref().unwrap().json(), record.message.as_ref().unwrap().json());
            assert_eq!(back.message.as_ref().unwrap().own_id(), record.message.as_ref().unwrap().own_id());
            assert_eq!(
                (back.id, back.created_at, back.edited_at),
                (record.id, record.created_at, record.edited_at)
            );
            let gone = record.deleted();
            assert_eq!(Record::decode(gone.encode().into()).unwrap(), gone);
        }
    }

    #[test]
    fn tells_what_is_no_record() {
        let check = |bytes: Vec<u8>, expected| assert_eq!(Record::decode(bytes.into()), Err(expected));
        let good = record(Message::user("hi")).encode();
        let with = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            bad
        };
        check(Vec::new(), Unreadable::Foreign);
        check(
            b"{\"type\":\"human\",\"data\":{\"content\":\"somebody else's\"}}".to_vec(),
            Unreadable::Foreign,
        );
        check(good[..30].to_vec(), Unreadable::Foreign);
        check(good[..good.len() - 1].to_vec(), Unreadable::Damaged);
        check(with(1, 2), Unreadable::Newer);
        check(with(4, 200), Unreadable::Newer);
        check(with(2, b'x'), Unreadable::Damaged);
        check(with(40, b'x'), Unreadable::Damaged);
    }
}
